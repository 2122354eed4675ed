//! The binary contract: what is laid out, numbered or named as Windows NT has it.
//!
//! Everything here is plain data with NT's own numbers, usable by the kernel, by
//! user mode and by host tools. Enumerations that come from outside are open
//! (a number with names), because an unknown value in a Rust `enum` would be
//! undefined behaviour.
#![no_std]
#![forbid(unsafe_code)]

mod bug_check_code;
mod nt_status;

pub use bug_check_code::BugCheckCode;
pub use nt_status::{NtResult, NtStatus};
