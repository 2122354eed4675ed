//! The lock of an address space or a control area: who finds it taken waits without a processor.
//!
//! Guarantee: between [`acquire`](Mutex::acquire) and the drop of the guard no other thread is inside, and this
//! thread is at Apc, so it is neither suspended nor ended with the lock in its hands. The lock may be held across
//! I/O; it must not be held across an access to user memory, whose page fault would want it again.
//!
//! The value is behind a spin mutex that is only ever *tried*. Who fails counts itself as a waiter, tries once more,
//! and passes the gate; who leaves frees the mutex, looks at the count, and opens the gate if it is not zero. The two
//! fences make one of them see the other: either the leaver finds the waiter counted, or the waiter's second try
//! comes after the mutex was freed. A gate that is opened for nobody lets one later waiter look too early, which
//! costs it a turn of the loop.

use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU32, Ordering, fence};

use arch::contract::Irql;
use ke::dispatcher::{Due, Gate};
use ke::irql::{self, IrqlGuard};
use ke::thread::Mode;
use spin::mutex::{SpinMutex, SpinMutexGuard};

/// A value that one thread at a time has.
///
/// # NT
/// `EX_PUSH_LOCK`, as `EPROCESS.AddressCreationLock` and the working set's lock are one.
pub(crate) struct Mutex<T> {
    value: SpinMutex<T>,
    waiters: AtomicU32,
    /// Made when somebody waits for the first time.
    gate: spin::Once<Gate>,
}

/// The right to the value.
#[must_use = "the lock is free again when the guard is dropped"]
pub(crate) struct MutexGuard<'a, T> {
    // Dropped in this order: the lock is free, then the next one is let in, then the level falls.
    value: SpinMutexGuard<'a, T>,
    _door: Door<'a>,
    _level: IrqlGuard,
}

/// How many wait, and where. Dropped by the one who leaves.
struct Door<'a> {
    waiters: &'a AtomicU32,
    gate: &'a spin::Once<Gate>,
}

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self {
            value: SpinMutex::new(value),
            waiters: AtomicU32::new(0),
            gate: spin::Once::new(),
        }
    }

    /// Waits for the lock.
    ///
    /// # IRQL
    /// At most Apc.
    #[inline]
    pub(crate) fn acquire(&self) -> MutexGuard<'_, T> {
        let level = irql::raise(Irql::Apc);
        let value = match self.value.try_lock() {
            Some(value) => value,
            None => self.wait(),
        };
        MutexGuard {
            value,
            _door: self.door(),
            _level: level,
        }
    }

    /// Takes the lock if it is free now.
    pub(crate) fn try_acquire(&self) -> Option<MutexGuard<'_, T>> {
        let level = irql::raise(Irql::Apc);
        let value = self.value.try_lock()?;
        Some(MutexGuard {
            value,
            _door: self.door(),
            _level: level,
        })
    }

    fn door(&self) -> Door<'_> {
        Door {
            waiters: &self.waiters,
            gate: &self.gate,
        }
    }

    #[cold]
    fn wait(&self) -> SpinMutexGuard<'_, T> {
        loop {
            self.waiters.fetch_add(1, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            let free = self.value.try_lock();
            if free.is_none() {
                self.pass_gate();
            }
            self.waiters.fetch_sub(1, Ordering::Relaxed);
            if let Some(value) = free.or_else(|| self.value.try_lock()) {
                return value;
            }
        }
    }

    fn pass_gate(&self) {
        match self.gate.try_call_once(Gate::new) {
            Ok(gate) => gate.pass(),
            Err(_) => {
                // Without memory for a gate a waiter looks again a tick later.
                let _ = ke::wait::delay(Due::In(1), Mode::Kernel, false);
            }
        }
    }
}

impl Drop for Door<'_> {
    #[inline]
    fn drop(&mut self) {
        fence(Ordering::SeqCst);
        if self.waiters.load(Ordering::Relaxed) != 0
            && let Some(gate) = self.gate.get()
        {
            gate.open();
        }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
