//! The page frames: who has which, and who gets the next one.
//!
//! A frame is nobody's (zeroed or free), in use (by the kernel, or in working sets), or between the two: a page that
//! left its working set stays where it is, on the **standby** list if its content is somewhere else too, else on the
//! **modified** list until it is written. A fault takes it back from there without I/O; a frame that is wanted while
//! nobody's are out is taken from the front of the standby list, from the page that left longest ago.
//!
//! Pages of zeroes are wanted most, and to fill one costs as much as the rest of a fault: [`zero_pages`] does it ahead.
//!
//! | file | what |
//! |---|---|
//! | `database` | the table and the lists |
//! | `unused` | frames that are on no list yet |
//! | `user` | frames of pages: taken, shared, left, found again, written out |
//!
//! # Locks
//! One spin lock guards the database. What is done under it is bounded, and what fills or copies a page is done
//! outside, but for the copy that is written out. The lock of the paging file's places is taken inside of it.
//!
//! # NT
//! The PFN database, `MmPfnDatabase`, and its lock; standby pages have one priority here.

mod database;
mod unused;
mod user;

use core::sync::atomic::{AtomicU64, Ordering};

use arch::contract::PAGE_SIZE;
use arch::memory::{Frame, FrameSource, permanent_frames, permanent_words, usable_frames};
use ke::{LockOrder, SpinLock, SpinLockGuard};
use nt_abi::{NtResult, NtStatus};

pub use database::FrameDatabase;
pub(crate) use database::{Owner, State};
pub(crate) use user::*;

use crate::commit;
use crate::pte::FrameIndex;

static FRAMES: SpinLock<FrameDatabase> = SpinLock::ordered(FrameDatabase::new(), LockOrder::FRAMES);

/// Frames that were zeroed while somebody waited for one.
static ZEROED_ON_DEMAND: AtomicU64 = AtomicU64::new(0);
/// Frames that were zeroed ahead.
static ZEROED_AHEAD: AtomicU64 = AtomicU64::new(0);
/// Frames that were taken from the standby list for another page.
static REPURPOSED: AtomicU64 = AtomicU64::new(0);

/// How many frames there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameCounts {
    /// Frames under management.
    pub total: u64,
    /// Of them, those that are nobody's.
    pub free: u64,
}

/// How many frames are in each state, and what was done to them since the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameStatistics {
    /// Frames under management.
    pub total: u64,
    /// Nobody's, full of zeroes.
    pub zeroed: u64,
    /// Nobody's.
    pub free: u64,
    /// In no working set; content elsewhere too.
    pub standby: u64,
    /// In no working set; content nowhere else.
    pub modified: u64,
    /// In working sets, or the kernel's.
    pub active: u64,
    /// Being written, or locked and in no working set.
    pub transition: u64,
    /// Zeroed while somebody waited.
    pub zeroed_on_demand: u64,
    /// Zeroed ahead.
    pub zeroed_ahead: u64,
    /// Taken from the standby list for another page.
    pub repurposed: u64,
}

/// The database, locked.
pub fn lock() -> SpinLockGuard<'static, FrameDatabase> {
    FRAMES.acquire()
}

/// How many frames there are.
pub fn counts() -> FrameCounts {
    let frames = lock();
    FrameCounts {
        total: frames.total,
        free: frames.count(State::Zeroed) + frames.count(State::Free),
    }
}

/// How many frames can be had without I/O: nobody's, and standby.
pub fn available() -> u64 {
    lock().available()
}

/// The frames by state.
pub fn statistics() -> FrameStatistics {
    let frames = lock();
    FrameStatistics {
        total: frames.total,
        zeroed: frames.count(State::Zeroed),
        free: frames.count(State::Free),
        standby: frames.count(State::Standby),
        modified: frames.count(State::Modified),
        active: frames.count(State::Active),
        transition: frames.count(State::Transition),
        zeroed_on_demand: ZEROED_ON_DEMAND.load(Ordering::Relaxed),
        zeroed_ahead: ZEROED_AHEAD.load(Ordering::Relaxed),
        repurposed: REPURPOSED.load(Ordering::Relaxed),
    }
}

