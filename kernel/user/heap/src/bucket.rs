//! Buckets: the spans of one size, those with free blocks as a list.
//!
//! The list's first span is allocated from. A span whose last block is freed goes back to the back end, unless it is that
//! one, or the only other one without busy blocks: a program that frees what is oldest would otherwise make and end spans all
//! the time. What buckets keep in that way is bounded, see [`Core::end_idle_spans`].
//!
//! As Windows does it, the first blocks of a size come from the back end, until it is clear that there will be more.

use nt_abi::heap::HEAP_COMPATIBILITY_LFH;

use crate::Pages;
use crate::bins::Wanted;
use crate::block::State;
use crate::errors::{CorruptionKind, Done, Fault, damage};
use crate::header::Core;
use crate::memory::low;
use crate::segment::{BLOCKS, SPAN, SPAN_PAGES};
use crate::sizes::{
    BLOCK_HEADER, BUCKETS, GRANULE_SHIFT, LINEAR_END, PAGE, PAGE_SHIFT, SMALL_HEADER, stride_of,
};
use crate::span::{Cold, FIRST, ONE, Span};

/// How many blocks of a size the back end gives before the front end does.
const BEFORE_SPANS: u32 = 17;

impl<P: Pages> Core<'_, P> {
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
        let stride = low(cold.stride() >> GRANULE_SHIFT);
        let page = low(PAGE >> GRANULE_SHIFT);
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
            self.set_small_free(data, next);
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
                fresh: low(FIRST >> GRANULE_SHIFT),
                end: low(end),
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

    /// Whether nothing is to be done for a span of which a block was freed that was the first free one or the last busy one:
    /// it is its bucket's first one, which is the case of a program that allocates and frees in turn.
    ///
    /// What is read here is not verified, and leads to nothing.
    #[inline(always)]
    pub(crate) fn is_settled(self, span: Span) -> bool {
        let bucket = (span.shape().get() & 0xFFFF) as usize;
        if self.header.buckets().item(2 * bucket).get() != span.0 {
            return false;
        }
        let bits = self.header.idle_buckets().item(bucket / 32);
        span.state().get() >= ONE || bits.get() & 1 << (bucket % 32) != 0
    }

    /// Does what is to be done for such a span.
    #[inline(never)]
    pub(crate) fn settle(self, span: Span) -> Done {
        let (_, used) = self.state(span)?;
        let mut cold = self.cold(span)?;
        if !cold.listed {
            self.list(span, cold)?;
            cold = self.cold(span)?;
        }
        if used != 0 {
            return Ok(());
        }
        let bucket = cold.bucket;
        if self.active(bucket)? != span.0 {
            if self
                .spare_span(bucket)
                .is_some_and(|(spare, _)| spare != span)
            {
                return self.end_span(span, cold);
            }
            self.header.spare_spans().item(bucket).set(span.0);
        } else {
            let bits = self.header.idle_buckets().item(bucket / 32);
            bits.set(bits.get() | 1 << (bucket % 32));
        }
        let count = self.header.idle_span_pages();
        let pages = (count.get() as usize).saturating_add(cold.pages);
        count.set(low(pages));
        let keep = self.header.committed().get() / 8;
        let keep = keep.max(self.header.total_threshold().get());
        if pages <= keep >> PAGE_SHIFT {
            return Ok(());
        }
        self.end_idle_spans(bucket, keep)
    }

    /// The span without busy blocks that a bucket keeps besides its first one, if the one that is noted still is one.
    fn spare_span(self, bucket: usize) -> Option<(Span, Cold)> {
        let at = self.header.spare_spans().item(bucket).get();
        if at == 0 || self.active(bucket).ok()? == at {
            return None;
        }
        let span = self.span_at(at).ok()?;
        let cold = self.cold(span).ok()?;
        let (_, used) = self.state(span).ok()?;
        (used == 0 && cold.bucket == bucket && cold.listed).then_some((span, cold))
    }

    /// The span that a bucket allocates from, if it has no busy blocks.
    fn idle_span(self, bucket: usize) -> Done<Option<(Span, Cold)>> {
        let active = self.active(bucket)?;
        if active == self.header.no_span().address() {
            return Ok(None);
        }
        let span = self.span_at(active)?;
        let (_, used) = self.state(span)?;
        Ok((used == 0).then_some((span, self.cold(span)?)))
    }

    /// Gives back the spans without busy blocks that buckets keep, if all of them have more bytes than are to be kept. Those
    /// of one bucket, if it is not 0, stay.
    pub(crate) fn end_idle_spans(self, but: usize, keep: usize) -> Done {
        for word in 0..BUCKETS / 32 + 1 {
            self.header.idle_buckets().item(word).set(0);
        }
        self.header.idle_span_pages().set(0);
        let mut bytes = 0;
        for bucket in 1..BUCKETS {
            for (_, cold) in [self.idle_span(bucket)?, self.spare_span(bucket)]
                .into_iter()
                .flatten()
            {
                bytes += cold.pages << PAGE_SHIFT;
            }
        }
        if bytes <= keep {
            return Ok(());
        }
        for bucket in (1..BUCKETS).filter(|&bucket| bucket != but) {
            if let Some((span, cold)) = self.spare_span(bucket) {
                self.end_span(span, cold)?;
            }
            if let Some((span, cold)) = self.idle_span(bucket)? {
                self.end_span(span, cold)?;
            }
        }
        Ok(())
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
}

/// How many pages a bucket's first spans have: eight blocks at least, of large ones four, and no more than an eighth unused.
fn pages_of(stride: usize) -> usize {
    let blocks = if stride <= LINEAR_END { 8 } else { 4 };
    let fits = |pages: &usize| {
        let room = (pages << PAGE_SHIFT) - BLOCK_HEADER - (FIRST - SMALL_HEADER);
        room / stride >= blocks && room % stride <= room / 8
    };
    (1..SPAN_PAGES).find(fits).unwrap_or(SPAN_PAGES)
}
