//! The system services, imported by name.
#![allow(
    non_snake_case,
    clippy::too_many_arguments,
    reason = "names and arguments are NT's"
)]

pub use c_interface::services::{Address, NULL, Passed};
use nt_abi::NtStatus;
use nt_abi::services::arguments::*;

/// The pseudo handle of the own process.
pub const CURRENT_PROCESS: Handle = Handle::CURRENT_PROCESS;
/// The pseudo handle of the own thread.
pub const CURRENT_THREAD: Handle = Handle::CURRENT_THREAD;

/// Makes the imports, and functions over them, out of the rows.
macro_rules! imports {
    ($($component:ident {
        $(
            #[doc = $summary:literal]
            $(#[doc = $note:literal])*
            $state:ident $name:ident = $function:ident($($argument:ident: $type:ty),* $(,)?);
        )*
    })*) => {
        mod raw {
            use super::*;

            #[link(name = "ntdll", kind = "raw-dylib")]
            // SAFETY: they are NT's names and arguments, which ntdll makes from the same table.
            unsafe extern "system" {
                $($(pub(super) safe fn $name($($argument: $type),*) -> NtStatus;)*)*
            }
        }
        $($(
            #[doc = $summary]
            #[inline]
            pub fn $name($($argument: impl Passed<$type>),*) -> NtStatus {
                raw::$name($($argument.argument()),*)
            }
        )*)*
    };
}

nt_abi::with_system_services!(imports);
