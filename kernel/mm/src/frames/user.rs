//! Frames of pages that user mode has: taken, shared, left, found again, written out.
//!
//! The life of a private page: [`take`] gives its frame, which the caller fills and makes a user frame; it is shown
//! once. [`leave`] puts it onto a list when its working set lets go of it, [`revive`] finds it there, [`discard_private`]
//! and [`discard_paged`] end it. A page of a control area is the same with more than one share: [`revive`] adds one,
//! [`leave`] takes one away, and the last one that leaves puts the frame onto a list.
//!
//! While a frame has a page, what its entry says of the page's place in the paging file counts; a value in a page
//! table, or a prototype, counts when the frame has another page.

use arch::contract::{FrameNumber, VirtAddr};
use arch::memory::{Frame, user_frame};

use super::database::{ABANDONED, Entry, MODIFIED, Owner, State, WRITING};
use super::{FrameDatabase, Ordering, ZEROED_ON_DEMAND, lock};
use crate::paging;
use crate::protection::Protection;
use crate::pte::{FrameIndex, PagingSlot, Pte};

/// A page that is to get a frame.
pub(crate) struct NewPage {
    pub(crate) owner: Owner,
    /// Kept with a private page.
    pub(crate) protection: Protection,
    /// Whether it begins with zeroes; otherwise the caller fills it.
    pub(crate) zeroed: bool,
    /// Whether its content will be nowhere else.
    pub(crate) modified: bool,
}

/// Takes a frame for a page; `None` if none can be had without I/O.
#[inline]
pub(crate) fn take(page: &NewPage) -> Option<Frame> {
    let (mut frame, is_zeroed) = {
        let mut frames = lock();
        let order = if page.zeroed {
            [State::Zeroed, State::Free]
        } else {
            [State::Free, State::Zeroed]
        };
        let (frame, index, is_zeroed) = frames.take_any(order)?;
        let entry = frames.entry_mut(index)?;
        entry.owner = page.owner.pack();
        entry.shares = 1;
        entry.set_protection(page.protection);
        entry.set(MODIFIED, page.modified);
        (frame, is_zeroed)
    };
    if page.zeroed && !is_zeroed {
        frame.zero();
        ZEROED_ON_DEMAND.fetch_add(1, Ordering::Relaxed);
    }
    Some(frame)
}

/// Takes back a frame from [`take`] that was not used after all.
pub(crate) fn give_back(frame: Frame) {
    lock().put_free(frame);
}

/// A page in memory, as its frame knows it.
#[derive(Clone, Copy)]
pub(crate) struct Revived {
    pub(crate) frame: FrameNumber,
    /// Whether its content is nowhere else.
    pub(crate) modified: bool,
}

/// Finds the page of `owner` in the frame that it is said to have, and takes part in it; `None` if the frame has another
/// page by now.
pub(crate) fn revive(hint: FrameIndex, owner: Owner) -> Option<Revived> {
    let mut frames = lock();
    let entry = frames.owned_by(hint, owner)?;
    entry.shares += 1;
    let modified = entry.is(MODIFIED);
    if entry.shares == 1 {
        frames.put(hint, State::Active);
    }
    Some(Revived {
        frame: frames.number(hint),
        modified,
    })
}

/// A working set, or a view, lets go of a page that stays somebody's. Gives the value that describes it from now on.
pub(crate) fn leave(frame: FrameNumber) -> Pte {
    let mut frames = lock();
    frames.leave(frame).unwrap_or(Pte::Unset)
}

/// A private page that was shown ends, with its frame and its place in the paging file.
pub(crate) fn discard_private(frame: FrameNumber) {
    let mut frames = lock();
    if let Some(index) = frames.index(frame) {
        frames.discard(index);
    }
}

/// A page that was shown ends: a private one for good, a shared one for the space that showed it.
pub(crate) fn end_shown(frame: FrameNumber) {
    lock().end_shown(frame);
}

/// The same for some pages at once: as many as leave a space together, which are few.
pub(crate) fn end_all_shown(pages: &[(VirtAddr, FrameNumber)]) {
    let mut frames = lock();
    for (_, frame) in pages {
        frames.end_shown(*frame);
    }
}

/// The page that a value describes ends: its frame if that still has it, and its place in the paging file.
pub(crate) fn discard_paged(slot: Option<PagingSlot>, frame: Option<FrameIndex>, owner: Owner) {
    let mut frames = lock();
    if let Some(index) = frame
        && frames.owned_by(index, owner).is_some()
    {
        frames.discard(index);
    } else if let Some(slot) = slot {
        paging::free(slot);
    }
}

