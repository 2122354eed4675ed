//! The clock interrupt, and time.
//!
//! Time itself is the machine's counter; the interrupt only says when to look.
//! So a late or lost tick (an emulator that was not scheduled) makes no time
//! vanish. How often it comes is the business of `resolution`.

mod resolution;

use core::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use arch::Machine;
use arch::contract::{Clock, Processor, ProcessorNumber};
use boards::LoaderBlock;

pub use resolution::{
    COARSEST_PERIOD, FINEST_PERIOD, ResolutionRequest, period, request_resolution,
};

use crate::{dispatcher, dpc, processor, schedule};

/// Units of 100 ns between two clock interrupts, unless somebody wants a finer resolution: Windows' 15.625 ms.
pub const DEFAULT_PERIOD: u64 = 156_250;

/// Clock interrupts a second on each processor: Windows' default interval of 15.625 ms.
pub const TICKS_PER_SECOND: u64 = 64;

/// Finds the rates of counter and timer.
///
/// # Errors
/// One sentence: what is not as the firmware said.
pub(crate) fn initialize(loader: &LoaderBlock) -> Result<(), &'static str> {
    Machine::initialize_clock(loader)?;
    if Machine::counter_frequency() < TICKS_PER_SECOND {
        return Err("the timer's counter says that it counts slower than 64 Hz");
    }
    Ok(())
}

/// Starts the clock interrupt of this processor.
pub(crate) fn start_on_this_processor() {
    Machine::start_clock(resolution::counter_ticks());
}

/// What the clock's interrupt on the first processor leaves to be read, all of one moment.
///
/// # NT
/// The times of `KUSER_SHARED_DATA`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TickData {
    /// Time since the counter started, in 100 ns.
    pub interrupt_time: u64,
    /// In 100 ns since 1601.
    pub system_time: u64,
    /// Times 15.625 ms since the counter started, however often the clock ticks.
    pub tick_count: u64,
}

impl TickData {
    /// Milliseconds are `tick_count * TICK_COUNT_MULTIPLIER >> 24`.
    pub const TICK_COUNT_MULTIPLIER: u32 = 0x0FA0_0000;
}

static TICK_OBSERVER: spin::Once<fn(&TickData)> = spin::Once::new();

/// Names who writes the tick's data down where user mode reads them; called at Clock level on the first processor. The
/// first call counts.
pub fn set_tick_observer(observer: fn(&TickData)) {
    TICK_OBSERVER.call_once(|| observer);
}

/// Interrupt time at the first processor's last tick.
static LAST_TICK: AtomicU64 = AtomicU64::new(0);

/// Time since the counter started in 100 ns, as of the last tick: what is cheap to ask.
#[doc(alias = "KeQueryInterruptTime")]
pub fn tick_time() -> u64 {
    LAST_TICK.load(Ordering::Relaxed)
}

/// Times 15.625 ms since the counter started.
#[doc(alias = "KeQueryTickCount")]
pub fn tick_count() -> u64 {
    tick_time() / DEFAULT_PERIOD
}

fn first_processor_ticked() {
    let interrupt_time = interrupt_time();
    LAST_TICK.store(interrupt_time, Ordering::Relaxed);
    if let Some(observer) = TICK_OBSERVER.get() {
        observer(&TickData {
            interrupt_time,
            system_time: system_time(),
            tick_count: interrupt_time / DEFAULT_PERIOD,
        });
    }
    dispatcher::clock_ticked(interrupt_time);
}

/// Forgets what an earlier test left.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn forget() {
    LAST_TICK.store(0, Ordering::Relaxed);
    resolution::forget();
}

/// The clock ticked on this processor, while it was in user mode or not.
pub(crate) fn tick(in_user_mode: bool) {
    let me = processor::current();
    me.ticks.fetch_add(1, Ordering::Relaxed);
    let period = period();
    dpc::watch(me, period);
    if Machine::number() == ProcessorNumber::BOOT {
        first_processor_ticked();
    }
    schedule::charge_tick(me, in_user_mode, period);
}

