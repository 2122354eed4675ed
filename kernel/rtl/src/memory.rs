//! The one way in which this crate's containers fail without anybody's fault.

use alloc::collections::TryReserveError;

use nt_abi::NtStatus;

/// Memory for a container to grow was not to be had, or a limit was reached that stands for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoMemory;

impl From<TryReserveError> for NoMemory {
    fn from(_: TryReserveError) -> Self {
        Self
    }
}

impl From<NoMemory> for NtStatus {
    fn from(_: NoMemory) -> Self {
        Self::INSUFFICIENT_RESOURCES
    }
}
