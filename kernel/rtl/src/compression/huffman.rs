//! LZ77 with Huffman codes, "XPRESS with Huffman" ([MS-XCA] 2.2).
//!
//! For each 64 KiB of output there are 256 bytes with the lengths of 512 codes, 4 bits each, and then the codes: a symbol
//! below 256 is a byte, another one a match, with 4 bits for its length and 4 for how many bits its offset has. Codes are
//! read from 16-bit words, the highest bit first; what a long length needs more lies between the words, where the reader is.
//!
//! Codes are at most 15 bits long, so a table of 2^15 entries says for each 15 bits which symbol they begin with. It is the
//! caller's to keep: it has 64 KiB.

use nt_abi::NtResult;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{DAMAGED, Input, Output};

/// Symbols.
const SYMBOLS: usize = 512;
/// The longest code, in bits.
const LONGEST: u32 = 15;
/// The table's entries.
const ENTRIES: usize = 1 << LONGEST;
/// The output that one table of lengths is for.
const BLOCK: usize = 0x1_0000;
/// The first symbol of a match.
const MATCH: u16 = 256;
/// What the 4 bits of a length say of a longer one.
const LONG: usize = 15;
/// The shortest match.
const SHORTEST: usize = 3;

/// Which symbol each 15 bits begin with, and the length of its code.
#[derive(FromBytes, IntoBytes, Immutable)]
#[repr(transparent)]
pub struct Codes {
    entries: [u16; ENTRIES],
}

impl Codes {
    /// No codes yet.
    pub const fn new() -> Self {
        Self {
            entries: [0; ENTRIES],
        }
    }

    /// Fills the table from the lengths of codes.
    ///
    /// # Errors
    /// `BAD_COMPRESSION_BUFFER` if the codes are not just as many as there can be.
    fn set(&mut self, lengths: &[u8; SYMBOLS / 2]) -> NtResult {
        let length_of = |symbol: usize| u32::from(lengths[symbol / 2] >> (symbol % 2 * 4) & 0xF);
        let mut at = 0;
        for length in 1..=LONGEST {
            for symbol in (0..SYMBOLS).filter(|symbol| length_of(*symbol) == length) {
                let count = 1 << (LONGEST - length);
                let places = self.entries.get_mut(at..at + count).ok_or(DAMAGED)?;
                // 9 bits for the symbol, 4 for the length.
                let entry = symbol << 4 | usize::try_from(length).unwrap_or_default();
                places.fill(u16::try_from(entry).unwrap_or_default());
                at += count;
            }
        }
        if at == ENTRIES { Ok(()) } else { Err(DAMAGED) }
    }
}

impl Default for Codes {
    fn default() -> Self {
        Self::new()
    }
}

/// Bits on their way out of the input.
struct Bits {
    /// The next ones, from the highest on; zeros where the input has ended.
    next: u32,
    /// How many of the lower 16 are there; below 0 none is.
    extra: i32,
    /// How many of all come from the input; below 0 more were taken.
    real: i32,
}

impl Bits {
    /// Begins: 32 bits are taken.
    fn new(input: &mut Input<'_>) -> NtResult<Self> {
        let high = u32::from(u16::from_le_bytes(input.take()?));
        let low = u32::from(u16::from_le_bytes(input.take()?));
        Ok(Self {
            next: high << 16 | low,
            extra: 16,
            real: 32,
        })
    }

    /// The next bits, 16 at most, without taking them.
    fn peek(&self, count: u32) -> usize {
        let bits = self.next.checked_shr(32 - count).unwrap_or_default();
        usize::try_from(bits).unwrap_or_default()
    }

    /// Takes bits, 15 at most, and 16 more from the input where there is room for them.
    fn skip(&mut self, count: u32, input: &mut Input<'_>) {
        let taken = i32::try_from(count).unwrap_or_default();
        self.next <<= count;
        self.extra -= taken;
        self.real -= taken;
        if self.extra < 0 {
            if let Ok(word) = input.take() {
                self.next |= u32::from(u16::from_le_bytes(word)) << -self.extra;
                self.real += 16;
            }
            self.extra += 16;
        }
    }
}

/// The length of a match whose 4 bits are all set.
fn long_length(input: &mut Input<'_>) -> NtResult<usize> {
    let byte = input.byte()?;
    if byte != u8::MAX {
        return Ok(usize::from(byte) + LONG);
    }
    let length = match input.short()? {
        0 => input.long()?,
        length => length,
    };
    if length < LONG {
        return Err(DAMAGED);
    }
    Ok(length)
}

/// Carries out a match, of which the symbol is known.
fn repeat(
    symbol: usize,
    bits: &mut Bits,
    input: &mut Input<'_>,
    output: &mut Output<'_>,
) -> NtResult {
    let mut length = symbol & 0xF;
    let offset_bits = u32::try_from(symbol >> 4).unwrap_or_default();
    if length == LONG {
        length = long_length(input)?;
    }
    let offset = (1 << offset_bits) + bits.peek(offset_bits);
    bits.skip(offset_bits, input);
    output.repeat(offset, length.saturating_add(SHORTEST))
}

/// Decompresses as much as there is room for, which should be as much as was compressed; gives how much that is.
///
/// The end has no symbol of its own: it is the first symbol of a match, with nothing behind it. Where there is more room than
/// contents, that is seen only when the bits are used up, so the first place at which it may have been is kept.
///
/// # Errors
/// `BAD_COMPRESSION_BUFFER`.
pub fn decompress(input: &[u8], into: &mut [u8], codes: &mut Codes) -> NtResult<usize> {
    let mut input = Input { rest: input };
    let mut output = Output::new(into);
    while !output.is_full() && !input.rest.is_empty() {
        codes.set(&input.take()?)?;
        let mut bits = Bits::new(&mut input)?;
        let mut may_end_at = None;
        let end = output.at.saturating_add(BLOCK);
        while output.at < end && !output.is_full() {
            let entry = codes.entries[bits.peek(LONGEST)];
            bits.skip(u32::from(entry & 0xF), &mut input);
            if bits.real < 0 {
                return may_end_at.ok_or(DAMAGED);
            }
            let symbol = entry >> 4;
            if symbol < MATCH {
                output.push(symbol.to_le_bytes()[0]);
                continue;
            }
            if symbol == MATCH && input.rest.is_empty() && may_end_at.is_none() {
                may_end_at = Some(output.at);
            }
            let repeated = repeat(
                usize::from(symbol - MATCH),
                &mut bits,
                &mut input,
                &mut output,
            );
            if let Err(status) = repeated {
                return may_end_at.ok_or(status);
            }
        }
    }
    Ok(output.at)
}

#[cfg(test)]
mod tests;
