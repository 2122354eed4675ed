//! The word of a slim lock.
//!
//! ```text
//! bit 0       somebody has it
//! bit 1       somebody waits
//! bit 2       a thread that wants it alone was woken and has not got it yet
//! bit 3       always clear
//! from bit 4  how many share it; 0 if one has it alone
//! ```
//!
//! So 0 is free, 1 held alone, 0x11 shared by one: the numbers that Windows' own have when nobody waits.
//!
//! Who waits is in the queue of [`super::queue`]; bit 1 is set exactly while somebody is, and changes under the
//! queue's lock alone. While bit 0 and bit 1 are set nobody changes the word without that lock but sharers who leave.
//!
//! - **Sharers do not pass waiters**: while bit 1 or 2 is set they queue. When a lock becomes free and sharers are first,
//!   all that came before the first who wants it alone get it together, by hand-over.
//! - **Who wants it alone takes it where bit 0 is clear**, whoever waits. That keeps a lock that is much in demand with a
//!   thread that runs. The price is that the one who was woken may find it taken; it goes to the front, and after
//!   [`Parking::PATIENCE`] times the lock is handed to it. So nobody starves.
//!
//! **No wake-up is lost.** As long as anybody waits, bit 0 or bit 2 is set. Who has the lock sees bit 1 when it leaves, and
//! wakes one unless bit 2 says that one is awake. Who is awake takes the lock and clears bit 2, or goes back to the queue
//! and clears it by a compare-exchange that sees the lock held: then that holder's leave comes later.
//!
//! Order: taking is an acquire on the word, leaving a release, and all other changes are read-modify-writes, so who takes
//! the lock alone sees what all sharers before it did. A hand-over goes through the wait block's state, which the last
//! holder releases; it acquires the word before, for what other sharers did.

use super::atomic::{AtomicUsize, Ordering, address_of};
use super::parking::{self, Parking};
use super::queue::{Key, Place, Purpose, Queue, Wait, with_queue};

const HELD: usize = 1;
const WAITERS: usize = 2;
const WOKEN: usize = 4;
const SHARE: usize = 16;

/// What waiters say: a share, or alone, and how often they were woken in vain.
const WANTS_SHARE: usize = 0;
const WANTS_ALONE: usize = 1;
const IN_VAIN: usize = 2;

/// Answers to a waiter.
const TRY_AGAIN: usize = 0;
const YOURS: usize = 1;

/// That the caller has not got what it frees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NotOwned;

fn key(word: &AtomicUsize) -> Key {
    Key {
        address: address_of(word),
        purpose: Purpose::Lock,
    }
}

#[inline]
fn exchange(word: &AtomicUsize, from: usize, to: usize, success: Ordering) -> Result<(), usize> {
    word.compare_exchange(from, to, success, Ordering::Relaxed)
        .map(|_| ())
}

/// Takes it alone if nobody has it, for a thread that sets or clears bits besides; gives what it saw otherwise.
fn take_alone(word: &AtomicUsize, clear: usize) -> Result<(), usize> {
    let mut seen = word.load(Ordering::Relaxed);
    while seen & HELD == 0 {
        match exchange(word, seen, (seen | HELD) & !clear, Ordering::Acquire) {
            Ok(()) => return Ok(()),
            Err(now) => seen = now,
        }
    }
    Err(seen)
}

/// Takes it alone if nobody has it.
#[inline]
pub(crate) fn try_alone(word: &AtomicUsize) -> bool {
    take_alone(word, 0).is_ok()
}

/// Takes it alone.
#[inline]
pub(crate) fn acquire_alone<P: Parking>(parking: &P, word: &AtomicUsize) {
    if exchange(word, 0, HELD, Ordering::Acquire).is_err() {
        wait_alone(parking, word);
    }
}

#[cold]
fn wait_alone<P: Parking>(parking: &P, word: &AtomicUsize) {
    let spins = parking::spins(parking, P::SPINS);
    for _ in 0..spins {
        match take_alone(word, 0) {
            Ok(()) => return,
            // Others wait already: then the lock is held for long.
            Err(seen) if seen & WAITERS != 0 => break,
            Err(_) => parking.relax(),
        }
    }
    let mut wish = WANTS_ALONE;
    let mut woken = 0;
    loop {
        let wait = Wait {
            place: if woken == 0 {
                Place::Back
            } else {
                Place::Front
            },
            spins,
            ..Wait::new(key(word), wish)
        };
        let check = || {
            loop {
                let Err(seen) = take_alone(word, woken) else {
                    return false;
                };
                let announced = (seen | WAITERS) & !woken;
                if exchange(word, seen, announced, Ordering::Relaxed).is_ok() {
                    return true;
                }
            }
        };
        match wait.park_for_good(parking, check) {
            None | Some(YOURS) => return,
            Some(_) => {
                wish += IN_VAIN;
                woken = WOKEN;
            }
        }
        if take_alone(word, woken).is_ok() {
            return;
        }
    }
}

/// The word with one more share, if nobody has it alone and nobody waits.
#[inline]
const fn with_share(seen: usize) -> Option<usize> {
    if seen & (WAITERS | WOKEN) != 0 || seen == HELD {
        return None;
    }
    Some((seen | HELD) + SHARE)
}

/// Takes a share; gives what it saw if it is not to be had.
#[inline]
fn take_share(word: &AtomicUsize) -> Result<(), usize> {
    let mut seen = word.load(Ordering::Relaxed);
    while let Some(shared) = with_share(seen) {
        match exchange(word, seen, shared, Ordering::Acquire) {
            Ok(()) => return Ok(()),
            Err(now) => seen = now,
        }
    }
    Err(seen)
}

