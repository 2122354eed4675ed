//! The back end: blocks of any size in segments, taken from and given back to bins of free blocks.
//!
//! A segment is tiled with blocks from its first to its end. What was never used is a free block like others; its pages are
//! not committed. So growing into a segment, reusing a hole whose pages were given back and reusing a warm block are one
//! case: take from a free block, and commit of the part that is taken whatever has no pages. A free block knows how many
//! committed pages it has inside, and the heap how many all of them have, which decides when pages are given back.
//!
//! Free blocks that touch are one block, always.
//!
//! An operation verifies what it is going to change before it changes anything, or takes back what it did.

use crate::Pages;
use crate::bins::{Fit, Wanted};
use crate::block::{Block, FreeBlock, LEAST, State};
use crate::errors::{CorruptionKind, Done, Fault};
use crate::header::Core;
use crate::segment::{NOTHING, Segment};
use crate::sizes::{BLOCK_HEADER, PAGE, PAGE_SHIFT, down};

/// The most that is committed at once beyond what is needed, in bytes.
const MOST_AHEAD: usize = 0x4_0000;

impl<P: Pages> Core<'_, P> {
    /// Takes a block.
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
        let pages = self.count_committed(segment, from, to)?;
        self.insert(segment, block, pages)?;
        Ok(())
    }

    /// Takes a part of a free block, which is divided into up to three blocks.
    fn carve(self, fit: Fit, wanted: &Wanted) -> Done<Block> {
        let Fit { mut free, lead } = fit;
        let mut segment = self.own_segment(free.block.at, CorruptionKind::FreeList)?;
        let whole = free.block;
        let next = self.after(&segment, &whole)?;
        let mut size = wanted.size;
        let mut rest = whole.size - lead - size;
        if rest < LEAST {
            size += rest;
            rest = 0;
        }
        let at = whole.at + lead;
        let end = at + size;
        self.unlink(&segment, &free)?;

        let mut added = 0;
        let needed = if rest == 0 { end } else { end + LEAST };
        let ahead = (self.header.committed().get() / 8)
            .min(MOST_AHEAD)
            .max(self.header.segment_commit().get());
        let wish = needed.saturating_add(ahead).min(whole.inside().1);
        let committed = self.commit(&mut segment, at, needed, wish, &mut added);
        // Whether or not all of it succeeded, these pages are there.
        free.pages += added;
        if let Err(fault) = committed {
            self.insert(&segment, whole, free.pages)?;
            return Err(fault);
        }

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
            self.insert(&segment, lead_block, lead_pages)?;
        }
        if rest != 0 {
            self.insert(&segment, rest_block, rest_pages)?;
        }
        Ok(taken)
    }

    fn if_free(self, segment: &Segment, block: Option<Block>) -> Done<Option<FreeBlock>> {
        match block {
            Some(block) if block.state == State::Free => self.free_block(segment, block).map(Some),
            _ => Ok(None),
        }
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
            self.unlink(segment, left)?;
            merged.at = left.block.at;
            merged.before = left.block.before;
            merged.size += left.block.size;
            pages += left.pages;
        }
        if let Some(right) = &right {
            // Its links may have been changed just now, if both were in one bin.
            let unlinked = self
                .free_block(segment, right.block)
                .and_then(|right| self.unlink(segment, &right));
            if let Err(fault) = unlinked {
                if let Some(left) = &left {
                    self.insert(segment, left.block, left.pages)?;
                }
                return Err(fault);
            }
            merged.size += right.block.size;
            pages += right.pages;
            self.scrub(right.block.at);
        }
        if left.is_some() {
            self.scrub(block.at);
        }
        // The two know their own pages.
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
        let free = self.insert(segment, merged, pages)?;
        self.trim(segment, free)
    }

    /// Gives back a free block's pages, or its segment, if the heap keeps enough of them.
    fn trim(self, segment: &Segment, free: FreeBlock) -> Done {
        if segment.index != 0 && is_empty(segment, &free.block) {
            let spare = self.header.spare_segment().get() as usize;
            if spare != segment.index && self.is_spare(spare)? {
                self.unlink(segment, &free)?;
                return self.release_segment(segment);
            }
            let index = u32::try_from(segment.index).unwrap_or(0);
            self.header.spare_segment().set(index);
        }
        if free.pages == 0 {
            return Ok(());
        }
        let enough = (self.header.total_threshold().get() >> PAGE_SHIFT)
            .max(self.header.patience().get())
            .max(self.header.committed().get() >> (PAGE_SHIFT + 2));
        let least = self.header.block_threshold().get();
        if free.pages << PAGE_SHIFT < least || self.header.idle().get() <= enough {
            return Ok(());
        }
        // What was freed last is what the next allocation takes; the largest blocks are taken last.
        match self.largest_with_pages(segment, least)? {
            Some(large) if large.block.at != free.block.at => {
                let its = self.own_segment(large.block.at, CorruptionKind::FreeList)?;
                self.cool(&its, large)
            }
            _ => self.cool(segment, free),
        }
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

    /// Whether the segment that is kept without blocks still has none.
    fn is_spare(self, index: usize) -> Done<bool> {
        if index == 0 || index >= self.segment_count() {
            return Ok(false);
        }
        let Some(segment) = self.segment(index)? else {
            return Ok(false);
        };
        let first = self.block(&segment, segment.first)?;
        Ok(is_empty(&segment, &first))
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
        let free = self.linked(&segment, segment.first)?;
        self.unlink(&segment, &free)?;
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
            let fit = Fit { free, lead: 0 };
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
        while end < to && self.page_kind(segment, end)? != NOTHING {
            end += PAGE;
        }
        let end = if end >= to { free.block.end() } else { end };
        Ok(down(end.min(free.block.end()) - free.block.data(), 8))
    }
}

fn is_empty(segment: &Segment, block: &Block) -> bool {
    block.at == segment.first && block.end() == segment.end && block.state == State::Free
}
