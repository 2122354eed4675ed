//! Alerting threads: what ends an alertable wait, and what wakes a thread that waits for it by its id.

use ke::apc;
use ke::thread::Mode;
use ke::wait::WaitOptions;
use nt_abi::access::AccessMask;
use nt_abi::services::arguments::{
    Handle, InArray, OptionalIn, OptionalInOutArray, OptionalOut, PsAlertThreadExtendedParameter,
    Size, SrwLock, UserAddress,
};
use nt_abi::{NtResult, NtStatus};
use ob::Object;
use ps::{Thread, client_id};

use crate::Caller;
use crate::caller::due;
use crate::capture::{self, Pointer};

pub(crate) fn nt_alert_thread(caller: &Caller<'_>, thread: Handle) -> NtResult {
    let thread = caller.reference_thread(thread, AccessMask::THREAD_ALERT)?;
    apc::alert(thread.scheduled(), Mode::User);
    Ok(())
}

pub(crate) fn nt_alert_resume_thread(
    caller: &Caller<'_>,
    thread: Handle,
    previous_suspend_count: OptionalOut<u32>,
) -> NtResult {
    previous_suspend_count.probe_optional::<u32>()?;
    let thread = caller.reference_thread(thread, AccessMask::THREAD_SUSPEND_RESUME)?;
    // An alert for kernel mode: it ends a wait of either.
    apc::alert(thread.scheduled(), Mode::Kernel);
    let before = ke::thread::resume(thread.scheduled());
    previous_suspend_count.write_optional(&before)
}

/// Says whether the caller was alerted; its user APCs run as this returns.
pub(crate) fn nt_test_alert(_caller: &Caller<'_>) -> NtStatus {
    if apc::test_alert(Mode::User) {
        NtStatus::ALERTED
    } else {
        NtStatus::SUCCESS
    }
}

/// A thread of the caller's process by its number.
///
/// # Errors
/// `INVALID_CID` if there is none; `ACCESS_DENIED` if it is another process's.
fn own_thread(caller: &Caller<'_>, id: u64) -> NtResult<Object<Thread>> {
    let thread = client_id::look_up::<Thread>(id)?;
    if thread.process().id() == caller.process().id() {
        Ok(thread)
    } else {
        Err(NtStatus::ACCESS_DENIED)
    }
}

pub(crate) fn nt_alert_thread_by_thread_id(caller: &Caller<'_>, thread_id: Size) -> NtResult {
    apc::alert_by_id(own_thread(caller, thread_id.0)?.scheduled());
    Ok(())
}

/// The same; which lock it is about decides nothing.
pub(crate) fn nt_alert_thread_by_thread_id_ex(
    caller: &Caller<'_>,
    thread_id: Size,
    _lock: OptionalIn<SrwLock>,
) -> NtResult {
    nt_alert_thread_by_thread_id(caller, thread_id)
}

/// The most threads that one call wakes.
const MOST_THREADS: u32 = 4096;

/// Wakes several threads; those before one that there is not are woken.
///
/// # Errors
/// `INVALID_PARAMETER` for no thread, and for too many; those of [`nt_alert_thread_by_thread_id`]; the probes' statuses.
///
/// # Differs
/// - Extended parameters, which are about boosts, are not looked at.
/// - One call wakes 4,096 threads at most, so that its end is foreseeable.
pub(crate) fn nt_alert_multiple_thread_by_thread_id(
    caller: &Caller<'_>,
    thread_ids: InArray<Size>,
    count: u32,
    _extended_parameters: OptionalInOutArray<PsAlertThreadExtendedParameter>,
    _parameter_count: u32,
) -> NtResult {
    if count == 0 || count > MOST_THREADS {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    for index in 0..u64::from(count) {
        let address = thread_ids.address().wrapping_add(index * 8);
        nt_alert_thread_by_thread_id(caller, Size(capture::read(address)?))?;
    }
    Ok(())
}

pub(crate) fn nt_wait_for_alert_by_thread_id(
    _caller: &Caller<'_>,
    address: UserAddress,
    timeout: OptionalIn<i64>,
) -> NtResult<NtStatus> {
    let timeout = due(timeout.read_optional()?);
    let options = WaitOptions::user(false, timeout);
    Ok(apc::wait_for_alert_by_id(address.0, &options))
}
