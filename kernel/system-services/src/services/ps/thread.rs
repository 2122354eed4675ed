//! Services of threads.

use core::sync::atomic::Ordering;

use ke::thread::Mode;
use ke::wait::delay;
use nt_abi::access::AccessMask;
use nt_abi::process_creation::{PsAttributeNumber, ThreadCreateFlags};
use nt_abi::services::arguments::{
    AccessMask as Access, Boolean, ClientId, Handle, In, ObjectAttributes, OptionalIn, OptionalOut,
    Out, PsAttributeList, Size, UserAddress,
};
use nt_abi::{NtResult, NtStatus, w64};
use ob::Object;
use ps::thread::ThreadParameters;
use ps::user_stack::StackRequest;
use ps::{Thread, client_id};

use super::attributes::Attributes;
use super::create::with_object;
use crate::Caller;
use crate::capture::{self, Pointer};

/// The attributes that a new thread can have.
const THREAD_ATTRIBUTES: [PsAttributeNumber; 2] =
    [PsAttributeNumber::CLIENT_ID, PsAttributeNumber::TEB_ADDRESS];

#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_create_thread_ex(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: OptionalIn<ObjectAttributes>,
    process: Handle,
    start_routine: UserAddress,
    argument: UserAddress,
    create_flags: u32,
    zero_bits: Size,
    stack_size: Size,
    maximum_stack_size: Size,
    attribute_list: OptionalIn<PsAttributeList>,
) -> NtResult {
    handle.probe::<u64>()?;
    let flags = ThreadCreateFlags::from_bits(create_flags).ok_or(NtStatus::INVALID_PARAMETER_7)?;
    let list = Attributes::capture(attribute_list.address())?;
    list.only(&THREAD_ATTRIBUTES)?;
    let attributes = capture::Attributes::capture(attributes.address())?;
    let process = caller.reference_process(process, AccessMask::PROCESS_CREATE_THREAD)?;
    let created = with_object(caller, &attributes, access, |object| {
        let parameters = ThreadParameters {
            start: start_routine.0,
            argument: argument.0,
            stack: StackRequest {
                reserve: maximum_stack_size.0,
                commit: stack_size.0,
                zero_bits: zero_bits.0,
            },
            suspended: flags.contains(ThreadCreateFlags::CREATE_SUSPENDED),
        };
        Thread::create(&process, &parameters, object)
    })?;
    let thread = created.object.clone();
    note_flags(&thread, flags);
    let number = created.into_handle(&caller.handles())?;
    let told = handle
        .write(&number.0)
        .and_then(|()| list.answer_thread(ids_of(&thread), thread.teb()))
        .and_then(|()| Thread::start(&thread));
    if told.is_err() {
        // It never runs, and nobody knows its handle.
        caller.handles().table.withdraw(number, &thread);
    }
    told
}

/// Keeps what the flags say of a thread that has not started.
///
/// # Differs
/// Those that only the loader looks at are not in the TEB, as there is no loader; no process is frozen.
pub(super) fn note_flags(thread: &Thread, flags: ThreadCreateFlags) {
    let hidden = flags.contains(ThreadCreateFlags::HIDE_FROM_DEBUGGER);
    let place = &thread.settings().hidden_from_debugger;
    place.store(hidden, Ordering::Relaxed);
}

/// Both numbers of a thread.
pub(super) fn ids_of(thread: &Thread) -> w64::ClientId {
    w64::ClientId {
        unique_process: u64::from(thread.process().id()),
        unique_thread: u64::from(thread.id()),
    }
}

pub(crate) fn nt_open_thread(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: In<ObjectAttributes>,
    client_id: OptionalIn<ClientId>,
) -> NtResult {
    handle.probe::<u64>()?;
    let attributes = super::process::required(attributes)?;
    let ids: w64::ClientId = client_id
        .read_optional()?
        .ok_or(NtStatus::INVALID_PARAMETER_MIX)?;
    if attributes.name.is_some() {
        return Err(NtStatus::INVALID_PARAMETER_MIX);
    }
    let thread: Object<Thread> = client_id::look_up(ids.unique_thread)?;
    if ids.unique_process != 0 && ids.unique_process != u64::from(thread.process().id()) {
        return Err(NtStatus::INVALID_CID);
    }
    super::process::open(
        caller,
        handle,
        access,
        attributes.flags,
        Object::as_erased(&thread),
    )
}

pub(crate) fn nt_delay_execution(
    _caller: &Caller<'_>,
    alertable: Boolean,
    delay_interval: In<i64>,
) -> NtResult<NtStatus> {
    let due = ke::dispatcher::Due::from_nt(delay_interval.read()?);
    Ok(delay(due, Mode::User, alertable.is_true()))
}

pub(crate) fn nt_terminate_thread(
    caller: &Caller<'_>,
    thread: Handle,
    exit_status: NtStatus,
) -> NtResult {
    if thread.is_null() {
        // The last thread of a process does not end it this way.
        if caller.process().threads() == 1 {
            return Err(NtStatus::CANT_TERMINATE_SELF);
        }
        caller.thread.end(exit_status);
        return Ok(());
    }
    let thread = caller.reference_thread(thread, AccessMask::THREAD_TERMINATE)?;
    thread.end(exit_status);
    Ok(())
}

pub(crate) fn nt_suspend_thread(
    caller: &Caller<'_>,
    thread: Handle,
    previous_suspend_count: OptionalOut<u32>,
) -> NtResult {
    previous_suspend_count.probe_optional::<u32>()?;
    let thread = caller.reference_thread(thread, AccessMask::THREAD_SUSPEND_RESUME)?;
    let before = ke::thread::suspend(thread.scheduled())?;
    previous_suspend_count.write_optional(&before)
}

pub(crate) fn nt_resume_thread(
    caller: &Caller<'_>,
    thread: Handle,
    previous_suspend_count: OptionalOut<u32>,
) -> NtResult {
    previous_suspend_count.probe_optional::<u32>()?;
    let thread = caller.reference_thread(thread, AccessMask::THREAD_SUSPEND_RESUME)?;
    let before = ke::thread::resume(thread.scheduled());
    previous_suspend_count.write_optional(&before)
}
