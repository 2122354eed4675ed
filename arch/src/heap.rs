//! The global allocator: what the pools of `ex` draw from.
//!
//! `talc` manages memory that the heap already has, under a floor lock. When
//! that is used up the heap asks `mm`, through [`set_growth`], for more mapped
//! pages, with the lock free: `mm` takes its own. A request above
//! [`Irql::Dispatch`] or with interrupts off never grows the heap: `mm` works at
//! that level, and who waits for its lock must be able to answer other processors.
//! A request that cannot be met gets a null pointer, which `try_reserve` and the
//! pools turn into a status.
//!
//! What the heap was given at one time is a **step**. A step in which nothing is in use any more is set aside: the
//! next growth takes it first, and `mm` may take it back ([`take_unused`]) when memory is wanted for something else.
//! Whoever frees memory only links the step into a list, because it may do so where nobody may wait for other
//! processors to forget a mapping. A step describes itself at its own start, so setting it aside needs no memory.

use core::alloc::{GlobalAlloc, Layout};
use core::mem::size_of;
use core::ptr::{NonNull, null_mut};

use talc::DefaultBinning;
use talc::base::Talc;
use talc::base::binning::Binning;
use talc::source::Source;

use crate::Machine;
use crate::contract::{Irql, PAGE_BYTES, Processor, VirtRange};
use crate::lock::FloorLock;
use crate::memory::KernelMapping;

/// Gives at least that many bytes of fresh memory, or `None`.
pub type Growth = fn(bytes: u64) -> Option<KernelMapping>;

/// What a step says of itself, at its start; the rest of it is the allocator's.
struct Step {
    mapping: KernelMapping,
    /// The next one that is set aside.
    next: Option<NonNull<Step>>,
}

/// The steps that are set aside.
#[derive(Debug)]
struct Unused {
    first: Option<NonNull<Step>>,
    /// How many bytes they have together.
    bytes: u64,
}

// SAFETY: the steps in the list belong to it alone; it is in the heap's lock.
unsafe impl Send for Unused {}

// SAFETY: `resize` gives back either end that it was given, both aligned; what is above the lower one is the step's, and
// the allocator does not touch it before it is claimed anew. Nothing here asks for memory.
unsafe impl Source for Unused {
    const TRACK_HEAP_END: bool = true;

    fn acquire<B: Binning>(_: &mut Talc<Self, B>, _: Layout) -> Result<(), ()> {
        // The heap grows with its lock free: see `KernelHeap::grow`.
        Err(())
    }

    unsafe fn resize(&mut self, free: *mut u8, end: *mut u8, is_whole_step: bool) -> *mut u8 {
        if !is_whole_step {
            return end;
        }
        // The allocator's part begins in the step's first page, behind what the step says of itself.
        let start = free.map_addr(|address| address & !(PAGE_BYTES - 1));
        if let Some(step) = NonNull::new(start.cast::<Step>()) {
            // SAFETY: `KernelHeap::claim` wrote a `Step` there, which stays until the step is given up.
            unsafe { (*step.as_ptr()).next = self.first };
            self.first = Some(step);
            // SAFETY: as above.
            self.bytes += unsafe { (*step.as_ptr()).mapping.range() }.length();
        }
        free
    }
}

impl Unused {
    /// Takes one of at least that many bytes, if it is among the first.
    fn take(&mut self, bytes: u64) -> Option<KernelMapping> {
        /// Interrupts are off meanwhile.
        const LOOKS: usize = 64;
        let mut before: Option<NonNull<Step>> = None;
        let mut next = self.first;
        for _ in 0..LOOKS {
            let step = next?;
            // SAFETY: each step in the list is a `Step` that nothing else refers to.
            let found = unsafe { step.as_ref() };
            let (range, following) = (found.mapping.range(), found.next);
            if range.length() >= bytes {
                match before {
                    None => self.first = following,
                    // SAFETY: as above.
                    Some(before) => unsafe { (*before.as_ptr()).next = following },
                }
                self.bytes -= range.length();
                // SAFETY: as above; out of the list it is nobody's, and is read once.
                return Some(unsafe { step.read() }.mapping);
            }
            before = next;
            next = following;
        }
        None
    }
}

struct KernelHeap {
    talc: FloorLock<Talc<Unused, DefaultBinning>>,
}

#[global_allocator]
static HEAP: KernelHeap = KernelHeap {
    talc: FloorLock::new(Talc::new(Unused {
        first: None,
        bytes: 0,
    })),
};

static GROWTH: spin::Once<Growth> = spin::Once::new();

/// Takes memory back in which nothing is in use, a step at a time; `None` if no more than `keep` bytes of it are left. Who
/// takes it destroys it, or it is lost.
pub fn take_unused(keep: u64) -> Option<KernelMapping> {
    let mut talc = HEAP.talc.acquire();
    if talc.source.bytes <= keep {
        return None;
    }
    talc.source.take(0)
}

/// Tells the heap whom to ask for memory. The first call counts.
pub fn set_growth(growth: Growth) {
    GROWTH.call_once(|| growth);
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
        let Some(wanted) = (layout.size() as u64).checked_add(layout.align() as u64 + OVERHEAD)
        else {
            return false;
        };
        if self.claim_unused(wanted) {
            return true;
        }
        let enabled = Machine::disable_interrupts();
        Machine::restore_interrupts(enabled);
        if !enabled || Machine::irql() > Irql::Dispatch {
            return false;
        }
        let Some(mapping) = growth(wanted) else {
            return false;
        };
        self.claim(&mut self.talc.acquire(), mapping)
    }

    /// Takes a step that is set aside into use again.
    fn claim_unused(&self, bytes: u64) -> bool {
        let mut talc = self.talc.acquire();
        match talc.source.take(bytes) {
            Some(mapping) => self.claim(&mut talc, mapping),
            None => false,
        }
    }

    fn claim(&self, talc: &mut Talc<Unused, DefaultBinning>, mapping: KernelMapping) -> bool {
        let VirtRange { start, end } = mapping.range();
        let step = start.0 as *mut Step;
        let next = None;
        // SAFETY: the mapping is writable memory of whole pages that nobody else uses.
        unsafe { step.write(Step { mapping, next }) };
        let base = step.wrapping_add(1).cast::<u8>();
        let Ok(length) = usize::try_from(end.0 - start.0) else {
            return false;
        };
        // SAFETY: it is that memory, but for what the step says of itself; the mapping is destroyed only after `resize` has
        // given the whole of it up.
        unsafe { talc.claim(base, length - size_of::<Step>()) }.is_some()
    }
}

// SAFETY: talc hands out disjoint, properly aligned blocks of memory that was claimed for it, under a lock that keeps every
// other processor and this one's interrupts out.
unsafe impl GlobalAlloc for KernelHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut pointer = self.try_allocate(layout);
        // Another processor may be faster and take what came: each turn brings more, or is the last.
        while pointer.is_null() && self.grow(layout) {
            pointer = self.try_allocate(layout);
        }
        pointer
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from this heap with this layout, by the contract of GlobalAlloc::dealloc.
        unsafe { self.talc.acquire().deallocate(pointer, layout) }
    }
}
