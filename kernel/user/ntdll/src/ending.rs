//! How threads and the process end.

use c_interface::{Ptr, exports};
use nt_abi::NtStatus;
use nt_abi::services::arguments::{Handle, ThreadInformationClass};
use stubs::call::{
    CURRENT_PROCESS, CURRENT_THREAD, NULL, NtQueryInformationThread, NtTerminateProcess,
    NtTerminateThread,
};

use crate::{fiber_slots, loading, parking, thread_slots};

/// `ThreadAmILastThread`.
const AM_I_LAST: ThreadInformationClass = ThreadInformationClass(12);

/// Whether the calling thread is the last of its process.
fn is_last_thread() -> bool {
    let mut last = 0u32;
    let status = NtQueryInformationThread(CURRENT_THREAD, AM_I_LAST, &mut last, 4u32, NULL);
    status == NtStatus::SUCCESS && last != 0
}

/// Ends the process with a status at once: nobody is told.
pub(crate) fn terminate(status: NtStatus) -> ! {
    loop {
        let _refused = NtTerminateProcess(CURRENT_PROCESS, status);
    }
}

/// Ends the process: the other threads first, then every DLL hears of it.
pub(crate) fn exit_process(status: NtStatus) -> ! {
    // No other thread may be inside of the loader when all others end, for nobody would let it go on.
    loading::enter_for_the_end();
    // Ends the other threads.
    let _refused = NtTerminateProcess(Handle(0), status);
    parking::forget_waiters(status);
    fiber_slots::end_thread();
    loading::shut_process_down();
    terminate(status)
}

/// Ends the calling thread; with the last one the process ends.
pub(crate) fn exit_thread(status: NtStatus) -> ! {
    if is_last_thread() {
        exit_process(status);
    }
    fiber_slots::end_thread();
    loading::shut_thread_down();
    thread_slots::end_thread();
    loop {
        let _refused = NtTerminateThread(CURRENT_THREAD, status);
    }
}

exports! {
    /// Ends the process.
    fn RtlExitUserProcess(status: NtStatus) {
        exit_process(status);
    }

    /// Ends the calling thread.
    fn RtlExitUserThread(status: NtStatus) {
        exit_thread(status);
    }

    /// Ends the calling thread, for those who free its stack themselves.
    fn RtlFreeUserThreadStack(_process: Ptr<u8>, _thread: Ptr<u8>) {
        // The kernel frees a thread's stack with the thread.
    }
}
