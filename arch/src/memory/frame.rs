//! The frame table: one word for each page of RAM, and the tokens it stands behind.
//!
//! A page is absent (no RAM, or reserved), free, claimed by the one who holds its
//! [`Frame`], or a **user frame**: given to user mode, with the number of page-table
//! entries that show it. A user frame has no owner in Rust's sense; its bytes are
//! reached by copying alone, and it becomes a `Frame` again only when nothing shows
//! it any more.
//!
//! Ordering: a claim is a compare-exchange with acquire, a release a store with
//! release, on the frame's own word. So whatever the last owner wrote to the page
//! happened before anything that the next owner reads there, on any processor.
//! Counting a mapping up is relaxed, because who counts holds the frame by the memory
//! manager's own lock; counting down is a release, and who takes the frame back
//! acquires. Nothing else is ordered by these words.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use arrayvec::ArrayVec;
use boards::{MAX_MEMORY_RANGES, PhysRange};

use crate::Machine;
use crate::contract::{FrameNumber, PAGE_BYTES, PAGE_SIZE, PhysAddr, Translation};

/// What most words are, and zeroed memory: so most need not be written.
const FREE: u32 = 0;
const ABSENT: u32 = 1;
const CLAIMED: u32 = 2;
/// Given to user mode; the bits below count the entries that show it, and the copies that are under way.
const USER: u32 = 1 << 31;

/// The most ranges that remain when the reserved ones are cut out of RAM: each cut adds at most one.
pub(super) const MAX_USABLE_RANGES: usize = 2 * MAX_MEMORY_RANGES + 1;

/// Words of a page.
pub const PAGE_WORDS: usize = PAGE_BYTES / size_of::<u64>();

/// Bytes of a frame's word.
const ENTRY_BYTES: u64 = size_of::<AtomicU32>() as u64;

struct FrameTable {
    first: FrameNumber,
    states: &'static [AtomicU32],
    usable: [PhysRange; MAX_USABLE_RANGES],
    usable_count: usize,
    /// All RAM that the firmware reports, reserved ranges included, and the image: what no device window may show.
    ram: ArrayVec<PhysRange, { MAX_MEMORY_RANGES + 1 }>,
}

static FRAME_TABLE: spin::Once<FrameTable> = spin::Once::new();

/// Who hands out frames, and takes them back.
pub trait FrameSource {
    /// A frame, with what its last owner left in it; `None` when there is none.
    fn allocate(&mut self) -> Option<Frame>;

    /// Takes a frame back.
    fn free(&mut self, frame: Frame);
}

/// A page of RAM that its holder alone uses.
///
/// At most one exists for each page. To drop one without [`release`](Self::release)
/// leaves the page claimed for good.
#[derive(Debug)]
#[must_use = "a frame that is dropped stays claimed for good"]
pub struct Frame {
    number: FrameNumber,
}

impl Frame {
    /// Claims a page of usable RAM; `None` if it is none, or is claimed.
    #[inline]
    pub fn claim(number: FrameNumber) -> Option<Self> {
        state_of(number)?
            .compare_exchange(FREE, CLAIMED, Ordering::Acquire, Ordering::Relaxed)
            .ok()
            .map(|_| Self { number })
    }

    /// Which page it is.
    #[inline]
    pub fn number(&self) -> FrameNumber {
        self.number
    }

    /// Gives the page up; it can be claimed again.
    #[inline]
    pub fn release(self) -> FrameNumber {
        if let Some(state) = state_of(self.number) {
            state.store(FREE, Ordering::Release);
        }
        self.number
    }

    /// The page's bytes.
    #[inline]
    pub fn bytes(&mut self) -> &mut [u8; PAGE_BYTES] {
        let pointer = Machine::physical_pointer(self.number.start()).cast::<[u8; PAGE_BYTES]>();
        // SAFETY: the page is RAM in the physical map, this token is its only owner, and the borrow of it is exclusive.
        unsafe { &mut *pointer }
    }

    /// The page's words.
    #[inline]
    pub fn words(&mut self) -> &mut [u64; PAGE_WORDS] {
        let pointer = Machine::physical_pointer(self.number.start()).cast::<[u64; PAGE_WORDS]>();
        // SAFETY: the page is RAM in the physical map and begins where a word may, this token is its only owner, and the borrow
        // of it is exclusive.
        unsafe { &mut *pointer }
    }

    /// Fills the page with zeroes.
    #[inline]
    pub fn zero(&mut self) {
        let page = Machine::physical_pointer(self.number.start());
        // SAFETY: the page is RAM in the physical map, this token is its only owner, and the borrow of it is exclusive.
        unsafe { Machine::zero_page(page) };
    }

