//! The word of a condition variable: 0 if nobody waits, 1 if somebody may.
//!
//! The word is set, and cleared when the last one is gone, under the queue's lock. A waiter enters the queue before it
//! frees the lock that protects the condition. So a waker who changed the condition under that lock, after the waiter had
//! looked at it, sees the word set: the store came before the free, and the free before its own taking of the lock. A waker
//! need not hold the lock any more as it wakes; one who never had it can lose a wake-up, here as on Windows.

use super::atomic::{AtomicUsize, Ordering, address_of};
use super::parking::{Deadline, Parking};
use super::queue::{Key, Outcome, Purpose, Queue, Wait, with_queue};

fn key(word: &AtomicUsize) -> Key {
    Key {
        address: address_of(word),
        purpose: Purpose::Condition,
    }
}

/// Waits; `release` frees the lock that protects the condition once the caller can be woken. False if the time came first.
pub(crate) fn sleep<P: Parking>(
    parking: &P,
    word: &AtomicUsize,
    deadline: Deadline,
    release: impl FnOnce(),
) -> bool {
    let wait = Wait {
        deadline,
        ..Wait::new(key(word), 0)
    };
    let announce = || {
        word.store(1, Ordering::Relaxed);
        true
    };
    let outcome = wait.park(parking, announce, release, |queue| clear(word, queue));
    outcome != Outcome::TimedOut
}

/// Notes that nobody waits any more, if so.
fn clear(word: &AtomicUsize, queue: &Queue<'_>) {
    if queue.is_empty() {
        word.store(0, Ordering::Relaxed);
    }
}

/// Wakes the one who came first.
#[inline]
pub(crate) fn wake<P: Parking>(parking: &P, word: &AtomicUsize) {
    if word.load(Ordering::Relaxed) != 0 {
        wake_waiters(parking, word, false);
    }
}

/// Wakes all.
#[inline]
pub(crate) fn wake_all<P: Parking>(parking: &P, word: &AtomicUsize) {
    if word.load(Ordering::Relaxed) != 0 {
        wake_waiters(parking, word, true);
    }
}

#[cold]
fn wake_waiters<P: Parking>(parking: &P, word: &AtomicUsize, all: bool) {
    with_queue(parking, key(word), |queue| {
        if all {
            queue.wake_all(0);
        } else if let Some(first) = queue.first() {
            queue.wake(first, 0);
        }
        clear(word, queue);
    });
}
