//! Plain LZ77, "XPRESS" ([MS-XCA] 2.4).
//!
//! 32 flags, the highest first, say of the next 32 elements whether each is a byte or a match. A match is 16 bits, 13 for the
//! offset less 1 and 3 for the length less 3; longer lengths go on in half a byte, of which two share one, then in a byte,
//! 16 and 32 bits.

use nt_abi::NtResult;

use super::{DAMAGED, Input, Output};

/// What the 3 bits of a length say of a longer one.
const LONG: usize = 7;
/// What the half byte says of a longer one.
const LONGER: usize = 15;
/// The shortest match.
const SHORTEST: usize = 3;

/// The length of a match whose 3 bits are all set.
fn long_length(input: &mut Input<'_>, half: &mut Option<u8>) -> NtResult<usize> {
    let nibble = match half.take() {
        Some(high) => high,
        None => {
            let both = input.byte()?;
            *half = Some(both >> 4);
            both & 0xF
        }
    };
    if usize::from(nibble) != LONGER {
        return Ok(usize::from(nibble) + LONG);
    }
    let byte = input.byte()?;
    if byte != u8::MAX {
        return Ok(usize::from(byte) + LONGER + LONG);
    }
    let length = match input.short()? {
        0 => input.long()?,
        length => length,
    };
    if length < LONGER + LONG {
        return Err(DAMAGED);
    }
    Ok(length)
}

/// Decompresses as much as there is room for; gives how much that is.
///
/// # Errors
/// `BAD_COMPRESSION_BUFFER`.
pub fn decompress(input: &[u8], into: &mut [u8]) -> NtResult<usize> {
    let mut input = Input { rest: input };
    let mut output = Output::new(into);
    let mut half = None;
    let (mut flags, mut left) = (0u32, 0);
    while !output.is_full() {
        if left == 0 {
            flags = u32::from_le_bytes(input.take()?);
            left = 32;
        }
        left -= 1;
        if flags >> left & 1 == 0 {
            output.push(input.byte()?);
            continue;
        }
        // The flags that are left over at the end say that matches follow, and none does.
        if input.rest.is_empty() {
            break;
        }
        let pair = input.short()?;
        let mut length = pair & 7;
        if length == LONG {
            length = long_length(&mut input, &mut half)?;
        }
        output.repeat((pair >> 3) + 1, length.saturating_add(SHORTEST))?;
    }
    Ok(output.at)
}

#[cfg(test)]
mod tests;