/// What a frame in use says of its page.
#[derive(Clone, Copy)]
pub(crate) struct PageInfo {
    pub(crate) owner: Owner,
    pub(crate) protection: Protection,
    pub(crate) modified: bool,
    pub(crate) shares: u32,
    pub(crate) locks: u16,
}

/// What a frame says of its page.
pub(crate) fn info(frame: FrameNumber) -> Option<PageInfo> {
    let frames = lock();
    let entry = frames.entry(frames.index(frame)?)?;
    Some(PageInfo {
        owner: Owner::unpack(entry.owner),
        protection: entry.protection(),
        modified: entry.is(MODIFIED),
        shares: entry.shares,
        locks: entry.locks,
    })
}

/// The frame's index, for a value that names it.
pub(crate) fn index_of(frame: FrameNumber) -> Option<FrameIndex> {
    lock().index(frame)
}

/// Keeps another protection with a private page.
pub(crate) fn set_protection(frame: FrameNumber, protection: Protection) {
    with_entry(frame, |entry| entry.set_protection(protection));
}

/// The page's content is nowhere else from now on, or it is.
pub(crate) fn set_modified(frame: FrameNumber, modified: bool) {
    with_entry(frame, |entry| entry.set(MODIFIED, modified));
}

/// Notes where the content of a frame is in the paging file.
pub(crate) fn set_slot(frame: FrameNumber, slot: Option<PagingSlot>) {
    with_entry(frame, |entry| entry.set_slot(slot));
}

fn with_entry(frame: FrameNumber, change: impl FnOnce(&mut Entry)) {
    let mut frames = lock();
    if let Some(index) = frames.index(frame)
        && let Some(entry) = frames.entry_mut(index)
    {
        change(entry);
    }
}

/// Locks a page in memory, once more: while it is, its frame has this page and no other.
pub(crate) fn lock_in_memory(frame: FrameNumber) -> bool {
    let mut frames = lock();
    let Some(entry) = frames
        .index(frame)
        .and_then(|index| frames.entry_mut(index))
    else {
        return false;
    };
    match entry.locks.checked_add(1) {
        Some(locks) if entry.shares > 0 => {
            entry.locks = locks;
            true
        }
        _ => false,
    }
}

/// Takes one lock away; the last one lets go of a page that its owner gave up meanwhile.
pub(crate) fn unlock_in_memory(frame: FrameNumber) {
    let mut frames = lock();
    let Some(index) = frames.index(frame) else {
        return;
    };
    let Some(entry) = frames.entry_mut(index) else {
        return;
    };
    entry.locks = entry.locks.saturating_sub(1);
    if entry.locks == 0 && entry.shares == 0 {
        frames.settle(index);
    }
}

/// A modified page that is ready to be written.
#[derive(Clone, Copy)]
pub(crate) struct Writable {
    pub(crate) index: FrameIndex,
    pub(crate) owner: Owner,
    pub(crate) slot: Option<PagingSlot>,
}

/// The page that has been on the modified list for longest, or the one behind `after`.
pub(crate) fn next_modified(after: Option<FrameIndex>) -> Option<Writable> {
    let frames = lock();
    let index = match after {
        Some(index) if frames.entry(index)?.state() == State::Modified => frames.next(index)?,
        _ => frames.first(State::Modified)?,
    };
    let entry = frames.entry(index)?;
    Some(Writable {
        index,
        owner: Owner::unpack(entry.owner),
        slot: entry.slot(),
    })
}

/// Begins to write a page of the modified list: copies it, and keeps frame and place until [`end_write`]. False if the
/// frame is not on the list with that page any more.
pub(crate) fn begin_write(page: &Writable, slot: Option<PagingSlot>, into: &mut [u8]) -> bool {
    let mut frames = lock();
    let index = page.index;
    let number = frames.number(index);
    let Some(entry) = frames.owned_by(index, page.owner) else {
        return false;
    };
    if entry.state() != State::Modified || user_frame::read(number, 0, into).is_err() {
        return false;
    }
    entry.set_slot(slot);
    entry.set(MODIFIED, false);
    entry.set(WRITING, true);
    entry.locks += 1;
    frames.put(index, State::Transition);
    true
}

/// Ends a write.
pub(crate) fn end_write(index: FrameIndex, written: bool) {
    let mut frames = lock();
    let Some(entry) = frames.entry_mut(index) else {
        return;
    };
    entry.set(WRITING, false);
    if !written {
        entry.set(MODIFIED, true);
    }
    entry.locks = entry.locks.saturating_sub(1);
    if entry.locks == 0 && entry.shares == 0 {
        frames.settle(index);
    }
}

impl FrameDatabase {
    fn owned_by(&mut self, index: FrameIndex, owner: Owner) -> Option<&mut Entry> {
        self.entry_mut(index)
            .filter(|entry| entry.owner == owner.pack() && !entry.is(ABANDONED))
    }

