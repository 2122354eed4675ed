//! ARM64 unwind codes: one for each instruction of a prolog or an epilog, 1 to 4 bytes, first byte highest.

use nt_abi::NtResult;

use super::BAD;
use crate::bytes::{low8, low16};

/// What an instruction of the prolog did, to be undone. Offsets and sizes are bytes; registers are numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnwindCode {
    /// Took that many bytes of the stack.
    Allocate(u32),
    /// `stp x19, x20, [sp, #-size]!`
    SaveR19R20Pre(u16),
    /// `stp x29, lr, [sp, #offset]`
    SaveFpLr(u16),
    /// `stp x29, lr, [sp, #-size]!`
    SaveFpLrPre(u16),
    /// `stp xn, xn+1, [sp, #offset]`
    SavePair(Saved),
    /// `stp xn, xn+1, [sp, #-size]!`
    SavePairPre(Saved),
    /// `str xn, [sp, #offset]`
    Save(Saved),
    /// `str xn, [sp, #-size]!`
    SavePre(Saved),
    /// `stp xn, lr, [sp, #offset]`
    SaveLrPair(Saved),
    /// `stp dn, dn+1, [sp, #offset]`
    SaveFloatPair(Saved),
    /// `stp dn, dn+1, [sp, #-size]!`
    SaveFloatPairPre(Saved),
    /// `str dn, [sp, #offset]`
    SaveFloat(Saved),
    /// `str dn, [sp, #-size]!`
    SaveFloatPre(Saved),
    /// `mov x29, sp`
    SetFrame,
    /// `add x29, sp, #offset`
    AddFrame(u16),
    /// An instruction that needs no undoing.
    Nop,
    /// The end; in a prolog, the function's start.
    End,
    /// The end of a piece whose prolog goes on elsewhere; what follows is the other piece's.
    EndChained,
    /// Saved the pair that follows the one saved before.
    SaveNext,
    /// Any register, in the form that needs three bytes.
    SaveAny {
        /// x, d or q.
        kind: RegisterKind,
        /// The first register.
        register: u8,
        /// With the register after it.
        pair: bool,
        /// Whether the stack pointer moved, too: then by `offset`.
        moves_stack: bool,
        /// Where.
        offset: u16,
    },
    /// A trap frame is on the stack.
    TrapFrame,
    /// A machine frame is on the stack.
    MachineFrame,
    /// A context record is on the stack.
    Context,
    /// An emulated x64 context record is on the stack.
    EcContext,
    /// The caller's call-clobbered registers come from a frame that holds them all.
    ClearUnwoundToCall,
    /// `pacibsp`: the link register is signed.
    SignLr,
    /// A code that is reserved; how long it is is known.
    Reserved(u8),
}

/// Where a register is saved, or the first of a pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Saved {
    /// Its number.
    pub register: u8,
    /// Bytes from the stack pointer, or that the stack pointer moves down before.
    pub offset: u16,
}

/// Which registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegisterKind {
    /// x0 to x30.
    Integer,
    /// d0 to d31.
    Double,
    /// q0 to q31.
    Quad,
}

impl UnwindCode {
    /// Whether nothing of the same prolog or epilog follows.
    pub fn is_end(self) -> bool {
        self == Self::End
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

    /// The next code; [`UnwindCode::End`] is given and ends the run, which ends without it only if it is damaged.
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (&first, rest) = self.bytes.split_first()?;
        // Most codes have a byte, nearly all others two: a walk over a stack reads dozens of them for each exception.
        let (code, rest) = match (first, rest) {
            (0..0xC0, _) => (decode_byte(first), rest),
            (0xC8..=0xDE, [second, rest @ ..]) => {
                let word = u32::from(first) << 8 | u32::from(*second);
                (decode_save(first, word), rest)
            }
            (0xE1, _) => (UnwindCode::SetFrame, rest),
            (0xE4, _) => (UnwindCode::End, &[][..]),
            (0xE6, _) => (UnwindCode::SaveNext, rest),
            _ => return self.next_other(first),
        };
        self.bytes = rest;
        Some(Ok(code))
    }
}

impl UnwindCodes<'_> {
    /// The next code, of any length.
    fn next_other(&mut self, first: u8) -> Option<NtResult<UnwindCode>> {
        let Some((code, rest)) = self.bytes.split_at_checked(length_of(first)) else {
            self.bytes = &[];
            return Some(Err(BAD));
        };
        let word = code
            .iter()
            .fold(0, |word, byte| word << 8 | u32::from(*byte));
        let code = decode(first, word);
        self.bytes = match code {
            Ok(code) if !code.is_end() => rest,
            _ => &[],
        };
        Some(code)
    }
}

/// How many bytes a code has, from its first.
fn length_of(first: u8) -> usize {
    match first {
        0xC0..=0xDF | 0xE2 | 0xF8 => 2,
        0xE7 | 0xF9 => 3,
        0xE0 | 0xFA => 4,
        0xFB => 5,
        _ => 1,
    }
}

