//! Faults in views of sections: the section's page, or a copy of it.

use arch::contract::{Access, FrameNumber, PAGE_SIZE, VirtAddr, VirtRange};
use arch::memory::user_frame;
use nt_abi::NtStatus;
use rtl::interval_tree::Index;

use super::Problem;
use crate::address_space::{Space, shared_state};
use crate::frames::{self, NewPage};
use crate::protection::Protection;
use crate::statistics::{self, FaultKind};
use crate::vad::Kind;

/// The page is a section's.
pub(super) fn in_view(
    space: &mut Space,
    index: Index,
    page: VirtAddr,
    access: Access,
) -> Result<(), Problem> {
    let whole = space.range(index).length() / PAGE_SIZE;
    let Some(vad) = space.vads.get_mut(index) else {
        return Err(Problem::AccessViolation);
    };
    let Kind::View(view) = &mut vad.kind else {
        return Err(Problem::AccessViolation);
    };
    let protection = shared_state(view, vad.protection, page).ok_or(Problem::AccessViolation)?;
    if protection.is_guard() {
        // It was charged for when the guard was set.
        view.prepare(whole, None).map_err(|_| Problem::NoFrames)?;
        view.set_page(page.0, protection.without_guard(), false);
        return Err(Problem::Guard);
    }
    if !protection.permits(access) {
        return Err(Problem::AccessViolation);
    }
    let (frame, modified) = view.area.lock().bring_in(view.page(page.0))?;
    let writes = access == Access::Write;
    if writes && protection.is_copy() {
        let copied = show_copy(space, page, frame, protection);
        frames::leave(frame);
        return copied;
    }
    if writes {
        frames::set_modified(frame, true);
    }
    let hardware = protection.hardware(modified || writes);
    let shown = hardware.ok_or(NtStatus::ACCESS_VIOLATION);
    if shown
        .and_then(|hardware| space.show(page, frame, hardware))
        .is_err()
    {
        frames::leave(frame);
        return Err(Problem::NoFrames);
    }
    Ok(())
}

/// A page of a section that is shown gets a copy in its place.
pub(super) fn copy(
    space: &mut Space,
    page: VirtAddr,
    frame: FrameNumber,
    protection: Protection,
) -> Result<(), Problem> {
    let copied = copy_of(space, page, frame, protection)?;
    // The old entry is gone on every processor before the new one is there.
    space.hide(VirtRange::of_pages(page, 1), &mut |_, frame| {
        frames::leave(frame)
    });
    show_new(space, page, copied, protection.after_copy())
}

/// A page of a section that is not shown gets a copy in its place.
fn show_copy(
    space: &mut Space,
    page: VirtAddr,
    frame: FrameNumber,
    protection: Protection,
) -> Result<(), Problem> {
    let copied = copy_of(space, page, frame, protection)?;
    show_new(space, page, copied, protection.after_copy())
}

fn copy_of(
    space: &Space,
    page: VirtAddr,
    frame: FrameNumber,
    protection: Protection,
) -> Result<FrameNumber, Problem> {
    let mut copied = frames::take(&NewPage {
        owner: space.owner(page),
        protection: protection.after_copy(),
        zeroed: false,
        modified: true,
    })
    .ok_or(Problem::NoFrames)?;
    if user_frame::read(frame, 0, copied.bytes()).is_err() {
        frames::give_back(copied);
        return Err(Problem::InPage(NtStatus::UNEXPECTED_MM_MAP_ERROR));
    }
    statistics::count(FaultKind::CopyOnWrite);
    Ok(copied.into_user())
}

fn show_new(
    space: &mut Space,
    page: VirtAddr,
    frame: FrameNumber,
    protection: Protection,
) -> Result<(), Problem> {
    let hardware = protection.hardware(true).ok_or(NtStatus::ACCESS_VIOLATION);
    if hardware
        .and_then(|hardware| space.show(page, frame, hardware))
        .is_err()
    {
        frames::discard_private(frame);
        return Err(Problem::NoFrames);
    }
    Ok(())
}
