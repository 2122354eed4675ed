//! To take pages away, and to give addresses back.

use arch::contract::{PAGE_SIZE, VirtAddr, VirtRange};
use nt_abi::memory::AllocationType;
use nt_abi::{NtResult, NtStatus};
use rtl::interval_tree::Index;

use super::{AddressSpace, HIGHEST_USER_ADDRESS, Space, page_range};
use crate::pte::Pte;
use crate::vad::Kind;

/// What is given back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FreeKind {
    /// The pages; the addresses stay reserved.
    Decommit,
    /// Pages and addresses.
    Release,
    /// Pages; the addresses become a placeholder. A part of a placeholder becomes one of its own.
    PreservePlaceholder,
    /// Nothing: placeholders beside each other become one.
    CoalescePlaceholders,
}

impl FreeKind {
    /// Reads what the service was given.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_4`.
    pub fn from_type(kind: AllocationType) -> NtResult<Self> {
        const PRESERVE: AllocationType =
            AllocationType::RELEASE.union(AllocationType::PRESERVE_PLACEHOLDER);
        const COALESCE: AllocationType =
            AllocationType::RELEASE.union(AllocationType::COALESCE_PLACEHOLDERS);
        match kind {
            AllocationType::DECOMMIT => Ok(Self::Decommit),
            AllocationType::RELEASE => Ok(Self::Release),
            PRESERVE => Ok(Self::PreservePlaceholder),
            COALESCE => Ok(Self::CoalescePlaceholders),
            _ => Err(NtStatus::INVALID_PARAMETER_4),
        }
    }
}

impl AddressSpace {
    /// Takes pages away or gives addresses back; gives the range that it did so with. A size of 0 stands for the whole
    /// allocation that begins at `base`. A part of an allocation can be released too: what remains are one or two.
    ///
    /// # NT
    /// `NtFreeVirtualMemory`; "VirtualFreeEx function".
    ///
    /// # Errors
    /// - `INVALID_PARAMETER_2`, `_3`: base or size are not in the user half; a size of 0 where placeholders are meant.
    /// - `CONFLICTING_ADDRESSES`: no placeholder can be made or joined there.
    /// - `MEMORY_NOT_ALLOCATED`: nothing is at `base`.
    /// - `FREE_VM_NOT_AT_BASE`: a size of 0, and no allocation begins at `base`; or a part of memory whose writes are watched.
    /// - `UNABLE_TO_FREE_VM`: the range goes beyond the allocation.
    /// - `UNABLE_TO_DELETE_SECTION`: it is a view of a section.
    /// - `INVALID_PAGE_PROTECTION`: it is secured, as environment blocks of threads are.
    /// - `INSUFFICIENT_RESOURCES`, `NO_MEMORY`: no memory to describe what remains.
    /// - `PROCESS_IS_TERMINATING`.
    ///
    /// # IRQL
    /// At most Apc.
    #[doc(alias = "NtFreeVirtualMemory")]
    pub fn free(&self, base: u64, size: u64, kind: FreeKind) -> NtResult<VirtRange> {
        if base > HIGHEST_USER_ADDRESS {
            return Err(NtStatus::INVALID_PARAMETER_2);
        }
        if size > HIGHEST_USER_ADDRESS + 1 - base {
            return Err(NtStatus::INVALID_PARAMETER_3);
        }
        let placeholders = [
            FreeKind::PreservePlaceholder,
            FreeKind::CoalescePlaceholders,
        ];
        if size == 0 && placeholders.contains(&kind) {
            return Err(NtStatus::INVALID_PARAMETER_3);
        }
        let mut space = self.lock();
        space.tables()?;
        let vad = space.find_vad(base).ok_or(NtStatus::MEMORY_NOT_ALLOCATED)?;
        let whole = space.range(vad);
        if kind == FreeKind::CoalescePlaceholders {
            return space.coalesce_placeholders(vad, page_range(base, size));
        }
        let range = if size == 0 {
            if base & !(PAGE_SIZE - 1) != whole.start.0 {
                return Err(NtStatus::FREE_VM_NOT_AT_BASE);
            }
            whole
        } else {
            page_range(base, size)
        };
        if range.end.0 > whole.end.0 {
            return Err(NtStatus::UNABLE_TO_FREE_VM);
        }
        if space.vads.get(vad).is_some_and(|vad| vad.secured) {
            return Err(NtStatus::INVALID_PAGE_PROTECTION);
        }
        match space.vads.get(vad).map(|vad| &vad.kind) {
            Some(Kind::Private { .. }) => {}
            Some(Kind::Placeholder) if kind != FreeKind::Decommit => {}
            Some(Kind::Placeholder) => return Err(NtStatus::CONFLICTING_ADDRESSES),
            _ => return Err(NtStatus::UNABLE_TO_DELETE_SECTION),
        }
        match kind {
            FreeKind::Decommit => space.decommit(vad, range)?,
            FreeKind::Release if range == whole => space.release(vad),
            FreeKind::Release => space.release_part(vad, range)?,
            FreeKind::PreservePlaceholder => space.preserve_placeholder(vad, range)?,
            FreeKind::CoalescePlaceholders => {}
        }
        Ok(range)
    }
}

