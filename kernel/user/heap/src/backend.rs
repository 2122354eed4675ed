//! The back end: blocks of any size in segments, taken from and given back to bins of free blocks.
//!
//! A segment is tiled with blocks from its first to its end. What was never used is a free block like others; its pages are
//! not committed. So growing into a segment, reusing a hole whose pages were given back and reusing a warm block are one
//! case: take from a free block, and commit of the part that is taken whatever has no pages. A free block knows how many
//! committed pages it has inside, and the heap how many all of them have, which decides when pages are given back.
//!
//! Free blocks that touch are one block, always. A block is sought in the bin of its size, where the best of a few is
//! taken, then in the next bin that is not empty, where each one fits.
//!
//! An operation first verifies everything that it is going to change, so that one that meets damage changes nothing.

use crate::Pages;
use crate::block::{Block, FreeBlock, LEAST, State, granules};
use crate::errors::{CorruptionKind, Done, Fault, damage};
use crate::header::Core;
use crate::segment::Segment;
use crate::sizes::{BINS, BLOCK_HEADER, PAGE, PAGE_SHIFT, bin_of, down, up};

/// How many blocks of a bin are looked at for the best one, where not each one fits.
const TRIES: usize = 8;
/// The most that is committed at once beyond what is needed, in bytes.
const MOST_AHEAD: usize = 0x4_0000;

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
struct Fit {
    segment: Segment,
    free: FreeBlock,
    lead: usize,
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
    /// Takes a block; gives where its header is.
    ///
    /// # Errors
    /// [`Fault::NoMemory`], and damage that was met on the way.
    pub(crate) fn take(self, wanted: &Wanted) -> Done<Block> {
        if let Some(fit) = self.find(wanted)? {
            return self.carve(fit, wanted);
        }
        let need = wanted.size + if wanted.at_page { PAGE + LEAST } else { 0 };
        let segment = self.new_segment(need)?;
        self.tile(&segment)?;
        match self.find(wanted)? {
            Some(fit) => self.carve(fit, wanted),
            None => Err(Fault::NoMemory),
        }
    }

    /// Makes all of a new segment one free block.
    pub(crate) fn tile(self, segment: &Segment) -> Done {
        let block = Block {
            at: segment.first,
            size: segment.end - segment.first,
            before: 0,
            state: State::Free,
            flags: 0,
            unused: 0,
        };
        let (from, to) = block.inside();
        let pages = self.count_committed(segment, from, to.min(from + 4 * PAGE))?;
        self.insert(block, pages)
    }

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

    fn find(self, wanted: &Wanted) -> Done<Option<Fit>> {
        let first = bin_of(granules(wanted.size));
        let mut from = first;
        while let Some(bin) = self.next_bin(from) {
            let place = self.header.bins().item(bin);
            let mut at = place.get();
            if at == 0 {
                return Err(damage(CorruptionKind::HeapHeader, place.address()));
            }
            let mut best: Option<Fit> = None;
            let mut tries = if bin == first || wanted.at_page {
                TRIES
            } else {
                1
            };
            while at != 0 && tries != 0 {
                let (segment, free) = self.linked(at)?;
                if let Some(lead) = wanted.fits(&free)
                    && best
                        .as_ref()
                        .is_none_or(|best| free.block.size < best.free.block.size)
                {
                    best = Some(Fit {
                        segment,
                        free,
                        lead,
                    });
                }
                at = free.next;
                tries -= 1;
            }
            if best.is_some() {
                return Ok(best);
            }
            from = bin + 1;
        }
        Ok(None)
    }

    /// Takes a part of a free block, which is divided into up to three blocks.
    fn carve(self, fit: Fit, wanted: &Wanted) -> Done<Block> {
        let Fit {
            mut segment,
            mut free,
            lead,
        } = fit;
        let whole = free.block;
        let next = self.after(&segment, &whole)?;
        self.verify_links(&free)?;
        let mut size = wanted.size;
        let mut rest = whole.size - lead - size;
        if rest < LEAST {
            size += rest;
            rest = 0;
        }
        let at = whole.at + lead;
        let end = at + size;

        let mut added = 0;
        let needed = if rest == 0 { end } else { end + LEAST };
        let ahead = (self.header.committed().get() / 8)
            .min(MOST_AHEAD)
            .max(self.header.segment_commit().get());
        let wish = needed.saturating_add(ahead).min(whole.inside().1);
        let committed = self.commit(&mut segment, at, needed, wish, &mut added);
        // Whether or not all of it succeeded, these pages are there.
        free.pages += added;
        self.set_links(&free);
        self.add_idle(added);
        committed?;

        self.unlink(&free)?;
        let lead_block = Block {
            size: lead,
            ..whole
        };
        let taken = Block {
            at,
            size,
            before: if lead == 0 { whole.before } else { lead },
            state: wanted.state,
            flags: wanted.flags,
            unused: u16::try_from(size - BLOCK_HEADER - wanted.requested).unwrap_or(u16::MAX),
        };
        let rest_block = Block {
            at: end,
            size: rest,
            before: size,
            ..whole
        };

        // The pages between the two remaining blocks are no longer inside of a free block.
        let (inside_from, inside_to) = whole.inside();
        let mut lead_pages = 0;
        let mut gone_from = inside_from;
        if lead != 0 {
            let (from, to) = lead_block.inside();
            lead_pages = self.count_committed(&segment, from, to)?;
            gone_from = to.max(inside_from);
        }
        let gone_to = if rest == 0 {
            inside_to
        } else {
            rest_block.inside().0.min(inside_to)
        };
        let gone = self.count_committed(&segment, gone_from, gone_to)?;
        let rest_pages = free.pages.saturating_sub(lead_pages + gone);

        self.set_block(&taken);
        if let Some(next) = next {
            self.set_block(&Block {
                before: if rest == 0 { size } else { rest },
                ..next
            });
        }
        if lead != 0 {
            self.insert(lead_block, lead_pages)?;
        }
        if rest != 0 {
            self.insert(rest_block, rest_pages)?;
        }
        Ok(taken)
    }

