//! Calls services whose lines in a trace are known: the case `trace` runs it.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

#[cfg(target_os = "windows")]
mod program {
    use nt_abi::access::AccessMask;
    use nt_abi::services::arguments::{EventType, WaitType};
    use test_programs::names::Named;
    use test_programs::services::*;

    test_programs::program!(start);

    /// An address that is the kernel's.
    const KERNEL: Address = Address(0xFFFF_8000_0000_0000);

    fn start() -> u32 {
        let (mut event, mut before) = (0u64, -1i32);
        let mut name = Named::new("\\BaseNamedObjects\\Traced");
        let _ = NtCreateEvent(
            &mut event,
            AccessMask::EVENT_ALL_ACCESS,
            name.get(),
            EventType(1),
            false,
        );
        let _ = NtSetEvent(event, &mut before);
        let timeout = -10_000i64;
        let _ = NtWaitForMultipleObjects(1, &[event], WaitType(1), false, &timeout);
        let _ = NtWaitForSingleObject(event, false, &timeout);
        let _ = NtSetEvent(event, KERNEL);
        let _ = NtClose(event);
        let _ = NtClose(event);
        test_programs::print("This is the program's own text.\r\n");
        7
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
