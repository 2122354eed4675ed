//! The word of an interlocked list: first entry, depth and two flags, in 64 bits on every machine.
//!
//! ```text
//! 64-bit pointers     bits 0 to 15 depth; 16 and 17 flags; 20 to 63 the first entry's address, without its four low bits
//! 32-bit pointers     bits 0 to 31 the first entry's address; 32 to 47 depth; 48 and 49 flags
//! ```
//!
//! User memory ends below 2^47, so an address shifted by 16 loses nothing.
//!
//! # Why it is safe against entries that come back
//! Taking the first entry off wants the second one's address, which is in the first. If between the look into the first and
//! the exchange of the word the first entry were taken off, used and put back, the exchange would succeed and make
//! something first that is not in the list. Windows has a sequence number beside the address, in 128 bits that are
//! exchanged at once; machines of ours cannot always do that. A number in what is left of 64 bits would come round.
//!
//! Here **only one thread takes off at a time**. It says so with a flag in the word; while that is set, others may put
//! entries on, which changes the word, so that the exchange fails and the thread looks into the new first entry. But nobody
//! takes an entry off. So the entry that the thread looks into is in the list all the time from before the look until the
//! exchange, and no exchange succeeds with a second entry that has changed. That is a proof, not a probability, and it
//! gives what a sequence number does not: nobody looks into an entry that is not in the list, so one that was taken off can
//! be freed.
//!
//! The price: a thread that is preempted while it takes off lets others wait that want to take off too; they wait in the
//! queue. Putting on waits for nobody.
//!
//! Order: putting on releases the word, so who acquires it sees the entry's contents and link; taking off acquires. All
//! changes are read-modify-writes, so that holds for entries below the first as well.

use super::atomic::{AtomicU64, AtomicUsize, Ordering, address_of};
use super::parking::{Parking, spins};
use super::queue::{Key, Purpose, Wait, with_queue};

/// A thread takes the first entry off.
const BUSY: u64 = 1;
/// Somebody waits until it has.
const WAITERS: u64 = 2;

#[cfg(target_pointer_width = "64")]
mod layout {
    pub(super) const DEPTH: u32 = 0;
    pub(super) const FLAGS: u32 = 16;

    pub(super) const fn with_first(address: usize) -> u64 {
        ((address as u64) & !0xF) << 16
    }

    pub(super) const fn first(word: u64) -> usize {
        ((word >> 16) & !0xF) as usize
    }
}

#[cfg(target_pointer_width = "32")]
mod layout {
    pub(super) const DEPTH: u32 = 32;
    pub(super) const FLAGS: u32 = 48;

    pub(super) const fn with_first(address: usize) -> u64 {
        address as u64
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "the address is the lower half"
    )]
    pub(super) const fn first(word: u64) -> usize {
        word as usize
    }
}

/// The first entry's address; 0 for none.
pub(crate) const fn first(word: u64) -> usize {
    layout::first(word)
}

/// How many entries there are, as far as 16 bits can say.
pub(crate) const fn depth(word: u64) -> u16 {
    ((word >> layout::DEPTH) & 0xFFFF) as u16
}

const fn flags(word: u64) -> u64 {
    (word >> layout::FLAGS) & 3
}

const fn is_busy(word: u64) -> bool {
    flags(word) & BUSY != 0
}

const fn with_flag(word: u64, flag: u64) -> u64 {
    word | (flag << layout::FLAGS)
}

const fn pack(first: usize, depth: u16, flags: u64) -> u64 {
    layout::with_first(first) | ((depth as u64) << layout::DEPTH) | (flags << layout::FLAGS)
}

fn key(word: &AtomicU64) -> Key {
    Key {
        address: address_of(word),
        purpose: Purpose::List,
    }
}

/// Puts entries on, which are linked from `entry` to the one whose link is `last`. Gives the entry that was first before.
#[inline]
pub(crate) fn push(word: &AtomicU64, entry: usize, last: &AtomicUsize, count: u16) -> usize {
    let mut seen = word.load(Ordering::Relaxed);
    loop {
        let before = first(seen);
        last.store(before, Ordering::Relaxed);
        let pushed = pack(entry, depth(seen).wrapping_add(count), flags(seen));
        match word.compare_exchange_weak(seen, pushed, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => return before,
            Err(now) => seen = now,
        }
    }
}

/// Takes the first entry off; 0 if there is none. `link` is where an entry has the address of the next.
#[inline]
pub(crate) fn pop<'a, P: Parking>(
    parking: &P,
    word: &AtomicU64,
    link: impl Fn(usize) -> &'a AtomicUsize,
) -> usize {
    let mut seen = word.load(Ordering::Relaxed);
    loop {
        if first(seen) == 0 {
            return 0;
        }
        if is_busy(seen) {
            seen = wait(parking, word);
            continue;
        }
        let busy = with_flag(seen, BUSY);
        match word.compare_exchange_weak(seen, busy, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => {
                seen = busy;
                break;
            }
            Err(now) => seen = now,
        }
    }
    loop {
        let entry = first(seen);
        let next = link(entry).load(Ordering::Relaxed);
        let popped = pack(next, depth(seen).wrapping_sub(1), 0);
        // A release too: entries that were looked into before others came can be freed by who takes them off next.
        match word.compare_exchange_weak(seen, popped, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => {
                if flags(seen) & WAITERS != 0 {
                    with_queue(parking, key(word), |queue| queue.wake_all(0));
                }
                return entry;
            }
            Err(now) => seen = now,
        }
    }
}

/// Takes all entries off; gives the first one, or 0.
pub(crate) fn flush<P: Parking>(parking: &P, word: &AtomicU64) -> usize {
    let mut seen = word.load(Ordering::Relaxed);
    loop {
        if first(seen) == 0 {
            return 0;
        }
        if is_busy(seen) {
            seen = wait(parking, word);
            continue;
        }
        match word.compare_exchange_weak(seen, 0, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => return first(seen),
            Err(now) => seen = now,
        }
    }
}

/// Waits until nobody takes the first entry off; gives the word.
#[cold]
fn wait<P: Parking>(parking: &P, word: &AtomicU64) -> u64 {
    for _ in 0..spins(parking, P::SPINS) {
        let seen = word.load(Ordering::Relaxed);
        if !is_busy(seen) {
            return seen;
        }
        parking.relax();
    }
    let still_busy = || {
        let mut seen = word.load(Ordering::Relaxed);
        while is_busy(seen) {
            let announced = with_flag(seen, WAITERS);
            match word.compare_exchange_weak(seen, announced, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    };
    Wait::new(key(word), 0).park_for_good(parking, still_busy);
    word.load(Ordering::Relaxed)
}
