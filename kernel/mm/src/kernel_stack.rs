//! Kernel stacks, each between two pages that stay unmapped.
//!
//! A stack that grows too far touches the page below it and faults at once,
//! instead of writing over whatever is there. Slots of one size make the address
//! of a slot a matter of its index.
//!
//! Threads come and go, and to map and unmap a stack costs more than all else of
//! it: every processor must forget the old pages. So some stacks of threads that
//! ended are kept for the next ones.

use arch::contract::{PAGE_SIZE, Protection, VirtAddr, VirtRange};
use arch::memory::{KernelMapping, MapError, StackTop, layout};
use ke::thread::StackSource;
use ke::{LockOrder, SpinLock};
use nt_abi::{NtResult, NtStatus};
use rtl::Bitmap;

use crate::{commit, frames};

/// Pages of a stack: 24 KiB, as NT has on 64-bit machines.
const STACK_PAGES: u64 = 6;
/// Pages of a slot: the stack and the page below; the next slot's lowest page is the one above.
const SLOT_PAGES: u64 = STACK_PAGES + 1;
/// Stacks that there can be. More need a larger bitmap, nothing else.
const SLOTS: usize = 32_768;

struct Slots {
    words: [u64; Bitmap::words_for(SLOTS)],
}

static SLOTS_IN_USE: SpinLock<Slots> = SpinLock::ordered(
    Slots {
        words: [0; Bitmap::words_for(SLOTS)],
    },
    LockOrder::STACKS,
);

impl Slots {
    fn take(&mut self) -> Option<usize> {
        let (index, word) = self
            .words
            .iter_mut()
            .enumerate()
            .find(|(_, word)| **word != u64::MAX)?;
        let bit = word.trailing_ones();
        *word |= 1 << bit;
        Some(index * 64 + bit as usize)
    }

    fn give_back(&mut self, slot: usize) {
        self.words[slot / 64] &= !(1 << (slot % 64));
    }
}

/// A stack for code in kernel mode.
#[derive(Debug)]
pub struct KernelStack {
    slot: usize,
    mapping: Option<KernelMapping>,
}

impl KernelStack {
    /// Makes a stack of 24 KiB.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES` if no memory or no slot is left, or all memory is promised.
    #[doc(alias = "MmCreateKernelStack")]
    pub fn create() -> NtResult<Self> {
        // What user mode was promised is not taken for stacks.
        commit::could_charge_kernel(STACK_PAGES).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        let slot = SLOTS_IN_USE
            .acquire()
            .take()
            .ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
        match KernelMapping::create(
            stack_range(slot),
            Protection::ReadWrite,
            &mut *frames::lock(),
        ) {
            Ok(mapping) => Ok(Self {
                slot,
                mapping: Some(mapping),
            }),
            Err(error) => {
                // An occupied slot is one whose bit is wrong: it stays set, so that nobody meets it again.
                if error != MapError::Occupied {
                    SLOTS_IN_USE.acquire().give_back(slot);
                }
                Err(NtStatus::INSUFFICIENT_RESOURCES)
            }
        }
    }

    /// The addresses of the stack, its guard pages not included.
    pub fn range(&self) -> VirtRange {
        stack_range(self.slot)
    }

    /// Where a stack pointer starts.
    pub fn top(&self) -> VirtAddr {
        self.range().end
    }

    /// Gives the stack up for good: that of a processor. `None` never comes: a stack has its mapping until it is dropped.
    pub fn keep(mut self) -> Option<StackTop> {
        self.mapping.take().map(KernelMapping::into_stack)
    }

    /// Gives the mapping away, to a thread's context. `None` never comes, as for [`keep`](Self::keep).
    pub fn into_mapping(mut self) -> Option<KernelMapping> {
        self.mapping.take()
    }

    /// Makes the stack again from the mapping that a context gave back.
    ///
    /// # Errors
    /// The mapping, if it is none of a stack.
    pub fn from_mapping(mapping: KernelMapping) -> Result<Self, KernelMapping> {
        let offset = mapping.range().start.0.wrapping_sub(layout::STACKS.start.0);
        let slot = usize::try_from(offset / (SLOT_PAGES * PAGE_SIZE)).unwrap_or(usize::MAX);
        if slot < SLOTS && stack_range(slot) == mapping.range() {
            Ok(Self {
                slot,
                mapping: Some(mapping),
            })
        } else {
            Err(mapping)
        }
    }
}

/// Stacks that are kept.
const KEPT: usize = 32;

