//! Where the kernel enters a program by itself: a thread's beginning, a user APC, an exception.
//!
//! These are ntdll's exports of the same names, as far as a program without a loader needs them. An exception goes to
//! the one handler that the program has set ([`set_exception_handler`]); if that does not take it, or there is none, the
//! kernel hears that nobody handled it.

use core::sync::atomic::{AtomicUsize, Ordering};

use nt_abi::NtStatus;
use nt_abi::services::arguments::Handle;
use nt_abi::w64::ExceptionRecord;

use stubs::Context;
use stubs::NtTerminateThread;

/// What a handler says of an exception.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disposition {
    /// The thread goes on with the registers in the context, as the handler left them.
    Continue,
    /// Nobody handles it.
    Unhandled,
}

/// Looks at an exception of the calling thread.
pub type ExceptionHandler = fn(record: &ExceptionRecord, context: &mut Context) -> Disposition;

static HANDLER: AtomicUsize = AtomicUsize::new(0);

/// Sets who looks at the exceptions of all threads.
pub fn set_exception_handler(handler: ExceptionHandler) {
    HANDLER.store(handler as usize, Ordering::Release);
}

/// Called by `KiUserExceptionDispatcher`: 1 to go on with the context, 0 if nobody handled it.
pub(crate) extern "C" fn handle_exception(record: &ExceptionRecord, context: &mut Context) -> u32 {
    let handler = HANDLER.load(Ordering::Acquire);
    if handler == 0 {
        return 0;
    }
    // SAFETY: only `set_exception_handler` stores there, and it stores such a function.
    let handler: ExceptionHandler = unsafe { core::mem::transmute(handler) };
    u32::from(handler(record, context) == Disposition::Continue)
}

/// A thread's routine: what it returns is what the thread ends with.
pub type ThreadRoutine = extern "C" fn(argument: u64) -> u32;

/// Where every thread begins.
// SAFETY: the name is NT's, and nothing else in a program for this kernel has it.
#[unsafe(no_mangle)]
extern "C" fn RtlUserThreadStart(routine: ThreadRoutine, argument: u64) -> ! {
    let status = routine(argument);
    loop {
        // SAFETY: no argument is a pointer. The thread ends; nothing of its stack is used again.
        let refused = unsafe { NtTerminateThread(Handle::CURRENT_THREAD, NtStatus(status)) };
        core::hint::black_box(refused);
    }
}

/// Calls an address, good or bad, as a routine of a thread.
pub fn jump(address: u64) -> u32 {
    // SAFETY: a test's address that cannot be run: the exception goes to its handler. There is no other use.
    let routine: ThreadRoutine = unsafe { core::mem::transmute(address as usize) };
    routine(0)
}
