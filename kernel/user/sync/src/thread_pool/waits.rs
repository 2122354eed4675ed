//! Waits for objects, and the threads that wait.
//!
//! A waiter waits for its objects without the lock, with a copy of its entries' handles. Who changes the entries signals
//! the waiter's event. **A signal is not lost**: who takes an entry back waits until the waiter has looked again, because
//! until then it might take an object's signal, which is then the callback's: it came before it was taken back.

use alloc::vec::Vec;

use nt_abi::native::Handle;
use nt_abi::{NtResult, NtStatus};

use super::MINUS_ONE;
use super::kernel::{PoolKernel, Role};
use super::slab::Id;
use super::state::{Entry, Locked, Sort, Waiter};
use super::workers::{Running, SIGNALLED, TIMED_OUT};
use crate::words::parking::Deadline;
use crate::words::queue::Purpose;

/// How many objects a waiter waits for: as many as the service takes but one, its own event.
const MOST_ENTRIES: usize = 63;

/// `STATUS_ABANDONED_WAIT_0`: the first object's mutant was abandoned, and is the waiter's now.
const ABANDONED: u32 = 0x80;

impl<K: PoolKernel> Locked<'_, K> {
    /// A waiter with room for an entry.
    fn waiter_with_room(&mut self) -> NtResult<usize> {
        let room = |waiter: &Waiter| waiter.entries.len() < MOST_ENTRIES;
        if let Some(index) = self.waiters.iter().position(room) {
            return Ok(index);
        }
        let mut entries = Vec::new();
        let no_memory = |_| NtStatus::NO_MEMORY;
        entries.try_reserve(MOST_ENTRIES).map_err(no_memory)?;
        self.waiters.try_reserve(1).map_err(no_memory)?;
        let event = self.kernel.create_event()?;
        self.waiters.push(Waiter {
            event,
            has_thread: false,
            thread: 0,
            next: 0,
            entries,
        });
        Ok(self.waiters.len() - 1)
    }

    /// Has an object's wait begin: for this handle, and so long in NT's form.
    pub(super) fn arm_wait(&mut self, id: Id, handle: Handle, timeout: Option<i64>) -> NtResult {
        let due = timeout.map_or(i64::MAX, |timeout| self.due(timeout));
        let index = self.waiter_with_room()?;
        let waiter = &mut self.waiters[index];
        let number = waiter.next;
        waiter.next += 1;
        waiter.entries.push(Entry {
            number,
            object: id,
            handle,
            due,
            cancelled: false,
        });
        if let Some(object) = self.objects.get_mut(id) {
            object.wait.entry = Some((index, number));
        }
        let waiter = &mut self.waiters[index];
        let event = waiter.event;
        if core::mem::replace(&mut waiter.has_thread, true) {
            self.set_event(event);
        } else {
            self.start(Role::Waiter(index), 0, 0);
        }
        Ok(())
    }

    /// Takes an entry out and posts its callback, unless the object is given up.
    fn end_wait(&mut self, index: usize, number: u64, result: u32) -> Option<Running> {
        let entries = &mut self.waiters[index].entries;
        let place = entries.iter().position(|entry| entry.number == number)?;
        let entry = entries.remove(place);
        let object = self.objects.get_mut(entry.object)?;
        if object.wait.entry == Some((index, number)) {
            object.wait.entry = None;
        }
        object.wait.ended = Some((index, number));
        if object.released {
            return None;
        }
        self.post(entry.object, result)
    }

    /// The first of a waiter's entries, before a number, whose time has come.
    fn first_overdue(&self, index: usize, before: u64) -> Option<u64> {
        let now = self.now();
        let mut entries = self.waiters[index].entries.iter();
        entries
            .find(|entry| entry.due <= now && entry.number < before && !entry.cancelled)
            .map(|entry| entry.number)
    }
}

/// What a waiter waits for, copied: handles, the entries' numbers, and until when.
struct Look {
    /// The waiter's own event first.
    handles: [Handle; MOST_ENTRIES + 1],
    numbers: [u64; MOST_ENTRIES],
    /// How many entries there are.
    count: usize,
    due: i64,
    /// Entries from this number on came later.
    end: u64,
}

/// How a look ended.
enum Seen {
    /// This entry's object was signalled.
    Signalled(u64),
    /// The entries have changed.
    Changed,
    /// A time has come.
    TimedOut,
    /// One of the handles is none.
    Bad,
}

impl Look {
    fn new<K: PoolKernel>(locked: &Locked<'_, K>, index: usize) -> Self {
        let waiter = &locked.waiters[index];
        let mut look = Self {
            handles: [waiter.event; MOST_ENTRIES + 1],
            numbers: [0; MOST_ENTRIES],
            count: 0,
            due: i64::MAX,
            end: waiter.next,
        };
        for entry in &waiter.entries {
            look.due = look.due.min(entry.due);
            if entry.handle != MINUS_ONE {
                look.numbers[look.count] = entry.number;
                look.count += 1;
                look.handles[look.count] = entry.handle;
            }
        }
        look
    }

