//! A Rust panic in the kernel is a bug check.

use core::panic::PanicInfo;

use nt_abi::{BugCheckCode, NtStatus};

use crate::bug_check;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let parameters = [u64::from(NtStatus::ASSERTION_FAILURE.0), 0, 0, 0];
    bug_check::stop_with_message(BugCheckCode::KMODE_EXCEPTION_NOT_HANDLED, parameters, info)
}