    fn end_shown(&mut self, frame: FrameNumber) {
        let Some(index) = self.index(frame) else {
            return;
        };
        match self.entry(index).map(|entry| Owner::unpack(entry.owner)) {
            Some(Owner::Private { .. }) => self.discard(index),
            Some(Owner::Area { .. }) => {
                self.leave(frame);
            }
            Some(Owner::Kernel | Owner::None) | None => {}
        }
    }

    fn leave(&mut self, number: FrameNumber) -> Option<Pte> {
        let index = self.index(number)?;
        let entry = self.entry_mut(index)?;
        entry.shares = entry.shares.saturating_sub(1);
        let value = match Owner::unpack(entry.owner) {
            Owner::Private { .. } => Pte::Paged {
                protection: entry.protection(),
                slot: entry.slot(),
                frame: Some(index),
            },
            // Where it is, its prototype says.
            _ => Pte::Unset,
        };
        if entry.shares == 0 {
            self.settle(index);
        }
        Some(value)
    }

    /// Puts a frame that is in no working set where it belongs.
    fn settle(&mut self, index: FrameIndex) {
        let Some(entry) = self.entry_mut(index) else {
            return;
        };
        if entry.locks != 0 {
            self.put(index, State::Transition);
        } else if entry.is(ABANDONED) {
            self.end(index);
        } else if entry.is(MODIFIED) {
            self.put(index, State::Modified);
        } else {
            self.put(index, State::Standby);
        }
    }

    /// Ends the page that a frame has: at once, or when nobody keeps it in memory any more.
    fn discard(&mut self, index: FrameIndex) {
        let Some(entry) = self.entry_mut(index) else {
            return;
        };
        entry.shares = 0;
        if entry.locks != 0 {
            entry.set(ABANDONED, true);
            return self.put(index, State::Transition);
        }
        self.end(index);
    }

    /// Ends the page that a frame has, which nothing shows and nobody keeps in memory: the frame is nobody's.
    fn end(&mut self, index: FrameIndex) {
        let number = self.number(index);
        let Some(entry) = self.entry_mut(index) else {
            return;
        };
        if let Some(slot) = entry.slot() {
            paging::free(slot);
        }
        entry.reset();
        if let Some(frame) = Frame::reclaim(number) {
            frame.release();
            self.put_here(index, State::Free);
        } else {
            // Something shows it after all.
            self.put(index, State::Bad);
            self.total -= 1;
        }
    }
}

/// Keeps another protection with a private page; gives whether its content is nowhere else.
pub(crate) fn protect_page(frame: FrameNumber, protection: Protection) -> bool {
    let mut modified = false;
    with_entry(frame, |entry| {
        entry.set_protection(protection);
        modified = entry.is(MODIFIED);
    });
    modified
}

/// The content of a private page that is shown is wanted no more, or (`keep`) after all: see `MEM_RESET`.
pub(crate) fn reset_shown(frame: FrameNumber, keep: bool) {
    let mut frames = lock();
    if let Some(index) = frames.index(frame) {
        frames.reset(index, keep);
    }
}

/// The same for a page that a value describes; gives its place in the paging file as it is then.
///
/// # Errors
/// The content is to be kept, and is gone already.
pub(crate) fn reset_paged(
    slot: Option<PagingSlot>,
    frame: Option<FrameIndex>,
    owner: Owner,
    keep: bool,
) -> Result<Option<PagingSlot>, ()> {
    let mut frames = lock();
    if let Some(index) = frame
        && frames.owned_by(index, owner).is_some()
    {
        let slot = frames.reset(index, keep);
        frames.settle(index);
        return Ok(slot);
    }
    match slot {
        Some(_) if keep => Ok(slot),
        None if keep => Err(()),
        slot => {
            if let Some(slot) = slot {
                paging::free(slot);
            }
            Ok(None)
        }
    }
}

impl FrameDatabase {
    fn reset(&mut self, index: FrameIndex, keep: bool) -> Option<PagingSlot> {
        let entry = self.entry_mut(index)?;
        entry.set(MODIFIED, keep);
        if !keep && !entry.is(WRITING) {
            if let Some(slot) = entry.slot() {
                paging::free(slot);
            }
            entry.set_slot(None);
        }
        entry.slot()
    }
}

/// A private page is in memory again: its protection is kept with it, and it may be written at once.
pub(crate) fn settle_private(frame: FrameNumber, protection: Protection, written: bool) {
    with_entry(frame, |entry| {
        entry.set_protection(protection);
        if written {
            entry.set(MODIFIED, true);
        }
    });
}