impl Space {
    fn decommit(&mut self, index: Index, range: VirtRange) -> NtResult {
        let by_default = self.vads.get(index).is_some_and(|vad| vad.committed);
        let whole = self.range(index) == range;
        let pages = self.committed_pages(index, range);
        if whole {
            self.end_pages(range, Pte::Unset);
            if let Some(vad) = self.vads.get_mut(index) {
                vad.committed = false;
            }
        } else if by_default {
            self.make_tables(range)?;
            self.end_pages(range, Pte::Decommitted);
        } else {
            self.end_pages(range, Pte::Unset);
        }
        if let Some(vad) = self.vads.get_mut(index) {
            vad.charge -= pages;
        }
        self.give_back(pages);
        Ok(())
    }

    /// Ends a whole allocation or view.
    pub(crate) fn release(&mut self, index: Index) {
        let range = self.range(index);
        self.forget_locks(range);
        // Most of a stack that was only reserved need not be searched.
        let (used, pages) = self.used_end(index, range);
        let ended = self.clear(&[used]);
        if used != range && ended.all != pages {
            self.clear(&[range]);
        }
        self.remove_ended(index);
    }

    /// Takes out an allocation or view whose pages have ended.
    pub(super) fn remove_ended(&mut self, index: Index) {
        let Some(vad) = self.vads.get(index) else {
            return;
        };
        if let Kind::View(view) = &vad.kind {
            view.area.lock().views -= 1;
        }
        let charge = vad.charge;
        self.note_removal(index);
        self.vads.discard(index);
        self.give_back(charge);
    }

    pub(super) fn release_part(&mut self, index: Index, range: VirtRange) -> NtResult {
        let whole = self.range(index);
        let Some(vad) = self.vads.get(index) else {
            return Err(NtStatus::MEMORY_NOT_ALLOCATED);
        };
        if vad.watch().is_some() {
            return Err(NtStatus::FREE_VM_NOT_AT_BASE);
        }
        let upper = VirtRange {
            start: range.end,
            end: whole.end,
        };
        let splits = range.start != whole.start && upper.length() != 0;
        if splits {
            self.reserve_vads(1)?;
        }
        let pages = self.committed_pages(index, range);
        let upper_pages = if splits {
            self.committed_pages(index, upper)
        } else {
            0
        };
        self.end_pages(range, Pte::Unset);
        let rest = if range.start == whole.start {
            range.end.0..whole.end.0
        } else {
            whole.start.0..range.start.0
        };
        self.vads.resize(index, rest).map_err(NtStatus::from)?;
        self.counters.virtual_size -= range.length();
        if splits {
            // It is taken away here and added again there.
            self.counters.virtual_size -= upper.length();
        }
        let upper_part = self.vads.get_mut(index).map(|vad| {
            vad.charge -= pages + upper_pages;
            vad.upper_part(upper_pages)
        });
        self.give_back(pages);
        if splits && let Some(vad) = upper_part {
            self.insert(upper, vad)?;
        }
        Ok(())
    }
}

/// The page that an address is in.
pub(crate) fn page_of(address: u64) -> VirtAddr {
    VirtAddr(address & !(PAGE_SIZE - 1))
}
