//! Where environment blocks of threads are: regions of the system's own, each with room for many.
//!
//! A block in a VAD of its own would cost each thread an insertion into the tree of addresses, a removal and two searches,
//! which is more than all else that is done for the block. So a **region** is reserved once, and a block is a **slot** of it
//! whose pages are committed.
//!
//! Regions are secured: who asks what is there is told, but the program can neither commit anything in them nor give
//! anything back, and what is committed can always be read and written. So an address that is a block's stays that
//! block's until its thread ends.
//!
//! # NT
//! The VAD of a TEB cannot be deleted, and its protection not be changed (`MiCreatePebOrTeb`, `MiCheckSecuredVad`). Since
//! Windows 8 PEB and TEBs are in regions of 2 MiB.
//!
//! # Differs
//! The PEB is an allocation of its own, which the program can give back. A region has 64 KiB or 1 MiB.

use arch::contract::{VirtAddr, VirtRange};
use ex::pool::{PoolTag, PoolVec};
use nt_abi::memory::PageProtection;
use nt_abi::{NtResult, NtStatus};
use rtl::interval_tree::Index;

use super::{Limits, Space};
use crate::protection::Protection;
use crate::vad::Vad;

const TAG: PoolTag = PoolTag(*b"MmTe");

/// Slots of a region: with TEBs of two pages it has 1 MiB.
const SLOTS: u32 = u128::BITS;
/// Slots of the first region, which has 64 KiB then: most processes have few threads, and at their end the pages of each
/// reservation are looked for.
const FIRST_SLOTS: u32 = 8;

/// A region: so many slots of one size.
#[derive(Clone, Copy)]
struct Region {
    vad: Index,
    start: u64,
    /// Bytes of a slot, in whole pages.
    slot: u64,
    /// The slots that are not to be had; those that there are not among them.
    taken: u128,
    /// Slots that there are not.
    absent: u128,
}

/// The regions of a space.
pub(super) struct Environments {
    /// Where the next block goes if there is room.
    current: Option<Region>,
    others: PoolVec<Region>,
}

/// A slot.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub(super) vad: Index,
    pub(super) range: VirtRange,
    number: u32,
}

impl Region {
    fn block(&self, number: u32) -> Block {
        let start = self.start + u64::from(number) * self.slot;
        Block {
            vad: self.vad,
            range: VirtRange {
                start: VirtAddr(start),
                end: VirtAddr(start + self.slot),
            },
            number,
        }
    }

    /// Takes the lowest slot that is to be had.
    fn take(&mut self) -> Option<Block> {
        let number = self.taken.trailing_ones();
        if number >= SLOTS {
            return None;
        }
        self.taken |= 1 << number;
        Some(self.block(number))
    }

    /// The slot that begins at an address, if somebody has it.
    fn at(&self, address: u64) -> Option<Block> {
        let offset = address.checked_sub(self.start)?;
        let number = u32::try_from(offset / self.slot)
            .ok()
            .filter(|number| *number < SLOTS && (self.taken & !self.absent) >> number & 1 != 0)?;
        let block = self.block(number);
        (block.range.start.0 == address).then_some(block)
    }

    fn is_empty(&self) -> bool {
        self.taken == self.absent
    }
}

impl Environments {
    pub(super) const fn new() -> Self {
        Self {
            current: None,
            others: PoolVec::new(TAG),
        }
    }

    /// A VAD is taken out: if it was a region it is none any more.
    #[inline]
    pub(super) fn forget(&mut self, vad: Index) {
        if self.current.is_some_and(|region| region.vad == vad) {
            self.current = self.others.pop();
            self.leave_no_room();
        } else if !self.others.is_empty() {
            self.forget_other(vad);
        }
    }

    /// That there were other regions once costs no memory when there are none.
    #[cold]
    fn leave_no_room(&mut self) {
        if self.others.is_empty() {
            self.others = PoolVec::new(TAG);
        }
    }

