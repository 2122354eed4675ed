//! Physical memory as the readers of firmware tables see it.
//!
//! The tables point at one another by physical address, and a damaged table
//! points anywhere: at a hole, at a device, beyond what is mapped. So memory is
//! not a slice but a question that may be answered no, and everything is copied
//! out before it is looked at: a table cannot change between check and use.

/// Memory that is read by physical address.
pub trait PhysicalMemory {
    /// Copies the bytes at physical `address` to all of `into`; false, with
    /// `into` in any state, if even one of them is not readable memory.
    fn read(&self, address: u64, into: &mut [u8]) -> bool;
}

/// Reads `N` bytes at `address`, or `None` if they are not readable or wrap around.
pub(crate) fn read_array<const N: usize>(
    memory: &dyn PhysicalMemory,
    address: u64,
) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    address.checked_add(u64::try_from(N).ok()?)?;
    memory.read(address, &mut bytes).then_some(bytes)
}

/// The little-endian `u16` at `offset`, or `None` beyond the end.
pub(crate) fn le_u16(bytes: &[u8], offset: usize) -> Option<u16> {
    bytes
        .get(offset..)?
        .first_chunk()
        .map(|bytes| u16::from_le_bytes(*bytes))
}

/// The little-endian `u32` at `offset`, or `None` beyond the end.
pub(crate) fn le_u32(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes
        .get(offset..)?
        .first_chunk()
        .map(|bytes| u32::from_le_bytes(*bytes))
}

/// The little-endian `u64` at `offset`, or `None` beyond the end.
pub(crate) fn le_u64(bytes: &[u8], offset: usize) -> Option<u64> {
    bytes
        .get(offset..)?
        .first_chunk()
        .map(|bytes| u64::from_le_bytes(*bytes))
}
