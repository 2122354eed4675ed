//! What DLLs and programs import from ntdll.dll: the system services and the run-time library.
//!
//! ntdll's numbers of services are private to it and the kernel; everybody else calls its exports. The services here are
//! made from the table, with arguments that convert themselves ([`c_interface::services`]); the other exports are declared
//! group by group. An image imports what it uses and no more.
#![no_std]
#![allow(
    unsafe_code,
    reason = "the declaration of a function of another DLL is a promise that no type can check"
)]

#[cfg(target_os = "windows")]
mod run_time;
#[cfg(target_os = "windows")]
mod services;

#[cfg(target_os = "windows")]
pub use run_time::*;
#[cfg(target_os = "windows")]
pub use services::*;
