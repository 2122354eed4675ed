//! Room for what the kernel gives each process and thread: environment blocks and stacks.

use arch::contract::{PAGE_SIZE, VirtAddr, VirtRange};
use nt_abi::memory::{AllocationType, PageProtection};
use nt_abi::{NtResult, NtStatus};

use super::{AddressSpace, Allocation, Limits, Space};
use crate::protection::Protection;
use crate::pte::Pte;
use crate::vad::Vad;

/// Below which environment blocks lie.
const BELOW: u64 = 0x7FFF_FFFE_0000;

impl AddressSpace {
    /// Sets memory aside for environment blocks (PEB, TEB) and commits it: the highest room there is, at a multiple of
    /// 64 KiB, for a 32-bit process below `highest`.
    ///
    /// # NT
    /// `MiCreatePebOrTeb`.
    ///
    /// # Errors
    /// As [`allocate`](Self::allocate).
    pub fn allocate_environment(&self, size: u64, highest: Option<u64>) -> NtResult<VirtRange> {
        let highest = highest.unwrap_or(u64::MAX).min(BELOW - 1);
        self.allocate(&Allocation {
            base: 0,
            size,
            zero_bits: 0,
            kind: AllocationType::RESERVE | AllocationType::COMMIT | AllocationType::TOP_DOWN,
            protection: PageProtection::READWRITE,
            limits: Limits {
                highest,
                ..Limits::ANYWHERE
            },
        })
    }

    /// Sets addresses aside for a stack, commits the upper `commit` bytes of them, and makes the page below these a guard
    /// page. Both sizes are in whole pages; 64 KiB divide `reserve`. It is what one reservation and two commitments do, in
    /// one step.
    ///
    /// # NT
    /// `RtlCreateUserStack`, of which threads make so many that it pays.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` if there is no room for the guard page; further as [`allocate`](Self::allocate).
    ///
    /// # IRQL
    /// At most Apc.
    pub fn allocate_stack(&self, reserve: u64, commit: u64, zero_bits: u64) -> NtResult<VirtRange> {
        let request = Allocation {
            base: 0,
            size: reserve,
            zero_bits,
            kind: AllocationType::RESERVE,
            protection: PageProtection::READWRITE,
            limits: Limits::ANYWHERE,
        };
        request.check_kind()?;
        request.check_range()?;
        let used = commit
            .checked_add(PAGE_SIZE)
            .filter(|used| used.is_multiple_of(PAGE_SIZE) && *used <= reserve)
            .ok_or(NtStatus::INVALID_PARAMETER)?;
        let limits = Limits::ANYWHERE.with_zero_bits(zero_bits)?;
        let mut space = self.lock();
        space.tables()?;
        let range = space.find_room(reserve, limits, false)?;
        let used = VirtRange {
            start: VirtAddr(range.end.0 - used),
            ..range
        };
        space.insert_stack(range, used)?;
        Ok(range)
    }
}

impl Space {
    /// Adds a stack, of which the part `used` is committed, its lowest page as a guard page.
    fn insert_stack(&mut self, range: VirtRange, used: VirtRange) -> NtResult {
        let protection = Protection::from_page(PageProtection::READWRITE)?;
        let guard = Protection::from_page(PageProtection::READWRITE | PageProtection::GUARD)?;
        let pages = used.length() / PAGE_SIZE;
        let mut vad = Vad::private(protection, false);
        vad.charge = pages;
        self.charge(pages)?;
        let index = match self.insert(range, vad) {
            Ok(index) => index,
            Err(status) => {
                self.give_back(pages);
                return Err(status);
            }
        };
        let mut page = used.start;
        let mut value = Pte::DemandZero(guard);
        while page.0 < used.end.0 {
            if let Err(status) = self.set_value(page, value) {
                // Takes the values, the addresses and the charge back.
                self.release(index);
                return Err(status);
            }
            value = Pte::DemandZero(protection);
            page = VirtAddr(page.0 + PAGE_SIZE);
        }
        Ok(())
    }
}
