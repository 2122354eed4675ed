//! The front end: spans, which are runs of pages with small blocks of one size.
//!
//! A span begins at a page boundary with a descriptor. The first eight bytes of that are all that the fast paths need:
//! `state`, with the offset of the first free block and the number of blocks in use, and its seal. Each block has eight bytes
//! before it, also a word and its seal:
//!
//! | block | the word | the seal |
//! |---|---|---|
//! | busy | unused bytes, flags | word, address, cookie |
//! | free | offset of the next free block | word, address, cookie, [`FREE`] |
//!
//! Offsets count granules from the span's begin to the bytes that a program gets, so 0 is none. Blocks get onto the list of
//! free ones a few at a time, so that a span's pages are touched when they are needed.
//!
//! From an address to its span there is one way: by the page. The heap remembers the last pages, and the map knows all.
//! So a wrong address never makes the heap look at wrong memory, and a block that is freed twice is seen by its seal.
//!
//! Freeing changes `state` and its seal by the same difference without verifying them: a span whose state was overwritten
//! stays one whose seal is wrong, and is found when it is allocated from.

use crate::Pages;
use crate::errors::{CorruptionKind, Done, damage};
use crate::header::{BUCKET_OFFSET, Core, REMEMBERED, REMEMBERED_OFFSET};
use crate::memory::{Place, low, mix, mix_word, places};
use crate::segment::{SPAN, SPAN_PAGES, Segment};
use crate::sizes::{
    BUCKETS, GRANULE, GRANULE_SHIFT, PAGE, PAGE_SHIFT, SMALL_HEADER, down, stride_of,
};

places! {
    /// A span, by its descriptor.
    struct Span: SpanLayout {
        /// The first free block's offset, and above it the number of blocks in use.
        state: u32,
        /// Its seal.
        seal: u32,
        /// The bucket, and above it the number of pages.
        shape: u32,
        /// Where the blocks begin that were on no list yet, and above it where they end.
        fresh: u32,
        /// 1 if the span is on its bucket's list.
        listed: u32,
        /// The seal on all that follows the first seal.
        cold_seal: u32,
        /// The next span of the list.
        next: usize,
        /// The one before it.
        previous: usize,
    }

    /// The bytes before a small block.
    struct SmallHeader: SmallHeaderLayout {
        /// Unused bytes and flags, or the next free block.
        word: u32,
        /// The seal.
        seal: u32,
    }
}

/// Where a span's first block has its bytes.
pub(crate) const FIRST: usize = 64;
/// What the seal of a free block has besides. Its lowest four bits are zero, those of a cookie are not: so no pattern that
/// repeats every four bytes is a header.
///
/// A pattern that ARM64 has as an immediate.
const FREE: u32 = 0xF0F0_F0F0;
/// One block in use, in a span's state.
pub(crate) const ONE: u32 = 0x1_0000;
/// What became of a block that a program freed.
pub(crate) enum Pushed {
    /// It is free.
    Done,
    /// It is free; its span must be looked at.
    Settle(Span),
    /// Nothing: the slow path must look.
    Unknown,
}

/// What a span's descriptor says besides its state, having been verified.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cold {
    /// The bucket.
    pub(crate) bucket: usize,
    /// How many pages there are.
    pub(crate) pages: usize,
    /// The offset of the first block that was on no list yet.
    pub(crate) fresh: u32,
    /// Behind the offset of the last block.
    pub(crate) end: u32,
    /// Whether it is on its bucket's list.
    pub(crate) listed: bool,
    pub(crate) next: usize,
    pub(crate) previous: usize,
}

impl Cold {
    /// How far apart its blocks are, in bytes.
    pub(crate) fn stride(&self) -> usize {
        stride_of(self.bucket)
    }
}

/// A busy small block, its header having been verified.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SmallBlock {
    /// What the program has.
    pub(crate) data: usize,
    /// How many bytes the program could have.
    pub(crate) capacity: usize,
    /// How many of these it did not ask for.
    pub(crate) unused: usize,
    /// Its flags.
    pub(crate) flags: u8,
}

