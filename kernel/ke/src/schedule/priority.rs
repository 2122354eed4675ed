//! Changing a thread's priority and the processors that it may use.

use arch::contract::{ProcessorNumber, ProcessorSet};
use nt_abi::{NtResult, NtStatus};

use super::ready::{ready, rival, unqueue};
use super::{HIGHEST, running};
use crate::dispatcher::{self, Database};
use crate::process::Process;
use crate::processor;
use crate::thread::{State, Thread};

/// The base priority of a thread.
pub fn base_priority(thread: &Thread) -> u8 {
    thread.base_priority.glance()
}

/// Sets a thread's priority, as boosts do: the base stays. Gives the old one.
///
/// # Errors
/// `INVALID_PARAMETER` unless `1 <= priority <= 31`.
#[doc(alias = "KeSetPriorityThread")]
pub fn set_priority(thread: &'static Thread, priority: u8) -> NtResult<u8> {
    if priority == 0 || priority > HIGHEST {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let database = dispatcher::lock();
    let before = thread.priority.get(&database);
    change_priority(&database, thread, priority);
    Ok(before)
}

/// Sets a thread's base priority, and its priority with it. Gives the old one.
///
/// # Errors
/// `INVALID_PARAMETER` unless `1 <= priority <= 31`.
#[doc(alias = "KeSetBasePriorityThread")]
pub fn set_base_priority(thread: &'static Thread, priority: u8) -> NtResult<u8> {
    if priority == 0 || priority > HIGHEST {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let database = dispatcher::lock();
    let before = thread.base_priority.get(&database);
    thread.base_priority.set(&database, priority);
    thread.saturation.set(&database, 0);
    thread.starvation_boost.set(&database, 0);
    thread
        .quantum
        .set(&database, thread.quantum_reset.get(&database));
    change_priority(&database, thread, priority);
    Ok(before)
}

/// Gives a thread priority 0, which no other has: it runs when nobody else wants a processor, and nothing boosts it.
///
/// # NT
/// What the zero page thread does to itself.
pub fn set_below_all(thread: &'static Thread) {
    set_boosts_disabled(thread, true);
    let database = dispatcher::lock();
    thread.base_priority.set(&database, 0);
    thread.saturation.set(&database, 0);
    thread.starvation_boost.set(&database, 0);
    change_priority(&database, thread, 0);
}

/// Whether the ends of waits boost a thread; gives what it was before.
#[doc(alias = "KeSetDisableBoostThread")]
pub fn set_boosts_disabled(thread: &Thread, disabled: bool) -> bool {
    let database = dispatcher::lock();
    let before = thread.boosts_disabled.get(&database);
    thread.boosts_disabled.set(&database, disabled);
    before
}

pub(super) fn change_priority(database: &Database, thread: &'static Thread, priority: u8) {
    let before = thread.priority.get(database);
    if before == priority {
        return;
    }
    match thread.state.get(database) {
        State::Ready => {
            unqueue(database, thread);
            thread.priority.set(database, priority);
            ready(database, thread);
        }
        State::Standby => {
            thread.priority.set(database, priority);
            reconsider_standby(database, thread);
        }
        State::Running => {
            thread.priority.set(database, priority);
            if priority < before {
                yield_to_better(database, thread);
            }
        }
        _ => thread.priority.set(database, priority),
    }
}

/// A running thread's priority fell: a better one of its processor's queue becomes the next one.
fn yield_to_better(database: &Database, thread: &'static Thread) {
    let number = ProcessorNumber(thread.processor.get(database));
    let prcb = processor::prcb(number);
    if prcb.next.get().is_none()
        && let Some(next) = rival(database, prcb, thread.priority.get(database) + 1)
    {
        next.state.set(database, State::Standby);
        prcb.next.set(Some(next));
        processor::request_dispatch(database, number);
    }
}

/// A thread that was chosen as the next one is chosen again, as it is now; and so is the next one of its processor, for which
/// others were put behind it.
fn reconsider_standby(database: &Database, thread: &'static Thread) {
    let is_it = |next: &'static Thread| core::ptr::eq(next, thread);
    let mut active = processor::active().iter();
    let Some(number) = active.find(|number| processor::prcb(*number).next.get().is_some_and(is_it))
    else {
        return;
    };
    let prcb = processor::prcb(number);
    prcb.next.set(None);
    let running = running(prcb);
    if core::ptr::eq(running, super::idle_thread(prcb)) {
        super::note_idle(database, number, true);
        // It looks for another one itself.
        processor::request_dispatch(database, number);
    } else {
        yield_to_better(database, running);
    }
    ready(database, thread);
}

/// Sets the processors that a thread may use; gives the old ones.
///
/// A thread that runs on another one leaves it as soon as the interrupt arrives there.
///
/// # Errors
/// `INVALID_PARAMETER` if none of them is active.
#[doc(alias = "KeSetAffinityThread")]
pub fn set_affinity(thread: &'static Thread, processors: ProcessorSet) -> NtResult<ProcessorSet> {
    if processors.0 & processor::active().0 == 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let database = dispatcher::lock();
    let before = thread.affinity.get(&database);
    change_affinity(&database, thread, processors);
    Ok(ProcessorSet(before))
}

fn change_affinity(database: &Database, thread: &'static Thread, processors: ProcessorSet) {
    match thread.state.get(database) {
        State::Ready => {
            unqueue(database, thread);
            thread.affinity.set(database, processors.0);
            ready(database, thread);
        }
        State::Standby => {
            thread.affinity.set(database, processors.0);
            reconsider_standby(database, thread);
        }
        State::Running => {
            thread.affinity.set(database, processors.0);
            let here = ProcessorNumber(thread.processor.get(database));
            if !processors.contains(here) {
                processor::request_dispatch(database, here);
            }
        }
        _ => thread.affinity.set(database, processors.0),
    }
}

/// Sets the processors that a process's threads may use, those that it has and those to come; gives the old ones.
///
/// # Errors
/// `INVALID_PARAMETER` if none of them is active.
#[doc(alias = "KeSetAffinityProcess")]
pub fn set_process_affinity(
    process: &'static Process,
    processors: ProcessorSet,
) -> NtResult<ProcessorSet> {
    if processors.0 & processor::active().0 == 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let database = dispatcher::lock();
    let before = process.affinity.get(&database);
    process.affinity.set(&database, processors.0);
    let mut next = process.threads.first(&database);
    while let Some(thread) = next {
        change_affinity(&database, thread, processors);
        next = process.threads.next(&database, thread);
    }
    Ok(ProcessorSet(before))
}

/// The processors that a process's threads may use.
pub fn process_affinity(process: &Process) -> ProcessorSet {
    ProcessorSet(process.affinity.glance())
}

/// The processors that a thread may use.
pub fn affinity(thread: &Thread) -> ProcessorSet {
    ProcessorSet(thread.affinity.glance())
}

/// The processor that a thread prefers.
pub fn ideal_processor(thread: &Thread) -> ProcessorNumber {
    ProcessorNumber(thread.ideal_processor.glance())
}

/// The priority that a thread has at the moment.
pub fn priority(thread: &Thread) -> u8 {
    thread.priority.glance()
}

/// The base priority of a process.
pub fn process_base_priority(process: &Process) -> u8 {
    process.base_priority.glance()
}

/// Whether the ends of waits do not boost a thread.
pub fn boosts_disabled(thread: &Thread) -> bool {
    thread.boosts_disabled.glance()
}

/// Whether the ends of waits boost a process's threads, those that it has and those to come; gives what it was before.
#[doc(alias = "KeSetDisableBoostProcess")]
pub fn set_process_boosts_disabled(process: &'static Process, disabled: bool) -> bool {
    let database = dispatcher::lock();
    let before = process.boosts_disabled.get(&database);
    process.boosts_disabled.set(&database, disabled);
    let mut next = process.threads.first(&database);
    while let Some(thread) = next {
        thread.boosts_disabled.set(&database, disabled);
        next = process.threads.next(&database, thread);
    }
    before
}

/// Whether the ends of waits do not boost a process's threads.
pub fn process_boosts_disabled(process: &Process) -> bool {
    process.boosts_disabled.glance()
}

/// Sets the processor that a thread prefers; gives the old one. A number that no processor can have changes nothing, as in
/// NT, where it is how to ask.
#[doc(alias = "KeSetIdealProcessorThread")]
pub fn set_ideal_processor(thread: &Thread, number: ProcessorNumber) -> ProcessorNumber {
    let database = dispatcher::lock();
    let before = thread.ideal_processor.get(&database);
    if number.index() < boards::MAX_PROCESSORS {
        thread.ideal_processor.set(&database, number.0);
    }
    ProcessorNumber(before)
}
