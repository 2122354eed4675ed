//! What the test programs share: how one begins, and what happens when it panics.
//!
//! A program is a flat PE file without imports: no loader, no ntdll.dll, no C library. Each is a file in `src/bin`;
//! `cargo xtask run -- NAME` builds it for the board's architecture and runs it.
#![cfg_attr(target_os = "windows", no_std)]
#![forbid(unsafe_code)]

#[doc(hidden)]
pub use stubs;

#[cfg(target_os = "windows")]
pub use stubs::print;

/// Makes a `fn() -> u32` the entry point of a program.
#[macro_export]
macro_rules! program {
    ($start:path) => {
        $crate::stubs::program_entry!($start);
    };
}

/// A panic ends the program with this code; there is nobody to tell more.
#[cfg(target_os = "windows")]
const PANIC: nt_abi::NtStatus = nt_abi::NtStatus::ASSERTION_FAILURE;

#[cfg(target_os = "windows")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    stubs::exit(PANIC.0)
}

/// Says what a person who started a program on the host should do instead.
#[cfg(not(target_os = "windows"))]
pub fn say_where_to_run() {
    println!("This program is for Tarn: start it with `cargo xtask run -- PROGRAM`.");
}
