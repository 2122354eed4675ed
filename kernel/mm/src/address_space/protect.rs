//! To change what may be done with pages.
//!
//! A page that may not be accessed at all, or whose next access is to be reported, cannot be in the processor's tables:
//! it leaves the working set and stays in its frame, as if it had been trimmed.

use arch::contract::{PAGE_SIZE, VirtAddr, VirtRange};
use nt_abi::memory::PageProtection;
use nt_abi::{NtResult, NtStatus};
use rtl::interval_tree::Index;

use super::{AddressSpace, HIGHEST_USER_ADDRESS, Space, page_range};
use crate::frames;
use crate::protection::Protection;
use crate::pte::Pte;
use crate::vad::{Kind, Vad, View};

impl AddressSpace {
    /// Changes the protection of all pages that have a byte of the range; gives these pages, and the protection that the
    /// first one had.
    ///
    /// # NT
    /// `NtProtectVirtualMemory`; "VirtualProtectEx function".
    ///
    /// # Errors
    /// - `INVALID_PARAMETER_2`, `_3`: base or size are not in the user half, or the size is 0.
    /// - `INVALID_PAGE_PROTECTION`: no protection, or for private memory one that copies on writes; or it is secured, and
    ///   could no more be read and written.
    /// - `CONFLICTING_ADDRESSES`: the range is not within one allocation.
    /// - `NOT_COMMITTED`: one of the pages is not.
    /// - `SECTION_PROTECTION`: the view's section does not permit it.
    /// - `COMMITMENT_LIMIT`: pages become such that are copied on writes. `NO_MEMORY` for page tables.
    /// - `PROCESS_IS_TERMINATING`. In all these cases nothing has changed.
    ///
    /// # IRQL
    /// At most Apc.
    #[doc(alias = "NtProtectVirtualMemory")]
    pub fn protect(
        &self,
        base: u64,
        size: u64,
        protection: PageProtection,
    ) -> NtResult<(VirtRange, PageProtection)> {
        let protection = Protection::from_page(protection)?;
        check_range(base, size)?;
        let range = page_range(base, size);
        let mut space = self.lock();
        space.tables()?;
        let vad = space.find_vad(range.start.0);
        let vad = vad
            .filter(|vad| space.range(*vad).end.0 >= range.end.0)
            .ok_or(NtStatus::CONFLICTING_ADDRESSES)?;
        let before = match space.vads.get(vad).map(|vad| &vad.kind) {
            Some(Kind::Private { .. }) => {
                space.check_secured(vad, protection)?;
                let before = space.check_private(vad, range, protection)?;
                space.protect_private(vad, range, protection);
                before
            }
            Some(Kind::View(_)) => space.protect_view(vad, range, protection)?,
            Some(Kind::Placeholder) => return Err(NtStatus::CONFLICTING_ADDRESSES),
            Some(Kind::Fixed(_)) | None => return Err(NtStatus::SECTION_PROTECTION),
        };
        Ok((range, before.to_page()))
    }
}

/// Whether a range is one whose protection can be changed.
///
/// # Errors
/// `INVALID_PARAMETER_2`, `_3`: base or size are not in the user half, or the size is 0.
pub fn check_range(base: u64, size: u64) -> NtResult {
    if base > HIGHEST_USER_ADDRESS {
        return Err(NtStatus::INVALID_PARAMETER_2);
    }
    if size == 0 || size > HIGHEST_USER_ADDRESS + 1 - base {
        return Err(NtStatus::INVALID_PARAMETER_3);
    }
    Ok(())
}

impl Space {
    /// See [`Vad::check_secured`].
    fn check_secured(&self, index: Index, protection: Protection) -> NtResult {
        let vad = self.vads.get(index);
        vad.map_or(Ok(()), |vad| vad.check_secured(protection))
    }

    /// Whether pages of private memory can get a protection; gives that of the first one. What can fail is done.
    fn check_private(
        &mut self,
        vad: Index,
        range: VirtRange,
        protection: Protection,
    ) -> NtResult<Protection> {
        if protection.is_copy() {
            return Err(NtStatus::INVALID_PAGE_PROTECTION);
        }
        if self.committed_pages(vad, range) != range.length() / PAGE_SIZE {
            return Err(NtStatus::NOT_COMMITTED);
        }
        self.make_tables(range)?;
        self.page_state(vad, range.start)
            .ok_or(NtStatus::NOT_COMMITTED)
    }

    /// Changes the protection of those pages of private memory that are committed. The page tables are there.
    pub(super) fn protect_private(&mut self, vad: Index, range: VirtRange, protection: Protection) {
        self.protect_shown(vad, range, protection);
        let Some(vad) = self.vads.get(vad) else {
            return;
        };
        let (default, by_default) = (vad.protection, vad.committed);
        self.change_values(range, &mut |_, value| match value {
            Pte::Unset if by_default && protection != default => Pte::DemandZero(protection),
            Pte::DemandZero(_) => Pte::DemandZero(protection),
            Pte::Paged { slot, frame, .. } => Pte::Paged {
                protection,
                slot,
                frame,
            },
            other => other,
        });
    }

