//! The thread's last error and last status, and what one kind of error is in terms of another.

use c_interface::{Ptr, exports, field};
use nt_abi::NtStatus;
use nt_abi::native::Teb;
use rtl::dos_error::dos_error;

use crate::given;

/// `RTL_ERRORMODE_*`: what may be set in a thread's mode.
const ERROR_MODES: u32 = 0x70;

/// Notes a status as the thread's last.
fn note_status(status: NtStatus) {
    if let Some(teb) = given::teb() {
        field!(teb, Teb, last_status_value).write(status.0);
    }
}

/// Errors of security packages and the statuses they stand for (`winerror.h`, `ntstatus.h`; "RtlMapSecurityErrorToNtStatus").
const SECURITY_ERRORS: &[(u32, NtStatus)] = &[
    (0x8009_0300, NtStatus::NO_MEMORY), // SEC_E_INSUFFICIENT_MEMORY
    (0x8009_0301, NtStatus::INVALID_HANDLE), // SEC_E_INVALID_HANDLE
    (0x8009_0302, NtStatus::NOT_SUPPORTED), // SEC_E_UNSUPPORTED_FUNCTION
    (0x8009_0303, NtStatus::BAD_NETWORK_PATH), // SEC_E_TARGET_UNKNOWN
    (0x8009_0304, NtStatus::INTERNAL_ERROR), // SEC_E_INTERNAL_ERROR
    (0x8009_0305, NtStatus::NO_SUCH_PACKAGE), // SEC_E_SECPKG_NOT_FOUND
    (0x8009_0306, NtStatus::INVALID_OWNER), // SEC_E_NOT_OWNER
    (0x8009_0307, NtStatus::NO_SUCH_PACKAGE), // SEC_E_CANNOT_INSTALL
    (0x8009_0308, NtStatus::INVALID_PARAMETER), // SEC_E_INVALID_TOKEN
    (0x8009_0309, NtStatus::INVALID_PARAMETER), // SEC_E_CANNOT_PACK
    (0x8009_030A, NtStatus::NOT_SUPPORTED), // SEC_E_QOP_NOT_SUPPORTED
    (0x8009_030B, NtStatus::CANNOT_IMPERSONATE), // SEC_E_NO_IMPERSONATION
    (0x8009_030C, NtStatus::LOGON_FAILURE), // SEC_E_LOGON_DENIED
    (0x8009_030D, NtStatus::INVALID_PARAMETER), // SEC_E_UNKNOWN_CREDENTIALS
    (0x8009_030E, NtStatus::NO_SUCH_LOGON_SESSION), // SEC_E_NO_CREDENTIALS
    (0x8009_030F, NtStatus::ACCESS_DENIED), // SEC_E_MESSAGE_ALTERED
    (0x8009_0310, NtStatus::ACCESS_DENIED), // SEC_E_OUT_OF_SEQUENCE
    (0x8009_0311, NtStatus::NO_LOGON_SERVERS), // SEC_E_NO_AUTHENTICATING_AUTHORITY
    (0x8009_0316, NtStatus::NO_SUCH_PACKAGE), // SEC_E_BAD_PKGID
    (0x8009_0321, NtStatus::BUFFER_TOO_SMALL), // SEC_E_BUFFER_TOO_SMALL
];

/// The status that a security package's error stands for.
fn status_of_security_error(error: u32) -> NtStatus {
    SECURITY_ERRORS
        .iter()
        .find(|row| row.0 == error)
        .map_or(NtStatus(error), |row| row.1)
}

