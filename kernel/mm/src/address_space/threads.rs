//! Room for what the kernel gives each process and thread: its environment blocks.

use arch::contract::VirtRange;
use nt_abi::NtResult;
use nt_abi::memory::{AllocationType, PageProtection};

use super::{AddressSpace, Allocation, Limits};

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
}
