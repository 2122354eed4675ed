//! The binary contract: what is laid out, numbered or named as Windows NT has it.
//!
//! Everything here is plain data with NT's own numbers, usable by the kernel, by
//! user mode and by host tools. Enumerations that come from outside are open
//! (a number with names), because an unknown value in a Rust `enum` would be
//! undefined behaviour.
#![no_std]
#![forbid(unsafe_code)]

pub mod access;
pub mod accounting;
mod bug_check_code;
pub mod context;
pub mod debug;
pub mod exception;
pub mod heap;
pub mod job;
mod layout;
pub mod loader;
pub mod memory;
pub mod native;
mod nt_status;
mod numbers;
pub mod object_information;
pub mod peb;
pub mod primitives;
pub mod process_creation;
pub mod process_information;
pub mod process_parameters;
pub mod security;
pub mod services;
pub mod synchronization;
pub mod system_information;
pub mod teb;
pub mod thread_information;
pub mod user_shared_data;
pub mod w32;
pub mod w64;
pub mod width;

pub use bug_check_code::BugCheckCode;
pub use nt_status::{NtResult, NtStatus};
