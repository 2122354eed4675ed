//! The words of a barrier, where a number of threads meet.
//!
//! The arrivals have in bit 31 which meeting it is, odd or even, and below it how many have come. Whoever is last turns bit
//! 31 and clears the rest by one store: everybody else waits, so nobody changes the word at that time. One bit is enough,
//! because a thread cannot miss a meeting that it is counted for.
//!
//! The threads inside are counted apart, from before they arrive until they touch the barrier for the last time. Who
//! deletes it waits until there are none; after that the memory is its own. Threads that promise that nobody deletes it
//! spare that.
//!
//! Order: an arrival is a release and an acquire, so the last one has seen what all did before they came; it releases the
//! word, which the others acquire. The count's last decrement is a release, and its reader an acquire.

use super::atomic::{AtomicU32, Ordering, address_of};
use super::parking::Parking;
use super::queue::{Key, Purpose, Wait, with_queue};

/// Which meeting, in the word of arrivals; somebody waits for the end, in the count of those inside.
const FLAG: u32 = 1 << 31;

/// The words.
pub(crate) struct Words<'a> {
    /// How many have to come.
    pub(crate) total: u32,
    pub(crate) arrivals: &'a AtomicU32,
    pub(crate) inside: &'a AtomicU32,
}

impl Words<'_> {
    /// By what threads wait for the meeting. Who deletes waits by the other word.
    fn key(word: &AtomicU32) -> Key {
        Key {
            address: address_of(word),
            purpose: Purpose::Barrier,
        }
    }

    /// Meets the others; true for one of them. `spins` is how often to look before waiting.
    pub(crate) fn meet<P: Parking>(&self, parking: &P, spins: u32, may_be_deleted: bool) -> bool {
        if may_be_deleted {
            self.inside.fetch_add(1, Ordering::Relaxed);
        }
        let seen = self.arrivals.fetch_add(1, Ordering::AcqRel);
        let meeting = seen & FLAG;
        let last = (seen & !FLAG) + 1 >= self.total;
        if last {
            self.arrivals.store(meeting ^ FLAG, Ordering::Release);
            with_queue(parking, Self::key(self.arrivals), |queue| queue.wake_all(0));
        } else {
            self.wait(parking, spins, meeting);
        }
        if may_be_deleted {
            // The address outlives what is there.
            let key = Self::key(self.inside);
            if self.inside.fetch_sub(1, Ordering::Release) == FLAG + 1 {
                with_queue(parking, key, |queue| queue.wake_all(0));
            }
        }
        last
    }

    fn wait<P: Parking>(&self, parking: &P, spins: u32, meeting: u32) {
        let goes_on = |order| self.arrivals.load(order) & FLAG == meeting;
        for _ in 0..spins {
            if !goes_on(Ordering::Acquire) {
                return;
            }
            parking.relax();
        }
        // Whoever ended the meeting before may wake a thread that waits for the end of this one.
        while goes_on(Ordering::Acquire) {
            let wait = Wait::new(Self::key(self.arrivals), 0);
            wait.park_for_good(parking, || goes_on(Ordering::Relaxed));
        }
    }

    /// Waits until nobody is inside.
    pub(crate) fn end<P: Parking>(&self, parking: &P) {
        let somebody_is = || {
            let mut seen = self.inside.load(Ordering::Relaxed);
            while seen & !FLAG != 0 {
                match self.inside.compare_exchange_weak(
                    seen,
                    seen | FLAG,
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                ) {
                    Ok(_) => return true,
                    Err(now) => seen = now,
                }
            }
            false
        };
        while self.inside.load(Ordering::Acquire) & !FLAG != 0 {
            Wait::new(Self::key(self.inside), 0).park_for_good(parking, somebody_is);
        }
    }
}
