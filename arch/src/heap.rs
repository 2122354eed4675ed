//! The global allocator: what the pools of `ex` draw from.
//!
//! `talc` manages memory that the heap already has, under a floor lock. When
//! that is used up the heap asks `mm`, through [`set_growth`], for more mapped
//! pages, with the lock free: `mm` takes its own. A request above
//! [`Irql::Dispatch`] or with interrupts off never grows the heap: `mm` works at
//! that level, and who waits for its lock must be able to answer other processors.
//! A request that cannot be met gets a null pointer, which `try_reserve` and the
//! pools turn into a status.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicU64, Ordering};

use talc::DefaultBinning;
use talc::base::Talc;
use talc::source::Manual;

use crate::Machine;
use crate::contract::{Irql, Processor};
use crate::lock::FloorLock;
use crate::memory::KernelMapping;

/// Gives at least that many bytes of fresh memory, or `None`.
pub type Growth = fn(bytes: u64) -> Option<KernelMapping>;

struct KernelHeap {
    talc: FloorLock<Talc<Manual, DefaultBinning>>,
}

#[global_allocator]
static HEAP: KernelHeap = KernelHeap {
    talc: FloorLock::new(Talc::new(Manual)),
};

static GROWTH: spin::Once<Growth> = spin::Once::new();
static CLAIMED: AtomicU64 = AtomicU64::new(0);

/// Tells the heap whom to ask for memory. The first call counts.
pub fn set_growth(growth: Growth) {
    GROWTH.call_once(|| growth);
}

/// Bytes that the heap has been given.
pub fn claimed_bytes() -> u64 {
    CLAIMED.load(Ordering::Relaxed)
}

impl KernelHeap {
    fn try_allocate(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the layout has a size above zero, by the contract of GlobalAlloc::alloc.
        unsafe { self.talc.acquire().allocate(layout) }
            .map_or(null_mut(), |pointer| pointer.as_ptr())
    }

    fn grow(&self, layout: Layout) -> bool {
        /// For talc's own bookkeeping in a fresh area.
        const OVERHEAD: u64 = 4096;
        let Some(growth) = GROWTH.get() else {
            return false;
        };
        let enabled = Machine::disable_interrupts();
        Machine::restore_interrupts(enabled);
        if !enabled || Machine::irql() > Irql::Dispatch {
            return false;
        }
        let Some(wanted) = (layout.size() as u64).checked_add(layout.align() as u64 + OVERHEAD)
        else {
            return false;
        };
        let Some(mapping) = growth(wanted) else {
            return false;
        };
        let range = mapping.range();
        let Ok(length) = usize::try_from(range.length()) else {
            return false;
        };
        CLAIMED.fetch_add(range.length(), Ordering::Relaxed);
        // SAFETY: the mapping is writable memory that nobody else uses; it is given to the heap for good by not destroying it.
        unsafe { self.talc.acquire().claim(range.start.0 as *mut u8, length) }.is_some()
    }
}

// SAFETY: talc hands out disjoint, properly aligned blocks of memory that was claimed for it, under a lock that keeps every
// other processor and this one's interrupts out.
unsafe impl GlobalAlloc for KernelHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let pointer = self.try_allocate(layout);
        if pointer.is_null() && self.grow(layout) {
            return self.try_allocate(layout);
        }
        pointer
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from this heap with this layout, by the contract of GlobalAlloc::dealloc.
        unsafe { self.talc.acquire().deallocate(pointer, layout) }
    }
}