/// Sets the database up over what the floor says is usable. Once.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES` if no memory can hold it, or there is more memory than it can count.
pub(crate) fn initialize() -> NtResult {
    let none = NtStatus::INSUFFICIENT_RESOURCES;
    let ranges = usable_frames();
    let (Some(lowest), Some(highest)) = (ranges.first(), ranges.last()) else {
        return Err(none);
    };
    let first = lowest.start / PAGE_SIZE;
    let length = u32::try_from(highest.end / PAGE_SIZE - first)
        .ok()
        .filter(|length| *length < FrameIndex::MOST)
        .ok_or(none)?;
    if lock().is_set_up() {
        return Err(NtStatus::CONFLICTING_ADDRESSES);
    }
    let words = permanent_words(FrameDatabase::words_for(length as usize)).ok_or(none)?;
    let mut frames = lock();
    frames.set_up(first, words)?;
    frames.add(ranges, permanent_frames());
    drop(frames);
    commit::initialize(counts().total);
    Ok(())
}

impl FrameDatabase {
    /// How many frames can be had without I/O.
    pub(crate) fn available(&self) -> u64 {
        self.count(State::Zeroed) + self.count(State::Free) + self.count(State::Standby)
    }

    /// Takes a frame that can be had; gives its index, and whether it is full of zeroes; first from the lists in `order`, then from the
    /// standby list. Its entry is reset but for the state, which the caller sets.
    fn take_any(&mut self, order: [State; 2]) -> Option<(Frame, FrameIndex, bool)> {
        for state in order {
            while let Some(index) = self.first(state) {
                self.put(index, State::Active);
                // A frame that the floor took for itself meanwhile cannot be claimed: the next one is tried.
                if let Some(frame) = Frame::claim(self.number(index)) {
                    return Some((frame, index, state == State::Zeroed));
                }
                self.put(index, State::Bad);
                self.total -= 1;
            }
            if state == State::Free
                && let Some((frame, index)) = self.take_unused()
            {
                return Some((frame, index, false));
            }
        }
        while let Some(index) = self.first(State::Standby) {
            // The page's owner finds out when it asks for the frame by its hint.
            if let Some(frame) = self.take_back(index) {
                REPURPOSED.fetch_add(1, Ordering::Relaxed);
                return Some((frame, index, false));
            }
        }
        None
    }

    /// Takes a user frame that nothing shows back from its page; a frame that something shows becomes bad.
    fn take_back(&mut self, index: FrameIndex) -> Option<Frame> {
        self.put(index, State::Active);
        let number = self.number(index);
        if let Some(entry) = self.entry_mut(index) {
            entry.reset();
        }
        let frame = Frame::reclaim(number);
        if frame.is_none() {
            self.put(index, State::Bad);
            self.total -= 1;
        }
        frame
    }

    /// Puts a frame that is nobody's any more onto the list of free ones.
    fn put_free(&mut self, frame: Frame) {
        let number = frame.release();
        if let Some(index) = self.index(number) {
            if let Some(entry) = self.entry_mut(index) {
                entry.reset();
            }
            self.put(index, State::Free);
        }
    }
}

impl FrameSource for FrameDatabase {
    fn allocate(&mut self) -> Option<Frame> {
        let (frame, index, _) = self.take_any([State::Free, State::Zeroed])?;
        if let Some(entry) = self.entry_mut(index) {
            entry.owner = Owner::Kernel.pack();
            entry.shares = 1;
        }
        commit::charge_kernel(1);
        Some(frame)
    }

    fn free(&mut self, frame: Frame) {
        commit::give_back_kernel(1);
        self.put_free(frame);
    }
}

/// The kernel's frames for those who hold no lock: it is taken for each frame.
pub(crate) struct Source;

impl FrameSource for Source {
    fn allocate(&mut self) -> Option<Frame> {
        lock().allocate()
    }

    fn free(&mut self, frame: Frame) {
        lock().free(frame);
    }
}