    fn add_idle(self, pages: usize) {
        let idle = self.header.idle();
        idle.set(idle.get().wrapping_add(pages));
    }

    /// Makes a block free and puts it into its bin.
    fn insert(self, block: Block, pages: usize) -> Done {
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
            let (_, old) = self.linked(head)?;
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
        Ok(())
    }

    /// Makes sure that a free block's neighbours in its bin link back to it.
    fn verify_links(self, free: &FreeBlock) -> Done {
        let wrong = || damage(CorruptionKind::FreeList, free.block.at);
        if free.next != 0 && self.linked(free.next)?.1.previous != free.block.at {
            return Err(wrong());
        }
        if free.previous != 0 {
            if self.linked(free.previous)?.1.next != free.block.at {
                return Err(wrong());
            }
        } else {
            let bin = bin_of(granules(free.block.size));
            if self.header.bins().item(bin).get() != free.block.at {
                return Err(wrong());
            }
        }
        Ok(())
    }

    /// Takes a free block out of its bin. Its header stays as it is.
    fn unlink(self, free: &FreeBlock) -> Done {
        self.verify_links(free)?;
        if free.next != 0 {
            let (_, next) = self.linked(free.next)?;
            self.set_links(&FreeBlock {
                previous: free.previous,
                ..next
            });
        }
        if free.previous != 0 {
            let (_, previous) = self.linked(free.previous)?;
            self.set_links(&FreeBlock {
                next: free.next,
                ..previous
            });
        } else {
            let bin = bin_of(granules(free.block.size));
            self.header.bins().item(bin).set(free.next);
            if free.next == 0 {
                let bits = self.header.bin_bits().item(bin / 32);
                bits.set(bits.get() & !(1 << (bin % 32)));
            }
        }
        self.add_idle(free.pages.wrapping_neg());
        Ok(())
    }

    fn if_free(self, segment: &Segment, block: Option<Block>) -> Done<Option<FreeBlock>> {
        let Some(block) = block.filter(|block| block.state == State::Free) else {
            return Ok(None);
        };
        let free = self.free_block(segment, block)?;
        self.verify_links(&free)?;
        Ok(Some(free))
    }

    /// Gives a block back, which becomes one with free neighbours.
    pub(crate) fn give_back(self, segment: &Segment, block: &Block) -> Done {
        let left = self.before(segment, block)?;
        let left = self.if_free(segment, left)?;
        let next = self.after(segment, block)?;
        let right = self.if_free(segment, next)?;
        let next = match &right {
            Some(right) => self.after(segment, &right.block)?,
            None => next,
        };

        let mut merged = Block {
            state: State::Free,
            flags: 0,
            unused: 0,
            ..*block
        };
        let mut pages = 0;
        if let Some(left) = &left {
            self.unlink(left)?;
            merged.at = left.block.at;
            merged.before = left.block.before;
            merged.size += left.block.size;
            pages += left.pages;
            self.scrub(block.at);
        }
        if let Some(right) = &right {
            // Its links may have been changed by the line above, if both are in one bin.
            let right = self.free_block(segment, right.block)?;
            self.unlink(&right)?;
            merged.size += right.block.size;
            pages += right.pages;
            self.scrub(right.block.at);
        }
        let (mut from, mut to) = merged.inside();
        if let Some(left) = &left {
            let (left_from, left_to) = left.block.inside();
            if left_from < left_to {
                from = left_to;
            }
        }
        if let Some(right) = &right {
            let (right_from, right_to) = right.block.inside();
            if right_from < right_to {
                to = right_from;
            }
        }
        pages += self.count_committed(segment, from, to)?;
        if let Some(next) = next {
            self.set_block(&Block {
                before: merged.size,
                ..next
            });
        }
        self.insert(merged, pages)?;
        self.trim(segment, &merged)
    }

