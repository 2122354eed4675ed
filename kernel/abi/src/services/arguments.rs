//! The types of services' arguments.
//!
//! Each is an inert value: what user mode passed, cut to the width that the calling convention gives it, and nothing
//! proved about it. An address is an allegation until the kernel captures what is behind it. That user and kernel
//! read a register alike is the only thing settled here: the conventions of Windows on ARM64 and x64 leave the upper
//! part of a register undefined when the argument is narrower, so [`ServiceArgument::from_raw`] ignores it.
//!
//! **Pointers** are one type with three marks: what is behind it ([`One`], [`Array`], [`Bytes`]), which way data
//! flows ([`Reads`], [`Writes`], [`Updates`]) and whether it may be null ([`Required`], [`Optional`]). The table uses
//! the short names, `In<T>` to `OptionalInOutBytes`.
//!
//! **Lengths.** The length of a buffer in bytes, or the count of an array's elements, is by NT's custom the *next*
//! argument: a number, or a pointer to a number that is updated. Where it is the previous one the type says so
//! (`InArray<Handle, Before>`); `Elsewhere` means that the service's documentation has to be read. A structure that
//! says itself how long it is (a security identifier, a token's groups) is a plain `In<T>`.
//!
//! Names of structures are declared in `pointees.rs`; a structure with a layout replaces its namesake there.

use core::marker::PhantomData;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub use super::pointees::*;
pub use crate::NtStatus;

/// What may stand as an argument's type in the table.
pub trait ServiceArgument: Copy {
    /// What it is, for those who read the table while running.
    const KIND: ArgumentKind;

    /// Takes the argument out of a register or stack slot and ignores the bits it does not have.
    fn from_raw(raw: u64) -> Self;

    /// The register that passes this argument: zero-extended, or sign-extended if it has a sign.
    fn raw(&self) -> u64;
}

/// What an argument is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArgumentKind {
    /// A handle, of the pointer's width; the negative ones are pseudo handles.
    Handle,
    /// Zero or not, in the lowest 8 bits.
    Boolean,
    /// A status, 32 bits.
    Status,
    /// A set of access rights, 32 bits.
    AccessMask,
    /// An address that the service does not dereference for its caller: a routine, a base address, a context value.
    Address,
    /// A number of 8 bits.
    Unsigned8,
    /// A number of 16 bits.
    Unsigned16,
    /// A number of 32 bits.
    Unsigned32,
    /// A number with sign of 32 bits.
    Signed32,
    /// A number of 64 bits at every pointer width; 32-bit code passes it in two slots.
    Unsigned64,
    /// A number of the pointer's width.
    Size,
    /// A number of 32 bits that is one of a set, under NT's name for the set.
    Enumeration(&'static str),
    /// A pointer to user memory that the service reads or writes.
    Pointer {
        /// Which way data flows.
        direction: Direction,
        /// Whether null is allowed.
        optional: bool,
        /// What it points to.
        target: Target,
    },
}

/// Which way data flows through a pointer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// The service reads.
    In,
    /// The service writes.
    Out,
    /// The service reads, then writes.
    InOut,
}

/// What a pointer points to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// One value or structure, under NT's name for it.
    One(&'static str),
    /// Elements under NT's name, and where their count is.
    Array(&'static str, Length),
    /// Bytes whose meaning another argument tells, and where their count is.
    Bytes(Length),
}

/// Where the length of a buffer, or the count of an array, is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Length {
    /// In the argument after the pointer, or in what that argument points to.
    Next,
    /// In the argument before the pointer.
    Previous,
    /// Where the service's documentation says.
    Elsewhere,
}

/// Something that an argument may point to.
pub trait Pointee {
    /// NT's name for it.
    const NAME: &'static str;
}

/// The value's lowest 16 bits.
#[inline]
const fn low_16(raw: u64) -> u16 {
    let [a, b, ..] = raw.to_le_bytes();
    u16::from_le_bytes([a, b])
}

/// The value's lowest 32 bits.
#[inline]
const fn low_32(raw: u64) -> u32 {
    let [a, b, c, d, ..] = raw.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Declares arguments that are a number.
macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident($width:ty) = $kind:ident, $nt_name:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
        #[repr(transparent)]
        pub struct $name(pub $width);

        impl ServiceArgument for $name {
            const KIND: ArgumentKind = ArgumentKind::$kind;

            #[inline]
            fn from_raw(raw: u64) -> Self {
                Self(<$width>::from_raw(raw))
            }

            #[inline]
            fn raw(&self) -> u64 {
                self.0.raw()
            }
        }

        impl Pointee for $name {
            const NAME: &'static str = $nt_name;
        }
    )*};
}

