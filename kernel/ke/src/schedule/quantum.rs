//! Quantum: how long a thread runs before another one of its priority has its turn.

use super::ready::{is_idle, rival};
use core::sync::atomic::Ordering;

use super::{LOWEST_REALTIME, running};
use crate::clock::DEFAULT_PERIOD;
use crate::dispatcher::Database;
use crate::processor::{Prcb, Software, Spent};
use crate::thread::{State, Thread};

/// Units of quantum that a clock tick at the default rate takes.
#[doc(alias = "CLOCK_QUANTUM_DECREMENT")]
const UNITS_IN_TICK: u64 = 3;

/// A quantum of so many units, in 100 ns.
pub(crate) fn quantum_of(units: u8) -> i32 {
    // 255 units are a little more than a second.
    i32::try_from(u64::from(units) * (DEFAULT_PERIOD / UNITS_IN_TICK)).unwrap_or(i32::MAX)
}

/// The clock ticked after `period` units of 100 ns: charges that to what it found.
pub(crate) fn charge_tick(me: &Prcb, in_user_mode: bool, period: u64) {
    if me.running.get().is_none() {
        return;
    }
    let thread = running(me);
    let idle = is_idle(me, thread);
    let spent = if me.in_interrupts.load(Ordering::Relaxed) > 0 {
        Spent::Interrupt
    } else if me.dpc_active.load(Ordering::Relaxed) {
        Spent::Dpc
    } else if idle {
        Spent::Idle
    } else if in_user_mode {
        Spent::User
    } else {
        Spent::Kernel
    };
    me.times[spent as usize].fetch_add(period, Ordering::Relaxed);
    // This processor runs the thread, so nobody else writes these.
    match spent {
        Spent::User => thread
            .user_time
            .set_by_owner(thread.user_time.glance() + period),
        Spent::Kernel | Spent::Idle => thread
            .kernel_time
            .set_by_owner(thread.kernel_time.glance() + period),
        Spent::Dpc | Spent::Interrupt => {}
    }
    if idle {
        return;
    }
    let left = thread.quantum.glance() - i32::try_from(period).unwrap_or(i32::MAX);
    thread.quantum.set_by_owner(left);
    if left <= 0 {
        me.add_software(Software::QUANTUM_END);
    }
}

/// A running thread gets a new quantum, and its boost falls by one; by all of it, if it was boosted because it starved.
pub(super) fn renew(database: &Database, thread: &Thread) {
    thread
        .quantum
        .set(database, thread.quantum_reset.get(database));
    let priority = thread.priority.get(database);
    let base = thread.base_priority.get(database);
    let fall = 1 + thread.starvation_boost.get(database);
    thread.starvation_boost.set(database, 0);
    if priority < LOWEST_REALTIME && priority > base {
        let fallen = priority.saturating_sub(fall).max(base);
        thread.priority.set(database, fallen);
    }
}

/// The running thread's quantum has ended: its boost falls by one, and another thread that is as good becomes the next one.
pub(super) fn end(database: &Database, me: &Prcb, thread: &'static Thread) {
    if is_idle(me, thread) || thread.quantum.get(database) > 0 {
        return;
    }
    renew(database, thread);
    if me.next.get().is_none()
        && let Some(next) = rival(database, me, thread.priority.get(database))
    {
        next.state.set(database, State::Standby);
        me.next.set(Some(next));
    }
}