impl<P: Pages> Core<'_, P> {
    /// Takes a block of a linear bucket, if the span that is allocated from has one on its list. The total is one of a
    /// bucket's; the bytes that the program did not ask for are `unused`.
    #[inline(always)]
    pub(crate) fn pop_linear(self, total: usize, unused: u32) -> Option<usize> {
        // A bucket's two words have the size of a granule, so its total is where it is.
        let place = self.header.0.wrapping_add(BUCKET_OFFSET + total);
        let active = Place::<[usize; 2]>::at(place);
        let span = active.item(0).get();
        if span ^ active.item(1).get() != self.cookie {
            return None;
        }
        self.pop(Span(span), unused)
    }

    /// Takes a block of a span, if there is one on its list and nothing is wrong.
    #[inline(always)]
    pub(crate) fn pop(self, span: Span, unused: u32) -> Option<usize> {
        let key = self.key(span.0);
        let state = span.state().get();
        if state ^ span.seal().get() != key {
            return None;
        }
        let head = state & 0xFFFF;
        if head == 0 {
            return None;
        }
        let data = span.0.wrapping_add((head as usize) << GRANULE_SHIFT);
        let header = SmallHeader(data.wrapping_sub(SMALL_HEADER));
        let word = header.word().get();
        let block_key = self.key(data);
        if word ^ header.seal().get() != block_key ^ FREE {
            return None;
        }
        // A sealed word of a free block is an offset and no more, so the halves do not mix.
        let state = (state - head).wrapping_add(word).wrapping_add(ONE);
        span.state().set(state);
        span.seal().set(state ^ key);
        header.word().set(unused);
        header.seal().set(unused ^ block_key);
        Some(data)
    }

    /// Gives a small block back, if its page is one that is remembered and nothing is wrong.
    #[inline(always)]
    pub(crate) fn push(self, data: usize) -> Pushed {
        let page = down(data, PAGE);
        let index = (data >> PAGE_SHIFT) & (REMEMBERED - 1);
        let place = self
            .header
            .0
            .wrapping_add(REMEMBERED_OFFSET + index * 2 * size_of::<usize>());
        let remembered = Place::<[usize; 2]>::at(place);
        let span = remembered.item(0).get();
        if span ^ remembered.item(1).get() ^ self.cookie != page {
            return Pushed::Unknown;
        }
        self.push_to(Span(span), data)
    }

    /// Gives a block of this span back.
    #[inline(always)]
    fn push_to(self, span: Span, data: usize) -> Pushed {
        let header = SmallHeader(data.wrapping_sub(SMALL_HEADER));
        let key = self.key(data);
        let word = header.word().get();
        if word ^ header.seal().get() != key {
            return Pushed::Unknown;
        }
        let old = span.state().get();
        let head = old & 0xFFFF;
        // The page is one of the span's, so this is an offset.
        let offset = low((data.wrapping_sub(span.0)) >> GRANULE_SHIFT);
        header.word().set(head);
        header.seal().set(head ^ key ^ FREE);
        let state = (old - head).wrapping_add(offset).wrapping_sub(ONE);
        span.state().set(state);
        let seal = span.seal();
        seal.set(seal.get() ^ old ^ state);
        if (head == 0 || state < ONE) && !self.is_settled(span) {
            Pushed::Settle(span)
        } else {
            Pushed::Done
        }
    }

    fn cold_seal(self, span: Span, words: [u32; 3], next: usize, previous: usize) -> u32 {
        let digest = words
            .iter()
            .fold(self.key(span.0) ^ 2, |digest, &word| mix(digest, word));
        mix_word(mix_word(digest, next), previous)
    }

    /// What a span's descriptor says. Its address comes from the map or was verified with it.
    pub(crate) fn cold(self, span: Span) -> Done<Cold> {
        let wrong = || damage(CorruptionKind::SpanHeader, span.0);
        let (shape, fresh, listed) = (span.shape().get(), span.fresh().get(), span.listed().get());
        let (next, previous) = (span.next().get(), span.previous().get());
        if span.cold_seal().get() != self.cold_seal(span, [shape, fresh, listed], next, previous) {
            return Err(wrong());
        }
        let cold = Cold {
            bucket: (shape & 0xFFFF) as usize,
            pages: (shape >> 16) as usize,
            fresh: fresh & 0xFFFF,
            end: fresh >> 16,
            listed: listed == 1,
            next,
            previous,
        };
        if cold.bucket == 0 || cold.bucket >= BUCKETS || cold.pages == 0 || cold.pages > SPAN_PAGES
        {
            return Err(wrong());
        }
        Ok(cold)
    }

    pub(crate) fn set_cold(self, span: Span, cold: &Cold) {
        let shape = low(cold.pages << 16 | cold.bucket);
        let fresh = cold.end << 16 | cold.fresh;
        let listed = u32::from(cold.listed);
        span.shape().set(shape);
        span.fresh().set(fresh);
        span.listed().set(listed);
        span.next().set(cold.next);
        span.previous().set(cold.previous);
        span.cold_seal().set(self.cold_seal(
            span,
            [shape, fresh, listed],
            cold.next,
            cold.previous,
        ));
    }

    /// A span's first free block and the number of blocks in use.
    pub(crate) fn state(self, span: Span) -> Done<(u32, u32)> {
        let state = span.state().get();
        if state ^ span.seal().get() != self.key(span.0) {
            return Err(damage(CorruptionKind::SpanHeader, span.0));
        }
        Ok((state & 0xFFFF, state >> 16))
    }

    pub(crate) fn set_state(self, span: Span, head: u32, used: u32) {
        let state = used << 16 | head;
        span.state().set(state);
        span.seal().set(state ^ self.key(span.0));
    }

    /// The span that a link or a bucket leads to.
    pub(crate) fn span_at(self, at: usize) -> Done<Span> {
        let wrong = || damage(CorruptionKind::SpanHeader, at);
        if self.remembers(at, at) {
            return Ok(Span(at));
        }
        let segment = self.own_segment(at, CorruptionKind::SpanHeader)?;
        if at & (PAGE - 1) != 0 || self.page_kind(&segment, at)? != SPAN {
            return Err(wrong());
        }
        self.remember(at, at);
        Ok(Span(at))
    }

    /// A span that is on a list.
    pub(crate) fn listed_span(self, at: usize) -> Done<(Span, Cold)> {
        let span = self.span_at(at)?;
        Ok((span, self.cold(span)?))
    }

    /// The span that a page belongs to, whose kind is given.
    pub(crate) fn span_of(self, segment: &Segment, data: usize, kind: u16) -> Done<Span> {
        let before = usize::from(kind - SPAN) << PAGE_SHIFT;
        let page = down(data, PAGE);
        if before > page - segment.base {
            return Err(damage(CorruptionKind::Segment, data));
        }
        let span = self.span_at(page - before)?;
        if usize::from(kind - SPAN) >= self.cold(span)?.pages {
            return Err(damage(CorruptionKind::Segment, data));
        }
        Ok(span)
    }

    /// The busy block at an address in a span.
    ///
    /// # Errors
    /// Says whether it is free, overwritten, or no block.
    pub(crate) fn small_block(self, span: Span, data: usize) -> Done<SmallBlock> {
        let cold = self.cold(span)?;
        let not = || damage(CorruptionKind::NotABlock, data);
        let offset = data.wrapping_sub(span.0);
        let end = (cold.fresh as usize) << GRANULE_SHIFT;
        if offset < FIRST || offset >= end || !(offset - FIRST).is_multiple_of(cold.stride()) {
            return Err(not());
        }
        let header = SmallHeader(data - SMALL_HEADER);
        let word = header.word().get();
        match word ^ header.seal().get() ^ self.key(data) {
            0 => {}
            FREE => return Err(damage(CorruptionKind::DoubleFree, data)),
            _ => return Err(damage(CorruptionKind::BlockHeader, data)),
        }
        let capacity = cold.stride() - SMALL_HEADER;
        Ok(SmallBlock {
            data,
            capacity,
            unused: ((word & 0xFFFF) as usize).min(capacity),
            flags: (word >> 16 & 0xFF) as u8,
        })
    }

    /// Changes what a busy block's header says.
    pub(crate) fn set_small_block(self, block: &SmallBlock) {
        let header = SmallHeader(block.data - SMALL_HEADER);
        let word = u32::from(block.flags) << 16 | low(block.unused & 0xFFFF);
        header.word().set(word);
        header.seal().set(word ^ self.key(block.data));
    }

    /// Writes a free block's header.
    pub(crate) fn set_small_free(self, data: usize, next: u32) {
        let header = SmallHeader(data - SMALL_HEADER);
        header.word().set(next);
        header.seal().set(next ^ self.key(data) ^ FREE);
    }

    /// What is before the block at an offset of a span: the next free block's offset, or none if it is busy.
    pub(crate) fn peek(self, span: Span, offset: u32) -> Done<Option<u32>> {
        let data = span.0 + ((offset as usize) << GRANULE_SHIFT);
        let header = SmallHeader(data - SMALL_HEADER);
        let word = header.word().get();
        match word ^ header.seal().get() ^ self.key(data) {
            0 => Ok(None),
            FREE => Ok(Some(word)),
            _ => Err(damage(CorruptionKind::BlockHeader, data)),
        }
    }
}

const _: () = assert!(Span::BYTES <= FIRST - SMALL_HEADER);
const _: () = assert!(2 * size_of::<usize>() == GRANULE);
