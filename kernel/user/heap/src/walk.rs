//! All parts of a heap, one after the other.
//!
//! Nothing is remembered between two steps: a step finds the part that the caller names again, and gives the next one. The
//! order is that of Windows: each segment, before its blocks; the blocks as they lie; then the large blocks.

use c_interface::{Ptr, field};
use nt_abi::heap::{HEAP_LARGE_SEGMENT_INDEX, HeapEntryFlags};
use nt_abi::native::{Pointer, RtlHeapWalkBlock, RtlHeapWalkEntry, RtlHeapWalkSegment, Size};
use nt_abi::{NtResult, NtStatus};

use crate::block::{Block, HAS_VALUE, State, USER_FLAGS};
use crate::errors::{CorruptionKind, Done, Fault, damage};
use crate::header::Core;
use crate::heap::Heap;
use crate::large::LargeBlock;
use crate::segment::{BLOCKS, NOTHING, Segment};
use crate::sizes::{BLOCK_HEADER, GRANULE_SHIFT, LARGE_HEADER, PAGE, SMALL_HEADER};
use crate::span::{FIRST, Span};
use crate::{Lock, Pages};

/// A part of a heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Where it is.
    pub(crate) address: usize,
    /// How many bytes it has.
    pub(crate) size: usize,
    /// How many bytes of the heap's own are with it.
    pub(crate) overhead: u8,
    /// Its segment.
    pub(crate) segment: u8,
    /// What it is.
    pub(crate) flags: HeapEntryFlags,
    /// The user value.
    pub(crate) value: usize,
}

impl<P: Pages, L: Lock> Heap<'_, P, L> {
    /// Gives the part of the heap behind the one that an entry describes; the first one if its address is 0.
    ///
    /// # NT
    /// `RtlWalkHeap`. Committed pages between two ranges of a free block that are not are not told.
    ///
    /// # Locks
    /// The heap's, for this step alone: who wants all parts has it from the first step to the last.
    ///
    /// # Errors
    /// `STATUS_NO_MORE_ENTRIES` after the last one; `STATUS_INVALID_PARAMETER` for an entry that no step gave, and for damage.
    pub fn walk(&self, entry: Ptr<RtlHeapWalkEntry>) -> NtResult {
        let at = field!(entry, RtlHeapWalkEntry, data_address).read();
        let flags = field!(entry, RtlHeapWalkEntry, flags).read();
        let next = self.locked(self.flags, |core| {
            let next = core.next_part(Ptr::<u8>::at(at).address(), flags)?;
            let segment = match &next {
                Some(part) if part.flags.contains(HeapEntryFlags::SEGMENT) => {
                    Some(core.describe(part)?)
                }
                _ => None,
            };
            Ok(next.map(|part| (part, segment)))
        });
        let (part, segment) = match next {
            Ok(Some(next)) => next,
            Ok(None) => return Err(NtStatus::NO_MORE_ENTRIES),
            Err(fault) => return Err(fault.failure(false).status),
        };
        field!(entry, RtlHeapWalkEntry, data_address).write(part.address as Pointer);
        field!(entry, RtlHeapWalkEntry, data_size).write(part.size as Size);
        field!(entry, RtlHeapWalkEntry, overhead_bytes).write(part.overhead);
        field!(entry, RtlHeapWalkEntry, segment_index).write(part.segment);
        field!(entry, RtlHeapWalkEntry, flags).write(part.flags);
        let details = field!(entry, RtlHeapWalkEntry, details);
        match segment {
            Some(segment) => details.cast::<RtlHeapWalkSegment>().write(segment),
            None => details.cast::<RtlHeapWalkBlock>().write(RtlHeapWalkBlock {
                settable: part.value as Size,
                ..RtlHeapWalkBlock::default()
            }),
        }
        Ok(())
    }
}

