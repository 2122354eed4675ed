//! Room for what the kernel gives each process and thread: environment blocks and stacks.

use arch::contract::{PAGE_BYTES, PAGE_SIZE, VirtAddr, VirtRange};
use arch::memory::PAGE_WORDS;
use nt_abi::memory::{AllocationType, PageProtection};
use nt_abi::{NtResult, NtStatus};
use rtl::interval_tree::Index;

use super::environments::Block;
use super::{AddressSpace, Allocation, HIGHEST_USER_ADDRESS, Limits, Space};
use crate::fault::{self, Attempts, Problem};
use crate::protection::Protection;
use crate::pte::Pte;
use crate::vad::{Kind, Vad};

/// Fills the pages of an environment block: is told where the thread's stack is, the address of the block, how far behind it
/// the page lies, and its zeroes.
pub type FillPages<'a> = &'a mut dyn FnMut(VirtRange, u64, usize, &mut [u64; PAGE_WORDS]);

/// How much a thread needs, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ThreadRoom {
    /// Its stack's addresses, in units of 64 KiB.
    pub reserve: u64,
    /// What of them is committed at once, in whole pages; the guard page comes on top.
    pub commit: u64,
    /// Where they may be, as for `NtAllocateVirtualMemory`.
    pub zero_bits: u64,
    /// Its environment block.
    pub environment: u64,
}

/// Where that is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ThreadMemory {
    /// The stack, whole.
    pub stack: VirtRange,
    /// The environment block.
    pub environment: VirtRange,
}

/// Below which environment blocks lie.
const BELOW: u64 = 0x7FFF_FFFE_0000;

impl AddressSpace {
    /// Sets memory aside for what a process begins with, its environment block (PEB) and parameters, and commits it: the
    /// highest room there is, at a multiple of 64 KiB, for a 32-bit process below `highest`.
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

    /// Makes what a thread needs, in one step: addresses for its stack, of which the upper `commit` bytes are committed and the
    /// page below these is a guard page; and its environment block, of which each page is in memory when it comes back, with
    /// what `fill` made of its zeroes. The block is part of a region that has room for many, see `environments`.
    ///
    /// # NT
    /// `RtlCreateUserStack`; `MmCreateTeb`, `MiCreatePebOrTeb`.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` if nothing is wanted, or there is no room for the guard page; further as [`allocate`](Self::allocate); `NO_MEMORY` also if
    /// no frame can be had.
    ///
    /// # IRQL
    /// At most Apc.
    pub fn allocate_thread(
        &self,
        room: &ThreadRoom,
        fill: FillPages<'_>,
    ) -> NtResult<ThreadMemory> {
        let limits = room.stack_limits()?;
        let mut attempts = Attempts::new();
        loop {
            let mut space = self.lock();
            let (index, stack) = space.add_stack(room, limits)?;
            let status = match space.add_environment(room.environment, stack, fill) {
                Ok(Ok(environment)) => return Ok(ThreadMemory { stack, environment }),
                Ok(Err(problem)) => {
                    // Whoever makes room may want this space, and it may change meanwhile.
                    space.release(index);
                    drop(space);
                    if attempts.again_after(problem) {
                        continue;
                    }
                    return Err(problem.into());
                }
                Err(status) => status,
            };
            space.release(index);
            return Err(status);
        }
    }

    /// Gives back what a thread had: the environment block that begins at `environment`, and the whole allocation that begins
    /// at `stack`, each if it is there. Processors are made to forget the pages of both at once, and a stack is not searched
    /// where nothing of it can be.
    ///
    /// The program's own private memory that begins at `stack` by then goes, also if it gave the stack back itself and has
    /// something else there. NT frees what the ending thread's TEB names in the same way.
    ///
    /// # IRQL
    /// At most Apc.
    pub fn free_thread(&self, environment: u64, stack: u64) {
        let mut space = self.lock();
        let block = space.environment_at(environment);
        let stack = space.allocation_at(stack);
        match (block, stack) {
            (Some(block), Some((index, whole))) => {
                space.forget_locks(block.range);
                space.forget_locks(whole);
                let (used, pages) = space.used_end(index, whole);
                let ended = space.clear(&[block.range, used]);
                if used != whole && ended.of_last != pages {
                    space.clear(&[whole]);
                }
                space.end_environment(block, ended.all - ended.of_last);
                space.remove_ended(index);
            }
            (Some(block), _) => space.drop_environment(block),
            (None, Some((index, _))) => space.release(index),
            (None, None) => {}
        }
    }
}

