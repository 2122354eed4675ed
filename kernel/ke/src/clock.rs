//! The clock interrupt, and time.
//!
//! Time itself is the machine's counter; the interrupt only says when to look.
//! So a late or lost tick (an emulator that was not scheduled) makes no time
//! vanish.

use core::sync::atomic::Ordering;

use arch::Machine;
use arch::contract::Clock;
use boards::LoaderBlock;

use crate::{dpc, processor};

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
    Machine::start_clock(Machine::counter_frequency() / TICKS_PER_SECOND);
}

/// The clock ticked on this processor.
pub(crate) fn tick() {
    let me = processor::current();
    me.ticks.fetch_add(1, Ordering::Relaxed);
    dpc::watch(me);
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
