//! ARM32 unwind codes: one for each instruction of a prolog or an epilog, 1 to 4 bytes, first byte highest.

use nt_abi::NtResult;

use super::BAD;
use crate::bytes::{low8, low16};

/// What an instruction of the prolog did, as the epilog's instruction that undoes it. `wide` ones have two halfwords.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnwindCode {
    /// `add sp, sp, #bytes`
    Allocate {
        /// How many.
        bytes: u32,
        /// Two halfwords.
        wide: bool,
    },
    /// `pop {registers}`: a bit for each, that of r14 for the link register.
    Pop {
        /// Which.
        registers: u16,
        /// Two halfwords.
        wide: bool,
    },
    /// `mov sp, rn`
    MoveSp(u8),
    /// `vpop {first-last}`, double registers.
    PopFloats {
        /// The first one.
        first: u8,
        /// The last one.
        last: u8,
    },
    /// `ldr lr, [sp], #bytes`
    PopLr(u8),
    /// A frame that no prolog made: Microsoft's number for it.
    Custom(u8),
    /// An instruction that needs no undoing.
    Nop {
        /// Two halfwords.
        wide: bool,
    },
    /// The end; in an epilog an instruction of so many halfwords follows.
    End(u8),
    /// A code that is not used yet.
    Reserved(u8),
}

impl UnwindCode {
    /// Bytes of the instruction in a prolog or an epilog; those of the end are an epilog's alone and do not count.
    pub fn instruction_bytes(self) -> u32 {
        match self {
            Self::Allocate { wide, .. } | Self::Pop { wide, .. } | Self::Nop { wide } => {
                if wide {
                    4
                } else {
                    2
                }
            }
            Self::MoveSp(_) => 2,
            Self::PopFloats { .. } | Self::PopLr(_) => 4,
            Self::Custom(_) | Self::End(_) | Self::Reserved(_) => 0,
        }
    }
}

/// A run of unwind codes.
#[derive(Clone, Debug)]
pub struct UnwindCodes<'a> {
    bytes: &'a [u8],
}

impl<'a> UnwindCodes<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }
}

impl Iterator for UnwindCodes<'_> {
    type Item = NtResult<UnwindCode>;

    /// The next code; [`UnwindCode::End`] is given and ends the run, as do the bytes.
    fn next(&mut self) -> Option<Self::Item> {
        let first = *self.bytes.first()?;
        let Some((code, rest)) = self.bytes.split_at_checked(length_of(first)) else {
            self.bytes = &[];
            return Some(Err(BAD));
        };
        let word = code
            .iter()
            .fold(0, |word, byte| word << 8 | u32::from(*byte));
        let code = decode(first, word);
        self.bytes = match code {
            UnwindCode::End(_) => &[],
            _ => rest,
        };
        Some(Ok(code))
    }
}

/// How many bytes a code has, from its first.
fn length_of(first: u8) -> usize {
    match first {
        0x80..=0xBF | 0xE8..=0xEF | 0xF5 | 0xF6 => 2,
        0xF7 | 0xF9 => 3,
        0xF8 | 0xFA => 4,
        _ => 1,
    }
}

/// The registers from r4 to one, and the link register.
fn from_r4(last: u32, lr: bool) -> u16 {
    let registers = low16((1 << (last + 1)) - (1 << 4));
    registers | if lr { LR } else { 0 }
}

/// The link register among registers to pop.
const LR: u16 = 1 << 14;

