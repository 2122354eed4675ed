//! Which bug check a kernel-mode exception is.
//!
//! Nothing handles exceptions in kernel mode but copies from and to user memory, whose page faults the floor deals with; any
//! other stops the machine, with the code and parameters that Windows gives.

use arch::TrapFrame;
use arch::contract::{Access, Exception, ExceptionClass, FaultReason, Irql, Registers, VirtAddr};
use nt_abi::{BugCheckCode, NtStatus};

use crate::{bug_check, irql};

/// x86's numbers for traps that `UNEXPECTED_KERNEL_MODE_TRAP` names in its first parameter, on every machine.
mod trap {
    pub(super) const DIVIDE_ERROR: u64 = 0;
    pub(super) const OVERFLOW: u64 = 4;
    pub(super) const BOUNDS: u64 = 5;
    pub(super) const NO_MATH_UNIT: u64 = 7;
    pub(super) const DOUBLE_FAULT: u64 = 8;
}

/// An exception came from the floor. Returns only for one that somebody handles: today nobody does.
pub(crate) fn dispatch(exception: &Exception, frame: &mut TrapFrame) {
    let (code, parameters) = classify(exception, frame.sp().0, irql::current());
    bug_check::stop_with_frame(code, parameters, exception, frame)
}

/// Who resolves page faults of copies from and to user memory: the memory manager, registered from above.
static PAGER: spin::Once<fn(VirtAddr, Access) -> bool> = spin::Once::new();

/// Names the routine that resolves page faults of user addresses; true from it means that the access can be tried again.
/// The first call counts.
pub fn set_pager(resolve: fn(VirtAddr, Access) -> bool) {
    PAGER.call_once(|| resolve);
}

/// A copy from or to user memory met a page fault.
pub(crate) fn user_page_fault(address: VirtAddr, access: Access) -> bool {
    PAGER.get().is_some_and(|resolve| resolve(address, access))
}

/// The code and parameters for an exception.
fn classify(exception: &Exception, sp: u64, level: Irql) -> (BugCheckCode, [u64; 4]) {
    let pc = exception.pc.0;
    let address = exception.address.map_or(0, |address| address.0);
    let unhandled = |status: NtStatus| {
        (
            BugCheckCode::KMODE_EXCEPTION_NOT_HANDLED,
            [u64::from(status.0), pc, exception.syndrome, address],
        )
    };
    let unexpected = |number| {
        (
            BugCheckCode::UNEXPECTED_KERNEL_MODE_TRAP,
            [number, address, sp, pc],
        )
    };
    match exception.class {
        ExceptionClass::PageFault { access, reason } => {
            page_fault(access, reason, address, pc, level)
        }
        ExceptionClass::StackOverflow | ExceptionClass::DoubleFault => {
            unexpected(trap::DOUBLE_FAULT)
        }
        ExceptionClass::IntegerDivide => unexpected(trap::DIVIDE_ERROR),
        ExceptionClass::IntegerOverflow => unexpected(trap::OVERFLOW),
        ExceptionClass::BoundRangeExceeded => unexpected(trap::BOUNDS),
        ExceptionClass::FloatingPointUnavailable => unexpected(trap::NO_MATH_UNIT),
        ExceptionClass::IllegalInstruction => unhandled(NtStatus::ILLEGAL_INSTRUCTION),
        ExceptionClass::PrivilegedInstruction => unhandled(NtStatus::PRIVILEGED_INSTRUCTION),
        ExceptionClass::Breakpoint | ExceptionClass::DebugService => {
            unhandled(NtStatus::BREAKPOINT)
        }
        ExceptionClass::FastFail => unhandled(NtStatus::STACK_BUFFER_OVERRUN),
        ExceptionClass::AssertionFailure => unhandled(NtStatus::ASSERTION_FAILURE),
        ExceptionClass::DebugTrap => unhandled(NtStatus::SINGLE_STEP),
        ExceptionClass::Misaligned
        | ExceptionClass::MisalignedPc
        | ExceptionClass::MisalignedStack => unhandled(NtStatus::DATATYPE_MISALIGNMENT),
        ExceptionClass::FloatingPoint(_) => unhandled(NtStatus::FLOAT_INVALID_OPERATION),
        ExceptionClass::Other => unhandled(NtStatus::UNSUCCESSFUL),
        ExceptionClass::BusError | ExceptionClass::MachineCheck => (
            BugCheckCode::MACHINE_CHECK_EXCEPTION,
            [exception.syndrome, address, pc, 0],
        ),
        ExceptionClass::NonMaskableInterrupt => (BugCheckCode::NMI_HARDWARE_FAILURE, [0; 4]),
    }
}

