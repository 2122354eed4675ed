//! Threads of a test program.

pub use flat_program::dispatchers::{Disposition, ThreadRoutine, jump, set_exception_handler};
pub use flat_program::{first_argument, full, set_first_argument, set_pc};
use nt_abi::NtStatus;
use nt_abi::access::AccessMask;
use nt_abi::services::arguments::UserAddress;
pub use stubs::{Context, teb};

use crate::check::{Failed, Outcome};
use crate::services::{
    CURRENT_PROCESS, NULL, NtClose, NtCreateThreadEx, NtTerminateThread, NtWaitForSingleObject,
};
use crate::status;

/// `THREAD_CREATE_FLAGS_CREATE_SUSPENDED`.
pub const SUSPENDED: u32 = 1;

/// The address of a function, as services take it.
pub fn address(routine: ThreadRoutine) -> UserAddress {
    UserAddress(routine as usize as u64)
}

/// Starts a thread of this process; gives its handle.
///
/// # Errors
/// If it cannot be made.
pub fn spawn_with(routine: ThreadRoutine, argument: u64, flags: u32) -> Result<u64, Failed> {
    let mut handle = 0u64;
    status!(NtCreateThreadEx(
        &mut handle,
        AccessMask::THREAD_ALL_ACCESS,
        NULL,
        CURRENT_PROCESS,
        address(routine),
        argument,
        flags,
        0u64,
        0u64,
        0u64,
        NULL
    ));
    Ok(handle)
}

/// Starts a thread of this process; gives its handle.
///
/// # Errors
/// If it cannot be made.
pub fn spawn(routine: ThreadRoutine, argument: u64) -> Result<u64, Failed> {
    spawn_with(routine, argument, 0)
}

/// Waits until a thread has ended, and closes its handle.
///
/// # Errors
/// If one of the two is refused.
pub fn join(thread: u64) -> Outcome {
    status!(NtWaitForSingleObject(thread, false, NULL));
    status!(NtClose(thread));
    Ok(())
}

/// Ends the calling thread.
pub fn exit_thread(code: u32) -> ! {
    loop {
        // Where it is refused there is nobody to tell.
        let _ = NtTerminateThread(crate::services::CURRENT_THREAD, NtStatus(code));
    }
}

/// Makes a thread go on at a routine that does not return.
pub fn continue_at(context: &mut Context, routine: ThreadRoutine) {
    flat_program::set_pc(context, address(routine).0);
}
