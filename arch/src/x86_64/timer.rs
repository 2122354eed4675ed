//! The counter (TSC) and each processor's clock interrupt (local APIC timer).
//!
//! The clock must not drift: an interrupt each `period` ticks of the counter, over
//! any time. A periodic timer would drift by the rounding of its count, and skips
//! when it is late. So each interrupt arms the next one for an absolute value of the
//! counter, the last deadline plus the period: in TSC-deadline mode that value itself
//! is written, else the distance to it, converted to the timer's rate and rounded up.
//! An interrupt that comes late shortens the next distance; nothing accumulates. Whole
//! periods that went by unserved are skipped: a burst of ticks to make up for them can
//! keep a held-up processor (an emulator on a busy host) from ever doing anything else.

use core::arch::asm;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use boards::{LoaderBlock, TimerDescription};

use super::apic::{self, MASKED, TIMER_DIVIDE, TIMER_ENTRY, TIMER_INITIAL};
use super::calibration::{self, DIVIDE_BY_ONE};
use super::features::{Features, features};
use super::per_processor;
use super::registers::Msr;
use super::trap::CLOCK_VECTOR;
use crate::Machine;
use crate::contract::{Clock, Processor};

// SAFETY: used only where CPUID reports the mode; it makes the timer interrupt, which the stubs take.
const DEADLINE: Msr = unsafe { Msr::new(0x6E0) };
/// In the timer's entry: wait for a value of the TSC.
const DEADLINE_MODE: u32 = 2 << 17;

static FREQUENCY: AtomicU64 = AtomicU64::new(0);
/// The timer's ticks per tick of the counter, as a fraction of 2^32.
static RATIO: AtomicU64 = AtomicU64::new(0);
static BY_PIT: AtomicBool = AtomicBool::new(false);

/// The counter now.
pub(super) fn read_counter() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: reads a counter. LFENCE keeps the read behind the loads before it, so that who sees a value written
    // after another processor's reading does not get an earlier one.
    unsafe {
        asm!("lfence", "rdtsc", out("eax") low, out("edx") high, options(nostack, nomem, preserves_flags))
    };
    u64::from(high) << 32 | u64::from(low)
}

/// Arms the next clock interrupt of this processor: called by its vector, with interrupts disabled.
pub(super) fn rearm() {
    let block = per_processor::current();
    let period = block.clock_period.load(Ordering::Relaxed);
    if period == 0 {
        return;
    }
    let now = read_counter();
    let deadline = next_deadline(block.clock_deadline.load(Ordering::Relaxed), period, now);
    block.clock_deadline.store(deadline, Ordering::Relaxed);
    arm(deadline, now);
}

/// The first deadline after `now` on the grid through `last`; the one after `last` if the timer was early.
const fn next_deadline(last: u64, period: u64, now: u64) -> u64 {
    let missed = now.saturating_sub(last) / period;
    last + period * (missed + 1)
}

const _: () = assert!(
    next_deadline(100, 10, 99) == 110
        && next_deadline(100, 10, 100) == 110
        && next_deadline(100, 10, 110) == 120
        && next_deadline(100, 10, 137) == 140
);

fn uses_deadline() -> bool {
    features().contains(Features::TSC_DEADLINE)
}

/// Interrupts when the counter reaches `deadline`; at once if it has.
fn arm(deadline: u64, now: u64) {
    if uses_deadline() {
        DEADLINE.write(deadline);
        return;
    }
    let distance = u128::from(deadline.saturating_sub(now));
    let ticks = (distance * u128::from(RATIO.load(Ordering::Relaxed))).div_ceil(1 << 32);
    // 0 would stop the timer; what is too far for 32 bits comes early, and `rearm` cannot tell, but no period is that long.
    apic::write(
        TIMER_INITIAL,
        u32::try_from(ticks).unwrap_or(u32::MAX).max(1),
    );
}

impl Clock for Machine {
    fn initialize_clock(loader: &LoaderBlock) -> Result<(), &'static str> {
        let TimerDescription::LocalApic { hpet } = loader.timer else {
            return Err("the firmware describes no timer of a PC");
        };
        let rates = calibration::measure(hpet)?;
        if rates.apic_timer == 0 && !uses_deadline() {
            return Err("the local APIC's timer stands still");
        }
        // Relaxed: other processors start later, with an ordering of their own.
        RATIO.store((rates.apic_timer << 32) / rates.counter, Ordering::Relaxed);
        BY_PIT.store(rates.reference == "PIT", Ordering::Relaxed);
        FREQUENCY.store(rates.counter, Ordering::Relaxed);
        Ok(())
    }

    fn counter() -> u64 {
        read_counter()
    }

    fn counter_frequency() -> u64 {
        FREQUENCY.load(Ordering::Relaxed)
    }

    fn start_clock(period: u64) {
        let enabled = Self::disable_interrupts();
        let now = read_counter();
        let block = per_processor::current();
        block.clock_period.store(period, Ordering::Relaxed);
        block.clock_deadline.store(now + period, Ordering::Relaxed);
        let mode = if uses_deadline() { DEADLINE_MODE } else { 0 };
        apic::write(TIMER_DIVIDE, DIVIDE_BY_ONE);
        apic::write(TIMER_ENTRY, mode | u32::from(CLOCK_VECTOR));
        // SAFETY: a fence. In xAPIC mode the entry is memory, and the MSR below could overtake the store to it (SDM
        // volume 3, 11.5.4.1).
        unsafe { asm!("mfence", options(nostack, preserves_flags)) };
        arm(now + period, now);
        Self::restore_interrupts(enabled);
    }

    fn stop_clock() {
        let enabled = Self::disable_interrupts();
        per_processor::current()
            .clock_period
            .store(0, Ordering::Relaxed);
        apic::write(TIMER_ENTRY, MASKED);
        if uses_deadline() {
            DEADLINE.write(0);
        } else {
            apic::write(TIMER_INITIAL, 0);
        }
        Self::restore_interrupts(enabled);
    }

    fn describe_clock(out: &mut dyn fmt::Write) -> fmt::Result {
        let frequency = Self::counter_frequency();
        let reference = if BY_PIT.load(Ordering::Relaxed) {
            "PIT"
        } else {
            "HPET"
        };
        let mode = if uses_deadline() {
            "TSC deadline"
        } else {
            "one-shot"
        };
        write!(
            out,
            "TSC at {}.{:03} MHz (by the {reference}), local APIC timer, {mode}",
            frequency / 1_000_000,
            frequency / 1000 % 1000
        )
    }
}
