//! Ready queues, and which processor a thread goes to.

use arch::Machine;
use arch::contract::{Processor, ProcessorNumber, ProcessorSet};

use super::{LOWEST_REALTIME, idle_thread, running};
use crate::clock;
use crate::dispatcher::list::List;
use crate::dispatcher::{self, Database, Field};
use crate::processor::{self, Prcb, Software};
use crate::thread::{ReadyQueue, State, Thread};

const PRIORITIES: usize = 32;

/// The threads that are ready on a processor.
pub(crate) struct ReadyThreads {
    queues: [List<Thread, ReadyQueue>; PRIORITIES],
    /// Bit *n*: queue *n* is not empty.
    summary: Field<u32>,
}

impl ReadyThreads {
    pub(crate) const fn new() -> Self {
        Self {
            queues: [const { List::new() }; PRIORITIES],
            summary: Field::zero(),
        }
    }

    /// Forgets what an earlier test left.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn forget(&self) {
        for queue in &self.queues {
            queue.forget();
        }
        self.summary.set_by_owner(0);
    }

    fn push(&self, database: &Database, thread: &'static Thread, front: bool) {
        let priority = thread.priority.get(database);
        let queue = &self.queues[usize::from(priority) % PRIORITIES];
        if front {
            queue.push_front(database, thread);
        } else {
            queue.push_back(database, thread);
        }
        self.summary
            .set(database, self.summary.get(database) | 1 << priority);
    }

    fn remove(&self, database: &Database, thread: &'static Thread) {
        let priority = thread.priority.get(database);
        let queue = &self.queues[usize::from(priority) % PRIORITIES];
        queue.remove(database, thread);
        if queue.is_empty(database) {
            self.summary
                .set(database, self.summary.get(database) & !(1 << priority));
        }
    }

    /// The first thread of a priority.
    pub(super) fn first_of(&self, database: &Database, priority: u8) -> Option<&'static Thread> {
        self.queues[usize::from(priority) % PRIORITIES].first(database)
    }

    /// The thread behind another one.
    pub(super) fn behind(
        &self,
        database: &Database,
        thread: &'static Thread,
    ) -> Option<&'static Thread> {
        let priority = thread.priority.get(database);
        self.queues[usize::from(priority) % PRIORITIES].next(database, thread)
    }

    /// The first thread of the highest priority that has any, if that is at least `priority`.
    fn best(&self, database: &Database, priority: u8) -> Option<&'static Thread> {
        let highest = self.summary.get(database).checked_ilog2()?;
        (highest >= u32::from(priority))
            .then(|| self.queues[highest as usize].first(database))
            .flatten()
    }

    /// The best thread that may run on a processor.
    fn best_for(&self, database: &Database, processor: ProcessorNumber) -> Option<&'static Thread> {
        let mut summary = self.summary.get(database);
        while let Some(highest) = summary.checked_ilog2() {
            let queue = &self.queues[highest as usize];
            let mut next = queue.first(database);
            while let Some(thread) = next {
                if ProcessorSet(thread.affinity.get(database)).contains(processor) {
                    return Some(thread);
                }
                next = queue.next(database, thread);
            }
            summary &= !(1 << highest);
        }
        None
    }
}

/// Processors that run their idle thread and were given nothing yet.
static IDLE: Field<u64> = Field::zero();

/// The processors that idle, at this moment.
pub fn idle_processors() -> ProcessorSet {
    ProcessorSet(IDLE.glance())
}

/// Forgets what an earlier test left.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn forget() {
    IDLE.set_by_owner(0);
}

pub(crate) fn note_idle(database: &Database, processor: ProcessorNumber, idle: bool) {
    let set = ProcessorSet(IDLE.get(database));
    let set = if idle {
        set.with(processor)
    } else {
        set.without(processor)
    };
    IDLE.set(database, set.0);
}

/// A thread may run: gives it a processor, or queues it.
#[doc(alias = "KiDeferredReadyThread")]
pub(crate) fn ready(database: &Database, thread: &'static Thread) {
    thread.ready_since.set(database, clock::tick_time());
    let allowed = allowed_processors(database, thread);
    if give_to_idle(database, thread, allowed) {
        return;
    }
    let ideal = ProcessorNumber(thread.ideal_processor.get(database));
    let last = ProcessorNumber(thread.processor.get(database));
    let target = [ideal, last]
        .into_iter()
        .find(|number| allowed.contains(*number))
        .or_else(|| allowed.iter().next())
        .unwrap_or(ProcessorNumber::BOOT);
    let prcb = processor::prcb(target);
    let best = prcb.next.get().unwrap_or_else(|| running(prcb));
    if thread.priority.get(database) > best.priority.get(database) {
        if let Some(passed_over) = prcb.next.replace(Some(thread)) {
            passed_over.state.set(database, State::Ready);
            // Where it waits is where it is looked for.
            passed_over.processor.set(database, target.0);
            prcb.ready.push(database, passed_over, true);
        }
        thread.state.set(database, State::Standby);
        processor::request_dispatch(database, target);
    } else {
        thread.processor.set(database, target.0);
        thread.state.set(database, State::Ready);
        prcb.ready.push(database, thread, false);
    }
}

