//! Queues: waiting for work, with a limit on how many threads work at once.
//!
//! The entries themselves are kept by who owns the queue; here is their number. A
//! thread that waits is let go when there is an entry and fewer threads than the
//! limit are at work; the last that came goes first, because its stack is warm. A
//! thread that blocks while it works makes room for another one.
//!
//! # NT
//! `KQUEUE`; what I/O completion ports and worker threads wait on.

use nt_abi::{NtResult, NtStatus};

use super::{Database, Event, Header, Kind, lock, signalled, unwait_of};
use crate::thread::Thread;
use crate::wait::{self, WaitOptions};

/// A queue's threads and its number of entries.
pub struct Queue {
    header: &'static Header,
}

impl Queue {
    /// Makes one that lets `limit` threads work at once; 0: as many as there are processors.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "KeInitializeQueue")]
    pub fn new(limit: u32) -> NtResult<Self> {
        let limit = match limit {
            0 => crate::processor::active().count(),
            limit => limit,
        };
        let limit = i32::try_from(limit).unwrap_or(i32::MAX);
        Ok(Self {
            header: Header::take(Kind::Queue, 0, limit)?,
        })
    }

    /// Names an event that is set whenever there is an entry and room for a thread to work on it, and no thread waits: who
    /// sees to the threads makes another one then. The event lives as long as the queue.
    pub fn set_starved_event(&self, event: &Event) {
        let _database = lock();
        self.header.when_starved.set(Some(event.header()));
    }

    /// What waits name it by.
    pub fn header(&self) -> &'static Header {
        self.header
    }

    /// Says that there is one more entry; gives how many there were.
    #[doc(alias = "KeInsertQueue")]
    pub fn insert(&self) -> i32 {
        let database = lock();
        let before = self.header.signal.get(&database);
        self.header.signal.set(&database, before + 1);
        activate(&database, self.header);
        before
    }

    /// Takes an entry, waiting for one. The calling thread is at work for this queue from then on, until it comes again.
    ///
    /// # Errors
    /// The status of a wait that ended otherwise: `TIMEOUT`, `USER_APC`, `ALERTED`, `ABANDONED_WAIT_0` if the queue was run down.
    #[doc(alias = "KeRemoveQueue")]
    pub fn remove(&self, options: &WaitOptions) -> NtResult {
        let status = wait::wait_for_queue(self.header, options);
        if status == NtStatus::WAIT_0 {
            Ok(())
        } else {
            Err(status)
        }
    }

    /// Entries that nobody has taken.
    #[doc(alias = "KeReadStateQueue")]
    pub fn entries(&self) -> i32 {
        self.header.signal.glance()
    }

    /// Threads that are at work for it.
    pub fn active(&self) -> i32 {
        self.header.active.glance()
    }

    /// Whether one more thread may be at work.
    pub fn has_room(&self) -> bool {
        self.active() < self.header.limit.glance()
    }

    /// Ends the waits of all who wait, with `ABANDONED_WAIT_0`.
    #[doc(alias = "KeRundownQueue")]
    pub fn run_down(&self) {
        let database = lock();
        while let Some(block) = self.header.waiters.first(&database) {
            match block.thread.get() {
                Some(thread) => unwait_of(&database, thread, NtStatus::ABANDONED_WAIT_0),
                None => return,
            }
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        Header::give_back(self.header);
    }
}

/// Lets threads go for as long as there are entries and room.
pub(crate) fn activate(database: &Database, queue: &'static Header) {
    while queue.signal.get(database) > 0 && queue.active.get(database) < queue.limit.get(database) {
        // Waiters are put at the front, so the first one came last.
        let Some(thread) = queue
            .waiters
            .first(database)
            .and_then(|block| block.thread.get())
        else {
            if let Some(event) = queue.when_starved.get() {
                event.signal.set(database, 1);
                signalled(database, event, 0);
            }
            return;
        };
        take_entry(database, queue, thread);
        unwait_of(database, thread, NtStatus::WAIT_0);
    }
}

/// Gives a thread one of the entries, and makes it one that works for the queue.
pub(crate) fn take_entry(database: &Database, queue: &'static Header, thread: &'static Thread) {
    queue.signal.set(database, queue.signal.get(database) - 1);
    queue.active.set(database, queue.active.get(database) + 1);
    thread.queue.set(Some(queue));
}

/// The thread blocks, ends or comes back for more: it is not at work for its queue any more.
pub(crate) fn leave(database: &Database, thread: &'static Thread) {
    if let Some(queue) = thread.queue.get() {
        queue.active.set(database, queue.active.get(database) - 1);
        activate(database, queue);
    }
}

/// A thread that blocked while it worked for a queue goes on.
pub(crate) fn enter_again(database: &Database, thread: &'static Thread) {
    if let Some(queue) = thread.queue.get() {
        queue.active.set(database, queue.active.get(database) + 1);
    }
}
