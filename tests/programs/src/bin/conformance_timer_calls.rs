//! Timers that call a routine in the thread that set them.
//!
//! Expectations: the documentation of `SetWaitableTimer` and "Using Waitable Timers with an Asynchronous Procedure Call",
//! and what Wine's tests of kernel32 publish.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

#[cfg(target_os = "windows")]
mod program {
    use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

    use nt_abi::NtStatus;
    use nt_abi::access::AccessMask;
    use nt_abi::services::arguments::TimerType;
    use test_programs::check::Outcome;
    use test_programs::clocks::counter_time;
    use test_programs::services::*;
    use test_programs::threads::{join, spawn};
    use test_programs::{expect, holds, status};

    test_programs::checks! {
        a_timer_calls_its_routine,
        a_periodic_timer_calls_again_and_again,
        a_cancelled_timer_does_not_call,
        a_timer_is_cancelled_with_the_thread_that_it_calls,
    }

    /// 100 ns in a millisecond.
    const MS: i64 = 10_000;

    fn pause(milliseconds: i64) {
        let delay = -milliseconds * MS;
        let status = NtDelayExecution(false, &delay);
        assert!(status.is_success(), "{status}");
    }

    static CALLS: AtomicU32 = AtomicU32::new(0);
    static CONTEXT: AtomicU64 = AtomicU64::new(0);
    static TIME: AtomicU64 = AtomicU64::new(0);

    extern "C" fn called(context: u64, low: u64, high: u64) {
        CALLS.fetch_add(1, SeqCst);
        CONTEXT.store(context, SeqCst);
        TIME.store(high << 32 | low & 0xFFFF_FFFF, SeqCst);
    }

    fn timer() -> u64 {
        let mut timer = 0u64;
        let all = AccessMask::TIMER_ALL_ACCESS;
        let status = NtCreateTimer(&mut timer, all, NULL, TimerType(1));
        assert!(status.is_success(), "{status}");
        CALLS.store(0, SeqCst);
        timer
    }

    fn set(timer: u64, due: i64, context: u64, period: i32) -> NtStatus {
        let routine = called as extern "C" fn(u64, u64, u64) as usize as u64;
        NtSetTimer(timer, &due, routine, context, false, period, NULL)
    }

    /// Waits alertably, a second at most.
    fn wait_alertably() -> NtStatus {
        let long = -1000 * MS;
        NtDelayExecution(true, &long)
    }

    fn a_timer_calls_its_routine() -> Outcome {
        let timer = timer();
        let mut before = 0u64;
        status!(NtQuerySystemTime(&mut before));
        status!(set(timer, -20 * MS, 0x1234_5678_9ABC, 0));
        // Only an alertable wait lets it.
        pause(60);
        expect!(CALLS.load(SeqCst), 0);
        status!(wait_alertably(), USER_APC);
        expect!(CALLS.load(SeqCst), 1);
        expect!(CONTEXT.load(SeqCst), 0x1234_5678_9ABC);
        // It is told when it was due.
        let mut after = 0u64;
        status!(NtQuerySystemTime(&mut after));
        let time = TIME.load(SeqCst);
        holds!(time + 2 >= before + 20 * MS as u64 && time <= after);
        let short = -10 * MS;
        status!(NtDelayExecution(true, &short));
        expect!(CALLS.load(SeqCst), 1);
        // Its last handle may be closed.
        status!(set(timer, -20 * MS, 5, 0));
        status!(NtClose(timer));
        status!(wait_alertably(), USER_APC);
        expect!((CALLS.load(SeqCst), CONTEXT.load(SeqCst)), (2, 5));
        Ok(())
    }

    fn a_periodic_timer_calls_again_and_again() -> Outcome {
        let timer = timer();
        status!(set(timer, -20 * MS, 1, 20));
        for calls in 1..=4 {
            status!(wait_alertably(), USER_APC);
            expect!(CALLS.load(SeqCst), calls);
        }
        status!(NtCancelTimer(timer, NULL));
        let calls = CALLS.load(SeqCst);
        let short = -60 * MS;
        status!(NtDelayExecution(true, &short));
        expect!(CALLS.load(SeqCst), calls);
        status!(NtClose(timer));
        Ok(())
    }

    fn a_cancelled_timer_does_not_call() -> Outcome {
        let timer = timer();
        let short = -60 * MS;
        status!(set(timer, -20 * MS, 1, 0));
        status!(NtCancelTimer(timer, NULL));
        status!(NtDelayExecution(true, &short));
        // Even if it was due, and the call was only waiting for an alertable wait.
        status!(set(timer, 0, 1, 0));
        status!(NtCancelTimer(timer, NULL));
        status!(NtDelayExecution(true, &short));
        // To be set again without a routine is to be cancelled.
        status!(set(timer, 0, 1, 0));
        let due = -MS;
        status!(NtSetTimer(timer, &due, 0u64, 0u64, false, 0i32, NULL));
        status!(NtDelayExecution(true, &short));
        expect!(CALLS.load(SeqCst), 0);
        status!(NtClose(timer));
        Ok(())
    }

    static SET: AtomicU32 = AtomicU32::new(u32::MAX);

    /// Milliseconds: more than a thread needs to end, on a slow host as well.
    const LATER: i64 = 1500;

    extern "C" fn sets_the_timer_and_ends(timer: u64) -> u32 {
        SET.store(set(timer, -LATER * MS, 1, 0).0, SeqCst);
        0
    }

    fn a_timer_is_cancelled_with_the_thread_that_it_calls() -> Outcome {
        let timer = timer();
        loop {
            let start = counter_time();
            join(spawn(sets_the_timer_and_ends, timer)?)?;
            status!(NtStatus(SET.load(SeqCst)));
            if counter_time() - start < LATER * MS {
                break;
            }
            // It may have fallen due while the thread still ended.
            status!(NtCancelTimer(timer, NULL));
            let _ = NtWaitForSingleObject(timer, false, &0i64);
        }
        let past_it = -(LATER + 100) * MS;
        status!(NtWaitForSingleObject(timer, true, &past_it), TIMEOUT);
        expect!(CALLS.load(SeqCst), 0);
        status!(NtClose(timer));
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
