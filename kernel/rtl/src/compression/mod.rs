//! Compression as NTFS, hibernation, SMB and `RtlCompressBuffer` know it ([MS-XCA]).
//!
//! | format | unit | what it is |
//! |---|---|---|
//! | LZNT1 | chunks of 4 KiB | matches whose offset has as many bits as it needs there |
//! | XPRESS | none | matches of LZ77, flags in words of 32 bits |
//! | XPRESS with Huffman | 64 KiB | the same, with codes that are made for each unit |
//!
//! What is decompressed comes from disks and networks. Every reader here works on slices, reads no byte twice and ends;
//! output is as long as the caller's buffer at most, and where that is full the rest is left out.

pub mod huffman;
pub mod lznt1;
pub mod lznt1_encoder;
#[cfg(test)]
mod samples;
pub mod xpress;

use nt_abi::{NtResult, NtStatus};

/// The error of input that breaks its format.
const DAMAGED: NtStatus = NtStatus::BAD_COMPRESSION_BUFFER;

/// Output in the making.
struct Output<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl<'a> Output<'a> {
    fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn is_full(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// Adds a byte, if there is room.
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.at) {
            *place = byte;
            self.at += 1;
        }
    }

    /// Repeats `length` bytes from `offset` bytes before, as many as there is room for. The two may overlap: bytes that were
    /// just written are repeated again.
    ///
    /// # Errors
    /// `BAD_COMPRESSION_BUFFER` if that is before the start.
    fn repeat(&mut self, offset: usize, length: usize) -> NtResult {
        let length = length.min(self.bytes.len() - self.at);
        let from = self.at.checked_sub(offset).ok_or(DAMAGED)?;
        if offset >= length {
            self.bytes.copy_within(from..from + length, self.at);
        } else {
            for index in 0..length {
                self.bytes[self.at + index] = self.bytes[from + index];
            }
        }
        self.at += length;
        Ok(())
    }
}

/// Input that is taken from the front.
#[derive(Clone, Copy)]
struct Input<'a> {
    rest: &'a [u8],
}

impl Input<'_> {
    /// The next bytes.
    ///
    /// # Errors
    /// `BAD_COMPRESSION_BUFFER` if there are fewer.
    fn take<const COUNT: usize>(&mut self) -> NtResult<[u8; COUNT]> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(DAMAGED)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn byte(&mut self) -> NtResult<u8> {
        let [byte] = self.take()?;
        Ok(byte)
    }

    /// The next 16 bits, as a length.
    fn short(&mut self) -> NtResult<usize> {
        Ok(usize::from(u16::from_le_bytes(self.take()?)))
    }

    /// The next 32 bits, as a length.
    fn long(&mut self) -> NtResult<usize> {
        usize::try_from(u32::from_le_bytes(self.take()?)).map_err(|_| DAMAGED)
    }
}

/// Reads bytes as each format, into buffers of some sizes; for fuzzers and tests of damaged input.
pub fn fuzz(bytes: &[u8]) {
    let mut out = [0; 9000];
    let mut scratch = [0; lznt1::CHUNK];
    for size in [0, 1, 100, 4096, 9000] {
        let _ = lznt1::decompress(bytes, &mut out[..size]);
        let _ = lznt1::fragment(bytes, 100, &mut out[..size], &mut scratch);
        let _ = xpress::decompress(bytes, &mut out[..size]);
        let mut codes = huffman::Codes::new();
        let _ = huffman::decompress(bytes, &mut out[..size], &mut codes);
    }
}