fn page_fault(
    access: Access,
    reason: FaultReason,
    address: u64,
    pc: u64,
    level: Irql,
) -> (BugCheckCode, [u64; 4]) {
    let may_wait = level < Irql::Dispatch;
    match (access, reason) {
        // A page of a process that was to be copied when it is written: it cannot be, so it is as one that is not there.
        (Access::Write, FaultReason::Permission) if !may_wait && is_user_half(address) => {
            at_dispatch(access, address, pc, level)
        }
        (Access::Write, FaultReason::Permission) => (
            BugCheckCode::ATTEMPTED_WRITE_TO_READONLY_MEMORY,
            [address, 0, pc, 0],
        ),
        (Access::Execute, FaultReason::Permission) => (
            BugCheckCode::ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY,
            [address, 0, pc, 0],
        ),
        _ if !may_wait => at_dispatch(access, address, pc, level),
        _ if is_user_half(address) => (
            BugCheckCode::KMODE_EXCEPTION_NOT_HANDLED,
            [
                u64::from(NtStatus::ACCESS_VIOLATION.0),
                pc,
                exception_information(access),
                address,
            ],
        ),
        _ => {
            let operation = match access {
                Access::Read => 0,
                Access::Write => 2,
                Access::Execute => 16,
            };
            (
                BugCheckCode::PAGE_FAULT_IN_NONPAGED_AREA,
                [address, operation, pc, 0],
            )
        }
    }
}

/// Memory that is not there was touched where nothing can wait for it.
fn at_dispatch(access: Access, address: u64, pc: u64, level: Irql) -> (BugCheckCode, [u64; 4]) {
    (
        BugCheckCode::IRQL_NOT_LESS_OR_EQUAL,
        [
            address,
            u64::from(level.level()),
            exception_information(access),
            pc,
        ],
    )
}

/// The first `ExceptionInformation` of an access violation: 0 read, 1 write, 8 execute.
const fn exception_information(access: Access) -> u64 {
    match access {
        Access::Read => 0,
        Access::Write => 1,
        Access::Execute => 8,
    }
}

const fn is_user_half(address: u64) -> bool {
    address < 1 << 63
}

#[cfg(test)]
mod tests {
    use arch::contract::VirtAddr;

    use super::*;

    fn classified(class: ExceptionClass, address: u64, level: Irql) -> (BugCheckCode, [u64; 4]) {
        let exception = Exception {
            class,
            pc: VirtAddr(0x1234),
            address: Some(VirtAddr(address)),
            syndrome: 0x99,
            from_user: false,
        };
        classify(&exception, 0x5678, level)
    }

    // Expectations: the driver documentation's "Bug check code reference".
    #[test]
    fn page_faults_get_windows_codes() {
        let fault = |access, reason| ExceptionClass::PageFault { access, reason };
        let kernel = 0xFFFF_9000_0000_0000;
        let passive = Irql::Passive;
        let not_mapped = FaultReason::NotMapped;
        assert_eq!(
            classified(fault(Access::Read, not_mapped), kernel, passive),
            (BugCheckCode(0x50), [kernel, 0, 0x1234, 0])
        );
        assert_eq!(
            classified(fault(Access::Write, not_mapped), kernel, passive),
            (BugCheckCode(0x50), [kernel, 2, 0x1234, 0])
        );
        assert_eq!(
            classified(fault(Access::Read, not_mapped), 0x10, passive),
            (BugCheckCode(0x1E), [0xC000_0005, 0x1234, 0, 0x10])
        );
        assert_eq!(
            classified(fault(Access::Write, not_mapped), 0x10, Irql::Dispatch),
            (BugCheckCode(0xA), [0x10, 2, 1, 0x1234])
        );
        // A page of a process that is shown without the right to write may be one that is copied when it is written.
        let permission = FaultReason::Permission;
        assert_eq!(
            classified(fault(Access::Write, permission), 0x10, Irql::Dispatch),
            (BugCheckCode(0xA), [0x10, 2, 1, 0x1234])
        );
        let code = |access, address, level| classified(fault(access, permission), address, level).0;
        assert_eq!(code(Access::Write, 0x10, passive), BugCheckCode(0xBE));
        assert_eq!(
            code(Access::Write, kernel, Irql::Dispatch),
            BugCheckCode(0xBE)
        );
        assert_eq!(
            code(Access::Execute, 0x10, Irql::Dispatch),
            BugCheckCode(0xFC)
        );
        assert_eq!(
            classified(
                fault(Access::Write, FaultReason::Permission),
                kernel,
                passive
            )
            .0,
            BugCheckCode(0xBE)
        );
        assert_eq!(
            classified(
                fault(Access::Execute, FaultReason::Permission),
                kernel,
                passive
            )
            .0,
            BugCheckCode(0xFC)
        );
    }

    #[test]
    fn traps_get_windows_codes() {
        let code = |class| classified(class, 0, Irql::Passive);
        assert_eq!(
            code(ExceptionClass::DoubleFault),
            (BugCheckCode(0x7F), [8, 0, 0x5678, 0x1234])
        );
        assert_eq!(
            code(ExceptionClass::StackOverflow),
            (BugCheckCode(0x7F), [8, 0, 0x5678, 0x1234])
        );
        assert_eq!(code(ExceptionClass::IntegerDivide).1[0], 0);
        assert_eq!(code(ExceptionClass::IllegalInstruction).1[0], 0xC000_001D);
        assert_eq!(code(ExceptionClass::Breakpoint).1[0], 0x8000_0003);
        assert_eq!(code(ExceptionClass::MachineCheck).0, BugCheckCode(0x9C));
    }
}
