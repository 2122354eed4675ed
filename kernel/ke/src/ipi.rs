//! Interrupts between processors: what one asks of another.
//!
//! A request is a bit in the target's control block, then an interrupt. The bit
//! is set with release before the interrupt is sent, and the target takes all
//! bits with one acquire swap when it comes: it sees what the sender wrote before
//! asking. Two requests may share an interrupt; none is lost, because a bit that
//! is set after the swap brings an interrupt of its own.

use core::sync::atomic::{AtomicU64, Ordering};

use arch::Machine;
use arch::contract::{Interrupts, Irql, Processor, ProcessorNumber, ProcessorSet};

use crate::processor::{self, Prcb};
use crate::{LockOrder, SpinLock, bug_check, irql};

/// Look at the DPC queue on the way out.
const DPCS: u32 = 1;
/// Stop: another processor has called a bug check.
const FREEZE: u32 = 2;
/// Run the routine of the call in progress.
const CALL: u32 = 4;

/// What [`call`] runs on each processor, at [`Irql::Ipi`].
pub type Routine = fn(argument: u64);

struct Call {
    routine: Routine,
    argument: u64,
}

/// One call at a time; held by the caller until every target is done.
static CALL_IN_PROGRESS: SpinLock<()> = SpinLock::ordered((), LockOrder::CALL);
static CALL_DESCRIPTION: spin::RwLock<Call> = spin::RwLock::new(Call {
    routine: |_| (),
    argument: 0,
});
/// Processors that have not finished the call.
static CALL_LEFT: AtomicU64 = AtomicU64::new(0);

fn request(targets: ProcessorSet, bit: u32) {
    for target in targets.iter() {
        processor::prcb(target)
            .requests
            .fetch_or(bit, Ordering::Release);
    }
    Machine::send_ipi(targets);
}

/// Makes another processor run its DPCs.
pub(crate) fn request_dpcs(target: ProcessorNumber) {
    request(ProcessorSet::only(target), DPCS);
}

/// Stops the other processors for a bug check; gives those that did not answer.
pub(crate) fn freeze_others() -> ProcessorSet {
    /// Looks at the others before giving up on one; each is a few instructions.
    const PATIENCE: u32 = 4_000_000;
    let others = processor::active().without(Machine::number());
    if !others.is_empty() {
        request(others, FREEZE);
    }
    let silent = || {
        others
            .iter()
            .filter(|number| !processor::prcb(*number).frozen.load(Ordering::Acquire))
    };
    for _ in 0..PATIENCE {
        if silent().next().is_none() {
            break;
        }
        Machine::relax();
    }
    let silent = silent().fold(ProcessorSet::EMPTY, ProcessorSet::with);
    // Whoever has interrupts disabled is stopped by force, where the machine can.
    if !silent.is_empty() && Machine::stop_by_force(silent) {
        ProcessorSet::EMPTY
    } else {
        silent
    }
}

/// Runs `routine` on every processor of `targets` that runs, this one included, and waits until all are done.
///
/// On another processor it runs at [`Irql::Ipi`]; here at Dispatch.
///
/// # IRQL
/// At most Dispatch, with interrupts enabled: another call in progress must be able to reach this processor.
///
/// # Panics
/// If interrupts are disabled, since then two callers could wait for each other for ever.
#[doc(alias = "KeIpiGenericCall")]
pub fn call(targets: ProcessorSet, routine: Routine, argument: u64) {
    let enabled = Machine::disable_interrupts();
    Machine::restore_interrupts(enabled);
    assert!(enabled, "an interprocessor call with interrupts disabled");
    let _dispatch = irql::raise(Irql::Dispatch);
    let _turn = CALL_IN_PROGRESS.acquire();
    let here = Machine::number();
    let others = ProcessorSet(targets.0 & processor::active().0).without(here);
    *CALL_DESCRIPTION.write() = Call { routine, argument };
    CALL_LEFT.store(others.0, Ordering::Relaxed);
    if !others.is_empty() {
        // The release in `request` publishes the description and the count.
        request(others, CALL);
    }
    if targets.contains(here) {
        routine(argument);
    }
    // Acquire: pairs with the release of each target, so what the routine wrote there is visible here afterwards.
    while CALL_LEFT.load(Ordering::Acquire) != 0 {
        Machine::relax();
    }
}

/// The interrupt came: does what was asked. DPCs need nothing here, because they are looked for on the way out.
pub(crate) fn receive(me: &Prcb) {
    me.ipis.fetch_add(1, Ordering::Relaxed);
    let requests = me.requests.swap(0, Ordering::Acquire);
    if requests & FREEZE != 0 {
        me.frozen.store(true, Ordering::Release);
        bug_check::frozen();
    }
    if requests & CALL != 0 {
        let (routine, argument) = {
            let call = CALL_DESCRIPTION.read();
            (call.routine, call.argument)
        };
        routine(argument);
        CALL_LEFT.fetch_and(!ProcessorSet::only(Machine::number()).0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::AtomicU32;

    use super::*;

    #[test]
    fn calls_of_several_processors_reach_everyone_whoever_comes_first() {
        static RAN: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];
        static CALLS: AtomicU32 = AtomicU32::new(0);
        fn count(argument: u64) {
            RAN[Machine::number().index()].fetch_add(1, Ordering::Relaxed);
            // The one who calls back is told by a DPC, which may call in turn.
            if argument == 1 && Machine::number() == ProcessorNumber(2) {
                BACK.queue([0; 2]);
            }
        }
        static BACK: crate::dpc::Dpc = crate::dpc::Dpc::new(|_, _| {
            call(ProcessorSet(0b111), count, 0);
            CALLS.fetch_add(1, Ordering::Relaxed);
        });
        for seed in 0..100 {
            crate::testing::run(3, seed, move || {
                CALLS.store(0, Ordering::Relaxed);
                for ran in &RAN {
                    ran.store(0, Ordering::Relaxed);
                }
                for round in 1..=5 {
                    call(ProcessorSet(0b111), count, 1);
                    while CALLS.load(Ordering::Relaxed) < round {
                        Machine::relax();
                    }
                }
                for ran in &RAN {
                    assert_eq!(ran.load(Ordering::Relaxed), 10, "seed {seed}");
                }
            });
        }
    }
}