    /// Changes the protection of the private pages that are shown.
    fn protect_shown(&mut self, vad: Index, range: VirtRange, protection: Protection) {
        if protection.hardware(true).is_none() {
            self.hide(range, &mut |_, frame| {
                frames::set_protection(frame, protection);
                frames::leave(frame)
            });
            return;
        }
        let Self { tables, vads, .. } = self;
        let watch = vads.get(vad).and_then(|vad| vad.watch());
        let Some(tables) = tables else { return };
        tables.protect(range, &mut |page: VirtAddr, frame, now| {
            let watched = watch.is_some_and(|watch| !watch.is_written(page.0));
            let modified = frames::protect_page(frame, protection);
            protection.hardware(modified && !watched).unwrap_or(now)
        });
    }

    /// Changes the protection of pages of a view; gives that of the first one. A page of which the process has a copy is
    /// its own: it can be written where the others are copied.
    ///
    /// # Errors
    /// As [`AddressSpace::protect`]; nothing has changed then.
    pub(super) fn protect_view(
        &mut self,
        index: Index,
        range: VirtRange,
        protection: Protection,
    ) -> NtResult<Protection> {
        let whole = self.range(index).length() / PAGE_SIZE;
        let before = self.page_state(index, range.start);
        let shared = self.check_view(index, range, protection)?;
        let charge = self.uncharged_copies(index, range, shared);
        let Some(Vad {
            kind: Kind::View(view),
            ..
        }) = self.vads.get_mut(index)
        else {
            return Err(NtStatus::CONFLICTING_ADDRESSES);
        };
        view.prepare(whole, self.pool_quota.as_ref())?;
        self.charge(charge)?;
        self.protect_shown_in_view(range, shared, protection.after_copy());
        self.change_values(range, &mut |_, value| match value {
            Pte::Paged { slot, frame, .. } => Pte::Paged {
                protection: protection.after_copy(),
                slot,
                frame,
            },
            other => other,
        });
        if let Some(vad) = self.vads.get_mut(index) {
            vad.charge += charge;
            let by_default =
                vad.protection.is_copy() && !matches!(&vad.kind, Kind::View(view) if view.image);
            if let Kind::View(view) = &mut vad.kind {
                let mut page = range.start.0;
                while page < range.end.0 {
                    let first = by_default || is_copied_at_first(view, page);
                    view.set_page(page, shared, shared.is_copy() && !first);
                    page += PAGE_SIZE;
                }
            }
        }
        before.ok_or(NtStatus::NOT_COMMITTED)
    }

    /// What pages of a view that are not copies get; or why not.
    fn check_view(
        &self,
        index: Index,
        range: VirtRange,
        protection: Protection,
    ) -> NtResult<Protection> {
        let Some(Vad {
            kind: Kind::View(view),
            protection: of_view,
            ..
        }) = self.vads.get(index)
        else {
            return Err(NtStatus::CONFLICTING_ADDRESSES);
        };
        let shared = if view.copies {
            protection.by_copy()
        } else {
            protection
        };
        if !view.image && !shared.is_within(*of_view) {
            return Err(NtStatus::SECTION_PROTECTION);
        }
        let content = view.area.lock();
        let (first, end) = (view.page(range.start.0), view.page(range.end.0));
        if (first..end).any(|page| !content.is_committed(page)) {
            return Err(NtStatus::NOT_COMMITTED);
        }
        Ok(shared)
    }

    /// How many pages would become such that are copied on writes, and were not charged for.
    fn uncharged_copies(&self, index: Index, range: VirtRange, shared: Protection) -> u64 {
        let Some(Vad {
            kind: Kind::View(view),
            protection,
            ..
        }) = self.vads.get(index)
        else {
            return 0;
        };
        if !shared.is_copy() || (!view.image && protection.is_copy()) {
            return 0;
        }
        let mut count = 0;
        let mut page = range.start.0;
        while page < range.end.0 {
            count += u64::from(!view.is_charged(page) && !is_copied_at_first(view, page));
            page += PAGE_SIZE;
        }
        count
    }

    fn protect_shown_in_view(&mut self, range: VirtRange, shared: Protection, own: Protection) {
        let keep = |frame| {
            let info = frames::info(frame)?;
            let private = matches!(info.owner, frames::Owner::Private { .. });
            if private {
                frames::set_protection(frame, own);
            }
            Some(if private { own } else { shared }.hardware(info.modified))
        };
        if shared.hardware(true).is_none() {
            self.hide(range, &mut |_, frame| {
                keep(frame);
                frames::leave(frame)
            });
            return;
        }
        let Some(tables) = &mut self.tables else {
            return;
        };
        tables.protect(range, &mut |_, frame, now| {
            keep(frame).flatten().unwrap_or(now)
        });
    }
}

/// Whether a page of an image's view is one that writes copy, before anybody changed its protection.
fn is_copied_at_first(view: &View, page: u64) -> bool {
    let content = view.area.lock();
    content
        .image_protection(view.page(page))
        .is_some_and(Protection::is_copy)
}
