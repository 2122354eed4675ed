//! Page faults: what an address is, made so that the processor finds it.
//!
//! A fault is resolved under the space's lock, so of two threads that fault on one page the second finds it there. What
//! happens depends on what the page is:
//!
//! | it is | it gets |
//! |---|---|
//! | committed, never touched | a frame of zeroes |
//! | in a frame, on the standby or modified list | that frame (a *transition* fault) |
//! | in the paging file | a frame, read from there |
//! | a page of a section | the section's frame, or one that is read from its file |
//! | copied on writes, and written | a frame of its own with a copy |
//! | a guard page | nothing: it is none any more, and the access is reported once |
//!
//! The processor's tables say read-only of pages that may be written as long as nothing has to be remembered of a write:
//! that the content is newer than on disk, or that the program asked which pages it wrote. The first write is a fault
//! that remembers it. So no hardware needs to keep a dirty bit.
//!
//! When no frame can be had the lock is dropped, room is made (`balance`), and the fault begins again.
//!
//! # NT
//! `MmAccessFault`, `MiDispatchFault` and what they call.

mod current;
mod stack;
mod view;

use arch::contract::{Access, FrameNumber, UserProtection, VirtAddr, VirtRange};
use arch::memory::{PAGE_WORDS, UserEntry};
use nt_abi::{NtResult, NtStatus};
use rtl::interval_tree::Index;

use crate::address_space::{AddressSpace, Space, page_of};
use crate::frames::{self, NewPage};
use crate::protection::Protection;
use crate::pte::{FrameIndex, PagingSlot, Pte};
use crate::statistics::{self, FaultKind};
use crate::vad::Kind;
use crate::{balance, paging};
pub use current::{CurrentProcess, set_current_process};
pub use stack::UserStack;
use stack::grow_stack;
use view::{copy, in_view};

/// What became of a fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum FaultOutcome {
    /// The access can be tried again.
    Resolved,
    /// It can be tried again; the thread's stack has grown, and `StackLimit` in its TEB is to be this.
    StackGrown {
        /// The lowest address of the stack that can be used.
        limit: u64,
    },
    /// The thread gets `STACK_OVERFLOW`; `StackLimit` in its TEB is to be this.
    StackOverflow {
        /// The lowest address of the stack that can be used.
        limit: u64,
    },
    /// The thread gets this exception: `ACCESS_VIOLATION` or `GUARD_PAGE_VIOLATION`.
    Failed(NtStatus),
    /// The thread gets `IN_PAGE_ERROR` with this reason.
    InPageError(NtStatus),
}

/// Why a page was not brought in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Problem {
    /// It may not be accessed so.
    AccessViolation,
    /// It was a guard page.
    Guard,
    /// Its content could not be had.
    InPage(NtStatus),
    /// No frame can be had now.
    NoFrames,
}

impl From<Problem> for NtStatus {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::AccessViolation => Self::ACCESS_VIOLATION,
            Problem::Guard => Self::GUARD_PAGE_VIOLATION,
            Problem::InPage(status) => status,
            Problem::NoFrames => Self::NO_MEMORY,
        }
    }
}

/// How often room is made for one page.
pub(crate) struct Attempts(u32);

impl Attempts {
    pub(crate) const fn new() -> Self {
        Self(3)
    }

    /// Whether it makes sense to try again; makes room before.
    ///
    /// No lock is held.
    pub(crate) fn again_after(&mut self, problem: Problem) -> bool {
        if problem != Problem::NoFrames || self.0 == 0 {
            return false;
        }
        self.0 -= 1;
        balance::make_room()
    }
}

/// Resolves a page fault of user mode, or of a copy from or to user memory.
///
/// `stack` is asked, without a lock held, for the stack of the thread whose access it is if a guard page was met.
///
/// # NT
/// `MmAccessFault`; stacks: `MiCheckForUserStackOverflow`.
///
/// # IRQL
/// At most Apc.
pub fn resolve(
    space: &AddressSpace,
    address: VirtAddr,
    access: Access,
    stack: &dyn Fn() -> Option<UserStack>,
) -> FaultOutcome {
    let page = page_of(address.0);
    let mut grown = None;
    let mut attempts = Attempts::new();
    loop {
        let result = {
            let mut space = space.lock();
            space.count_fault();
            bring_in(&mut space, page, access)
        };
        let problem = match (result, grown) {
            (Ok(()), None) => return FaultOutcome::Resolved,
            (Ok(()), Some(limit)) => return FaultOutcome::StackGrown { limit },
            (Err(problem), _) => problem,
        };
        match problem {
            Problem::AccessViolation => return FaultOutcome::Failed(NtStatus::ACCESS_VIOLATION),
            Problem::InPage(status) => return FaultOutcome::InPageError(status),
            Problem::NoFrames => {
                if !attempts.again_after(problem) {
                    return FaultOutcome::InPageError(NtStatus::NO_MEMORY);
                }
            }
            Problem::Guard => match grow_stack(space, page.0, stack()) {
                Ok(limit) => grown = Some(limit),
                Err(outcome) => return outcome,
            },
        }
    }
}

