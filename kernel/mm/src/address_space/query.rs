//! What is at an address.

use arch::contract::{PAGE_SIZE, VirtAddr, VirtRange};
use nt_abi::memory::{AllocationType, PageProtection};
use nt_abi::{NtResult, NtStatus};
use rtl::interval_tree::Index;

use super::free::page_of;
use super::pages::PageEntry;
use super::{AddressSpace, HIGHEST_USER_ADDRESS, LOWEST_USER_ADDRESS, Space};
use crate::frames::{self, Owner};
use crate::protection::Protection;
use crate::pte::Pte;
use crate::vad::{Kind, Vad};

/// Pages that are alike, from the one that was asked for.
///
/// # NT
/// `MEMORY_BASIC_INFORMATION`; the numbers are those of "MEMORY_BASIC_INFORMATION structure".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RegionInformation {
    /// The first of them.
    pub base: u64,
    /// Where their allocation begins; 0 for free addresses.
    pub allocation_base: u64,
    /// With which protection it was made; 0 for free addresses.
    pub allocation_protection: PageProtection,
    /// Bytes.
    pub size: u64,
    /// `MEM_COMMIT`, `MEM_RESERVE` or `MEM_FREE`.
    pub state: AllocationType,
    /// Their protection; 0 for reserved, no access for free addresses.
    pub protection: PageProtection,
    /// `MEM_PRIVATE`, `MEM_MAPPED` or `MEM_IMAGE`; 0 for free addresses.
    pub kind: AllocationType,
}

/// A whole allocation.
///
/// # NT
/// `MEMORY_REGION_INFORMATION`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RegionKind {
    /// Where it begins.
    pub allocation_base: u64,
    /// With which protection it was made.
    pub allocation_protection: PageProtection,
    /// Bit 0 private, 1 data file, 2 image, 3 page file.
    pub region_type: u32,
    /// Bytes.
    pub region_size: u64,
    /// Bytes that were promised for it.
    pub commit_size: u64,
}

/// A view of an image.
///
/// # NT
/// `MEMORY_IMAGE_INFORMATION`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImageView {
    /// Where the image begins.
    pub base: u64,
    /// Bytes of the whole image.
    pub size: u64,
    /// Whether not all of it is mapped.
    pub partial: bool,
}

/// A page in a working set.
///
/// # NT
/// `PSAPI_WORKING_SET_EX_BLOCK`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct WorkingSetPage {
    /// Whether it can be used without a fault; if not, all else is 0.
    pub valid: bool,
    /// How many working sets have it, at most 7.
    pub share_count: u32,
    /// Its protection.
    pub protection: u32,
    /// Whether it can be in several.
    pub shared: bool,
    /// Whether it is locked.
    pub locked: bool,
}

impl WorkingSetPage {
    /// As the services report it in a word.
    pub fn attributes(&self) -> u64 {
        u64::from(self.valid)
            | u64::from(self.share_count) << 1
            | u64::from(self.protection & 0x7FF) << 4
            | u64::from(self.shared) << 15
            | u64::from(self.locked) << 22
    }

    /// As the list of all pages of a working set has it, with the address of the page.
    ///
    /// # NT
    /// "PSAPI_WORKING_SET_BLOCK union".
    pub fn block(&self, page: u64) -> u64 {
        let protection = Protection::from_page(PageProtection(self.protection))
            .map_or(0, |protection| u64::from(protection.bits()));
        (page & !(PAGE_SIZE - 1))
            | protection
            | u64::from(self.share_count) << 5
            | u64::from(self.shared) << 8
    }
}

