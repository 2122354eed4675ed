//! The spin lock that is fair: first come, first served.
//!
//! NT's queued lock gives each waiter a block of its own to spin on, because on machines
//! with many processors the one word that all look at is what costs. This one is a
//! ticket lock: a waiter draws a number and watches the number that is served. It
//! keeps what is promised, the order; it needs no blocks, which safe code could only
//! have one of per processor and depth; and with the handful of processors that the boards
//! have, a word that all watch costs a cache miss for each hand-over, as a block does.
//!
//! Guarantee: as [`SpinLock`](crate::SpinLock)'s; and who came first goes first. The ticket is drawn at the lock's
//! level, so nothing on this processor comes between the draw and the lock.
//!
//! Where processors may be taken away while they wait (an emulator on a loaded host),
//! the others wait for one that is not there, which is why not every lock is one of these.

use core::ops::{Deref, DerefMut};

use arch::lock::MachineRelax;
use spin::mutex::{TicketMutex, TicketMutexGuard};

use crate::irql::{self, IrqlGuard};
use crate::lock_order::{HeldPlace, LockOrder, Place};

/// Data under a fair spin lock, with its place in the order of locks.
///
/// # NT
/// `KSPIN_LOCK_QUEUE`; `KeAcquireInStackQueuedSpinLock`.
pub struct QueuedSpinLock<T> {
    order: LockOrder,
    place: Place,
    value: TicketMutex<T, MachineRelax>,
}

/// The right to the data.
#[must_use = "the lock is free again when the guard is dropped"]
pub struct QueuedSpinLockGuard<'a, T> {
    // Dropped in this order: the lock is free before the level falls.
    value: TicketMutexGuard<'a, T, MachineRelax>,
    _place: HeldPlace,
    _level: IrqlGuard,
}

impl<T> QueuedSpinLock<T> {
    /// A free lock.
    pub const fn new(value: T, order: LockOrder) -> Self {
        Self {
            order,
            place: Place::new(order),
            value: TicketMutex::new(value),
        }
    }

    /// Raises the level and waits until it is this processor's turn.
    ///
    /// # IRQL
    /// At most the lock's own level; above it the machine stops with `IRQL_NOT_GREATER_OR_EQUAL`.
    #[doc(alias = "KeAcquireInStackQueuedSpinLock")]
    pub fn acquire(&self) -> QueuedSpinLockGuard<'_, T> {
        let level = irql::raise(self.order.level());
        let place = self.place.take();
        QueuedSpinLockGuard {
            value: self.value.lock(),
            _place: place,
            _level: level,
        }
    }

    /// Takes the lock if nobody has it or waits for it.
    #[doc(alias = "KeTryToAcquireQueuedSpinLock")]
    pub fn try_acquire(&self) -> Option<QueuedSpinLockGuard<'_, T>> {
        let level = irql::raise(self.order.level());
        Some(QueuedSpinLockGuard {
            value: self.value.try_lock()?,
            _place: self.place.took(),
            _level: level,
        })
    }
}

impl<T> Deref for QueuedSpinLockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for QueuedSpinLockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
