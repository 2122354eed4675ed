//! Base priorities: a process has one, a thread's is that and an increment.
//!
//! The increment stays within the process's class: 1 to 15, or 16 to 31. One of 16 or more, or of -16 or less, is
//! *saturation*: the thread is at the end of the class, whatever the process's base becomes.
//!
//! # NT
//! `KeSetBasePriorityThread`, `KeSetPriorityAndQuantumProcess`; `THREAD_PRIORITY_IDLE` and `..._TIME_CRITICAL` are saturation.

use super::priority::change_priority;
use super::{HIGHEST, LOWEST_REALTIME};
use crate::dispatcher::{self, Database};
use crate::process::{NORMAL_BASE_PRIORITY, Process};
use crate::thread::Thread;
use nt_abi::{NtResult, NtStatus};

/// From this increment on it is saturation.
const SATURATED: i32 = 16;

/// The base priority that an increment gives in a process.
fn base_with(process_base: u8, increment: i32) -> u8 {
    let (lowest, highest) = if process_base >= LOWEST_REALTIME {
        (LOWEST_REALTIME, HIGHEST)
    } else {
        (1, LOWEST_REALTIME - 1)
    };
    let wanted = match increment {
        SATURATED.. => i32::from(highest),
        ..=-16 => i32::from(lowest),
        _ => i32::from(process_base) + increment,
    };
    u8::try_from(wanted.clamp(i32::from(lowest), i32::from(highest))).unwrap_or(lowest)
}

fn process_base(database: &Database, thread: &Thread) -> u8 {
    thread
        .process
        .get()
        .map_or(NORMAL_BASE_PRIORITY, |process| {
            process.base_priority.get(database)
        })
}

fn increment_of(database: &Database, thread: &Thread) -> i32 {
    let saturation = thread.saturation.get(database);
    if saturation != 0 {
        return saturation * SATURATED;
    }
    i32::from(thread.base_priority.get(database)) - i32::from(process_base(database, thread))
}

/// Sets by how much a thread's base priority differs from its process's. Gives the old difference.
///
/// A boost that the thread has at the moment moves with its base; saturation ends it.
#[doc(alias = "KeSetBasePriorityThread")]
pub fn set_priority_increment(thread: &'static Thread, increment: i32) -> i32 {
    let database = dispatcher::lock();
    let before = increment_of(&database, thread);
    let saturation = if increment.abs() >= SATURATED {
        increment.signum()
    } else {
        0
    };
    thread.saturation.set(&database, saturation);
    let base = base_with(process_base(&database, thread), increment);
    move_base(&database, thread, base);
    before
}

/// By how much a thread's base priority differs from its process's; 16 or -16 for saturation.
#[doc(alias = "KeQueryBasePriorityThread")]
pub fn priority_increment(thread: &Thread) -> i32 {
    increment_of(&dispatcher::lock(), thread)
}

/// Sets a process's base priority, and moves its threads' with it. Gives the old one.
///
/// # Errors
/// `INVALID_PARAMETER` unless `1 <= priority <= 31`.
#[doc(alias = "KeSetPriorityAndQuantumProcess")]
pub fn set_process_base_priority(process: &'static Process, priority: u8) -> NtResult<u8> {
    if priority == 0 || priority > HIGHEST {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let database = dispatcher::lock();
    let before = process.base_priority.get(&database);
    let mut next = process.threads.first(&database);
    while let Some(thread) = next {
        let increment = increment_of(&database, thread);
        move_base(&database, thread, base_with(priority, increment));
        next = process.threads.next(&database, thread);
    }
    process.base_priority.set(&database, priority);
    Ok(before)
}

fn move_base(database: &Database, thread: &'static Thread, base: u8) {
    let old_base = thread.base_priority.get(database);
    let boost = thread
        .priority
        .get(database)
        .saturating_sub(old_base)
        .saturating_sub(thread.starvation_boost.get(database));
    thread.starvation_boost.set(database, 0);
    thread.base_priority.set(database, base);
    let quantum = thread.quantum_reset.get(database);
    thread.quantum.set(database, quantum);
    let keeps_boost = base < LOWEST_REALTIME && thread.saturation.get(database) == 0;
    let priority = if keeps_boost {
        base.saturating_add(boost).min(LOWEST_REALTIME - 1)
    } else {
        base
    };
    change_priority(database, thread, priority);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::ProcessHandle;
    use crate::schedule::{base_priority, set_base_priority};
    use crate::testing::run;
    use crate::thread::{ThreadHandle, ThreadStart};

    #[test]
    fn increments_stay_in_their_class() {
        let bases = [-16, -15, -7, -2, 0, 2, 6, 15, 16];
        let normal = bases.map(|increment| base_with(8, increment));
        assert_eq!(normal, [1, 1, 1, 6, 8, 10, 14, 15, 15]);
        let realtime = bases.map(|increment| base_with(24, increment));
        assert_eq!(realtime, [16, 16, 17, 22, 24, 26, 30, 31, 31]);
    }

    #[test]
    fn threads_move_with_their_process_and_saturated_ones_stay_at_the_end() {
        run(1, 1, || {
            let process = ProcessHandle::create(None, 8).expect("memory");
            let make = |increment| {
                let start = ThreadStart::kernel(|_| (), 0);
                let thread = ThreadHandle::create(process.process(), start).expect("memory");
                crate::thread::suspend(thread.thread()).expect("it is new");
                thread.start();
                assert_eq!(set_priority_increment(thread.thread(), increment), 0);
                thread
            };
            let increments = [2, -1, 16, -16];
            let threads = increments.map(make);
            let bases = || [0, 1, 2, 3].map(|index: usize| base_priority(threads[index].thread()));
            assert_eq!(bases(), [10, 7, 15, 1]);
            assert_eq!(set_process_base_priority(process.process(), 4), Ok(8));
            assert_eq!(bases(), [6, 3, 15, 1]);
            set_process_base_priority(process.process(), 24).expect("a priority");
            assert_eq!(bases(), [26, 23, 31, 16]);
            set_process_base_priority(process.process(), 8).expect("a priority");
            assert_eq!(bases(), [10, 7, 15, 1]);
            let now = [0, 1, 2, 3].map(|index: usize| priority_increment(threads[index].thread()));
            assert_eq!(now, increments);
            assert!(set_process_base_priority(process.process(), 32).is_err());
            set_base_priority(threads[0].thread(), 12).expect("a priority");
            assert_eq!(priority_increment(threads[0].thread()), 4);
            for thread in &threads {
                crate::thread::resume(thread.thread());
                crate::testing::join(thread);
            }
        });
    }
}
