//! Timers, waits with limits, delays.
//!
//! Expectations: the documentation of `CreateWaitableTimer`, `SetWaitableTimer` and `Sleep`, and what
//! Wine's tests of ntdll and kernel32 publish. A wait may end late on a loaded machine; it never ends early, and that
//! alone is checked.
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
    use nt_abi::object_information::TimerBasicInformation;
    use nt_abi::services::arguments::{
        EventType, TimerInformationClass, TimerSetInformationClass, TimerType,
    };
    use test_programs::check::Outcome;
    use test_programs::clocks::{counter_time, system_time};
    use test_programs::counters::own_switches;
    use test_programs::names::Named;
    use test_programs::services::*;
    use test_programs::{expect, holds, status};

    test_programs::checks! {
        a_delay_ends_not_before_its_time,
        the_shortest_delay_gives_up_the_processor,
        an_absolute_delay_ends_not_before_its_time,
        a_wait_times_out_not_before_its_time,
        a_timer_is_signalled_not_before_its_time,
        a_time_that_is_past_signals_at_once,
        a_notification_timer_stays_signalled,
        a_periodic_timer_is_signalled_again_and_again,
        a_cancelled_timer_is_not_signalled,
        setting_and_cancelling_tell_the_state_before,
        a_timer_tells_state_and_remaining_time,
        queries_of_timers_refuse_what_is_wrong,
        a_timer_has_a_name,
        setting_refuses_what_is_wrong,
        a_coalescable_timer_is_not_early,
        services_of_timers_ask_for_rights,
    }

    const NOTIFICATION: TimerType = TimerType(0);
    const SYNCHRONIZATION: TimerType = TimerType(1);
    const KERNEL: Address = Address(0xFFFF_8000_0000_0000);
    const NOW: i64 = 0;
    /// 100 ns in a millisecond.
    const MS: i64 = 10_000;
    /// No routine, no context.
    const NONE: u64 = 0;

    fn timer(kind: TimerType) -> u64 {
        let mut timer = 0u64;
        let status = NtCreateTimer(&mut timer, AccessMask::TIMER_ALL_ACCESS, NULL, kind);
        assert!(status.is_success(), "{status}");
        timer
    }

    fn set(timer: u64, due: i64, period: i32) -> nt_abi::NtStatus {
        NtSetTimer(timer, &due, NONE, NONE, false, period, NULL)
    }

    fn is_signalled(handle: u64) -> bool {
        NtWaitForSingleObject(handle, false, &NOW) == nt_abi::NtStatus::WAIT_0
    }

    /// Whether what `body` does takes that long, by both clocks; each is cut to whole units twice.
    fn takes(least: i64, body: impl FnOnce() -> nt_abi::NtStatus) -> Result<nt_abi::NtStatus, i64> {
        let (counter, system) = (counter_time(), system_time());
        let status = body();
        let (counter, system) = (counter_time() - counter, system_time() - system);
        let shortest = counter.min(system);
        if shortest + 2 >= least {
            Ok(status)
        } else {
            Err(shortest)
        }
    }

    fn a_delay_ends_not_before_its_time() -> Outcome {
        for time in [MS / 10, MS, 20 * MS, 50 * MS] {
            let delay = -time;
            expect!(
                takes(time, || NtDelayExecution(false, &delay)),
                Ok(nt_abi::NtStatus::SUCCESS)
            );
        }
        // No time at all gives the rest of the turn away, if somebody wants it.
        for alertable in [false, true] {
            let status = NtDelayExecution(alertable, &NOW);
            holds!(matches!(
                status,
                nt_abi::NtStatus::SUCCESS | nt_abi::NtStatus::NO_YIELD_PERFORMED
            ));
        }
        status!(NtDelayExecution(false, KERNEL), ACCESS_VIOLATION);
        status!(NtDelayExecution(false, NULL), ACCESS_VIOLATION);
        Ok(())
    }

    /// It lasts until the clock ticks ("Sleep": a time below the clock's resolution lasts up to a tick), though its time may
    /// have passed before the kernel looks.
    fn the_shortest_delay_gives_up_the_processor() -> Outcome {
        const DELAYS: u32 = 20;
        let before = own_switches()?;
        for _ in 0..DELAYS {
            status!(NtDelayExecution(false, &-1i64));
        }
        holds!(own_switches()? - before >= DELAYS);
        Ok(())
    }

    fn an_absolute_delay_ends_not_before_its_time() -> Outcome {
        let due = system_time() + 30 * MS;
        status!(NtDelayExecution(false, &due));
        holds!(system_time() >= due);
        // What is past is no delay.
        let past = 1i64;
        status!(NtDelayExecution(false, &past));
        Ok(())
    }

    fn a_wait_times_out_not_before_its_time() -> Outcome {
        let mut event = 0u64;
        let all = AccessMask::EVENT_ALL_ACCESS;
        status!(NtCreateEvent(&mut event, all, NULL, EventType(0), false));
        let soon = -30 * MS;
        expect!(
            takes(30 * MS, || NtWaitForSingleObject(event, false, &soon)),
            Ok(nt_abi::NtStatus::TIMEOUT)
        );
        let due = system_time() + 30 * MS;
        status!(NtWaitForSingleObject(event, false, &due), TIMEOUT);
        holds!(system_time() >= due);
        let past = 1i64;
        status!(NtWaitForSingleObject(event, false, &past), TIMEOUT);
        expect!(
            takes(30 * MS, || NtWaitForKeyedEvent(0u64, 16u64, false, &soon)),
            Ok(nt_abi::NtStatus::TIMEOUT)
        );
        expect!(
            takes(30 * MS, || NtWaitForAlertByThreadId(0u64, &soon)),
            Ok(nt_abi::NtStatus::TIMEOUT)
        );
        status!(NtClose(event));
        Ok(())
    }

    fn a_timer_is_signalled_not_before_its_time() -> Outcome {
        for kind in [NOTIFICATION, SYNCHRONIZATION] {
            let timer = timer(kind);
            holds!(!is_signalled(timer));
            let run = || {
                let status = set(timer, -40 * MS, 0);
                assert!(status.is_success(), "{status}");
                // A machine that was kept busy may be past its time here already; `takes` sees whether it was early.
                if is_signalled(timer) {
                    return nt_abi::NtStatus::WAIT_0;
                }
                NtWaitForSingleObject(timer, false, NULL)
            };
            expect!(takes(40 * MS, run), Ok(nt_abi::NtStatus::WAIT_0));
            let due = system_time() + 40 * MS;
            status!(set(timer, due, 0));
            status!(NtWaitForSingleObject(timer, false, NULL), WAIT_0);
            holds!(system_time() >= due);
            status!(NtClose(timer));
        }
        Ok(())
    }

    fn a_time_that_is_past_signals_at_once() -> Outcome {
        let timer = timer(SYNCHRONIZATION);
        status!(set(timer, 0, 0));
        holds!(is_signalled(timer));
        holds!(!is_signalled(timer));
        status!(set(timer, 1, 0));
        holds!(is_signalled(timer));
        status!(NtClose(timer));
        Ok(())
    }

    fn a_notification_timer_stays_signalled() -> Outcome {
        let timer = timer(NOTIFICATION);
        status!(set(timer, 0, 0));
        holds!(is_signalled(timer));
        holds!(is_signalled(timer));
        // Setting it again clears it.
        status!(set(timer, -3_600_000 * MS, 0));
        holds!(!is_signalled(timer));
        status!(NtClose(timer));
        Ok(())
    }

    fn a_periodic_timer_is_signalled_again_and_again() -> Outcome {
        let timer = timer(SYNCHRONIZATION);
        let run = || {
            let status = set(timer, -20 * MS, 20);
            assert!(status.is_success(), "{status}");
            for _ in 0..4 {
                let status = NtWaitForSingleObject(timer, false, NULL);
                assert!(status.is_success(), "{status}");
            }
            NtWaitForSingleObject(timer, false, NULL)
        };
        // The grid is that of the first time: one that is waited for late is not followed by a long pause, but five times
        // take the first and four periods, less what the first wait came late.
        expect!(takes(80 * MS, run), Ok(nt_abi::NtStatus::WAIT_0));
        status!(NtCancelTimer(timer, NULL));
        is_signalled(timer);
        let a_while = -60 * MS;
        status!(NtWaitForSingleObject(timer, false, &a_while), TIMEOUT);
        status!(NtClose(timer));
        Ok(())
    }

    fn a_cancelled_timer_is_not_signalled() -> Outcome {
        let (timer, mut state) = (timer(NOTIFICATION), 9u8);
        status!(set(timer, -3_600_000 * MS, 0));
        status!(NtCancelTimer(timer, &mut state));
        expect!(state, 0);
        // One that was cancelled before its time is not signalled when that comes.
        status!(set(timer, -30 * MS, 0));
        status!(NtCancelTimer(timer, &mut state));
        if state == 0 {
            let a_while = -60 * MS;
            status!(NtWaitForSingleObject(timer, false, &a_while), TIMEOUT);
        }
        // It is not set any more, and clear.
        status!(set(timer, -3_600_000 * MS, 0));
        status!(NtCancelTimer(timer, NULL));
        // To cancel what is not set changes nothing.
        status!(NtCancelTimer(timer, &mut state));
        expect!(state, 0);
        status!(NtClose(timer));
        Ok(())
    }

    fn setting_and_cancelling_tell_the_state_before() -> Outcome {
        let (timer, mut state) = (timer(NOTIFICATION), 9u8);
        let set =
            |due: i64, state: &mut u8| NtSetTimer(timer, &due, NONE, NONE, false, 0i32, state);
        status!(set(0, &mut state));
        expect!(state, 0);
        status!(set(-3_600_000 * MS, &mut state));
        expect!(state, 1);
        status!(set(0, &mut state));
        expect!(state, 0);
        status!(NtCancelTimer(timer, &mut state));
        expect!(state, 1);
        status!(NtClose(timer));
        Ok(())
    }

    const BASIC: TimerInformationClass = TimerInformationClass(0);

    fn query(timer: u64) -> (i64, u8) {
        let (mut told, mut length) = (TimerBasicInformation::default(), 0u32);
        let status = NtQueryTimer(timer, BASIC, &mut told, 16u32, &mut length);
        assert!(status.is_success() && length == 16, "{status}, {length}");
        (told.remaining_time, told.timer_state)
    }

    fn a_timer_tells_state_and_remaining_time() -> Outcome {
        let timer = timer(SYNCHRONIZATION);
        status!(set(timer, -3_600_000 * MS, 0));
        let (remaining, state) = query(timer);
        expect!(state, 0);
        holds!(remaining > 3_000_000 * MS && remaining <= 3_600_000 * MS);
        status!(set(timer, -MS, 0));
        let a_while = -10 * MS;
        status!(NtDelayExecution(false, &a_while));
        while query(timer).1 == 0 {
            status!(NtDelayExecution(false, &a_while));
        }
        // The time is past.
        holds!(query(timer).0 <= 0);
        // The query takes nothing.
        holds!(is_signalled(timer));
        expect!(query(timer).1, 0);
        status!(NtClose(timer));
        Ok(())
    }

    fn queries_of_timers_refuse_what_is_wrong() -> Outcome {
        let (timer, mut told) = (timer(NOTIFICATION), [0u64; 4]);
        status!(
            NtQueryTimer(timer, TimerInformationClass(1), &mut told, 16u32, NULL),
            INVALID_INFO_CLASS
        );
        for length in [0u32, 8, 15, 17] {
            status!(
                NtQueryTimer(timer, BASIC, &mut told, length, NULL),
                INFO_LENGTH_MISMATCH
            );
        }
        status!(
            NtQueryTimer(timer, BASIC, KERNEL, 16u32, NULL),
            ACCESS_VIOLATION
        );
        status!(
            NtQueryTimer(0u64, BASIC, &mut told, 16u32, NULL),
            INVALID_HANDLE
        );
        status!(NtClose(timer));
        Ok(())
    }

    fn a_timer_has_a_name() -> Outcome {
        let (mut first, mut second) = (0u64, 0u64);
        let all = AccessMask::TIMER_ALL_ACCESS;
        let mut name = Named::new("\\BaseNamedObjects\\ConformanceTimer");
        status!(NtCreateTimer(&mut first, all, name.get(), NOTIFICATION));
        status!(
            NtCreateTimer(&mut second, all, name.get(), NOTIFICATION),
            OBJECT_NAME_COLLISION
        );
        status!(NtOpenTimer(&mut second, all, name.get()));
        status!(set(second, 0, 0));
        holds!(is_signalled(first));
        // What a failed call leaves in the handle's place is nobody's promise.
        let mut other = 0u64;
        status!(
            NtOpenEvent(&mut other, all, name.get()),
            OBJECT_TYPE_MISMATCH
        );
        status!(NtClose(second));
        status!(NtClose(first));
        status!(
            NtOpenTimer(&mut second, all, name.get()),
            OBJECT_NAME_NOT_FOUND
        );
        status!(
            NtCreateTimer(&mut first, all, NULL, TimerType(2)),
            INVALID_PARAMETER_4
        );
        status!(
            NtCreateTimer(KERNEL, all, NULL, NOTIFICATION),
            ACCESS_VIOLATION
        );
        Ok(())
    }

    fn setting_refuses_what_is_wrong() -> Outcome {
        let timer = timer(NOTIFICATION);
        status!(set(timer, 0, -1), INVALID_PARAMETER_6);
        holds!(!is_signalled(timer));
        status!(set(0, 0, 0), INVALID_HANDLE);
        status!(
            NtSetTimer(timer, KERNEL, NONE, NONE, false, 0i32, NULL),
            ACCESS_VIOLATION
        );
        status!(
            NtSetTimer(timer, NULL, NONE, NONE, false, 0i32, NULL),
            ACCESS_VIOLATION
        );
        status!(
            NtSetTimer(timer, &NOW, NONE, NONE, false, 0i32, KERNEL),
            ACCESS_VIOLATION
        );
        holds!(!is_signalled(timer));
        status!(
            NtSetTimer(timer, &NOW, NONE, NONE, true, 0i32, NULL),
            TIMER_RESUME_IGNORED
        );
        holds!(is_signalled(timer));
        status!(NtCancelTimer(0u64, NULL), INVALID_HANDLE);
        status!(NtCancelTimer(timer, KERNEL), ACCESS_VIOLATION);
        status!(
            NtSetTimer(CURRENT_PROCESS, &NOW, NONE, NONE, false, 0i32, NULL),
            OBJECT_TYPE_MISMATCH
        );
        status!(NtClose(timer));
        Ok(())
    }

    fn a_coalescable_timer_is_not_early() -> Outcome {
        let (timer, mut before) = (timer(NOTIFICATION), 9u8);
        let class = TimerSetInformationClass(0);
        // Due time, routine, context, wake context, period and tolerance, where the state before goes.
        let due = (-30 * MS).cast_unsigned();
        let mut setting = [due, 0, 0, 0, 50 << 32, address_of(&mut before)];
        let run = || {
            let status = NtSetTimerEx(timer, class, &mut setting, 48u32);
            assert!(status.is_success(), "{status}");
            NtWaitForSingleObject(timer, false, NULL)
        };
        expect!(takes(30 * MS, run), Ok(nt_abi::NtStatus::WAIT_0));
        expect!(before, 0);
        let mut setting = [0u64; 6];
        status!(
            NtSetTimerEx(timer, TimerSetInformationClass(1), &mut setting, 48u32),
            INVALID_INFO_CLASS
        );
        status!(
            NtSetTimerEx(timer, class, &mut setting, 47u32),
            INFO_LENGTH_MISMATCH
        );
        status!(NtSetTimerEx(timer, class, KERNEL, 48u32), ACCESS_VIOLATION);
        status!(
            NtSetTimerEx(0u64, class, &mut setting, 48u32),
            INVALID_HANDLE
        );
        status!(NtClose(timer));
        Ok(())
    }

    fn services_of_timers_ask_for_rights() -> Outcome {
        let (mut timer, mut told) = (0u64, [0u64; 2]);
        let access = AccessMask::TIMER_QUERY_STATE;
        status!(NtCreateTimer(&mut timer, access, NULL, NOTIFICATION));
        status!(set(timer, 0, 0), ACCESS_DENIED);
        status!(NtCancelTimer(timer, NULL), ACCESS_DENIED);
        status!(NtWaitForSingleObject(timer, false, &NOW), ACCESS_DENIED);
        status!(NtQueryTimer(timer, BASIC, &mut told, 16u32, NULL));
        status!(NtClose(timer));
        let access = AccessMask::TIMER_MODIFY_STATE;
        status!(NtCreateTimer(&mut timer, access, NULL, NOTIFICATION));
        status!(
            NtQueryTimer(timer, BASIC, &mut told, 16u32, NULL),
            ACCESS_DENIED
        );
        status!(set(timer, 0, 0));
        status!(NtClose(timer));
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
