//! `NTSTATUS`, with Windows' numbers ([MS-ERREF] 2.3).

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The outcome of an operation, as NT numbers it: the two top bits are the severity.
#[derive(Clone, Copy, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct NtStatus(pub u32);

/// What an operation gives: a value, or the status that says why not.
pub type NtResult<T = ()> = Result<T, NtStatus>;

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        impl NtStatus {
            $($(#[$doc])* pub const $name: Self = Self($value);)*

            /// Its name in Windows' headers, without `STATUS_`; those of debuggers begin with `DBG_` instead.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

mod values;

impl NtStatus {
    /// The first of several objects ended the wait; the same value as success.
    pub const WAIT_0: Self = Self::SUCCESS;

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
            Some(name) if name.starts_with("DBG_") => write!(f, "{name} ({:#010x})", self.0),
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
        assert_eq!(
            NtStatus::DBG_CONTINUE.to_string(),
            "DBG_CONTINUE (0x00010002)"
        );
        assert_eq!(NtStatus(0xC000_1234).to_string(), "status 0xc0001234");
    }
}
