//! A heap's header, in the first pages of its first segment, and the seals on what it says.
//!
//! Every address in the header is believed only with its seal: a second word that depends on the address and on the heap's
//! cookie. What is not sealed (counters, thresholds) can be wrong without leading out of the heap.

use nt_abi::heap::HeapFlags;

use crate::Pages;
use crate::errors::{CorruptionKind, Done, damage};
use crate::memory::{low, mix, mix_word, places};
use crate::sizes::{BINS, BUCKETS, PAGE, PAGE_SHIFT, up};

/// How many segments a heap can have. Each one is as large as all before it, so that it is many.
pub(crate) const SEGMENTS: usize = 64;
/// How many pages the front end remembers.
pub(crate) const REMEMBERED: usize = 256;
/// `RTL_HEAP_SEGMENT_SIGNATURE` as it stands in memory, where programs look for it.
const SEGMENT_SIGNATURE: u32 = 0xFFEE_FFEE;
/// What a heap's signature is besides its address: a run of ones, which ARM64 has as an immediate.
const SIGNATURE: usize = 0x7FFF_0000;
/// Room for the lock, in words.
pub(crate) const LOCK_WORDS: usize = 8;

places! {
    /// A heap's header.
    ///
    /// `flags`, `force_flags` and `segment_signature` are where Windows has them, because programs look at them.
    struct Header: HeaderLayout {
        /// The address and a constant in one.
        signature: usize,
        /// The heap's secret. Its lowest four bits are not zero.
        cookie: usize,
        segment_signature: u32,
        automatic_flags: u32,
        /// Bytes that a new segment has at least.
        segment_reserve: usize,
        /// Bytes that are committed at once, at least.
        segment_commit: usize,
        /// Bytes of the smallest free block whose pages are given back.
        block_threshold: usize,
        /// Free bytes that the heap keeps committed.
        total_threshold: usize,
        /// The largest block, in bytes.
        largest: usize,
        /// Above so many bytes a block has a reservation of its own.
        large_above: usize,
        /// The caller's own lock.
        lock: usize,
        /// How many segments have an entry below, used or not.
        segment_count: u32,
        /// `HEAP_COMPATIBILITY_*`.
        mode: u32,
        /// Committed bytes, large blocks included.
        committed: usize,
        /// Reserved bytes of segments.
        reserved: usize,
        /// Committed pages inside of free blocks.
        idle: usize,
        flags: u32,
        force_flags: u32,
        /// How many free pages are kept now, at least: grows when pages that were given back are wanted again.
        patience: usize,
        /// The records of large blocks: where, how many have room, how many there are, the seal.
        directory: usize,
        directory_slots: usize,
        large_count: usize,
        directory_seal: usize,
        /// The segment that an address was found in last.
        hint: u32,
        /// How many pages buckets keep in spans without busy blocks, at most.
        idle_span_pages: u32,
        /// A segment without blocks that is kept; 0 for none.
        spare_segment: u32,
        /// Which bits of a block's size are zero, at least.
        alignment: u32,
        /// The seal on `lock`.
        lock_seal: usize,
        /// A span without blocks, for buckets that have none: only the two words that a span begins with.
        no_span: [u32; 2],
        /// The heap's own lock.
        lock_room: [usize; LOCK_WORDS],
        /// Which bins have blocks.
        bin_bits: [u32; BINS / 32 + 1],
        /// The first free block of each bin.
        bins: [usize; BINS],
        /// By bucket: the span to allocate from, and its seal.
        buckets: [usize; 2 * BUCKETS],
        /// By bucket: how many blocks the back end gave, below the number of spans.
        bucket_use: [u32; BUCKETS],
        /// By bucket: a span without busy blocks that it keeps besides the first one. It may no longer be one.
        spare_spans: [usize; BUCKETS],
        /// Which buckets kept a span without busy blocks since these were counted last.
        idle_buckets: [u32; BUCKETS / 32 + 1],
        /// By low bits of the page's number: the span that it belongs to, and the seal.
        remembered: [usize; 2 * REMEMBERED],
        /// The segments.
        segments: [usize; SEGMENTS * SegmentRecord::BYTES / size_of::<usize>()],
    }

    /// A segment's record in the header.
    struct SegmentRecord: SegmentRecordLayout {
        /// Its first byte; 0 if there is no segment.
        base: usize,
        /// Behind its last byte.
        end: usize,
        /// Its first block.
        first: usize,
        /// How many of its pages ever had an entry in the map.
        high: usize,
        /// 1 if the memory is the caller's.
        borrowed: usize,
        /// The seal on all of it.
        seal: usize,
    }
}

