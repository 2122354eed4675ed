//! Who runs: 32 priorities, a queue of ready threads for each processor.
//!
//! A thread that becomes ready goes to a processor that idles and that it may use,
//! its ideal one by preference; else it takes its ideal processor from a thread of
//! lower priority, or queues there. A processor that runs out of threads takes the
//! best one from another's queue before it idles. So no ready thread waits while a
//! processor that it may use idles.
//!
//! Priorities 16 to 31 are fixed; below, a thread that ends a wait is boosted above
//! its base, and falls back by one with each quantum. All of it happens under the
//! dispatcher's lock; the switch itself does not (`switch_to`).
//!
//! # NT
//! *Windows Internals*, Part 1, chapter 4, "Thread scheduling".

mod base;
mod priority;
mod quantum;
mod ready;
mod starvation;

use arch::Machine;
use arch::contract::{Processor, ProcessorNumber, UserTranslation};

pub use base::{priority_increment, set_priority_increment, set_process_base_priority};
pub use priority::{
    affinity, base_priority, boosts_disabled, ideal_processor, priority, process_affinity,
    process_base_priority, process_boosts_disabled, set_affinity, set_base_priority, set_below_all,
    set_boosts_disabled, set_ideal_processor, set_priority, set_process_affinity,
    set_process_boosts_disabled,
};
pub(crate) use quantum::{charge_tick, quantum_of};
#[cfg(any(test, feature = "testing"))]
pub(crate) use ready::forget;
pub use ready::idle_processors;
pub(crate) use ready::{ReadyThreads, note_idle, ready, ready_after_wait};

pub use starvation::boost_starved;

use crate::dispatcher::{self, Database};
use crate::irql::IrqlGuard;
use crate::processor::{self, Prcb, Software};
use crate::thread::{State, Thread};

/// Priorities from this one on are not boosted and do not fall.
#[doc(alias = "LOW_REALTIME_PRIORITY")]
pub const LOWEST_REALTIME: u8 = 16;
/// The highest priority.
pub const HIGHEST: u8 = 31;

/// The thread that this processor runs; its idle thread if it has nothing to do.
fn running(me: &Prcb) -> &'static Thread {
    match me.running.get() {
        Some(thread) => thread,
        None => panic!("this processor has no threads yet"),
    }
}

fn idle_thread(me: &Prcb) -> &'static Thread {
    match me.idle_thread.get() {
        Some(thread) => thread,
        None => panic!("this processor has no idle thread yet"),
    }
}

/// The calling thread waits, or has ended: goes on with the best other one. Returns when the thread goes on, at Dispatch.
pub(crate) fn block(database: Database) -> IrqlGuard {
    let me = processor::current();
    let thread = running(me);
    if !thread.waits_for_queue.get(&database) {
        dispatcher::leave(&database, thread);
    }
    let next = ready::select(&database, me).unwrap_or_else(|| idle_thread(me));
    switch_to(database, me, thread, next)
}

/// The calling thread has ended: goes on with the best other one, and never comes back.
pub(crate) fn leave_for_good(database: Database) -> ! {
    let me = processor::current();
    let thread = running(me);
    let next = ready::select(&database, me).unwrap_or_else(|| idle_thread(me));
    let _dispatch = begin_switch(database, me, next);
    arch::thread::leave(&thread.context, &next.context)
}

/// A better thread was chosen for this processor, or a quantum has ended: switches if that is still so.
///
/// Called at Dispatch, on the way to a lower level; returns when the interrupted thread goes on.
pub(crate) fn dispatch() {
    let database = dispatcher::lock();
    let me = processor::current();
    let software = me.take_software(Software::DISPATCH | Software::QUANTUM_END);
    let thread = running(me);
    if software.contains(Software::QUANTUM_END) {
        quantum::end(&database, me, thread);
    }
    let allowed = thread.affinity.get(&database) & (1 << Machine::number().0) != 0;
    let chosen = match me.next.replace(None) {
        Some(next) => Some(next),
        None if !allowed => ready::select(&database, me).or(Some(idle_thread(me))),
        // The thread that was to be the next one went elsewhere, and others may have been put behind it.
        None if core::ptr::eq(thread, idle_thread(me)) => ready::select(&database, me),
        None => None,
    };
    let Some(next) = chosen else { return };
    if core::ptr::eq(thread, idle_thread(me)) {
        note_idle(&database, Machine::number(), false);
    } else {
        let expired = software.contains(Software::QUANTUM_END);
        ready::give_up_processor(&database, me, thread, !expired);
    }
    drop(switch_to(database, me, thread, next));
}

/// Lets another ready thread of this processor run, the best one, be it better or not; false if there is none. The thread's
/// boost falls as at the end of a quantum.
///
/// # IRQL
/// Below Dispatch.
#[doc(alias = "NtYieldExecution")]
pub fn yield_execution() -> bool {
    let database = dispatcher::lock();
    let me = processor::current();
    let thread = running(me);
    let Some(next) = me
        .next
        .replace(None)
        .or_else(|| ready::rival(&database, me, 1))
    else {
        return false;
    };
    quantum::renew(&database, thread);
    ready::give_up_processor(&database, me, thread, false);
    drop(switch_to(database, me, thread, next));
    true
}

/// Everything that a switch changes under the database, which is free afterwards; the level stays Dispatch.
fn begin_switch(database: Database, me: &'static Prcb, to: &'static Thread) -> IrqlGuard {
    let here = Machine::number();
    to.state.set(&database, State::Running);
    to.processor.set(&database, here.0);
    to.context_switches
        .set(&database, to.context_switches.get(&database) + 1);
    me.running.set(Some(to));
    if core::ptr::eq(to, idle_thread(me)) {
        note_idle(&database, here, true);
    }
    if to.apc.kernel_deliverable(&database, to) {
        me.add_software(Software::APC);
    }
    let space = to.space();
    let level = database.release_keeping_level();
    // Not what the last thread says: its process may be gone, and the slot another one's.
    if Machine::active_space() != space {
        arch::memory::activate(space);
    }
    level
}

/// Goes on with `to`. The database is free before the stacks change: `from` may be chosen by another processor at once,
/// which then waits at the floor until its stack is left.
fn switch_to(
    database: Database,
    me: &'static Prcb,
    from: &'static Thread,
    to: &'static Thread,
) -> IrqlGuard {
    if core::ptr::eq(from, to) {
        from.state.set(&database, State::Running);
        return database.release_keeping_level();
    }
    let level = begin_switch(database, me, to);
    arch::thread::switch(&from.context, &to.context);
    level
}

/// The processor on which a thread runs or ran last.
pub fn processor_of(thread: &Thread) -> ProcessorNumber {
    ProcessorNumber(thread.processor.glance())
}
