//! C's `errno`.
//!
//! # Differs
//! There is one for the whole process, as ntdll has no place for one of each thread.

use core::sync::atomic::{AtomicI32, Ordering};

use c_interface::{Ptr, exports};

static ERRNO: AtomicI32 = AtomicI32::new(0);

/// What went wrong, as C counts it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub(crate) enum Errno {
    /// `EINVAL`: an argument is not valid.
    Invalid = 22,
    /// `ERANGE`: a result does not fit.
    Range = 34,
    /// `STRUNCATE`: text was cut, as asked.
    Truncated = 80,
}

impl Errno {
    /// Tells C code what went wrong, and gives it as the result of functions that return it.
    pub(crate) fn report(self) -> i32 {
        ERRNO.store(self as i32, Ordering::Relaxed);
        self as i32
    }
}

exports! {
    /// Where `errno` is.
    cdecl fn _errno() -> Ptr<i32> {
        Ptr::of_shared(&ERRNO).cast()
    }
}