    /// Gives the page to user mode, shown by nothing yet; from here on it is known by its number ([`user_frame`](super::user_frame)).
    #[inline]
    pub fn into_user(self) -> FrameNumber {
        if let Some(state) = state_of(self.number) {
            // Release: what was written to the page happened before anyone takes it up as a user frame.
            state.store(USER, Ordering::Release);
        }
        self.number
    }

    /// Takes a user frame back that nothing shows; `None` if it is none, or something does.
    #[inline]
    pub fn reclaim(number: FrameNumber) -> Option<Self> {
        state_of(number)?
            .compare_exchange(USER, CLAIMED, Ordering::Acquire, Ordering::Relaxed)
            .ok()
            .map(|_| Self { number })
    }

    /// Takes the address out of the token: from here on a page table or the machine itself is the owner.
    pub(crate) fn into_address(self) -> PhysAddr {
        self.number.start()
    }

    /// Makes the token again for a page that [`into_address`](Self::into_address) gave away.
    ///
    /// # Safety
    /// The owner that it was given to has let go of it: no mapping shows it and nobody will ask for it again.
    pub(crate) unsafe fn from_address(address: PhysAddr) -> Self {
        Self {
            number: FrameNumber::containing(address),
        }
    }
}

/// Counts one more use of a user frame; false if the page is none.
#[inline]
pub(super) fn share(number: FrameNumber) -> bool {
    state_of(number).is_some_and(|state| {
        state
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
                // So many uses of one page cannot be: each is an entry of eight bytes.
                (word & USER != 0 && word != u32::MAX).then(|| word + 1)
            })
            .is_ok()
    })
}

/// Counts one use less, for a use that [`share`] counted.
#[inline]
pub(super) fn unshare(number: FrameNumber) {
    if let Some(state) = state_of(number) {
        state.fetch_sub(1, Ordering::Release);
    }
}

/// How many uses of a user frame are counted; `None` if it is none.
pub(super) fn shares(number: FrameNumber) -> Option<u32> {
    let word = state_of(number)?.load(Ordering::Relaxed);
    (word & USER != 0).then_some(word & !USER)
}

#[inline]
fn state_of(number: FrameNumber) -> Option<&'static AtomicU32> {
    let table = FRAME_TABLE.get()?;
    let index = number.0.checked_sub(table.first.0)?;
    table.states.get(usize::try_from(index).ok()?)
}

/// Whether any byte of the range is RAM, whoever uses it, or the kernel image. Before there is a frame table all is.
pub(super) fn is_ram(range: PhysRange) -> bool {
    FRAME_TABLE
        .get()
        .is_none_or(|table| table.ram.iter().any(|ram| ram.overlaps(&range)))
}

impl FrameTable {
    fn usable(&self) -> &[PhysRange] {
        &self.usable[..self.usable_count]
    }
}

/// How many bytes the frame table needs for pages up to the end of the last of `usable`, in whole pages.
pub(super) fn table_length(usable: &[PhysRange]) -> u64 {
    let (Some(first), Some(last)) = (usable.first(), usable.last()) else {
        return 0;
    };
    ((last.end - first.start) / PAGE_SIZE * ENTRY_BYTES).next_multiple_of(PAGE_SIZE)
}

/// Sets the frame table up in the range `storage`, which is cut out of what it describes.
///
/// # Safety
/// `usable` is RAM in the physical map that nobody uses, sorted and disjoint; `storage` is part of one of them and at
/// least [`table_length`] bytes long.
pub(super) unsafe fn initialize(
    usable: &[PhysRange],
    storage: PhysRange,
    memory: &ArrayVec<PhysRange, MAX_MEMORY_RANGES>,
    image: PhysRange,
) {
    FRAME_TABLE.call_once(|| {
        let first = usable
            .first()
            .map_or(FrameNumber(0), |range| FrameNumber(range.start / PAGE_SIZE));
        let bytes = usize::try_from(table_length(usable)).unwrap_or(0);
        let pages = usable
            .last()
            .map_or(0, |last| last.end / PAGE_SIZE - first.0);
        let length = usize::try_from(pages).unwrap_or(0);
        let pointer = Machine::physical_pointer(PhysAddr(storage.start));
        const { assert!(FREE == 0) };
        // SAFETY: the storage is unused RAM of at least this length, in whole pages, by this function's contract.
        unsafe { zero_pages(pointer, bytes) };
        // SAFETY: the words were just written, are aligned as a page is, and belong to this table for good.
        let states = unsafe {
            core::slice::from_raw_parts(pointer.cast::<AtomicU32>().cast_const(), length)
        };
        let mut table = FrameTable {
            first,
            states,
            usable: [PhysRange { start: 0, end: 0 }; MAX_USABLE_RANGES],
            usable_count: usable.len().min(MAX_USABLE_RANGES),
            ram: memory.iter().copied().chain([image]).collect(),
        };
        table.usable[..table.usable_count].copy_from_slice(&usable[..table.usable_count]);
        for (lower, upper) in usable.iter().zip(usable.iter().skip(1)) {
            let between = PhysRange {
                start: lower.end,
                end: upper.start,
            };
            table.mark(between, ABSENT);
        }
        table.mark(storage, CLAIMED);
        PERMANENT.store((bytes as u64).div_ceil(PAGE_SIZE), Ordering::Relaxed);
        table
    });
}

