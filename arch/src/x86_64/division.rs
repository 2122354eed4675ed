//! Whether a division met zero or a quotient that is too large: the processor has one exception for both (#DE), NT two.
//!
//! The divisor is looked at again. Where that cannot be done (its memory is gone meanwhile, or is found by a segment's
//! base), it counts as zero.

use core::sync::atomic::Ordering::Relaxed;

use super::descriptors::USER_CODE_64;
use super::general_protection::{LONGEST, instruction};
use super::user::UserState;
use crate::contract::{Exception, ExceptionClass, VirtAddr};
use crate::user::copy_in;

/// REX.W, .X, .B.
const WIDE: u8 = 8;
const INDEX: u8 = 2;
const BASE: u8 = 1;

/// Gives the exception as NT tells the two apart. Called with interrupts enabled: memory of user mode is read.
pub(super) fn examine(exception: Exception, user: &UserState) -> Exception {
    let mut bytes = [0; LONGEST];
    let bytes = instruction(&mut bytes, exception.pc);
    let class = match divisor(bytes, exception.pc.0, user) {
        Some(divisor) if divisor != 0 => ExceptionClass::IntegerOverflow,
        _ => ExceptionClass::IntegerDivide,
    };
    Exception { class, ..exception }
}

/// The operand of a DIV or IDIV.
fn divisor(bytes: &[u8], pc: u64, user: &UserState) -> Option<u64> {
    let mut at = 0;
    let mut rex = None;
    let mut short = false;
    let is_long = user.runs(USER_CODE_64);
    loop {
        match *bytes.get(at)? {
            0x66 => {
                short = true;
                rex = None;
            }
            0xF2 | 0xF3 | 0x26 | 0x2E | 0x36 | 0x3E => rex = None,
            byte @ 0x40..=0x4F if is_long => rex = Some(byte),
            _ => break,
        }
        at += 1;
    }
    let size = match *bytes.get(at)? {
        0xF6 => 1,
        0xF7 if rex.unwrap_or(0) & WIDE != 0 => 8,
        0xF7 if short => 2,
        0xF7 => 4,
        _ => return None,
    };
    let operand = bytes.get(at + 1..)?;
    let modrm = *operand.first()?;
    if modrm >> 6 == 3 {
        let number = extended(modrm, rex.unwrap_or(0), BASE);
        let value = if size == 1 && rex.is_none() && number >= 4 {
            user.general(number - 4)? >> 8
        } else {
            user.general(number)?
        };
        return Some(value & (u64::MAX >> (64 - 8 * size)));
    }
    if !is_long {
        return None;
    }
    let (offset, length) = address(operand, rex.unwrap_or(0), user)?;
    let place = match offset {
        Place::At(address) => address,
        Place::Behind(offset) => pc
            .wrapping_add((at + 1 + length) as u64)
            .wrapping_add(offset),
    };
    let mut value = [0; 8];
    copy_in(value.get_mut(..size)?, VirtAddr(place)).ok()?;
    Some(u64::from_le_bytes(value))
}

/// Where an operand in memory is.
enum Place {
    At(u64),
    /// So far behind the instruction.
    Behind(u64),
}

/// The address that ModRM, SIB and displacement say, and their length. The instruction has no more behind them.
fn address(operand: &[u8], rex: u8, user: &UserState) -> Option<(Place, usize)> {
    let modrm = *operand.first()?;
    let mode = modrm >> 6;
    let mut length = 1;
    let base = if modrm & 7 == 4 {
        let sib = *operand.get(1)?;
        length = 2;
        let index = match extended(sib >> 3, rex, INDEX) {
            4 => 0,
            number => user.general(number)? << (sib >> 6),
        };
        let base = if sib & 7 == 5 && mode == 0 {
            None
        } else {
            Some(user.general(extended(sib, rex, BASE))?)
        };
        if base.is_none() {
            let displacement = word(operand.get(length..)?)?;
            return Some((Place::At(index.wrapping_add(displacement)), length + 4));
        }
        index.wrapping_add(base.unwrap_or(0))
    } else if modrm & 7 == 5 && mode == 0 {
        return Some((Place::Behind(word(operand.get(length..)?)?), length + 4));
    } else {
        user.general(extended(modrm, rex, BASE))?
    };
    let (displacement, bytes) = match mode {
        1 => (
            i64::from(operand.get(length)?.cast_signed()).cast_unsigned(),
            1,
        ),
        2 => (word(operand.get(length..)?)?, 4),
        _ => (0, 0),
    };
    Some((Place::At(base.wrapping_add(displacement)), length + bytes))
}

/// A register's number: three bits, and the one that REX may add.
const fn extended(low: u8, rex: u8, bit: u8) -> u8 {
    low & 7 | if rex & bit != 0 { 8 } else { 0 }
}

/// A displacement of 32 bits.
fn word(bytes: &[u8]) -> Option<u64> {
    let (word, _) = bytes.split_first_chunk()?;
    Some(i64::from(i32::from_le_bytes(*word)).cast_unsigned())
}

impl UserState {
    /// Whether it is in code of that selector.
    pub(super) fn runs(&self, code: u16) -> bool {
        self.cs.load(Relaxed) == u64::from(code)
    }

    /// A general register by the processor's number.
    fn general(&self, number: u8) -> Option<u64> {
        let register = [
            &self.rax, &self.rcx, &self.rdx, &self.rbx, &self.rsp, &self.rbp, &self.rsi, &self.rdi,
            &self.r8, &self.r9, &self.r10, &self.r11, &self.r12, &self.r13, &self.r14, &self.r15,
        ]
        .get(usize::from(number))
        .copied()?;
        Some(register.load(Relaxed))
    }
}
