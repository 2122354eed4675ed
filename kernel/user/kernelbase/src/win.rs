//! What every group of exports uses: Win32's types, the thread's last error, this thread and this process.

use c_interface::services::Passed;
pub(crate) use c_interface::{Function, Ptr, exports, field, teb};
pub(crate) use nt_abi::NtStatus;
use nt_abi::native::{Peb, RtlUserProcessParameters, Teb};
use nt_abi::services::arguments;
use nt_abi::user_shared_data::{ADDRESS, KuserSharedData};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub(crate) use crate::error::{Error, Win};

/// `BOOL`.
pub type Bool = u32;
/// It is so.
pub const TRUE: Bool = 1;
/// It is not so.
pub const FALSE: Bool = 0;

/// `HANDLE`.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub struct Handle(pub nt_abi::native::Handle);

impl Handle {
    /// No handle.
    pub const NULL: Self = Self(0);
    /// `INVALID_HANDLE_VALUE`; also the pseudo handle of the own process.
    pub const INVALID: Self = Self(nt_abi::native::Handle::MAX);
    /// The pseudo handle of the own process.
    pub const CURRENT_PROCESS: Self = Self::INVALID;
    /// The pseudo handle of the own thread.
    pub const CURRENT_THREAD: Self = Self(nt_abi::native::Handle::MAX - 1);

    /// Whether it is none.
    pub(crate) const fn is_null(self) -> bool {
        self.0 == 0
    }
}

impl Passed<arguments::Handle> for Handle {
    fn argument(self) -> arguments::Handle {
        // A pseudo handle is negative in every width.
        arguments::Handle(i64::from(self.0.cast_signed()).cast_unsigned())
    }
}

/// Sets the thread's last error.
pub(crate) fn set_last_error(error: Error) {
    field!(teb(), Teb, last_error_value).write(error.0);
}

/// Notes a status as the thread's last, and gives what it is in terms of Win32.
pub(crate) fn from_status(status: NtStatus) -> Error {
    Error(ntdll_imports::RtlNtStatusToDosError(status))
}

/// A status as an outcome: warnings and errors are failures.
pub(crate) fn check(status: NtStatus) -> Win {
    if status.is_success() {
        Ok(())
    } else {
        Err(from_status(status))
    }
}

/// What a function gives, or its value for failure with the last error set.
pub(crate) fn answer<T>(outcome: Win<T>, failure: T) -> T {
    match outcome {
        Ok(value) => value,
        Err(error) => {
            set_last_error(error);
            failure
        }
    }
}

/// An outcome as `BOOL`.
pub(crate) fn truth(outcome: Win) -> Bool {
    answer(outcome.map(|()| TRUE), FALSE)
}

/// A status as `BOOL`.
pub(crate) fn truth_of(status: NtStatus) -> Bool {
    truth(check(status))
}

/// The process's PEB.
pub(crate) fn peb() -> Ptr<Peb> {
    Ptr::at(field!(teb(), Teb, process_environment_block).read())
}

/// What the process was started with.
pub(crate) fn parameters() -> Ptr<RtlUserProcessParameters> {
    Ptr::at(field!(peb(), Peb, process_parameters).read())
}

/// The page that the kernel shares with every process.
pub(crate) fn shared_data() -> Ptr<KuserSharedData> {
    Ptr::at(ADDRESS as nt_abi::native::Pointer)
}

/// The heap of the process.
pub(crate) fn process_heap() -> Ptr<u8> {
    Ptr::at(field!(peb(), Peb, process_heap).read())
}

/// The size of a structure as services and functions take it.
#[allow(clippy::cast_possible_truncation, reason = "structures are small")]
pub(crate) const fn size_in_u32<T>() -> u32 {
    size_of::<T>() as u32
}

/// A size as structures have it.
#[allow(
    clippy::cast_possible_truncation,
    reason = "sizes of a process have the width of its usize"
)]
pub(crate) const fn native_size(size: nt_abi::native::Size) -> usize {
    size as usize
}

/// A handle that an atomic holds.
#[allow(
    clippy::cast_possible_truncation,
    reason = "handles of a process have the width of its usize"
)]
pub(crate) const fn handle_in_usize(handle: Handle) -> usize {
    handle.0 as usize
}
