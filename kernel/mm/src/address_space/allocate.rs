//! To set addresses aside, and to give them memory.
//!
//! Committed memory is a promise, no frame: a range that is reserved and committed at once costs a VAD and a charge, and
//! its pages come when they are touched. To commit pages of a reservation writes a value for each, which is why the page
//! tables are made first: what can fail comes before what changes.

use arch::contract::{PAGE_SIZE, VirtAddr, VirtRange};
use nt_abi::memory::{AllocationType, PageProtection};
use nt_abi::{NtResult, NtStatus};
use rtl::interval_tree::Index;

use super::pages::PageEntry;
use super::{
    ALLOCATION_GRANULARITY, AddressSpace, HIGHEST_USER_ADDRESS, LOWEST_USER_ADDRESS, Space,
    page_range,
};
use crate::frames::{self, Owner};
use crate::protection::Protection;
use crate::pte::Pte;
use crate::vad::{Kind, Vad, WriteWatch};

/// What an allocation asks for.
#[derive(Clone, Copy, Debug)]
pub struct Allocation {
    /// Where; 0: anywhere.
    pub base: u64,
    /// Bytes.
    pub size: u64,
    /// Up to 21: how many of the upper 32 address bits' bits below 2^32 must be zero besides the upper half; from 32 on: a mask
    /// that the address must fit.
    pub zero_bits: u64,
    /// `MEM_*`.
    pub kind: AllocationType,
    /// `PAGE_*`.
    pub protection: PageProtection,
    /// Where it may lie.
    pub limits: Limits,
}

/// Where an allocation or a view may lie, if the system chooses.
///
/// # NT
/// `MEM_ADDRESS_REQUIREMENTS`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The lowest address that it may begin at.
    pub lowest: u64,
    /// The highest address that it may have.
    pub highest: u64,
    /// What its address is a multiple of.
    pub alignment: u64,
}

impl Limits {
    /// What a caller requires; zeroes stand for no requirement.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: a lowest address that is no multiple of 64 KiB, a highest one that is not the last byte before
    /// such a multiple, a range without addresses or beyond the user half, an alignment that is no power of two or less
    /// than 64 KiB.
    pub fn required(lowest: u64, highest: u64, alignment: u64) -> NtResult<Self> {
        const BAD: NtStatus = NtStatus::INVALID_PARAMETER;
        let anywhere = Self::ANYWHERE;
        if alignment != 0 && (!alignment.is_power_of_two() || alignment < ALLOCATION_GRANULARITY) {
            return Err(BAD);
        }
        if !lowest.is_multiple_of(ALLOCATION_GRANULARITY) || lowest > HIGHEST_USER_ADDRESS {
            return Err(BAD);
        }
        let end = match highest {
            0 => HIGHEST_USER_ADDRESS + 1,
            last if last > HIGHEST_USER_ADDRESS => return Err(BAD),
            last => last + 1,
        };
        if !end.is_multiple_of(ALLOCATION_GRANULARITY) || end <= lowest {
            return Err(BAD);
        }
        Ok(Self {
            lowest: lowest.max(anywhere.lowest),
            highest: end - 1,
            alignment: alignment.max(anywhere.alignment),
        })
    }

    /// Anywhere in the user half.
    pub const ANYWHERE: Self = Self {
        lowest: LOWEST_USER_ADDRESS,
        highest: HIGHEST_USER_ADDRESS,
        alignment: ALLOCATION_GRANULARITY,
    };

    /// The same with the highest address that `zero_bits` permits.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_3` for a number from 22 to 31.
    pub fn with_zero_bits(self, zero_bits: u64) -> NtResult<Self> {
        let highest = match zero_bits {
            0 => u64::MAX,
            1..=21 => u64::from(u32::MAX) >> zero_bits,
            22..=31 => return Err(NtStatus::INVALID_PARAMETER_3),
            mask => u64::MAX >> mask.leading_zeros(),
        };
        Ok(Self {
            highest: self.highest.min(highest),
            ..self
        })
    }
}

