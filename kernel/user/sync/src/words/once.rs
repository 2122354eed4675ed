//! The word of something that is done once.
//!
//! ```text
//! bits 0 and 1    0 not done; 1 one thread is at it; 2 done; 3 several threads are at it, and the first to end wins
//! bit 2           with state 1: somebody waits for the end
//! the rest        with state 2: what came of it
//! ```
//!
//! Windows has the same states; where our bit 2 is, it has a list of those who wait.
//!
//! Order: whoever completes releases the word, and whoever finds it done acquires it, so what was done is seen. An attempt
//! that failed is released and acquired in the same way by who tries next. Bit 2 is set under the queue's lock by a
//! compare-exchange that sees state 1, and the one who completes takes the word as a whole: either it sees bit 2, and finds
//! the waiter in the queue, or the waiter sees that state 1 is over.

use super::atomic::{AtomicUsize, Ordering, address_of};
use super::parking::Parking;
use super::queue::{Key, Purpose, Wait, with_queue};

const STATE: usize = 3;
const NOT_DONE: usize = 0;
const ONE_AT_IT: usize = 1;
const DONE: usize = 2;
const SEVERAL_AT_IT: usize = 3;
const WAITERS: usize = 4;

/// Who does it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// One thread; others wait for it.
    One,
    /// Whoever comes, until one has done it.
    Several,
}

impl Mode {
    const fn state(self) -> usize {
        match self {
            Self::One => ONE_AT_IT,
            Self::Several => SEVERAL_AT_IT,
        }
    }
}

/// What a thread finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Begun {
    /// It is done; this came of it.
    Done(usize),
    /// The caller is to do it.
    Yours,
    /// It is being done in the other mode.
    OtherMode,
}

/// Why something could not be completed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NotCompleted {
    /// Nobody is at it.
    NotBegun,
    /// It is being done in the other mode.
    OtherMode,
    /// Another thread was first.
    TooLate,
}

/// What came of it, if it is done.
#[inline]
pub(crate) fn look(word: &AtomicUsize) -> Option<usize> {
    let seen = word.load(Ordering::Acquire);
    (seen & STATE == DONE).then_some(seen & !STATE)
}

/// Begins it, or waits while another thread does it.
#[cold]
pub(crate) fn begin<P: Parking>(parking: &P, word: &AtomicUsize, mode: Mode) -> Begun {
    let key = key(word);
    loop {
        let seen = word.load(Ordering::Acquire);
        match seen & STATE {
            DONE => return Begun::Done(seen & !STATE),
            NOT_DONE => {
                let begun =
                    word.compare_exchange(seen, mode.state(), Ordering::Acquire, Ordering::Relaxed);
                if begun.is_ok() {
                    return Begun::Yours;
                }
            }
            state if state != mode.state() => return Begun::OtherMode,
            SEVERAL_AT_IT => return Begun::Yours,
            _ => {
                Wait::new(key, 0).park_for_good(parking, || announce(word));
            }
        }
    }
}

fn key(word: &AtomicUsize) -> Key {
    Key {
        address: address_of(word),
        purpose: Purpose::Once,
    }
}

/// Says that somebody waits; false if the one who was at it is not any more.
fn announce(word: &AtomicUsize) -> bool {
    let mut seen = word.load(Ordering::Relaxed);
    while seen & STATE == ONE_AT_IT {
        match word.compare_exchange_weak(seen, seen | WAITERS, Ordering::Relaxed, Ordering::Relaxed)
        {
            Ok(_) => return true,
            Err(now) => seen = now,
        }
    }
    false
}

/// Ends it: done, with what came of it, whose low bits are zero; or `None`, for who tries next.
pub(crate) fn complete<P: Parking>(
    parking: &P,
    word: &AtomicUsize,
    mode: Mode,
    result: Option<usize>,
) -> Result<(), NotCompleted> {
    let ended = result.map_or(NOT_DONE, |result| result | DONE);
    let mut seen = word.load(Ordering::Relaxed);
    let begun = seen & STATE;
    loop {
        match seen & STATE {
            NOT_DONE => return Err(NotCompleted::NotBegun),
            DONE if begun == DONE => return Err(NotCompleted::NotBegun),
            DONE => return Err(NotCompleted::TooLate),
            state if state != mode.state() => return Err(NotCompleted::OtherMode),
            _ => {}
        }
        match word.compare_exchange_weak(seen, ended, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => break,
            Err(now) => seen = now,
        }
    }
    if mode == Mode::One && seen & WAITERS != 0 {
        with_queue(parking, key(word), |queue| queue.wake_all(0));
    }
    Ok(())
}
