//! Suspension: a kernel APC in which the thread waits until it is resumed.

use nt_abi::{NtResult, NtStatus};

use super::Thread;
use crate::apc;
use crate::apc::attention::want_attention;
use crate::dispatcher::{self, Database, signalled};

/// The most times that a thread can be suspended.
pub const MAXIMUM_SUSPEND_COUNT: u32 = 127;

/// Suspends a thread once more; gives how often it was suspended before.
///
/// A thread that runs on another processor may go on for the moment that the interrupt takes.
///
/// # Errors
/// `SUSPEND_COUNT_EXCEEDED`; `THREAD_IS_TERMINATING` if it ends or has ended.
#[doc(alias = "KeSuspendThread")]
pub fn suspend(thread: &'static Thread) -> NtResult<u32> {
    let database = dispatcher::lock();
    let over = thread.header.signal.get(&database) > 0 || !thread.apc.accepts(&database);
    if over || thread.ends.get(&database) {
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

/// Makes a thread end: it comes out of user mode, or of a wait on behalf of user mode, because of `bit`; it is resumed however
/// often it was suspended, and cannot be suspended again.
#[doc(alias = "KeForceResumeThread")]
pub fn make_end(thread: &'static Thread, bit: u32) {
    let database = dispatcher::lock();
    make_end_locked(&database, thread, bit);
}

pub(crate) fn make_end_locked(database: &Database, thread: &'static Thread, bit: u32) {
    thread.ends.set(database, true);
    if thread.suspend_count.get(database) > 0 {
        thread.suspend_count.set(database, 0);
        thread.resume_event.signal.set(database, 1);
        signalled(database, &thread.resume_event, 0);
    }
    want_attention(database, thread, bit, 0);
}

impl Thread {
    /// How often it is suspended.
    pub fn suspend_count(&self) -> u32 {
        self.suspend_count.glance()
    }
}
