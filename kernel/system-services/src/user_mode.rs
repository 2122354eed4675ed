//! The life of a thread of a process.
//!
//! It runs user mode, which comes back when it wants something: a service, the
//! resolution of an exception, or nothing but attention (an APC, its own end). Here
//! is also the place where memory's faults of user mode end up.

use core::mem::offset_of;
use core::sync::atomic::Ordering;

use arch::Machine;
use arch::contract::{
    Access, Exception, ExceptionClass, Threads, UserContext as _, UserExit, UserState as _,
    VirtAddr,
};
use arch::thread::UserState;
use ke::apc;
use mm::{AddressSpace, CurrentProcess, FaultOutcome, UserStack};
use nt_abi::exception::ExceptionFlags;
use nt_abi::w64::{NtTib, Teb};
use nt_abi::{NtResult, NtStatus};
use ob::Object;
use ps::Thread;
use ps::thread::ATTENTION_END;
use zerocopy::IntoBytes as _;

use crate::exceptions::Raised;
use crate::{Caller, Trace, dispatch, exceptions, trace, user_apcs};

/// What the attention of a thread can be wanted for.
const KNOWN: u32 = ATTENTION_END | apc::ATTENTION_USER_APC | apc::ATTENTION_SPECIAL_USER_APC;

/// Names this loop to those who start threads and resolve faults.
pub(crate) fn initialize(trace: Trace) {
    ps::thread::set_user_mode(match trace {
        Trace::Off => run::<false>,
        Trace::On => run::<true>,
    });
    mm::set_current_process(CurrentProcess {
        space: current_space,
        stack: || Thread::current().and_then(|thread| stack_of(&thread)),
        set_stack_limit: |limit| {
            if let Some(thread) = Thread::current() {
                set_stack_limit(&thread, limit);
            }
        },
    });
}

/// The address space that the calling thread uses.
fn current_space() -> Option<&'static AddressSpace> {
    let process = ke::thread::try_current()?.effective_process()?;
    mm::address_space::by_number(process.memory())
}

/// Runs a thread's user mode to its end; gives what it ends with.
///
/// There are two of it, so that calls that are not traced pay nothing for those that are.
fn run<const TRACED: bool>(thread: &Object<Thread>) -> NtStatus {
    let scheduled = thread.scheduled();
    let context = scheduled.context();
    let user = scheduled.user();
    let caller = Caller::new(thread);
    if let Err(status) = enter_loader(thread) {
        return status;
    }
    loop {
        match context.run_user() {
            UserExit::SystemCall(number) => {
                let status = if TRACED {
                    trace::call(&caller, number, user)
                } else {
                    dispatch::call(&caller, number, user)
                };
                if !caller.take_registers_set() {
                    user.set_result(u64::from(status.0));
                }
            }
            UserExit::Exception(exception) => {
                meet(thread, exception);
            }
            UserExit::Interrupted => {
                let attention = user.attention();
                let wanted = attention.load(Ordering::Relaxed);
                if wanted & ATTENTION_END != 0 || thread.process().is_ending() {
                    return ending_status(thread);
                }
                if wanted & !KNOWN != 0 {
                    // Nobody here knows what for; it must not keep the thread from user mode for ever.
                    attention.fetch_and(KNOWN, Ordering::Relaxed);
                }
                user_apcs::deliver(thread);
            }
        }
    }
}

/// Makes a thread begin in `LdrInitializeThunk`, which gets ntdll's base and the registers to go on with: those that the
/// thread was made with. A program without ntdll begins with them at once.
///
/// # NT
/// The user APC that `PspUserThreadStartup` queues.
fn enter_loader(thread: &Thread) -> NtResult {
    let (loader, system_dll) = thread
        .process()
        .look_at_image(|image| (image.routines.loader, image.system_dll))
        .unwrap_or_default();
    if loader == 0 {
        return Ok(());
    }
    /// A called function may store four arguments above its return address.
    const HOME: u64 = 0x20;
    let user = thread.scheduled().user();
    let context = exceptions::registers(user);
    let place = exceptions::put_below(UserState::context_sp(&context), context.as_bytes())
        .ok_or(NtStatus::STACK_OVERFLOW)?;
    user.set_argument(0, place);
    user.set_argument(1, system_dll);
    user.set_pc(VirtAddr(loader));
    user.set_sp(VirtAddr(place - HOME - UserState::RETURN_ADDRESS_BYTES));
    Ok(())
}