fn decode(first: u8, word: u32) -> UnwindCode {
    let (allocate, floats) = (
        |bytes: u32, wide| UnwindCode::Allocate { bytes, wide },
        |first: u32, last: u32| UnwindCode::PopFloats {
            first: low8(first),
            last: low8(last),
        },
    );
    match first {
        0x00..=0x7F => allocate(word * 4, false),
        0x80..=0xBF => UnwindCode::Pop {
            registers: low16(word & 0x1FFF) | if word & 0x2000 != 0 { LR } else { 0 },
            wide: true,
        },
        0xC0..=0xCF => UnwindCode::MoveSp(first & 0xF),
        0xD0..=0xD7 => UnwindCode::Pop {
            registers: from_r4(4 + (word & 3), word & 4 != 0),
            wide: false,
        },
        0xD8..=0xDF => UnwindCode::Pop {
            registers: from_r4(8 + (word & 3), word & 4 != 0),
            wide: true,
        },
        0xE0..=0xE7 => floats(8, 8 + (word & 7)),
        0xE8..=0xEB => allocate((word & 0x3FF) * 4, true),
        0xEC | 0xED => UnwindCode::Pop {
            registers: low16(word & 0xFF) | if word & 0x100 != 0 { LR } else { 0 },
            wide: false,
        },
        0xEE if word & 0xF0 == 0 => UnwindCode::Custom(low8(word & 0xF)),
        0xEF if word & 0xF0 == 0 => UnwindCode::PopLr(low8((word & 0xF) * 4)),
        0xF5 => floats(word >> 4 & 0xF, word & 0xF),
        0xF6 => floats(16 + (word >> 4 & 0xF), 16 + (word & 0xF)),
        0xF7 => allocate((word & 0xFFFF) * 4, false),
        0xF8 => allocate((word & 0xFF_FFFF) * 4, false),
        0xF9 => allocate((word & 0xFFFF) * 4, true),
        0xFA => allocate((word & 0xFF_FFFF) * 4, true),
        0xFB => UnwindCode::Nop { wide: false },
        0xFC => UnwindCode::Nop { wide: true },
        0xFD => UnwindCode::End(1),
        0xFE => UnwindCode::End(2),
        0xFF => UnwindCode::End(0),
        _ => UnwindCode::Reserved(first),
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;

    use alloc::vec::Vec;

    use super::*;

    /// The rows of the document's table, with an example each and the size of the instruction.
    #[test]
    fn codes_of_the_document() {
        let allocate = |bytes, wide| UnwindCode::Allocate { bytes, wide };
        let pop = |registers, wide| UnwindCode::Pop { registers, wide };
        let floats = |first, last| UnwindCode::PopFloats { first, last };
        let rows: [(&[u8], UnwindCode, u32); 24] = [
            (&[0x7F], allocate(508, false), 2),
            (&[0x81, 0x10], pop(1 << 4 | 1 << 8, true), 4),
            (&[0xA8, 0xF0], pop(0xF0 | 1 << 11 | LR, true), 4),
            (&[0xCB], UnwindCode::MoveSp(11), 2),
            (&[0xD0], pop(0x10, false), 2),
            (&[0xD7], pop(0xF0 | LR, false), 2),
            (&[0xD8], pop(0x1F0, true), 4),
            (&[0xDF], pop(0xFF0 | LR, true), 4),
            (&[0xE0], floats(8, 8), 4),
            (&[0xE7], floats(8, 15), 4),
            (&[0xEB, 0xFF], allocate(0x3FF * 4, true), 4),
            (&[0xEC, 0x81], pop(0x81, false), 2),
            (&[0xED, 0x02], pop(0x02 | LR, false), 2),
            (&[0xEE, 0x02], UnwindCode::Custom(2), 0),
            (&[0xEF, 0x05], UnwindCode::PopLr(20), 4),
            (&[0xF5, 0x8A], floats(8, 10), 4),
            (&[0xF6, 0x0F], floats(16, 31), 4),
            (&[0xF7, 0x01, 0x00], allocate(0x400, false), 2),
            (&[0xF8, 0x01, 0x00, 0x00], allocate(0x4_0000, false), 2),
            (&[0xF9, 0x12, 0x34], allocate(0x48D0, true), 4),
            (&[0xFA, 0x12, 0x34, 0x56], allocate(0x48_D158, true), 4),
            (&[0xFB], UnwindCode::Nop { wide: false }, 2),
            (&[0xFC], UnwindCode::Nop { wide: true }, 4),
            (&[0xF2], UnwindCode::Reserved(0xF2), 0),
        ];
        for (bytes, expected, size) in rows {
            let mut all = bytes.to_vec();
            all.extend([0xFD, 0x01]);
            let codes: Vec<_> = UnwindCodes::new(&all).collect();
            assert_eq!(codes, [Ok(expected), Ok(UnwindCode::End(1))], "{bytes:x?}");
            assert_eq!(expected.instruction_bytes(), size, "{bytes:x?}");
            if let Some((_, cut)) = bytes.split_last()
                && !cut.is_empty()
            {
                assert_eq!(UnwindCodes::new(cut).next(), Some(Err(BAD)), "{cut:x?}");
            }
        }
    }
}
