//! The database of frames: an entry for each page of RAM, and the lists that go through them.
//!
//! A list's links are frame indexes, so a frame is taken out of the middle of a list in constant time, and the
//! database needs no memory but the table itself. What the entries say about ownership is policy: the floor's
//! [`Frame`] decides who may touch a page.

use arch::contract::FrameNumber;
use arch::memory::Frame;
use boards::PhysRange;
use nt_abi::{NtResult, NtStatus};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::unused::Unused;
use crate::protection::Protection;
use crate::pte::{FrameIndex, PagingSlot};

/// What a frame is used for.
///
/// # NT
/// `MMLISTS`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum State {
    /// No RAM, the floor's own, one that could not be taken back, or one that nobody has had yet.
    Bad = 0,
    /// Nobody's, full of zeroes.
    Zeroed = 1,
    /// Nobody's.
    Free = 2,
    /// In no working set, with content that is somewhere else too.
    Standby = 3,
    /// In no working set, with content that is nowhere else.
    Modified = 4,
    /// In a working set, or the kernel's.
    Active = 5,
    /// In no working set, and being written or locked.
    Transition = 6,
}

impl State {
    const ALL: [Self; 7] = [
        Self::Bad,
        Self::Zeroed,
        Self::Free,
        Self::Standby,
        Self::Modified,
        Self::Active,
        Self::Transition,
    ];
}

/// Whose page a frame has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    /// Nobody's.
    None,
    /// The kernel's: a page table, a stack, the pools.
    Kernel,
    /// A private page.
    Private {
        /// The number of the address space.
        space: u32,
        /// The page's number: its address divided by the page size.
        page: u64,
    },
    /// A page of a section.
    Area {
        /// The number of the control area.
        area: u32,
        /// The page's number in it.
        page: u32,
    },
}

const OWNER_KERNEL: u64 = 1 << 61;
const OWNER_PRIVATE: u64 = 1 << 62;
const OWNER_AREA: u64 = 1 << 63;
/// Bits of a page's number in an address space.
const PAGE_BITS: u32 = 36;

impl Owner {
    pub(crate) const fn pack(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Kernel => OWNER_KERNEL,
            Self::Private { space, page } => OWNER_PRIVATE | (space as u64) << PAGE_BITS | page,
            Self::Area { area, page } => OWNER_AREA | (area as u64) << 32 | page as u64,
        }
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "each field is cut to its bits"
    )]
    pub(crate) const fn unpack(word: u64) -> Self {
        if word & OWNER_AREA != 0 {
            return Self::Area {
                area: (word >> 32) as u32 & 0x7FFF_FFFF,
                page: word as u32,
            };
        }
        if word & OWNER_PRIVATE != 0 {
            return Self::Private {
                space: (word >> PAGE_BITS) as u32 & 0xFF_FFFF,
                page: word & ((1 << PAGE_BITS) - 1),
            };
        }
        if word == OWNER_KERNEL {
            Self::Kernel
        } else {
            Self::None
        }
    }
}

/// The content is newer than what is in the paging file or the file.
pub(super) const MODIFIED: u8 = 1;
/// The owner gave the page up while it was locked: it goes when the last lock does.
pub(super) const ABANDONED: u8 = 2;
/// The page is being written out, and its place in the paging file goes with it.
pub(super) const WRITING: u8 = 4;

/// A frame.
///
/// # NT
/// `MMPFN`.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub(super) struct Entry {
    pub(super) owner: u64,
    /// Indexes and 1; 0 is none.
    next: u32,
    previous: u32,
    /// Working sets that have it.
    pub(super) shares: u32,
    slot: u32,
    /// How often it is locked in memory.
    pub(super) locks: u16,
    state: u8,
    protection: u8,
    pub(super) flags: u8,
    reserved: [u8; 3],
}

const _: () = assert!(size_of::<Entry>() == 32);
/// Words of an entry.
const ENTRY_WORDS: usize = size_of::<Entry>() / 8;

impl Entry {
    pub(super) fn state(&self) -> State {
        State::ALL
            .get(usize::from(self.state))
            .copied()
            .unwrap_or(State::Bad)
    }

    /// It is no page's.
    pub(super) fn reset(&mut self) {
        self.owner = Owner::None.pack();
        self.flags = 0;
        self.shares = 0;
        self.set_slot(None);
    }

    pub(super) fn protection(&self) -> Protection {
        Protection::from_bits(self.protection)
    }

    pub(super) fn set_protection(&mut self, protection: Protection) {
        self.protection = protection.bits();
    }

