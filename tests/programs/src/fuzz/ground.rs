//! Memory that services are given: good, bad, and to be taken away.

use nt_abi::NtStatus;
use nt_abi::memory::{AllocationType, PageProtection};

use crate::services::{
    Address, CURRENT_PROCESS, NtAllocateVirtualMemory, NtFreeVirtualMemory, NtProtectVirtualMemory,
    address_of, fill,
};

/// Bytes that are reserved; most stay without memory, so that what runs over an end meets nothing.
const RESERVED: u64 = 64 << 20;
/// From the start of the reservation: bytes without memory, then the slots, then nothing, then a page that is read-only.
const SLOTS: u64 = 0x1_0000;
const SLOTS_END: u64 = 0x2_0000;
const READ_ONLY: u64 = 0x3_0000;
/// Bytes of a slot: one for each argument.
pub(super) const SLOT: u64 = 2048;
/// Where in a slot stands what its structure points to.
pub(super) const BEHIND: u64 = 1024;
/// Bytes that may be unmapped, protected, mapped over.
const SACRIFICED: u64 = 1 << 20;
/// Bytes right behind them, an allocation of their own: services are given the address where the first part ends, and what
/// begins there may be taken away as well. Without it that would be whatever comes next, such as a thread's stack.
const BEYOND: u64 = 0x1_0000;

/// The memory.
#[derive(Debug)]
pub(super) struct Ground {
    base: u64,
    sacrificed: u64,
}

impl Ground {
    /// Reserves and commits it; `None` if a service refuses.
    pub(super) fn new() -> Option<Self> {
        let base = allocate(0, RESERVED, AllocationType::RESERVE)?;
        allocate(base + SLOTS, SLOTS_END - SLOTS, AllocationType::COMMIT)?;
        let read_only = allocate(base + READ_ONLY, 0x1000, AllocationType::COMMIT)?;
        let (mut start, mut size, mut old) = (read_only, 0x1000u64, 0u32);
        let protected = NtProtectVirtualMemory(
            CURRENT_PROCESS,
            &mut start,
            &mut size,
            PageProtection::READONLY.bits(),
            &mut old,
        );
        if protected != NtStatus::SUCCESS {
            return None;
        }
        let ground = Self {
            base,
            sacrificed: room_for(SACRIFICED + BEYOND)?,
        };
        (ground.renew() == (true, true)).then_some(ground)
    }

    /// Brings the sacrificed part back, and what is behind it, if they were taken away; says which of them were, and could
    /// be.
    pub(super) fn renew(&self) -> (bool, bool) {
        let reserve = |base, size| allocate(base, size, AllocationType::RESERVE).is_some();
        (
            reserve(self.sacrificed, SACRIFICED),
            reserve(self.sacrificed + SACRIFICED, BEYOND),
        )
    }

    /// Clears all slots.
    pub(super) fn clear(&self) {
        const PART: u64 = 4096;
        for part in 0..(SLOTS_END - SLOTS) / PART {
            fill(self.base + SLOTS + part * PART, &[0; PART as usize]);
        }
    }

    /// The slot of an argument.
    pub(super) fn slot(&self, index: usize) -> u64 {
        self.base + SLOTS + index as u64 * SLOT
    }

    /// Where the slots end, and memory with them; what is before it is cleared.
    pub(super) fn edge(&self) -> u64 {
        let edge = self.base + SLOTS_END;
        fill(edge - 64, &[0; 64]);
        edge
    }

    /// A page of zeros that nothing can write.
    pub(super) fn read_only(&self) -> u64 {
        self.base + READ_ONLY
    }

    /// An address without memory behind it.
    pub(super) fn nothing(&self) -> u64 {
        self.base + 0x100_0000
    }

    /// Where things may be unmapped.
    pub(super) fn sacrificed(&self) -> (u64, u64) {
        (self.sacrificed, SACRIFICED)
    }

    pub(super) fn is_sacrificed(&self, address: u64) -> bool {
        (self.sacrificed..self.sacrificed + SACRIFICED + BEYOND).contains(&address)
    }

    /// Whether a number can be read there.
    pub(super) fn contains(&self, address: u64) -> bool {
        (self.base + SLOTS..=self.base + SLOTS_END - 8).contains(&address)
    }
}

/// Where so much could be reserved.
fn room_for(size: u64) -> Option<u64> {
    let mut base = allocate(0, size, AllocationType::RESERVE)?;
    let (mut all, release) = (0u64, AllocationType::RELEASE.bits());
    let freed = NtFreeVirtualMemory(CURRENT_PROCESS, &mut base, &mut all, release);
    (freed == NtStatus::SUCCESS).then_some(base)
}

fn allocate(base: u64, size: u64, kind: AllocationType) -> Option<u64> {
    let (mut base, mut size) = (base, size);
    let status = NtAllocateVirtualMemory(
        CURRENT_PROCESS,
        Address(address_of(&mut base)),
        0u64,
        Address(address_of(&mut size)),
        kind.bits(),
        PageProtection::READWRITE.bits(),
    );
    (status == NtStatus::SUCCESS).then_some(base)
}