/// What a thread that is made to end ends with.
fn ending_status(thread: &Thread) -> NtStatus {
    match thread.exit_status() {
        NtStatus::PENDING => thread.process().exit_status(),
        status => status,
    }
}

/// An exception is resolved, or user mode gets it.
fn meet(thread: &Object<Thread>, exception: Exception) {
    let user = thread.scheduled().user();
    let exception = <Machine as Threads>::examine(exception, user);
    if exception.class == ExceptionClass::FastFail {
        let mut record = Raised::fast_fail(user.fast_fail_code()).record(&exception);
        record.exception_flags |= ExceptionFlags::NONCONTINUABLE;
        exceptions::dispatch(thread, &record, false);
    } else if exception.class == ExceptionClass::DebugService {
        let record = Raised::debug_service(user.debug_service_code()).record(&exception);
        exceptions::dispatch(thread, &record, true);
    } else if let Err(raised) = resolve(thread, &exception) {
        exceptions::dispatch(thread, &raised.record(&exception), true);
    }
}

/// Does what makes the instruction that met an exception succeed the next time.
///
/// # Errors
/// The exception that user mode gets.
fn resolve(thread: &Thread, exception: &Exception) -> Result<(), Raised> {
    match exception.class {
        ExceptionClass::PageFault { access, .. } => match exception.address {
            Some(address) => page_fault(thread, address, access),
            None => Err(Raised::access_violation(access, u64::MAX)),
        },
        _ => Err(Raised::by_instruction(exception)),
    }
}

fn page_fault(thread: &Thread, address: VirtAddr, access: Access) -> Result<(), Raised> {
    let space = thread.process().space();
    let outcome = mm::resolve(space, address, access, &|| stack_of(thread));
    match outcome {
        FaultOutcome::Resolved => Ok(()),
        FaultOutcome::StackGrown { limit } => {
            set_stack_limit(thread, limit);
            Ok(())
        }
        FaultOutcome::StackOverflow { limit } => {
            set_stack_limit(thread, limit);
            Err(Raised::of_access(
                NtStatus::STACK_OVERFLOW,
                access,
                address.0,
            ))
        }
        FaultOutcome::Failed(status) => Err(Raised::of_access(status, access, address.0)),
        FaultOutcome::InPageError(status) => Err(Raised::in_page_error(access, address.0, status)),
    }
}

/// The stack that a thread says it is on; a fiber's may be another than the one it was made with.
fn stack_of(thread: &Thread) -> Option<UserStack> {
    let read = |offset: usize| {
        let mut bytes = [0; 8];
        let read = thread
            .process()
            .space()
            .read(thread.teb().checked_add(offset as u64)?, &mut bytes);
        (read.status == NtStatus::SUCCESS).then(|| u64::from_le_bytes(bytes))
    };
    Some(UserStack {
        base: read(offset_of!(NtTib, stack_base))?,
        deallocation_base: read(offset_of!(Teb, deallocation_stack))?,
        guaranteed: read(offset_of!(Teb, guaranteed_stack_bytes))? & 0xFFFF_FFFF,
    })
}

fn set_stack_limit(thread: &Thread, limit: u64) {
    let place = thread.teb() + offset_of!(NtTib, stack_limit) as u64;
    // A program can make its TEB neither unreadable nor nobody's: a failure is that of a frame, and the next growth tells.
    let _ = thread.process().space().write(place, &limit.to_le_bytes());
}