    pub(super) fn slot(&self) -> Option<PagingSlot> {
        PagingSlot::unpack(self.slot)
    }

    pub(super) fn set_slot(&mut self, slot: Option<PagingSlot>) {
        self.slot = PagingSlot::pack(slot);
    }

    pub(super) fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(super) fn set(&mut self, flag: u8, value: bool) {
        if value {
            self.flags |= flag;
        } else {
            self.flags &= !flag;
        }
    }
}

#[derive(Clone, Copy)]
struct List {
    first: u32,
    last: u32,
}

/// The frames, behind their lock.
pub struct FrameDatabase {
    /// Index 0 is this frame.
    first: u64,
    entries: &'static mut [Entry],
    /// By state; those of `Bad`, `Active` and `Transition` are empty.
    lists: [List; 7],
    /// Frames in each state.
    counts: [u64; 7],
    pub(super) total: u64,
    /// Free frames that were never taken: see [`Unused`].
    unused: Unused,
}

impl FrameDatabase {
    pub(super) const fn new() -> Self {
        Self {
            unused: Unused::NONE,
            first: 0,
            entries: &mut [],
            lists: [List { first: 0, last: 0 }; 7],
            counts: [0; 7],
            total: 0,
        }
    }

    /// How many words a database of that many frames needs.
    pub(super) const fn words_for(frames: usize) -> usize {
        frames * ENTRY_WORDS
    }

    /// Takes its memory, which is zeroed: every frame is bad until it is [added](Self::add).
    pub(super) fn set_up(&mut self, first: u64, words: &'static mut [u64]) -> NtResult {
        let entries = <[Entry]>::mut_from_bytes(words.as_mut_bytes())
            .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        self.first = first;
        self.counts[State::Bad as usize] = entries.len() as u64;
        self.entries = entries;
        Ok(())
    }

    pub(super) fn is_set_up(&self) -> bool {
        !self.entries.is_empty()
    }

    /// The frames of these ranges are usable, but for those that the floor has for itself.
    pub(super) fn add(&mut self, ranges: &'static [PhysRange], kept: u64) {
        self.unused = Unused::new(ranges, kept);
        self.total = self.unused.count();
    }

    /// Takes the lowest frame that nobody has had yet.
    #[inline(never)]
    pub(super) fn take_unused(&mut self) -> Option<(Frame, FrameIndex)> {
        while let Some(number) = self.unused.next() {
            if let (Some(index), Some(frame)) = (self.index(number), Frame::claim(number)) {
                self.unused.note_taken();
                self.put(index, State::Active);
                return Some((frame, index));
            }
            if self.unused.note_kept() {
                self.total -= 1;
            }
        }
        None
    }

    /// How many frames are in a state.
    pub(super) fn count(&self, state: State) -> u64 {
        let unused = match state {
            State::Free => self.unused.count(),
            _ => 0,
        };
        self.counts[state as usize] + unused
    }

    pub(crate) fn index(&self, number: FrameNumber) -> Option<FrameIndex> {
        let index = number.0.checked_sub(self.first)?;
        let index = u32::try_from(index).ok()?;
        ((index as usize) < self.entries.len()).then_some(FrameIndex(index))
    }

    pub(super) fn number(&self, index: FrameIndex) -> FrameNumber {
        FrameNumber(self.first + u64::from(index.0))
    }

    pub(super) fn entry(&self, index: FrameIndex) -> Option<&Entry> {
        self.entries.get(index.0 as usize)
    }

    pub(super) fn entry_mut(&mut self, index: FrameIndex) -> Option<&mut Entry> {
        self.entries.get_mut(index.0 as usize)
    }

    /// Takes a frame out of its list, if it is in one, and puts it into that of `state`: at the front if it is
    /// nobody's, so that it is used again while it is in the cache, else at the end.
    pub(super) fn put(&mut self, index: FrameIndex, state: State) {
        self.put_here(index, state);
    }

    /// [`put`](Self::put), as part of its caller: for where frames go that user mode had.
    #[inline(always)]
    pub(super) fn put_here(&mut self, index: FrameIndex, state: State) {
        self.unlink(index);
        let Some(entry) = self.entries.get_mut(index.0 as usize) else {
            return;
        };
        entry.state = state as u8;
        self.counts[state as usize] += 1;
        let list = &mut self.lists[state as usize];
        let name = index.0 + 1;
        match state {
            State::Bad | State::Active | State::Transition => {}
            State::Zeroed | State::Free => {
                entry.next = list.first;
                let other = core::mem::replace(&mut list.first, name);
                match self.named(other) {
                    Some(other) => other.previous = name,
                    None => self.lists[state as usize].last = name,
                }
            }
            State::Standby | State::Modified => {
                entry.previous = list.last;
                let other = core::mem::replace(&mut list.last, name);
                match self.named(other) {
                    Some(other) => other.next = name,
                    None => self.lists[state as usize].first = name,
                }
            }
        }
    }

