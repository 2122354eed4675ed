//! The life of a thread of a process.
//!
//! It runs user mode, which comes back when it wants something: a service, the
//! resolution of an exception, or nothing but attention (an APC, its own end). Here
//! is also the place where memory's faults of user mode end up.

use arch::contract::{Access, Exception, ExceptionClass, UserExit, UserState as _, VirtAddr};
use core::sync::atomic::Ordering;
use ke::apc;
use mm::{AddressSpace, CurrentProcess, FaultOutcome, UserStack};
use nt_abi::NtStatus;
use nt_abi::services::number;
use ob::Object;
use ps::Thread;
use ps::thread::ATTENTION_END;

use crate::{Caller, dispatch};

/// Names this loop to those who start threads and resolve faults.
pub(crate) fn initialize() {
    ps::thread::set_user_mode(run);
    mm::set_current_process(CurrentProcess {
        space: current_space,
        stack: || None,
        set_stack_limit: |_| (),
    });
}

/// The address space that the calling thread uses.
fn current_space() -> Option<&'static AddressSpace> {
    let process = ke::thread::try_current()?.effective_process()?;
    mm::address_space::by_number(process.memory())
}

/// Runs a thread's user mode to its end; gives what it ends with.
fn run(thread: &Object<Thread>) -> NtStatus {
    let scheduled = thread.scheduled();
    let context = scheduled.context();
    let user = scheduled.user();
    let caller = Caller { thread };
    context.become_user_thread();
    loop {
        match context.run_user() {
            UserExit::SystemCall(number) => {
                let status = dispatch::call(&caller, number, user);
                // A service that sets all registers has set this one too.
                if number != u32::from(number::NtContinue) {
                    user.set_result(u64::from(status.0));
                }
            }
            UserExit::Exception(exception) => {
                if let Err(status) = resolve(&exception) {
                    return unhandled(thread, &exception, status);
                }
            }
            UserExit::Interrupted => {
                let wanted = user.attention().load(Ordering::Relaxed);
                if wanted & ATTENTION_END != 0 || thread.process().is_ending() {
                    return ending_status(thread);
                }
                if wanted & apc::ATTENTION_USER_APC != 0 {
                    // There is no dispatcher in user mode yet that could run it.
                    while apc::take_user_apc().is_some() {}
                }
            }
        }
    }
}

/// What a thread that is made to end ends with.
fn ending_status(thread: &Thread) -> NtStatus {
    match thread.exit_status() {
        NtStatus::PENDING => thread.process().exit_status(),
        status => status,
    }
}

/// Does what makes the instruction that met an exception succeed the next time.
///
/// # Errors
/// The status of the exception that user mode gets.
fn resolve(exception: &Exception) -> Result<(), NtStatus> {
    let unresolved = match exception.class {
        ExceptionClass::PageFault { access, .. } => {
            return page_fault(exception.address, access);
        }
        ExceptionClass::IllegalInstruction => NtStatus::ILLEGAL_INSTRUCTION,
        ExceptionClass::PrivilegedInstruction => NtStatus::PRIVILEGED_INSTRUCTION,
        ExceptionClass::IntegerDivide => NtStatus::INTEGER_DIVIDE_BY_ZERO,
        ExceptionClass::IntegerOverflow => NtStatus::INTEGER_OVERFLOW,
        ExceptionClass::BoundRangeExceeded => NtStatus::ARRAY_BOUNDS_EXCEEDED,
        ExceptionClass::Breakpoint => NtStatus::BREAKPOINT,
        ExceptionClass::DebugTrap => NtStatus::SINGLE_STEP,
        ExceptionClass::Misaligned
        | ExceptionClass::MisalignedPc
        | ExceptionClass::MisalignedStack => NtStatus::DATATYPE_MISALIGNMENT,
        ExceptionClass::FloatingPoint => NtStatus::FLOAT_INVALID_OPERATION,
        ExceptionClass::StackOverflow => NtStatus::STACK_OVERFLOW,
        _ => NtStatus::ACCESS_VIOLATION,
    };
    Err(unresolved)
}

fn page_fault(address: Option<VirtAddr>, access: Access) -> Result<(), NtStatus> {
    let Some((address, space)) = address.zip(current_space()) else {
        return Err(NtStatus::ACCESS_VIOLATION);
    };
    let no_stack = || -> Option<UserStack> { None };
    match mm::resolve(space, address, access, &no_stack) {
        FaultOutcome::Resolved | FaultOutcome::StackGrown { .. } => Ok(()),
        FaultOutcome::StackOverflow { .. } => Err(NtStatus::STACK_OVERFLOW),
        FaultOutcome::Failed(status) => Err(status),
        FaultOutcome::InPageError(_) => Err(NtStatus::IN_PAGE_ERROR),
    }
}

/// An exception that nobody handles ends the process; a line on the console says where it came from.
fn unhandled(thread: &Object<Thread>, exception: &Exception, status: NtStatus) -> NtStatus {
    let at = exception.address.map_or(0, |VirtAddr(address)| address);
    ke::warning!(
        "process {}: {status} at {:#x}, address {at:#x}",
        thread.process().id(),
        exception.pc.0
    );
    ps::thread::end_process(thread.process(), status);
    status
}
