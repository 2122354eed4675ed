//! Where threads of Win32 begin.

use c_interface::{Function, exports};
use nt_abi::NtStatus;
use nt_abi::services::arguments::Handle;
use ntdll_imports::{NtTerminateProcess, RtlExitUserThread};

exports! {
    /// Runs a thread's routine and ends the thread with what it returns. ntdll's `RtlUserThreadStart` calls it.
    fn BaseThreadInitThunk(_reason: u32, routine: Function<fn(usize) -> u32>, argument: usize) {
        RtlExitUserThread(routine.call(argument));
    }
}

#[cfg(not(test))]
#[panic_handler]
fn panic(_what: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        let _refused = NtTerminateProcess(Handle::CURRENT_PROCESS, NtStatus::ASSERTION_FAILURE);
    }
}
