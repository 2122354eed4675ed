//! Which floating-point exception of user mode it was: #MF and #XM leave that to the units' own status.
//!
//! The thread's registers are in the processor, since the kernel uses neither unit; that it may have been switched away
//! from meanwhile changes nothing. Of several that are reported at once NT names the first of a fixed order.

use core::arch::asm;

use super::descriptors::USER_CODE_32;
use super::user::UserState;
use crate::contract::{Exception, ExceptionClass, FloatingPointTrap};

/// #MF, of x87.
const X87: u64 = 16;
/// IE, DE, ZE, OE, UE, PE: the same bits in x87's status and control words and, twice, in MXCSR.
const EXCEPTIONS: u32 = 0x3F;
/// Of x87's status word: the invalid operation was one on its register stack.
const STACK_FAULT: u32 = 1 << 6;
/// Where MXCSR has its masks.
const MXCSR_MASKS: u32 = 7;

/// Gives the exception with what was trapped.
pub(super) fn examine(exception: Exception, user: &UserState) -> Exception {
    let trap = if exception.syndrome >> 32 == X87 {
        x87()
    } else if user.runs(USER_CODE_32) {
        // As NT has it: 32-bit code is not told.
        FloatingPointTrap::Unknown
    } else {
        let mxcsr = mxcsr();
        first(mxcsr & !(mxcsr >> MXCSR_MASKS), false)
    };
    Exception {
        class: ExceptionClass::FloatingPoint(trap),
        ..exception
    }
}

fn x87() -> FloatingPointTrap {
    let mut control = 0_u16;
    let status: u16;
    // SAFETY: both read the unit's registers without waiting for it, so nothing is reported here.
    unsafe {
        asm!("fnstcw [{}]", "fnstsw ax", in(reg) &raw mut control, out("ax") status, options(nostack, preserves_flags));
    }
    let (control, status) = (u32::from(control), u32::from(status));
    first(status & !control, status & STACK_FAULT != 0)
}

fn mxcsr() -> u32 {
    let mut value = 0_u32;
    // SAFETY: reads a register of user mode's.
    unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut value, options(nostack, preserves_flags)) };
    value
}

/// The first of those that are reported and not masked.
const fn first(reported: u32, stack_fault: bool) -> FloatingPointTrap {
    match (reported & EXCEPTIONS).trailing_zeros() {
        0 if stack_fault => FloatingPointTrap::StackCheck,
        0 => FloatingPointTrap::InvalidOperation,
        // A division by zero counts before a denormal operand.
        1 if reported & 1 << 2 == 0 => FloatingPointTrap::DenormalOperand,
        1 | 2 => FloatingPointTrap::DivideByZero,
        3 => FloatingPointTrap::Overflow,
        4 => FloatingPointTrap::Underflow,
        5 => FloatingPointTrap::Inexact,
        _ => FloatingPointTrap::Unknown,
    }
}