impl AddressSpace {
    /// Tells what is at an address, and how far it goes: pages of one allocation with the same state and protection.
    ///
    /// # NT
    /// `NtQueryVirtualMemory` with `MemoryBasicInformation`; "VirtualQueryEx function".
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: the address is not in the user half. `PROCESS_IS_TERMINATING`.
    ///
    /// # IRQL
    /// At most Apc.
    #[doc(alias = "NtQueryVirtualMemory")]
    pub fn query(&self, address: u64) -> NtResult<RegionInformation> {
        if address > HIGHEST_USER_ADDRESS {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let mut space = self.lock();
        space.tables()?;
        let page = page_of(address);
        let Some(vad) = space.find_vad(page.0) else {
            return Ok(space.free_region(page));
        };
        Ok(space.region(vad, page))
    }

    /// Tells about the whole allocation that an address is in.
    ///
    /// # NT
    /// `NtQueryVirtualMemory` with `MemoryRegionInformation`.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`, `INVALID_ADDRESS` if no allocation has it, `PROCESS_IS_TERMINATING`.
    pub fn query_region(&self, address: u64) -> NtResult<RegionKind> {
        if address > HIGHEST_USER_ADDRESS {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let mut space = self.lock();
        space.tables()?;
        let index = space.find_vad(address).ok_or(NtStatus::INVALID_ADDRESS)?;
        let range = space.range(index);
        let vad = space.vads.get(index).ok_or(NtStatus::INVALID_ADDRESS)?;
        Ok(RegionKind {
            allocation_base: range.start.0,
            allocation_protection: vad.protection.to_page(),
            region_type: region_type(vad),
            region_size: range.length(),
            commit_size: vad.charge * PAGE_SIZE,
        })
    }

    /// Tells about the image that an address is in; `None` if what is there is none.
    ///
    /// # NT
    /// `NtQueryVirtualMemory` with `MemoryImageInformation`.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`; `INVALID_ADDRESS` if nothing is there; `PROCESS_IS_TERMINATING`.
    pub fn query_image(&self, address: u64) -> NtResult<Option<ImageView>> {
        if address > HIGHEST_USER_ADDRESS {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let mut space = self.lock();
        space.tables()?;
        let index = space.find_vad(address).ok_or(NtStatus::INVALID_ADDRESS)?;
        let length = space.range(index).length();
        let Some(Kind::View(view)) = space.vads.get(index).map(|vad| &vad.kind) else {
            return Ok(None);
        };
        let content = view.area.lock();
        Ok(content.image().map(|image| ImageView {
            base: view.start - u64::from(view.first) * PAGE_SIZE,
            size: image.size(),
            partial: length < image.size(),
        }))
    }

    /// Tells about a page of the working set.
    ///
    /// # NT
    /// `NtQueryVirtualMemory` with `MemoryWorkingSetExInformation`; "PSAPI_WORKING_SET_EX_BLOCK union".
    ///
    /// # Errors
    /// `PROCESS_IS_TERMINATING`.
    pub fn query_working_set_page(&self, address: u64) -> NtResult<WorkingSetPage> {
        let mut space = self.lock();
        space.tables()?;
        let page = page_of(address);
        let PageEntry::Shown(frame) = space.entry(page) else {
            return Ok(WorkingSetPage::default());
        };
        let Some(vad) = space.find_vad(page.0) else {
            return Ok(WorkingSetPage::default());
        };
        let protection = space
            .page_state(vad, page)
            .map_or(0, |protection| protection.to_page().0);
        let info = frames::info(frame);
        let shared = !info.is_some_and(|info| matches!(info.owner, Owner::Private { .. }));
        Ok(WorkingSetPage {
            valid: true,
            // A private page has no sharers to count, not even its owner.
            share_count: info
                .filter(|_| shared)
                .map_or(u32::from(shared), |info| info.shares.clamp(1, 7)),
            protection,
            shared,
            locked: space.is_locked(page),
        })
    }

    /// Visits the addresses of the pages in its working set in order, as long as `visit` gives true.
    ///
    /// # Errors
    /// `PROCESS_IS_TERMINATING`.
    pub fn for_each_working_set_page(&self, visit: &mut dyn FnMut(u64) -> bool) -> NtResult {
        let mut space = self.lock();
        space.tables()?;
        let all = arch::memory::layout::USER;
        space.visit_used(all, &mut |page, entry| match entry {
            PageEntry::Shown(_) => visit(page.0),
            PageEntry::Value(_) => true,
        });
        Ok(())
    }
}

fn region_type(vad: &Vad) -> u32 {
    match &vad.kind {
        Kind::Private { .. } | Kind::Fixed(_) | Kind::Placeholder => 1,
        Kind::View(view) if view.image => 1 << 2,
        Kind::View(view) if view.area.lock().is_of_file() => 1 << 1,
        Kind::View(_) => 1 << 3,
    }
}

fn memory_type(vad: &Vad) -> AllocationType {
    match &vad.kind {
        Kind::Private { .. } | Kind::Fixed(_) | Kind::Placeholder => AllocationType::PRIVATE,
        Kind::View(view) if view.image => AllocationType::IMAGE,
        Kind::View(_) => AllocationType::MAPPED,
    }
}

impl Space {
    /// Free addresses, up to the next allocation or the end of the user half.
    fn free_region(&self, page: VirtAddr) -> RegionInformation {
        let end = self
            .vads
            .first_ending_after(page.0)
            .and_then(|next| self.vads.range(next))
            .map_or(HIGHEST_USER_ADDRESS + 1, |range| range.start);
        RegionInformation {
            base: page.0,
            allocation_base: 0,
            allocation_protection: PageProtection(0),
            size: end - page.0,
            state: AllocationType::FREE,
            protection: PageProtection::NOACCESS,
            kind: AllocationType(0),
        }
    }

    fn region(&self, index: Index, page: VirtAddr) -> RegionInformation {
        let range = self.range(index);
        let found = self.page_state(index, page);
        let end = self.alike_until(index, page, range, found);
        let vad = self.vads.get(index);
        RegionInformation {
            base: page.0,
            allocation_base: range.start.0,
            allocation_protection: vad.map_or(PageProtection(0), |vad| vad.protection.to_page()),
            size: end.0 - page.0,
            state: if found.is_some() {
                AllocationType::COMMIT
            } else {
                AllocationType::RESERVE
            },
            protection: found.map_or(PageProtection(0), Protection::to_page),
            kind: vad.map_or(AllocationType(0), memory_type),
        }
    }

    /// Where the pages end that are like the one at `page`.
    fn alike_until(
        &self,
        index: Index,
        page: VirtAddr,
        range: VirtRange,
        like: Option<Protection>,
    ) -> VirtAddr {
        let Some(vad) = self.vads.get(index) else {
            return range.end;
        };
        let by_default = match &vad.kind {
            Kind::Private { .. } | Kind::Fixed(_) | Kind::Placeholder => {
                vad.committed.then_some(vad.protection)
            }
            Kind::View(view) if view.is_uniform() && vad.committed => Some(vad.protection),
            Kind::View(view) if like.is_none() && view.is_uniform() => {
                // Reserved pages: as far as none is committed, for whichever view.
                let from = view.page(page.0);
                let next = view.area.lock().next_committed(from);
                let pages = next.map_or(u64::MAX, |next| u64::from(next - from));
                let bytes = pages.saturating_mul(PAGE_SIZE);
                return VirtAddr(page.0.saturating_add(bytes).min(range.end.0));
            }
            Kind::View(_) => {
                let mut at = VirtAddr(page.0 + PAGE_SIZE);
                while at.0 < range.end.0 && self.page_state(index, at) == like {
                    at.0 += PAGE_SIZE;
                }
                return at;
            }
        };
        // Pages of which nothing is said are as the VAD says, many at a time.
        let mut expected = VirtAddr(page.0 + PAGE_SIZE);
        let mut end = range.end;
        let rest = VirtRange {
            start: expected,
            end: range.end,
        };
        self.visit_used(rest, &mut |at, entry| {
            if at != expected && by_default != like {
                return false;
            }
            let this = match entry {
                PageEntry::Value(Pte::Decommitted) => None,
                PageEntry::Value(Pte::Unset) => by_default,
                PageEntry::Value(Pte::DemandZero(protection) | Pte::Paged { protection, .. }) => {
                    Some(protection)
                }
                PageEntry::Shown(_) => self.page_state(index, at),
            };
            if this != like {
                end = at;
                return false;
            }
            expected = VirtAddr(at.0 + PAGE_SIZE);
            true
        });
        if expected.0 < end.0 && by_default != like {
            return expected;
        }
        end
    }
}

/// Whether an address may be a process's.
pub(crate) const fn is_user(address: u64) -> bool {
    LOWEST_USER_ADDRESS <= address && address <= HIGHEST_USER_ADDRESS
}
