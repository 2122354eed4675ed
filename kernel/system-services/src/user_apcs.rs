//! User APCs: queued to a thread by its handle, run by `KiUserApcDispatcher` in it.

use arch::contract::{UserCall, UserContext, UserState as _, VirtAddr};
use arch::thread::UserState;
use ke::apc::{self, Apc, ApcRoutines, Form};
use nt_abi::{NtResult, NtStatus};
use ob::Object;
use ps::Thread;
use zerocopy::IntoBytes as _;

use crate::exceptions::{push, registers};

/// What a queued APC does in the kernel: nothing but give its slot back.
static ROUTINES: ApcRoutines = ApcRoutines {
    kernel: |apc, _| {
        apc.give_back();
        if let Some(thread) = Thread::current() {
            thread.apc_is_over();
        }
    },
    normal: None,
    // The thread's end takes back what it was charged.
    run_down: Apc::give_back,
};

/// Queues an APC that calls `routine` with three arguments in a thread's user mode.
///
/// # Errors
/// `QUOTA_EXCEEDED`, `INSUFFICIENT_RESOURCES`; `UNSUCCESSFUL` if the thread ends and takes none any more.
///
/// # Differs
/// The thread's own process is charged, not the one that queues.
#[doc(alias = "NtQueueApcThread")]
pub(crate) fn queue(thread: &Thread, form: Form, call: UserCall) -> NtResult {
    let [first, second, third] = call.arguments;
    thread.charge_apc()?;
    let apc = Apc::take(thread.scheduled(), form, &ROUTINES, call.routine, first)
        .inspect_err(|_| thread.apc_is_over())?;
    if apc.queue([second, third], 0) {
        Ok(())
    } else {
        apc.give_back();
        thread.apc_is_over();
        Err(NtStatus::UNSUCCESSFUL)
    }
}

/// Makes the calling thread run its next user APC, if one is to be delivered. When that one is over the thread continues
/// through `NtContinue`, which sees to the next.
///
/// A process that has no dispatcher, and a stack that has no room, cannot be helped: the process ends.
///
/// # Differs
/// The dispatcher asks for further APCs when one is over (`NtContinue` with `TestAlert`), so ordinary ones that are queued
/// run after a special one even if the thread does not wait alertably.
#[doc(alias = "KiDeliverApc")]
pub(crate) fn deliver(thread: &Object<Thread>) {
    let Some(call) = apc::take_user_apc() else {
        return;
    };
    let [second, third] = call.arguments;
    let call = UserCall {
        routine: call.routine,
        arguments: [call.context, second, third],
    };
    if let Err(status) = enter_dispatcher(thread, &call) {
        ke::info!(
            "process {}, thread {}: an APC for {:#x} cannot be run: {status}",
            thread.process().id(),
            thread.id(),
            call.routine
        );
        thread.process().end(status);
    }
}

fn enter_dispatcher(thread: &Thread, call: &UserCall) -> NtResult {
    let dispatcher = thread
        .process()
        .image()
        .map_or(0, |image| image.routines.apc);
    if dispatcher == 0 {
        return Err(NtStatus::ENTRYPOINT_NOT_FOUND);
    }
    let user = thread.scheduled().user();
    let context = registers(user);
    let frame = UserState::apc_frame(&context, call, true);
    let place =
        push(UserState::context_sp(&context), frame.as_bytes()).ok_or(NtStatus::STACK_OVERFLOW)?;
    user.enter_routine(VirtAddr(dispatcher), VirtAddr(place));
    Ok(())
}
