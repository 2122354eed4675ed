//! The order in which spin locks are taken.
//!
//! Two processors that take two locks in different orders wait for each other for
//! ever, once in a long while. So each lock has a place in one order, and whoever
//! holds one takes only locks that come later. The level goes with the place: a lock
//! that an interrupt's routine takes comes after all that the interrupted code may
//! hold, so places and levels rise together.
//!
//! With the feature `lock-checks`, which the tests and the tests' kernel have, each
//! processor remembers the places that it holds in one word, a bit for each. To take
//! a lock sets its bit, to free it clears it; that a bit of the same place or of a
//! later one was set is the violation, and panics. The set and the look are one
//! atomic instruction, and an interrupt in between leaves the word as it found it, so
//! neither needs interrupts disabled. Without the feature a lock is what it was: the
//! order is not even stored.
//!
//! | place | lock |
//! |---|---|
//! | 0 | what has no place yet: unordered, but not taken while one of the places 16 to 27 is held |
//! | 4 to 15 | the executive: resources, work items, lookaside lists |
//! | 16 | the clock's resolution |
//! | 20 | the call between processors |
//! | 24 | the dispatcher database |
//! | 28 | arenas |
//! | 32 to 39 | the memory manager: places of stacks, addresses of the pools, page frames |
//! | 40 | what pool tags have in use |
//! | 48 to 63 | above Dispatch: shared with interrupts |

use arch::contract::Irql;
#[cfg(any(test, feature = "lock-checks"))]
use {
    arch::Machine,
    arch::contract::Processor,
    boards::MAX_PROCESSORS,
    core::sync::atomic::{AtomicU64, Ordering},
};

/// Places from this one on are those of locks that are held above Dispatch.
const FIRST_ABOVE_DISPATCH: u8 = 48;
const PLACES: u8 = 64;
/// The places under which no other crate's code runs: 16 to 27.
#[cfg(any(test, feature = "lock-checks"))]
const OF_THIS_CRATE: u64 = 0x0FFF_0000;

/// A lock's place in the order, and the level at which it is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LockOrder {
    place: u8,
    level: Irql,
    /// What the lock guards, for the message.
    #[cfg_attr(not(any(test, feature = "lock-checks")), allow(dead_code))]
    name: &'static str,
}

impl LockOrder {
    /// For a resource's state.
    pub const RESOURCE: Self = Self::new(4, Irql::Dispatch, "a resource");
    /// For the list of a lookaside list.
    pub const LOOKASIDE: Self = Self::new(8, Irql::Dispatch, "a lookaside list");
    /// For queues of work items.
    pub const WORK_ITEMS: Self = Self::new(10, Irql::Dispatch, "work items");
    pub(crate) const RESOLUTION: Self = Self::new(16, Irql::Dispatch, "the clock's resolution");
    pub(crate) const CALL: Self = Self::new(20, Irql::Dispatch, "the call between processors");
    pub(crate) const DISPATCHER: Self = Self::new(24, Irql::Dispatch, "the dispatcher database");
    pub(crate) const ARENA: Self = Self::new(28, Irql::Dispatch, "an arena");
    /// For places of kernel stacks.
    pub const STACKS: Self = Self::new(32, Irql::Dispatch, "places of stacks");
    /// For the addresses of the pools.
    pub const POOL_ADDRESSES: Self = Self::new(34, Irql::Dispatch, "addresses of the pools");
    /// For page frames.
    pub const FRAMES: Self = Self::new(36, Irql::Dispatch, "page frames");
    /// For what pool tags have in use.
    pub const POOL_TAGS: Self = Self::new(40, Irql::Dispatch, "pool tags");

    /// A place. Places and levels rise together.
    ///
    /// # Panics
    /// When it is evaluated, which is as the kernel is compiled: for place 0, beyond 63, or on the wrong side of 48.
    pub const fn new(place: u8, level: Irql, name: &'static str) -> Self {
        assert!(place > 0 && place < PLACES, "there are places 1 to 63");
        let above = level.level() > Irql::Dispatch.level();
        assert!(
            above == (place >= FIRST_ABOVE_DISPATCH),
            "places from 48 on are those above Dispatch"
        );
        Self { place, level, name }
    }

    /// No place, at that level.
    pub(crate) const fn none(level: Irql) -> Self {
        Self {
            place: 0,
            level,
            name: "a lock without a place",
        }
    }

    /// The level at which a lock of this place is held.
    pub(crate) const fn level(self) -> Irql {
        self.level
    }
}

/// The places that each processor holds.
#[cfg(any(test, feature = "lock-checks"))]
static HELD: [AtomicU64; MAX_PROCESSORS] = [const { AtomicU64::new(0) }; MAX_PROCESSORS];

/// Forgets what an earlier test left.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn forget() {
    for held in &HELD {
        held.store(0, Ordering::Relaxed);
    }
}

/// A lock's place, kept with the lock.
#[cfg(any(test, feature = "lock-checks"))]
#[derive(Clone, Copy)]
pub(crate) struct Place(LockOrder);

