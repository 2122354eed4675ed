//! What this layer checks of a machine that has just booted, before anything relies on it.

use core::sync::atomic::{AtomicU64, Ordering};

use arch::Machine;
use arch::contract::{Irql, Processor, ProcessorNumber};
use boards::MAX_PROCESSORS;

use crate::dpc::Dpc;
use crate::{clock, ipi, irql, processor};

/// How long a processor may take over each check, in milliseconds; an emulator on a loaded host is slow.
const PATIENCE: u64 = 20_000;

fn wait_for(condition: impl Fn() -> bool) -> bool {
    let deadline = clock::deadline(PATIENCE);
    while !condition() {
        if clock::has_passed(deadline) {
            return false;
        }
        Machine::relax();
    }
    true
}

/// The clock ticks on every processor.
///
/// # Errors
/// One sentence.
pub fn clock_ticks_everywhere() -> Result<(), &'static str> {
    let before = [const { AtomicU64::new(0) }; MAX_PROCESSORS];
    for number in processor::active().iter() {
        before[number.index()].store(processor::prcb(number).ticks(), Ordering::Relaxed);
    }
    let ticked = |number: ProcessorNumber| {
        processor::prcb(number).ticks() >= before[number.index()].load(Ordering::Relaxed) + 2
    };
    if wait_for(|| processor::active().iter().all(ticked)) {
        Ok(())
    } else {
        Err("a processor's clock does not tick")
    }
}

static CALLED: AtomicU64 = AtomicU64::new(0);

/// Every processor answers an interrupt from this one, at the right level.
///
/// # Errors
/// One sentence.
pub fn processors_answer() -> Result<(), &'static str> {
    CALLED.store(0, Ordering::Relaxed);
    let here = Machine::number();
    ipi::call(
        processor::active(),
        |caller| {
            let expected = if u64::from(Machine::number().0) == caller {
                Irql::Dispatch
            } else {
                Irql::Ipi
            };
            if irql::current() == expected {
                CALLED.fetch_or(1 << Machine::number().0, Ordering::Relaxed);
            }
        },
        u64::from(here.0),
    );
    if CALLED.load(Ordering::Relaxed) == processor::active().0 {
        Ok(())
    } else {
        Err("a processor took an interprocessor call at the wrong level")
    }
}

static RAN_ON: AtomicU64 = AtomicU64::new(0);
static DPCS: [Dpc; MAX_PROCESSORS] = [const {
    Dpc::new(|_, [expected, _]| {
        let here = Machine::number().0;
        if u64::from(here) == expected && irql::current() == Irql::Dispatch {
            RAN_ON.fetch_or(1 << here, Ordering::Relaxed);
        }
    })
}; MAX_PROCESSORS];

/// A DPC for each processor runs there, at Dispatch.
///
/// # Errors
/// One sentence.
pub fn dpcs_reach_their_processors() -> Result<(), &'static str> {
    RAN_ON.store(0, Ordering::Relaxed);
    for number in processor::active().iter() {
        DPCS[number.index()].set_target(number);
        if !DPCS[number.index()].queue([u64::from(number.0), 0]) {
            return Err("a DPC could not be queued");
        }
    }
    // The one for this processor ran before `queue` let the level fall; the others come with their interrupts.
    let all = processor::active().0;
    if wait_for(|| RAN_ON.load(Ordering::Relaxed) == all) {
        Ok(())
    } else {
        Err("a DPC did not run on its processor")
    }
}