    fn wait<K: PoolKernel>(&self, kernel: &K) -> Seen {
        let timeout =
            (self.due != i64::MAX).then(|| kernel.interrupt_time().saturating_sub(self.due).min(0));
        let status = kernel.wait_for_any(&self.handles[..=self.count], timeout);
        if status == NtStatus::TIMEOUT {
            return Seen::TimedOut;
        }
        if !status.is_success() {
            return Seen::Bad;
        }
        let signalled = |first: u32| {
            let index = usize::try_from(status.0.checked_sub(first + 1)?).ok()?;
            self.numbers[..self.count].get(index).copied()
        };
        let number = signalled(0).or_else(|| signalled(ABANDONED));
        number.map_or(Seen::Changed, Seen::Signalled)
    }

    /// Looks at each handle by itself. A bad one's wait is over without a callback.
    fn look_at_each<K: PoolKernel>(&self, kernel: &K, index: usize) {
        for place in 0..self.count {
            let number = self.numbers[place];
            let status = kernel.wait_for_any(&[self.handles[place + 1]], Some(0));
            if !status.is_success() {
                Locked::new(kernel).forget(index, number);
            } else if status != NtStatus::TIMEOUT {
                end_one(kernel, index, number, SIGNALLED);
            }
        }
    }
}

/// A waiter's life. It lasts as long as the process.
pub(super) fn run<K: PoolKernel>(kernel: &K, index: usize) {
    Locked::new(kernel).waiters[index].thread = kernel.thread_id();
    loop {
        let mut locked = Locked::new(kernel);
        let entries = &mut locked.waiters[index].entries;
        entries.retain(|entry| !entry.cancelled);
        locked.wake_all(index, Purpose::Waiter);
        let look = Look::new(&locked, index);
        drop(locked);
        match look.wait(kernel) {
            Seen::Signalled(number) => end_one(kernel, index, number, SIGNALLED),
            Seen::Changed => {}
            // Only those whose objects were looked at: a wait of no time looks at its object first.
            Seen::TimedOut => end_overdue(kernel, index, look.end),
            Seen::Bad => look.look_at_each(kernel, index),
        }
    }
}

/// Ends an entry's wait.
fn end_one<K: PoolKernel>(kernel: &K, index: usize, number: u64, result: u32) {
    let running = Locked::new(kernel).end_wait(index, number, result);
    if let Some(running) = running {
        running.call(kernel);
    }
}

/// Ends the waits, of entries before a number, whose time has come.
fn end_overdue<K: PoolKernel>(kernel: &K, index: usize, before: u64) {
    loop {
        let overdue = Locked::new(kernel).first_overdue(index, before);
        match overdue {
            Some(number) => end_one(kernel, index, number, TIMED_OUT),
            None => return,
        }
    }
}

impl<K: PoolKernel> Locked<'_, K> {
    /// Takes an entry out without a callback.
    fn forget(&mut self, index: usize, number: u64) {
        self.waiters[index]
            .entries
            .retain(|entry| entry.number != number);
    }
}

/// Ends an object's wait, and returns when its waiter has noticed. A signal that was taken before that is the callback's.
/// Says whether the object waited and has no callback for it.
pub(super) fn disarm<K: PoolKernel>(kernel: &K, id: Id) -> bool {
    let mut locked = Locked::new(kernel);
    let Some(object) = locked.objects.get_mut(id) else {
        return false;
    };
    let Some((index, number)) = object.wait.entry.take() else {
        return false;
    };
    let waiter = &mut locked.waiters[index];
    for entry in &mut waiter.entries {
        entry.cancelled |= entry.number == number;
    }
    let event = waiter.event;
    locked.set_event(event);
    loop {
        let waiter = &locked.waiters[index];
        let noticed = waiter.entries.iter().all(|entry| entry.number != number);
        // The waiter itself does not wait now.
        if noticed || waiter.thread == kernel.thread_id() {
            let ended = locked.objects.get(id).and_then(|object| object.wait.ended);
            return ended != Some((index, number));
        }
        if !waiter.has_thread {
            locked.forget(index, number);
            return true;
        }
        locked.wait(index, Purpose::Waiter, Deadline::Never);
        locked = Locked::new(kernel);
    }
}

/// Has a wait wait for an object, for so long in NT's form, and no longer for the one before; 0 for none. Says whether it
/// waited before and has no callback for that.
///
/// # NT
/// `TpSetWait`, `TpSetWaitEx`. `-1` is an object that is never signalled.
///
/// # Errors
/// `INVALID_PARAMETER` if it is no wait; `NO_MEMORY`, and those of making an event, if no thread can wait for it.
pub fn set_wait<K: PoolKernel>(
    kernel: &K,
    wait: Id,
    handle: Handle,
    timeout: Option<i64>,
) -> NtResult<bool> {
    Locked::new(kernel).check(wait, Sort::Wait)?;
    let cancelled = disarm(kernel, wait);
    let mut locked = Locked::new(kernel);
    locked.check(wait, Sort::Wait)?;
    if handle != 0 {
        locked.arm_wait(wait, handle, timeout)?;
    }
    Ok(cancelled)
}