const _: () =
    assert!(core::mem::offset_of!(HeaderLayout, segment_signature) == 2 * size_of::<usize>());
const _: () = assert!(
    core::mem::offset_of!(HeaderLayout, flags) == if size_of::<usize>() == 8 { 0x70 } else { 0x40 }
);

/// Bytes of the header.
pub(crate) const HEADER_BYTES: usize = up(Header::BYTES, 64);

/// Where the front end's bucket for a total is, when it is a linear one: a bucket has two words, which is a granule.
pub(crate) const BUCKET_OFFSET: usize = core::mem::offset_of!(HeaderLayout, buckets);
/// Where the remembered pages are.
pub(crate) const REMEMBERED_OFFSET: usize = core::mem::offset_of!(HeaderLayout, remembered);
/// Where the heap's own lock is.
pub(crate) const LOCK_OFFSET: usize = core::mem::offset_of!(HeaderLayout, lock_room);

/// Whether this is one of the flags that a heap keeps from its creation.
pub(crate) const KEPT_FLAGS: u32 = HeapFlags::NO_SERIALIZE.0
    | HeapFlags::GROWABLE.0
    | HeapFlags::GENERATE_EXCEPTIONS.0
    | HeapFlags::ZERO_MEMORY.0
    | HeapFlags::REALLOC_IN_PLACE_ONLY.0
    | HeapFlags::CREATE_ALIGN_16.0
    | HeapFlags::CREATE_ENABLE_EXECUTE.0;
/// Our own flag in the same word: the lock is the caller's.
pub(crate) const CALLERS_LOCK: u32 = 0x8000_0000;

/// A heap whose lock is held, or that is used by one thread.
pub(crate) struct Core<'p, P> {
    /// Where its header is.
    pub(crate) header: Header,
    /// Its cookie.
    pub(crate) cookie: usize,
    /// Where pages come from.
    pub(crate) pages: &'p P,
}

impl<P> Clone for Core<'_, P> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Core<'_, P> {}

impl<'p, P: Pages> Core<'p, P> {
    /// The heap that an address is the handle of.
    #[inline(always)]
    pub(crate) fn open(pages: &'p P, handle: usize) -> Option<Self> {
        if handle == 0 {
            return None;
        }
        let header = Header(handle);
        let cookie = header.cookie().get();
        (header.signature().get() == handle ^ SIGNATURE).then_some(Self {
            header,
            cookie,
            pages,
        })
    }

    /// Writes what makes it a heap. The header is zero before.
    pub(crate) fn sign(self, flags: u32) {
        let at = self.header;
        at.cookie().set(self.cookie);
        at.segment_signature().set(SEGMENT_SIGNATURE);
        at.flags().set(flags);
        let empty = at.no_span().address();
        at.no_span().item(1).set(self.key(empty));
        for bucket in 0..BUCKETS {
            self.set_active(bucket, empty);
        }
        self.set_directory(0, 0);
        at.lock_seal().set(self.sealed(at.lock().get()));
        at.signature().set(at.0 ^ SIGNATURE);
    }

    /// Takes that away: the address is no handle any more.
    pub(crate) fn unsign(self) {
        self.header.signature().set(0);
        self.header.cookie().set(0);
    }

    /// What headers at an address are bound with.
    #[inline(always)]
    pub(crate) fn key(self, address: usize) -> u32 {
        low(address) ^ low(self.cookie)
    }

    /// The seal of a word in the header.
    #[inline(always)]
    pub(crate) fn sealed(self, word: usize) -> usize {
        word ^ self.cookie
    }

    /// Whether a flag was given when the heap was created.
    pub(crate) fn has(self, flag: HeapFlags) -> bool {
        self.header.flags().get() & flag.0 != 0
    }

