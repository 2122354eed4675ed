//! A million handles of one process at a time; each is its own, and all are gone when they are closed.
//!
//! Expectations: *Windows Internals*: a handle table has room for sixteen million entries.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]

#[cfg(target_os = "windows")]
mod program {
    use nt_abi::access::AccessMask;
    use test_programs::check::Outcome;
    use test_programs::objects::{SAME_ACCESS, basic, copy, event};
    use test_programs::services::*;
    use test_programs::{expect, status};

    test_programs::checks! {
        a_process_has_a_million_handles,
    }

    /// How many handles one process can have at least.
    const MANY: u32 = 1_000_000;

    fn a_process_has_a_million_handles() -> Outcome {
        let event = event()?;
        let mut highest = 0;
        for _ in 0..MANY {
            highest = highest.max(copy(event, AccessMask::NONE, 0, SAME_ACCESS)?);
        }
        expect!(basic(event)?.handle_count, MANY + 1);
        status!(NtCompareObjects(highest, event));
        // None was there before but the event's own, so that the numbers are dense.
        let mut closed = 0;
        let mut handle = 4;
        while handle <= highest {
            if handle != event && NtCompareObjects(handle, event).is_success() {
                status!(NtClose(handle));
                closed += 1;
            }
            handle += 4;
        }
        expect!(closed, MANY);
        expect!(basic(event)?.handle_count, 1);
        status!(NtClose(event));
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
