//! What every object that can be waited for has in common, and what a signal does.
//!
//! # NT
//! `DISPATCHER_HEADER`, `KWAIT_BLOCK`; `KiWaitTest`, `KiWaitSatisfyOther` and their like.

use arch::AtomicRef;
use nt_abi::NtStatus;

use super::list::{Linked, Links, List};
use super::{Database, Field, Word};
use crate::arena::{Arena, Chunks, Slot, no_chunks};
use crate::thread::Thread;
use crate::{schedule, thread};

/// What an object is, which decides what a satisfied wait does to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Stays signalled: notification events and timers, threads, processes.
    Notification = 0,
    /// Satisfies one wait: synchronisation events and timers, gates.
    Synchronization = 1,
    /// Counts.
    Semaphore = 2,
    /// Has an owner.
    Mutant = 3,
    /// Hands out entries, last waiter first.
    Queue = 4,
}

impl Word for Kind {
    fn pack(self) -> u64 {
        self as u64
    }

    fn unpack(word: u64) -> Self {
        match word {
            1 => Self::Synchronization,
            2 => Self::Semaphore,
            3 => Self::Mutant,
            4 => Self::Queue,
            _ => Self::Notification,
        }
    }
}

/// The part of an object that waits know.
///
/// It lives for good: whoever waits holds a reference to the object that uses it, and the object gives it back at its end.
pub struct Header {
    pub(crate) kind: Field<Kind>,
    /// Above zero: signalled. A semaphore's count; a mutant's 1 less the times that its owner has it; a queue's entries.
    pub(crate) signal: Field<i32>,
    pub(crate) waiters: List<WaitBlock, Waiters>,
    /// A semaphore's greatest count; how many threads a queue lets run.
    pub(crate) limit: Field<i32>,
    /// A queue's threads that run.
    pub(crate) active: Field<i32>,
    /// The event that is set when a queue has an entry and room, and nobody to take it.
    pub(crate) when_starved: AtomicRef<Header>,
    /// A mutant's owner.
    pub(crate) owner: AtomicRef<Thread>,
    /// The mutant's last owner ended without a release.
    pub(crate) abandoned: Field<bool>,
    owned: Links<Header>,
    free: AtomicRef<Header>,
}

/// The list of blocks that wait for an object.
pub(crate) enum Waiters {}
/// The list of mutants that a thread owns.
pub(crate) enum Owned {}

impl Linked<Owned> for Header {
    fn links(&self) -> &Links<Self> {
        &self.owned
    }
}

/// One object of a thread's wait.
pub(crate) struct WaitBlock {
    links: Links<WaitBlock>,
    /// Whose it is; set once.
    pub(crate) thread: AtomicRef<Thread>,
    pub(crate) object: AtomicRef<Header>,
    /// The object's place among those that are waited for.
    pub(crate) key: Field<u32>,
}

impl WaitBlock {
    pub(crate) const fn new() -> Self {
        Self {
            links: Links::new(),
            thread: AtomicRef::none(),
            object: AtomicRef::none(),
            key: Field::zero(),
        }
    }
}

impl Linked<Waiters> for WaitBlock {
    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

/// Whether one object suffices or all are needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaitKind {
    /// Any one.
    Any,
    /// All at the same moment.
    All,
}

impl Word for WaitKind {
    fn pack(self) -> u64 {
        u64::from(self == Self::All)
    }

    fn unpack(word: u64) -> Self {
        if word == 0 { Self::Any } else { Self::All }
    }
}

impl Slot for Header {
    fn make(_number: u32) -> Self {
        Self::new(Kind::Notification, 0, 0)
    }

    fn free_link(&self) -> &AtomicRef<Self> {
        &self.free
    }
}

/// Bytes of memory that a dispatcher object takes: what a process may be charged for it.
pub const OBJECT_BYTES: usize = size_of::<Header>();

static HEADERS: Arena<Header, 512, 4096> = Arena::new(&HEADERS_CHUNKS);
static HEADERS_CHUNKS: Chunks<Header, 4096> = no_chunks();

impl Header {
    /// One for a static object.
    pub(crate) const fn new(kind: Kind, signal: u32, limit: u32) -> Self {
        Self {
            kind: Field::of_word(kind as u64),
            signal: Field::of_word(signal as u64),
            waiters: List::new(),
            limit: Field::of_word(limit as u64),
            active: Field::zero(),
            when_starved: AtomicRef::none(),
            owner: AtomicRef::none(),
            abandoned: Field::zero(),
            owned: Links::new(),
            free: AtomicRef::none(),
        }
    }

