//! Segments: what the heap has reserved, and which of its pages have what.
//!
//! A segment begins with its **map**, one entry of two bytes for each page: not committed, committed for the back end, or the
//! n-th page of a span of small blocks. (In the first segment the heap's header is before the map.) The map is what the
//! heap trusts: it never looks at an address of a program's before the map has said that there is a page, and of which
//! kind. The second byte of an entry is made of the first one and the cookie.
//!
//! A segment may be reserved for much more than it ever uses. Only the entries below its `high` mark exist; those of new
//! pages of the map are zero, as the system gives them.

use nt_abi::heap::HeapFlags;

use crate::errors::{CorruptionKind, Done, Fault, damage};
use crate::header::{Core, HEADER_BYTES, SEGMENTS, SegmentRecord};
use crate::memory::{self, Number, fold, low};
use crate::sizes::{GRANULE, PAGE, PAGE_SHIFT, UNIT, down, up};
use crate::{Access, Pages};

/// A page without memory.
pub(crate) const NOTHING: u16 = 0;
/// A page of the back end.
pub(crate) const BLOCKS: u16 = 1;
/// The first page of a span; the next ones have the numbers behind it.
pub(crate) const SPAN: u16 = 2;
/// The most pages that a span has.
pub(crate) const SPAN_PAGES: usize = 32;
/// The last page of a span that has so many.
const SPAN_LAST: u16 = SPAN + 31;

/// The most free pages that a heap keeps because it needed them again: those of the largest blocks that it has.
const MOST_PATIENCE: usize = 128;
/// Room for the header of a segment's first block.
const HEAD_ROOM: usize = 64;

/// A segment, its record having been verified.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    /// Its number.
    pub(crate) index: usize,
    /// Its first byte.
    pub(crate) base: usize,
    /// Behind its last byte.
    pub(crate) end: usize,
    /// Its first block.
    pub(crate) first: usize,
    /// How many of its pages have an entry in the map.
    high: usize,
    /// Whether the memory is the caller's.
    pub(crate) borrowed: bool,
}

impl Segment {
    fn map(&self) -> usize {
        map_of(self.index, self.base)
    }

    /// The number of the page that an address is in.
    fn page(&self, address: usize) -> usize {
        (address - self.base) >> PAGE_SHIFT
    }

    /// Where the entry of a page is.
    fn entry(&self, page: usize) -> usize {
        self.map() + 2 * page
    }

    /// Whether an address can be one of its blocks' or in one.
    pub(crate) fn holds(&self, address: usize) -> bool {
        address >= self.first && address < self.end
    }
}

fn map_of(index: usize, base: usize) -> usize {
    if index == 0 {
        base + HEADER_BYTES
    } else {
        base
    }
}

/// Where the first block of a segment is.
pub(crate) fn first_of(index: usize, base: usize, bytes: usize) -> usize {
    up(
        map_of(index, base) + 2 * (bytes >> PAGE_SHIFT),
        GRANULE.max(16),
    )
}

/// How many pages have entries in a new segment's map: those up to its first block.
fn high_of_head(index: usize, base: usize, bytes: usize) -> usize {
    (up(first_of(index, base, bytes) + HEAD_ROOM, PAGE) - base) >> PAGE_SHIFT
}

/// Which bytes of a new segment must be committed: those of the header, of the map's entries that it begins with, and those
/// of its first block's header. The second range may be empty.
pub(crate) fn head_of(index: usize, base: usize, bytes: usize) -> [(usize, usize); 2] {
    let map = up(
        map_of(index, base) + 2 * high_of_head(index, base, bytes),
        PAGE,
    );
    let first = first_of(index, base, bytes);
    let from = down(first, PAGE).max(map);
    [(base, map), (from, up(first + HEAD_ROOM, PAGE).max(from))]
}

