//! Deferred procedure calls: what an interrupt routine leaves to be done at Dispatch level.
//!
//! A DPC is in one queue at most. Queues are per processor, guarded by a lock
//! that keeps interrupts out, because interrupt routines of any level queue.
//!
//! When they run: on the way out of an interrupt that found the processor below
//! Dispatch, when the level falls below Dispatch, and in the idle loop. In each
//! case before anything at Passive or APC level goes on.
//!
//! Ordering of `Software::DPC`: the queuer fills the queue (under its lock) and
//! then sets the flag with release; the deliverer clears the flag with a swap
//! (acquire) and then empties the queue. A DPC queued after the swap sets the
//! flag again, so at worst the queue is looked at once in vain; a DPC is never
//! left behind with the flag clear.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use arch::Machine;
use arch::contract::{Irql, Processor, ProcessorNumber};
use arch::lock::FloorLock;
use nt_abi::BugCheckCode;

use crate::processor::{self, Prcb, Software};
use crate::{bug_check, ipi, irql, software};

/// How soon a DPC should run.
///
/// # NT
/// `KDPC_IMPORTANCE`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Importance {
    /// At the tail; another processor is not interrupted for it and finds it at its next interrupt.
    Low,
    /// At the tail.
    Medium,
    /// At the head.
    High,
}

/// No target: the DPC runs where it is queued.
const ANY: u32 = u32::MAX;