/// Converts a number of counter ticks to units of 100 ns, NT's unit of time, without overflow.
pub const fn to_hundred_nanoseconds(ticks: u64, frequency: u64) -> u64 {
    const PER_SECOND: u64 = 10_000_000;
    if frequency == 0 {
        return 0;
    }
    ticks / frequency * PER_SECOND + ticks % frequency * PER_SECOND / frequency
}

/// Time since the counter started, in units of 100 ns.
#[doc(alias = "KeQueryInterruptTimePrecise")]
pub fn interrupt_time() -> u64 {
    to_hundred_nanoseconds(Machine::counter(), Machine::counter_frequency())
}

/// System time less interrupt time, in 100 ns: when the counter started, in 100 ns since 1601. It is before 1601 when
/// somebody sets a time that is less than the machine runs.
static BOOT_TIME: AtomicI64 = AtomicI64::new(0);

/// The system time, in 100 ns since 1601.
#[doc(alias = "KeQuerySystemTimePrecise")]
pub fn system_time() -> u64 {
    interrupt_time().saturating_add_signed(BOOT_TIME.load(Ordering::Relaxed))
}

/// Sets the system time. Timers and limits of waits that were set for a system time move with it.
///
/// # IRQL
/// At most Dispatch.
#[doc(alias = "KeSetSystemTime")]
pub fn set_system_time(time: u64) {
    let boot = signed(time).saturating_sub(signed(interrupt_time()));
    BOOT_TIME.store(boot, Ordering::Relaxed);
    dispatcher::follow_system_time();
}

/// The interrupt time of a system time; 0 for one before the machine was started.
pub(crate) fn to_interrupt_time(system: u64) -> u64 {
    signed(system)
        .saturating_sub(BOOT_TIME.load(Ordering::Relaxed))
        .max(0)
        .unsigned_abs()
}

/// A time as a signed number: NT's end in the year 30828, before the sign would be needed.
fn signed(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

/// The counter's value in `milliseconds` from now.
pub fn deadline(milliseconds: u64) -> u64 {
    Machine::counter().saturating_add(
        (Machine::counter_frequency() / 1000)
            .max(1)
            .saturating_mul(milliseconds),
    )
}

/// Whether the counter has reached `deadline`.
pub fn has_passed(deadline: u64) -> bool {
    Machine::counter() >= deadline
}

#[cfg(test)]
mod tests {
    use arch::contract::{Processor, ProcessorNumber};
    use arch::sim;

    use super::*;

    #[test]
    fn units_of_100_ns_do_not_overflow() {
        assert_eq!(to_hundred_nanoseconds(62_500_000, 62_500_000), 10_000_000);
        assert_eq!(to_hundred_nanoseconds(1, 62_500_000), 0);
        // A century at 1 GHz.
        let century = 100 * 365 * 86_400;
        assert_eq!(
            to_hundred_nanoseconds(century * 1_000_000_000, 1_000_000_000),
            century * 10_000_000
        );
    }

    /// A board without a clock begins in 1601, and somebody may set any time of that year.
    #[test]
    fn a_time_before_the_machines_start_is_set_as_it_is() {
        let _machine = crate::testing::boot(1);
        sim::advance(1000 * Machine::counter_frequency());
        let running = interrupt_time();
        for time in [0, 5, running, running + 7, 1 << 62] {
            set_system_time(time);
            assert_eq!(system_time(), time);
            assert_eq!(to_interrupt_time(time + 30), running + 30);
            // What was before the start is over.
            assert_eq!(
                to_interrupt_time(time.saturating_sub(running + 1)),
                running.saturating_sub(time)
            );
        }
        set_system_time(running);
    }

    #[test]
    fn each_processor_ticks_64_times_a_second() {
        let _machine = crate::testing::boot(2);
        let before = [0, 1].map(|number| processor::prcb(ProcessorNumber(number)).ticks());
        for number in [0, 1] {
            sim::on_processor(ProcessorNumber(number), start_on_this_processor);
        }
        sim::advance(Machine::counter_frequency());
        let after = [0, 1].map(|number| processor::prcb(ProcessorNumber(number)).ticks());
        assert_eq!([after[0] - before[0], after[1] - before[1]], [64, 64]);
        assert_eq!(Machine::number(), ProcessorNumber::BOOT);
    }
}
