//! What a general-protection fault of user mode was: the processor has one code for much that NT tells apart.
//!
//! - An INT that user mode may not use, or means something to the kernel: the error code has the vector.
//! - A selector that is none: the error code has it. NT calls that an access violation at no address.
//! - A privileged instruction: the error code is 0, and only the instruction tells.
//! - An address that is not canonical: the same, and all that is left.

use super::user::UserState;
use crate::contract::{Access, Exception, ExceptionClass, FaultReason, UserState as _, VirtAddr};
use crate::user::copy_in;

/// The vector of the fault.
const VECTOR: u64 = 13;
/// In an error code: it is a vector's descriptor that was refused.
const OF_INTERRUPT: u64 = 1 << 1;
const FAST_FAIL: u64 = 0x29;
const ASSERTION: u64 = 0x2C;
const DEBUG_SERVICE: u64 = 0x2D;
/// Bytes of INT with a number.
const INT_LENGTH: u64 = 2;
/// The longest instruction.
pub(super) const LONGEST: usize = 15;

/// Gives the exception as NT tells them apart. Called with interrupts enabled: the instruction is read from user memory.
#[inline]
pub(super) fn examine(exception: Exception, user: &UserState) -> Exception {
    if exception.syndrome >> 32 != VECTOR {
        return exception;
    }
    look_closer(exception, user)
}

#[cold]
#[inline(never)]
fn look_closer(exception: Exception, user: &UserState) -> Exception {
    let error = exception.syndrome & 0xFFFF_FFFF;
    let class = if error & OF_INTERRUPT != 0 {
        match error >> 3 {
            FAST_FAIL => ExceptionClass::FastFail,
            ASSERTION => ExceptionClass::AssertionFailure,
            DEBUG_SERVICE => return debug_service(exception, user),
            _ => NOWHERE,
        }
    } else if error == 0 && is_privileged(exception.pc) {
        ExceptionClass::PrivilegedInstruction
    } else {
        NOWHERE
    };
    Exception {
        class,
        address: None,
        ..exception
    }
}

/// NT goes on behind the instruction. Behind that it skips the byte that follows as well, if a debugger answers.
fn debug_service(exception: Exception, user: &UserState) -> Exception {
    let behind = VirtAddr(exception.pc.0.wrapping_add(INT_LENGTH));
    user.set_pc(behind);
    Exception {
        class: ExceptionClass::DebugService,
        pc: behind,
        address: None,
        ..exception
    }
}

/// An access to an address that is none.
const NOWHERE: ExceptionClass = ExceptionClass::PageFault {
    access: Access::Read,
    reason: FaultReason::NotMapped,
};

fn is_privileged(pc: VirtAddr) -> bool {
    let mut bytes = [0; LONGEST];
    names_privileged(instruction(&mut bytes, pc))
}

/// The bytes of an instruction, as many as can be read: it may be all that is on its page.
pub(super) fn instruction(bytes: &mut [u8; LONGEST], pc: VirtAddr) -> &[u8] {
    let read = (1..=LONGEST)
        .rev()
        .find(|length| copy_in(&mut bytes[..*length], pc).is_ok());
    bytes.get(..read.unwrap_or(0)).unwrap_or_default()
}

/// Whether an instruction is one that only the kernel may use (SDM volume 3, 5.9, and IN, OUT, CLI, STI without IOPL).
fn names_privileged(bytes: &[u8]) -> bool {
    let is_prefix = |byte: &u8| matches!(byte, 0x26 | 0x2E | 0x36 | 0x3E | 0x64..=0x67 | 0xF0 | 0xF2 | 0xF3 | 0x40..=0x4F);
    let start = bytes
        .iter()
        .position(|byte| !is_prefix(byte))
        .unwrap_or(bytes.len());
    let operation = |modrm: u8| modrm >> 3 & 7;
    match bytes.get(start..).unwrap_or_default() {
        // INS, OUTS; IN, OUT; HLT, CLI, STI.
        [
            0x6C..=0x6F | 0xE4..=0xE7 | 0xEC..=0xEF | 0xF4 | 0xFA | 0xFB,
            ..,
        ] => true,
        // CLTS, SYSRET, INVD, WBINVD; MOV with CR and DR; WRMSR, RDMSR, RDPMC, SYSEXIT.
        [
            0x0F,
            0x06..=0x09 | 0x20..=0x23 | 0x30 | 0x32 | 0x33 | 0x35,
            ..,
        ] => true,
        // LLDT, LTR.
        [0x0F, 0x00, modrm, ..] => matches!(operation(*modrm), 2 | 3),
        // LGDT, LIDT, LMSW, INVLPG, SWAPGS, XSETBV.
        // With a register's modrm 2 and 3 are XGETBV, which is anybody's, and what needs a mode that is off.
        [0x0F, 0x01, 0xD1, ..] => true,
        [0x0F, 0x01, modrm, ..] => match operation(*modrm) {
            2 | 3 => *modrm < 0xC0,
            6 | 7 => true,
            _ => false,
        },
        _ => false,
    }
}
