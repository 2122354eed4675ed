//! Room for answers, and structures read out of it.

use nt_abi::w64::UnicodeString;
use zerocopy::FromBytes;

use crate::services::address_of;

/// Bytes that are aligned for whatever a service writes.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub struct Buffer<const N: usize>(pub [u8; N]);

impl<const N: usize> Default for Buffer<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Buffer<N> {
    /// Bytes without a meaning yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many, as services take it.
    pub const fn length(&self) -> u32 {
        N as u32
    }

    /// The structure that begins at an offset.
    ///
    /// # Panics
    /// If it would reach beyond the end.
    pub fn at<T: FromBytes>(&self, offset: usize) -> T {
        let Ok((value, _)) = T::read_from_prefix(&self.0[offset..]) else {
            panic!("a structure at {offset} of {N} bytes");
        };
        value
    }

    /// How far an address that a service wrote into the answer is from its beginning.
    pub fn offset_of(&mut self, address: u64) -> usize {
        address.wrapping_sub(address_of(&mut self.0)) as usize
    }

    /// Whether a string in the answer says that text, lies in the answer and ends with a zero unit.
    pub fn says(&mut self, string: &UnicodeString, text: &str) -> bool {
        let start = self.offset_of(string.buffer);
        let length = usize::from(string.length);
        let Some(bytes) = self.0.get(start..start.saturating_add(length + 2)) else {
            return false;
        };
        let mut units = bytes
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        units.next_back() == Some(0) && units.eq(text.encode_utf16())
    }
}