/// The kinds that the service knows.
const KNOWN: AllocationType = AllocationType::COMMIT
    .union(AllocationType::RESERVE)
    .union(AllocationType::RESET)
    .union(AllocationType::RESET_UNDO)
    .union(AllocationType::TOP_DOWN)
    .union(AllocationType::WRITE_WATCH)
    .union(AllocationType::PHYSICAL)
    .union(AllocationType::LARGE_PAGES)
    .union(AllocationType::RESERVE_PLACEHOLDER)
    .union(AllocationType::REPLACE_PLACEHOLDER);

/// What [`Allocation::check_kind`] found: where it may lie, and its protection.
#[derive(Clone, Copy, Debug)]
pub struct CheckedKind {
    limits: Limits,
    protection: Protection,
}

impl Allocation {
    /// Looks at what does not depend on the range: zero bits, kind, protection, in this order.
    ///
    /// # Errors
    /// Those that [`AddressSpace::allocate`] gives for them.
    pub fn check_kind(&self) -> NtResult<CheckedKind> {
        let kind = self.kind;
        let limits = self.limits.with_zero_bits(self.zero_bits)?;
        let resets = AllocationType::RESET | AllocationType::RESET_UNDO;
        let does = AllocationType::COMMIT | AllocationType::RESERVE | resets;
        if !KNOWN.contains(kind) || !kind.intersects(does) {
            return Err(NtStatus::INVALID_PARAMETER_5);
        }
        if kind.intersects(resets)
            && kind != AllocationType::RESET
            && kind != AllocationType::RESET_UNDO
        {
            return Err(NtStatus::INVALID_PARAMETER_5);
        }
        if kind.contains(AllocationType::LARGE_PAGES) {
            return Err(if kind.contains(AllocationType::COMMIT) {
                NtStatus::PRIVILEGE_NOT_HELD
            } else {
                NtStatus::INVALID_PARAMETER_5
            });
        }
        if kind.contains(AllocationType::WRITE_WATCH) && !kind.contains(AllocationType::RESERVE) {
            return Err(NtStatus::INVALID_PARAMETER_5);
        }
        if kind.contains(AllocationType::PHYSICAL) {
            return Err(NtStatus::NOT_SUPPORTED);
        }
        check_placeholders(kind)?;
        let protection = Protection::from_page(self.protection)?;
        if kind.contains(AllocationType::RESERVE_PLACEHOLDER) && protection != Protection::NO_ACCESS
        {
            return Err(NtStatus::INVALID_PARAMETER_6);
        }
        Ok(CheckedKind { limits, protection })
    }

    /// Looks at base and size, in this order.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_2`, `_4`.
    pub fn check_range(&self) -> NtResult {
        if self.base > HIGHEST_USER_ADDRESS {
            return Err(NtStatus::INVALID_PARAMETER_2);
        }
        if self.size == 0 || self.size > HIGHEST_USER_ADDRESS + 1 - self.base {
            return Err(NtStatus::INVALID_PARAMETER_4);
        }
        Ok(())
    }
}

/// A placeholder is only reserved; what replaces one is reserved, too, and perhaps committed.
fn check_placeholders(kind: AllocationType) -> NtResult {
    let reserves = kind.contains(AllocationType::RESERVE);
    if kind.contains(AllocationType::RESERVE_PLACEHOLDER) {
        let with = AllocationType::RESERVE
            | AllocationType::RESERVE_PLACEHOLDER
            | AllocationType::TOP_DOWN;
        if !reserves || !with.contains(kind) {
            return Err(NtStatus::INVALID_PARAMETER_5);
        }
    }
    if kind.contains(AllocationType::REPLACE_PLACEHOLDER) && !reserves {
        return Err(NtStatus::INVALID_PARAMETER_5);
    }
    Ok(())
}

