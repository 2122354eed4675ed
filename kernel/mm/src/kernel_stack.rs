//! Kernel stacks, each between two pages that stay unmapped.
//!
//! A stack that grows too far touches the page below it and faults at once,
//! instead of writing over whatever is there. Slots of one size make the address
//! of a slot a matter of its index.

use arch::contract::{PAGE_SIZE, Protection, VirtAddr, VirtRange};
use arch::memory::{KernelMapping, MapError, StackTop, layout};
use ke::SpinLock;
use nt_abi::{NtResult, NtStatus};
use rtl::Bitmap;

use crate::frames;

/// Pages of a stack: 24 KiB, as NT has on 64-bit machines.
const STACK_PAGES: u64 = 6;
/// Pages of a slot: the stack and the page below; the next slot's lowest page is the one above.
const SLOT_PAGES: u64 = STACK_PAGES + 1;
/// Stacks that there can be. More need a larger bitmap, nothing else.
const SLOTS: usize = 8192;

struct Slots {
    words: [u64; Bitmap::words_for(SLOTS)],
}

static SLOTS_IN_USE: SpinLock<Slots> = SpinLock::new(Slots {
    words: [0; Bitmap::words_for(SLOTS)],
});

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
    /// `INSUFFICIENT_RESOURCES` if no memory or no slot is left.
    #[doc(alias = "MmCreateKernelStack")]
    pub fn create() -> NtResult<Self> {
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
    use arch::sim;

    use super::*;

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
    fn stacks_have_unmapped_pages_on_both_sides_and_give_all_back() {
        let _machine = sim::boot(1);
        let _ = frames::initialize();
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
