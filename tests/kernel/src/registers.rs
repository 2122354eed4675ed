//! The register file across interrupts.

use core::sync::atomic::{AtomicU64, Ordering};

use arch::contract::{Clock, Processor, ProcessorNumber, ProcessorSet, SelfTest};
use arch::{Machine, SimdState};
use ke::dpc::{self, Dpc};
use ke::processor::{active, prcb};
use ke::{error, info, ipi};

const INTERRUPTS: u64 = 100_000;

static TAKEN: AtomicU64 = AtomicU64::new(0);

/// Calls processor 0 until it has taken enough interrupts. In each it saves the SIMD registers, overwrites every one, and
/// loads them again, as a thread switch would.
static CALLER: Dpc = Dpc::new(|_, _| {
    while TAKEN.load(Ordering::Acquire) < INTERRUPTS {
        let routine = |_| {
            let mut simd = SimdState::default();
            Machine::save_simd(&mut simd);
            Machine::scramble_simd(TAKEN.load(Ordering::Relaxed));
            Machine::restore_simd(&simd);
            TAKEN.fetch_add(1, Ordering::Release);
        };
        ipi::call(ProcessorSet::only(ProcessorNumber::BOOT), routine, 0);
    }
});

/// Every general and SIMD register keeps its value across 100 000 interrupts, while the clock ticks a hundred times as
/// often as usual.
pub(crate) fn survive_interrupts() -> Result<(), &'static str> {
    if active().count() < 2 {
        return Err("this test needs two processors");
    }
    dpc::set_time_out(u64::MAX);
    let ticks = prcb(ProcessorNumber::BOOT).ticks();
    Machine::start_clock(Machine::counter_frequency() / (100 * ke::clock::TICKS_PER_SECOND));
    CALLER.set_target(ProcessorNumber(1));
    CALLER.queue([0; 2]);
    let held = Machine::hold_registers(&TAKEN, INTERRUPTS, 0x0123_4567_89AB_CDEF);
    let (count, size) = Machine::simd_shape();
    info!(
        "{} interprocessor and {} clock interrupts; {count} SIMD registers of {size} bytes",
        TAKEN.load(Ordering::Relaxed),
        prcb(ProcessorNumber::BOOT).ticks() - ticks,
    );
    match held {
        Ok(()) if prcb(ProcessorNumber::BOOT).ticks() > ticks => Ok(()),
        Ok(()) => Err("the clock did not tick meanwhile"),
        Err(changed) => {
            error!("{} was {:#x} and is {:#x}", changed.name, changed.expected, changed.found);
            Err("a register did not keep its value")
        }
    }
}
