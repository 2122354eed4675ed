//! Pages that must stay in memory: locked by their process, or for a device.

use arch::contract::{Access, FrameNumber, PAGE_SIZE, VirtAddr, VirtRange};
use arch::memory::user_frame;
use nt_abi::{NtResult, NtStatus};

use super::pages::PageEntry;
use super::{AddressSpace, HIGHEST_USER_ADDRESS, Space, page_range};
use crate::pte::Pte;
use crate::vad::Kind;
use crate::{fault, frames};
use ex::pool::{PoolTag, PoolVec};
use rtl::interval_tree::Index;

const TAG_PINNED: PoolTag = PoolTag(*b"MmPn");

impl AddressSpace {
    /// Brings pages into memory and locks them in the working set. Gives the pages, and whether all were locked before:
    /// a success too (`WAS_LOCKED`).
    ///
    /// # NT
    /// `NtLockVirtualMemory` with `MAP_PROCESS`; "VirtualLock function".
    ///
    /// # Errors
    /// - `INVALID_PARAMETER`: the range is not in the user half, or empty.
    /// - `ACCESS_VIOLATION`: a page is not committed, or may not be read. `GUARD_PAGE_VIOLATION`.
    /// - `WORKING_SET_QUOTA`: more would be locked than the working set's minimum leaves room for.
    /// - `INSUFFICIENT_RESOURCES`, `NO_MEMORY`, what the page's device gives; `PROCESS_IS_TERMINATING`.
    ///
    /// # IRQL
    /// At most Apc.
    #[doc(alias = "NtLockVirtualMemory")]
    pub fn lock_pages(&self, base: u64, size: u64) -> NtResult<(VirtRange, bool)> {
        let range = user_range(base, size)?;
        let mut space = self.lock();
        space.tables()?;
        let pages = range.length() / PAGE_SIZE;
        if pages > space.limits.minimum.max(space.locked.len() as u64) {
            return Err(NtStatus::WORKING_SET_QUOTA);
        }
        let mut new = 0;
        for_each_page(range, |page| {
            new += u64::from(!space.is_locked(page));
            Ok(())
        })?;
        /// Pages of the minimum that a process cannot lock: "VirtualLock function" calls it a small overhead.
        const OVERHEAD: u64 = 8;
        if space.locked.len() as u64 + new + OVERHEAD > space.limits.minimum {
            return Err(NtStatus::WORKING_SET_QUOTA);
        }
        space
            .locked
            .reserve(usize::try_from(pages).unwrap_or(usize::MAX))?;
        for_each_page(range, |page| {
            fault::bring_in_now(&mut space, page, Access::Read)
        })?;
        for_each_page(range, |page| space.note_lock(page))?;
        Ok((range, new == 0))
    }

    /// Unlocks pages.
    ///
    /// # NT
    /// `NtUnlockVirtualMemory`; "VirtualUnlock function".
    ///
    /// # Errors
    /// `NOT_LOCKED` if one of them is not locked; none is unlocked then. `INVALID_PARAMETER`, `PROCESS_IS_TERMINATING`.
    #[doc(alias = "NtUnlockVirtualMemory")]
    pub fn unlock_pages(&self, base: u64, size: u64) -> NtResult<VirtRange> {
        let range = user_range(base, size)?;
        let mut space = self.lock();
        space.tables()?;
        for_each_page(range, |page| {
            if space.is_locked(page) {
                Ok(())
            } else {
                Err(NtStatus::NOT_LOCKED)
            }
        })?;
        space.forget_locks(range);
        Ok(range)
    }
}

impl AddressSpace {
    /// Brings pages into memory that have content, before somebody touches them; it ends early when memory is short, and
    /// when it has done as much as one advice is worth, whatever the number and the size of the ranges.
    ///
    /// # NT
    /// `NtSetInformationVirtualMemory` with `VmPrefetchInformation`; "PrefetchVirtualMemory function".
    ///
    /// # Errors
    /// `PROCESS_IS_TERMINATING`.
    pub fn prefetch(&self, ranges: impl IntoIterator<Item = VirtRange>) -> NtResult {
        /// Pages that one call looks at: a view may be of any size.
        const LOOKS: u32 = 1 << 16;
        let mut looks = LOOKS;
        for range in ranges {
            self.prefetch_range(range, &mut looks)?;
            if looks == 0 {
                break;
            }
        }
        Ok(())
    }

    fn prefetch_range(&self, range: VirtRange, looks: &mut u32) -> NtResult {
        let mut from = range.start;
        while from.0 < range.end.0 {
            let mut space = self.lock();
            space.tables()?;
            let rest = VirtRange {
                start: from,
                end: range.end,
            };
            let Some(page) = space.next_not_shown(rest, looks) else {
                return Ok(());
            };
            let brought = fault::bring_in(&mut space, page, Access::Read);
            if brought == Err(fault::Problem::NoFrames) {
                *looks = 0;
                return Ok(());
            }
            from = VirtAddr(page.0 + PAGE_SIZE);
        }
        Ok(())
    }

    /// Makes code that was written to pages visible to instruction fetch. Pages that are not there have nothing to show.
    ///
    /// # NT
    /// `NtFlushInstructionCache`, `KeSweepIcacheRange`.
    ///
    /// # Errors
    /// `PROCESS_IS_TERMINATING`.
    #[doc(alias = "NtFlushInstructionCache")]
    pub fn publish_code(&self, range: VirtRange) -> NtResult {
        let mut space = self.lock();
        space.tables()?;
        space.visit_used(range, &mut |_, entry| {
            if let PageEntry::Shown(frame) = entry {
                // A frame that is shown is a user frame.
                let _ = user_frame::publish_code(frame);
            }
            true
        });
        Ok(())
    }
}

