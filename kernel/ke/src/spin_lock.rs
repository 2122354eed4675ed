//! The spin lock: data that one processor at a time may touch.
//!
//! Guarantee: between `acquire` and the drop of the guard this processor is at
//! the lock's level at least (Dispatch, but for an [`InterruptSpinLock`]), so neither a thread switch, a DPC nor (for a lock
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

use crate::irql::{self, DispatchGuard, IrqlGuard};
use crate::lock_order::{HeldPlace, LockOrder, Place};

/// Data under a spin lock that is held at [`Irql::Dispatch`].
///
/// # NT
/// `KSPIN_LOCK` with `KeAcquireSpinLock`. A lock that an interrupt's routine takes is an [`InterruptSpinLock`].
pub struct SpinLock<T> {
    place: Place,
    value: SpinMutex<T, MachineRelax>,
}

/// The right to the data.
#[must_use = "the lock is free again when the guard is dropped"]
pub struct SpinLockGuard<'a, T> {
    // Dropped in this order: the lock is free before the level falls, so a DPC that then runs may take it.
    value: SpinMutexGuard<'a, T, MachineRelax>,
    place: HeldPlace,
    level: DispatchGuard,
}

impl<T> SpinLock<T> {
    /// A free lock that has no place in the order of locks.
    pub const fn new(value: T) -> Self {
        Self::ordered(value, LockOrder::none(Irql::Dispatch))
    }

    /// A free lock with a place in the order of locks.
    ///
    /// # Panics
    /// If the place is one of locks above Dispatch.
    pub const fn ordered(value: T, order: LockOrder) -> Self {
        assert!(
            !order.level().masks_hardware(),
            "a lock that interrupts take is another type"
        );
        Self {
            place: Place::new(order),
            value: SpinMutex::new(value),
        }
    }

    /// Raises the level and waits for the lock.
    ///
    /// # IRQL
    /// At most Dispatch; above it the machine stops with `IRQL_NOT_GREATER_OR_EQUAL`.
    #[doc(alias = "KeAcquireSpinLock")]
    #[inline]
    pub fn acquire(&self) -> SpinLockGuard<'_, T> {
        let level = irql::raise_to_dispatch();
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
        let level = irql::raise_to_dispatch();
        Some(SpinLockGuard {
            value: self.value.try_lock()?,
            place: self.place.took(),
            level,
        })
    }
}

/// The lock, held, without the level that goes with it.
pub(crate) struct Held<'a, T> {
    _value: SpinMutexGuard<'a, T, MachineRelax>,
    _place: HeldPlace,
}

impl<'a, T> SpinLockGuard<'a, T> {
    /// The lock and the level, to be given up one after the other: the lock first.
    #[inline]
    pub(crate) fn into_parts(self) -> (Held<'a, T>, DispatchGuard) {
        let held = Held {
            _value: self.value,
            _place: self.place,
        };
        (held, self.level)
    }
}

/// Data under a spin lock that is held at the level of the highest interrupt whose routine takes it.
///
/// # NT
/// `KSPIN_LOCK` with `KeAcquireInterruptSpinLock`.
pub struct InterruptSpinLock<T> {
    level: Irql,
    place: Place,
    value: SpinMutex<T, MachineRelax>,
}

/// The right to the data.
#[must_use = "the lock is free again when the guard is dropped"]
pub struct InterruptSpinLockGuard<'a, T> {
    // In this order, as in `SpinLockGuard`.
    value: SpinMutexGuard<'a, T, MachineRelax>,
    _place: HeldPlace,
    _level: IrqlGuard,
}

impl<T> InterruptSpinLock<T> {
    /// A free lock that is held at `level`, and has no place in the order of locks.
    pub const fn new(value: T, level: Irql) -> Self {
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
    #[doc(alias = "KeAcquireInterruptSpinLock")]
    pub fn acquire(&self) -> InterruptSpinLockGuard<'_, T> {
        let level = irql::raise(self.level);
        let place = self.place.take();
        InterruptSpinLockGuard {
            value: self.value.lock(),
            _place: place,
            _level: level,
        }
    }
}

impl<T> Deref for InterruptSpinLockGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for InterruptSpinLockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T> Deref for SpinLockGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for SpinLockGuard<'_, T> {
    #[inline]
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
        let device = InterruptSpinLock::new(2, Irql::Device5);
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
