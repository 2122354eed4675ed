//! ntdll's entry stubs: one function for each system service, made from the table.
//!
//! A stub carries NT's name and the service's typed arguments, and does nothing but enter the kernel with the
//! service's number. Arguments stay where the C convention of Windows puts them, in registers first and then on the
//! stack, and the kernel takes them from there; so a stub has two to four instructions and needs no stack of its own,
//! nor data to unwind it.
//!
//! Both machines have one file, which knows the instructions. For anything but Windows this crate is empty: the
//! numbers are private to this build's kernel, and a stub on another system would ask that system for something else.
#![no_std]
#![allow(
    clippy::cast_possible_truncation,
    reason = "programs of this kernel have addresses of 64 bits, and so has usize there"
)]
#![allow(
    unsafe_code,
    reason = "a function that is one instruction into the kernel has no safe form"
)]

#[cfg(target_os = "windows")]
pub mod call;

#[cfg(all(target_os = "windows", target_arch = "aarch64"))]
#[path = "aarch64.rs"]
mod machine;

#[cfg(all(target_os = "windows", target_arch = "x86_64"))]
#[path = "x86_64.rs"]
mod machine;

/// Makes the stubs out of the rows.
#[cfg(all(target_os = "windows", not(feature = "reference")))]
macro_rules! stubs {
    ($($component:ident {
        $(
            #[doc = $summary:literal]
            $(#[doc = $note:literal])*
            $state:ident $name:ident = $function:ident($($argument:ident: $type:ty),* $(,)?);
        )*
    })*) => {$($(
        #[doc = $summary]
        ///
        /// # Safety
        /// The kernel checks addresses only against what the process may touch: whatever a pointer here points to has
        /// to be the caller's to read, or to have overwritten.
        // SAFETY: the body is the machine's entry, which follows the C convention and keeps what a callee has to keep;
        // the name is NT's, and nothing else in a program for this kernel has it.
        #[unsafe(naked)]
        // SAFETY: as above.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($argument: $type),*) -> NtStatus {
            machine::enter_kernel!(number::$name)
        }
    )*)*};
}

/// Makes imports out of the rows: another implementation of NT knows its own numbers.
#[cfg(all(target_os = "windows", feature = "reference"))]
macro_rules! stubs {
    ($($component:ident {
        $(
            #[doc = $summary:literal]
            $(#[doc = $note:literal])*
            $state:ident $name:ident = $function:ident($($argument:ident: $type:ty),* $(,)?);
        )*
    })*) => {
        // SAFETY: they are NT's names and arguments, which the table takes from its documentation.
        #[link(name = "ntdll", kind = "raw-dylib")]
        unsafe extern "C" {
            $($(
                #[doc = $summary]
                pub fn $name($($argument: $type),*) -> NtStatus;
            )*)*
        }
    };
}

/// The stubs.
#[cfg(target_os = "windows")]
#[allow(
    non_snake_case,
    clippy::too_many_arguments,
    reason = "names and arguments are NT's"
)]
mod services {
    use nt_abi::services::arguments::*;
    #[cfg(not(feature = "reference"))]
    use nt_abi::services::number;

    #[cfg(not(feature = "reference"))]
    use crate::machine;

    nt_abi::with_system_services!(stubs);
}

#[cfg(target_os = "windows")]
pub use machine::{Context, teb};
#[cfg(target_os = "windows")]
pub use services::*;