/// Makes sure that a page is shown, and permits the access.
#[inline]
pub(crate) fn bring_in(space: &mut Space, page: VirtAddr, access: Access) -> Result<(), Problem> {
    let vad = space.find_vad(page.0).ok_or(Problem::AccessViolation)?;
    let entry = match space.tables() {
        Ok(tables) => tables.entry(page),
        Err(_) => return Err(Problem::AccessViolation),
    };
    match entry {
        UserEntry::Present { frame, protection } => {
            shown(space, vad, page, access, (frame, protection))
        }
        UserEntry::Absent(value) => absent(space, vad, page, access, Pte::unpack(value)),
    }
}

/// The page is shown, and the access was refused: it is a write that is to be noticed, or it is wrong.
fn shown(
    space: &mut Space,
    vad: Index,
    page: VirtAddr,
    access: Access,
    (frame, now): (FrameNumber, UserProtection),
) -> Result<(), Problem> {
    let permitted = match access {
        Access::Read => true,
        Access::Write => now.writes(),
        Access::Execute => now.executes(),
    };
    if permitted {
        // Another thread was faster.
        return Ok(());
    }
    let protection = space
        .page_state(vad, page)
        .filter(|protection| protection.permits(access))
        .ok_or(Problem::AccessViolation)?;
    if protection.is_copy() {
        return copy(space, page, frame, protection);
    }
    frames::set_modified(frame, true);
    note_write(space, vad, page);
    let hardware = protection.hardware(true).unwrap_or(now);
    if let Ok(tables) = space.tables() {
        tables.protect(VirtRange::of_pages(page, 1), &mut |_, _, _| hardware);
    }
    statistics::count(FaultKind::Write);
    Ok(())
}

fn absent(
    space: &mut Space,
    index: Index,
    page: VirtAddr,
    access: Access,
    value: Pte,
) -> Result<(), Problem> {
    let vad = space.vads.get(index).ok_or(Problem::AccessViolation)?;
    let protection = match (value, &vad.kind) {
        (Pte::Unset, Kind::Fixed(frame)) => {
            let frame = *frame;
            return fixed(space, page, access, frame);
        }
        (Pte::Unset, Kind::View(_)) => return in_view(space, index, page, access),
        (Pte::Unset, Kind::Private { .. }) if vad.committed => vad.protection,
        (Pte::Unset | Pte::Decommitted, _) => return Err(Problem::AccessViolation),
        (Pte::DemandZero(protection) | Pte::Paged { protection, .. }, _) => protection,
    };
    if protection.is_guard() {
        return Err(take_guard_away(space, page, value, protection));
    }
    if !protection.permits(access) {
        return Err(Problem::AccessViolation);
    }
    match value {
        Pte::Paged { slot, frame, .. } => {
            let place = (slot, frame);
            paged(space, index, page, access, (protection, place))
        }
        _ => demand_zero(space, index, page, access, protection),
    }
}

/// The access that a guard page reports is the one that makes it an ordinary page.
fn take_guard_away(
    space: &mut Space,
    page: VirtAddr,
    value: Pte,
    protection: Protection,
) -> Problem {
    let protection = protection.without_guard();
    let after = match value {
        Pte::Paged { slot, frame, .. } => Pte::Paged {
            protection,
            slot,
            frame,
        },
        _ => Pte::DemandZero(protection),
    };
    match space.set_value(page, after) {
        Ok(()) => Problem::Guard,
        Err(_) => Problem::NoFrames,
    }
}

/// Notes that a page is written, if that is wanted.
fn note_write(space: &mut Space, vad: Index, page: VirtAddr) {
    if let Some(watch) = space.vads.get_mut(vad).and_then(|vad| vad.watch_mut()) {
        watch.set_written(page.0);
    }
}

/// Whether writes to a page need not be noticed any more, by whoever asks which pages were written.
fn is_noted(space: &Space, vad: Index, page: VirtAddr) -> bool {
    let watch = space.vads.get(vad).and_then(|vad| vad.watch());
    watch.is_none_or(|watch| watch.is_written(page.0))
}

