//! Blocks of the back end: sixteen bytes before each, that say its size and its neighbour's, sealed.
//!
//! The header is `size`, `before` (the size of the block before it; both in granules), `info` and a digest of the three, the
//! address and the cookie. A free block has, behind its header, the links of its bin and the number of committed pages inside
//! of it, with a digest too. These lie where a program wrote before, and may write still; so they are followed only to
//! places that the map has pages for and that turn out to be free blocks that link back.

use crate::Pages;
use crate::errors::{CorruptionKind, Done, damage};
use crate::header::Core;
use crate::memory::{self, fold, mix, places};
use crate::segment::Segment;
use crate::sizes::{BLOCK_HEADER, GRANULE_SHIFT, PAGE, down, up};

places! {
    /// A block's header.
    struct Header: HeaderLayout {
        /// Granules, header included.
        size: u32,
        /// Granules of the block before it, 0 for a segment's first.
        before: u32,
        /// State, flags, unused bytes.
        info: u32,
        /// The seal.
        seal: u32,
    }

    /// What a free block has behind its header.
    struct Links: LinksLayout {
        /// The next free block of the bin.
        next: usize,
        /// The one before it.
        previous: usize,
        /// Committed pages inside of the block.
        pages: usize,
        /// The seal.
        seal: usize,
    }
}

/// The smallest block, in bytes: one that can be free.
pub(crate) const LEAST: usize = BLOCK_HEADER + Links::BYTES;

/// What a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// A program has it.
    Busy,
    /// Nobody has it.
    Free,
    /// The front end has it.
    Span,
}

/// A block, its header having been verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Where its header is.
    pub(crate) at: usize,
    /// Its size in bytes, header included.
    pub(crate) size: usize,
    /// The size of the block before it.
    pub(crate) before: usize,
    /// What it is.
    pub(crate) state: State,
    /// Flags of a busy one.
    pub(crate) flags: u8,
    /// How many bytes of a busy one the program did not ask for.
    pub(crate) unused: u16,
}

/// A flag of a busy block: its last word is the user value.
pub(crate) const HAS_VALUE: u8 = 1;
/// The three user flags; `HEAP_SETTABLE_USER_FLAG1` is the first.
pub(crate) const USER_FLAGS: u8 = 0b1110;

/// A free block, its links having been verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FreeBlock {
    /// The block.
    pub(crate) block: Block,
    /// The next one of its bin, 0 for none.
    pub(crate) next: usize,
    /// The one before it, 0 for none.
    pub(crate) previous: usize,
    /// Committed pages inside of it.
    pub(crate) pages: usize,
}

impl Block {
    /// Behind its last byte.
    pub(crate) fn end(&self) -> usize {
        self.at + self.size
    }

    /// What the program has.
    pub(crate) fn data(&self) -> usize {
        self.at + BLOCK_HEADER
    }

    /// How many bytes the program could have.
    pub(crate) fn capacity(&self) -> usize {
        self.size - BLOCK_HEADER
    }

    /// How many bytes the program asked for.
    pub(crate) fn requested(&self) -> usize {
        self.capacity() - usize::from(self.unused).min(self.capacity())
    }

    /// Where the user value is, if there is one.
    pub(crate) fn value(&self) -> Option<usize> {
        (self.flags & HAS_VALUE != 0).then(|| self.end() - size_of::<usize>())
    }

    /// The pages that are inside of it when it is free: all that have neither its header and links nor another's.
    pub(crate) fn inside(&self) -> (usize, usize) {
        let from = up(self.at + LEAST, PAGE);
        (from, down(self.end(), PAGE).max(from))
    }

    fn info(&self) -> u32 {
        let state = match self.state {
            State::Busy => 1,
            State::Free => 2,
            State::Span => 3,
        };
        state << 24 | u32::from(self.flags) << 16 | u32::from(self.unused)
    }
}

/// A size in granules; those of blocks fit.
pub(crate) fn granules(bytes: usize) -> u32 {
    u32::try_from(bytes >> GRANULE_SHIFT).unwrap_or(u32::MAX)
}

