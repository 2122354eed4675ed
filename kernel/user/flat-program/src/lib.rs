//! Programs without DLLs: where the kernel enters one, and what its code needs below safe Rust.
//!
//! Such a program exports `RtlUserThreadStart` and is therefore its own ntdll.dll: the kernel maps no other, and enters the
//! program where it would enter ntdll. Tests of the kernel are such programs, so that nothing stands between them and it.
//! All other programs have ntdll.dll, and need nothing of this crate.
#![no_std]
#![allow(
    clippy::cast_possible_truncation,
    reason = "programs of this kernel have addresses of 64 bits, and so has usize there"
)]
#![allow(
    unsafe_code,
    reason = "what enters a program by a register or reads what the kernel wrote has no safe form"
)]

#[cfg(target_os = "windows")]
pub mod dispatchers;
#[cfg(target_os = "windows")]
mod entry;
#[cfg(target_os = "windows")]
pub mod environment;

#[cfg(all(target_os = "windows", not(feature = "reference")))]
pub mod probes;

#[cfg(all(target_os = "windows", target_arch = "aarch64"))]
#[path = "aarch64.rs"]
mod machine;

#[cfg(all(target_os = "windows", target_arch = "x86_64"))]
#[path = "x86_64.rs"]
mod machine;

#[cfg(all(target_os = "windows", feature = "reference"))]
mod reference;

#[cfg(all(target_os = "windows", not(feature = "reference")))]
pub use entry::print;
#[cfg(target_os = "windows")]
pub use entry::{begin, exit};
#[cfg(target_os = "windows")]
pub use machine::{first_argument, full, set_first_argument, set_pc};
#[cfg(all(target_os = "windows", feature = "reference"))]
pub use reference::print;