    #[cold]
    fn forget_other(&mut self, vad: Index) {
        if let Some(found) = self.others.iter().position(|region| region.vad == vad) {
            let last = self.others.len() - 1;
            self.others.swap(found, last);
            let _ = self.others.pop();
            self.leave_no_room();
        }
    }

    /// Takes a slot of that size from a region that there is.
    fn take(&mut self, slot: u64) -> Option<Block> {
        if let Some(current) = &mut self.current {
            if current.slot == slot
                && let Some(block) = current.take()
            {
                return Some(block);
            }
            for other in self.others.iter_mut() {
                if other.slot == slot
                    && let Some(block) = other.take()
                {
                    core::mem::swap(current, other);
                    return Some(block);
                }
            }
        }
        None
    }

    /// The slot that begins at an address, if somebody has it.
    fn at(&self, address: u64) -> Option<Block> {
        let current = self.current.as_ref().and_then(|region| region.at(address));
        current.or_else(|| self.others.iter().find_map(|region| region.at(address)))
    }

    /// A slot is to be had again. Gives its region's VAD if that has no block now and there are other regions.
    fn release_slot(&mut self, block: Block) -> Option<Index> {
        let region = match &mut self.current {
            Some(region) if region.vad == block.vad => region,
            _ => self
                .others
                .iter_mut()
                .find(|region| region.vad == block.vad)?,
        };
        region.taken &= !(1 << block.number);
        (region.is_empty() && !self.others.is_empty()).then_some(block.vad)
    }
}

impl Space {
    /// A slot for a block, of which nothing is committed.
    ///
    /// # Errors
    /// As the insertion of a VAD.
    pub(super) fn take_environment(&mut self, slot: u64, limits: Limits) -> NtResult<Block> {
        self.tables()?;
        match self.environments.take(slot) {
            Some(block) => Ok(block),
            None => self.add_region(slot, limits),
        }
    }

    /// Reserves a region, and takes the first slot of it.
    #[cold]
    fn add_region(&mut self, slot: u64, limits: Limits) -> NtResult<Block> {
        // Where addresses are short there may still be room for one.
        let wanted = match self.environments.current {
            Some(_) => SLOTS,
            None => FIRST_SLOTS,
        };
        let mut room = Err(NtStatus::NO_MEMORY);
        for slots in [wanted, FIRST_SLOTS, 1] {
            let range = self.find_room(slot.saturating_mul(slots.into()), limits, true);
            room = range.map(|range| (range, slots));
            if room.is_ok() {
                break;
            }
        }
        let (range, slots) = room?;
        if self.environments.current.is_some() {
            self.environments.others.reserve(1)?;
        }
        let protection = Protection::from_page(PageProtection::READWRITE)?;
        let vad = self.insert(range, Vad::secured(protection))?;
        let absent = if slots < SLOTS { u128::MAX << slots } else { 0 };
        let mut region = Region {
            vad,
            start: range.start.0,
            slot,
            taken: absent,
            absent,
        };
        let block = region.take().ok_or(NtStatus::NO_MEMORY)?;
        if let Some(before) = self.environments.current.replace(region) {
            // There is room for it, as was seen to.
            self.environments.others.push(before)?;
        }
        Ok(block)
    }

    /// The block that begins at an address.
    pub(super) fn environment_at(&self, address: u64) -> Option<Block> {
        self.environments.at(address)
    }

    /// A block has ended, of which so many pages were committed.
    pub(super) fn end_environment(&mut self, block: Block, pages: u64) {
        if let Some(vad) = self.vads.get_mut(block.vad) {
            vad.charge = vad.charge.saturating_sub(pages);
        }
        self.give_back(pages);
        if let Some(empty) = self.environments.release_slot(block)
            && self.vads.get(empty).is_some_and(|vad| vad.charge == 0)
        {
            self.release(empty);
        }
    }
}