/// The note that this processor holds a place; taken back when this is dropped.
#[cfg(any(test, feature = "lock-checks"))]
pub(crate) struct HeldPlace {
    /// The bit, if this note set it.
    bit: u64,
}

#[cfg(any(test, feature = "lock-checks"))]
impl Place {
    pub(crate) const fn new(order: LockOrder) -> Self {
        Self(order)
    }

    /// The lock is about to be waited for: checks the order. The level is the lock's already.
    pub(crate) fn take(self) -> HeldPlace {
        let held = &HELD[Machine::number().index()];
        let bit = self.bit();
        let before = held.fetch_or(bit, Ordering::Relaxed);
        let wrong = before & self.conflicting();
        if wrong != 0 {
            held.store(before, Ordering::Relaxed);
            panic!(
                "lock order: {} (place {}) is wanted while place {} is held",
                self.0.name,
                self.0.place,
                wrong.ilog2()
            );
        }
        HeldPlace { bit }
    }

    /// The lock was free and was taken without waiting, which no order forbids.
    pub(crate) fn took(self) -> HeldPlace {
        let bit = self.bit();
        let before = HELD[Machine::number().index()].fetch_or(bit, Ordering::Relaxed);
        HeldPlace { bit: bit & !before }
    }

    /// A lock without a place leaves no note.
    fn bit(self) -> u64 {
        (1 << self.0.place) & !1
    }

    /// What must not be held: this place and all later ones. Of a lock without a place all that is known is that it is
    /// none of this crate's; and what an interrupt takes has nothing to do with what it interrupted.
    fn conflicting(self) -> u64 {
        match self.0.place {
            0 if self.0.level > Irql::Dispatch => 0,
            0 => OF_THIS_CRATE,
            place => u64::MAX << place,
        }
    }
}

#[cfg(any(test, feature = "lock-checks"))]
impl Drop for HeldPlace {
    fn drop(&mut self) {
        // The level is still the lock's, so this is the processor that took it.
        HELD[Machine::number().index()].fetch_and(!self.bit, Ordering::Relaxed);
    }
}

/// Nothing, where nothing is checked.
#[cfg(not(any(test, feature = "lock-checks")))]
#[derive(Clone, Copy)]
pub(crate) struct Place;

/// Nothing, where nothing is checked.
#[cfg(not(any(test, feature = "lock-checks")))]
pub(crate) struct HeldPlace;

#[cfg(not(any(test, feature = "lock-checks")))]
impl Place {
    #[inline]
    pub(crate) const fn new(_order: LockOrder) -> Self {
        Self
    }

    #[inline]
    pub(crate) fn take(self) -> HeldPlace {
        HeldPlace
    }

    #[inline]
    pub(crate) fn took(self) -> HeldPlace {
        HeldPlace
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::{InterruptSpinLock, SpinLock};

    const OUTER: LockOrder = LockOrder::new(2, Irql::Dispatch, "the outer lock");
    const INNER: LockOrder = LockOrder::new(3, Irql::Dispatch, "the inner lock");
    const DEVICE: LockOrder = LockOrder::new(50, Irql::Device5, "a device's lock");

    fn violates(body: impl FnOnce()) -> bool {
        catch_unwind(AssertUnwindSafe(body)).is_err()
    }

    #[test]
    fn locks_are_taken_in_their_order_and_freed_in_any() {
        let _machine = crate::testing::boot(2);
        let (plain, outer, inner) = (
            SpinLock::new(0),
            SpinLock::ordered(1, OUTER),
            SpinLock::ordered(2, INNER),
        );
        let (same, device) = (
            SpinLock::ordered(1, OUTER),
            InterruptSpinLock::ordered(3, DEVICE),
        );
        for _ in 0..2 {
            let plain = plain.acquire();
            let outer = outer.acquire();
            let inner = inner.acquire();
            assert_eq!(*plain + *outer + *inner + *device.acquire(), 6);
        }
        assert!(violates(|| {
            let _inner = inner.acquire();
            let _outer = outer.acquire();
        }));
        assert!(violates(|| {
            let _one = outer.acquire();
            let _another = same.acquire();
        }));
        assert!(violates(|| {
            let _database = crate::dispatcher::lock();
            let _plain = plain.acquire();
        }));
        assert!(
            !violates(|| {
                let _inner = inner.acquire();
                assert!(outer.try_acquire().is_some(), "a try waits for nobody");
                drop(InterruptSpinLock::new(4, Irql::Device5).acquire());
            }),
            "what an interrupt takes has nothing to do with what it interrupted"
        );
        drop(outer.acquire());
        assert!(HELD.iter().all(|held| held.load(Ordering::Relaxed) == 0));
    }

    #[test]
    fn each_processor_has_its_own_locks() {
        let _machine = crate::testing::boot(2);
        let (outer, inner) = (SpinLock::ordered(1, OUTER), SpinLock::ordered(2, INNER));
        let _inner = inner.acquire();
        arch::sim::on_processor(arch::contract::ProcessorNumber(1), || drop(outer.acquire()));
    }
}
