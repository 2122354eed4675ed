//! Making a thread look at what it is to do: its kernel APCs, or what it is wanted for on the way to user mode.

use core::sync::atomic::Ordering;

use arch::contract::UserState;
use nt_abi::NtStatus;

use crate::dispatcher::{self, Database, unwait};
use crate::processor;
use crate::thread::{State, Thread};

pub(super) fn waits_alertably_for_user(database: &Database, thread: &'static Thread) -> bool {
    thread.state.get(database) == State::Waiting
        && thread.wait_mode_user.get(database)
        && thread.wait_alertable.get(database)
}

/// Makes a thread run its kernel APCs as soon as it may.
pub(super) fn kick_for_kernel_apc(database: &Database, thread: &'static Thread, increment: u8) {
    match thread.state.get(database) {
        State::Running => processor::request_apc(database, thread.processor.get(database)),
        State::Waiting
            if thread.wait_below_apc.get(database)
                && thread.apc.kernel_deliverable(database, thread) =>
        {
            unwait(database, thread, NtStatus::KERNEL_APC, increment);
        }
        // A ready thread looks when it is switched to.
        _ => {}
    }
}

/// Makes a thread come out of user mode, or of a wait on behalf of user mode, because of `bit`.
pub(crate) fn want_attention(
    database: &Database,
    thread: &'static Thread,
    bit: u32,
    increment: u8,
) {
    // Relaxed: the dispatcher's lock orders it for the waits; for a processor in user mode the interrupt, which is sent when
    // the lock is free again.
    thread.user().attention().fetch_or(bit, Ordering::Relaxed);
    match thread.state.get(database) {
        State::Waiting if thread.wait_mode_user.get(database) => {
            unwait(database, thread, NtStatus::USER_APC, increment);
        }
        State::Running => processor::request_look(database, thread.processor.get(database)),
        _ => {}
    }
}

/// Makes a thread come out of user mode, or of a wait on behalf of user mode, because of a bit that `ps` knows.
pub fn request_attention(thread: &'static Thread, bit: u32) {
    let database = dispatcher::lock();
    want_attention(&database, thread, bit, 0);
}