impl AddressSpace {
    /// Reserves, commits, or resets pages; gives the range that it did so with.
    ///
    /// Without a base it reserves, whatever was said; where, the system chooses: the lowest place, or with `TOP_DOWN` the
    /// highest. A base is rounded down, to 64 KiB when it reserves and to a page otherwise; the end is rounded up to a page.
    ///
    /// # NT
    /// `NtAllocateVirtualMemory`; "VirtualAllocEx function".
    ///
    /// # Errors
    /// - `INVALID_PARAMETER_2` to `_5`: base, zero bits, size or kind; `INVALID_PARAMETER`: a base in the lowest 64 KiB.
    /// - `INVALID_PAGE_PROTECTION`: no protection, or one that copies on writes, which is for views; or addresses that are
    ///   secured, as those of environment blocks of threads are.
    /// - `CONFLICTING_ADDRESSES`: to reserve, something is there already; to commit, it is not all in one allocation.
    /// - `ALREADY_COMMITTED`: to commit pages of a view of a file.
    /// - `NO_MEMORY`: no place is large enough.
    /// - `COMMITMENT_LIMIT`, or what the quota says; `INSUFFICIENT_RESOURCES`, `NO_MEMORY`: no memory to describe it.
    /// - `PRIVILEGE_NOT_HELD`, `NOT_SUPPORTED`: large pages, physical pages.
    /// - `INVALID_PARAMETER_6`: a placeholder that permits something.
    /// - `PROCESS_IS_TERMINATING`.
    ///
    /// # IRQL
    /// At most Apc.
    ///
    /// # Differs
    /// No address is chosen at random: the same program gets the same addresses.
    #[doc(alias = "NtAllocateVirtualMemory")]
    pub fn allocate(&self, request: &Allocation) -> NtResult<VirtRange> {
        let checked = request.check_kind()?;
        self.allocate_checked(request, checked)
    }

    /// [`allocate`](Self::allocate) for who has looked at the kind already, since it had to before it knew base and size.
    ///
    /// # Errors
    /// As there.
    pub fn allocate_checked(
        &self,
        request: &Allocation,
        checked: CheckedKind,
    ) -> NtResult<VirtRange> {
        let CheckedKind { limits, protection } = checked;
        request.check_range()?;
        let mut space = self.lock();
        space.tables()?;
        let kind = request.kind;
        let resets = kind.intersects(AllocationType::RESET | AllocationType::RESET_UNDO);
        if kind.contains(AllocationType::RESERVE) || (request.base == 0 && !resets) {
            return space.reserve(request, limits, protection);
        }
        let range = page_range(request.base, request.size);
        let vad = space.find_vad(range.start.0);
        let vad = vad
            .filter(|vad| space.range(*vad).end.0 >= range.end.0)
            .ok_or(NtStatus::CONFLICTING_ADDRESSES)?;
        if resets {
            space.reset(vad, range, kind == AllocationType::RESET_UNDO)?;
        } else {
            space.commit(vad, range, protection)?;
        }
        Ok(range)
    }
}

impl Space {
    fn reserve(
        &mut self,
        request: &Allocation,
        limits: Limits,
        protection: Protection,
    ) -> NtResult<VirtRange> {
        if protection.is_copy() {
            return Err(NtStatus::INVALID_PAGE_PROTECTION);
        }
        let replaces = request.kind.contains(AllocationType::REPLACE_PLACEHOLDER);
        let range = if replaces {
            VirtRange {
                start: VirtAddr(request.base),
                ..page_range(request.base, request.size)
            }
        } else if request.base == 0 {
            let length = request.size.next_multiple_of(PAGE_SIZE);
            let top_down = request.kind.contains(AllocationType::TOP_DOWN);
            self.find_room(length, limits, top_down)?
        } else {
            let start = request.base & !(ALLOCATION_GRANULARITY - 1);
            if start < LOWEST_USER_ADDRESS {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            page_range(start, request.base - start + request.size)
        };
        let committed = request.kind.contains(AllocationType::COMMIT);
        let mut vad = if request.kind.contains(AllocationType::RESERVE_PLACEHOLDER) {
            Vad::placeholder()
        } else {
            Vad::private(protection, committed)
        };
        let pages = range.length() / PAGE_SIZE;
        if request.kind.contains(AllocationType::WRITE_WATCH) {
            let watch = Some(WriteWatch::new(
                range.start.0,
                pages,
                self.pool_quota.as_ref(),
            )?);
            vad.kind = Kind::Private { watch };
        }
        if replaces {
            let charge = if committed { pages } else { 0 };
            return self.allocate_in_placeholder(range, vad, charge);
        }
        // Room that was found is free.
        let chosen = request.base != 0;
        if chosen
            && self
                .vads
                .first_overlapping(range.start.0..range.end.0)
                .is_some()
        {
            return Err(NtStatus::CONFLICTING_ADDRESSES);
        }
        vad.charge = if committed { pages } else { 0 };
        self.charge(vad.charge)?;
        let charge = vad.charge;
        if let Err(status) = self.insert(range, vad) {
            self.give_back(charge);
            return Err(status);
        }
        Ok(range)
    }

    /// Finds room.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    pub(crate) fn find_room(
        &self,
        length: u64,
        limits: Limits,
        top_down: bool,
    ) -> NtResult<VirtRange> {
        let lowest = limits.lowest.max(LOWEST_USER_ADDRESS);
        let end = limits.highest.min(HIGHEST_USER_ADDRESS) + 1;
        let alignment = limits.alignment.max(ALLOCATION_GRANULARITY);
        let found = if top_down {
            self.vads.highest_gap(length, alignment, lowest..end)
        } else {
            self.vads.lowest_gap(length, alignment, lowest..end)
        };
        let start = found.ok_or(NtStatus::NO_MEMORY)?;
        Ok(VirtRange {
            start: VirtAddr(start),
            end: VirtAddr(start + length),
        })
    }

