//! Suspension: a kernel APC in which the thread waits until it is resumed.

use nt_abi::{NtResult, NtStatus};

use super::Thread;
use crate::apc;
use crate::dispatcher::{self, signalled};

/// The most times that a thread can be suspended.
pub const MAXIMUM_SUSPEND_COUNT: u32 = 127;

/// Suspends a thread once more; gives how often it was suspended before.
///
/// A thread that runs on another processor may go on for the moment that the interrupt takes.
///
/// # Errors
/// `SUSPEND_COUNT_EXCEEDED`; `THREAD_IS_TERMINATING` if it has ended.
#[doc(alias = "KeSuspendThread")]
pub fn suspend(thread: &'static Thread) -> NtResult<u32> {
    let database = dispatcher::lock();
    if thread.header.signal.get(&database) > 0 || !thread.apc.accepts(&database) {
        return Err(NtStatus::THREAD_IS_TERMINATING);
    }
    let before = thread.suspend_count.get(&database);
    if before == MAXIMUM_SUSPEND_COUNT {
        return Err(NtStatus::SUSPEND_COUNT_EXCEEDED);
    }
    thread.suspend_count.set(&database, before + 1);
    if before == 0 {
        thread.resume_event.signal.set(&database, 0);
        apc::request_suspension(&database, thread);
    }
    Ok(before)
}

/// Takes one suspension back; gives how often it was suspended before. At the last one the thread goes on.
#[doc(alias = "KeResumeThread")]
pub fn resume(thread: &'static Thread) -> u32 {
    let database = dispatcher::lock();
    let before = thread.suspend_count.get(&database);
    if before == 0 {
        return 0;
    }
    thread.suspend_count.set(&database, before - 1);
    if before == 1 {
        thread.resume_event.signal.set(&database, 1);
        signalled(&database, &thread.resume_event, 0);
    }
    before
}

impl Thread {
    /// How often it is suspended.
    pub fn suspend_count(&self) -> u32 {
        self.suspend_count.glance()
    }
}