/// The processors that a thread may use; all, if none of those is there.
fn allowed_processors(database: &Database, thread: &Thread) -> ProcessorSet {
    let active = processor::active();
    let allowed = ProcessorSet(thread.affinity.get(database) & active.0);
    if allowed.is_empty() { active } else { allowed }
}

/// Gives a thread to a processor that idles, if there is one that it may use: its ideal one, the one that it ran on, this
/// one, or any.
fn give_to_idle(database: &Database, thread: &'static Thread, allowed: ProcessorSet) -> bool {
    let idle = ProcessorSet(IDLE.get(database) & allowed.0);
    if idle.is_empty() {
        return false;
    }
    let preferred = [
        ProcessorNumber(thread.ideal_processor.get(database)),
        ProcessorNumber(thread.processor.get(database)),
        Machine::number(),
    ];
    let Some(target) = preferred
        .into_iter()
        .find(|number| idle.contains(*number))
        .or_else(|| idle.iter().next())
    else {
        return false;
    };
    note_idle(database, target, false);
    thread.state.set(database, State::Standby);
    processor::prcb(target).next.set(Some(thread));
    processor::request_dispatch(database, target);
    true
}

/// A wait of the thread ended: boosts it for that, and makes it ready.
pub(crate) fn ready_after_wait(database: &Database, thread: &'static Thread, increment: u8) {
    let base = thread.base_priority.get(database);
    if base < LOWEST_REALTIME && !thread.boosts_disabled.get(database) {
        let boosted = (base + increment).min(LOWEST_REALTIME - 1);
        if boosted > thread.priority.get(database) {
            thread.priority.set(database, boosted);
        }
    }
    if !thread.waits_for_queue.get(database) {
        dispatcher::enter_again(database, thread);
    }
    ready(database, thread);
}

/// The running thread gives up its processor and stays ready: at the head of its queue if it was only in the way of a
/// better one.
pub(super) fn give_up_processor(
    database: &Database,
    me: &Prcb,
    thread: &'static Thread,
    front: bool,
) {
    let allowed = allowed_processors(database, thread);
    if give_to_idle(database, thread, allowed) {
        return;
    }
    if allowed.contains(Machine::number()) {
        thread.ready_since.set(database, clock::tick_time());
        thread.state.set(database, State::Ready);
        me.ready.push(database, thread, front);
    } else {
        ready(database, thread);
    }
}

/// Takes the best thread for this processor: the one that was chosen for it, of its own queue, or of another's.
pub(super) fn select(database: &Database, me: &Prcb) -> Option<&'static Thread> {
    if let Some(next) = me.next.replace(None) {
        // What the processor was asked to look at is this: it need not look once more when its level falls. Who asks holds
        // the database, so nobody asks for another one meanwhile. Who asked because the running thread may no longer be
        // here has what it wanted too, as that thread leaves.
        me.take_software(Software::DISPATCH);
        return Some(next);
    }
    rival(database, me, 0).or_else(|| steal(database))
}

/// Takes the best thread that this processor may run out of the others' queues.
fn steal(database: &Database) -> Option<&'static Thread> {
    let here = Machine::number();
    let mut best: Option<(&'static Thread, &'static Prcb)> = None;
    for number in processor::active().without(here).iter() {
        let prcb = processor::prcb(number);
        if let Some(found) = prcb.ready.best_for(database, here)
            && best.is_none_or(|(thread, _)| {
                found.priority.get(database) > thread.priority.get(database)
            })
        {
            best = Some((found, prcb));
        }
    }
    let (thread, prcb) = best?;
    prcb.ready.remove(database, thread);
    Some(thread)
}

/// Takes a thread that is ready at another priority or place out of the queue that it is in.
pub(super) fn unqueue(database: &Database, thread: &'static Thread) {
    processor::prcb(ProcessorNumber(thread.processor.get(database)))
        .ready
        .remove(database, thread);
}

/// A thread of this processor's queue that is at least as good as the running one.
pub(super) fn rival(database: &Database, me: &Prcb, priority: u8) -> Option<&'static Thread> {
    let rival = me.ready.best(database, priority)?;
    me.ready.remove(database, rival);
    Some(rival)
}

/// Whether it is the processor's idle thread.
pub(super) fn is_idle(me: &Prcb, thread: &Thread) -> bool {
    core::ptr::eq(idle_thread(me), thread)
}