/// Takes a share if nobody has it alone or waits for that.
#[inline]
pub(crate) fn try_share(word: &AtomicUsize) -> bool {
    take_share(word).is_ok()
}

/// Takes a share.
#[inline]
pub(crate) fn acquire_share<P: Parking>(parking: &P, word: &AtomicUsize) {
    if take_share(word).is_err() {
        wait_share(parking, word);
    }
}

#[cold]
fn wait_share<P: Parking>(parking: &P, word: &AtomicUsize) {
    let spins = parking::spins(parking, P::SPINS);
    for _ in 0..spins {
        match take_share(word) {
            Ok(()) => return,
            Err(seen) if seen & WAITERS != 0 => break,
            Err(_) => parking.relax(),
        }
    }
    let wait = Wait {
        spins,
        ..Wait::new(key(word), WANTS_SHARE)
    };
    let check = || {
        loop {
            let Err(seen) = take_share(word) else {
                return false;
            };
            if exchange(word, seen, seen | WAITERS, Ordering::Relaxed).is_ok() {
                return true;
            }
        }
    };
    let _ = wait.park_for_good(parking, check);
}

/// Whether somebody has it alone, at this moment.
pub(crate) fn is_held_alone(word: &AtomicUsize) -> bool {
    let seen = word.load(Ordering::Relaxed);
    seen & HELD != 0 && seen < SHARE
}

/// Whether somebody has a share, at this moment.
pub(crate) fn is_shared(word: &AtomicUsize) -> bool {
    word.load(Ordering::Relaxed) >= SHARE
}

/// Whether the holder has nobody to look for: nobody waits, or somebody is awake already.
const fn needs_no_wake(seen: usize) -> bool {
    seen & WAITERS == 0 || seen & WOKEN != 0
}

/// Frees what the caller has alone.
#[inline]
pub(crate) fn release_alone<P: Parking>(parking: &P, word: &AtomicUsize) -> Result<(), NotOwned> {
    match exchange(word, HELD, 0, Ordering::Release) {
        Ok(()) => Ok(()),
        Err(seen) => give_up_alone(parking, word, seen, 0),
    }
}

/// Makes what the caller has alone a share of its own.
pub(crate) fn share<P: Parking>(parking: &P, word: &AtomicUsize) -> Result<(), NotOwned> {
    let seen = word.load(Ordering::Relaxed);
    give_up_alone(parking, word, seen, HELD + SHARE)
}

/// The caller, who has it alone, keeps `kept` of it.
#[cold]
fn give_up_alone<P: Parking>(
    parking: &P,
    word: &AtomicUsize,
    mut seen: usize,
    kept: usize,
) -> Result<(), NotOwned> {
    loop {
        if seen & HELD == 0 || seen >= SHARE {
            return Err(NotOwned);
        }
        if !needs_no_wake(seen) {
            hand_on(parking, word, kept);
            return Ok(());
        }
        match exchange(word, seen, (seen & !HELD) | kept, Ordering::Release) {
            Ok(()) => return Ok(()),
            Err(now) => seen = now,
        }
    }
}

/// Frees a share.
#[inline]
pub(crate) fn release_share<P: Parking>(parking: &P, word: &AtomicUsize) -> Result<(), NotOwned> {
    let seen = word.load(Ordering::Relaxed);
    if seen == HELD + SHARE && exchange(word, seen, 0, Ordering::Release).is_ok() {
        return Ok(());
    }
    release_one_share(parking, word)
}

#[inline(never)]
fn release_one_share<P: Parking>(parking: &P, word: &AtomicUsize) -> Result<(), NotOwned> {
    let mut seen = word.load(Ordering::Relaxed);
    loop {
        if seen & HELD == 0 || seen < SHARE {
            return Err(NotOwned);
        }
        let left = if seen >= 2 * SHARE {
            seen - SHARE
        } else if needs_no_wake(seen) {
            seen - SHARE - HELD
        } else {
            hand_on(parking, word, 0);
            return Ok(());
        };
        match exchange(word, seen, left, Ordering::Release) {
            Ok(()) => return Ok(()),
            Err(now) => seen = now,
        }
    }
}

/// The only holder keeps `kept`, and sees to those who wait.
///
/// The word is the caller's to write: bits 0 and 1 are set and bit 2 is clear, and the queue's lock is held.
#[cold]
fn hand_on<P: Parking>(parking: &P, word: &AtomicUsize, kept: usize) {
    with_queue(parking, key(word), |queue| {
        // For what other sharers did before they left.
        word.load(Ordering::Acquire);
        let mut state = let_in(queue, kept, P::PATIENCE);
        if !queue.is_empty() {
            state |= WAITERS;
        }
        word.store(state, Ordering::Release);
    });
}

/// Wakes those whose turn it is, beside `kept`; gives the word without bit 1.
fn let_in(queue: &mut Queue<'_>, kept: usize, patience: usize) -> usize {
    let mut state = kept;
    while let Some(first) = queue.first() {
        if first.wish == WANTS_SHARE {
            state = (state | HELD) + SHARE;
            queue.wake(first, YOURS);
        } else if state != 0 {
            break;
        } else if first.wish >= WANTS_ALONE + patience * IN_VAIN {
            queue.wake(first, YOURS);
            return HELD;
        } else {
            queue.wake(first, TRY_AGAIN);
            return WOKEN;
        }
    }
    state
}