/// Zeroes memory that begins with a page, up to the end of the page in which the last byte is.
///
/// # Safety
/// Those pages are RAM in the physical map that nobody uses.
unsafe fn zero_pages(start: *mut u8, bytes: usize) {
    for offset in (0..bytes).step_by(PAGE_BYTES) {
        // SAFETY: within the caller's pages.
        let page = unsafe { start.add(offset) };
        // SAFETY: the caller's promise.
        unsafe { Machine::zero_page(page) };
    }
}

impl FrameTable {
    fn mark(&self, range: PhysRange, state: u32) {
        let from = range.start / PAGE_SIZE - self.first.0;
        let to = range.end / PAGE_SIZE - self.first.0;
        let (Ok(from), Ok(to)) = (usize::try_from(from), usize::try_from(to)) else {
            return;
        };
        for word in &self.states[from..to] {
            word.store(state, Ordering::Relaxed);
        }
    }
}

/// The ranges of RAM that frames can be claimed from, in bytes; some frames of them are claimed already.
pub fn usable_frames() -> &'static [PhysRange] {
    FRAME_TABLE.get().map_or(&[], FrameTable::usable)
}

/// Claims a page below 1 MiB for good, for code that a processor executes before it leaves real mode.
pub fn claim_low_frame() -> Option<PhysAddr> {
    (1..256)
        .find_map(|number| Frame::claim(FrameNumber(number)))
        .map(|frame| {
            PERMANENT.fetch_add(1, Ordering::Relaxed);
            frame.into_address()
        })
}

/// Usable frames that the floor has taken for good.
static PERMANENT: AtomicU64 = AtomicU64::new(0);

/// How many of the [`usable_frames`] the floor has taken for itself, for good.
pub fn permanent_frames() -> u64 {
    PERMANENT.load(Ordering::Relaxed)
}

/// The next frame from which [`permanent_words`] looks for contiguous ones.
static PERMANENT_HINT: AtomicU64 = AtomicU64::new(0);

/// Takes contiguous RAM out of circulation for good and gives it as `count` zeroed words; `None` if no run is long enough.
///
/// For tables that the memory manager needs before it can manage memory.
pub fn permanent_words(count: usize) -> Option<&'static mut [u64]> {
    let bytes = u64::try_from(count).ok()?.checked_mul(8)?;
    let pages = bytes.div_ceil(PAGE_SIZE).max(1);
    for range in usable_frames() {
        let mut start = (range.start / PAGE_SIZE).max(PERMANENT_HINT.load(Ordering::Relaxed));
        while start + pages <= range.end / PAGE_SIZE {
            match claim_run(start, pages) {
                Ok(()) => {
                    PERMANENT_HINT.store(start + pages, Ordering::Relaxed);
                    PERMANENT.fetch_add(pages, Ordering::Relaxed);
                    let pointer =
                        Machine::physical_pointer(FrameNumber(start).start()).cast::<u64>();
                    // SAFETY: these pages were just claimed, are contiguous in the physical map, and hold `count` words.
                    unsafe { zero_pages(pointer.cast(), count * 8) };
                    // SAFETY: the words are initialised, page-aligned, and nobody else owns these pages, now or later.
                    return Some(unsafe { core::slice::from_raw_parts_mut(pointer, count) });
                }
                Err(taken) => start = taken + 1,
            }
        }
    }
    None
}

/// Claims `pages` frames from `start`, or none of them; the error is the frame that could not be had.
fn claim_run(start: u64, pages: u64) -> Result<(), u64> {
    for number in start..start + pages {
        let Some(frame) = Frame::claim(FrameNumber(number)) else {
            for taken in start..number {
                if let Some(state) = state_of(FrameNumber(taken)) {
                    state.store(FREE, Ordering::Release);
                }
            }
            return Err(number);
        };
        frame.into_address();
    }
    Ok(())
}