numbers! {
    /// A handle as user mode holds it.
    Handle(u64) = Handle, "HANDLE";
    /// A truth value as user mode passes it: anything but zero is true.
    Boolean(u8) = Boolean, "BOOLEAN";
    /// Access rights: specific, standard and generic ones.
    AccessMask(u32) = AccessMask, "ACCESS_MASK";
    /// A number that is as wide as a pointer (`SIZE_T`, `ULONG_PTR`).
    Size(u64) = Size, "SIZE_T";
    /// An address in user mode that the service itself does not dereference.
    UserAddress(u64) = Address, "PVOID";
}

impl Handle {
    /// The pseudo handle of the caller's process.
    pub const CURRENT_PROCESS: Self = Self(u64::MAX);
    /// The pseudo handle of the calling thread.
    pub const CURRENT_THREAD: Self = Self(u64::MAX - 1);
    /// No handle.
    pub const NULL: Self = Self(0);

    /// Whether there is no handle.
    #[inline]
    pub const fn is_null(self) -> bool {
        self.0 == 0
    }
}

impl Boolean {
    /// Whether it is anything but zero.
    #[inline]
    pub const fn is_true(self) -> bool {
        self.0 != 0
    }
}

impl From<bool> for Boolean {
    #[inline]
    fn from(value: bool) -> Self {
        Self(u8::from(value))
    }
}

impl ServiceArgument for NtStatus {
    const KIND: ArgumentKind = ArgumentKind::Status;

    #[inline]
    fn from_raw(raw: u64) -> Self {
        Self(low_32(raw))
    }

    #[inline]
    fn raw(&self) -> u64 {
        u64::from(self.0)
    }
}

impl Pointee for NtStatus {
    const NAME: &'static str = "NTSTATUS";
}

/// Makes a primitive number an argument.
macro_rules! primitives {
    ($($type:ty = $kind:ident, $nt_name:literal: |$raw:ident| $from:expr, |$value:ident| $into:expr;)*) => {$(
        impl ServiceArgument for $type {
            const KIND: ArgumentKind = ArgumentKind::$kind;

            #[inline]
            fn from_raw($raw: u64) -> Self {
                $from
            }

            #[inline]
            fn raw(&self) -> u64 {
                let $value = *self;
                $into
            }
        }

        impl Pointee for $type {
            const NAME: &'static str = $nt_name;
        }
    )*};
}

primitives! {
    u8 = Unsigned8, "UCHAR": |raw| raw.to_le_bytes()[0], |value| u64::from(value);
    u16 = Unsigned16, "USHORT": |raw| low_16(raw), |value| u64::from(value);
    u32 = Unsigned32, "ULONG": |raw| low_32(raw), |value| u64::from(value);
    i32 = Signed32, "LONG": |raw| low_32(raw).cast_signed(), |value| i64::from(value).cast_unsigned();
    u64 = Unsigned64, "ULONGLONG": |raw| raw, |value| value;
}

impl Pointee for i64 {
    const NAME: &'static str = "LARGE_INTEGER";
}

/// What a pointer points to, as a type.
pub trait Shape {
    /// The same, as a value.
    const TARGET: Target;
}

/// Which way data flows, as a type.
pub trait Flow {
    /// The same, as a value.
    const DIRECTION: Direction;
}

/// Whether a pointer may be null, as a type.
pub trait Presence {
    /// The same, as a value.
    const OPTIONAL: bool;
}

/// Where a length is, as a type.
pub trait LengthPlace {
    /// The same, as a value.
    const LENGTH: Length;
}

/// Declares types without values that stand for one value of a trait.
macro_rules! marks {
    ($($(#[$doc:meta])* $name:ident: $trait:ident { $constant:ident: $type:ty = $value:expr }; )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl $trait for $name {
            const $constant: $type = $value;
        }
    )*};
}

marks! {
    /// The service reads through the pointer.
    Reads: Flow { DIRECTION: Direction = Direction::In };
    /// The service writes through the pointer.
    Writes: Flow { DIRECTION: Direction = Direction::Out };
    /// The service reads and then writes through the pointer.
    Updates: Flow { DIRECTION: Direction = Direction::InOut };
    /// Null is an error.
    Required: Presence { OPTIONAL: bool = false };
    /// Null means that the caller does without.
    Optional: Presence { OPTIONAL: bool = true };
    /// The length is the argument after the pointer.
    After: LengthPlace { LENGTH: Length = Length::Next };
    /// The length is the argument before the pointer.
    Before: LengthPlace { LENGTH: Length = Length::Previous };
    /// The length is where the service's documentation says.
    Elsewhere: LengthPlace { LENGTH: Length = Length::Elsewhere };
}