/// A number of bytes as the entry of a segment has it.
fn short(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

impl<P: Pages> Core<'_, P> {
    /// What is told of a segment besides.
    fn describe(self, part: &Part) -> Done<RtlHeapWalkSegment> {
        let Some(segment) = self.segment(part.segment.into())? else {
            return Err(Fault::Refused);
        };
        let committed = self.count_committed(&segment, segment.base, segment.end)? * PAGE;
        Ok(RtlHeapWalkSegment {
            committed_size: short(committed),
            un_committed_size: short(segment.end - segment.base - committed),
            first_entry: (segment.first + BLOCK_HEADER) as Pointer,
            last_entry: segment.end as Pointer,
        })
    }

    /// The part behind the one that begins at an address; the first one if that is 0.
    pub(crate) fn next_part(self, at: usize, flags: HeapEntryFlags) -> Done<Option<Part>> {
        if at == 0 {
            return self.segment_from(0);
        }
        let Some(segment) = self.segment_of(at)? else {
            return Ok(self.next_large(Some(at))?.map(|large| large_part(&large)));
        };
        if flags.contains(HeapEntryFlags::SEGMENT) {
            if at != segment.base {
                return Err(Fault::Refused);
            }
            return self.block_from(&segment, segment.first);
        }
        if !segment.holds(at) {
            return Err(Fault::Refused);
        }
        if flags.contains(HeapEntryFlags::UNCOMMITTED_RANGE) {
            let block = self.around(&segment, at)?;
            let (_, to) = block.inside();
            if at & (PAGE - 1) != 0 || at >= to {
                return Err(Fault::Refused);
            }
            let mut page = at;
            while page < to && self.page_kind(&segment, page)? == NOTHING {
                page = self.skip(&segment, page, to);
            }
            return self.hole_from(&segment, &block, page);
        }
        match self.page_kind(&segment, at)? {
            NOTHING => Err(Fault::Refused),
            BLOCKS => {
                let header = at - BLOCK_HEADER;
                if !segment.holds(header) {
                    return Err(Fault::Refused);
                }
                let block = self.block(&segment, header)?;
                if block.state == State::Free {
                    self.hole_from(&segment, &block, block.inside().0)
                } else {
                    self.block_from(&segment, block.end())
                }
            }
            kind => {
                let span = self.span_of(&segment, at, kind)?;
                let stride = self.cold(span)?.stride();
                let offset = at.wrapping_sub(span.0);
                if offset < FIRST || !(offset - FIRST).is_multiple_of(stride) {
                    return Err(Fault::Refused);
                }
                self.small_from(&segment, span, offset + stride)
            }
        }
    }

    /// The first segment that is used from a number on, or the first large block.
    fn segment_from(self, index: usize) -> Done<Option<Part>> {
        for index in index..self.segment_count() {
            if let Some(segment) = self.segment(index)? {
                return Ok(Some(Part {
                    address: segment.base,
                    size: segment.first - segment.base,
                    overhead: 0,
                    segment: number(&segment),
                    flags: HeapEntryFlags::SEGMENT,
                    value: 0,
                }));
            }
        }
        Ok(self.next_large(None)?.map(|large| large_part(&large)))
    }

    /// The part that begins where a block does.
    fn block_from(self, segment: &Segment, at: usize) -> Done<Option<Part>> {
        if at >= segment.end {
            return self.segment_from(segment.index + 1);
        }
        let block = self.block(segment, at)?;
        let part = |size: usize, flags: HeapEntryFlags, value: usize| Part {
            address: block.data(),
            size,
            overhead: 16,
            segment: number(segment),
            flags,
            value,
        };
        Ok(Some(match block.state {
            State::Busy => {
                let value = block
                    .value()
                    .map_or(0, |at| crate::memory::Place::<usize>::at(at).get());
                part(block.requested(), busy_flags(block.flags), value)
            }
            State::Free => {
                let hole = self.next_hole(segment, &block, block.inside().0)?;
                let end = hole.map_or(block.end(), |(from, _)| from);
                part(end - block.data(), HeapEntryFlags(0), 0)
            }
            State::Span => return self.small_from(segment, Span(block.data()), FIRST),
        }))
    }

    /// The small block at an offset of a span, or what is behind the span.
    fn small_from(self, segment: &Segment, span: Span, offset: usize) -> Done<Option<Part>> {
        let cold = self.cold(span)?;
        let granule = crate::memory::low(offset >> GRANULE_SHIFT);
        if granule >= cold.fresh {
            let block = self.block(segment, span.0 - BLOCK_HEADER)?;
            if block.state != State::Span {
                return Err(damage(CorruptionKind::BlockHeader, block.at));
            }
            return self.block_from(segment, block.end());
        }
        let data = span.0 + offset;
        let mut part = Part {
            address: data,
            size: cold.stride() - SMALL_HEADER,
            overhead: 8,
            segment: number(segment),
            flags: HeapEntryFlags::LFH_ALLOC,
            value: 0,
        };
        if self.peek(span, granule)?.is_none() {
            let small = self.small_block(span, data)?;
            part.size = small.capacity - small.unused;
            part.flags |= busy_flags(small.flags);
        }
        Ok(Some(part))
    }

    /// The first range without pages of a free block from a page on, or what is behind the block.
    fn hole_from(self, segment: &Segment, block: &Block, page: usize) -> Done<Option<Part>> {
        match self.next_hole(segment, block, page)? {
            Some((from, to)) => Ok(Some(Part {
                address: from,
                size: to - from,
                overhead: 0,
                segment: number(segment),
                flags: HeapEntryFlags::UNCOMMITTED_RANGE,
                value: 0,
            })),
            None => self.block_from(segment, block.end()),
        }
    }

    fn next_hole(
        self,
        segment: &Segment,
        block: &Block,
        from: usize,
    ) -> Done<Option<(usize, usize)>> {
        let (_, to) = block.inside();
        let mut page = from;
        while page < to && self.page_kind(segment, page)? != NOTHING {
            page += PAGE;
        }
        let begin = page;
        while page < to && self.page_kind(segment, page)? == NOTHING {
            page = self.skip(segment, page, to);
        }
        Ok((begin < to).then_some((begin, page.min(to))))
    }

    /// The block that has an address inside of it.
    fn around(self, segment: &Segment, address: usize) -> Done<Block> {
        let mut at = segment.first;
        loop {
            let block = self.block(segment, at)?;
            if address < block.end() {
                return Ok(block);
            }
            at = block.end();
            if at >= segment.end {
                return Err(Fault::Refused);
            }
        }
    }
}

fn number(segment: &Segment) -> u8 {
    u8::try_from(segment.index).unwrap_or(u8::MAX)
}

/// The flags of a busy block's entry.
fn busy_flags(flags: u8) -> HeapEntryFlags {
    let marks = u16::from(flags & (USER_FLAGS | HAS_VALUE)) << 4;
    HeapEntryFlags(HeapEntryFlags::BUSY.0 | marks)
}

fn large_part(large: &LargeBlock) -> Part {
    Part {
        address: large.data,
        size: large.requested,
        overhead: u8::try_from(LARGE_HEADER).unwrap_or(0),
        segment: HEAP_LARGE_SEGMENT_INDEX,
        flags: busy_flags(large.flags) | HeapEntryFlags::LARGE_ALLOC,
        value: large.value,
    }
}
