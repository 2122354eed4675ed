//! The clock: its resolution, the time of day, the counter.
//!
//! Expectations: the documentation of `timeBeginPeriod`, `QueryPerformanceCounter` and `SetSystemTime`, and what Wine's
//! tests of ntdll publish.
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
    use test_programs::check::Outcome;
    use test_programs::clocks::{counter_time, system_time};
    use test_programs::services::*;
    use test_programs::{expect, holds, status};

    test_programs::checks! {
        the_resolution_is_what_was_asked_for,
        the_resolution_can_be_taken_back_once,
        times_go_on,
        the_time_is_what_was_set,
    }

    const KERNEL: Address = Address(0xFFFF_8000_0000_0000);

    fn the_resolution_is_what_was_asked_for() -> Outcome {
        let (mut coarsest, mut finest, mut current) = (0u32, 0u32, 0u32);
        status!(NtQueryTimerResolution(
            &mut coarsest,
            &mut finest,
            &mut current
        ));
        expect!((coarsest, finest), (156_250, 5_000));
        holds!(finest <= current && current <= coarsest);
        let mut actual = 0u32;
        status!(NtSetTimerResolution(10_000u32, true, &mut actual));
        expect!(actual, 10_000);
        status!(NtQueryTimerResolution(
            &mut coarsest,
            &mut finest,
            &mut current
        ));
        expect!(current, 10_000);
        // Finer than can be had.
        status!(NtSetTimerResolution(1u32, true, &mut actual));
        expect!(actual, 5_000);
        // Another wish of the same process replaces the first one.
        status!(NtSetTimerResolution(20_000u32, true, &mut actual));
        expect!(actual, 20_000);
        status!(NtSetTimerResolution(0u32, false, &mut actual));
        expect!(actual, 156_250);
        for bad in [NULL, KERNEL] {
            status!(NtSetTimerResolution(10_000u32, true, bad), ACCESS_VIOLATION);
            status!(
                NtQueryTimerResolution(bad, &mut finest, &mut current),
                ACCESS_VIOLATION
            );
        }
        status!(NtQueryTimerResolution(
            &mut coarsest,
            &mut finest,
            &mut current
        ));
        expect!(current, 156_250);
        Ok(())
    }

    fn the_resolution_can_be_taken_back_once() -> Outcome {
        let mut actual = 0u32;
        status!(
            NtSetTimerResolution(10_000u32, false, &mut actual),
            TIMER_RESOLUTION_NOT_SET
        );
        status!(NtSetTimerResolution(10_000u32, true, &mut actual));
        status!(NtSetTimerResolution(10_000u32, false, &mut actual));
        status!(
            NtSetTimerResolution(10_000u32, false, &mut actual),
            TIMER_RESOLUTION_NOT_SET
        );
        Ok(())
    }

    fn times_go_on() -> Outcome {
        let (mut last, mut last_count) = (system_time(), counter_time());
        for _ in 0..1000 {
            let (time, count) = (system_time(), counter_time());
            holds!(time >= last && count >= last_count);
            (last, last_count) = (time, count);
        }
        for bad in [NULL, KERNEL] {
            status!(NtQuerySystemTime(bad), ACCESS_VIOLATION);
            status!(NtQueryPerformanceCounter(bad, NULL), ACCESS_VIOLATION);
        }
        let mut count = 0i64;
        status!(NtQueryPerformanceCounter(&mut count, NULL));
        status!(
            NtQueryPerformanceCounter(&mut count, KERNEL),
            ACCESS_VIOLATION
        );
        // The privilege is there and not enabled.
        status!(NtSetSystemTime(&last, NULL), PRIVILEGE_NOT_HELD);
        status!(NtSetSystemTime(KERNEL, NULL), ACCESS_VIOLATION);
        let mut frequency = 0u64;
        status!(
            NtQueryAuxiliaryCounterFrequency(&mut frequency),
            NOT_SUPPORTED
        );
        Ok(())
    }

    /// Any time that a date stands for, also one that is less than the machine runs.
    fn the_time_is_what_was_set() -> Outcome {
        /// `SE_SYSTEMTIME_PRIVILEGE`.
        const SYSTEMTIME: u32 = 12;
        let mut token = 0u64;
        let rights = AccessMask::TOKEN_ADJUST_PRIVILEGES;
        status!(NtOpenProcessToken(CURRENT_PROCESS, rights, &mut token));
        let list = [1u32, SYSTEMTIME, 0, 2];
        status!(NtAdjustPrivilegesToken(
            token, false, &list, 16u32, NULL, NULL
        ));
        let begun = (system_time(), counter_time());
        // 1601, 2026, and the last day of the year 30827.
        for wanted in [0, 1, 134_000_000_000_000_000, 0x7FFF_35F4_0000_0000i64] {
            let mut before = 0i64;
            let count = counter_time();
            status!(NtSetSystemTime(&wanted, &mut before));
            let told = system_time();
            // Less the time that went by, which the counter tells.
            holds!(wanted <= told && told <= wanted + (counter_time() - count));
        }
        status!(NtSetSystemTime(&-1i64, NULL), INVALID_PARAMETER);
        status!(NtSetSystemTime(&i64::MAX, NULL), INVALID_PARAMETER);
        let now = begun.0 + (counter_time() - begun.1);
        status!(NtSetSystemTime(&now, NULL));
        status!(NtClose(token));
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
