//! One ACPI table: found whole and summed before a field of it is believed.
//!
//! A table may be larger than any buffer that exists this early, so it stays where
//! it is and its fields are copied out one by one, each within the length that was
//! checked. The signature comes first: a pointer that leads astray is told from a
//! table that is damaged.
//!
//! ACPI 6.5, 5.2.6.

use crate::discovery_error::DiscoveryError;
use crate::physical_memory::{PhysicalMemory, le_u32, read_array};

/// Length of the header that every table begins with.
pub(super) const HEADER_LENGTH: u32 = 36;
/// The longest table that is read, in bytes; bounds the work. The largest of those
/// that are of interest here, a MADT of 4096 processors, has 64 KiB.
const MAX_LENGTH: u32 = 256 << 10;

/// A table in physical memory whose checksum held.
#[derive(Clone, Copy)]
pub(super) struct Table<'m> {
    memory: &'m dyn PhysicalMemory,
    signature: &'static str,
    address: u64,
    length: u32,
}

impl<'m> Table<'m> {
    /// Finds the table `signature` at `address` whole and undamaged.
    pub(super) fn open(
        memory: &'m dyn PhysicalMemory,
        signature: &'static str,
        address: u64,
    ) -> Result<Self, DiscoveryError> {
        // Until its length is known, the table is its header.
        let mut table = Self {
            memory,
            signature,
            address,
            length: HEADER_LENGTH,
        };
        let header: [u8; 36] = table.array(0)?;
        if !header.starts_with(signature.as_bytes()) {
            return Err(table.damaged("there is another signature"));
        }
        let length = le_u32(&header, 4).unwrap_or_default();
        if length < HEADER_LENGTH {
            return Err(table.damaged("its length is less than its header's"));
        }
        if length > MAX_LENGTH {
            return Err(table.damaged("its length is above 256 KiB"));
        }
        table.length = length;
        if table.sum()? != 0 {
            return Err(table.damaged("its checksum is wrong"));
        }
        Ok(table)
    }

    /// Its length in bytes, header included.
    pub(super) fn length(&self) -> u32 {
        self.length
    }

    /// The error that `what` is wrong with this table.
    pub(super) fn damaged(&self, what: &'static str) -> DiscoveryError {
        DiscoveryError::DamagedTable {
            table: self.signature,
            address: self.address,
            what,
        }
    }

    /// The `N` bytes at `offset`.
    ///
    /// # Errors
    ///
    /// [`DiscoveryError::DamagedTable`] if the table ends before them or is not in
    /// memory.
    pub(super) fn array<const N: usize>(&self, offset: u32) -> Result<[u8; N], DiscoveryError> {
        let end = u32::try_from(N)
            .ok()
            .and_then(|length| offset.checked_add(length));
        if end.is_none_or(|end| end > self.length) {
            return Err(self.damaged("it is cut short"));
        }
        self.address
            .checked_add(u64::from(offset))
            .and_then(|address| read_array(self.memory, address))
            .ok_or_else(|| self.damaged("it is not in memory that can be read"))
    }

    /// The byte at `offset`; errors as [`Self::array`].
    pub(super) fn u8(&self, offset: u32) -> Result<u8, DiscoveryError> {
        self.array(offset).map(u8::from_le_bytes)
    }

    /// The little-endian `u16` at `offset`; errors as [`Self::array`].
    pub(super) fn u16(&self, offset: u32) -> Result<u16, DiscoveryError> {
        self.array(offset).map(u16::from_le_bytes)
    }

    /// The little-endian `u32` at `offset`; errors as [`Self::array`].
    pub(super) fn u32(&self, offset: u32) -> Result<u32, DiscoveryError> {
        self.array(offset).map(u32::from_le_bytes)
    }

    /// The little-endian `u64` at `offset`; errors as [`Self::array`].
    pub(super) fn u64(&self, offset: u32) -> Result<u64, DiscoveryError> {
        self.array(offset).map(u64::from_le_bytes)
    }

    /// The sum of all its bytes, which is 0 in an undamaged table.
    fn sum(&self) -> Result<u8, DiscoveryError> {
        let mut sum = 0_u8;
        let mut offset = 0;
        while self.length.saturating_sub(offset) >= 64 {
            sum = sum.wrapping_add(sum_of(&self.array::<64>(offset)?));
            offset = offset.saturating_add(64);
        }
        while offset < self.length {
            sum = sum.wrapping_add(self.u8(offset)?);
            offset = offset.saturating_add(1);
        }
        Ok(sum)
    }
}

/// The sum of bytes that every ACPI checksum is.
pub(super) fn sum_of(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}
