//! The push lock: data that one thread changes or many read.
//!
//! Guarantee: between the acquisition and the drop of the guard, whoever has it exclusively is alone, and sharers are
//! among themselves; the thread is in a critical region, so it is not suspended with the lock in its hands. Who came first
//! goes first (`raw_lock`): a stream of readers does not keep a writer out.
//!
//! The data is in a cell that the safe library gives, which is a lock of its own; it is only ever tried, and always free,
//! because the push lock is what decides. It costs an uncontended instruction more.

use core::ops::{Deref, DerefMut};

use ke::apc::{CriticalRegion, critical_region};
use spin::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::raw_lock::RawLock;

/// Data under a push lock.
///
/// # NT
/// `EX_PUSH_LOCK`.
///
/// # Differs
/// A push lock of Windows is not fair; this one is. As there, a thread that shares it must not share it again: if somebody
/// waits to have it alone, both wait for ever.
pub struct PushLock<T> {
    raw: RawLock,
    value: RwLock<T>,
}

/// The right to read the data.
#[must_use = "the lock is free again when the guard is dropped"]
pub struct PushLockSharedGuard<'a, T> {
    // Dropped in this order: the cell, the lock, the region.
    value: RwLockReadGuard<'a, T>,
    _share: Share<'a>,
    _region: CriticalRegion,
}

/// The right to change the data.
#[must_use = "the lock is free again when the guard is dropped"]
pub struct PushLockGuard<'a, T> {
    // Dropped in this order: the cell, the lock, the region.
    value: RwLockWriteGuard<'a, T>,
    whole: Whole<'a>,
    region: CriticalRegion,
}

struct Share<'a>(&'a RawLock);
struct Whole<'a>(&'a RawLock);

impl Drop for Share<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.unlock_shared();
    }
}

impl Drop for Whole<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.unlock_exclusive();
    }
}

impl<T> PushLock<T> {
    /// A free lock.
    #[doc(alias = "ExInitializePushLock")]
    pub const fn new(value: T) -> Self {
        Self {
            raw: RawLock::new(),
            value: RwLock::new(value),
        }
    }

    /// Waits until nobody has it.
    ///
    /// # IRQL
    /// At most Apc.
    #[doc(alias = "ExAcquirePushLockExclusive")]
    #[inline]
    pub fn acquire_exclusive(&self) -> PushLockGuard<'_, T> {
        let region = critical_region();
        self.raw.lock_exclusive();
        self.whole(region)
    }

    /// Waits until nobody has it exclusively, or came before and wants to.
    ///
    /// # IRQL
    /// At most Apc.
    #[doc(alias = "ExAcquirePushLockShared")]
    #[inline]
    pub fn acquire_shared(&self) -> PushLockSharedGuard<'_, T> {
        let region = critical_region();
        self.raw.lock_shared();
        self.share(region)
    }

    /// Takes it if nobody has it.
    #[doc(alias = "ExTryAcquirePushLockExclusive")]
    pub fn try_acquire_exclusive(&self) -> Option<PushLockGuard<'_, T>> {
        let region = critical_region();
        self.raw.try_exclusive().then(|| self.whole(region))
    }

    /// Takes a share if nobody has it exclusively, or wants to.
    #[doc(alias = "ExTryAcquirePushLockShared")]
    pub fn try_acquire_shared(&self) -> Option<PushLockSharedGuard<'_, T>> {
        let region = critical_region();
        self.raw.try_shared().then(|| self.share(region))
    }

    /// Whether somebody has it, at this moment.
    pub fn is_held(&self) -> bool {
        self.raw.is_held()
    }

    /// The data of a lock that nobody else can know.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    #[inline]
    fn whole(&self, region: CriticalRegion) -> PushLockGuard<'_, T> {
        let Some(value) = self.value.try_write() else {
            unreachable!("the data is reached through the push lock alone")
        };
        PushLockGuard {
            value,
            whole: Whole(&self.raw),
            region,
        }
    }

    #[inline]
    fn share(&self, region: CriticalRegion) -> PushLockSharedGuard<'_, T> {
        let Some(value) = self.value.try_read() else {
            unreachable!("the data is reached through the push lock alone")
        };
        PushLockSharedGuard {
            value,
            _share: Share(&self.raw),
            _region: region,
        }
    }
}

impl<'a, T> PushLockGuard<'a, T> {
    /// Keeps a share of the lock, without a moment in which somebody else could change the data.
    #[doc(alias = "ExConvertPushLockExclusiveToShared")]
    pub fn into_shared(self) -> PushLockSharedGuard<'a, T> {
        let Self {
            value,
            whole,
            region,
        } = self;
        let raw = whole.0;
        core::mem::forget(whole);
        let value = value.downgrade();
        raw.share();
        PushLockSharedGuard {
            value,
            _share: Share(raw),
            _region: region,
        }
    }
}

impl<T> Deref for PushLockSharedGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Deref for PushLockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for PushLockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
