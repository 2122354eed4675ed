//! Services of the kernel core.

use nt_abi::NtStatus;

use crate::Caller;

pub(crate) fn nt_yield_execution(_caller: &Caller<'_>) -> NtStatus {
    if ke::schedule::yield_execution() {
        NtStatus::SUCCESS
    } else {
        NtStatus::NO_YIELD_PERFORMED
    }
}
