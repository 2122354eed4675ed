//! Services of processes and threads.

use ke::thread::Mode;
use ke::wait::delay;
use nt_abi::access::AccessMask;
use nt_abi::services::arguments::{Boolean, Handle, In, OptionalOut};
use nt_abi::{NtResult, NtStatus};
use ps::Thread;

use crate::Caller;
use crate::capture::Pointer;

pub(crate) fn nt_delay_execution(
    _caller: &Caller<'_>,
    alertable: Boolean,
    delay_interval: In<i64>,
) -> NtResult<NtStatus> {
    let due = ke::dispatcher::Due::from_nt(delay_interval.read()?);
    Ok(delay(due, Mode::User, alertable.is_true()))
}

pub(crate) fn nt_terminate_process(
    caller: &Caller<'_>,
    process: Handle,
    exit_status: NtStatus,
) -> NtResult {
    // No handle means all threads of the caller's process but the calling one.
    if process.is_null() {
        return Err(NtStatus::NOT_IMPLEMENTED);
    }
    let process = caller.reference_process(process, AccessMask::PROCESS_TERMINATE)?;
    if process.is_ending() {
        return Err(NtStatus::PROCESS_IS_TERMINATING);
    }
    // If it is the caller's own, the calling thread ends on its way back to user mode.
    ps::thread::end_process(&process, exit_status);
    Ok(())
}

pub(crate) fn nt_terminate_thread(
    caller: &Caller<'_>,
    thread: Handle,
    exit_status: NtStatus,
) -> NtResult {
    if thread.is_null() || thread == Handle::CURRENT_THREAD {
        caller.thread.end(exit_status);
        return Ok(());
    }
    let thread = caller.reference::<Thread>(thread, AccessMask::THREAD_TERMINATE)?;
    thread.end(exit_status);
    Ok(())
}

pub(crate) fn nt_suspend_thread(
    caller: &Caller<'_>,
    thread: Handle,
    previous_suspend_count: OptionalOut<u32>,
) -> NtResult {
    previous_suspend_count.probe_optional::<u32>()?;
    let thread = caller.reference::<Thread>(thread, AccessMask::THREAD_SUSPEND_RESUME)?;
    let before = ke::thread::suspend(thread.scheduled())?;
    previous_suspend_count.write_optional(&before)
}

pub(crate) fn nt_resume_thread(
    caller: &Caller<'_>,
    thread: Handle,
    previous_suspend_count: OptionalOut<u32>,
) -> NtResult {
    previous_suspend_count.probe_optional::<u32>()?;
    let thread = caller.reference::<Thread>(thread, AccessMask::THREAD_SUSPEND_RESUME)?;
    let before = ke::thread::resume(thread.scheduled());
    previous_suspend_count.write_optional(&before)
}
