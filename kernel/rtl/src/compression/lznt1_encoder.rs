//! Writing LZNT1.
//!
//! Matches are looked for with a table from three bytes to where they were last, and from there to where they were before.
//! The standard engine looks at a few such places, the maximum one at many. A chunk that does not get shorter is stored.

use nt_abi::{NtResult, NtStatus};

use super::lznt1::{CHUNK, COMPRESSED, SHORTEST, SIGNATURE, length_bits};

/// Entries of the table from three bytes to their last place.
const HEADS: usize = 2048;
/// How much memory the search needs, in 16-bit words.
pub const SCRATCH: usize = HEADS + CHUNK;
/// No place.
const NOWHERE: u16 = u16::MAX;

/// How hard matches are looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    /// `COMPRESSION_ENGINE_STANDARD`.
    Standard,
    /// `COMPRESSION_ENGINE_MAXIMUM`.
    Maximum,
}

impl Engine {
    /// How many places are looked at.
    fn patience(self) -> usize {
        match self {
            Self::Standard => 8,
            Self::Maximum => CHUNK,
        }
    }
}

/// What is known of a chunk's bytes.
struct Places<'a> {
    heads: &'a mut [u16],
    /// For each place, the one before with the same three bytes, or others that share their entry.
    before: &'a mut [u16],
}

impl<'a> Places<'a> {
    fn new(scratch: &'a mut [u16; SCRATCH]) -> Self {
        let (heads, before) = scratch.split_at_mut(HEADS);
        heads.fill(NOWHERE);
        Self { heads, before }
    }

    fn entry(bytes: &[u8]) -> usize {
        let three = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
        // The high bits of the product: 11 of them.
        usize::try_from(three.wrapping_mul(0x9E37_79B1) >> 21).unwrap_or_default() % HEADS
    }

    /// Notes the three bytes at a place, if there are so many.
    fn note(&mut self, chunk: &[u8], at: usize) {
        if let Some(three) = chunk.get(at..at + SHORTEST) {
            let entry = Self::entry(three);
            self.before[at] = self.heads[entry];
            // A chunk has 4096 places.
            self.heads[entry] = u16::try_from(at).unwrap_or(NOWHERE);
        }
    }

    /// The longest match at a place: its offset and its length.
    fn find(&self, chunk: &[u8], at: usize, engine: Engine) -> Option<(usize, usize)> {
        let three = chunk.get(at..at + SHORTEST)?;
        let longest = ((1 << length_bits(at)) - 1 + SHORTEST).min(chunk.len() - at);
        let mut best = None;
        let mut best_length = SHORTEST - 1;
        let mut place = self.heads[Self::entry(three)];
        for _ in 0..engine.patience() {
            if place == NOWHERE || best_length >= longest {
                break;
            }
            let from = usize::from(place);
            let pairs = chunk[from..].iter().zip(&chunk[at..at + longest]);
            let length = pairs.take_while(|(left, right)| left == right).count();
            if length > best_length {
                best_length = length;
                best = Some((at - from, length));
            }
            place = self.before[from];
        }
        best
    }
}

/// Compresses a chunk; `None` if it does not fit into what it is to fit into.
fn compress_chunk(
    chunk: &[u8],
    into: &mut [u8],
    engine: Engine,
    scratch: &mut [u16; SCRATCH],
) -> Option<usize> {
    let mut places = Places::new(scratch);
    let (mut at, mut end) = (0, 0);
    while at < chunk.len() {
        let flags_at = end;
        let mut flags = 0;
        end += 1;
        for element in 0..8 {
            if at == chunk.len() {
                break;
            }
            let step = match places.find(chunk, at, engine) {
                Some((offset, length)) => {
                    let bits = length_bits(at);
                    // Both fit: the offset reaches the chunk's start at most, the length was limited.
                    let pair = u16::try_from((offset - 1) << bits | (length - SHORTEST)).ok()?;
                    into.get_mut(end..end + 2)?
                        .copy_from_slice(&pair.to_le_bytes());
                    flags |= 1 << element;
                    end += 2;
                    length
                }
                None => {
                    *into.get_mut(end)? = chunk[at];
                    end += 1;
                    1
                }
            };
            (at..at + step).for_each(|place| places.note(chunk, place));
            at += step;
        }
        *into.get_mut(flags_at)? = flags;
    }
    Some(end)
}

/// Compresses; gives how many bytes that takes.
///
/// # Errors
/// `BUFFER_TOO_SMALL`.
pub fn compress(
    input: &[u8],
    into: &mut [u8],
    engine: Engine,
    scratch: &mut [u16; SCRATCH],
) -> NtResult<usize> {
    let mut end = 0;
    for chunk in input.chunks(CHUNK) {
        let room = into.get_mut(end + 2..).ok_or(NtStatus::BUFFER_TOO_SMALL)?;
        let limit = room.len().min(chunk.len() - 1);
        let (length, kind) = match compress_chunk(chunk, &mut room[..limit], engine, scratch) {
            Some(length) => (length, COMPRESSED),
            None => {
                let place = room
                    .get_mut(..chunk.len())
                    .ok_or(NtStatus::BUFFER_TOO_SMALL)?;
                place.copy_from_slice(chunk);
                (chunk.len(), 0)
            }
        };
        // At most 4096.
        let header = u16::try_from(length - 1).unwrap_or_default() | SIGNATURE | kind;
        into[end..end + 2].copy_from_slice(&header.to_le_bytes());
        end += 2 + length;
    }
    Ok(end)
}
