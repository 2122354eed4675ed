//! Waiting by key: for what is too small to be an object.
//!
//! A lock of one word has no room for a list of who waits for it, and a keyed event
//! has any number of keys. Their waiters are found by a key of two values (whose, and
//! which) in a table of lists, which the dispatcher's lock guards like all waits.
//!
//! Guarantee: the check and the beginning of the wait are one step under that lock,
//! and so are the look at the waiters and what is done about them. So a wake cannot
//! be lost between a check that finds nothing to take and the wait that follows it,
//! if whoever makes something to take does so in [`with_waiters`], or looks there
//! afterwards. Who waits by one key goes on in the order in which it came; a kernel
//! APC that interrupts the wait costs the thread its place, as it does in NT.

use nt_abi::NtStatus;

use crate::dispatcher::{self, Database, Header, Kind, WaitBlock, unwait};
use crate::thread::Thread;
use crate::wait::{self, WaitOptions};

/// What a wait by key is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// Whose key it is: an address, or another number that nobody else uses.
    pub owner: u64,
    /// Which of the owner's keys.
    pub value: u64,
}

/// A thread that waits by a key.
#[derive(Clone, Copy)]
pub struct Waiter {
    thread: &'static Thread,
    /// What it said that it wants.
    pub wants: u64,
}

/// Those who wait by a key, while nobody comes or goes.
pub struct Waiters<'a> {
    database: &'a Database,
    key: Key,
}

/// A wait that is to be made unless its check says otherwise.
pub(crate) struct KeyedWait<'a> {
    key: Key,
    wants: u64,
    check: &'a dyn Fn(&Waiters<'_>) -> Option<NtStatus>,
}

const LISTS: usize = 128;
static LISTS_OF_WAITERS: [Header; LISTS] = [const { Header::new(Kind::Notification, 0, 0) }; LISTS];

fn list(key: Key) -> &'static Header {
    // Fibonacci hashing: the product's upper bits depend on all of the key's.
    let mixed = (key.owner ^ key.value.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    &LISTS_OF_WAITERS[usize::try_from(mixed >> 57).unwrap_or(0) % LISTS]
}

/// Forgets what an earlier test left.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn forget() {
    for list in &LISTS_OF_WAITERS {
        list.waiters.forget();
    }
}

/// Waits by a key, until somebody [wakes](Waiters::wake) the thread with a status; gives that, or `TIMEOUT`, `ALERTED`,
/// `USER_APC` as every wait.
///
/// `check` is asked before the wait, and again after each interruption by an APC: if it gives a status, that is the
/// result, and nothing is waited for. It runs under the dispatcher's lock, so it takes no lock and is short. `wants` is for
/// those who look at the waiters.
///
/// # IRQL
/// Below Dispatch.
pub fn wait(
    key: Key,
    wants: u64,
    options: &WaitOptions,
    check: &dyn Fn(&Waiters<'_>) -> Option<NtStatus>,
) -> NtStatus {
    wait::wait_by_key(&KeyedWait { key, wants, check }, options)
}

/// Looks at those who wait by a key, and does something about them, in one step.
///
/// `body` runs under the dispatcher's lock, so it takes no lock and is short.
///
/// # IRQL
/// At most Dispatch.
pub fn with_waiters<T>(key: Key, body: impl FnOnce(&Waiters<'_>) -> T) -> T {
    let database = dispatcher::lock();
    body(&Waiters {
        database: &database,
        key,
    })
}

impl KeyedWait<'_> {
    pub(crate) fn check(&self, database: &Database) -> Option<NtStatus> {
        (self.check)(&Waiters {
            database,
            key: self.key,
        })
    }

    /// Puts a thread's block behind those who wait already.
    pub(crate) fn enqueue(
        &self,
        database: &Database,
        thread: &'static Thread,
        block: &'static WaitBlock,
    ) {
        let values = [self.key.owner, self.key.value, self.wants];
        for (field, value) in thread.wait_key.iter().zip(values) {
            field.set(database, value);
        }
        let list = list(self.key);
        block.object.set(Some(list));
        block.key.set(database, 0);
        list.waiters.push_back(database, block);
    }
}

impl Waiters<'_> {
    /// Those who wait, first come first.
    pub fn iter(&self) -> impl Iterator<Item = Waiter> {
        let list = list(self.key);
        let mut next = list.waiters.first(self.database);
        core::iter::from_fn(move || {
            while let Some(block) = next {
                next = list.waiters.next(self.database, block);
                if let Some(waiter) = block.thread.get().and_then(|thread| self.waiter(thread)) {
                    return Some(waiter);
                }
            }
            None
        })
    }

    /// The one who came first.
    pub fn first(&self) -> Option<Waiter> {
        self.iter().next()
    }

    fn waiter(&self, thread: &'static Thread) -> Option<Waiter> {
        let [owner, value, wants] = &thread.wait_key;
        let key = Key {
            owner: owner.get(self.database),
            value: value.get(self.database),
        };
        (key == self.key).then(|| Waiter {
            thread,
            wants: wants.get(self.database),
        })
    }

    /// Ends the wait of one of them with that status, and a boost of `increment`.
    pub fn wake(&self, waiter: Waiter, status: NtStatus, increment: u8) {
        unwait(self.database, waiter.thread, status, increment);
    }
}
