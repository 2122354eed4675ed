//! `NTSTATUS`, with Windows' numbers ([MS-ERREF] 2.3).

use core::fmt;

/// The outcome of an operation, as NT numbers it: the two top bits are the severity.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct NtStatus(pub u32);

/// What an operation gives: a value, or the status that says why not.
pub type NtResult<T = ()> = Result<T, NtStatus>;

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        impl NtStatus {
            $($(#[$doc])* pub const $name: Self = Self($value);)*

            /// Its name in Windows' headers, without `STATUS_`.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

statuses! {
    /// The operation was done.
    SUCCESS = 0x0000_0000;
    /// A data address had the wrong alignment.
    DATATYPE_MISALIGNMENT = 0x8000_0002;
    /// A breakpoint was met.
    BREAKPOINT = 0x8000_0003;
    /// A single step or other trace trap was met.
    SINGLE_STEP = 0x8000_0004;
    /// The operation failed for no more specific reason.
    UNSUCCESSFUL = 0xC000_0001;
    /// There is no such service, or it is not done.
    NOT_IMPLEMENTED = 0xC000_0002;
    /// An instruction touched memory that it may not touch.
    ACCESS_VIOLATION = 0xC000_0005;
    /// An argument is wrong.
    INVALID_PARAMETER = 0xC000_000D;
    /// The quota or commit limit does not allow it.
    NO_MEMORY = 0xC000_0017;
    /// The instruction does not exist.
    ILLEGAL_INSTRUCTION = 0xC000_001D;
    /// The system call number names no service.
    INVALID_SYSTEM_SERVICE = 0xC000_001C;
    /// An array index was out of bounds (x86 BOUND).
    ARRAY_BOUNDS_EXCEEDED = 0xC000_008C;
    /// A floating-point operation could not be represented.
    FLOAT_INVALID_OPERATION = 0xC000_0090;
    /// Division by zero.
    INTEGER_DIVIDE_BY_ZERO = 0xC000_0094;
    /// The result does not fit.
    INTEGER_OVERFLOW = 0xC000_0095;
    /// The instruction is not for this mode.
    PRIVILEGED_INSTRUCTION = 0xC000_0096;
    /// Memory or another resource of the system ran out.
    INSUFFICIENT_RESOURCES = 0xC000_009A;
    /// The device, or the memory behind an address, did not answer.
    DEVICE_HARDWARE_ERROR = 0xC000_0483;
    /// The stack ran out.
    STACK_OVERFLOW = 0xC000_00FD;
    /// What the firmware or the machine offers is not supported.
    NOT_SUPPORTED = 0xC000_00BB;
    /// What was asked for is in use already.
    CONFLICTING_ADDRESSES = 0xC000_0018;
    /// A program's own assertion did not hold.
    ASSERTION_FAILURE = 0xC000_0420;
}

impl NtStatus {
    /// Whether it is a success or an information (`NT_SUCCESS`).
    pub const fn is_success(self) -> bool {
        self.0 < 0x8000_0000
    }
}

impl fmt::Debug for NtStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for NtStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "STATUS_{name} ({:#010x})", self.0),
            None => write!(f, "status {:#010x}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn severity_decides_success() {
        assert!(NtStatus::SUCCESS.is_success());
        assert!(
            NtStatus(0x4000_0003).is_success(),
            "STATUS_IMAGE_NOT_AT_BASE is an information"
        );
        assert!(
            !NtStatus::BREAKPOINT.is_success(),
            "a warning is not NT_SUCCESS"
        );
        assert!(!NtStatus::ACCESS_VIOLATION.is_success());
    }

    #[test]
    fn a_status_prints_its_windows_name() {
        assert_eq!(
            NtStatus::ACCESS_VIOLATION.to_string(),
            "STATUS_ACCESS_VIOLATION (0xc0000005)"
        );
        assert_eq!(NtStatus(0xC000_1234).to_string(), "status 0xc0001234");
    }
}