struct Cache {
    stacks: [Option<KernelMapping>; KEPT],
    count: usize,
}

static CACHE: SpinLock<Cache> = SpinLock::new(Cache {
    stacks: [const { None }; KEPT],
    count: 0,
});

/// Makes this crate the source of threads' stacks.
pub(crate) fn register() {
    ke::thread::set_stack_source(StackSource {
        make: stack_for_thread,
        take_back: stack_of_thread,
    });
}

/// A stack for a thread: one that is kept, or a new one. What its last thread left there is still there.
fn stack_for_thread() -> NtResult<KernelMapping> {
    let kept = {
        let mut cache = CACHE.acquire();
        cache.count = cache.count.saturating_sub(1);
        let last = cache.count;
        cache.stacks[last].take()
    };
    if let Some(mapping) = kept {
        return Ok(mapping);
    }
    let mapping = KernelStack::create()?.mapping.take();
    // A stack has its mapping until it is dropped.
    mapping.ok_or(NtStatus::INSUFFICIENT_RESOURCES)
}

/// A thread's stack is no longer used.
fn stack_of_thread(mapping: KernelMapping) {
    let refused = {
        let mut cache = CACHE.acquire();
        let count = cache.count;
        match cache.stacks.get_mut(count) {
            Some(place) => {
                let before = place.replace(mapping);
                cache.count += 1;
                before
            }
            None => Some(mapping),
        }
    };
    if let Some(mapping) = refused {
        drop(KernelStack::from_mapping(mapping));
    }
}

impl Drop for KernelStack {
    #[doc(alias = "MmDeleteKernelStack")]
    fn drop(&mut self) {
        if let Some(mapping) = self.mapping.take() {
            mapping.destroy(&mut *frames::lock());
            SLOTS_IN_USE.acquire().give_back(self.slot);
        }
    }
}

fn stack_range(slot: usize) -> VirtRange {
    let start = layout::STACKS.start.0 + (slot as u64 * SLOT_PAGES + 1) * PAGE_SIZE;
    VirtRange::of_pages(VirtAddr(start), STACK_PAGES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::boot;

    fn mapped_stack_pages() -> u64 {
        let mut pages = 0;
        arch::memory::kernel_leaves(&mut |leaf| {
            if layout::STACKS.contains(leaf.address) {
                assert_eq!(leaf.protection, Protection::ReadWrite);
                pages += leaf.length / PAGE_SIZE;
            }
        });
        pages
    }

    #[test]
    fn threads_stacks_are_used_again() {
        let _machine = boot();
        let one = stack_for_thread().expect("there is memory");
        let range = one.range();
        stack_of_thread(one);
        let again = stack_for_thread().expect("there is memory");
        assert_eq!(again.range(), range);
        stack_of_thread(again);
        let many: std::vec::Vec<_> = (0..KEPT + 3)
            .map(|_| stack_for_thread().expect("there is memory"))
            .collect();
        let used = frames::counts().free;
        many.into_iter().for_each(stack_of_thread);
        assert_eq!(
            frames::counts().free - used,
            3 * STACK_PAGES,
            "all but the kept ones went back"
        );
        while CACHE.acquire().count > 0 {
            let mapping = stack_for_thread().expect("it is kept");
            drop(KernelStack::from_mapping(mapping).expect("it is a stack's"));
        }
    }

    #[test]
    fn stacks_have_unmapped_pages_on_both_sides_and_give_all_back() {
        let _machine = boot();
        let before_pages = mapped_stack_pages();
        // The first stack pays for page tables, which stay.
        drop(KernelStack::create().expect("there is memory"));
        let before = frames::counts();
        {
            let one = KernelStack::create().expect("there is memory");
            let two = KernelStack::create().expect("there is memory");
            assert_eq!(mapped_stack_pages(), before_pages + 2 * STACK_PAGES);
            assert_eq!(one.range().length(), 24 * 1024);
            assert!(
                two.range().start.0 >= one.range().end.0 + PAGE_SIZE,
                "a page is between them"
            );
            let mut neighbours = 0;
            arch::memory::kernel_leaves(&mut |leaf| {
                if leaf.address.0 == one.range().start.0 - PAGE_SIZE
                    || leaf.address == one.range().end
                {
                    neighbours += 1;
                }
            });
            assert_eq!(neighbours, 0, "the pages next to a stack are not mapped");
        }
        assert_eq!(mapped_stack_pages(), before_pages);
        assert_eq!(frames::counts(), before);
    }
}
