//! How a structure of the binary contract is declared, so that the declaration is its own proof.
//!
//! Most structures of NT exist twice, once with 64-bit pointers and once with 32-bit ones, and a WoW64 system handles both at the
//! same time. Rust's generics cannot say it: what is padding in one width is absent in the other, and `zerocopy` rightly
//! refuses to look at padding inside a generic type. So a structure is written once, in [`layouts!`], with types that mean
//! something else in each width (`Pointer`, `Size`, `Handle`, `Only64<T>`, `Only32<T>`; see [`crate::w64`] and [`crate::w32`]),
//! and the macro makes two ordinary structures of it: `w64::Teb` and `w32::Teb`.
//!
//! Each field is preceded by its offsets, 64-bit first, as published symbols give them; the compiler holds the fields to
//! them. Padding is a field like any other (`IntoBytes` does not compile otherwise), so no byte of kernel memory that nobody
//! wrote reaches a program.
//!
//! [`layout!`] is the same for a structure that has one shape only.

/// Declares structures of both widths in modules `w64` and `w32` of the file that calls it.
macro_rules! layouts {
    ($(
        $(#[$doc:meta])*
        pub struct $name:ident ($size64:literal, $size32:literal) {
            $($(#[$field_doc:meta])* $at64:literal $at32:literal $field:ident: $type:ty),* $(,)?
        }
    )*) => {
        /// With 64-bit pointers.
        pub mod w64 {
            // A file need not use a type of another one.
            #[allow(unused_imports)]
            use {super::*, crate::w64::*};
            $($crate::layout::structure! {
                $(#[$doc])* $name, $size64, [],
                $($(#[$field_doc])* ($at64, concat!("At ", $at64, " (32-bit: ", $at32, ").")) $field: $type,)*
            })*
        }
        /// With 32-bit pointers.
        pub mod w32 {
            // A file need not use a type of another one.
            #[allow(unused_imports)]
            use {super::*, crate::w32::*};
            $($crate::layout::structure! {
                $(#[$doc])* $name, $size32, [],
                $($(#[$field_doc])* ($at32, concat!("At ", $at32, " (64-bit: ", $at64, ").")) $field: $type,)*
            })*
        }
        $($crate::layout::both_widths!($name);)*
    };
}

/// Declares structures that are the same in both widths, or belong to one machine.
macro_rules! layout {
    ($(
        $(#[$doc:meta])*
        pub struct $name:ident ($size:literal $(, align $align:literal)?) {
            $($(#[$field_doc:meta])* $at:literal $field:ident: $type:ty),* $(,)?
        }
    )*) => {
        $($crate::layout::structure! {
            $(#[$doc])* $name, $size, [$(align($align))?],
            $($(#[$field_doc])* ($at, concat!("At ", $at, ".")) $field: $type,)*
        })*
    };
}

/// One structure: derives, all zeros as default, and the proof of its offsets.
macro_rules! structure {
    (
        $(#[$doc:meta])* $name:ident, $size:literal, [$($align:tt)*],
        $($(#[$field_doc:meta])* ($at:literal, $at_doc:expr) $field:ident: $type:ty,)*
    ) => {
        $(#[$doc])*
        #[derive(
            Clone,
            Copy,
            Debug,
            PartialEq,
            Eq,
            zerocopy::FromBytes,
            zerocopy::IntoBytes,
            zerocopy::Immutable,
            zerocopy::KnownLayout,
        )]
        #[repr(C, $($align)*)]
        pub struct $name {
            $($(#[$field_doc])* #[doc = ""] #[doc = $at_doc] pub $field: $type,)*
        }

        impl Default for $name {
            /// All zeros.
            fn default() -> Self {
                zerocopy::FromZeros::new_zeroed()
            }
        }

        const _: () = assert!(core::mem::size_of::<$name>() == $size, "size");
        $(const _: () = assert!(core::mem::offset_of!($name, $field) == $at, stringify!($field));)*
    };
}

/// Ties the two widths of a structure together.
macro_rules! both_widths {
    ($name:ident) => {
        impl $crate::width::BothWidths for w64::$name {
            type W64 = Self;
            type W32 = w32::$name;
        }

        impl $crate::width::BothWidths for w32::$name {
            type W64 = w64::$name;
            type W32 = Self;
        }
    };
}

pub(crate) use {both_widths, layout, layouts, structure};
