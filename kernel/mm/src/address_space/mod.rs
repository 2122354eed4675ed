//! Address spaces of processes: what their addresses are, page by page.
//!
//! Three things together say what a page is. The **VAD** of its range: what was allocated, and how. The **entry** in
//! the processor's table: the frame, if the page is in memory and in the working set, else a value ([`Pte`]) or
//! nothing, and nothing means what the VAD says. The **frame** of a private page: its protection, its place in the
//! paging file. Each fact is kept in one of them only.
//!
//! | file | what |
//! |---|---|
//! | `allocate` | to reserve and to commit |
//! | `free` | to decommit and to release |
//! | `protect` | to change protections |
//! | `placeholder` | addresses that are to be replaced |
//! | `query` | what is where |
//! | `view` | to map and to unmap sections |
//! | `relocate` | images that cannot be where their pages are made for |
//! | `pages` | what several of them do to entries |
//! | `copy` | to read and write another process's memory |
//! | `write_watch` | which pages were written |
//! | `lock_pages` | pages that must stay in memory |
//! | `threads` | room for environment blocks and stacks |
//! | `environments` | the regions that environment blocks of threads are in |
//! | `lifetime` | to make and to destroy one |
//!
//! # Locks
//! One mutex for each space guards all of it, page faults included. Inside of it come a control area's mutex and the
//! frames' spin lock, in this order.

mod allocate;
mod copy;
mod environments;
mod free;
mod lifetime;
mod lock_pages;
mod pages;
mod placeholder;
mod protect;
mod query;
mod relocate;
mod threads;
mod view;
mod write_watch;

use core::sync::atomic::{AtomicU32, Ordering};

use arch::contract::{FrameNumber, PAGE_SIZE, UserProtection, VirtAddr, VirtRange};
use arch::memory::{MapError, SpaceId, layout};
use ex::QuotaKind;
use ex::pool::{PoolTag, PoolVec};
use nt_abi::{NtResult, NtStatus};
use rtl::IntervalTree;
use rtl::interval_tree::Index;

pub use allocate::{Allocation, CheckedKind, Limits};
pub use copy::Copied;
pub use free::FreeKind;
pub(crate) use free::page_of;
pub use lifetime::{AddressSpaceHandle, SpaceOptions, by_number, in_use};
pub use lock_pages::PinnedPages;
pub(crate) use pages::{PageEntry, shared_state};
pub use protect::check_range;
pub(crate) use query::is_user;
pub use query::{ImageView, RegionInformation, RegionKind, WorkingSetPage};
pub use threads::{FillPages, ThreadMemory, ThreadRoom};
pub use view::{MappedView, ViewRequest};
pub use write_watch::WatchReset;

use crate::frames;
use crate::lock::{Mutex, MutexGuard};
use crate::modified_writer::with_slot;
use crate::pte::{PagingSlot, Pte};
use crate::slots::{Chunks, Slot, Slots, no_chunks};
use crate::vad::Vad;
use environments::Environments;

/// What allocations begin at a multiple of.
pub const ALLOCATION_GRANULARITY: u64 = 0x1_0000;
/// The highest address that a process may use.
///
/// # NT
/// `MmHighestUserAddress`.
pub const HIGHEST_USER_ADDRESS: u64 = layout::USER.end.0 - 1;
/// The lowest one.
pub const LOWEST_USER_ADDRESS: u64 = layout::USER.start.0;

const TAG: PoolTag = PoolTag(*b"MmSp");
/// Bytes of pool that a VAD takes.
const VAD_BYTES: u64 = IntervalTree::<Vad>::NODE_BYTES as u64;

/// What a process uses of memory.
///
/// # NT
/// `VM_COUNTERS_EX`, in bytes but for the count of faults.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct VmCounters {
    /// The most that `virtual_size` ever was.
    pub peak_virtual_size: u64,
    /// Addresses set aside.
    pub virtual_size: u64,
    /// Faults that were resolved, or ended in a status.
    pub page_fault_count: u64,
    /// The most that `working_set_size` ever was.
    pub peak_working_set_size: u64,
    /// Pages that it can use without a fault.
    pub working_set_size: u64,
    /// What was promised to it alone.
    pub pagefile_usage: u64,
    /// The most that `pagefile_usage` ever was.
    pub peak_pagefile_usage: u64,
}

/// Who limits what a process may use.
///
/// # NT
/// The quota block.
pub trait Quota: Sync {
    /// The process wants to be promised so many bytes more.
    ///
    /// # Errors
    /// `PAGEFILE_QUOTA_EXCEEDED`, or what its caller is to get.
    fn charge(&self, bytes: u64) -> NtResult;

    /// It needs so many less.
    fn give_back(&self, bytes: u64);

