//! Everything that must be true of a heap.

use nt_abi::heap::HeapFlags;

use crate::block::{FreeBlock, LEAST, State};
use crate::errors::{Corruption, CorruptionKind, Done, Fault, damage};
use crate::header::Core;
use crate::heap::Heap;
use crate::segment::{SPAN, Segment};
use crate::sizes::{BINS, BLOCK_HEADER, BUCKETS, GRANULE_SHIFT, PAGE, PAGE_SHIFT, bin_of, down};
use crate::span::{FIRST, Span};
use crate::{Lock, Pages};

/// What is counted on the way.
#[derive(Default)]
struct Count {
    free: usize,
    idle: usize,
    listed: usize,
}

impl<P: Pages, L: Lock> Heap<'_, P, L> {
    /// Looks at everything.
    ///
    /// # NT
    /// `RtlValidateHeap` without a block.
    ///
    /// # Errors
    /// The first damage that was found.
    pub fn validate(&self, flags: HeapFlags) -> Result<(), Corruption> {
        self.locked(flags.0 | self.flags, Core::validate)
            .map_err(|fault| match fault {
                Fault::Damage(corruption) => corruption,
                _ => Corruption {
                    address: self.handle(),
                    kind: CorruptionKind::HeapHeader,
                },
            })
    }
}

impl<P: Pages> Core<'_, P> {
    fn validate(self) -> Done {
        let mut count = Count::default();
        for index in 0..self.segment_count() {
            if let Some(segment) = self.segment(index)? {
                self.validate_segment(&segment, &mut count)?;
            }
        }
        self.validate_bins(&count)?;
        self.validate_buckets(&count)?;
        let mut large = None;
        let mut larges = 0;
        while let Some(next) = self.next_large(large)? {
            // With the bytes before it.
            self.large_block(next.data)?;
            large = Some(next.data);
            larges += 1;
        }
        if larges == self.header.large_count().get() {
            Ok(())
        } else {
            Err(damage(CorruptionKind::LargeRecord, self.header.0))
        }
    }

    fn validate_segment(self, segment: &Segment, count: &mut Count) -> Done {
        // The map's entries of its own pages, too.
        self.count_committed(segment, segment.base, segment.end)?;
        let mut at = segment.first;
        let mut last_was_free = false;
        while at < segment.end {
            let block = self.block(segment, at)?;
            let wrong = || damage(CorruptionKind::BlockHeader, at);
            if let Some(next) = self.after(segment, &block)? {
                self.before(segment, &next)?;
            }
            if (at == segment.first) != (block.before == 0) {
                return Err(wrong());
            }
            let pages = down(at, PAGE);
            let end = down(block.end() - 1, PAGE) + PAGE;
            match block.state {
                State::Free => {
                    let free = self.free_block(segment, block)?;
                    self.validate_free(segment, &free)?;
                    count.free += 1;
                    count.idle += free.pages;
                    if last_was_free {
                        return Err(wrong());
                    }
                }
                State::Busy | State::Span => {
                    if self.count_committed(segment, pages, end)? != (end - pages) >> PAGE_SHIFT {
                        return Err(damage(CorruptionKind::Segment, at));
                    }
                }
            }
            if block.state == State::Span {
                let listed = self.validate_span(segment, Span(block.data()), block.end())?;
                count.listed += usize::from(listed);
            }
            last_was_free = block.state == State::Free;
            at = block.end();
        }
        Ok(())
    }

    fn validate_free(self, segment: &Segment, free: &FreeBlock) -> Done {
        let (from, to) = free.block.inside();
        if self.count_committed(segment, from, to)? != free.pages {
            return Err(damage(CorruptionKind::FreeList, free.block.at));
        }
        Ok(())
    }

    fn validate_bins(self, count: &Count) -> Done {
        let mut blocks = 0;
        for bin in 0..BINS {
            let place = self.header.bins().item(bin);
            let mut at = place.get();
            let bit = self.header.bin_bits().item(bin / 32).get() >> (bin % 32) & 1 == 1;
            if bit != (at != 0) {
                return Err(damage(CorruptionKind::HeapHeader, place.address()));
            }
            let mut previous = 0;
            while at != 0 {
                let segment = self.own_segment(at, CorruptionKind::FreeList)?;
                let free = self.linked(&segment, at)?;
                let right = bin_of(crate::block::granules(free.block.size)) == bin;
                if free.previous != previous || !right || blocks == count.free {
                    return Err(damage(CorruptionKind::FreeList, at));
                }
                blocks += 1;
                previous = at;
                at = free.next;
            }
        }
        if blocks != count.free || self.header.idle().get() != count.idle {
            return Err(damage(CorruptionKind::FreeList, self.header.0));
        }
        Ok(())
    }

    /// Looks at a span; whether it is on its bucket's list.
    fn validate_span(self, segment: &Segment, span: Span, end: usize) -> Done<bool> {
        let wrong = || damage(CorruptionKind::SpanHeader, span.0);
        let cold = self.cold(span)?;
        // What was too little for a block of its own may be behind it.
        let least = span.0 + (cold.pages << PAGE_SHIFT) - BLOCK_HEADER;
        if end < least || end >= least + LEAST {
            return Err(wrong());
        }
        for (kind, page) in (SPAN..).zip(0..cold.pages) {
            if self.page_kind(segment, span.0 + (page << PAGE_SHIFT))? != kind {
                return Err(damage(CorruptionKind::Segment, span.0));
            }
        }
        let (head, used) = self.state(span)?;
        let stride = crate::memory::low(cold.stride() >> GRANULE_SHIFT);
        let (mut busy, mut free) = (0, 0);
        let mut offset = crate::memory::low(FIRST >> GRANULE_SHIFT);
        while offset < cold.fresh {
            match self.peek(span, offset)? {
                None => busy += 1,
                Some(_) => free += 1,
            }
            offset += stride;
        }
        if busy != used || offset != cold.fresh {
            return Err(wrong());
        }
        let mut at = head;
        while at != 0 {
            let next = if free == 0 || at >= cold.fresh {
                None
            } else {
                self.peek(span, at)?
            };
            let Some(next) = next else {
                return Err(damage(CorruptionKind::FreeList, span.0));
            };
            free -= 1;
            at = next;
        }
        if free != 0 {
            return Err(damage(CorruptionKind::FreeList, span.0));
        }
        Ok(cold.listed)
    }

    fn validate_buckets(self, count: &Count) -> Done {
        let mut listed = 0;
        for bucket in 1..BUCKETS {
            let mut at = self.active(bucket)?;
            let mut previous = 0;
            while at != 0 && at != self.header.no_span().address() {
                let (span, cold) = self.listed_span(at)?;
                let right = cold.bucket == bucket && cold.listed && cold.previous == previous;
                if !right || listed == count.listed {
                    return Err(damage(CorruptionKind::SpanHeader, at));
                }
                listed += 1;
                previous = span.0;
                at = cold.next;
            }
        }
        if listed == count.listed {
            Ok(())
        } else {
            Err(damage(CorruptionKind::HeapHeader, self.header.0))
        }
    }
}
