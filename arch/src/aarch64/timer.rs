//! The generic timer: the virtual counter and the virtual timer.
//!
//! Virtual, because they exist at EL1 whoever is above (CNTVOFF_EL2 is 0 if we
//! came from EL2 ourselves) and user mode may read the counter. The interrupt is
//! periodic without drift: the next expiry is the last one plus the period, not now
//! plus the period. Whole periods that went by unserved are skipped, so that a
//! machine that was held up gets one tick, not a burst.

use core::arch::asm;
use core::fmt;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use boards::{LoaderBlock, TimerDescription};

use super::per_processor;
use super::{Machine, interrupts};
use crate::contract::{Clock, Irql, Processor};

const ENABLE: u64 = 1;

static FREQUENCY: AtomicU64 = AtomicU64::new(0);
/// INTID of the virtual timer; 0 before `initialize_clock`.
static INTERRUPT: AtomicU32 = AtomicU32::new(0);

fn read_frequency() -> u64 {
    let frequency: u64;
    // SAFETY: reads the register.
    unsafe {
        asm!("mrs {}, cntfrq_el0", out(reg) frequency, options(nomem, nostack, preserves_flags))
    };
    frequency & 0xFFFF_FFFF
}

fn set_compare(value: u64) {
    // SAFETY: sets when this processor's timer fires, which is expected at any time. ISB: the timer's line follows before
    // the interrupt is ended.
    unsafe {
        asm!("msr cntv_cval_el0, {}", "isb", in(reg) value, options(nostack, preserves_flags))
    };
}

fn set_control(value: u64) {
    // SAFETY: as for `set_compare`.
    unsafe {
        asm!("msr cntv_ctl_el0, {}", "isb", in(reg) value, options(nostack, preserves_flags))
    };
}

/// Lets user mode read the virtual counter, and nothing else of the timer.
pub(super) fn allow_user_counter() {
    // SAFETY: EL0VCTEN concerns EL0 alone.
    unsafe { asm!("msr cntkctl_el1, {}", "isb", in(reg) 2_u64, options(nostack, preserves_flags)) };
}

/// Whether that INTID is the clock's.
pub(super) fn is_clock(intid: u32) -> bool {
    intid != 0 && intid == INTERRUPT.load(Ordering::Relaxed)
}

/// Sets the timer to the next expiry after now. Interrupts are off.
pub(super) fn rearm() {
    let block = per_processor::current();
    let period = block.clock_period.load(Ordering::Relaxed);
    if period == 0 {
        set_control(0);
        return;
    }
    let next = next_expiry(
        block.clock_next.load(Ordering::Relaxed),
        period,
        Machine::counter(),
    );
    block.clock_next.store(next, Ordering::Relaxed);
    set_compare(next);
}

/// The first expiry after `now` on the grid through `last`.
const fn next_expiry(last: u64, period: u64, now: u64) -> u64 {
    let missed = now.saturating_sub(last) / period;
    last + period * (missed + 1)
}

const _: () = assert!(
    next_expiry(100, 10, 99) == 110
        && next_expiry(100, 10, 100) == 110
        && next_expiry(100, 10, 109) == 110
        && next_expiry(100, 10, 110) == 120
        && next_expiry(100, 10, 137) == 140
);

impl Clock for Machine {
    fn initialize_clock(loader: &LoaderBlock) -> Result<(), &'static str> {
        let TimerDescription::Generic {
            virtual_interrupt,
            frequency,
            ..
        } = loader.timer
        else {
            return Err("the firmware describes no generic timer");
        };
        let frequency = frequency.map_or_else(read_frequency, u64::from);
        if frequency == 0 {
            return Err("CNTFRQ_EL0 is 0 and the firmware gives no rate for the timer");
        }
        if !(16..32).contains(&virtual_interrupt) {
            return Err("the virtual timer's interrupt is no private peripheral interrupt");
        }
        FREQUENCY.store(frequency, Ordering::Relaxed);
        INTERRUPT.store(virtual_interrupt, Ordering::Relaxed);
        Ok(())
    }

    #[inline]
    fn counter() -> u64 {
        let counter: u64;
        // SAFETY: reads the counter. ISB: not before what precedes it in the program.
        unsafe {
            asm!("isb", "mrs {}, cntvct_el0", out(reg) counter, options(nostack, preserves_flags))
        };
        counter
    }

    fn counter_frequency() -> u64 {
        match FREQUENCY.load(Ordering::Relaxed) {
            0 => read_frequency(),
            frequency => frequency,
        }
    }

    fn start_clock(period: u64) {
        let enabled = Self::disable_interrupts();
        let block = per_processor::current();
        let next = Self::counter() + period;
        block.clock_period.store(period, Ordering::Relaxed);
        block.clock_next.store(next, Ordering::Relaxed);
        set_compare(next);
        interrupts::enable_private(INTERRUPT.load(Ordering::Relaxed), Irql::Clock);
        set_control(ENABLE);
        Self::restore_interrupts(enabled);
    }

    fn stop_clock() {
        let enabled = Self::disable_interrupts();
        per_processor::current()
            .clock_period
            .store(0, Ordering::Relaxed);
        set_control(0);
        Self::restore_interrupts(enabled);
    }

    fn describe_clock(out: &mut dyn fmt::Write) -> fmt::Result {
        let intid = INTERRUPT.load(Ordering::Relaxed);
        write!(
            out,
            "generic timer, virtual, {} Hz, INTID {intid}",
            Self::counter_frequency()
        )
    }
}