    /// It has been promised so many already, and comes under this limit now.
    fn take_over(&self, bytes: u64);
}

/// The memory of a process, as others name it.
///
/// # NT
/// The memory manager's part of `EPROCESS`.
pub struct AddressSpace {
    number: u32,
    next_free: AtomicU32,
    /// The floor's number of it, 0 when it has none.
    id: AtomicU32,
    space: Mutex<Space>,
}

impl Slot for AddressSpace {
    fn make(number: u32) -> Self {
        Self {
            number,
            next_free: AtomicU32::new(0),
            id: AtomicU32::new(0),
            space: Mutex::new(Space::empty(number)),
        }
    }

    fn number(&self) -> u32 {
        self.number
    }

    fn next_free(&self) -> &AtomicU32 {
        &self.next_free
    }
}

/// All spaces that there ever were.
pub(crate) static SPACES: Slots<AddressSpace, 16, 4096> = Slots::new(&SPACES_CHUNKS);
static SPACES_CHUNKS: Chunks<AddressSpace, 4096> = no_chunks();

/// An address space, locked.
pub(crate) struct Space {
    number: u32,
    /// The processor's tables; none when the space is a free place.
    tables: Option<arch::memory::AddressSpace>,
    /// Whether the process is gone: nothing is in the space, and nothing comes in. The tables may remain.
    dying: bool,
    /// Whether there is a handle.
    held: bool,
    pub(crate) vads: IntervalTree<Vad>,
    /// The VAD that was looked for last.
    recent: Option<Index>,
    /// Where environment blocks of threads are.
    environments: Environments,
    counters: VmCounters,
    quota: Option<&'static dyn Quota>,
    /// Who is charged for the pool memory that describes the space.
    pub(crate) pool_quota: Option<ex::Quota>,
    /// How many VADs they were charged for.
    vads_charged: usize,
    /// The most bytes that may be promised to the process alone.
    pagefile_limit: u64,
    /// Pages that are locked in the working set, in order.
    locked: PoolVec<u64>,
    limits: WorkingSetLimits,
    /// Where the next trim goes on.
    pub(crate) hand: u64,
}

/// How large a working set is to be, in pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WorkingSetLimits {
    /// What it is not trimmed below while memory is only short.
    pub minimum: u64,
    /// What it is trimmed to first when memory is short.
    pub maximum: u64,
}

impl WorkingSetLimits {
    /// What processes begin with: 200 KiB and 1,380 KiB, "SetProcessWorkingSetSize function".
    pub const DEFAULT: Self = Self {
        minimum: 50,
        maximum: 345,
    };
}

impl Space {
    const fn empty(number: u32) -> Self {
        Self {
            number,
            tables: None,
            dying: false,
            held: false,
            vads: IntervalTree::new(ALLOCATION_GRANULARITY),
            recent: None,
            environments: Environments::new(),
            counters: VmCounters {
                peak_virtual_size: 0,
                virtual_size: 0,
                page_fault_count: 0,
                peak_working_set_size: 0,
                working_set_size: 0,
                pagefile_usage: 0,
                peak_pagefile_usage: 0,
            },
            quota: None,
            pool_quota: None,
            vads_charged: 0,
            pagefile_limit: u64::MAX,
            locked: PoolVec::new(TAG),
            limits: WorkingSetLimits::DEFAULT,
            hand: 0,
        }
    }

    /// The processor's tables.
    ///
    /// # Errors
    /// `PROCESS_IS_TERMINATING` when the space is gone.
    #[inline]
    pub(crate) fn tables(&mut self) -> NtResult<&mut arch::memory::AddressSpace> {
        match &mut self.tables {
            Some(tables) if !self.dying => Ok(tables),
            _ => Err(NtStatus::PROCESS_IS_TERMINATING),
        }
    }

    /// The VAD that an address is in.
    #[inline]
    pub(crate) fn find_vad(&mut self, address: u64) -> Option<Index> {
        if let Some(recent) = self.recent
            && self
                .vads
                .range(recent)
                .is_some_and(|range| range.contains(&address))
        {
            return Some(recent);
        }
        let found = self.vads.find(address)?;
        self.recent = Some(found);
        Some(found)
    }

    /// The owner of a private page, as its frame knows it.
    pub(crate) fn owner(&self, page: VirtAddr) -> frames::Owner {
        frames::Owner::Private {
            space: self.number,
            page: page.0 / PAGE_SIZE,
        }
    }

    /// Shows a frame at a page, which joins the working set.
    ///
    /// # Errors
    /// `NO_MEMORY` for a page table.
    #[inline]
    pub(crate) fn show(
        &mut self,
        page: VirtAddr,
        frame: FrameNumber,
        protection: UserProtection,
    ) -> NtResult {
        let tables = self.tables()?;
        tables
            .map(page, frame, protection, &mut frames::Source)
            .map_err(map_status)?;
        self.count_shown();
        Ok(())
    }

