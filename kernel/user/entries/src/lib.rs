//! Where the kernel and C code enter ntdll at the level of registers.
//!
//! What is here cannot be said in Rust alone: frames that mean something to a walk over the stack, conventions that are not
//! C's, registers that no function sees. It says as little as possible; what it calls is safe code elsewhere. For anything
//! but 64-bit Windows this crate is empty, as are the system services' stubs.
#![no_std]
#![allow(
    unsafe_code,
    reason = "functions that are instructions have no safe form"
)]

#[cfg(all(
    target_os = "windows",
    any(target_arch = "aarch64", target_arch = "x86_64")
))]
pub mod apcs;
#[cfg(all(
    target_os = "windows",
    any(target_arch = "aarch64", target_arch = "x86_64")
))]
pub mod exceptions;
pub mod locked;
#[cfg(all(target_os = "windows", target_arch = "aarch64"))]
pub mod memory;
#[cfg(all(
    target_os = "windows",
    any(target_arch = "aarch64", target_arch = "x86_64")
))]
pub mod threads;
#[cfg(all(
    target_os = "windows",
    any(target_arch = "aarch64", target_arch = "x86_64")
))]
pub mod variadic;

/// Makes the exports of ntdll by which exceptions come in: `KiUserExceptionDispatcher` and `RtlRaiseException`.
///
/// Both are given as paths to functions `extern "C" fn(Ptr<ExceptionRecord>, Ptr<Context>) -> !`, of the record and of the
/// registers to go on with. `dispatch` gets an exception that the kernel brings, and `raise` one that the thread raises by
/// itself; its record has no address yet. They end with `RtlRestoreContext`, `NtContinue` or `NtRaiseException`. Off Windows
/// the macro makes nothing.
///
/// ```ignore
/// entries::exception_entries! { dispatch: crate::exceptions::dispatch, raise: crate::exceptions::raise }
/// ```
#[macro_export]
macro_rules! exception_entries {
    (dispatch: $dispatch:path, raise: $raise:path $(,)?) => {
        #[cfg(target_os = "windows")]
        mod exception_entries {
            #![allow(
                unsafe_code,
                non_snake_case,
                reason = "entries of NT's, with their names"
            )]
            use super::*;

            type Upcall = extern "C" fn(
                $crate::exceptions::Ptr<$crate::exceptions::ExceptionRecord>,
                $crate::exceptions::Ptr<$crate::exceptions::Context>,
            ) -> !;
            const _: [Upcall; 2] = [$dispatch, $raise];

            $crate::__exception_entries!($dispatch, $raise);
        }
    };
}