/// Shows a page of zeroes, filled further by `fill`, before anybody touches it: one of a private allocation without a
/// record of writes, of which nothing is said yet but that it is committed with that protection.
///
/// # Errors
/// `CONFLICTING_ADDRESSES` inside `InPage` if something is said of it already; else that there are no frames.
pub(crate) fn show_new(
    space: &mut Space,
    page: VirtAddr,
    protection: Protection,
    fill: &mut dyn FnMut(&mut [u64; PAGE_WORDS]),
) -> Result<(), Problem> {
    let new = NewPage {
        owner: space.owner(page),
        protection,
        zeroed: true,
        modified: true,
    };
    let mut frame = frames::take(&new).ok_or(Problem::NoFrames)?;
    fill(frame.words());
    let frame = frame.into_user();
    // A page that nobody may touch is not shown: nobody asks for one.
    let hardware = protection.hardware(true).ok_or(NtStatus::NO_MEMORY);
    let shown = hardware.and_then(|hardware| space.show_unused(page, frame, hardware));
    if let Err(status) = shown {
        frames::discard_private(frame);
        return Err(match status {
            NtStatus::CONFLICTING_ADDRESSES => Problem::InPage(status),
            _ => Problem::NoFrames,
        });
    }
    statistics::count(FaultKind::DemandZero);
    Ok(())
}

fn demand_zero(
    space: &mut Space,
    vad: Index,
    page: VirtAddr,
    access: Access,
    protection: Protection,
) -> Result<(), Problem> {
    let frame = frames::take(&NewPage {
        owner: space.owner(page),
        protection,
        zeroed: true,
        modified: true,
    });
    let frame = frame.ok_or(Problem::NoFrames)?.into_user();
    let watch = space.vads.get_mut(vad).and_then(|vad| vad.watch_mut());
    let is_noted = watch.is_none_or(|watch| {
        if access == Access::Write {
            watch.set_written(page.0);
        }
        watch.is_written(page.0)
    });
    let hardware = protection.hardware(is_noted);
    let shown = hardware.ok_or(NtStatus::ACCESS_VIOLATION);
    if shown
        .and_then(|hardware| space.show(page, frame, hardware))
        .is_err()
    {
        frames::discard_private(frame);
        return Err(Problem::NoFrames);
    }
    statistics::count(FaultKind::DemandZero);
    Ok(())
}

/// The page has content, in a frame still or in the paging file.
fn paged(
    space: &mut Space,
    vad: Index,
    page: VirtAddr,
    access: Access,
    (protection, (slot, hint)): (Protection, (Option<PagingSlot>, Option<FrameIndex>)),
) -> Result<(), Problem> {
    let owner = space.owner(page);
    let revived = hint.and_then(|hint| frames::revive(hint, owner));
    let (frame, modified) = match (revived, slot) {
        (Some(revived), _) => {
            statistics::count(FaultKind::Transition);
            (revived.frame, revived.modified)
        }
        (None, Some(slot)) => {
            statistics::count(FaultKind::PageIn);
            (read_page(owner, slot)?, false)
        }
        // It was reset, and its frame was wanted: zeroes are as good as any content.
        (None, None) => return demand_zero(space, vad, page, access, protection),
    };
    let writes = access == Access::Write;
    if writes {
        note_write(space, vad, page);
    }
    frames::settle_private(frame, protection, writes);
    let hardware = protection.hardware((modified || writes) && is_noted(space, vad, page));
    let shown = hardware.ok_or(NtStatus::ACCESS_VIOLATION);
    if shown
        .and_then(|hardware| space.show(page, frame, hardware))
        .is_err()
    {
        let value = frames::leave(frame);
        let _ = space.set_value(page, value);
        return Err(Problem::NoFrames);
    }
    Ok(())
}

/// Reads a private page from the paging file.
fn read_page(owner: frames::Owner, slot: PagingSlot) -> Result<FrameNumber, Problem> {
    let mut frame = frames::take(&NewPage {
        owner,
        protection: Protection::NO_ACCESS,
        zeroed: false,
        modified: false,
    })
    .ok_or(Problem::NoFrames)?;
    if let Err(status) = paging::read(slot, frame.bytes()) {
        frames::give_back(frame);
        return Err(Problem::InPage(status));
    }
    let frame = frame.into_user();
    frames::set_slot(frame, Some(slot));
    Ok(frame)
}

/// The page shows a frame of the kernel's.
fn fixed(
    space: &mut Space,
    page: VirtAddr,
    access: Access,
    frame: FrameNumber,
) -> Result<(), Problem> {
    if access != Access::Read {
        return Err(Problem::AccessViolation);
    }
    space
        .show(page, frame, UserProtection::Read)
        .map_err(|_| Problem::NoFrames)
}

/// For those who bring pages in and hold the lock: as a status.
pub(crate) fn bring_in_now(space: &mut Space, page: VirtAddr, access: Access) -> NtResult {
    bring_in(space, page, access).map_err(NtStatus::from)
}
