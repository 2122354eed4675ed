//! Signalling one object and waiting for another one in one step.

use ke::wait::{WaitOptions, signal_and_wait};
use nt_abi::access::AccessMask;
use nt_abi::services::arguments::{Boolean, Handle, OptionalIn};
use nt_abi::{NtResult, NtStatus};
use ob::object_type::wait_header;

use crate::Caller;
use crate::caller::{due, handle_of};
use crate::capture::Pointer;
use crate::object_types::{EventBody, MutantBody, SemaphoreBody};

/// Signals an event, a mutant or a semaphore, and begins to wait.
///
/// # Errors
/// `OBJECT_TYPE_MISMATCH` if the first is none of these; `ACCESS_DENIED` without the right to change it, which for a
/// mutant is owning it (`MUTANT_NOT_OWNED`); `SEMAPHORE_LIMIT_EXCEEDED`; those of handles; the probes' statuses.
pub(crate) fn nt_signal_and_wait_for_single_object(
    caller: &Caller<'_>,
    signal: Handle,
    wait: Handle,
    alertable: Boolean,
    timeout: OptionalIn<i64>,
) -> NtResult<NtStatus> {
    let timeout = due(timeout.read_optional()?);
    let signalled = caller.handles().entry(handle_of(signal))?;
    let waited = caller.reference_any(wait, AccessMask::SYNCHRONIZE)?;
    let header = wait_header(&waited)?;
    let options = WaitOptions::user(alertable.is_true(), timeout);
    let demand = |access: AccessMask| {
        if signalled.granted.contains(access) {
            Ok(())
        } else {
            Err(NtStatus::ACCESS_DENIED)
        }
    };
    if let Some(event) = signalled.object.body::<EventBody>() {
        demand(AccessMask::EVENT_MODIFY_STATE)?;
        let set = |database: &_| {
            event.0.set_in(database, ke::EVENT_INCREMENT);
            Ok(())
        };
        signal_and_wait(&set, header, &options)
    } else if let Some(mutant) = signalled.object.body::<MutantBody>() {
        signal_and_wait(
            &|database| mutant.0.release_in(database).map(drop),
            header,
            &options,
        )
    } else if let Some(semaphore) = signalled.object.body::<SemaphoreBody>() {
        demand(AccessMask::SEMAPHORE_MODIFY_STATE)?;
        signal_and_wait(
            &|database| semaphore.0.release_in(database, 1).map(drop),
            header,
            &options,
        )
    } else {
        Err(NtStatus::OBJECT_TYPE_MISMATCH)
    }
}
