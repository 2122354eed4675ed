//! Little-endian numbers and strings in bytes that nobody vouches for.

use nt_abi::{NtResult, NtStatus};

/// The longest name that is read, in bytes. Windows has no limit; compilers stay far below this one, and without it
/// a file of overlapping names would take the square of its size to read.
pub const MAX_NAME: usize = 16 << 10;

/// What NT says of a file whose inside is damaged.
pub(crate) const BAD: NtStatus = NtStatus::INVALID_IMAGE_FORMAT;

/// The `u16` at `offset`, or `None` beyond the end.
pub(crate) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    bytes
        .get(offset..)?
        .first_chunk()
        .map(|bytes| u16::from_le_bytes(*bytes))
}

/// The `u32` at `offset`, or `None` beyond the end.
pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes
        .get(offset..)?
        .first_chunk()
        .map(|bytes| u32::from_le_bytes(*bytes))
}

/// The `u64` at `offset`, or `None` beyond the end.
pub(crate) fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    bytes
        .get(offset..)?
        .first_chunk()
        .map(|bytes| u64::from_le_bytes(*bytes))
}

/// A number of the file as an index; saturates on a machine with smaller addresses.
pub(crate) fn index(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// The lower half of a number: what a store of 32 bits keeps.
pub(crate) fn low32(value: u64) -> u32 {
    u32::try_from(value & 0xFFFF_FFFF).unwrap_or_default()
}

/// The lowest 16 bits of a number: what a store of 16 bits keeps.
pub(crate) fn low16(value: u32) -> u16 {
    u16::try_from(value & 0xFFFF).unwrap_or_default()
}

/// The lowest 8 bits of a number.
pub(crate) fn low8(value: u32) -> u8 {
    u8::try_from(value & 0xFF).unwrap_or_default()
}

/// The string at the front of `bytes`, without its NUL; refused if it has none within [`MAX_NAME`].
pub(crate) fn c_string(bytes: &[u8]) -> NtResult<&[u8]> {
    let bytes = bytes.get(..MAX_NAME).unwrap_or(bytes);
    let length = bytes.iter().position(|byte| *byte == 0).ok_or(BAD)?;
    bytes.get(..length).ok_or(BAD)
}

/// The fields of a structure, one after the other; those beyond its end read as 0, as in the zero-filled page that NT
/// reads headers into.
pub(crate) struct Fields<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    pub(crate) fn skip(&mut self, count: usize) {
        self.offset = self.offset.saturating_add(count);
    }

    pub(crate) fn u16(&mut self) -> u16 {
        let value = u16_at(self.bytes, self.offset).unwrap_or_default();
        self.skip(2);
        value
    }

    pub(crate) fn u32(&mut self) -> u32 {
        let value = u32_at(self.bytes, self.offset).unwrap_or_default();
        self.skip(4);
        value
    }

    pub(crate) fn u64(&mut self) -> u64 {
        let value = u64_at(self.bytes, self.offset).unwrap_or_default();
        self.skip(8);
        value
    }
}
