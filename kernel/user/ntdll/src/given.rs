//! What the run-time library is given of this process: it makes no system call of its own.

use c_interface::{Function, Ptr, field};
use nt_abi::native::{Peb, RtlCriticalSection, Teb};
use nt_abi::synchronization::CriticalSectionFlags;
use sync::critical_section;
use user_rtl::{given, process as library_process};

use crate::parking::Threads;
use crate::{locks, process};

use core::sync::atomic::AtomicUsize;

/// The lock over what the process has once: `FastPebLock`.
static PEB_LOCK: [AtomicUsize; size_of::<RtlCriticalSection>() / size_of::<usize>()] =
    [const { AtomicUsize::new(0) }; _];

extern "system" fn teb() -> Ptr<Teb> {
    process::teb()
}

/// The address of a function.
macro_rules! function {
    ($function:path) => {
        Function::new($function as *const () as usize)
    };
}

/// Names everything, before there is a second thread.
pub(crate) fn name_everything() {
    let lock = Ptr::of_shared(&PEB_LOCK).cast();
    let made = critical_section::initialize(&Threads, lock, 0, CriticalSectionFlags::empty(), None);
    debug_assert!(made.is_ok(), "the arguments are good");
    field!(process::peb(), Peb, fast_peb_lock).write(lock.raw());
    given::set_teb(function!(teb));
    given::set_query_system_information(function!(stubs::NtQuerySystemInformation));
    given::set_set_system_information(function!(stubs::NtSetSystemInformation));
    given::set_query_performance_counter(function!(stubs::NtQueryPerformanceCounter));
    given::set_open_process_token(function!(stubs::NtOpenProcessToken));
    given::set_open_thread_token(function!(stubs::NtOpenThreadToken));
    given::set_query_information_token(function!(stubs::NtQueryInformationToken));
    given::set_adjust_privileges_token(function!(stubs::NtAdjustPrivilegesToken));
    given::set_close(function!(stubs::NtClose));
    user_rtl::paths::files::set_services(
        function!(stubs::NtQueryAttributesFile),
        function!(stubs::NtOpenFile),
    );
    library_process::set_critical_sections(
        function!(locks::RtlEnterCriticalSection),
        function!(locks::RtlLeaveCriticalSection),
    );
}
