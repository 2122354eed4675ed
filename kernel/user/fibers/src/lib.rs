//! How a thread goes from one stack to another: the registers that a function keeps for its caller lie on the stack that is
//! left, and where they lie is all that is known of it.
//!
//! What else belongs to a fiber (its limits in the TEB, its slots) is safe code elsewhere. A fiber that has not run yet has
//! registers on its stack too, which make it begin in ntdll's first frame of a fiber, with its routine and argument where
//! that looks for them.
//!
//! For anything but 64-bit Windows this crate is empty.
#![no_std]
#![allow(
    unsafe_code,
    reason = "functions that are instructions have no safe form"
)]

#[cfg(all(target_os = "windows", target_arch = "aarch64"))]
#[path = "aarch64.rs"]
mod machine;
#[cfg(all(target_os = "windows", target_arch = "x86_64"))]
#[path = "x86_64.rs"]
mod machine;

#[cfg(all(
    target_os = "windows",
    any(target_arch = "aarch64", target_arch = "x86_64")
))]
pub use machine::{first_frame, switch};
