//! This process and the calling thread, as the kernel described them.

use c_interface::{Ptr, field};
use nt_abi::native::{Peb, RtlUserProcessParameters, Teb};
use nt_abi::user_shared_data::{self, KuserSharedData};

/// The calling thread's TEB.
#[inline]
pub(crate) fn teb() -> Ptr<Teb> {
    Ptr::at(stubs::teb())
}

/// The process's PEB.
#[inline]
pub(crate) fn peb() -> Ptr<Peb> {
    Ptr::at(field!(teb(), Teb, process_environment_block).read())
}

/// The calling thread's id.
#[inline]
pub(crate) fn thread_id() -> usize {
    field!(teb(), Teb, client_id.unique_thread)
        .cast::<usize>()
        .read()
}

/// The page of the system's data that every process can read.
#[inline]
pub(crate) fn shared_data() -> Ptr<KuserSharedData> {
    Ptr::at(user_shared_data::ADDRESS)
}

/// What the process was given; `None` if it was made without.
pub(crate) fn parameters() -> Option<RtlUserProcessParameters> {
    Ptr::at(field!(peb(), Peb, process_parameters).read()).read_optional()
}