impl<P: Pages> Core<'_, P> {
    /// How pages of this heap are protected.
    pub(crate) fn access(self) -> Access {
        if self.has(HeapFlags::CREATE_ENABLE_EXECUTE) {
            Access::Execute
        } else {
            Access::Data
        }
    }

    fn record(self, index: usize) -> SegmentRecord {
        SegmentRecord(
            self.header
                .segments()
                .address()
                .wrapping_add(index.min(SEGMENTS - 1) * SegmentRecord::BYTES),
        )
    }

    /// How many records there are.
    pub(crate) fn segment_count(self) -> usize {
        (self.header.segment_count().get() as usize).min(SEGMENTS)
    }

    fn record_seal(self, segment: &Segment) -> usize {
        let number = 2 * segment.index + usize::from(segment.borrowed);
        fold(
            self.cookie,
            [
                segment.base,
                segment.end,
                segment.first,
                segment.high,
                number,
            ],
        )
    }

    /// A segment by its number; `None` if it is not used.
    pub(crate) fn segment(self, index: usize) -> Done<Option<Segment>> {
        let record = self.record(index);
        let segment = Segment {
            index,
            base: record.base().get(),
            end: record.end().get(),
            first: record.first().get(),
            high: record.high().get(),
            borrowed: record.borrowed().get() == 1,
        };
        if record.seal().get() != self.record_seal(&segment) {
            return Err(damage(CorruptionKind::Segment, record.0));
        }
        Ok((segment.base != 0).then_some(segment))
    }

    fn set_segment(self, segment: &Segment) {
        let record = self.record(segment.index);
        record.base().set(segment.base);
        record.end().set(segment.end);
        record.first().set(segment.first);
        record.high().set(segment.high);
        record.borrowed().set(usize::from(segment.borrowed));
        record.seal().set(self.record_seal(segment));
    }

    /// The segment that an address lies in.
    pub(crate) fn segment_of(self, address: usize) -> Done<Option<Segment>> {
        let hint = self.header.hint().get() as usize;
        let record = self.record(hint);
        let inside =
            |record: SegmentRecord| record.base().get() <= address && address < record.end().get();
        if inside(record) {
            return self.segment(hint.min(SEGMENTS - 1));
        }
        for index in 0..self.segment_count() {
            if inside(self.record(index)) {
                let index_in_header = u32::try_from(index).unwrap_or(0);
                self.header.hint().set(index_in_header);
                return self.segment(index);
            }
        }
        Ok(None)
    }

    /// The segment that an address of the heap's own data lies in, which is one.
    pub(crate) fn own_segment(self, address: usize, kind: CorruptionKind) -> Done<Segment> {
        match self.segment_of(address)? {
            Some(segment) if segment.holds(address) => Ok(segment),
            _ => Err(damage(kind, address)),
        }
    }

    /// What a page has: [`NOTHING`], [`BLOCKS`], [`SPAN`] or a following number.
    #[inline]
    pub(crate) fn page_kind(self, segment: &Segment, address: usize) -> Done<u16> {
        let page = segment.page(address);
        if page >= segment.high {
            return Ok(NOTHING);
        }
        let entry = u16::load(segment.entry(page));
        let kind = entry & 0xFF;
        if entry == 0 || (entry == self.entry(kind) && kind <= SPAN_LAST) {
            Ok(kind)
        } else {
            Err(damage(CorruptionKind::Segment, segment.entry(page)))
        }
    }

    /// The entry for a kind. Its second byte has its highest bit set, no kind has, so no single changed byte makes an entry.
    fn entry(self, kind: u16) -> u16 {
        if kind == NOTHING {
            return 0;
        }
        let cookie = (low(self.cookie >> 8) & 0x7F) as u16 | 0x80;
        kind | (kind ^ cookie) << 8
    }

    /// Sets the kind of pages that have an entry.
    pub(crate) fn set_page_kind(self, segment: &Segment, address: usize, kind: u16) {
        let page = segment.page(address);
        if page < segment.high {
            u16::store(segment.entry(page), self.entry(kind));
        }
    }

    /// Whether there is a page behind all of these bytes, which are no more than a page.
    #[inline]
    pub(crate) fn is_committed(
        self,
        segment: &Segment,
        address: usize,
        bytes: usize,
    ) -> Done<bool> {
        if address < segment.first || address > segment.end - bytes {
            return Ok(false);
        }
        Ok(self.page_kind(segment, address)? != NOTHING
            && (address & (PAGE - 1) <= PAGE - bytes
                || self.page_kind(segment, address + bytes - 1)? != NOTHING))
    }

    /// How many of the pages from one address to another are committed. Both are page boundaries.
    pub(crate) fn count_committed(self, segment: &Segment, from: usize, to: usize) -> Done<usize> {
        let mut count = 0;
        let mut page = from;
        let to = to.min(segment.base + (segment.high << PAGE_SHIFT));
        while page < to {
            count += usize::from(self.page_kind(segment, page)? != NOTHING);
            page += PAGE;
        }
        Ok(count)
    }

    /// The page behind one that has nothing; behind all that were never used, if it is one of these.
    pub(crate) fn skip(self, segment: &Segment, page: usize, to: usize) -> usize {
        if segment.page(page) >= segment.high {
            to
        } else {
            page + PAGE
        }
    }

    /// Makes sure that all pages that these bytes touch are committed, and gives how many were not. Where one was not, those
    /// up to `wish` are tried as well.
    ///
    /// If there is no memory, some pages may have been committed: their number is in `added` all the same.
    pub(crate) fn commit(
        self,
        segment: &mut Segment,
        from: usize,
        to: usize,
        wish: usize,
        added: &mut usize,
    ) -> Done {
        let (from, to) = (down(from, PAGE), up(to, PAGE));
        let wish = up(wish, PAGE).min(segment.end).max(to);
        let mut page = from;
        while page < to {
            if self.page_kind(segment, page)? != NOTHING {
                page += PAGE;
                continue;
            }
            let mut end = page + PAGE;
            while end < wish && self.page_kind(segment, end)? == NOTHING {
                end += PAGE;
            }
            if self.commit_run(segment, page, end, added).is_err() {
                // What was only wished for must not stand in the way.
                if end <= to {
                    return Err(Fault::NoMemory);
                }
                end = to;
                self.commit_run(segment, page, end, added)?;
            }
            page = end;
        }
        Ok(())
    }

    fn commit_run(self, segment: &mut Segment, from: usize, to: usize, added: &mut usize) -> Done {
        let again = segment.page(from) < segment.high;
        self.raise_high(segment, segment.page(to - 1) + 1)?;
        self.pages
            .commit(from, to - from, self.access())
            .map_err(|_| Fault::NoMemory)?;
        self.mark(segment, from, to);
        let count = (to - from) >> PAGE_SHIFT;
        *added += count;
        self.add_committed(to - from);
        if again {
            // These pages were given back too early; a program that goes on so shall not pay for it each time.
            let patience = self.header.patience();
            patience.set(patience.get().saturating_mul(2).clamp(16, MOST_PATIENCE));
        }
        Ok(())
    }

    /// Enters pages that are committed already, and gives how many there are.
    pub(crate) fn adopt(self, segment: &mut Segment, from: usize, to: usize) -> Done<usize> {
        let (from, to) = (down(from, PAGE), down(to, PAGE));
        if from >= to {
            return Ok(0);
        }
        self.raise_high(segment, segment.page(to - 1) + 1)?;
        self.mark(segment, from, to);
        self.add_committed(to - from);
        Ok((to - from) >> PAGE_SHIFT)
    }

    /// Makes the map reach so many pages.
    fn raise_high(self, segment: &mut Segment, high: usize) -> Done {
        if high <= segment.high {
            return Ok(());
        }
        let old = segment.high;
        let has = up(segment.entry(old), PAGE);
        let needs = up(segment.entry(high), PAGE).min(down(segment.first, PAGE));
        if needs > has {
            self.pages
                .commit(has, needs - has, self.access())
                .map_err(|_| Fault::NoMemory)?;
            self.add_committed(needs - has);
        }
        if segment.borrowed {
            memory::clear(segment.entry(old), 2 * (high - old));
        }
        segment.high = high;
        self.set_segment(segment);
        self.mark(segment, has, needs);
        Ok(())
    }

    /// Enters pages as committed.
    fn mark(self, segment: &Segment, from: usize, to: usize) {
        let mut page = from;
        while page < to {
            self.set_page_kind(segment, page, BLOCKS);
            page += PAGE;
        }
    }

    /// Gives back committed pages between two page boundaries, at most so many; gives how many it were.
    pub(crate) fn decommit(
        self,
        segment: &Segment,
        from: usize,
        to: usize,
        most: usize,
    ) -> Done<usize> {
        let to = to.min(segment.base + (segment.high << PAGE_SHIFT));
        let mut done = 0;
        let mut page = from;
        while page < to && done < most {
            if self.page_kind(segment, page)? == NOTHING {
                page += PAGE;
                continue;
            }
            let mut end = page + PAGE;
            while end < to && self.page_kind(segment, end)? != NOTHING {
                end += PAGE;
            }
            if self.pages.decommit(page, end - page).is_ok() {
                done += (end - page) >> PAGE_SHIFT;
                self.sub_committed(end - page);
                while page < end {
                    self.set_page_kind(segment, page, NOTHING);
                    page += PAGE;
                }
            }
            page = end;
        }
        Ok(done)
    }

    /// Makes the record of a segment whose head is committed. It has no blocks yet.
    pub(crate) fn add_segment(
        self,
        index: usize,
        base: usize,
        bytes: usize,
        borrowed: bool,
    ) -> Segment {
        let segment = Segment {
            index,
            base,
            end: base + bytes,
            first: first_of(index, base, bytes),
            high: high_of_head(index, base, bytes),
            borrowed,
        };
        if borrowed {
            memory::clear(segment.map(), 2 * segment.high);
        }
        self.set_segment(&segment);
        for (from, to) in head_of(index, base, bytes) {
            self.mark(&segment, from, to);
            self.add_committed(to - from);
        }
        if index >= self.segment_count() {
            let count = u32::try_from(index + 1).unwrap_or(0);
            self.header.segment_count().set(count);
        }
        let reserved = self.header.reserved();
        reserved.set(reserved.get().wrapping_add(bytes));
        segment
    }

    /// Reserves a segment for a block of so many bytes.
    pub(crate) fn new_segment(self, need: usize) -> Done<Segment> {
        if !self.has(HeapFlags::GROWABLE) {
            return Err(Fault::NoMemory);
        }
        let mut index = 1;
        while index < self.segment_count() && self.segment(index)?.is_some() {
            index += 1;
        }
        if index >= SEGMENTS {
            return Err(Fault::NoMemory);
        }
        // The map takes a two-thousandth of it; the free block, its header.
        let least = need
            .checked_add(need / 1024 + 2 * PAGE)
            .filter(|&bytes| bytes < usize::MAX / 4)
            .map(|bytes| up(bytes, UNIT))
            .ok_or(Fault::NoMemory)?;
        let most = if size_of::<usize>() == 8 {
            1 << 30
        } else {
            1 << 26
        };
        let wanted = self
            .header
            .reserved()
            .get()
            .min(most)
            .max(self.header.segment_reserve().get().min(most));
        let mut bytes = up(wanted, UNIT).max(least);
        let base = loop {
            match self.pages.reserve(bytes, self.access()) {
                Ok(base) => break base,
                Err(_) if bytes > least => bytes = up(bytes / 2, UNIT).max(least),
                Err(_) => return Err(Fault::NoMemory),
            }
        };
        for (from, to) in head_of(index, base, bytes) {
            if from < to && self.pages.commit(from, to - from, self.access()).is_err() {
                // What cannot be given back stays reserved; nobody knows of it.
                let _ = self.pages.release(base);
                return Err(Fault::NoMemory);
            }
        }
        Ok(self.add_segment(index, base, bytes, false))
    }

    /// Gives back a segment that has no blocks and is not the first one.
    pub(crate) fn release_segment(self, segment: &Segment) -> Done {
        let committed = self.count_committed(segment, segment.base, segment.end)?;
        if self.pages.release(segment.base).is_err() {
            return Err(Fault::Refused);
        }
        self.sub_committed(committed << PAGE_SHIFT);
        let reserved = self.header.reserved();
        reserved.set(reserved.get().wrapping_sub(segment.end - segment.base));
        self.set_segment(&Segment {
            base: 0,
            end: 0,
            first: 0,
            high: 0,
            ..*segment
        });
        Ok(())
    }
}
