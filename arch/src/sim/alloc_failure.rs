//! A host heap that runs out when a test says so.
//!
//! A test binary installs [`FailingAllocator`] as its global allocator, arms it with
//! [`fail_after`], and runs code that must survive:
//!
//! ```ignore
//! #[global_allocator]
//! static HEAP: arch::sim::FailingAllocator = arch::sim::FailingAllocator;
//!
//! for successes in 0.. {
//!     alloc_failure::fail_after(successes);
//!     let result = code_that_allocates();
//!     if alloc_failure::never() == 0 {
//!         break; // it got all the memory that it asked for
//!     }
//!     assert_eq!(result, Err(NtStatus::INSUFFICIENT_RESOURCES));
//! }
//! ```
//!
//! What is armed is the calling host thread alone, which is the machine's when it
//! is on; other tests run on. The simulated machine's own allocations never fail, and
//! a panic disarms.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::null_mut;

/// The host's allocator, which fails when it is armed.
pub struct FailingAllocator;

thread_local! {
    /// How many allocations still succeed; `None` when not armed. Without a destructor, so usable as long as the thread lives.
    static LEFT: Cell<Option<u64>> = const { Cell::new(None) };
    static FAILED: Cell<u64> = const { Cell::new(0) };
    /// How deep the thread is in the machine's own code.
    static EXEMPT: Cell<u32> = const { Cell::new(0) };
}

/// Lets the next `successes` allocations of this host thread succeed, and those after them fail.
pub fn fail_after(successes: u64) {
    FAILED.set(0);
    LEFT.set(Some(successes));
}

/// Lets allocations succeed again; gives how many failed since [`fail_after`].
pub fn never() -> u64 {
    LEFT.set(None);
    FAILED.replace(0)
}

/// While it lives, this host thread's allocations do not count.
pub(super) struct Exempt;

pub(super) fn exempt() -> Exempt {
    EXEMPT.set(EXEMPT.get() + 1);
    Exempt
}

impl Drop for Exempt {
    fn drop(&mut self) {
        EXEMPT.set(EXEMPT.get() - 1);
    }
}

fn may_succeed() -> bool {
    let Some(left) = LEFT.get() else {
        return true;
    };
    if EXEMPT.get() > 0 {
        return true;
    }
    if super::ending::is_unwinding() {
        // The test is over, or catches the panic and looks at it.
        LEFT.set(None);
        return true;
    }
    if left == 0 {
        FAILED.set(FAILED.get() + 1);
        return false;
    }
    LEFT.set(Some(left - 1));
    true
}

// SAFETY: what it gives is what `System` gives, or null.
unsafe impl GlobalAlloc for FailingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !may_succeed() {
            return null_mut();
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !may_succeed() {
            return null_mut();
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !may_succeed() {
            return null_mut();
        }
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
