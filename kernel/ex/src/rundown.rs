//! Run-down protection: nobody enters any more, and whoever is inside comes out.
//!
//! ```text
//! bit 0           it runs down, or has
//! bits 1 to 63    how many are inside
//! ```
//!
//! Guarantee: when [`RundownProtection::wait`] returns nobody is inside, and nobody comes in. To enter and to leave is one atomic
//! instruction each. Whoever leaves last after bit 0 was set looks for the waiter under the dispatcher's lock, under which the
//! waiter looked at the count: one of the two sees the other.
//!
//! Order: leaving is a release and the waiter's look an acquire, so what was done inside happened before the wait ends.

use core::sync::atomic::{AtomicU64, Ordering};

use ke::keyed::{self, Key};
use ke::wait::WaitOptions;
use nt_abi::NtStatus;

const RUNS_DOWN: u64 = 1;
const INSIDE: u64 = 2;

/// Lets in until it runs down.
///
/// # NT
/// `EX_RUNDOWN_REF`.
pub struct RundownProtection {
    word: AtomicU64,
}

/// The holder is inside: what it protects does not go away.
#[must_use = "the holder is outside again when this is dropped"]
pub struct Inside<'a> {
    of: &'a RundownProtection,
}

impl RundownProtection {
    /// One that lets in.
    #[doc(alias = "ExInitializeRundownProtection")]
    pub const fn new() -> Self {
        Self {
            word: AtomicU64::new(0),
        }
    }

    /// Enters, unless it runs down.
    ///
    /// # IRQL
    /// Any.
    #[doc(alias = "ExAcquireRundownProtection")]
    #[inline]
    pub fn enter(&self) -> Option<Inside<'_>> {
        let mut word = self.word.load(Ordering::Relaxed);
        while word & RUNS_DOWN == 0 {
            match self.word.compare_exchange_weak(
                word,
                word + INSIDE,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(Inside { of: self }),
                Err(now) => word = now,
            }
        }
        None
    }

    /// Lets nobody in any more, and waits until everybody is outside. More than one may wait.
    ///
    /// # IRQL
    /// At most Apc; who is inside must not wait.
    #[doc(alias = "ExWaitForRundownProtectionRelease")]
    pub fn wait(&self) {
        let before = self.word.fetch_or(RUNS_DOWN, Ordering::AcqRel);
        if before < INSIDE {
            return;
        }
        let everybody_left = |_: &keyed::Waiters<'_>| {
            (self.word.load(Ordering::Acquire) < INSIDE).then_some(NtStatus::SUCCESS)
        };
        // Neither alertable nor limited: it comes back when it is over.
        let _ = keyed::wait(self.key(), 0, &WaitOptions::kernel(), &everybody_left);
    }

    /// Lets in again after a run-down that was waited for; changes nothing otherwise.
    #[doc(alias = "ExReInitializeRundownProtection")]
    pub fn reopen(&self) {
        let _ = self
            .word
            .compare_exchange(RUNS_DOWN, 0, Ordering::Release, Ordering::Relaxed);
    }

    /// Whether it runs down, or has.
    pub fn runs_down(&self) -> bool {
        self.word.load(Ordering::Relaxed) & RUNS_DOWN != 0
    }

    fn key(&self) -> Key {
        Key {
            owner: core::ptr::from_ref(self).addr() as u64,
            // Odd, as no keyed event's is.
            value: 1,
        }
    }

    #[cold]
    fn last_one_left(&self) {
        keyed::with_waiters(self.key(), |waiters| {
            while let Some(waiter) = waiters.first() {
                waiters.wake(waiter, NtStatus::SUCCESS, 0);
            }
        });
    }
}

impl Default for RundownProtection {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Inside<'_> {
    #[doc(alias = "ExReleaseRundownProtection")]
    #[inline]
    fn drop(&mut self) {
        let before = self.of.word.fetch_sub(INSIDE, Ordering::Release);
        if before == INSIDE | RUNS_DOWN {
            self.of.last_one_left();
        }
    }
}
