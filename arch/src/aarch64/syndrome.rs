//! ESR_EL1, read: exception classes and fault status codes (Arm ARM, D24.2.40).

use crate::contract::{Access, ExceptionClass, FaultReason, FloatingPointTrap};

const fn exception_class(esr: u64) -> u64 {
    esr >> 26 & 0x3F
}

/// Whether it is SVC, of either instruction set: classes 0x11 and 0x15.
#[inline]
pub(super) const fn is_system_call(esr: u64) -> bool {
    exception_class(esr) & !4 == 0x11
}

/// Whether the exception set FAR_EL1.
pub(super) const fn has_address(esr: u64) -> bool {
    match exception_class(esr) {
        0x22 | 0x34 | 0x35 => true,
        // FnV: an external abort that does not know its address.
        0x20 | 0x21 | 0x24 | 0x25 => esr & 1 << 10 == 0,
        _ => false,
    }
}

/// The class of a synchronous exception.
pub(super) const fn class(esr: u64) -> ExceptionClass {
    match exception_class(esr) {
        0x00 | 0x0A | 0x0E => ExceptionClass::IllegalInstruction,
        // WFI, CP14, CP15 and system registers, where a control bit traps them.
        0x01 | 0x03..=0x06 | 0x08 | 0x0C | 0x18 => ExceptionClass::PrivilegedInstruction,
        // SIMD; SVE; SME.
        0x07 | 0x19 | 0x1D => ExceptionClass::FloatingPointUnavailable,
        0x20 | 0x21 => abort(esr, Access::Execute),
        0x22 => ExceptionClass::MisalignedPc,
        0x24 | 0x25 => abort(esr, data_access(esr)),
        0x26 => ExceptionClass::MisalignedStack,
        0x28 | 0x2C => ExceptionClass::FloatingPoint(floating_point(esr)),
        0x2F => ExceptionClass::MachineCheck,
        0x30..=0x35 | 0x3A => ExceptionClass::DebugTrap,
        0x38 => ExceptionClass::Breakpoint,
        0x3C => breakpoint(esr & 0xFFFF),
        // Among them branch target (0x0D) and pointer authentication (0x1C) failures, and SVC from EL1.
        _ => ExceptionClass::Other,
    }
}

/// What was trapped, if the processor says so (TFV): IOF, DZF, OFF, UFF, IXF, IDF. No processor that this kernel has met
/// can trap them; on others they stay flags.
const fn floating_point(esr: u64) -> FloatingPointTrap {
    if esr & 1 << 23 == 0 {
        return FloatingPointTrap::Unknown;
    }
    if esr & 1 << 0 != 0 {
        FloatingPointTrap::InvalidOperation
    } else if esr & 1 << 1 != 0 {
        FloatingPointTrap::DivideByZero
    } else if esr & 1 << 7 != 0 {
        FloatingPointTrap::DenormalOperand
    } else if esr & 1 << 2 != 0 {
        FloatingPointTrap::Overflow
    } else if esr & 1 << 3 != 0 {
        FloatingPointTrap::Underflow
    } else if esr & 1 << 4 != 0 {
        FloatingPointTrap::Inexact
    } else {
        FloatingPointTrap::Unknown
    }
}

/// Whether the exception is that of a software step.
pub(super) const fn is_step(esr: u64) -> bool {
    exception_class(esr) == 0x32
}

/// What BRK means by its number: Windows' ABI for ARM64.
const fn breakpoint(number: u64) -> ExceptionClass {
    match number {
        0xF001 => ExceptionClass::AssertionFailure,
        0xF003 => ExceptionClass::FastFail,
        0xF004 => ExceptionClass::IntegerDivide,
        _ => ExceptionClass::Breakpoint,
    }
}

/// WnR; a cache maintenance instruction (CM) always sets it, but what it lacks is a readable translation.
const fn data_access(esr: u64) -> Access {
    if esr & 1 << 6 != 0 && esr & 1 << 8 == 0 {
        Access::Write
    } else {
        Access::Read
    }
}

const fn abort(esr: u64, access: Access) -> ExceptionClass {
    match esr & 0x3F {
        // Translation; access flag, which the kernel sets in every entry.
        0x04..=0x0B => ExceptionClass::PageFault {
            access,
            reason: FaultReason::NotMapped,
        },
        0x0C..=0x0F => ExceptionClass::PageFault {
            access,
            reason: FaultReason::Permission,
        },
        // An output address beyond the machine's; external aborts, on the access and on the walk.
        0x00..=0x03 | 0x10 | 0x13..=0x17 => ExceptionClass::BusError,
        0x21 => ExceptionClass::Misaligned,
        // Parity and ECC; TLB conflict.
        0x18 | 0x1B..=0x1F | 0x30 => ExceptionClass::MachineCheck,
        _ => ExceptionClass::Other,
    }
}
