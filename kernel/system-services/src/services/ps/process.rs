//! Services of processes.

use nt_abi::access::AccessMask;
use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::security::Privilege;
use nt_abi::services::arguments::{
    AccessMask as Access, ClientId, Handle, In, ObjectAttributes, OptionalIn, Out,
};
use nt_abi::{NtResult, NtStatus, w64};
use ob::{AnyObject, Object};
use ps::process::Process;
use ps::{Thread, client_id};

use crate::Caller;
use crate::capture::{self, Pointer};

/// Makes a handle to a process or thread that was found by its number, and writes it.
pub(super) fn open(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: ObjectAttributeFlags,
    object: &AnyObject,
) -> NtResult {
    let tokens = caller.tokens();
    // A debugger may do everything.
    let subject = if caller.has_privilege(Privilege::DEBUG) {
        tokens.unchecked()
    } else {
        tokens.subject()
    };
    let number = ob::open_by_pointer(
        &caller.handles(),
        object,
        attributes,
        AccessMask(access.0),
        None,
        subject,
    )?;
    handle.write(&number.0)
}

/// Attributes that have to be there: who opens by number says how the handle is to be.
///
/// # Errors
/// `ACCESS_VIOLATION` for none; those of what cannot be read.
pub(super) fn required(attributes: In<ObjectAttributes>) -> NtResult<capture::Attributes> {
    if attributes.is_null() {
        return Err(NtStatus::ACCESS_VIOLATION);
    }
    capture::Attributes::capture(attributes.address())
}

pub(crate) fn nt_open_process(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: In<ObjectAttributes>,
    client_id: OptionalIn<ClientId>,
) -> NtResult {
    handle.probe::<u64>()?;
    let attributes = required(attributes)?;
    let ids: w64::ClientId = client_id
        .read_optional()?
        .ok_or(NtStatus::INVALID_PARAMETER_MIX)?;
    if attributes.name.is_some() {
        return Err(NtStatus::INVALID_PARAMETER_MIX);
    }
    if ids.unique_thread == 0 {
        let process: Object<Process> = client_id::look_up(ids.unique_process)?;
        let object = Object::as_erased(&process);
        return open(caller, handle, access, attributes.flags, object);
    }
    let thread: Object<Thread> = client_id::look_up(ids.unique_thread)?;
    if ids.unique_process != u64::from(thread.process().id()) {
        return Err(NtStatus::INVALID_CID);
    }
    let object = Object::as_erased(thread.process());
    open(caller, handle, access, attributes.flags, object)
}

pub(crate) fn nt_terminate_process(
    caller: &Caller<'_>,
    process: Handle,
    exit_status: NtStatus,
) -> NtResult {
    if process.is_null() {
        // All threads but the calling one.
        ps::thread::end_others(caller.process(), caller.thread, exit_status);
        return Ok(());
    }
    let process = caller.reference_process(process, AccessMask::PROCESS_TERMINATE)?;
    // If it is the caller's own, the calling thread ends on its way back to user mode.
    if process.end(exit_status) {
        Ok(())
    } else {
        Err(NtStatus::PROCESS_IS_TERMINATING)
    }
}