/// Zeroes at most `budget` free frames ahead of need; gives how many it did.
///
/// For the thread that does so when nothing else is to be done.
///
/// # IRQL
/// At most Apc.
#[doc(alias = "MmZeroPageThread")]
pub fn zero_pages(budget: u64) -> u64 {
    for done in 0..budget {
        let taken = {
            let mut frames = lock();
            match frames.count(State::Free) {
                0 => None,
                _ => frames.take_any([State::Free, State::Free]),
            }
        };
        let Some((mut frame, index, _)) = taken else {
            return done;
        };
        frame.zero();
        let mut frames = lock();
        frame.release();
        frames.put(index, State::Zeroed);
        ZEROED_AHEAD.fetch_add(1, Ordering::Relaxed);
    }
    budget
}

#[cfg(test)]
impl FrameDatabase {
    /// How many frames the kernel has.
    pub(crate) fn kernel_frames(&self) -> u64 {
        self.owned(Owner::Kernel)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use arch::sim;

    use super::*;

    #[test]
    fn every_frame_goes_out_once_and_none_is_reserved_or_the_image() {
        let _machine = sim::boot(1);
        let _ = initialize();
        let mut allocator = lock();
        let before = allocator.count(State::Free) + allocator.count(State::Zeroed);
        let mut taken = std::vec::Vec::new();
        while let Some(frame) = allocator.allocate() {
            taken.push(frame);
        }
        let numbers: BTreeSet<_> = taken.iter().map(|frame| frame.number().0).collect();
        assert_eq!(numbers.len(), taken.len(), "no frame twice");
        assert_eq!(allocator.available(), 0);
        let loader = sim::loader_block();
        for number in &numbers {
            let address = number * PAGE_SIZE;
            assert!(
                loader
                    .memory
                    .iter()
                    .any(|range| range.start <= address && address < range.end)
            );
            assert!(
                !loader
                    .reserved
                    .iter()
                    .any(|range| range.start <= address && address < range.end)
            );
        }
        // All RAM less 4 reserved pages and 40 of the image; besides those only the frame table and the database, of 32
        // bytes a frame, are missing, and what other tests of this program keep.
        let ram = sim::RAM_LENGTH / PAGE_SIZE;
        let expected = ram - 4 - 40;
        let own = ram * (4 + 32) / PAGE_SIZE;
        assert!(
            expected - numbers.len() as u64 <= own + 64,
            "{} of {expected}",
            numbers.len()
        );
        for frame in taken {
            allocator.free(frame);
        }
        let after = allocator.count(State::Free);
        assert!(
            before - after <= own + 8,
            "what was missing at first is the floor's own"
        );
        assert_eq!(after, numbers.len() as u64);
        allocator.check().expect("sound");
    }

    #[test]
    fn a_frame_keeps_its_bytes_and_comes_back() {
        let _machine = sim::boot(1);
        let _ = initialize();
        let mut allocator = lock();
        let mut frame = allocator.allocate().expect("there is memory");
        frame.bytes().fill(0xA5);
        let number = frame.number();
        assert!(Frame::claim(number).is_none(), "it has an owner");
        assert!(frame.bytes().iter().all(|byte| *byte == 0xA5));
        allocator.free(frame);
        let again = allocator.allocate().expect("there is memory");
        assert_eq!(again.number(), number, "what was freed last goes first");
        allocator.free(again);
    }

    #[test]
    fn pages_are_zeroed_ahead_and_on_demand() {
        let _machine = sim::boot(1);
        let _ = initialize();
        let mut dirty = lock().allocate().expect("there is memory");
        dirty.bytes().fill(0xFF);
        lock().free(dirty);
        let before = statistics();
        assert_eq!(zero_pages(3), 3);
        let after = statistics();
        assert_eq!(after.zeroed, before.zeroed + 3);
        assert_eq!(after.free, before.free - 3);
        for _ in 0..5 {
            let page = NewPage {
                owner: Owner::Private { space: 0, page: 1 },
                protection: crate::Protection::READ_WRITE,
                zeroed: true,
                modified: true,
            };
            let mut frame = take(&page).expect("there is memory");
            assert!(frame.bytes().iter().all(|byte| *byte == 0));
            let number = frame.into_user();
            discard_private(number);
        }
        lock().check().expect("sound");
    }
}
