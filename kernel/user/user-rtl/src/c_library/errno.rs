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
    /// `EILSEQ`: text is not well formed.
    IllegalSequence = 42,
    /// `STRUNCATE`: text was cut, as asked.
    Truncated = 80,
}

impl Errno {
    /// As C code sees it.
    pub(crate) const fn number(self) -> i32 {
        self as i32
    }
}

/// Tells C code what went wrong.
pub(crate) fn set(errno: Errno) {
    ERRNO.store(errno.number(), Ordering::Relaxed);
}

exports! {
    /// Where `errno` is.
    cdecl fn _errno() -> Ptr<i32> {
        Ptr::of_shared(&ERRNO).cast()
    }
}