/// Pages that stay in memory, each in its frame, as long as this lives: for devices, and for copies that must not fault.
///
/// # NT
/// What an `MDL` describes.
pub struct PinnedPages {
    frames: PoolVec<FrameNumber>,
    range: VirtRange,
}

impl PinnedPages {
    /// The frames, in the order of the pages.
    pub fn frames(&self) -> &[FrameNumber] {
        &self.frames
    }

    /// The pages' addresses.
    pub fn range(&self) -> VirtRange {
        self.range
    }
}

impl Drop for PinnedPages {
    #[doc(alias = "MmUnlockPages")]
    fn drop(&mut self) {
        for frame in self.frames.iter() {
            frames::unlock_in_memory(*frame);
        }
    }
}

impl AddressSpace {
    /// Brings pages into memory for an access and keeps them there, whatever the process does meanwhile: pages that it
    /// gives up go when they are let go of.
    ///
    /// # NT
    /// `MmProbeAndLockPages`.
    ///
    /// # Errors
    /// As [`lock_pages`](Self::lock_pages) but for the quota, which is not asked.
    ///
    /// # IRQL
    /// At most Apc.
    #[doc(alias = "MmProbeAndLockPages")]
    pub fn pin(&self, base: u64, size: u64, access: Access) -> NtResult<PinnedPages> {
        let range = user_range(base, size)?;
        let count = usize::try_from(range.length() / PAGE_SIZE)
            .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        let mut pinned = PinnedPages {
            frames: PoolVec::with_capacity(TAG_PINNED, count)?,
            range,
        };
        let mut attempts = fault::Attempts::new();
        let mut page = range.start;
        while page.0 < range.end.0 {
            let mut space = self.lock();
            let problem = match fault::bring_in(&mut space, page, access) {
                Ok(()) => {
                    if let PageEntry::Shown(frame) = space.entry(page)
                        && frames::lock_in_memory(frame)
                    {
                        pinned.frames.push(frame)?;
                        page.0 += PAGE_SIZE;
                        continue;
                    }
                    return Err(NtStatus::WORKING_SET_QUOTA);
                }
                Err(problem) => problem,
            };
            drop(space);
            if !attempts.again_after(problem) {
                return Err(problem.into());
            }
        }
        Ok(pinned)
    }
}

fn user_range(base: u64, size: u64) -> NtResult<VirtRange> {
    if base > HIGHEST_USER_ADDRESS || size == 0 || size > HIGHEST_USER_ADDRESS + 1 - base {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    Ok(page_range(base, size))
}

fn for_each_page(range: VirtRange, mut each: impl FnMut(VirtAddr) -> NtResult) -> NtResult {
    let mut page = range.start;
    while page.0 < range.end.0 {
        each(page)?;
        page.0 += PAGE_SIZE;
    }
    Ok(())
}

impl Space {
    /// Whether a page is locked in the working set.
    pub(crate) fn is_locked(&self, page: VirtAddr) -> bool {
        !self.locked.is_empty() && self.locked.binary_search(&page.0).is_ok()
    }

    /// Locks a page that is shown; there is room for one more.
    fn note_lock(&mut self, page: VirtAddr) -> NtResult {
        debug_assert!(matches!(self.entry(page), PageEntry::Shown(_)));
        if let Err(place) = self.locked.binary_search(&page.0) {
            self.locked.push(page.0)?;
            self.locked[place..].rotate_right(1);
        }
        Ok(())
    }

    /// The first page of a range that can be read, has content and is not shown: one that was trimmed, or one of a view.
    /// `looks` becomes fewer by the pages that were looked at, one for each allocation at least.
    fn next_not_shown(&self, range: VirtRange, looks: &mut u32) -> Option<VirtAddr> {
        let mut from = range.start;
        while from.0 < range.end.0 {
            let index = self.vads.first_ending_after(from.0)?;
            let whole = self.range(index);
            let part = VirtRange {
                start: from.max(whole.start),
                end: whole.end.min(range.end),
            };
            *looks = looks.checked_sub(1)?;
            let found = match self.vads.get(index)?.kind {
                Kind::View(_) => self.next_of_view(index, part, looks),
                _ => self.next_paged(index, part, looks),
            };
            if found.is_some() || *looks == 0 {
                return found;
            }
            from = whole.end;
        }
        None
    }

    fn next_of_view(&self, index: Index, part: VirtRange, looks: &mut u32) -> Option<VirtAddr> {
        let mut page = part.start;
        while page.0 < part.end.0 && *looks > 0 {
            *looks -= 1;
            let absent = matches!(self.entry(page), PageEntry::Value(_));
            if absent && self.is_readable(index, page) {
                return Some(page);
            }
            page.0 += PAGE_SIZE;
        }
        None
    }

    fn next_paged(&self, index: Index, part: VirtRange, looks: &mut u32) -> Option<VirtAddr> {
        let mut found = None;
        self.visit_used(part, &mut |page, entry| {
            *looks = looks.saturating_sub(1);
            let paged = matches!(entry, PageEntry::Value(Pte::Paged { .. }));
            if paged && self.is_readable(index, page) {
                found = Some(page);
            }
            found.is_none() && *looks > 0
        });
        found
    }

    fn is_readable(&self, index: Index, page: VirtAddr) -> bool {
        let protection = self.page_state(index, page);
        protection.is_some_and(|protection| protection.permits(Access::Read))
    }

    /// Unlocks what is locked in a range.
    pub(crate) fn forget_locks(&mut self, range: VirtRange) {
        if self.locked.is_empty() {
            return;
        }
        let from = self.locked.partition_point(|page| *page < range.start.0);
        let to = self.locked.partition_point(|page| *page < range.end.0);
        self.locked[from..].rotate_left(to - from);
        for _ in from..to {
            self.locked.pop();
        }
    }
}
