//! Ten thousand timers, and the clock's period: for a machine that counts instructions for time, so that no load of the host
//! makes anything late.
//!
//! Expectations: `NtSetTimer`'s documentation (a timer is signaled when its time has come, by the clock's next interrupt) and
//! `NtSetTimerResolution`'s (the clock interrupts as often as was asked for).
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

#[cfg(target_os = "windows")]
mod program {
    use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

    use nt_abi::access::AccessMask;
    use nt_abi::services::arguments::{SystemInformationClass, TimerType};
    use nt_abi::system_information::activity::SystemProcessorPerformanceInformation;
    use test_programs::check::{Failed, Outcome, line};
    use test_programs::services::*;
    use test_programs::threads::{join, spawn};
    use test_programs::{expect, holds, status};
    use zerocopy::FromZeros as _;

    test_programs::checks! {
        ten_thousand_timers_are_on_time,
        the_period_is_what_was_asked_for,
    }

    /// 100 ns units.
    const MS: i64 = 10_000;
    const SECOND: i64 = 1_000 * MS;
    const TICK: i64 = 156_250;

    const THREADS: usize = 8;
    const EACH: usize = 1250;
    /// Over this time the timers fall due, beginning half a second from now.
    const SPREAD: u64 = 10 * SECOND as u64;

    static EARLY: AtomicU32 = AtomicU32::new(0);
    static LATE: AtomicU32 = AtomicU32::new(0);
    static LATEST: AtomicU64 = AtomicU64::new(0);
    static DONE: AtomicU32 = AtomicU32::new(0);

    /// The time by the counter.
    fn now() -> Result<i64, Failed> {
        let (mut count, mut frequency) = (0i64, 0i64);
        status!(NtQueryPerformanceCounter(&mut count, &mut frequency));
        holds!(frequency > 0);
        let seconds = count / frequency;
        Ok(seconds * SECOND + count % frequency * SECOND / frequency)
    }

    /// The next of a row of numbers that look drawn.
    fn draw(seed: &mut u64) -> u64 {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        *seed
    }

    fn wait_for_timers(mut seed: u64) -> Outcome {
        let mut timers = [(0i64, 0u64); EACH];
        for (_, handle) in &mut timers {
            status!(NtCreateTimer(
                handle,
                AccessMask::TIMER_ALL_ACCESS,
                NULL,
                TimerType(1)
            ));
        }
        for (due, handle) in &mut timers {
            let wait = SECOND / 2 + (draw(&mut seed) % SPREAD) as i64;
            *due = now()? + wait;
            let relative = -wait;
            status!(NtSetTimer(
                *handle, &relative, 0u64, 0u64, false, 0i32, NULL
            ));
        }
        timers.sort_unstable();
        for (due, handle) in &timers {
            status!(NtWaitForSingleObject(*handle, false, NULL));
            let late = now()? - due;
            if late < 0 {
                EARLY.fetch_add(1, Ordering::Relaxed);
            } else if late >= TICK {
                LATE.fetch_add(1, Ordering::Relaxed);
            }
            LATEST.fetch_max(late.max(0) as u64, Ordering::Relaxed);
            DONE.fetch_add(1, Ordering::Relaxed);
        }
        for (_, handle) in &timers {
            status!(NtClose(*handle));
        }
        Ok(())
    }

    extern "C" fn waiter(seed: u64) -> u32 {
        u32::from(wait_for_timers(seed).is_err())
    }

    /// None is early, and of a hundred at most one is a tick late.
    fn ten_thousand_timers_are_on_time() -> Outcome {
        let mut threads = [0u64; THREADS];
        for (thread, number) in threads.iter_mut().zip(1u64..) {
            *thread = spawn(waiter, number * 0x9E37_79B9_7F4A_7C15)?;
        }
        for thread in threads {
            join(thread)?;
        }
        let [early, late, done] = [&EARLY, &LATE, &DONE].map(|count| count.load(Ordering::Relaxed));
        line(format_args!(
            "{done} timers: {early} early, {late} a tick late or more, the latest by {} us",
            LATEST.load(Ordering::Relaxed) / 10
        ));
        expect!(done as usize, THREADS * EACH);
        expect!(early, 0);
        holds!(late * 100 <= done);
        Ok(())
    }

    /// `SystemProcessorPerformanceInformation`.
    const PROCESSORS: SystemInformationClass = SystemInformationClass(8);
    const MOST: usize = 64;

    /// The interrupts of each processor so far, and how many processors there are.
    fn interrupts() -> Result<([u32; MOST], usize), Failed> {
        let mut answer = [SystemProcessorPerformanceInformation::new_zeroed(); MOST];
        let (size, mut length) = (size_of_val(&answer) as u32, 0u32);
        status!(NtQuerySystemInformation(
            PROCESSORS,
            &mut answer,
            size,
            &mut length
        ));
        let count = length as usize / size_of::<SystemProcessorPerformanceInformation>();
        Ok((answer.map(|processor| processor.interrupt_count), count))
    }

    /// Interrupts in two seconds of the processor that has the fewest: those of the clock, and next to none besides.
    fn clock_interrupts() -> Result<u32, Failed> {
        let (before, count) = interrupts()?;
        let from = now()?;
        let wait = -2 * SECOND;
        status!(NtDelayExecution(false, &wait));
        let (after, _) = interrupts()?;
        let passed = now()? - from;
        let fewest = after.iter().zip(&before).take(count);
        let fewest = fewest
            .map(|(after, before)| after.wrapping_sub(*before))
            .min();
        let fewest = fewest.ok_or(Failed)?;
        // In two seconds exactly.
        Ok((i64::from(fewest) * 2 * SECOND / passed.max(1)) as u32)
    }

    /// The clock interrupts as often as the finest wish wants, counted on each processor.
    fn the_period_is_what_was_asked_for() -> Outcome {
        let mut actual = 0u32;
        for period in [0u32, 10_000, 5_000, 20_000] {
            let expected = if period == 0 {
                actual = TICK as u32;
                128
            } else {
                status!(NtSetTimerResolution(period, true, &mut actual));
                expect!(actual, period);
                20_000_000 / period
            };
            let counted = clock_interrupts()?;
            line(format_args!(
                "a period of {actual}00 ns: {counted} interrupts in two seconds"
            ));
            holds!(counted.abs_diff(expected) <= expected / 100 + 2);
        }
        status!(NtSetTimerResolution(0u32, false, &mut actual));
        let counted = clock_interrupts()?;
        holds!(counted.abs_diff(128) <= 3);
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