/// One `T`.
pub struct One<T>(PhantomData<T>);

/// As many `T` as another argument says.
pub struct Array<T, L>(PhantomData<(T, L)>);

/// As many bytes as another argument says.
pub struct Bytes<L>(PhantomData<L>);

impl<T: Pointee> Shape for One<T> {
    const TARGET: Target = Target::One(T::NAME);
}

impl<T: Pointee, L: LengthPlace> Shape for Array<T, L> {
    const TARGET: Target = Target::Array(T::NAME, L::LENGTH);
}

impl<L: LengthPlace> Shape for Bytes<L> {
    const TARGET: Target = Target::Bytes(L::LENGTH);
}

/// A pointer from user mode, not looked at yet.
#[repr(transparent)]
pub struct UserPointer<S, F, P> {
    address: u64,
    marks: PhantomData<(S, F, P)>,
}

impl<S, F, P> UserPointer<S, F, P> {
    /// A pointer to an address.
    #[inline]
    pub const fn new(address: u64) -> Self {
        Self {
            address,
            marks: PhantomData,
        }
    }

    /// The address as user mode gave it.
    #[inline]
    pub const fn address(self) -> u64 {
        self.address
    }

    /// Whether it is the null pointer.
    #[inline]
    pub const fn is_null(self) -> bool {
        self.address == 0
    }
}

// Derived implementations would ask the marks for what only the address needs.
impl<S, F, P> Clone for UserPointer<S, F, P> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<S, F, P> Copy for UserPointer<S, F, P> {}

impl<S, F, P> core::fmt::Debug for UserPointer<S, F, P> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:#x}", self.address)
    }
}

impl<S: Shape, F: Flow, P: Presence> ServiceArgument for UserPointer<S, F, P> {
    const KIND: ArgumentKind = ArgumentKind::Pointer {
        direction: F::DIRECTION,
        optional: P::OPTIONAL,
        target: S::TARGET,
    };

    #[inline]
    fn from_raw(raw: u64) -> Self {
        Self::new(raw)
    }

    #[inline]
    fn raw(&self) -> u64 {
        self.address
    }
}

/// The service reads one `T`.
pub type In<T> = UserPointer<One<T>, Reads, Required>;
/// The service writes one `T`.
pub type Out<T> = UserPointer<One<T>, Writes, Required>;
/// The service reads one `T` and writes it back changed.
pub type InOut<T> = UserPointer<One<T>, Updates, Required>;
/// The service reads one `T`, if there is one.
pub type OptionalIn<T> = UserPointer<One<T>, Reads, Optional>;
/// The service writes one `T`, if there is room for it.
pub type OptionalOut<T> = UserPointer<One<T>, Writes, Optional>;
/// The service reads one `T` and writes it back changed, if there is one.
pub type OptionalInOut<T> = UserPointer<One<T>, Updates, Optional>;

/// The service reads several `T`.
pub type InArray<T, L = After> = UserPointer<Array<T, L>, Reads, Required>;
/// The service writes several `T`.
pub type OutArray<T, L = After> = UserPointer<Array<T, L>, Writes, Required>;
/// The service reads several `T` and writes them back changed.
pub type InOutArray<T, L = After> = UserPointer<Array<T, L>, Updates, Required>;
/// The service reads several `T`, if there are any.
pub type OptionalInArray<T, L = After> = UserPointer<Array<T, L>, Reads, Optional>;
/// The service writes several `T`, if there is room for them.
pub type OptionalOutArray<T, L = After> = UserPointer<Array<T, L>, Writes, Optional>;
/// The service reads several `T` and writes them back changed, if there are any.
pub type OptionalInOutArray<T, L = After> = UserPointer<Array<T, L>, Updates, Optional>;

/// The service reads bytes.
pub type InBytes<L = After> = UserPointer<Bytes<L>, Reads, Required>;
/// The service writes bytes.
pub type OutBytes<L = After> = UserPointer<Bytes<L>, Writes, Required>;
/// The service reads bytes and writes them back changed.
pub type InOutBytes<L = After> = UserPointer<Bytes<L>, Updates, Required>;
/// The service reads bytes, if there are any.
pub type OptionalInBytes<L = After> = UserPointer<Bytes<L>, Reads, Optional>;
/// The service writes bytes, if there is room for them.
pub type OptionalOutBytes<L = After> = UserPointer<Bytes<L>, Writes, Optional>;
/// The service reads bytes and writes them back changed, if there are any.
pub type OptionalInOutBytes<L = After> = UserPointer<Bytes<L>, Updates, Optional>;
