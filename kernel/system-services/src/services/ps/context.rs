//! Services of a thread's registers, and of APCs in user mode.

use arch::contract::{UserCall, UserContext};
use arch::thread::UserState;
use ke::apc::Form;
use nt_abi::access::AccessMask;
use nt_abi::services::arguments::{Context, Handle, In, InOut, UserAddress};
use nt_abi::{NtResult, NtStatus};

use crate::capture::Pointer;
use crate::{Caller, thread_context, user_apcs};

pub(crate) fn nt_get_context_thread(
    caller: &Caller<'_>,
    thread: Handle,
    thread_context: InOut<Context>,
) -> NtResult {
    let wanted: thread_context::Context = thread_context.read()?;
    thread_context.probe::<thread_context::Context>()?;
    let thread = caller.reference_thread(thread, AccessMask::THREAD_GET_CONTEXT)?;
    let context = thread_context::get(&thread, wanted)?;
    thread_context.write(&context)
}

pub(crate) fn nt_set_context_thread(
    caller: &Caller<'_>,
    thread: Handle,
    thread_context: In<Context>,
) -> NtResult {
    let context: thread_context::Context = thread_context.read()?;
    let thread = caller.reference_thread(thread, AccessMask::THREAD_SET_CONTEXT)?;
    thread_context::set(&thread, context)?;
    if core::ptr::eq(thread.scheduled(), caller.thread.scheduled())
        && UserState::sets_result(&context)
    {
        caller.note_registers_set();
    }
    Ok(())
}

pub(crate) fn nt_queue_apc_thread(
    caller: &Caller<'_>,
    thread: Handle,
    apc_routine: UserAddress,
    apc_argument1: UserAddress,
    apc_argument2: UserAddress,
    apc_argument3: UserAddress,
) -> NtResult {
    let call = UserCall {
        routine: apc_routine.0,
        arguments: [apc_argument1.0, apc_argument2.0, apc_argument3.0],
    };
    let thread = caller.reference_thread(thread, AccessMask::THREAD_SET_CONTEXT)?;
    user_apcs::queue(&thread, Form::User, call)
}

/// `QUEUE_USER_APC_FLAGS_SPECIAL_USER_APC`, and what `NtQueueApcThreadEx` takes in the handle's place for it.
const SPECIAL_USER_APC: u32 = 1;

#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_queue_apc_thread_ex(
    caller: &Caller<'_>,
    thread: Handle,
    reserve: Handle,
    apc_routine: UserAddress,
    apc_argument1: UserAddress,
    apc_argument2: UserAddress,
    apc_argument3: UserAddress,
) -> NtResult {
    let special = reserve.0 == u64::from(SPECIAL_USER_APC);
    nt_queue_apc_thread_ex2(
        caller,
        thread,
        if special { Handle::NULL } else { reserve },
        if special { SPECIAL_USER_APC } else { 0 },
        apc_routine,
        apc_argument1,
        apc_argument2,
        apc_argument3,
    )
}

#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_queue_apc_thread_ex2(
    caller: &Caller<'_>,
    thread: Handle,
    reserve: Handle,
    apc_flags: u32,
    apc_routine: UserAddress,
    apc_argument1: UserAddress,
    apc_argument2: UserAddress,
    apc_argument3: UserAddress,
) -> NtResult {
    let form = match apc_flags {
        0 => Form::User,
        SPECIAL_USER_APC => Form::SpecialUser,
        _ => return Err(NtStatus::INVALID_PARAMETER),
    };
    let thread = caller.reference_thread(thread, AccessMask::THREAD_SET_CONTEXT)?;
    if !reserve.is_null() {
        // Of whatever type it is, it is no reserve object: there are none.
        caller.reference_any(reserve, AccessMask::NONE)?;
        return Err(NtStatus::OBJECT_TYPE_MISMATCH);
    }
    let call = UserCall {
        routine: apc_routine.0,
        arguments: [apc_argument1.0, apc_argument2.0, apc_argument3.0],
    };
    user_apcs::queue(&thread, form, call)
}
