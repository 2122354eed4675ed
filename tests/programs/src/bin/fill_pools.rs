//! Makes keyed events until it may have no more, and ends with all of them open: what became of them is seen from outside.
//!
//! It ends with the number of them, in thousands.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]

#[cfg(target_os = "windows")]
mod program {
    use nt_abi::NtStatus;
    use nt_abi::access::AccessMask;
    use test_programs::services::{NULL, NtCreateKeyedEvent};

    test_programs::program!(start);

    fn start() -> u32 {
        let mut made = 0;
        loop {
            let mut handle = 0u64;
            let all = AccessMask::KEYEDEVENT_ALL_ACCESS;
            match NtCreateKeyedEvent(&mut handle, all, NULL, 0u32) {
                NtStatus::SUCCESS => made += 1,
                NtStatus::QUOTA_EXCEEDED => return made / 1000,
                refused => return refused.0,
            }
        }
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
