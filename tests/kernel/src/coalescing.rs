//! Timers that may be late fall due together: the clock's interrupt finds work less often.

use ke::dispatcher::{Due, EventKind, Timer, timer_expirations};
use ke::wait::{WaitOptions, wait_for_one};
use ke::{clock, info};
use nt_abi::NtStatus;

/// 100 ns units in a millisecond.
const MS: u64 = 10_000;
const TIMERS: u64 = 40;

type TestResult = Result<(), &'static str>;

/// Lets timers fall due 50 ms after each other, or as much later as they tolerate; gives how often there was one to look for.
fn looks(tolerance: u64) -> Result<u64, &'static str> {
    let before = timer_expirations();
    #[allow(clippy::cast_possible_truncation, reason = "a small constant")]
    let mut timers = [const { None }; TIMERS as usize];
    let start = clock::interrupt_time();
    for (slot, number) in timers.iter_mut().zip(1..) {
        let timer = Timer::new(EventKind::Notification).map_err(|_| "no memory for a timer")?;
        let due = start + number * 50 * MS;
        let left = due.saturating_sub(clock::interrupt_time());
        timer.set_coalescable(Due::In(left), 0, tolerance, None);
        *slot = Some((due, timer));
    }
    for (due, timer) in timers.iter().flatten() {
        if wait_for_one(timer.header(), &WaitOptions::kernel()) != NtStatus::WAIT_0 {
            return Err("waiting for a timer gave another status than WAIT_0");
        }
        if clock::interrupt_time() < *due {
            return Err("a timer is early");
        }
    }
    Ok(timer_expirations() - before)
}

/// Forty timers in two seconds, exact and with half a second to spare.
pub(crate) fn coalescing() -> TestResult {
    let exact = looks(0)?;
    let tolerant = looks(500 * MS)?;
    info!("{TIMERS} timers: {exact} looks if they are exact, {tolerant} if they may be late");
    if exact < TIMERS {
        Err("exact timers fell due together")
    } else if tolerant > TIMERS / 4 {
        Err("timers that may be late did not fall due together")
    } else {
        Ok(())
    }
}
