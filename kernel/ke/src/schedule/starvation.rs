//! Threads that wait too long for a processor.
//!
//! A thread of low priority that has a lock may never run while better ones do,
//! and whoever wants the lock waits for it in vain. So who has been ready for four
//! seconds is lifted above all that are not real-time, for two quanta.
//!
//! # NT
//! The balance set manager's `KiScanReadyQueues`.

use super::ready::{ready, unqueue};
use super::{LOWEST_REALTIME, ReadyThreads};
use crate::clock;
use crate::dispatcher::{self, Database};
use crate::processor;
use crate::thread::Thread;

/// How long a thread may be ready, in 100 ns: NT's 300 ticks.
const PATIENCE: u64 = 300 * clock::DEFAULT_PERIOD;
/// Threads of a processor that are looked at, and that are boosted, in one turn.
const MOST_LOOKS: u32 = 16;
const MOST_BOOSTS: u32 = 10;

/// Boosts those that have been ready for too long; gives how many. For a system thread, once a second.
///
/// # IRQL
/// At most Dispatch.
pub fn boost_starved() -> u32 {
    let mut boosted = 0;
    for number in processor::active().iter() {
        // One processor's queues under one hold of the database.
        let database = dispatcher::lock();
        let since = clock::tick_time().saturating_sub(PATIENCE);
        let mut looks = MOST_LOOKS;
        for _ in 0..MOST_BOOSTS {
            let queues = &processor::prcb(number).ready;
            let Some(thread) = find(&database, queues, since, &mut looks) else {
                break;
            };
            boost(&database, thread);
            boosted += 1;
        }
    }
    boosted
}

/// A thread that has been ready since before `since`.
fn find(
    database: &Database,
    queues: &ReadyThreads,
    since: u64,
    looks: &mut u32,
) -> Option<&'static Thread> {
    for priority in 1..LOWEST_REALTIME - 1 {
        let mut next = queues.first_of(database, priority);
        while let Some(thread) = next {
            if thread.ready_since.get(database) < since {
                return Some(thread);
            }
            *looks = looks.checked_sub(1)?;
            next = queues.behind(database, thread);
        }
    }
    None
}

fn boost(database: &Database, thread: &'static Thread) {
    unqueue(database, thread);
    let highest = LOWEST_REALTIME - 1;
    let before = thread.priority.get(database);
    thread.starvation_boost.set(database, highest - before);
    thread.priority.set(database, highest);
    let quantum = thread.quantum_reset.get(database);
    thread.quantum.set(database, quantum.saturating_mul(2));
    ready(database, thread);
}
