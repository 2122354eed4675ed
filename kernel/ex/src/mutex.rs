//! Fast and guarded mutexes: data that one thread at a time has.
//!
//! Both are the word of a push lock, taken alone. They differ in how they keep APCs
//! away from who has them: a fast mutex raises the level to Apc, a guarded one enters a guarded region, which costs
//! less and leaves the level alone. Who came first goes first.

use core::ops::{Deref, DerefMut};

use arch::contract::Irql;
use ke::apc::{GuardedRegion, guarded_region};
use ke::irql::{self, IrqlGuard};
use spin::mutex::{SpinMutex, SpinMutexGuard};

use crate::raw_lock::RawLock;

/// Data that one thread at a time has, at Apc level.
///
/// # NT
/// `FAST_MUTEX`. Not recursive.
pub struct FastMutex<T> {
    inner: Exclusive<T>,
}

/// Data that one thread at a time has, in a guarded region.
///
/// # NT
/// `KGUARDED_MUTEX`. Not recursive.
pub struct GuardedMutex<T> {
    inner: Exclusive<T>,
}

/// The right to a fast mutex's data.
pub type FastMutexGuard<'a, T> = MutexGuard<'a, T, IrqlGuard>;
/// The right to a guarded mutex's data.
pub type GuardedMutexGuard<'a, T> = MutexGuard<'a, T, GuardedRegion>;

struct Exclusive<T> {
    raw: RawLock,
    /// A cell that is only ever tried, and always free: the word above decides.
    value: SpinMutex<T>,
}

/// The right to the data of a mutex; `P` keeps APCs away meanwhile.
#[must_use = "the mutex is free again when the guard is dropped"]
pub struct MutexGuard<'a, T, P> {
    // Dropped in this order: the cell, the lock, the protection.
    value: SpinMutexGuard<'a, T>,
    _held: Held<'a>,
    _protection: P,
}

struct Held<'a>(&'a RawLock);

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.unlock_exclusive();
    }
}

impl<T> Exclusive<T> {
    const fn new(value: T) -> Self {
        Self {
            raw: RawLock::new(),
            value: SpinMutex::new(value),
        }
    }

    #[inline]
    fn acquire<P>(&self, protection: P) -> MutexGuard<'_, T, P> {
        self.raw.lock_exclusive();
        self.guard(protection)
    }

    fn try_acquire<P>(&self, protection: P) -> Option<MutexGuard<'_, T, P>> {
        self.raw.try_exclusive().then(|| self.guard(protection))
    }

    #[inline]
    fn guard<P>(&self, protection: P) -> MutexGuard<'_, T, P> {
        let Some(value) = self.value.try_lock() else {
            unreachable!("the data is reached through the mutex alone")
        };
        MutexGuard {
            value,
            _held: Held(&self.raw),
            _protection: protection,
        }
    }
}

impl<T> FastMutex<T> {
    /// A free one.
    #[doc(alias = "ExInitializeFastMutex")]
    pub const fn new(value: T) -> Self {
        Self {
            inner: Exclusive::new(value),
        }
    }

    /// Raises the level to Apc and waits for the mutex.
    ///
    /// # IRQL
    /// At most Apc.
    #[doc(alias = "ExAcquireFastMutex")]
    #[inline]
    pub fn acquire(&self) -> FastMutexGuard<'_, T> {
        self.inner.acquire(irql::raise(Irql::Apc))
    }

    /// Takes it if nobody has it.
    #[doc(alias = "ExTryToAcquireFastMutex")]
    pub fn try_acquire(&self) -> Option<FastMutexGuard<'_, T>> {
        self.inner.try_acquire(irql::raise(Irql::Apc))
    }
}

impl<T> GuardedMutex<T> {
    /// A free one.
    #[doc(alias = "KeInitializeGuardedMutex")]
    pub const fn new(value: T) -> Self {
        Self {
            inner: Exclusive::new(value),
        }
    }

    /// Enters a guarded region and waits for the mutex.
    ///
    /// # IRQL
    /// At most Apc.
    #[doc(alias = "KeAcquireGuardedMutex")]
    #[inline]
    pub fn acquire(&self) -> GuardedMutexGuard<'_, T> {
        self.inner.acquire(guarded_region())
    }

    /// Takes it if nobody has it.
    #[doc(alias = "KeTryToAcquireGuardedMutex")]
    pub fn try_acquire(&self) -> Option<GuardedMutexGuard<'_, T>> {
        self.inner.try_acquire(guarded_region())
    }
}

impl<T, P> Deref for MutexGuard<'_, T, P> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T, P> DerefMut for MutexGuard<'_, T, P> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
