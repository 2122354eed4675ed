//! How often the clock interrupts.
//!
//! 64 times a second unless somebody wants more. Each request holds for as long as it is kept; the finest of all
//! decides for all processors. Nothing is counted in interrupts that must not run
//! faster for it: quanta, the DPC watchdog and the times of threads are charged with
//! the time between two interrupts.
//!
//! # NT
//! `NtSetTimerResolution`, `ExSetTimerResolution`.

use core::sync::atomic::{AtomicU64, Ordering};

use arch::Machine;
use arch::contract::Clock;

use super::{DEFAULT_PERIOD, TICKS_PER_SECOND, start_on_this_processor};
use crate::{LockOrder, SpinLock, ipi, processor};

/// The longest time between two clock interrupts, in 100 ns.
pub const COARSEST_PERIOD: u64 = DEFAULT_PERIOD;
/// The shortest, 0.5 ms; what can be had are its multiples, and the longest.
pub const FINEST_PERIOD: u64 = 5_000;

/// Multiples of the shortest time that are shorter than the longest.
const STEPS: usize = 31;

/// How many want each multiple.
static REQUESTS: SpinLock<[u32; STEPS]> = SpinLock::ordered([0; STEPS], LockOrder::RESOLUTION);

static PERIOD: AtomicU64 = AtomicU64::new(DEFAULT_PERIOD);

/// The time between two clock interrupts at present, in 100 ns.
#[doc(alias = "KeQueryTimeIncrement")]
pub fn period() -> u64 {
    PERIOD.load(Ordering::Relaxed)
}

/// Counter ticks between two clock interrupts.
pub(super) fn counter_ticks() -> u64 {
    let frequency = Machine::counter_frequency();
    match period() {
        DEFAULT_PERIOD => frequency / TICKS_PER_SECOND,
        period => (frequency / 2000).max(1) * (period / FINEST_PERIOD),
    }
}

/// A wish for a resolution; given up when it is dropped.
#[must_use = "the resolution is wanted for as long as this is kept"]
pub struct ResolutionRequest {
    /// The multiple less one; none for the longest time, which is always to be had.
    step: Option<usize>,
}

/// Wants at most `period` units of 100 ns between two clock interrupts: rounded down to a multiple of 0.5 ms, at least that.
/// What comes of it, [`period`] tells.
///
/// # IRQL
/// At most Dispatch, with interrupts enabled.
#[doc(alias = "ExSetTimerResolution")]
pub fn request_resolution(period: u64) -> ResolutionRequest {
    let multiple = usize::try_from(period / FINEST_PERIOD).unwrap_or(usize::MAX);
    let step = (period < COARSEST_PERIOD).then(|| multiple.clamp(1, STEPS) - 1);
    if let Some(step) = step {
        let mut requests = REQUESTS.acquire();
        requests[step] += 1;
        settle(&requests);
    }
    ResolutionRequest { step }
}

impl Drop for ResolutionRequest {
    fn drop(&mut self) {
        if let Some(step) = self.step {
            let mut requests = REQUESTS.acquire();
            requests[step] -= 1;
            settle(&requests);
        }
    }
}

/// Makes the finest wish come true. The requests are locked, so that the last change is the one that stays.
fn settle(requests: &[u32; STEPS]) {
    let finest = requests.iter().zip(1..).find(|(wanted, _)| **wanted > 0);
    let period = finest.map_or(DEFAULT_PERIOD, |(_, multiple)| multiple * FINEST_PERIOD);
    if PERIOD.swap(period, Ordering::Relaxed) != period {
        ipi::call(processor::active(), |_| start_on_this_processor(), 0);
    }
}

/// Forgets what an earlier test left.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn forget() {
    *REQUESTS.acquire() = [0; STEPS];
    PERIOD.store(DEFAULT_PERIOD, Ordering::Relaxed);
}