    /// The first frame of a state's list.
    pub(super) fn first(&self, state: State) -> Option<FrameIndex> {
        self.lists[state as usize]
            .first
            .checked_sub(1)
            .map(FrameIndex)
    }

    /// The frame after that one in its list.
    pub(super) fn next(&self, index: FrameIndex) -> Option<FrameIndex> {
        self.entry(index)?.next.checked_sub(1).map(FrameIndex)
    }

    fn named(&mut self, name: u32) -> Option<&mut Entry> {
        self.entries.get_mut((name as usize).checked_sub(1)?)
    }

    #[inline]
    fn unlink(&mut self, index: FrameIndex) {
        let Some(entry) = self.entries.get_mut(index.0 as usize) else {
            return;
        };
        let state = entry.state();
        let next = core::mem::take(&mut entry.next);
        let previous = core::mem::take(&mut entry.previous);
        self.counts[state as usize] -= 1;
        if matches!(state, State::Bad | State::Active | State::Transition) {
            return;
        }
        match self.named(previous) {
            Some(entry) => entry.next = next,
            None => self.lists[state as usize].first = next,
        }
        match self.named(next) {
            Some(entry) => entry.previous = previous,
            None => self.lists[state as usize].last = previous,
        }
    }

    /// Looks at every frame and list: counts, links both ways, what goes with what.
    ///
    /// # Errors
    /// One sentence about the first thing that is wrong: a mistake in this crate.
    pub fn check(&self) -> Result<(), &'static str> {
        let mut counts = [0; 7];
        for entry in &*self.entries {
            counts[entry.state() as usize] += 1;
            let listed = matches!(entry.state(), State::Standby | State::Modified);
            if listed && (entry.shares != 0 || entry.locks != 0) {
                return Err("a frame on a list is in use");
            }
            let owned = !matches!(Owner::unpack(entry.owner), Owner::None);
            if listed != owned && !matches!(entry.state(), State::Active | State::Transition) {
                return Err("a frame on a list is nobody's, or a free one somebody's");
            }
        }
        if counts != self.counts {
            return Err("the frames in some state are not as many as were counted");
        }
        for state in [State::Zeroed, State::Free, State::Standby, State::Modified] {
            let mut met = 0;
            let mut previous = 0;
            let mut next = self.first(state);
            while let Some(index) = next {
                let Some(entry) = self.entry(index) else {
                    return Err("a link leads nowhere");
                };
                if entry.state() != state || entry.previous != previous {
                    return Err("a list is damaged");
                }
                previous = index.0 + 1;
                met += 1;
                next = self.next(index);
            }
            if met != self.counts[state as usize] || self.lists[state as usize].last != previous {
                return Err("a list does not have all of its frames");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
impl FrameDatabase {
    /// How many frames have that owner.
    pub(super) fn owned(&self, owner: Owner) -> u64 {
        let is = |entry: &&Entry| entry.owner == owner.pack();
        self.entries.iter().filter(is).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_comes_back() {
        for owner in [
            Owner::None,
            Owner::Kernel,
            Owner::Private {
                space: 0xFFFF,
                page: 0x7_FFFF_FFEF,
            },
            Owner::Area {
                area: 12345,
                page: u32::MAX,
            },
        ] {
            assert_eq!(Owner::unpack(owner.pack()), owner);
        }
    }

    #[test]
    fn frames_move_between_lists_from_any_place() {
        let words = vec![0u64; FrameDatabase::words_for(10)].leak();
        let mut database = FrameDatabase::new();
        database.set_up(100, words).expect("aligned");
        for index in 0..10 {
            database.put(FrameIndex(index), State::Free);
        }
        assert_eq!(database.count(State::Free), 10);
        let mut random = rtl::Random::new(1);
        for _ in 0..1000 {
            let index = FrameIndex(u32::try_from(random.below(10)).expect("small"));
            let state = [State::Free, State::Zeroed, State::Active][random.index(3)];
            database.put(index, state);
            database.check().expect("sound");
        }
        assert_eq!(database.index(FrameNumber(110)), None);
        assert_eq!(database.index(FrameNumber(99)), None);
    }
}
