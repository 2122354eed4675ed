//! The further parameters of newer services, in an array of which each entry says what it is.

use mm::address_space::Limits;
use nt_abi::memory::MemExtendedParameter;
use nt_abi::{NtResult, NtStatus, w64};

use crate::capture;

/// What such an array says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameters {
    /// Where the range may lie.
    pub(super) limits: Limits,
    /// For which machine an image is to be mapped; 0: for its own.
    pub(super) machine: u16,
}

/// `MEM_EXTENDED_PARAMETER_TYPE`.
mod kind {
    pub(super) const ADDRESS_REQUIREMENTS: u8 = 1;
    pub(super) const NUMA_NODE: u8 = 2;
    pub(super) const PARTITION: u8 = 3;
    pub(super) const USER_PHYSICAL: u8 = 4;
    pub(super) const ATTRIBUTES: u8 = 5;
    pub(super) const IMAGE_MACHINE: u8 = 6;
}

/// Attributes that permit something and oblige to nothing: pages need not be zeroed; they may have code of both kinds.
const HARMLESS_ATTRIBUTES: u64 = 0x04 | 0x40;
/// `NUMA_NO_PREFERRED_NODE`.
const ANY_NODE: u64 = 0xFFFF_FFFF;

impl Parameters {
    const NONE: Self = Self {
        limits: Limits::ANYWHERE,
        machine: 0,
    };

    /// Captures an array.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: no array, two entries of a kind, an unknown kind, or what an entry says is wrong.
    /// `NOT_SUPPORTED`: partitions, physical pages, pages that are large or never leave memory. The probes' statuses.
    pub(super) fn capture(address: u64, count: u32) -> NtResult<Self> {
        let mut parameters = Self::NONE;
        if count == 0 {
            return Ok(parameters);
        }
        if address == 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let mut seen = 0u64;
        let mut place = address;
        // There are few kinds and none may come twice, so this ends soon whatever the count is.
        for _ in 0..count {
            let entry: MemExtendedParameter = capture::read(place)?;
            let [kind, rest @ ..] = entry.kind.to_le_bytes();
            if rest != [0; 7] || kind >= 64 || seen & (1 << kind) != 0 {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            seen |= 1 << kind;
            parameters.take(kind, entry.value)?;
            place = place
                .checked_add(size_of::<MemExtendedParameter>() as u64)
                .ok_or(NtStatus::ACCESS_VIOLATION)?;
        }
        Ok(parameters)
    }

    fn take(&mut self, kind: u8, value: u64) -> NtResult {
        match kind {
            kind::ADDRESS_REQUIREMENTS => {
                let wanted: w64::MemAddressRequirements = capture::read(value)?;
                self.limits = Limits::required(
                    wanted.lowest_starting_address,
                    wanted.highest_ending_address,
                    wanted.alignment,
                )?;
            }
            // There is one node.
            kind::NUMA_NODE if value & ANY_NODE == 0 || value & ANY_NODE == ANY_NODE => {}
            kind::PARTITION | kind::USER_PHYSICAL => return Err(NtStatus::NOT_SUPPORTED),
            kind::ATTRIBUTES if value & !HARMLESS_ATTRIBUTES == 0 => {}
            kind::ATTRIBUTES => return Err(NtStatus::NOT_SUPPORTED),
            kind::IMAGE_MACHINE => {
                self.machine = u16::try_from(value).map_err(|_| NtStatus::INVALID_PARAMETER)?;
            }
            _ => return Err(NtStatus::INVALID_PARAMETER),
        }
        Ok(())
    }
}
