//! The spin lock: data that one processor at a time may touch.
//!
//! Guarantee: between `acquire` and the drop of the guard this processor is at
//! the lock's level at least, so neither a thread switch, a DPC nor (for a lock
//! above Dispatch) an interrupt up to that level can come between on this
//! processor; and no other processor is inside. Whatever the last holder wrote
//! happened before what this one reads: the underlying lock is taken with
//! acquire and freed with release.
//!
//! Not fair, as NT's plain spin lock is not: under contention any waiter may win.

use core::ops::{Deref, DerefMut};

use arch::contract::Irql;
use arch::lock::MachineRelax;
use spin::mutex::{SpinMutex, SpinMutexGuard};

use crate::irql::{self, IrqlGuard};
use crate::lock_order::{HeldPlace, LockOrder, Place};

/// Data under a spin lock, with the level at which it is held.
///
/// # NT
/// `KSPIN_LOCK`; `KeAcquireSpinLock` and, for a lock shared with an interrupt, `KeAcquireInterruptSpinLock`.
pub struct SpinLock<T> {
    level: Irql,
    place: Place,
    value: SpinMutex<T, MachineRelax>,
}

/// The right to the data.
#[must_use = "the lock is free again when the guard is dropped"]
pub struct SpinLockGuard<'a, T> {
    // Dropped in this order: the lock is free before the level falls, so a DPC that then runs may take it.
    value: SpinMutexGuard<'a, T, MachineRelax>,
    place: HeldPlace,
    level: IrqlGuard,
}

impl<T> SpinLock<T> {
    /// A free lock that is held at [`Irql::Dispatch`], and has no place in the order of locks.
    pub const fn new(value: T) -> Self {
        Self::ordered(value, LockOrder::none(Irql::Dispatch))
    }

    /// A free lock that is held at `level`: that of the highest interrupt whose routine takes it.
    pub const fn with_level(value: T, level: Irql) -> Self {
        Self::ordered(value, LockOrder::none(level))
    }

    /// A free lock with a place in the order of locks, and the level that goes with it.
    pub const fn ordered(value: T, order: LockOrder) -> Self {
        Self {
            level: order.level(),
            place: Place::new(order),
            value: SpinMutex::new(value),
        }
    }

    /// Raises the level and waits for the lock.
    ///
    /// # IRQL
    /// At most the lock's own level; above it the machine stops with `IRQL_NOT_GREATER_OR_EQUAL`.
    #[doc(alias = "KeAcquireSpinLock")]
    pub fn acquire(&self) -> SpinLockGuard<'_, T> {
        let level = irql::raise(self.level);
        let place = self.place.take();
        SpinLockGuard {
            value: self.value.lock(),
            place,
            level,
        }
    }

    /// Takes the lock if it is free now.
    #[doc(alias = "KeTryToAcquireSpinLockAtDpcLevel")]
    pub fn try_acquire(&self) -> Option<SpinLockGuard<'_, T>> {
        let level = irql::raise(self.level);
        Some(SpinLockGuard {
            value: self.value.try_lock()?,
            place: self.place.took(),
            level,
        })
    }
}

impl<T> SpinLockGuard<'_, T> {
    /// Frees the lock and keeps the level.
    pub(crate) fn unlock_keeping_level(self) -> IrqlGuard {
        let Self {
            value,
            place,
            level,
        } = self;
        drop(value);
        place.give_up();
        level
    }

    /// The level to which this processor falls when the guard is dropped.
    pub(crate) fn level_before(&self) -> Irql {
        self.level.before()
    }
}

impl<T> Deref for SpinLockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for SpinLockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_its_level_and_excludes() {
        let _machine = crate::testing::boot(1);
        let lock = SpinLock::new(1);
        let device = SpinLock::with_level(2, Irql::Device5);
        {
            let mut held = lock.acquire();
            assert_eq!(irql::current(), Irql::Dispatch);
            assert!(lock.try_acquire().is_none());
            assert_eq!(
                irql::current(),
                Irql::Dispatch,
                "a failed try leaves the level as it was"
            );
            *held += *device.acquire();
        }
        assert_eq!(irql::current(), Irql::Passive);
        assert_eq!(*lock.acquire(), 3);
    }
}
