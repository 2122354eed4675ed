//! Functions that C code wants called: callbacks, entry points, handlers.

use core::marker::PhantomData;

/// The address of a function of type `F`, such as `Function<fn(u32, usize) -> u32>`: `WINAPI`, with those arguments.
///
/// It has the size of a pointer, so it can stand where a function or a structure of C has one.
#[repr(transparent)]
pub struct Function<F> {
    address: usize,
    of: PhantomData<F>,
}

impl<F> Clone for Function<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Function<F> {}

impl<F> Default for Function<F> {
    fn default() -> Self {
        Self::new(0)
    }
}

impl<F> core::fmt::Debug for Function<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:#x}", self.address)
    }
}

impl<F> PartialEq for Function<F> {
    fn eq(&self, other: &Self) -> bool {
        self.address == other.address
    }
}

impl<F> Eq for Function<F> {}

impl<F> Function<F> {
    /// The function at an address.
    pub const fn new(address: usize) -> Self {
        Self {
            address,
            of: PhantomData,
        }
    }

    /// Its address.
    pub const fn address(self) -> usize {
        self.address
    }

    /// Whether it is none.
    pub const fn is_null(self) -> bool {
        self.address == 0
    }

    /// Itself; `None` if there is none.
    pub const fn non_null(self) -> Option<Self> {
        if self.is_null() { None } else { Some(self) }
    }
}

macro_rules! callable {
    ($($($argument:ident: $kind:ident),*;)*) => {$(
        impl<R $(, $kind)*> Function<fn($($kind),*) -> R> {
            /// Calls it.
            ///
            /// What the caller answers for: that C code named it for this purpose, with these arguments.
            #[inline]
            #[allow(clippy::too_many_arguments, reason = "as many as C code wants")]
            pub fn call(self $(, $argument: $kind)*) -> R {
                let place = core::ptr::with_exposed_provenance::<()>(self.address);
                // SAFETY: the argument of this crate, for functions: an address that C code handed in for that is such a
                // function. A null pointer faults at address 0, as it does on Windows, but is no function for Rust.
                let function = unsafe {
                    core::mem::transmute::<*const (), extern "system" fn($($kind),*) -> R>(place)
                };
                function($($argument),*)
            }

            /// Calls it as a function of C's own, which on x86 leaves its arguments to the caller: what `qsort` is given.
            ///
            /// What the caller answers for: as for [`call`](Self::call).
            #[inline]
            #[allow(clippy::too_many_arguments, reason = "as many as C code wants")]
            pub fn call_cdecl(self $(, $argument: $kind)*) -> R {
                let place = core::ptr::with_exposed_provenance::<()>(self.address);
                // SAFETY: as in `call`.
                let function = unsafe {
                    core::mem::transmute::<*const (), extern "C" fn($($kind),*) -> R>(place)
                };
                function($($argument),*)
            }
        }
    )*};
}

callable! {
    ;
    a: A;
    a: A, b: B;
    a: A, b: B, c: C;
    a: A, b: B, c: C, d: D;
    a: A, b: B, c: C, d: D, e: E;
    a: A, b: B, c: C, d: D, e: E, f: G;
}

#[cfg(test)]
mod tests {
    use super::*;

    extern "system" fn sum(left: u32, right: u64) -> u64 {
        u64::from(left) + right
    }

    #[test]
    fn functions_are_called_with_their_arguments() {
        let function = Function::<fn(u32, u64) -> u64>::new(sum as *const () as usize);
        assert_eq!(function.call(3, 1 << 40), (1 << 40) + 3);
    }
}