    /// Takes one that nobody uses.
    pub(crate) fn take(kind: Kind, signal: i32, limit: i32) -> Result<&'static Self, NtStatus> {
        let header = HEADERS.take()?;
        let database = super::lock();
        header.reset(&database, kind, signal, limit);
        Ok(header)
    }

    /// Makes it what it is to be next; nobody waits.
    pub(crate) fn reset(&self, database: &Database, kind: Kind, signal: i32, limit: i32) {
        self.kind.set(database, kind);
        self.signal.set(database, signal);
        self.limit.set(database, limit);
        self.active.set(database, 0);
        self.when_starved.set(None);
        self.owner.set(None);
        self.abandoned.set(database, false);
    }

    /// Gives one back that nobody waits for.
    ///
    /// One that somebody waits for is kept for good instead: the waiter's reference should have kept the object.
    pub(crate) fn give_back(header: &'static Self) {
        let waited_for = {
            let database = super::lock();
            !header.waiters.is_empty(&database)
        };
        debug_assert!(!waited_for, "an object ended while a thread waits for it");
        if !waited_for {
            HEADERS.give_back(header);
        }
    }

    /// Headers in use, for tests of what is left behind.
    pub fn in_use() -> usize {
        HEADERS.used()
    }

    /// Whether a wait of `thread` would be satisfied now.
    #[inline]
    pub(crate) fn is_signalled_for(&self, database: &Database, thread: &Thread) -> bool {
        self.signal.get(database) > 0
            || (self.kind.get(database) == Kind::Mutant
                && self
                    .owner
                    .get()
                    .is_some_and(|owner| core::ptr::eq(owner, thread)))
    }

    /// Whether its owner has a mutant as often as can be counted.
    fn is_exhausted_for(&self, database: &Database) -> bool {
        self.kind.get(database) == Kind::Mutant && self.signal.get(database) == i32::MIN
    }

    fn satisfy_with_status(
        &'static self,
        database: &Database,
        thread: &'static Thread,
        key: u32,
    ) -> NtStatus {
        if self.is_exhausted_for(database) {
            NtStatus::MUTANT_LIMIT_EXCEEDED
        } else if self.satisfy(database, thread) {
            NtStatus(NtStatus::ABANDONED_WAIT_0.0 + key)
        } else {
            NtStatus(NtStatus::WAIT_0.0 + key)
        }
    }

    /// Does to the object what a satisfied wait of `thread` does; true if it had been abandoned.
    pub(crate) fn satisfy(&'static self, database: &Database, thread: &'static Thread) -> bool {
        match self.kind.get(database) {
            Kind::Notification => false,
            Kind::Synchronization => {
                self.signal.set(database, 0);
                false
            }
            Kind::Semaphore | Kind::Queue => {
                self.signal.set(database, self.signal.get(database) - 1);
                false
            }
            Kind::Mutant => {
                let signal = self.signal.get(database) - 1;
                self.signal.set(database, signal);
                if signal == 0 {
                    self.owner.set(Some(thread));
                    thread.owned_mutants.push_front(database, self);
                }
                let abandoned = self.abandoned.get(database);
                self.abandoned.set(database, false);
                abandoned
            }
        }
    }
}

/// The object's signal was raised: satisfies those who wait, first come first served, for as long as it lasts.
///
/// `increment` is the boost that a thread gets which goes on because of it.
pub(crate) fn signalled(database: &Database, object: &'static Header, increment: u8) {
    let mut next = object.waiters.first(database);
    while let Some(block) = next {
        if object.signal.get(database) <= 0 {
            return;
        }
        next = object.waiters.next(database, block);
        let Some(thread) = block.thread.get() else {
            continue;
        };
        match thread.wait_kind.get(database) {
            WaitKind::Any => {
                let key = block.key.get(database);
                let status = if object.satisfy(database, thread) {
                    NtStatus(NtStatus::ABANDONED_WAIT_0.0 + key)
                } else {
                    NtStatus(NtStatus::WAIT_0.0 + key)
                };
                // Several blocks of the thread may be in this list: `next` must not be one that goes.
                unwait(database, thread, status, increment);
                next = object.waiters.first(database);
            }
            WaitKind::All => {
                if let Some(status) = thread::satisfy_all_blocks(database, thread) {
                    unwait(database, thread, status, increment);
                    next = object.waiters.first(database);
                }
            }
        }
    }
}

/// The status of a wait that is satisfied now; it does to the objects what it means.
#[inline]
pub(crate) fn satisfy_now(
    database: &Database,
    thread: &'static Thread,
    objects: &[&'static Header],
    kind: WaitKind,
) -> Option<NtStatus> {
    match kind {
        WaitKind::Any => {
            for (object, key) in objects.iter().zip(0..) {
                if object.is_signalled_for(database, thread) {
                    return Some(object.satisfy_with_status(database, thread, key));
                }
            }
            None
        }
        WaitKind::All => {
            let all = objects
                .iter()
                .all(|object| object.is_signalled_for(database, thread));
            if !all {
                return None;
            }
            let mut abandoned = false;
            for object in objects {
                if object.is_exhausted_for(database) {
                    return Some(NtStatus::MUTANT_LIMIT_EXCEEDED);
                }
            }
            for object in objects {
                abandoned |= object.satisfy(database, thread);
            }
            Some(if abandoned {
                NtStatus::ABANDONED_WAIT_0
            } else {
                NtStatus::WAIT_0
            })
        }
    }
}

/// Ends a thread's wait with that status and makes it ready.
pub(crate) fn unwait(
    database: &Database,
    thread: &'static Thread,
    status: NtStatus,
    increment: u8,
) {
    for block in thread.active_blocks(database) {
        if let Some(object) = block.object.replace(None) {
            object.waiters.remove(database, block);
        }
    }
    thread.wait_count.set(database, 0);
    thread.wait_timer.cancel(database);
    thread.wait_status.set(database, status.0);
    schedule::ready_after_wait(database, thread, increment);
}
