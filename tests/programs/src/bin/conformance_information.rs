//! What the system says of itself.
//!
//! Expectations: the documentation of `NtQuerySystemInformation` and `GetLogicalProcessorInformationEx`, and what Wine's
//! tests of ntdll publish (`info.c`).
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

#[cfg(target_os = "windows")]
#[path = "conformance_information/checks.rs"]
mod program;

#[cfg(target_os = "windows")]
test_programs::program!(program::start);

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
