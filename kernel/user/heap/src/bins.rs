//! Bins: free blocks by size, each bin a list with two ends.
//!
//! A block is sought in the bin of its size, where the best of a few is taken, then in the next bin that is not empty, where
//! each one fits.

use crate::Pages;
use crate::block::{Block, FreeBlock, LEAST, State, granules};
use crate::errors::{CorruptionKind, Done, damage};
use crate::header::Core;
use crate::segment::Segment;
use crate::sizes::{BINS, PAGE, PAGE_SHIFT, bin_of, up};

/// How many blocks of a bin are looked at for the best one, where not each one fits.
const TRIES: usize = 2;

/// What is wanted of the back end.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    /// The size with header, in bytes, aligned.
    pub(crate) size: usize,
    /// The bytes that the program asked for.
    pub(crate) requested: usize,
    /// What the block will be.
    pub(crate) state: State,
    /// Its flags.
    pub(crate) flags: u8,
    /// Whether what is behind the header begins at a page boundary.
    pub(crate) at_page: bool,
}

/// A free block that fits, and how many of its bytes come before the ones that are taken.
pub(crate) struct Fit {
    pub(crate) free: FreeBlock,
    pub(crate) lead: usize,
}

impl Wanted {
    fn fits(&self, free: &FreeBlock) -> Option<usize> {
        let block = &free.block;
        let mut lead = 0;
        if self.at_page {
            lead = up(block.data(), PAGE) - block.data();
            if lead != 0 && lead < LEAST {
                lead += PAGE;
            }
        }
        (lead.checked_add(self.size)? <= block.size).then_some(lead)
    }
}

impl<P: Pages> Core<'_, P> {
    /// The first bin from this one on that has blocks.
    fn next_bin(self, from: usize) -> Option<usize> {
        let bits = self.header.bin_bits();
        let mut word = from / 32;
        let mut mask = u32::MAX << (from % 32);
        while word * 32 < BINS {
            let found = bits.item(word).get() & mask;
            if found != 0 {
                let bin = word * 32 + found.trailing_zeros() as usize;
                return (bin < BINS).then_some(bin);
            }
            word += 1;
            mask = u32::MAX;
        }
        None
    }

    /// A free block that fits, if there is one. It stays in its bin.
    pub(crate) fn find(self, wanted: &Wanted) -> Done<Option<Fit>> {
        let first = bin_of(granules(wanted.size));
        let mut from = first;
        while let Some(bin) = self.next_bin(from) {
            let place = self.header.bins().item(bin);
            let head = place.get();
            let tries = if bin == first || wanted.at_page {
                TRIES
            } else {
                1
            };
            match self.find_in(head, tries, wanted) {
                Ok(None) if head != 0 => from = bin + 1,
                Ok(None) => {
                    self.drop_bin(bin);
                    return Err(damage(CorruptionKind::HeapHeader, place.address()));
                }
                Err(fault) => {
                    self.drop_bin(bin);
                    return Err(fault);
                }
                found => return found,
            }
        }
        Ok(None)
    }

    /// The best of the first blocks of a bin.
    fn find_in(self, head: usize, tries: usize, wanted: &Wanted) -> Done<Option<Fit>> {
        let mut best: Option<Fit> = None;
        if head == 0 {
            return Ok(best);
        }
        let mut at = head;
        let segment = self.own_segment(at, CorruptionKind::FreeList)?;
        for _ in 0..tries {
            let free = self.linked(&segment, at)?;
            if let Some(lead) = wanted.fits(&free)
                && best
                    .as_ref()
                    .is_none_or(|best| free.block.size < best.free.block.size)
            {
                best = Some(Fit { free, lead });
            }
            at = free.next;
            if at == 0 || free.block.size == wanted.size {
                break;
            }
        }
        Ok(best)
    }

    /// One of the largest free blocks that have so many bytes in committed pages, of the first few of each bin.
    pub(crate) fn largest_with_pages(
        self,
        near: &Segment,
        least: usize,
    ) -> Done<Option<FreeBlock>> {
        let smallest = bin_of(granules(least.min(PAGE)));
        for bin in (smallest..BINS).rev() {
            let mut at = self.header.bins().item(bin).get();
            let mut tries = TRIES;
            while at != 0 && tries != 0 {
                let free = self.linked(near, at)?;
                if free.pages != 0 && free.pages << PAGE_SHIFT >= least {
                    return Ok(Some(free));
                }
                at = free.next;
                tries -= 1;
            }
        }
        Ok(None)
    }

    /// Forgets a bin's blocks, one of which is damaged: that is told once, and does not stand in the way of all that a
    /// program allocates from then on.
    #[cold]
    fn drop_bin(self, bin: usize) {
        self.header.bins().item(bin).set(0);
        let bits = self.header.bin_bits().item(bin / 32);
        bits.set(bits.get() & !(1 << (bin % 32)));
    }

    /// Makes a block of a segment free and puts it into its bin.
    pub(crate) fn insert(self, segment: &Segment, block: Block, pages: usize) -> Done<FreeBlock> {
        let bin = bin_of(granules(block.size));
        let place = self.header.bins().item(bin);
        let head = place.get();
        let free = FreeBlock {
            block,
            next: head,
            previous: 0,
            pages,
        };
        if head != 0 {
            let old = self.linked(segment, head)?;
            self.set_links(&FreeBlock {
                previous: block.at,
                ..old
            });
        }
        self.set_block(&block);
        self.set_links(&free);
        place.set(block.at);
        let bits = self.header.bin_bits().item(bin / 32);
        bits.set(bits.get() | 1 << (bin % 32));
        self.add_idle(pages);
        Ok(free)
    }

    /// Takes a free block of a segment out of its bin. Its header stays as it is.
    ///
    /// # Errors
    /// Damage, also if its neighbours in the bin do not link back to it. Nothing was changed then.
    pub(crate) fn unlink(self, segment: &Segment, free: &FreeBlock) -> Done {
        let wrong = || damage(CorruptionKind::FreeList, free.block.at);
        let next = match free.next {
            0 => None,
            at => Some(self.linked(segment, at)?),
        };
        if next.is_some_and(|next| next.previous != free.block.at) {
            return Err(wrong());
        }
        if free.previous != 0 {
            let previous = self.linked(segment, free.previous)?;
            if previous.next != free.block.at {
                return Err(wrong());
            }
            self.set_links(&FreeBlock {
                next: free.next,
                ..previous
            });
        } else {
            let bin = bin_of(granules(free.block.size));
            let place = self.header.bins().item(bin);
            if place.get() != free.block.at {
                return Err(wrong());
            }
            place.set(free.next);
            if free.next == 0 {
                let bits = self.header.bin_bits().item(bin / 32);
                bits.set(bits.get() & !(1 << (bin % 32)));
            }
        }
        if let Some(next) = next {
            self.set_links(&FreeBlock {
                previous: free.previous,
                ..next
            });
        }
        self.add_idle(free.pages.wrapping_neg());
        Ok(())
    }

    /// Counts committed pages inside of free blocks.
    pub(crate) fn add_idle(self, pages: usize) {
        let idle = self.header.idle();
        idle.set(idle.get().wrapping_add(pages));
    }
}
