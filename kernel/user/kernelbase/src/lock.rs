//! A lock for what threads of the process share.

use core::sync::atomic::AtomicUsize;

use ntdll_imports::{RtlAcquireSRWLockExclusive, RtlReleaseSRWLockExclusive};

use crate::win::*;

/// One of ntdll's slim locks. What it protects lies elsewhere: in atomics, or in blocks of the heap.
#[derive(Debug, Default)]
pub struct SlimLock(AtomicUsize);

impl SlimLock {
    /// A lock that is free.
    pub(crate) const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    fn place(&self) -> Ptr<usize> {
        Ptr::of_shared(&self.0).cast()
    }

    /// Waits until the lock is free, and has it as long as the guard lives.
    pub(crate) fn acquire(&self) -> SlimGuard<'_> {
        RtlAcquireSRWLockExclusive(self.place());
        SlimGuard(self)
    }
}

/// Has a lock.
#[derive(Debug)]
pub struct SlimGuard<'a>(&'a SlimLock);

impl Drop for SlimGuard<'_> {
    fn drop(&mut self) {
        RtlReleaseSRWLockExclusive(self.0.place());
    }
}
