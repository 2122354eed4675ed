//! Timers, and the thread that notices when they are due.
//!
//! A timer with a window may be late by that much, so that one wake-up serves several: the thread wakes when the first one
//! must be noticed, and then takes all that are due.

use nt_abi::{NtResult, NtStatus};

use super::kernel::{PoolKernel, Role};
use super::slab::Id;
use super::state::{Locked, Sort};
use super::workers::{Running, TIMED_OUT};
use crate::words::parking::Deadline;
use crate::words::queue::Purpose;

/// Units of 100 ns in a millisecond.
pub(super) const MILLISECOND: i64 = 10_000;

/// By what the thread waits: no number of anything.
const THREAD: usize = 0;

impl<K: PoolKernel> Locked<'_, K> {
    /// A time in NT's form as a time since the system started.
    pub(super) fn due(&self, time: i64) -> i64 {
        let now = self.now();
        match time {
            0 => now,
            time @ 1.. => now.saturating_add((time - self.kernel.system_time()).max(0)),
            time => now.saturating_sub(time),
        }
    }

    /// Sees to it that the timers' thread looks as early as it must now.
    pub(super) fn timers_changed(&mut self) {
        let first = self.timers.armed.keys().next();
        let wanted = first
            .map_or(i64::MAX, |first| first.0)
            .min(self.timers.looks_at);
        if !self.timers.has_thread {
            self.timers.has_thread = true;
            self.start(Role::Timers, 0, 0);
        } else if wanted < self.timers.wakes_at {
            self.timers.wakes_at = i64::MIN;
            self.wake(THREAD, Purpose::Timers);
        }
    }

    /// Arms an object's timer for its due time.
    fn arm(&mut self, id: Id) {
        let number = self.timers.next;
        self.timers.next += 1;
        let Some(object) = self.objects.get_mut(id) else {
            return;
        };
        let timer = &mut object.timer;
        let place = (timer.due.saturating_add(timer.window), number);
        timer.armed = Some(place);
        self.timers.armed.insert(place, id);
        self.timers_changed();
    }

    /// Takes an object's timer off; says whether it was armed.
    pub(super) fn disarm(&mut self, id: Id) -> bool {
        let armed = self
            .objects
            .get_mut(id)
            .and_then(|object| object.timer.armed.take());
        armed.is_some_and(|place| self.timers.armed.remove(&place).is_some())
    }

    /// Sets an object's timer, to be noticed by the thread.
    pub(super) fn set(&mut self, id: Id, due: i64, period: i64, window: i64) -> bool {
        let was_armed = self.disarm(id);
        if let Some(object) = self.objects.get_mut(id) {
            let timer = &mut object.timer;
            (timer.is_set, timer.due, timer.period, timer.window) = (true, due, period, window);
            self.arm(id);
        }
        was_armed
    }

    /// Posts a timer that is due, and arms it again if it has a period.
    fn fire(&mut self, id: Id) -> Option<Running> {
        let now = self.now();
        let timer = &mut self.objects.get_mut(id)?.timer;
        timer.armed = None;
        if timer.period != 0 {
            // In step with when it was due, but without making up for what was missed.
            timer.due = timer.due.saturating_add(timer.period);
            if timer.due <= now {
                timer.due = now.saturating_add(timer.period);
            }
            self.arm(id);
        }
        self.post(id, TIMED_OUT)
    }

    /// Takes the first timer that is due.
    fn next_due(&mut self) -> Option<Id> {
        let now = self.now();
        let (&place, &id) = self.timers.armed.iter().next()?;
        let due = self
            .objects
            .get(id)
            .map_or(i64::MIN, |object| object.timer.due);
        if due > now {
            return None;
        }
        self.timers.armed.remove(&place);
        Some(id)
    }
}

/// The life of the timers' thread. It lasts as long as the process.
pub(super) fn run<K: PoolKernel>(kernel: &K) {
    loop {
        let mut locked = Locked::new(kernel);
        let now = locked.now();
        if locked.timers.looks_at <= now {
            locked.look_at_pools();
        }
        let first = locked
            .timers
            .armed
            .keys()
            .next()
            .map_or(i64::MAX, |first| first.0);
        if first <= now {
            // Somebody must be noticed: then so are all that are due.
            let mut at_once = None;
            while at_once.is_none()
                && let Some(id) = locked.next_due()
            {
                at_once = locked.fire(id);
            }
            drop(locked);
            if let Some(running) = at_once {
                running.call(kernel);
            }
            continue;
        }
        let wakes_at = first.min(locked.timers.looks_at);
        locked.timers.wakes_at = wakes_at;
        let deadline = if wakes_at == i64::MAX {
            Deadline::Never
        } else {
            Deadline::Running(wakes_at)
        };
        locked.wait(THREAD, Purpose::Timers, deadline);
        Locked::new(kernel).timers.wakes_at = i64::MIN;
    }
}

/// Sets a timer: when it is due, in NT's form, or `None` to take it back; how often again, and how much later it may be, in
/// milliseconds. Says whether it was to come before.
///
/// # NT
/// `TpSetTimer`, `TpSetTimerEx`.
///
/// # Errors
/// `INVALID_PARAMETER` if it is no timer.
pub fn set_timer<K: PoolKernel>(
    kernel: &K,
    timer: Id,
    due: Option<i64>,
    period: u32,
    window: u32,
) -> NtResult<bool> {
    let mut locked = Locked::new(kernel);
    locked.check(timer, Sort::Timer)?;
    let Some(due) = due else {
        let was_armed = locked.disarm(timer);
        if let Some(object) = locked.objects.get_mut(timer) {
            object.timer.is_set = false;
        }
        return Ok(was_armed);
    };
    let due = locked.due(due);
    let (period, window) = (i64::from(period), i64::from(window));
    Ok(locked.set(timer, due, period * MILLISECOND, window * MILLISECOND))
}

/// Whether a timer was set and not taken back, though it may have come.
///
/// # NT
/// `TpIsTimerSet`.
pub fn is_timer_set<K: PoolKernel>(kernel: &K, timer: Id) -> bool {
    let locked = Locked::new(kernel);
    locked
        .objects
        .get(timer)
        .is_some_and(|object| object.timer.is_set)
}

impl<K: PoolKernel> Locked<'_, K> {
    /// Whether a number is of an object of a sort that is still its owner's.
    pub(super) fn check(&self, id: Id, sort: Sort) -> NtResult {
        match self.objects.get(id) {
            Some(object) if object.sort == sort && !object.released => Ok(()),
            _ => Err(NtStatus::INVALID_PARAMETER),
        }
    }
}