exports! {
    /// The Win32 error that stands for a status; the status becomes the thread's last one.
    fn RtlNtStatusToDosError(status: NtStatus) -> u32 {
        note_status(status);
        dos_error(status)
    }

    /// The Win32 error that stands for a status.
    fn RtlNtStatusToDosErrorNoTeb(status: NtStatus) -> u32 {
        dos_error(status)
    }

    /// The thread's last error; what `GetLastError` gives.
    fn RtlGetLastWin32Error() -> u32 {
        given::teb().map_or(0, |teb| field!(teb, Teb, last_error_value).read())
    }

    /// Sets the thread's last error.
    fn RtlSetLastWin32Error(error: u32) {
        if let Some(teb) = given::teb() {
            field!(teb, Teb, last_error_value).write(error);
        }
    }

    /// Sets the thread's last error to one that was its last error before: debuggers stop at the other function alone.
    fn RtlRestoreLastWin32Error(error: u32) {
        RtlSetLastWin32Error(error);
    }

    /// The thread's last status.
    fn RtlGetLastNtStatus() -> NtStatus {
        NtStatus(given::teb().map_or(0, |teb| field!(teb, Teb, last_status_value).read()))
    }

    /// Sets the thread's last status, and its last error to what stands for it.
    fn RtlSetLastWin32ErrorAndNtStatusFromNtStatus(status: NtStatus) {
        RtlSetLastWin32Error(RtlNtStatusToDosError(status));
    }

    /// Which errors the system does not show to the user for this thread (`RTL_ERRORMODE_*`).
    fn RtlGetThreadErrorMode() -> u32 {
        given::teb().map_or(0, |teb| field!(teb, Teb, hard_error_mode).read())
    }

    /// Sets which errors the system does not show to the user for this thread; gives what was set before.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_1` for a bit that is none of the three.
    fn RtlSetThreadErrorMode(mode: u32, old: Ptr<u32>) -> NtStatus {
        if mode & !ERROR_MODES != 0 {
            return NtStatus::INVALID_PARAMETER_1;
        }
        if let Some(teb) = given::teb() {
            let field = field!(teb, Teb, hard_error_mode);
            old.write_optional(field.read());
            field.write(mode);
        }
        NtStatus::SUCCESS
    }

    /// The status that an error of a security package stands for; one that is not known stays as it is.
    fn RtlMapSecurityErrorToNtStatus(error: u32) -> NtStatus {
        status_of_security_error(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::testing;

    #[test]
    fn the_last_error_and_the_last_status_are_the_threads() {
        let teb = testing::begin();
        RtlSetLastWin32Error(1234);
        assert_eq!(RtlGetLastWin32Error(), 1234);
        assert_eq!(RtlNtStatusToDosErrorNoTeb(NtStatus::ACCESS_DENIED), 5);
        assert_eq!(RtlGetLastNtStatus(), NtStatus::SUCCESS);
        assert_eq!(RtlNtStatusToDosError(NtStatus::ACCESS_DENIED), 5);
        assert_eq!(RtlGetLastNtStatus(), NtStatus::ACCESS_DENIED);
        assert_eq!(RtlGetLastWin32Error(), 1234, "the error is not touched");
        RtlSetLastWin32ErrorAndNtStatusFromNtStatus(NtStatus::NO_MEMORY);
        assert_eq!(field!(teb, Teb, last_error_value).read(), 8);
        assert_eq!(field!(teb, Teb, last_status_value).read(), 0xC000_0017);
        RtlRestoreLastWin32Error(7);
        assert_eq!(RtlGetLastWin32Error(), 7);
    }

    #[test]
    fn an_error_mode_has_three_bits() {
        testing::begin();
        let mut old = 1;
        assert_eq!(
            RtlSetThreadErrorMode(0x70, Ptr::of(&mut old)),
            NtStatus::SUCCESS
        );
        assert_eq!((old, RtlGetThreadErrorMode()), (0, 0x70));
        assert_eq!(
            RtlSetThreadErrorMode(1, Ptr::of(&mut old)),
            NtStatus::INVALID_PARAMETER_1
        );
        assert_eq!(RtlSetThreadErrorMode(0x10, Ptr::NULL), NtStatus::SUCCESS);
        assert_eq!(RtlGetThreadErrorMode(), 0x10);
    }

    #[test]
    fn errors_of_security_packages() {
        assert_eq!(
            RtlMapSecurityErrorToNtStatus(0x8009_030C),
            NtStatus::LOGON_FAILURE
        );
        assert_eq!(RtlMapSecurityErrorToNtStatus(5), NtStatus(5));
    }
}
