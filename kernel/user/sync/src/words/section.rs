//! The word of a critical section: `LockCount`, as Windows has had it since Windows Server 2003 SP1.
//!
//! ```text
//! bit 0           set: free
//! bit 1           clear: a waiter was woken and has not got the lock yet
//! bits 2 to 31    the ones' complement of the number of waiters
//! ```
//!
//! So -1 is free and -2 is held without waiters. Whoever finds bit 0 set takes the lock by clearing it, whoever waits; that
//! keeps a lock that is much in demand with a thread that runs. Who waits is counted before it enters the queue, so whoever
//! leaves sees it in the word and looks for it there.
//!
//! **No wake-up is lost.** As long as anybody is counted, either the lock is held, and its holder wakes one when it leaves;
//! or bit 1 is clear, and the thread that was woken takes the lock or goes back to the queue. It goes back, and sets bit 1,
//! only by a compare-exchange that sees the lock held, under the queue's lock; so that holder's leave comes later and
//! looks.
//!
//! **Nobody starves.** A thread that was woken in vain goes to the front, and says how often that has happened. After
//! [`Parking::PATIENCE`] times the lock is not freed but handed to it: bit 0 stays clear.
//!
//! Order: taking is an acquire on the word and freeing a release. What is handed over is ordered by the wait block's state,
//! which the old holder releases and the new one acquires.

use super::atomic::{AtomicU32, Ordering};
use super::parking::{self, Deadline, Parking};
use super::queue::{Key, Outcome, Place, Purpose, Wait, with_queue};

/// Nobody has it, nobody waits.
pub(crate) const FREE: u32 = u32::MAX;
/// Set if nobody has it.
const NOT_HELD: u32 = 1;
/// Set if nobody was woken.
const NONE_WOKEN: u32 = 2;
/// One waiter fewer.
const WAITER: u32 = 4;

/// Answers to a waiter.
const TRY_AGAIN: usize = 0;
const YOURS: usize = 1;

/// Takes the lock if nobody has it.
#[inline]
pub(crate) fn try_enter(word: &AtomicU32) -> bool {
    word.fetch_and(!NOT_HELD, Ordering::Acquire) & NOT_HELD != 0
}

fn key(address: usize) -> Key {
    Key {
        address,
        purpose: Purpose::Section,
    }
}

/// Takes the lock, if nobody has it, for a thread that is counted as a waiter and perhaps was woken; gives what it saw
/// otherwise.
fn take(word: &AtomicU32, woken: u32) -> Result<(), u32> {
    let mut seen = word.load(Ordering::Relaxed);
    while seen & NOT_HELD != 0 {
        match word.compare_exchange_weak(
            seen,
            ((seen & !NOT_HELD) | woken) + WAITER,
            Ordering::Acquire,
            Ordering::Relaxed,
        ) {
            Ok(_) => return Ok(()),
            Err(now) => seen = now,
        }
    }
    Err(seen)
}

/// Takes the lock if nobody has it; otherwise, if the thread was woken, says that it is no more, while somebody has it.
fn take_or_stay(word: &AtomicU32, woken: u32) -> bool {
    loop {
        match take(word, woken) {
            Ok(()) => return true,
            Err(seen) if seen | woken == seen => return false,
            Err(seen) => {
                if word
                    .compare_exchange(seen, seen | woken, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok()
                {
                    return false;
                }
            }
        }
    }
}

/// Looks so many times whether the lock is free, while nobody waits for it.
fn spin<P: Parking>(parking: &P, word: &AtomicU32, times: u32) -> bool {
    for _ in 0..times {
        let seen = word.load(Ordering::Relaxed);
        if seen & NOT_HELD != 0 && try_enter(word) {
            return true;
        }
        if seen | NOT_HELD | NONE_WOKEN != FREE {
            return false;
        }
        parking.relax();
    }
    false
}

/// Takes the lock; waits as long as it takes. `address` is the section's, `spins` how often to look first.
///
/// When `timeout`, in NT's form, has passed, `overdue` is called, while the caller is counted no more and in no queue; then
/// the wait begins again.
#[cold]
pub(crate) fn enter_contended<P: Parking>(
    parking: &P,
    word: &AtomicU32,
    address: usize,
    spins: u32,
    timeout: Option<i64>,
    mut overdue: impl FnMut(),
) {
    if spin(parking, word, parking::spins(parking, spins)) {
        return;
    }
    word.fetch_sub(WAITER, Ordering::Relaxed);
    let mut vain = 0;
    // What a thread that was woken adds to the word when it comes back.
    let mut woken = 0;
    loop {
        if take(word, woken).is_ok() {
            return;
        }
        let wait = Wait {
            place: if woken == 0 {
                Place::Back
            } else {
                Place::Front
            },
            deadline: Deadline::of(parking, timeout),
            spins: parking::spins(parking, P::SPINS),
            ..Wait::new(key(address), vain)
        };
        let mut taken = false;
        let check = || {
            taken = take_or_stay(word, woken);
            !taken
        };
        match wait.park(parking, check, || (), |_| ()) {
            Outcome::Woken(YOURS) => return,
            Outcome::Woken(_) => {
                vain += 1;
                woken = NONE_WOKEN;
            }
            Outcome::TimedOut => {
                word.fetch_add(WAITER, Ordering::Relaxed);
                overdue();
                word.fetch_sub(WAITER, Ordering::Relaxed);
                woken = 0;
            }
            Outcome::Unneeded => return,
        }
    }
}

/// Frees a lock that the caller has and nobody waits for; false if somebody does.
#[inline]
pub(crate) fn leave(word: &AtomicU32) -> bool {
    word.compare_exchange(FREE & !NOT_HELD, FREE, Ordering::Release, Ordering::Relaxed)
        .is_ok()
}

/// Frees a lock that the caller has, and sees to one who waits.
#[cold]
pub(crate) fn leave_contended<P: Parking>(parking: &P, word: &AtomicU32, address: usize) {
    let mut seen = word.load(Ordering::Relaxed);
    while seen & NONE_WOKEN == 0 || seen | NOT_HELD == FREE {
        match word.compare_exchange_weak(
            seen,
            seen | NOT_HELD,
            Ordering::Release,
            Ordering::Relaxed,
        ) {
            Ok(_) => return,
            Err(now) => seen = now,
        }
    }
    with_queue(parking, key(address), |queue| match queue.first() {
        // Counted, but not here yet: it will look at the word before it waits.
        None => {
            word.fetch_or(NOT_HELD, Ordering::Release);
        }
        Some(waiter) if waiter.wish >= P::PATIENCE => {
            word.fetch_add(WAITER, Ordering::Relaxed);
            queue.wake(waiter, YOURS);
        }
        Some(waiter) => {
            // One addition sets bit 0 and clears bit 1: the one is clear and the other set, and nobody else changes them.
            word.fetch_sub(NONE_WOKEN - NOT_HELD, Ordering::Release);
            queue.wake(waiter, TRY_AGAIN);
        }
    });
}
