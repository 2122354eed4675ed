//! Where threads begin.

use c_interface::{Function, Ptr, exports};
use nt_abi::NtStatus;
use nt_abi::services::arguments::Handle;
use stubs::call::{NtContinue, NtTerminateThread};

exports! {
    /// Where the kernel makes every thread begin: the loader, then what the thread was made for.
    fn LdrInitializeThunk(context: Ptr<stubs::Context>, _system_dll: Ptr<u8>) {
        let _refused = NtContinue(stubs::call::Address(context.address() as u64), true);
    }

    /// Runs a thread's routine, and ends the thread with what it returns.
    fn RtlUserThreadStart(routine: Function<fn(usize) -> u32>, argument: usize) {
        let status = routine.call(argument);
        let _refused = NtTerminateThread(Handle::CURRENT_THREAD, NtStatus(status));
    }
}

#[panic_handler]
fn panic(_what: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        let _refused =
            stubs::call::NtTerminateProcess(Handle::CURRENT_PROCESS, NtStatus::ASSERTION_FAILURE);
    }
}
