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
