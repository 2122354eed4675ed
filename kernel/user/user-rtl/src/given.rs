//! What the library is given: the thread's TEB, the page that the kernel shares, system services.
//!
//! The library makes no system call of its own and knows no machine. ntdll names here once, before there is a second
//! thread, what only it has; tests name models of it. A service that nobody named answers `NOT_IMPLEMENTED`.

use core::sync::atomic::{AtomicUsize, Ordering};

use c_interface::{Function, Ptr, field};
use nt_abi::NtStatus;
use nt_abi::native::{Peb, Teb};
use nt_abi::user_shared_data::{ADDRESS, KuserSharedData};

static TEB: AtomicUsize = AtomicUsize::new(0);
#[allow(
    clippy::cast_possible_truncation,
    reason = "the page is below 2 GB, for programs of every width"
)]
static SHARED_DATA: AtomicUsize = AtomicUsize::new(ADDRESS as usize);

/// Names the function that gives a thread its TEB.
pub fn set_teb(function: Function<fn() -> Ptr<Teb>>) {
    TEB.store(function.address(), Ordering::Relaxed);
}

/// The thread's TEB; `None` if nobody said where it is.
pub fn teb() -> Option<Ptr<Teb>> {
    let function = Function::<fn() -> Ptr<Teb>>::new(TEB.load(Ordering::Relaxed));
    function.non_null()?.call().non_null()
}

/// The process's PEB; `None` if nobody said where the TEB is.
pub fn peb() -> Option<Ptr<Peb>> {
    let peb = field!(teb()?, Teb, process_environment_block).read();
    Ptr::at(peb).non_null()
}

/// Names another page than the one at its usual place, for tests.
pub fn set_shared_data(page: Ptr<KuserSharedData>) {
    SHARED_DATA.store(page.address(), Ordering::Relaxed);
}

/// The page that the kernel shares with every process.
pub fn shared_data() -> Ptr<KuserSharedData> {
    Ptr::new(SHARED_DATA.load(Ordering::Relaxed))
}

/// Declares services: a function that calls one, and one that names it.
macro_rules! services {
    ($($(#[$doc:meta])* $name:ident, $set:ident($($argument:ident: $type:ty),*);)*) => {$(
        mod $name {
            pub(super) static ADDRESS: core::sync::atomic::AtomicUsize = core::sync::atomic::AtomicUsize::new(0);
        }

        #[doc = concat!("Names the service that [`", stringify!($name), "`] calls.")]
        pub fn $set(function: Function<fn($($type),*) -> NtStatus>) {
            $name::ADDRESS.store(function.address(), Ordering::Relaxed);
        }

        $(#[$doc])*
        pub fn $name($($argument: $type),*) -> NtStatus {
            let function = Function::<fn($($type),*) -> NtStatus>::new($name::ADDRESS.load(Ordering::Relaxed));
            match function.non_null() {
                Some(function) => function.call($($argument),*),
                None => NtStatus::NOT_IMPLEMENTED,
            }
        }
    )*};
}

services! {
    /// `NtQuerySystemInformation`.
    query_system_information, set_query_system_information(class: u32, into: Ptr<u8>, length: u32, needed: Ptr<u32>);
    /// `NtSetSystemInformation`.
    set_system_information, set_set_system_information(class: u32, from: Ptr<u8>, length: u32);
    /// `NtQueryPerformanceCounter`.
    query_performance_counter, set_query_performance_counter(counter: Ptr<i64>, frequency: Ptr<i64>);
    /// `NtOpenProcessToken`.
    open_process_token, set_open_process_token(process: usize, access: u32, token: Ptr<usize>);
    /// `NtOpenThreadToken`.
    open_thread_token, set_open_thread_token(thread: usize, access: u32, as_self: u8, token: Ptr<usize>);
    /// `NtQueryInformationToken`.
    query_information_token, set_query_information_token(token: usize, class: u32, into: Ptr<u8>, length: u32, needed: Ptr<u32>);
    /// `NtAdjustPrivilegesToken`.
    adjust_privileges_token, set_adjust_privileges_token(token: usize, disable_all: u8, new: Ptr<u8>, length: u32, old: Ptr<u8>, needed: Ptr<u32>);
    /// `NtDuplicateToken`.
    duplicate_token, set_duplicate_token(token: usize, access: u32, attributes: Ptr<u8>, effective_only: u8, kind: u32, new: Ptr<usize>);
    /// `NtSetInformationThread`.
    set_information_thread, set_set_information_thread(thread: usize, class: u32, from: Ptr<u8>, length: u32);
    /// `NtQueryInformationProcess`.
    query_information_process, set_query_information_process(process: usize, class: u32, into: Ptr<u8>, length: u32, needed: Ptr<u32>);
    /// `NtClose`.
    close, set_close(handle: usize);
}

/// Models for tests.
#[cfg(test)]
pub(crate) mod testing {
    extern crate std;

    use std::boxed::Box;
    use std::sync::Once;

    use zerocopy::FromZeros;

    use super::*;

    std::thread_local! {
        static TEB: &'static mut Teb = Box::leak(Box::new(Teb::new_zeroed()));
    }

    extern "system" fn teb_of_thread() -> Ptr<Teb> {
        TEB.with(|teb| Ptr::of_shared(&**teb))
    }

    /// Gives each thread a TEB of its own, with a PEB behind it; gives this thread's.
    pub(crate) fn begin() -> Ptr<Teb> {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            set_teb(Function::new(teb_of_thread as *const () as usize));
            let page = Box::leak(Box::new(KuserSharedData::new_zeroed()));
            set_shared_data(Ptr::of(page));
        });
        let teb = super::teb().expect("just named");
        if field!(teb, Teb, process_environment_block).read() == 0 {
            let peb = Box::leak(Box::new(Peb::new_zeroed()));
            field!(teb, Teb, process_environment_block).write(Ptr::of(peb).raw());
        }
        teb
    }
}
