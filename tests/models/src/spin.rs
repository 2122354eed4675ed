//! The two spin locks' algorithm, with the orders that the crate `spin` (0.12) gives each access.
//!
//! `ke::SpinLock` is its `SpinMutex`: one word, taken by a compare-exchange that acquires, freed by a store that releases.
//! `ke::QueuedSpinLock` is its `TicketMutex`: a ticket is drawn without any order, the number that is served is acquired,
//! and the next one is released. The orders of a lock can be given here, so that a test shows what too weak ones do.

use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread::yield_now;

/// A lock of one word.
pub(crate) struct Spin {
    word: AtomicU64,
    acquire: Ordering,
    release: Ordering,
}

impl Spin {
    pub(crate) fn new(acquire: Ordering, release: Ordering) -> Self {
        Self {
            word: AtomicU64::new(0),
            acquire,
            release,
        }
    }

    pub(crate) fn with<T>(&self, inside: impl FnOnce() -> T) -> T {
        let take = || {
            self.word
                .compare_exchange(0, 1, self.acquire, Ordering::Relaxed)
        };
        while take().is_err() {
            yield_now();
        }
        let given = inside();
        self.word.store(0, self.release);
        given
    }
}

/// A lock of two words: the next ticket, and the one that is served.
pub(crate) struct Ticket {
    next: AtomicU64,
    serving: AtomicU64,
}

impl Ticket {
    pub(crate) fn new() -> Self {
        Self {
            next: AtomicU64::new(0),
            serving: AtomicU64::new(0),
        }
    }

    /// Draws a ticket; what is done inside is told which one it was.
    pub(crate) fn with<T>(&self, inside: impl FnOnce(u64) -> T) -> T {
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        while self.serving.load(Ordering::Acquire) != ticket {
            yield_now();
        }
        let given = inside(ticket);
        self.serving.store(ticket + 1, Ordering::Release);
        given
    }
}
