//! LZNT1: chunks of 4 KiB, each on its own ([MS-XCA] 2.5).
//!
//! A chunk begins with 16 bits: 12 for its length less 1, 3 that are 011, and whether it is compressed. In a compressed one
//! a byte of flags precedes 8 elements, each a byte or 16 bits of length and offset. How these divide the 16 bits depends on
//! how far the chunk has come: the offset gets as many as reach back to its start, 4 at least.

use nt_abi::NtResult;

use super::{DAMAGED, Input, Output};

/// The bytes of a chunk before compression.
pub const CHUNK: usize = 4096;
/// The shortest match.
pub(super) const SHORTEST: usize = 3;
/// Whether a chunk is compressed.
pub(super) const COMPRESSED: u16 = 0x8000;
/// What every chunk's header has.
pub(super) const SIGNATURE: u16 = 0x3000;

/// How many bits a match has for its length, so many bytes into a chunk.
pub(super) fn length_bits(at: usize) -> u32 {
    let reach = at.saturating_sub(1).max(0x8);
    12 - (reach.ilog2() - 3)
}

/// A chunk's contents.
struct Chunk<'a> {
    is_compressed: bool,
    bytes: &'a [u8],
}

/// The chunks of a buffer. It ends with the input, or where a header is 0.
struct Chunks<'a> {
    input: Input<'a>,
}

impl<'a> Chunks<'a> {
    fn next(&mut self) -> NtResult<Option<Chunk<'a>>> {
        if self.input.rest.len() < 2 {
            return Ok(None);
        }
        let header = u16::from_le_bytes(self.input.take()?);
        if header == 0 {
            return Ok(None);
        }
        let length = usize::from(header & 0xFFF) + 1;
        let (bytes, rest) = self.input.rest.split_at_checked(length).ok_or(DAMAGED)?;
        self.input.rest = rest;
        Ok(Some(Chunk {
            is_compressed: header & COMPRESSED != 0,
            bytes,
        }))
    }
}

impl Chunk<'_> {
    /// Writes what it holds, as much as there is room for; gives how much that is.
    fn decompress(&self, into: &mut [u8]) -> NtResult<usize> {
        let room = into.len().min(CHUNK);
        let mut output = Output::new(&mut into[..room]);
        if !self.is_compressed {
            let count = room.min(self.bytes.len());
            output.bytes[..count].copy_from_slice(&self.bytes[..count]);
            return Ok(count);
        }
        let mut input = Input { rest: self.bytes };
        while !input.rest.is_empty() {
            let flags = input.byte()?;
            for element in 0..8 {
                if input.rest.is_empty() || output.is_full() {
                    break;
                }
                if flags >> element & 1 == 0 {
                    output.push(input.byte()?);
                } else {
                    let pair = u16::from_le_bytes(input.take()?);
                    let bits = length_bits(output.at);
                    let length = usize::from(pair & ((1 << bits) - 1)) + SHORTEST;
                    output.repeat(usize::from(pair >> bits) + 1, length)?;
                }
            }
            if output.is_full() {
                break;
            }
        }
        Ok(output.at)
    }
}

/// Writes what chunks hold, one after the other; gives how much that is. A chunk that holds less than 4 KiB is filled up
/// with zeros if another one follows.
fn write_chunks(chunks: &mut Chunks<'_>, into: &mut [u8]) -> NtResult<usize> {
    let mut at = 0;
    let mut end = 0;
    // A chunk that is not whole is an error even where there is no room for it.
    while let Some(chunk) = chunks.next()? {
        if end == into.len() {
            break;
        }
        into[at..end].fill(0);
        at = end + chunk.decompress(&mut into[end..])?;
        end = (end + CHUNK).min(into.len());
    }
    Ok(at)
}

/// Decompresses as much as there is room for; gives how much that is.
///
/// # Errors
/// `BAD_COMPRESSION_BUFFER`, also for less than a chunk's header.
pub fn decompress(input: &[u8], into: &mut [u8]) -> NtResult<usize> {
    if input.len() < 2 {
        return Err(DAMAGED);
    }
    write_chunks(
        &mut Chunks {
            input: Input { rest: input },
        },
        into,
    )
}

/// Decompresses from some byte of the contents on, as much as there is room for; gives how much that is. `scratch` holds a
/// chunk of which only a part is wanted.
///
/// # Errors
/// `BAD_COMPRESSION_BUFFER`, also if the input ends before.
pub fn fragment(
    input: &[u8],
    from: usize,
    into: &mut [u8],
    scratch: &mut [u8; CHUNK],
) -> NtResult<usize> {
    let mut chunks = Chunks {
        input: Input { rest: input },
    };
    for _ in 0..from / CHUNK {
        chunks.next()?.ok_or(DAMAGED)?;
    }
    let skip = from % CHUNK;
    if skip == 0 {
        return write_chunks(&mut chunks, into);
    }
    let first = chunks.next()?.ok_or(DAMAGED)?;
    let length = first.decompress(scratch)?;
    let wanted = scratch.get(skip..length).unwrap_or_default();
    let count = wanted.len().min(into.len());
    into[..count].copy_from_slice(&wanted[..count]);
    let end = (CHUNK - skip).min(into.len());
    let more = write_chunks(&mut chunks, &mut into[end..])?;
    if more == 0 {
        return Ok(count);
    }
    into[count..end].fill(0);
    Ok(end + more)
}

#[cfg(test)]
mod tests;