impl<P: Pages> Core<'_, P> {
    fn block_seal(self, at: usize, size: u32, before: u32, info: u32) -> u32 {
        mix(mix(mix(self.key(at), size), before), info)
    }

    fn links_seal(self, at: usize, next: usize, previous: usize, pages: usize) -> usize {
        fold(self.sealed(at), [next, previous, pages])
    }

    /// The block whose header is at an address in a segment.
    pub(crate) fn block(self, segment: &Segment, at: usize) -> Done<Block> {
        let wrong = || damage(CorruptionKind::BlockHeader, at);
        if !self.is_committed(segment, at, BLOCK_HEADER)? {
            return Err(wrong());
        }
        let header = Header(at);
        let (size, before, info) = (
            header.size().get(),
            header.before().get(),
            header.info().get(),
        );
        if header.seal().get() != self.block_seal(at, size, before, info) {
            return Err(wrong());
        }
        let state = match info >> 24 {
            1 => State::Busy,
            2 => State::Free,
            3 => State::Span,
            _ => return Err(wrong()),
        };
        let block = Block {
            at,
            size: (size as usize) << GRANULE_SHIFT,
            before: (before as usize) << GRANULE_SHIFT,
            state,
            flags: (info >> 16 & 0xFF) as u8,
            unused: (info & 0xFFFF) as u16,
        };
        // A seal that fits by accident still leads nowhere.
        if block.size < LEAST || block.size > segment.end - at || block.before > at - segment.first
        {
            return Err(wrong());
        }
        Ok(block)
    }

    /// Writes a block's header.
    pub(crate) fn set_block(self, block: &Block) {
        let header = Header(block.at);
        let (size, before, info) = (granules(block.size), granules(block.before), block.info());
        header.size().set(size);
        header.before().set(before);
        header.info().set(info);
        header
            .seal()
            .set(self.block_seal(block.at, size, before, info));
    }

    /// Takes a header away that is inside of another block now, so that no address in there is ever taken for a block.
    pub(crate) fn scrub(self, at: usize) {
        memory::clear(at, BLOCK_HEADER);
    }

    /// The block behind one, if it is not the last.
    pub(crate) fn after(self, segment: &Segment, block: &Block) -> Done<Option<Block>> {
        if block.end() >= segment.end {
            return Ok(None);
        }
        let next = self.block(segment, block.end())?;
        if next.before != block.size {
            return Err(damage(CorruptionKind::BlockHeader, next.at));
        }
        Ok(Some(next))
    }

    /// The block before one, if it is not the first.
    pub(crate) fn before(self, segment: &Segment, block: &Block) -> Done<Option<Block>> {
        if block.at == segment.first {
            return Ok(None);
        }
        let previous = self.block(segment, block.at - block.before)?;
        if previous.size != block.before || block.before == 0 {
            return Err(damage(CorruptionKind::BlockHeader, block.at));
        }
        Ok(Some(previous))
    }

    /// A block of which only the links must be verified still.
    #[inline]
    pub(crate) fn free_block(self, segment: &Segment, block: Block) -> Done<FreeBlock> {
        let wrong = || damage(CorruptionKind::FreeList, block.at);
        if block.state != State::Free {
            return Err(wrong());
        }
        if !self.is_committed(segment, block.at, LEAST)? {
            return Err(wrong());
        }
        let links = Links(block.data());
        let (next, previous, pages) = (
            links.next().get(),
            links.previous().get(),
            links.pages().get(),
        );
        if links.seal().get() != self.links_seal(block.at, next, previous, pages) {
            return Err(wrong());
        }
        let (from, to) = block.inside();
        if pages > (to - from) / PAGE {
            return Err(wrong());
        }
        Ok(FreeBlock {
            block,
            next,
            previous,
            pages,
        })
    }

    /// The free block that a link of the back end leads to, which is probably in the same segment as another one.
    #[inline]
    pub(crate) fn linked(self, near: &Segment, at: usize) -> Done<FreeBlock> {
        let other;
        let segment = if near.holds(at) {
            near
        } else {
            other = self.own_segment(at, CorruptionKind::FreeList)?;
            &other
        };
        let block = self.block(segment, at)?;
        self.free_block(segment, block)
    }

    /// Writes a free block's links.
    pub(crate) fn set_links(self, free: &FreeBlock) {
        let links = Links(free.block.data());
        links.next().set(free.next);
        links.previous().set(free.previous);
        links.pages().set(free.pages);
        links
            .seal()
            .set(self.links_seal(free.block.at, free.next, free.previous, free.pages));
    }
}
