//! What `cargo xtask bench boot` reads from the log, if asked to by `measure`: `bench: NAME TICKS HERTZ`.
//!
//! The counter starts at reset and, where the emulator counts instructions, is
//! their number; the log carries it as the counter has it.

use core::sync::atomic::{AtomicU64, Ordering};

use arch::Machine;
use arch::contract::Clock;
use ke::info;

static FIRST_LINE: AtomicU64 = AtomicU64::new(0);

/// Keeps the counter's value just before the first line, until its rate is known.
pub(crate) fn note_first_line(counter: u64) {
    FIRST_LINE.store(counter, Ordering::Relaxed);
}

/// Writes the measures: every processor is idle as of `all_idle`.
pub(crate) fn report(at_entry: u64, all_idle: u64) {
    let frequency = Machine::counter_frequency();
    info!("bench: reset-to-entry {at_entry} {frequency}");
    info!(
        "bench: reset-to-first-line {} {frequency}",
        FIRST_LINE.load(Ordering::Relaxed)
    );
    info!("bench: reset-to-all-idle {all_idle} {frequency}");
}