impl ThreadRoom {
    /// Where the stack may be.
    fn stack_limits(&self) -> NtResult<Limits> {
        let limits = Limits::ANYWHERE.with_zero_bits(self.zero_bits)?;
        if self.commit == 0 || self.environment == 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        if self.reserve == 0 || self.reserve > HIGHEST_USER_ADDRESS {
            return Err(NtStatus::INVALID_PARAMETER_4);
        }
        Ok(limits)
    }
}

impl Space {
    /// Private memory of the program's own that begins at `base`, and where it is: it may have put something else there.
    fn allocation_at(&mut self, base: u64) -> Option<(Index, VirtRange)> {
        let index = self.find_vad(base)?;
        let range = self.range(index);
        let vad = self.vads.get(index)?;
        let is_own = matches!(vad.kind, Kind::Private { .. }) && !vad.secured;
        (range.start.0 == base && is_own).then_some((index, range))
    }

    /// The end of a reservation that is as long as what is committed of it, and how many pages that is: in an untouched
    /// stack just what is committed. Where only parts are committed each such page was charged for and has an entry, and
    /// no other has one.
    pub(super) fn used_end(&self, index: Index, range: VirtRange) -> (VirtRange, u64) {
        let charge = match self.vads.get(index) {
            Some(vad) if !vad.committed && matches!(vad.kind, Kind::Private { .. }) => vad.charge,
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

    /// Adds an environment block for a thread with that stack.
    ///
    /// # Errors
    /// As the charge and the insertion of a region say. Inside: why a page could not be brought in; nothing is added then.
    pub(crate) fn add_environment(
        &mut self,
        size: u64,
        stack: VirtRange,
        fill: FillPages<'_>,
    ) -> NtResult<Result<VirtRange, Problem>> {
        let limits = Limits {
            highest: BELOW - 1,
            ..Limits::ANYWHERE
        };
        let slot = size.next_multiple_of(PAGE_SIZE);
        let block = self.take_environment(slot, limits)?;
        let filled = self.commit_filled(block, stack, fill)?;
        Ok(filled.map(|()| block.range))
    }

    /// Commits a block and brings all of it in, filled.
    ///
    /// # Errors
    /// As the charge says. Inside: why a page could not be brought in. Nothing of the block is there then, and its slot is to
    /// be had again.
    fn commit_filled(
        &mut self,
        block: Block,
        stack: VirtRange,
        fill: FillPages<'_>,
    ) -> NtResult<Result<(), Problem>> {
        let protection = Protection::from_page(PageProtection::READWRITE)?;
        let range = block.range;
        let pages = range.length() / PAGE_SIZE;
        if let Err(status) = self.charge(pages) {
            self.end_environment(block, 0);
            return Err(status);
        }
        let mut page = range.start;
        let mut offset = 0;
        while page.0 < range.end.0 {
            let shown = fault::show_new(self, page, protection, &mut |words| {
                fill(stack, range.start.0, offset, words);
            });
            if let Err(problem) = shown {
                self.clear(&[VirtRange { end: page, ..range }]);
                self.give_back(pages);
                self.end_environment(block, 0);
                return Ok(Err(problem));
            }
            page.0 += PAGE_SIZE;
            offset += PAGE_BYTES;
        }
        if let Some(vad) = self.vads.get_mut(block.vad) {
            vad.charge += pages;
        }
        Ok(Ok(()))
    }

    /// Ends a block.
    fn drop_environment(&mut self, block: Block) {
        self.forget_locks(block.range);
        let ended = self.clear(&[block.range]);
        self.end_environment(block, ended.all);
    }

    /// Adds a stack, the lowest page of whose committed part is a guard page; gives its VAD and where it is. The highest page is
    /// brought in at once, if a frame is at hand: every thread begins there, and a fault would cost more.
    fn add_stack(&mut self, room: &ThreadRoom, limits: Limits) -> NtResult<(Index, VirtRange)> {
        let used = room
            .commit
            .checked_add(PAGE_SIZE)
            .filter(|used| used.is_multiple_of(PAGE_SIZE) && *used <= room.reserve)
            .ok_or(NtStatus::INVALID_PARAMETER)?;
        self.tables()?;
        let range = self.find_room(room.reserve, limits, false)?;
        let used = VirtRange {
            start: VirtAddr(range.end.0 - used),
            ..range
        };
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
        Ok((index, range))
    }
}