    /// Gives back a free block's pages, or its segment, if the heap keeps enough of them.
    fn trim(self, segment: &Segment, block: &Block) -> Done {
        let free = self.free_block(segment, *block)?;
        if segment.index != 0 && self.is_empty(segment, block) {
            let spare = self.header.spare_segment().get() as usize;
            if spare != segment.index && self.is_spare(spare)? {
                self.unlink(&free)?;
                return self.release_segment(segment);
            }
            let index = u32::try_from(segment.index).unwrap_or(0);
            self.header.spare_segment().set(index);
        }
        let enough = (self.header.total_threshold().get() >> PAGE_SHIFT)
            .max(self.header.patience().get())
            .max(self.header.committed().get() >> (PAGE_SHIFT + 2));
        let worth = free.pages != 0
            && free.pages << PAGE_SHIFT >= self.header.block_threshold().get()
            && self.header.idle().get() > enough;
        if worth {
            self.cool(segment, free)?;
        }
        Ok(())
    }

    /// Gives back the pages inside of a free block.
    pub(crate) fn cool(self, segment: &Segment, free: FreeBlock) -> Done {
        let (from, to) = free.block.inside();
        let done = self.decommit(segment, from, to, free.pages)?;
        self.set_links(&FreeBlock {
            pages: free.pages.saturating_sub(done),
            ..free
        });
        self.add_idle(done.wrapping_neg());
        Ok(())
    }

    fn is_empty(self, segment: &Segment, block: &Block) -> bool {
        block.at == segment.first && block.end() == segment.end && block.state == State::Free
    }

    /// Whether the segment that is kept without blocks still has none.
    fn is_spare(self, index: usize) -> Done<bool> {
        if index == 0 || index >= self.segment_count() {
            return Ok(false);
        }
        let Some(segment) = self.segment(index)? else {
            return Ok(false);
        };
        let first = self.block(&segment, segment.first)?;
        Ok(self.is_empty(&segment, &first))
    }

    /// Releases the segment that is kept without blocks, if there is one.
    pub(crate) fn release_spare(self) -> Done {
        let spare = self.header.spare_segment().get() as usize;
        self.header.spare_segment().set(0);
        if !self.is_spare(spare)? {
            return Ok(());
        }
        let Some(segment) = self.segment(spare)? else {
            return Ok(());
        };
        let (_, free) = self.linked(segment.first)?;
        self.unlink(&free)?;
        self.release_segment(&segment)
    }

    /// Changes the size of a busy block where it is; whether that was possible. The size is aligned and includes the header.
    pub(crate) fn resize(
        self,
        segment: &Segment,
        block: &Block,
        size: usize,
        requested: usize,
    ) -> Done<bool> {
        let mut block = *block;
        let mut current = *segment;
        let next = self.after(&current, &block)?;
        if size > block.size {
            let Some(free) = self.if_free(&current, next)? else {
                return Ok(false);
            };
            let wanted = Wanted {
                size: (size - block.size).max(LEAST),
                requested: 0,
                state: State::Busy,
                flags: 0,
                at_page: false,
            };
            if wanted.size > free.block.size {
                return Ok(false);
            }
            let fit = Fit {
                segment: current,
                free,
                lead: 0,
            };
            let more = self.carve(fit, &wanted)?;
            current = self.own_segment(block.at, CorruptionKind::Segment)?;
            let behind = self.after(&current, &more)?;
            block.size += more.size;
            self.scrub(more.at);
            if let Some(behind) = behind {
                self.set_block(&Block {
                    before: block.size,
                    ..behind
                });
            }
        }
        let spare = block.size - size;
        let cut = spare >= LEAST;
        if cut {
            block.size = size;
        }
        block.unused = u16::try_from(block.capacity() - requested).unwrap_or(u16::MAX);
        self.set_block(&block);
        if cut {
            let tail = Block {
                at: block.end(),
                size: spare,
                before: block.size,
                state: State::Busy,
                flags: 0,
                unused: 0,
            };
            self.set_block(&tail);
            if let Some(next) = self.block_behind(&current, &tail)? {
                self.set_block(&Block {
                    before: spare,
                    ..next
                });
            }
            self.give_back(&current, &tail)?;
        }
        Ok(true)
    }

    /// The block behind one, whatever it says of the one before it.
    fn block_behind(self, segment: &Segment, block: &Block) -> Done<Option<Block>> {
        if block.end() >= segment.end {
            return Ok(None);
        }
        self.block(segment, block.end()).map(Some)
    }

    /// The committed bytes of a free block that a program could have at once.
    pub(crate) fn usable(self, segment: &Segment, free: &FreeBlock) -> Done<usize> {
        let (from, to) = free.block.inside();
        let mut end = from;
        while end < to && self.page_kind(segment, end)? != crate::segment::NOTHING {
            end += PAGE;
        }
        let end = if end >= to { free.block.end() } else { end };
        Ok(down(end.min(free.block.end()) - free.block.data(), 8))
    }
}
