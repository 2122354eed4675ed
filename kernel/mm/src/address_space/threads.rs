//! Room for what the kernel gives each process and thread: environment blocks and stacks.

use arch::contract::{PAGE_BYTES, PAGE_SIZE, VirtAddr, VirtRange};
use nt_abi::memory::{AllocationType, PageProtection};
use nt_abi::{NtResult, NtStatus};
use rtl::interval_tree::Index;

use super::{AddressSpace, Allocation, Limits, Space};
use crate::fault::{self, Attempts, Problem};
use crate::protection::Protection;
use crate::pte::Pte;
use crate::vad::{Kind, Vad};

/// Fills new pages: is told the address of the first one, how far behind it the next one lies, and its zeroes.
pub type FillPages<'a> = &'a mut dyn FnMut(u64, usize, &mut [u8]);

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

    /// The same for what is filled at once: each page is in memory when it comes back, with what `fill` made of its zeroes.
    ///
    /// # NT
    /// `MiCreatePebOrTeb`, and the writes that `MmCreateTeb` does to it.
    ///
    /// # Errors
    /// As [`allocate`](Self::allocate); `NO_MEMORY` also if no frame can be had.
    ///
    /// # IRQL
    /// At most Apc.
    pub fn allocate_environment_filled(
        &self,
        size: u64,
        fill: FillPages<'_>,
    ) -> NtResult<VirtRange> {
        let limits = Limits {
            highest: BELOW - 1,
            ..Limits::ANYWHERE
        };
        let mut attempts = Attempts::new();
        loop {
            let problem = {
                let mut space = self.lock();
                space.tables()?;
                let range = space.find_room(size.next_multiple_of(PAGE_SIZE), limits, true)?;
                match space.insert_filled(range, fill)? {
                    Ok(()) => return Ok(range),
                    Err(problem) => problem,
                }
            };
            if !attempts.again_after(problem) {
                return Err(problem.into());
            }
        }
    }

    /// Releases two whole allocations, if they are there: the environment block and the stack of a thread that has ended, in
    /// this order. It is what two calls of [`free`](Self::free) do, but processors are made to forget the pages of both at
    /// once, and a stack is not searched where nothing of it can be.
    ///
    /// # IRQL
    /// At most Apc.
    pub fn free_both(&self, bases: [u64; 2]) {
        let mut space = self.lock();
        let found = bases.map(|base| space.allocation_at(base));
        if let [Some((one, first)), Some((other, second))] = found
            && one != other
        {
            for range in [first, second] {
                space.forget_locks(range);
            }
            let (used, pages) = space.used_end(other, second);
            let ended = space.clear(&[first, used]);
            if used != second && ended != pages {
                space.clear(&[second]);
            }
            space.remove_ended(one);
            space.remove_ended(other);
        } else if let Some((index, _)) = found.into_iter().flatten().next() {
            space.release(index);
        }
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
    /// Private memory that begins at `base`, and where it is.
    fn allocation_at(&mut self, base: u64) -> Option<(Index, VirtRange)> {
        let index = self.find_vad(base)?;
        let range = self.range(index);
        let kind = self.vads.get(index).map(|vad| &vad.kind);
        (range.start.0 == base && matches!(kind, Some(Kind::Private { .. })))
            .then_some((index, range))
    }

    /// The end of a reservation that is as long as what is committed of it, and how many pages that is: in an untouched
    /// stack just what is committed. Where only parts are committed each such page was charged for and has an entry, and
    /// no other has one.
    fn used_end(&self, index: Index, range: VirtRange) -> (VirtRange, u64) {
        let charge = match self.vads.get(index) {
            Some(vad) if !vad.committed => vad.charge,
            _ => return (range, 0),
        };
        let start = charge
            .checked_mul(PAGE_SIZE)
            .and_then(|bytes| range.end.0.checked_sub(bytes))
            .filter(|start| *start >= range.start.0);
        let used = start.map_or(range, |start| VirtRange {
            start: VirtAddr(start),
            ..range
        });
        (used, charge)
    }

    /// Adds committed memory and brings all of it in, filled.
    ///
    /// # Errors
    /// As the charge and the insertion say. Inside: why a page could not be brought in; nothing is added then.
    fn insert_filled(
        &mut self,
        range: VirtRange,
        fill: FillPages<'_>,
    ) -> NtResult<Result<(), Problem>> {
        let protection = Protection::from_page(PageProtection::READWRITE)?;
        let pages = range.length() / PAGE_SIZE;
        let mut vad = Vad::private(protection, true);
        vad.charge = pages;
        self.charge(pages)?;
        let index = match self.insert(range, vad) {
            Ok(index) => index,
            Err(status) => {
                self.give_back(pages);
                return Err(status);
            }
        };
        let mut offset = 0;
        for number in 0..pages {
            let page = VirtAddr(range.start.0 + number * PAGE_SIZE);
            let shown = fault::show_new(self, page, protection, &mut |bytes| {
                fill(range.start.0, offset, bytes);
            });
            if let Err(problem) = shown {
                // Takes the pages, the addresses and the charge back.
                self.release(index);
                return Ok(Err(problem));
            }
            offset += PAGE_BYTES;
        }
        Ok(Ok(()))
    }

    /// Adds a stack, of which the part `used` is committed, its lowest page as a guard page. The highest page is brought in
    /// at once, if a frame is at hand: every thread begins there, and a fault would cost more.
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
        let highest = VirtAddr(used.end.0 - PAGE_SIZE);
        let is_shown = fault::show_new(self, highest, protection, &mut |_| ()).is_ok();
        let end = if is_shown { highest } else { used.end };
        let mut page = used.start;
        let mut value = Pte::DemandZero(guard);
        while page.0 < end.0 {
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
