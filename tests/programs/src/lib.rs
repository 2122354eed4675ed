//! What the test programs share: how one begins, how it calls services, how it says what it found.
//!
//! A program is a flat PE file without imports: no loader, no ntdll.dll, no C library. Each is a file in `src/bin`;
//! `cargo xtask run -- NAME` builds it for the board's architecture and runs it.
//!
//! | module | what |
//! |---|---|
//! | `services` | the system services, callable with references for pointers: `call` of the stubs |
//! | [`buffer`] | room for answers |
//! | [`clocks`] | the time |
//! | [`counters`] | what is in use |
//! | [`check`] | checks with names, and what they expect |
//! | [`fuzz`] | the fuzzer of all services |
//! | [`processes`] | children |
//! | [`tokens`] | tokens, and whose they may be |
//! | [`threads`] | threads, exceptions, APCs |
//! | [`mishaps`] | what goes wrong with threads, processes and jobs |
//! | [`memory`] | the own memory as services show it |
//! | [`names`] | names of objects as services want them |
#![cfg_attr(target_os = "windows", no_std)]
#![forbid(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

#[doc(hidden)]
pub use {flat_program, stubs};

#[cfg(target_os = "windows")]
pub mod buffer;
#[cfg(target_os = "windows")]
pub mod check;
#[cfg(target_os = "windows")]
pub mod clocks;
#[cfg(target_os = "windows")]
pub mod counters;
#[cfg(all(target_os = "windows", not(feature = "reference")))]
pub mod fuzz;
#[cfg(target_os = "windows")]
pub mod memory;
#[cfg(target_os = "windows")]
pub mod mishaps;
#[cfg(target_os = "windows")]
pub mod names;
#[cfg(target_os = "windows")]
pub mod objects;
#[cfg(target_os = "windows")]
pub mod processes;
#[cfg(target_os = "windows")]
pub mod threads;
#[cfg(target_os = "windows")]
pub mod tokens;

#[cfg(all(target_os = "windows", not(feature = "reference")))]
pub use flat_program::probes;
#[cfg(target_os = "windows")]
pub use {flat_program::print, stubs::call as services};

/// Makes a `fn() -> u32` the entry point of a program.
#[macro_export]
macro_rules! program {
    ($start:path) => {
        $crate::flat_program::program_entry!($start);
    };
}

/// A panic ends the program with this code, after a line that says where.
#[cfg(target_os = "windows")]
const PANIC: nt_abi::NtStatus = nt_abi::NtStatus::ASSERTION_FAILURE;

#[cfg(target_os = "windows")]
#[panic_handler]
fn panic(panic: &core::panic::PanicInfo<'_>) -> ! {
    check::line(format_args!("{panic}"));
    flat_program::exit(PANIC.0)
}

/// Says what a person who started a program on the host should do instead.
#[cfg(not(target_os = "windows"))]
pub fn say_where_to_run() {
    println!("This program is for Tarn: start it with `cargo xtask run -- PROGRAM`.");
}