/// What a DPC runs: at Dispatch, with interrupts enabled, with the two arguments of [`Dpc::queue`].
pub type Routine = fn(dpc: &'static Dpc, arguments: [u64; 2]);

/// A deferred procedure call.
///
/// # NT
/// `KDPC`.
///
/// # Differs
/// It lives for good, because a queue keeps hold of it.
pub struct Dpc {
    routine: Routine,
    importance: Importance,
    /// The processor that it must run on, or [`ANY`].
    target: AtomicU32,
    /// Guarded by its own lock, which is taken inside the queue's or alone, never around it.
    state: FloorLock<State>,
}

struct State {
    queued: bool,
    arguments: [u64; 2],
    next: Option<&'static Dpc>,
}

/// The DPCs of one processor, first to last.
pub(crate) struct DpcQueue {
    head: Option<&'static Dpc>,
    tail: Option<&'static Dpc>,
}

impl DpcQueue {
    pub(crate) const fn new() -> Self {
        Self {
            head: None,
            tail: None,
        }
    }

    fn push(&mut self, dpc: &'static Dpc, importance: Importance) {
        match (self.head, self.tail) {
            (Some(head), Some(_)) if importance == Importance::High => {
                dpc.state.acquire().next = Some(head);
                self.head = Some(dpc);
            }
            (Some(_), Some(tail)) => {
                tail.state.acquire().next = Some(dpc);
                self.tail = Some(dpc);
            }
            _ => {
                self.head = Some(dpc);
                self.tail = Some(dpc);
            }
        }
    }

    fn pop(&mut self) -> Option<(&'static Dpc, [u64; 2])> {
        let dpc = self.head?;
        let mut state = dpc.state.acquire();
        self.head = state.next.take();
        if self.head.is_none() {
            self.tail = None;
        }
        state.queued = false;
        Some((dpc, state.arguments))
    }

    fn remove(&mut self, dpc: &'static Dpc) -> bool {
        let mut previous: Option<&'static Dpc> = None;
        let mut at = self.head;
        while let Some(candidate) = at {
            let next = candidate.state.acquire().next;
            if core::ptr::eq(candidate, dpc) {
                match previous {
                    Some(previous) => previous.state.acquire().next = next,
                    None => self.head = next,
                }
                if next.is_none() {
                    self.tail = previous;
                }
                let mut state = dpc.state.acquire();
                state.next = None;
                state.queued = false;
                return true;
            }
            previous = Some(candidate);
            at = next;
        }
        false
    }
}

impl Dpc {
    /// A DPC that runs where it is queued.
    #[doc(alias = "KeInitializeDpc")]
    pub const fn new(routine: Routine) -> Self {
        Self {
            routine,
            importance: Importance::Medium,
            target: AtomicU32::new(ANY),
            state: FloorLock::new(State {
                queued: false,
                arguments: [0; 2],
                next: None,
            }),
        }
    }

    /// From now on it runs on that processor, wherever it is queued.
    #[doc(alias = "KeSetTargetProcessorDpc")]
    pub fn set_target(&self, target: ProcessorNumber) {
        self.target.store(target.0, Ordering::Relaxed);
    }

    /// The same, with another importance.
    #[doc(alias = "KeSetImportanceDpc")]
    #[must_use]
    pub const fn with_importance(mut self, importance: Importance) -> Self {
        self.importance = importance;
        self
    }

    /// Queues it, from any level; false if it is queued already (the arguments are then those of the first time) or its
    /// target does not run.
    #[doc(alias = "KeInsertQueueDpc")]
    pub fn queue(&'static self, arguments: [u64; 2]) -> bool {
        let enabled = Machine::disable_interrupts();
        let here = Machine::number();
        let target = match self.target.load(Ordering::Relaxed) {
            ANY => here,
            number => ProcessorNumber(number),
        };
        let queued = self.queue_on(target, arguments);
        if queued && target != here && self.importance != Importance::Low {
            ipi::request_dpcs(target);
        }
        if queued && target == here && enabled && Machine::irql() < Irql::Dispatch {
            // NT requests a software interrupt of Dispatch level here, which comes at once.
            software::deliver(Machine::irql());
        }
        Machine::restore_interrupts(enabled);
        queued
    }

    fn queue_on(&'static self, target: ProcessorNumber, arguments: [u64; 2]) -> bool {
        if !processor::active().contains(target) {
            return false;
        }
        let prcb = processor::prcb(target);
        let mut queue = prcb.dpcs.acquire();
        {
            let mut state = self.state.acquire();
            if state.queued {
                return false;
            }
            *state = State {
                queued: true,
                arguments,
                next: None,
            };
        }
        queue.push(self, self.importance);
        prcb.add_software(Software::DPC);
        true
    }

    /// Takes it out of the queue; false if it was in none (it may be running).
    #[doc(alias = "KeRemoveQueueDpc")]
    pub fn remove(&'static self) -> bool {
        processor::active()
            .iter()
            .any(|number| processor::prcb(number).dpcs.acquire().remove(self))
    }
}

/// Whether this processor's queue must be looked at.
fn is_pending() -> bool {
    processor::current()
        .pending_software()
        .contains(Software::DPC)
}

/// Runs this processor's DPCs. Called below Dispatch; with interrupts enabled or not, and leaves them so.
pub(crate) fn deliver() {
    if !is_pending() {
        return;
    }
    let before = Machine::irql();
    let enabled = Machine::disable_interrupts();
    // From here to the end nothing moves this code to another processor: the level is Dispatch.
    Machine::set_irql(Irql::Dispatch);
    let me = processor::current();
    loop {
        Machine::restore_interrupts(true);
        while !me.take_software(Software::DPC).is_empty() {
            run_queue(me);
        }
        // From this look until the level is down interrupts are off, and no DPC runs: one that this processor's interrupts
        // queue cannot come, and one that another processor queues brings an interrupt, whose way out delivers it.
        Machine::disable_interrupts();
        if !me.pending_software().contains(Software::DPC) {
            break;
        }
    }
    Machine::set_irql(before);
    Machine::restore_interrupts(enabled);
}

/// Waits until every DPC that was queued before has run, on all processors.
///
/// # IRQL
/// Passive or Apc.
#[doc(alias = "KeFlushQueuedDpcs")]
pub fn flush() {
    crate::wait::assert_can_block();
    for number in processor::active().iter() {
        let prcb = processor::prcb(number);
        // Acquire: what the DPCs did happened before this returns.
        let emptied = prcb.dpc_queue_emptied.load(Ordering::Acquire);
        let busy = || {
            // The queue first: whoever takes the last one out of it has said before that it is at work.
            let queued = prcb.dpcs.acquire().head.is_some();
            queued || prcb.dpc_active.load(Ordering::Acquire)
        };
        if !busy() {
            continue;
        }
        {
            // One of low importance waits for the next interrupt otherwise. Here, the fall of the level delivers it.
            let _dispatch = irql::raise(Irql::Dispatch);
            if number != Machine::number() {
                ipi::request_dpcs(number);
            }
        }
        while prcb.dpc_queue_emptied.load(Ordering::Acquire) == emptied {
            Machine::relax();
        }
    }
}

fn run_queue(me: &'static Prcb) {
    me.dpc_active.store(true, Ordering::Relaxed);
    loop {
        let next = {
            let mut queue = me.dpcs.acquire();
            let next = queue.pop();
            if next.is_none() {
                // Under the queue's lock, so that `flush` does not take this for the end of what is queued later. Release:
                // pairs with `flush`.
                me.dpc_active.store(false, Ordering::Relaxed);
                me.dpc_queue_emptied.fetch_add(1, Ordering::Release);
            }
            next
        };
        let Some((dpc, arguments)) = next else { break };
        me.dpc_time.store(0, Ordering::Relaxed);
        (dpc.routine)(dpc, arguments);
        me.dpcs_run.fetch_add(1, Ordering::Relaxed);
        if Machine::irql() != Irql::Dispatch {
            let found = u64::from(Machine::irql().level());
            bug_check::stop(
                BugCheckCode::IRQL_NOT_GREATER_OR_EQUAL,
                [found, u64::from(Irql::Dispatch.level()), 0, 0],
            );
        }
    }
}

/// Clock ticks, at the default rate, that one DPC may take; NT's default is 20 seconds.
static TIME_OUT_TICKS: AtomicU64 = AtomicU64::new(20 * crate::clock::TICKS_PER_SECOND);

/// Sets how many clock ticks a DPC may take before the machine stops with `DPC_WATCHDOG_VIOLATION`.
pub fn set_time_out(ticks: u64) {
    TIME_OUT_TICKS.store(ticks, Ordering::Relaxed);
}

/// The clock ticked after `period` units of 100 ns: a DPC that runs too long stops the machine.
pub(crate) fn watch(me: &Prcb, period: u64) {
    if me.dpc_active.load(Ordering::Relaxed) {
        let time = me.dpc_time.fetch_add(period, Ordering::Relaxed) + period;
        let ticks = time / crate::clock::DEFAULT_PERIOD;
        let allowed = TIME_OUT_TICKS.load(Ordering::Relaxed);
        if ticks > allowed {
            bug_check::stop(BugCheckCode::DPC_WATCHDOG_VIOLATION, [0, ticks, allowed, 0]);
        }
    }
}

#[cfg(test)]
mod tests {
    use arch::contract::Clock;
    use arch::sim;

    use super::*;
    use crate::testing;

    static ORDER: FloorLock<[u64; 4]> = FloorLock::new([0; 4]);

    fn note(_dpc: &'static Dpc, [which, _]: [u64; 2]) {
        let mut order = ORDER.acquire();
        let free = order
            .iter()
            .position(|slot| *slot == 0)
            .expect("four DPCs at most");
        order[free] = which;
    }

    #[test]
    fn importance_decides_the_order() {
        static FIRST: Dpc = Dpc::new(note);
        static SECOND: Dpc = Dpc::new(note).with_importance(Importance::Low);
        static URGENT: Dpc = Dpc::new(note).with_importance(Importance::High);
        static REMOVED: Dpc = Dpc::new(note);
        let _machine = testing::boot(1);
        {
            let _dispatch = irql::raise(Irql::Dispatch);
            assert!(
                FIRST.queue([1, 0])
                    && REMOVED.queue([9, 0])
                    && SECOND.queue([2, 0])
                    && URGENT.queue([3, 0])
            );
            assert!(REMOVED.remove());
            assert!(!REMOVED.remove());
            assert_eq!(*ORDER.acquire(), [0; 4], "nothing runs at Dispatch");
        }
        assert_eq!(*ORDER.acquire(), [3, 1, 2, 0]);
    }

    #[test]
    fn a_targeted_dpc_runs_there_and_one_for_a_processor_that_is_off_is_refused() {
        static TARGETED: Dpc =
            Dpc::new(|_, _| RAN_ON.store(u64::from(Machine::number().0), Ordering::Relaxed));
        static RAN_ON: AtomicU64 = AtomicU64::new(99);
        let _machine = testing::boot(3);
        TARGETED.set_target(ProcessorNumber(2));
        assert!(TARGETED.queue([0; 2]));
        assert_eq!(RAN_ON.load(Ordering::Relaxed), 2);
        TARGETED.set_target(ProcessorNumber(3));
        assert!(!TARGETED.queue([0; 2]));
    }

    #[test]
    fn a_dpc_that_takes_too_long_stops_the_machine() {
        static SLOW: Dpc = Dpc::new(|_, _| sim::advance(Machine::counter_frequency()));
        let _machine = testing::boot(1);
        crate::clock::start_on_this_processor();
        set_time_out(10);
        let code = sim::ended(|| {
            SLOW.queue([0; 2]);
        });
        set_time_out(u64::MAX);
        assert_eq!(code, arch::contract::ExitCode::BugCheck);
        assert!(
            sim::console_output().contains("DPC_WATCHDOG_VIOLATION"),
            "{}",
            sim::console_output()
        );
    }
}
