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
//!
//! A bucket's spans that have free blocks are a list; the first one is allocated from. A span whose last block is freed goes
//! back to the back end, unless it is that one. As Windows does it, the first blocks of a size come from the back end,
//! until it is clear that there will be more.

use nt_abi::heap::HEAP_COMPATIBILITY_LFH;

use crate::Pages;
use crate::backend::Wanted;
use crate::block::State;
use crate::errors::{CorruptionKind, Done, Fault, damage};
use crate::header::{BUCKET_OFFSET, Core, REMEMBERED, REMEMBERED_OFFSET};
use crate::memory::{mix, mix_word, places};
use crate::segment::{BLOCKS, SPAN, SPAN_PAGES, Segment};
use crate::sizes::{
    BLOCK_HEADER, BUCKETS, GRANULE, GRANULE_SHIFT, PAGE, PAGE_SHIFT, SMALL_HEADER, down, stride_of,
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
const FREE: u32 = 0x5EED_F4E0;
/// One block in use, in a span's state.
const ONE: u32 = 0x1_0000;
/// How many blocks of a size the back end gives before the front end does.
const BEFORE_SPANS: u32 = 17;
/// How many buckets may keep a span without busy blocks before these spans are looked at.
const KEPT: u32 = 16;

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
    end: u32,
    /// Whether it is on its bucket's list.
    pub(crate) listed: bool,
    next: usize,
    previous: usize,
}

impl Cold {
    /// How far apart its blocks are, in bytes.
    pub(crate) fn stride(&self) -> usize {
        stride_of(self.bucket)
    }

    /// The next span of the list and the one before.
    pub(crate) fn links(&self) -> (usize, usize) {
        (self.next, self.previous)
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
        let active = crate::memory::Place::<[usize; 2]>::at(place);
        let span = active.item(0).get();
        if span ^ active.item(1).get() != self.cookie {
            return None;
        }
        self.pop(Span(span), unused)
    }