    /// The same at a page of which nothing is said yet.
    ///
    /// # Errors
    /// `CONFLICTING_ADDRESSES` if something is said of it; `NO_MEMORY` for a page table.
    #[inline]
    pub(crate) fn show_unused(
        &mut self,
        page: VirtAddr,
        frame: FrameNumber,
        protection: UserProtection,
    ) -> NtResult {
        let tables = self.tables()?;
        tables
            .map_unused(page, frame, protection, &mut frames::Source)
            .map_err(map_status)?;
        self.count_shown();
        Ok(())
    }

    #[inline]
    fn count_shown(&mut self) {
        let counters = &mut self.counters;
        counters.working_set_size += PAGE_SIZE;
        if counters.working_set_size > counters.peak_working_set_size {
            counters.peak_working_set_size = counters.working_set_size;
        }
    }

    /// Takes the pages of a range that are shown out of the working set; for each `leave` gives the value that describes
    /// it from now on.
    pub(crate) fn hide(
        &mut self,
        range: VirtRange,
        leave: &mut dyn FnMut(VirtAddr, FrameNumber) -> Pte,
    ) -> u64 {
        let Some(tables) = &mut self.tables else {
            return 0;
        };
        let mut hidden = 0;
        tables.unmap(range, &mut |page, frame| {
            hidden += 1;
            leave(page, frame).pack()
        });
        self.take_from_working_set(hidden);
        hidden
    }

    /// So many pages are not shown any more.
    pub(crate) fn take_from_working_set(&mut self, pages: u64) {
        self.counters.working_set_size -= pages * PAGE_SIZE;
    }

    /// Writes the value of a page that is not shown.
    ///
    /// # Errors
    /// `NO_MEMORY` for a page table.
    pub(crate) fn set_value(&mut self, page: VirtAddr, value: Pte) -> NtResult {
        self.tables()?
            .set_absent(page, value.pack(), &mut frames::Source)
            .map_err(map_status)
    }

    /// Promises pages to the process.
    ///
    /// # Errors
    /// `COMMITMENT_LIMIT`, or what its quota says.
    pub(crate) fn charge(&mut self, pages: u64) -> NtResult {
        if pages == 0 {
            return Ok(());
        }
        // Both are of user addresses, whose sum cannot overflow.
        let bytes = pages * PAGE_SIZE;
        let usage = self.counters.pagefile_usage + bytes;
        if usage > self.pagefile_limit {
            return Err(NtStatus::PAGEFILE_QUOTA_EXCEEDED);
        }
        if let Some(quota) = self.quota {
            quota.charge(bytes)?;
        }
        if let Err(status) = crate::commit::charge(pages) {
            if let Some(quota) = self.quota {
                quota.give_back(bytes);
            }
            return Err(status);
        }
        self.counters.pagefile_usage = usage;
        if usage > self.counters.peak_pagefile_usage {
            self.counters.peak_pagefile_usage = usage;
        }
        Ok(())
    }

    /// Takes promises back.
    pub(crate) fn give_back(&mut self, pages: u64) {
        if pages == 0 {
            return;
        }
        crate::commit::give_back(pages);
        if let Some(quota) = self.quota {
            quota.give_back(pages * PAGE_SIZE);
        }
        self.counters.pagefile_usage -= pages * PAGE_SIZE;
    }

    /// Charges for VADs that are to be added.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED`.
    #[inline]
    fn charge_vads(&mut self, more: usize) -> NtResult {
        let needed = self.vads.len() + more;
        if needed <= self.vads_charged {
            return Ok(());
        }
        self.charge_more_vads(needed)
    }

    #[cold]
    fn charge_more_vads(&mut self, needed: usize) -> NtResult {
        /// So many at once: most processes are charged once.
        const STEP: usize = 64;
        if let Some(quota) = &self.pool_quota {
            let missing = needed - self.vads_charged;
            let charge = |vads: usize| {
                let bytes = vads as u64 * VAD_BYTES;
                quota.charge_for_good(QuotaKind::NonPagedPool, bytes)?;
                Ok(vads)
            };
            // Near the limit there may be room for what is needed, and no more.
            self.vads_charged +=
                charge(missing.next_multiple_of(STEP)).or_else(|_: NtStatus| charge(missing))?;
        }
        Ok(())
    }

    /// Makes sure that so many VADs can be added.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED`, `INSUFFICIENT_RESOURCES`.
    pub(crate) fn reserve_vads(&mut self, more: usize) -> NtResult {
        self.charge_vads(more)?;
        self.vads.reserve(more).map_err(NtStatus::from)
    }