    /// Commits pages of an allocation; those that are committed already only get the protection.
    fn commit(&mut self, index: Index, range: VirtRange, protection: Protection) -> NtResult {
        let Some(vad) = self.vads.get(index) else {
            return Err(NtStatus::CONFLICTING_ADDRESSES);
        };
        match &vad.kind {
            Kind::Private { .. } => {}
            Kind::Fixed(_) | Kind::Placeholder => return Err(NtStatus::CONFLICTING_ADDRESSES),
            Kind::View(view) => {
                let first = view.page(range.start.0);
                let count = view.page(range.end.0) - first;
                view.area.lock().commit(first, count)?;
                return self.protect_view(index, range, protection).map(|_| ());
            }
        }
        if protection.is_copy() {
            return Err(NtStatus::INVALID_PAGE_PROTECTION);
        }
        vad.check_secured(protection)?;
        let (by_default, secured) = (vad.committed, vad.secured);
        let before = self.committed_pages(index, range);
        let new = range.length() / PAGE_SIZE - before;
        if secured && new != 0 {
            return Err(NtStatus::INVALID_PAGE_PROTECTION);
        }
        // The charge first: it bounds how many tables are made.
        self.charge(new)?;
        if let Err(status) = self.make_tables(range) {
            self.give_back(new);
            return Err(status);
        }
        if before != 0 {
            self.protect_private(index, range, protection);
        }
        self.change_values(range, &mut |_, value| match value {
            Pte::Decommitted => Pte::DemandZero(protection),
            Pte::Unset if !by_default => Pte::DemandZero(protection),
            other => other,
        });
        if let Some(vad) = self.vads.get_mut(index) {
            vad.charge += new;
        }
        Ok(())
    }

    /// The content of pages is wanted no more, or after all.
    ///
    /// A page that is reset counts as not modified: when its frame is wanted it goes without being written, and is full
    /// of zeroes when it is next looked at. A write is noticed and makes it an ordinary page again.
    fn reset(&mut self, index: Index, range: VirtRange, undo: bool) -> NtResult {
        let private = self.vads.get(index).map(|vad| &vad.kind);
        if !matches!(private, Some(Kind::Private { .. })) {
            return Err(NtStatus::CONFLICTING_ADDRESSES);
        }
        if self.committed_pages(index, range) != range.length() / PAGE_SIZE {
            return Err(NtStatus::CONFLICTING_ADDRESSES);
        }
        let space = self.number;
        let mut lost = false;
        self.visit_used(range, &mut |_, entry| {
            if let PageEntry::Shown(frame) = entry {
                frames::reset_shown(frame, undo);
            }
            true
        });
        self.change_values(range, &mut |page, value| match value {
            Pte::Paged {
                protection,
                slot,
                frame,
            } => {
                let page = page.0 / PAGE_SIZE;
                let owner = Owner::Private { space, page };
                let kept = frames::reset_paged(slot, frame, owner, undo);
                lost |= kept.is_err();
                Pte::Paged {
                    protection,
                    slot: kept.unwrap_or(None),
                    frame,
                }
            }
            other => other,
        });
        if !undo {
            self.tables()?
                .protect(range, &mut |_, _, protection| protection.without_write());
        }
        if lost && undo {
            return Err(NtStatus::CONFLICTING_ADDRESSES);
        }
        Ok(())
    }
}
