//! Arguments of system services, without ceremony.
//!
//! The table of services types its arguments for the kernel, to which each is an allegation. Who calls a service has
//! pointers and numbers: whatever is [`Passed`] for an argument becomes it. The functions themselves are made from the
//! table by those who have a way into the kernel: `stubs`, which is that way, and `ntdll-imports`.

use nt_abi::services::arguments::{
    AccessMask, Array, Boolean, Bytes, Handle, One, Reads, ServiceArgument, Size, UserAddress,
    UserPointer,
};

use crate::Ptr;

/// An address, good or bad, where a service wants a pointer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Address(pub u64);

/// No pointer.
pub const NULL: Address = Address(0);

/// What can stand for an argument of type `T`.
pub trait Passed<T> {
    /// The argument.
    fn argument(self) -> T;
}

impl<T: ServiceArgument> Passed<T> for T {
    fn argument(self) -> T {
        self
    }
}

impl<S, F, P> Passed<UserPointer<S, F, P>> for Address {
    fn argument(self) -> UserPointer<S, F, P> {
        UserPointer::new(self.0)
    }
}

/// Where something is, told in a way that lets the kernel change it behind the compiler's back.
pub fn address_of<X: ?Sized>(value: &mut X) -> u64 {
    core::ptr::from_mut(value).cast::<()>().expose_provenance() as u64
}

fn address_of_shared<X: ?Sized>(value: &X) -> u64 {
    core::ptr::from_ref(value).cast::<()>().expose_provenance() as u64
}

impl<S, F, P, T> Passed<UserPointer<S, F, P>> for Ptr<T> {
    fn argument(self) -> UserPointer<S, F, P> {
        UserPointer::new(self.address() as u64)
    }
}

impl<T> Passed<UserAddress> for Ptr<T> {
    fn argument(self) -> UserAddress {
        UserAddress(self.address() as u64)
    }
}

impl<S, F, P, X: ?Sized> Passed<UserPointer<S, F, P>> for &mut X {
    fn argument(self) -> UserPointer<S, F, P> {
        UserPointer::new(address_of(self))
    }
}

macro_rules! read_through_references {
    ($($shape:ident<$($mark:ident),*>;)*) => {$(
        impl<$($mark,)* P, X: ?Sized> Passed<UserPointer<$shape<$($mark),*>, Reads, P>> for &X {
            fn argument(self) -> UserPointer<$shape<$($mark),*>, Reads, P> {
                UserPointer::new(address_of_shared(self))
            }
        }
    )*};
}

read_through_references! {
    One<T>;
    Array<T, L>;
    Bytes<L>;
}

/// What stands for an argument because it is the same number.
macro_rules! numbers {
    ($($from:ty => $to:ty: |$value:ident| $argument:expr;)*) => {$(
        impl Passed<$to> for $from {
            fn argument(self) -> $to {
                let $value = self;
                $argument
            }
        }
    )*};
}

numbers! {
    u64 => Handle: |value| Handle(value);
    u64 => Size: |value| Size(value);
    usize => Size: |value| Size(value as u64);
    u64 => UserAddress: |value| UserAddress(value);
    bool => Boolean: |value| Boolean::from(value);
    nt_abi::access::AccessMask => AccessMask: |value| AccessMask(value.0);
}