    /// The caller's own lock.
    pub(crate) fn callers_lock(self) -> Done<usize> {
        let lock = self.header.lock().get();
        if lock != 0 && self.header.lock_seal().get() == self.sealed(lock) {
            Ok(lock)
        } else {
            Err(damage(
                CorruptionKind::HeapHeader,
                self.header.lock().address(),
            ))
        }
    }

    /// The span that a bucket allocates from, which may be the one without blocks.
    pub(crate) fn active(self, bucket: usize) -> Done<usize> {
        let place = self.header.buckets();
        let span = place.item(2 * bucket).get();
        if place.item(2 * bucket + 1).get() == self.sealed(span) {
            Ok(span)
        } else {
            Err(damage(
                CorruptionKind::HeapHeader,
                place.item(2 * bucket).address(),
            ))
        }
    }

    /// Makes a span the one that a bucket allocates from.
    pub(crate) fn set_active(self, bucket: usize, span: usize) {
        let place = self.header.buckets();
        place.item(2 * bucket).set(span);
        place.item(2 * bucket + 1).set(self.sealed(span));
    }

    /// The records of large blocks: where they are and how many have room.
    pub(crate) fn directory(self) -> Done<(usize, usize)> {
        let (at, slots) = (
            self.header.directory().get(),
            self.header.directory_slots().get(),
        );
        if self.header.directory_seal().get() == self.directory_seal(at, slots) {
            Ok((at, slots))
        } else {
            Err(damage(
                CorruptionKind::HeapHeader,
                self.header.directory().address(),
            ))
        }
    }

    /// Changes where they are.
    pub(crate) fn set_directory(self, at: usize, slots: usize) {
        self.header.directory().set(at);
        self.header.directory_slots().set(slots);
        self.header
            .directory_seal()
            .set(self.directory_seal(at, slots));
    }

    fn directory_seal(self, at: usize, slots: usize) -> usize {
        let digest = mix_word(mix_word(low(self.cookie), at), slots);
        self.sealed(mix(digest, 1) as usize)
    }

    /// Remembers that a page belongs to a span.
    pub(crate) fn remember(self, page: usize, span: usize) {
        let (place, index) = (
            self.header.remembered(),
            (page >> PAGE_SHIFT) & (REMEMBERED - 1),
        );
        place.item(2 * index).set(span);
        place.item(2 * index + 1).set(span ^ page ^ self.cookie);
    }

    /// Whether it is remembered that a page belongs to this span.
    pub(crate) fn remembers(self, page: usize, span: usize) -> bool {
        let (place, index) = (
            self.header.remembered(),
            (page >> PAGE_SHIFT) & (REMEMBERED - 1),
        );
        page & (PAGE - 1) == 0
            && place.item(2 * index).get() == span
            && place.item(2 * index + 1).get() == span ^ page ^ self.cookie
    }

    /// Forgets it.
    pub(crate) fn forget(self, page: usize) {
        let (place, index) = (
            self.header.remembered(),
            (page >> PAGE_SHIFT) & (REMEMBERED - 1),
        );
        if place.item(2 * index).get() ^ place.item(2 * index + 1).get() ^ self.cookie == page {
            place.item(2 * index).set(0);
            place.item(2 * index + 1).set(0);
        }
    }

    /// Counts committed bytes.
    pub(crate) fn add_committed(self, bytes: usize) {
        let place = self.header.committed();
        place.set(place.get().wrapping_add(bytes));
    }

    /// Counts bytes that were given back.
    pub(crate) fn sub_committed(self, bytes: usize) {
        let place = self.header.committed();
        place.set(place.get().wrapping_sub(bytes));
    }

    /// Rounds a block's total up as this heap's alignment wants it.
    pub(crate) fn aligned(self, total: usize) -> usize {
        up(total, self.alignment())
    }

    /// What blocks are multiples of, in bytes: a granule, or 16 if the heap was created so.
    #[inline(always)]
    pub(crate) fn alignment(self) -> usize {
        if size_of::<usize>() == 8 {
            return 16;
        }
        if self.header.alignment().get() & 8 != 0 {
            16
        } else {
            8
        }
    }
}
