//! How a number with names is declared: as an open enumeration or as a set of flags.
//!
//! Both are a number of a known size and accept any value, because they lie in memory that a program writes. What is
//! not known has no name; what to do about that is the decision of the one who captures it.

/// Declares open enumerations: constants with NT's names, and `name` for traces.
macro_rules! numbers {
    ($(
        $(#[$doc:meta])*
        pub struct $type:ident: $repr:ty {
            $($(#[$item_doc:meta])* $item:ident = $value:literal, $nt:literal;)*
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(
            Clone,
            Copy,
            Default,
            PartialEq,
            Eq,
            PartialOrd,
            Ord,
            Hash,
            zerocopy::FromBytes,
            zerocopy::IntoBytes,
            zerocopy::Immutable,
            zerocopy::KnownLayout,
        )]
        #[repr(transparent)]
        pub struct $type(pub $repr);

        impl $type {
            $($(#[$item_doc])* #[doc = ""] #[doc = concat!("`", $nt, "`.")] pub const $item: Self = Self($value);)*

            /// Its name in Windows' headers, if it has one.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($nt),)*
                    _ => None,
                }
            }
        }

        impl core::fmt::Debug for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, concat!(stringify!($type), "({:#x})"), self.0),
                }
            }
        }
    )*};
}

/// Declares sets of flags (see the crate `bitflags`); the names in Windows' headers begin with `$prefix`.
macro_rules! flags {
    ($(
        $(#[$doc:meta])*
        pub struct $type:ident: $repr:ty, $prefix:literal {
            $($(#[doc = $item_doc:literal])* $item:ident = $value:expr;)*
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(
            Clone,
            Copy,
            Default,
            PartialEq,
            Eq,
            PartialOrd,
            Ord,
            Hash,
            zerocopy::FromBytes,
            zerocopy::IntoBytes,
            zerocopy::Immutable,
            zerocopy::KnownLayout,
        )]
        #[repr(transparent)]
        pub struct $type(pub $repr);

        bitflags::bitflags! {
            impl $type: $repr {
                $($(#[doc = $item_doc])* #[doc = ""] #[doc = concat!("`", $prefix, stringify!($item), "`.")] const $item = $value;)*
            }
        }

        impl core::fmt::Debug for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                if self.0 == 0 {
                    return f.write_str("0");
                }
                bitflags::parser::to_writer(self, f)
            }
        }
    )*};
}

pub(crate) use {flags, numbers};