/// The operands of a code of two bytes: X above the `bits` of Z, both as they stand there.
fn operands(word: u32, x_bits: u32, z_bits: u32) -> (u8, u16) {
    let x = low8(word >> z_bits & ((1 << x_bits) - 1));
    (x, low16(word & ((1 << z_bits) - 1)))
}

/// Decodes a code. Bits in the comments are those of the document: X register, Z offset in eights, S size in sixteens.
fn decode(first: u8, word: u32) -> NtResult<UnwindCode> {
    Ok(match first {
        0x00..=0xBF => decode_byte(first),
        // 11000SSS SSSSSSSS
        0xC0..=0xC7 => UnwindCode::Allocate((word & 0x7FF) * 16),
        0xC8..=0xDE => decode_save(first, word),
        0xE0 => UnwindCode::Allocate((word & 0xFF_FFFF) * 16),
        0xE1 => UnwindCode::SetFrame,
        0xE2 => UnwindCode::AddFrame(low16(word & 0xFF) * 8),
        0xE3 => UnwindCode::Nop,
        0xE4 => UnwindCode::End,
        0xE5 => UnwindCode::EndChained,
        0xE6 => UnwindCode::SaveNext,
        0xE7 => return decode_any(word),
        0xE8 => UnwindCode::TrapFrame,
        0xE9 => UnwindCode::MachineFrame,
        0xEA => UnwindCode::Context,
        0xEB => UnwindCode::EcContext,
        0xEC => UnwindCode::ClearUnwoundToCall,
        0xFC => UnwindCode::SignLr,
        _ => UnwindCode::Reserved(first),
    })
}

/// The codes of one byte below `11...`.
#[inline]
fn decode_byte(code: u8) -> UnwindCode {
    let low6 = u16::from(code & 0x3F);
    match code {
        // 000SSSSS
        0x00..=0x1F => UnwindCode::Allocate(u32::from(code) * 16),
        // 001ZZZZZ
        0x20..=0x3F => UnwindCode::SaveR19R20Pre((low6 & 0x1F) * 8),
        // 01ZZZZZZ
        0x40..=0x7F => UnwindCode::SaveFpLr(low6 * 8),
        // 10ZZZZZZ
        _ => UnwindCode::SaveFpLrPre((low6 + 1) * 8),
    }
}

/// The codes `11001...` to `11011110`, which save registers: x19 and on, d8 and on.
fn decode_save(first: u8, word: u32) -> UnwindCode {
    let offset = |register: u8, (x, z): (u8, u16)| Saved {
        register: register + x,
        offset: z * 8,
    };
    let pre = |register: u8, (x, z): (u8, u16)| Saved {
        register: register + x,
        offset: (z + 1) * 8,
    };
    match first {
        // 110010XX XXZZZZZZ
        0xC8..=0xCB => UnwindCode::SavePair(offset(19, operands(word, 4, 6))),
        // 110011XX XXZZZZZZ
        0xCC..=0xCF => UnwindCode::SavePairPre(pre(19, operands(word, 4, 6))),
        // 110100XX XXZZZZZZ
        0xD0..=0xD3 => UnwindCode::Save(offset(19, operands(word, 4, 6))),
        // 1101010X XXXZZZZZ
        0xD4 | 0xD5 => UnwindCode::SavePre(pre(19, operands(word, 4, 5))),
        // 1101011X XXZZZZZZ, every second register
        0xD6 | 0xD7 => {
            let (x, z) = operands(word, 3, 6);
            UnwindCode::SaveLrPair(offset(19, (x * 2, z)))
        }
        // 1101100X XXZZZZZZ
        0xD8 | 0xD9 => UnwindCode::SaveFloatPair(offset(8, operands(word, 3, 6))),
        // 1101101X XXZZZZZZ
        0xDA | 0xDB => UnwindCode::SaveFloatPairPre(pre(8, operands(word, 3, 6))),
        // 1101110X XXZZZZZZ
        0xDC | 0xDD => UnwindCode::SaveFloat(offset(8, operands(word, 3, 6))),
        // 11011110 XXXZZZZZ
        _ => UnwindCode::SaveFloatPre(pre(8, operands(word, 3, 5))),
    }
}

/// `11100111 0pxrrrrr ffoooooo`: p for a pair, x for a stack pointer that moves, f for the kind.
fn decode_any(word: u32) -> NtResult<UnwindCode> {
    let kind = match word >> 6 & 3 {
        0 => RegisterKind::Integer,
        1 => RegisterKind::Double,
        2 => RegisterKind::Quad,
        _ => return Err(BAD),
    };
    if word >> 15 & 1 != 0 {
        return Err(BAD);
    }
    let (pair, moves_stack) = (word >> 14 & 1 != 0, word >> 13 & 1 != 0);
    let steps = low16(word & 0x3F);
    // The unit is what the instruction's own offset is counted in.
    let unit = if pair || moves_stack || kind == RegisterKind::Quad {
        16
    } else {
        8
    };
    Ok(UnwindCode::SaveAny {
        kind,
        register: low8(word >> 8 & 0x1F),
        pair,
        moves_stack,
        offset: if moves_stack {
            (steps + 1) * unit
        } else {
            steps * unit
        },
    })
}