    /// Takes a block of a span, if there is one on its list and nothing is wrong.
    #[inline(always)]
    fn pop(self, span: Span, unused: u32) -> Option<usize> {
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
        let state = (state & 0xFFFF_0000).wrapping_add(ONE) | (word & 0xFFFF);
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
        let remembered = crate::memory::Place::<[usize; 2]>::at(place);
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
        let offset = crate::memory::low((data.wrapping_sub(span.0)) >> GRANULE_SHIFT);
        header.word().set(head);
        header.seal().set(head ^ key ^ FREE);
        let state = (old & 0xFFFF_0000).wrapping_sub(ONE) | (offset & 0xFFFF);
        span.state().set(state);
        let seal = span.seal();
        seal.set(seal.get() ^ old ^ state);
        if head == 0 || state < ONE {
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

    fn set_cold(self, span: Span, cold: &Cold) {
        let shape = crate::memory::low(cold.pages << 16 | cold.bucket);
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

    fn set_state(self, span: Span, head: u32, used: u32) {
        let state = used << 16 | head;
        span.state().set(state);
        span.seal().set(state ^ self.key(span.0));
    }

    /// The span that a link or a bucket leads to.
    fn span_at(self, at: usize) -> Done<Span> {
        let wrong = || damage(CorruptionKind::SpanHeader, at);
        let segment = self.own_segment(at, CorruptionKind::SpanHeader)?;
        if at & (PAGE - 1) != 0 || self.page_kind(&segment, at)? != SPAN {
            return Err(wrong());
        }
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
        let word = u32::from(block.flags) << 16 | crate::memory::low(block.unused & 0xFFFF);
        header.word().set(word);
        header.seal().set(word ^ self.key(block.data));
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

    /// Takes a block of a bucket; `None` if the back end has to.
    pub(crate) fn take_small(self, bucket: usize, unused: u32) -> Done<Option<usize>> {
        // Every turn leaves one full span behind.
        loop {
            let active = self.active(bucket)?;
            if active == self.header.no_span().address() {
                if !self.begin_span(bucket)? {
                    return Ok(None);
                }
                continue;
            }
            let span = self.span_at(active)?;
            if let Some(data) = self.pop(span, unused) {
                return Ok(Some(data));
            }
            let (head, _) = self.state(span)?;
            if head != 0 {
                return Err(damage(
                    CorruptionKind::FreeList,
                    span.0 + ((head as usize) << GRANULE_SHIFT),
                ));
            }
            let cold = self.cold(span)?;
            if cold.bucket != bucket || !cold.listed {
                return Err(damage(CorruptionKind::HeapHeader, span.0));
            }
            if cold.fresh < cold.end {
                self.list_fresh(span, cold)?;
            } else {
                self.unlist(span, cold)?;
            }
        }
    }

    /// Puts blocks on a span's list of free ones that were on none: up to the end of a page.
    fn list_fresh(self, span: Span, cold: Cold) -> Done {
        let (_, used) = self.state(span)?;
        let stride = crate::memory::low(cold.stride() >> GRANULE_SHIFT);
        let page = crate::memory::low(PAGE >> GRANULE_SHIFT);
        let stop = (cold.fresh / page + 1) * page;
        let mut end = cold.fresh + stride;
        while end < stop && end < cold.end {
            end += stride;
        }
        let mut next = 0;
        let mut offset = end;
        while offset > cold.fresh {
            offset -= stride;
            let data = span.0 + ((offset as usize) << GRANULE_SHIFT);
            let header = SmallHeader(data - SMALL_HEADER);
            header.word().set(next);
            header.seal().set(next ^ self.key(data) ^ FREE);
            next = offset;
        }
        self.set_state(span, next, used);
        self.set_cold(span, &Cold { fresh: end, ..cold });
        Ok(())
    }

    /// Makes a span for a bucket that has none with free blocks; `false` if the back end shall serve it.
    fn begin_span(self, bucket: usize) -> Done<bool> {
        let count = self.header.bucket_use().item(bucket);
        let (served, spans) = (count.get() & 0xFFFF, count.get() >> 16);
        if served < BEFORE_SPANS {
            count.set(count.get() + 1);
            return Ok(false);
        }
        self.header.mode().set(HEAP_COMPATIBILITY_LFH);
        let stride = stride_of(bucket);
        let least = pages_of(stride);
        // The last span of a bucket is half empty; it shall not matter.
        let growth = u32::from(spans >= 8) + u32::from(spans >= 24);
        let pages = (least << growth).min(SPAN_PAGES);
        let span = match self.new_span(bucket, pages) {
            Err(Fault::NoMemory) if pages != least => self.new_span(bucket, least),
            made => made,
        };
        match span {
            Ok(()) => {
                count.set(count.get().saturating_add(ONE));
                Ok(true)
            }
            // The back end may still have a place for one block.
            Err(Fault::NoMemory) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    fn new_span(self, bucket: usize, pages: usize) -> Done {
        let size = pages << PAGE_SHIFT;
        let block = self.take(&Wanted {
            size,
            requested: size - BLOCK_HEADER,
            state: State::Span,
            flags: 0,
            at_page: true,
        })?;
        let span = Span(block.data());
        let segment = self.own_segment(span.0, CorruptionKind::Segment)?;
        for (kind, page) in (SPAN..).zip(0..pages) {
            self.set_page_kind(&segment, span.0 + (page << PAGE_SHIFT), kind);
        }
        let stride = stride_of(bucket);
        // The last bytes of the last page belong to the next block's header; a block's header is before its bytes.
        let room = size - BLOCK_HEADER - (FIRST - SMALL_HEADER);
        let blocks = room / stride;
        let end = (FIRST + blocks * stride) >> GRANULE_SHIFT;
        let old = self.active(bucket)?;
        let next = if old == self.header.no_span().address() {
            0
        } else {
            old
        };
        self.set_state(span, 0, 0);
        self.set_cold(
            span,
            &Cold {
                bucket,
                pages,
                fresh: crate::memory::low(FIRST >> GRANULE_SHIFT),
                end: crate::memory::low(end),
                listed: true,
                next,
                previous: 0,
            },
        );
        self.set_active(bucket, span.0);
        Ok(())
    }

    /// Takes a span off its bucket's list.
    fn unlist(self, span: Span, cold: Cold) -> Done {
        let wrong = || damage(CorruptionKind::SpanHeader, span.0);
        let next = match cold.next {
            0 => None,
            at => {
                let next = self.span_at(at)?;
                let their = self.cold(next)?;
                if their.previous != span.0 {
                    return Err(wrong());
                }
                Some((next, their))
            }
        };
        if cold.previous == 0 {
            if self.active(cold.bucket)? != span.0 {
                return Err(wrong());
            }
            let active = match cold.next {
                0 => self.header.no_span().address(),
                at => at,
            };
            self.set_active(cold.bucket, active);
        } else {
            let previous = self.span_at(cold.previous)?;
            let their = self.cold(previous)?;
            if their.next != span.0 {
                return Err(wrong());
            }
            self.set_cold(
                previous,
                &Cold {
                    next: cold.next,
                    ..their
                },
            );
        }
        if let Some((next, their)) = next {
            self.set_cold(
                next,
                &Cold {
                    previous: cold.previous,
                    ..their
                },
            );
        }
        self.set_cold(
            span,
            &Cold {
                listed: false,
                next: 0,
                previous: 0,
                ..cold
            },
        );
        Ok(())
    }

    /// Puts a span on its bucket's list, behind the one that is allocated from.
    fn list(self, span: Span, cold: Cold) -> Done {
        let active = self.active(cold.bucket)?;
        let mut mine = Cold {
            listed: true,
            next: 0,
            previous: 0,
            ..cold
        };
        if active == self.header.no_span().address() {
            self.set_active(cold.bucket, span.0);
        } else {
            let first = self.span_at(active)?;
            let their = self.cold(first)?;
            if their.next != 0 {
                let second = self.span_at(their.next)?;
                let its = self.cold(second)?;
                self.set_cold(
                    second,
                    &Cold {
                        previous: span.0,
                        ..its
                    },
                );
            }
            mine.next = their.next;
            mine.previous = first.0;
            self.set_cold(
                first,
                &Cold {
                    next: span.0,
                    ..their
                },
            );
        }
        self.set_cold(span, &mine);
        Ok(())
    }

    /// Looks at a span of which a block was freed that was the first free one or the last busy one.
    #[inline]
    pub(crate) fn settle(self, span: Span) -> Done {
        // A bucket's first span has nothing to be done, which is the case of a program that allocates and frees in turn. What
        // is read here is not verified, and leads to nothing.
        let bucket = (span.shape().get() & 0xFFFF) as usize;
        if self.header.buckets().item(2 * bucket).get() == span.0 {
            if span.state().get() >= ONE {
                return Ok(());
            }
            let bits = self.header.idle_buckets().item(bucket / 32);
            let (old, bit) = (bits.get(), 1 << (bucket % 32));
            if old & bit != 0 {
                return Ok(());
            }
            bits.set(old | bit);
        }
        self.settle_fully(span)
    }

    #[cold]
    fn settle_fully(self, span: Span) -> Done {
        let (_, used) = self.state(span)?;
        let mut cold = self.cold(span)?;
        if !cold.listed {
            self.list(span, cold)?;
            cold = self.cold(span)?;
        }
        if used != 0 {
            return Ok(());
        }
        if self.active(cold.bucket)? != span.0 {
            return self.end_span(span, cold);
        }
        let idle = self.header.idle_buckets();
        let count: u32 = (0..BUCKETS / 32 + 1)
            .map(|word| idle.item(word).get().count_ones())
            .sum();
        if count < KEPT {
            return Ok(());
        }
        let keep = self.header.committed().get() / 8;
        self.end_idle_spans(cold.bucket, keep.max(self.header.total_threshold().get()))
    }

    /// Gives a span without busy blocks back to the back end.
    fn end_span(self, span: Span, cold: Cold) -> Done {
        let segment = self.own_segment(span.0, CorruptionKind::SpanHeader)?;
        let block = self.block(&segment, span.0 - BLOCK_HEADER)?;
        if block.state != State::Span {
            return Err(damage(CorruptionKind::BlockHeader, block.at));
        }
        self.unlist(span, cold)?;
        for page in 0..cold.pages {
            let page = span.0 + (page << PAGE_SHIFT);
            self.forget(page);
            self.set_page_kind(&segment, page, BLOCKS);
        }
        let count = self.header.bucket_use().item(cold.bucket);
        count.set(count.get().saturating_sub(ONE));
        self.give_back(&segment, &block)
    }

    /// Gives back the spans without busy blocks that buckets keep, if all of them have more bytes than are to be kept. One
    /// bucket's, if it is not 0, stays.
    pub(crate) fn end_idle_spans(self, but: usize, keep: usize) -> Done {
        for word in 0..BUCKETS / 32 + 1 {
            self.header.idle_buckets().item(word).set(0);
        }
        let mut bytes = 0;
        for bucket in 1..BUCKETS {
            if let Some((_, cold)) = self.idle_span(bucket)? {
                bytes += cold.pages << PAGE_SHIFT;
            }
        }
        if bytes <= keep {
            return Ok(());
        }
        for bucket in (1..BUCKETS).filter(|&bucket| bucket != but) {
            if let Some((span, cold)) = self.idle_span(bucket)? {
                self.end_span(span, cold)?;
            }
        }
        Ok(())
    }

    fn idle_span(self, bucket: usize) -> Done<Option<(Span, Cold)>> {
        let active = self.active(bucket)?;
        if active == self.header.no_span().address() {
            return Ok(None);
        }
        let span = self.span_at(active)?;
        let (_, used) = self.state(span)?;
        Ok((used == 0).then_some((span, self.cold(span)?)))
    }
}

/// How many pages a bucket's first spans have: eight blocks at least, and no more than an eighth unused.
fn pages_of(stride: usize) -> usize {
    let fits = |pages: &usize| {
        let room = (pages << PAGE_SHIFT) - BLOCK_HEADER - (FIRST - SMALL_HEADER);
        room / stride >= 8 && room % stride <= room / 8
    };
    (1..SPAN_PAGES).find(fits).unwrap_or(SPAN_PAGES)
}

const _: () = assert!(Span::BYTES <= FIRST - SMALL_HEADER);
const _: () = assert!(2 * size_of::<usize>() == GRANULE);