    /// Adds a VAD.
    ///
    /// # Errors
    /// `CONFLICTING_ADDRESSES`, `QUOTA_EXCEEDED`, `INSUFFICIENT_RESOURCES`.
    pub(crate) fn insert(&mut self, range: VirtRange, vad: Vad) -> NtResult<Index> {
        self.charge_vads(1)?;
        let index = self
            .vads
            .try_insert(range.start.0..range.end.0, vad)
            .map_err(NtStatus::from)?;
        self.counters.virtual_size += range.length();
        self.counters.peak_virtual_size = self
            .counters
            .peak_virtual_size
            .max(self.counters.virtual_size);
        Ok(index)
    }

    /// A VAD is about to be taken out.
    #[inline]
    pub(super) fn note_removal(&mut self, index: Index) {
        if self.recent == Some(index) {
            self.recent = None;
        }
        self.environments.forget(index);
        self.counters.virtual_size -= self.range(index).length();
    }

    /// Takes a VAD out; its pages are gone already, its charge is not.
    pub(crate) fn remove(&mut self, index: Index) -> Option<(VirtRange, Vad)> {
        self.note_removal(index);
        let (range, vad) = self.vads.remove(index)?;
        let range = VirtRange {
            start: VirtAddr(range.start),
            end: VirtAddr(range.end),
        };
        Some((range, vad))
    }

    /// Where a VAD is.
    pub(crate) fn range(&self, index: Index) -> VirtRange {
        let range = self.vads.range(index).unwrap_or(0..0);
        VirtRange {
            start: VirtAddr(range.start),
            end: VirtAddr(range.end),
        }
    }

    /// Its counters.
    pub(crate) fn counters(&self) -> &VmCounters {
        &self.counters
    }

    /// A fault is counted.
    #[inline]
    pub(crate) fn count_fault(&mut self) {
        self.counters.page_fault_count += 1;
    }

    /// A page that is not shown gets a place in the paging file.
    pub(crate) fn note_slot(&mut self, page: VirtAddr, slot: PagingSlot) {
        if let PageEntry::Value(value) = self.entry(page) {
            // The page has a value, so there is a table for it.
            let _ = self.set_value(page, with_slot(value, slot));
        }
    }

    /// Says how large its working set is to be.
    pub(crate) fn set_limits(&mut self, limits: WorkingSetLimits) {
        self.limits = limits;
    }

    /// How large its working set is to be.
    pub(crate) fn limits(&self) -> WorkingSetLimits {
        self.limits
    }
}

/// What it means for the caller that the floor did not map.
pub(crate) fn map_status(error: MapError) -> NtStatus {
    match error {
        MapError::NoMemory => NtStatus::NO_MEMORY,
        MapError::BadRange | MapError::Occupied => NtStatus::CONFLICTING_ADDRESSES,
    }
}

/// Rounds a range out to whole pages.
pub(crate) fn page_range(base: u64, size: u64) -> VirtRange {
    let start = base & !(PAGE_SIZE - 1);
    let end = (base + size).next_multiple_of(PAGE_SIZE);
    VirtRange {
        start: VirtAddr(start),
        end: VirtAddr(end),
    }
}

impl AddressSpace {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Space> {
        self.space.acquire()
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, Space>> {
        self.space.try_acquire()
    }

    /// Its number, which [`by_number`] finds it by.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// What the scheduler names it by.
    pub fn id(&self) -> Option<SpaceId> {
        let id = u16::try_from(self.id.load(Ordering::Relaxed)).unwrap_or(0);
        (id != 0).then_some(SpaceId(id))
    }

    /// What it uses.
    pub fn counters(&self) -> VmCounters {
        self.lock().counters
    }

    /// Names who is charged for the pool memory that describes it, from the next allocation on, until it ends. Once.
    pub fn set_pool_quota(&self, quota: ex::Quota) {
        let mut space = self.lock();
        if space.pool_quota.is_none() && !space.dying {
            space.pool_quota = Some(quota);
        }
    }

    /// Says how many bytes may be promised to it alone; what it has already stays.
    pub fn set_pagefile_limit(&self, bytes: u64) {
        self.lock().pagefile_limit = bytes;
    }

    /// How many bytes may be promised to it alone.
    pub fn pagefile_limit(&self) -> u64 {
        self.lock().pagefile_limit
    }

    /// Names who limits what it may use, and tells them and who did it before what it uses already.
    pub fn set_quota(&self, quota: Option<&'static dyn Quota>) {
        let mut space = self.lock();
        let used = space.counters.pagefile_usage;
        if let Some(before) = core::mem::replace(&mut space.quota, quota) {
            before.give_back(used);
        }
        if let Some(quota) = quota {
            quota.take_over(used);
        }
    }
}
