//! The word below the executive's locks that wait without a processor.
//!
//! ```text
//! bit 0           somebody has it alone
//! bit 1           somebody waits, or did when an APC interrupted him
//! bits 2 to 63    how many share it
//! ```
//!
//! Guarantee: the word is zero exactly if the lock is free. Whoever finds it free takes it by one compare-exchange, and
//! frees it by one if nobody waits. Everything else happens under the dispatcher's lock ([`ke::keyed`]; the key is the
//! word's address), where the word is also looked at once more before a wait: so a release cannot fall between that
//! look and the wait.
//!
//! **A lock that somebody waits for is handed over, not freed**: whoever leaves gives it to the one who came first, or to all
//! sharers that came first together. Nobody can come between, so nobody starves, neither who wants it alone nor who
//! shares it; and a thread that goes on has the lock. While bit 1 is set, new sharers wait too. The price is that a
//! lock under contention changes hands only as fast as threads are switched; so a thread looks a few
//! times more before it waits, while nobody else does.
//!
//! Order: taking is an acquire, freeing a release; a hand-over is ordered by the dispatcher's lock.

use core::sync::atomic::{AtomicU64, Ordering};

use arch::Machine;
use arch::contract::Processor;
use ke::keyed::{self, Key, Waiters};
use ke::wait::{WaitOptions, reason};
use nt_abi::NtStatus;

const EXCLUSIVE: u64 = 1;
const WAITERS: u64 = 2;
const SHARE: u64 = 4;

/// What waiters say that they want.
const WANTS_ALONE: u64 = 0;
const WANTS_SHARE: u64 = 1;

/// Looks before a wait; a lock is mostly held for less.
const LOOKS: u32 = 20;

const WAIT: WaitOptions = WaitOptions {
    reason: reason::PUSH_LOCK,
    ..WaitOptions::kernel()
};

/// The word.
pub(crate) struct RawLock {
    word: AtomicU64,
}

impl RawLock {
    pub(crate) const fn new() -> Self {
        Self {
            word: AtomicU64::new(0),
        }
    }

    fn key(&self) -> Key {
        Key {
            owner: core::ptr::from_ref(self).addr() as u64,
            // Odd, as no keyed event's is.
            value: 1,
        }
    }

    #[inline]
    fn exchange(&self, from: u64, to: u64, success: Ordering) -> bool {
        self.word
            .compare_exchange(from, to, success, Ordering::Relaxed)
            .is_ok()
    }

    /// Takes it alone if it is free.
    #[inline]
    pub(crate) fn try_exclusive(&self) -> bool {
        self.exchange(0, EXCLUSIVE, Ordering::Acquire)
    }

    /// Takes a share if nobody has it alone, or waits.
    #[inline]
    pub(crate) fn try_shared(&self) -> bool {
        let mut word = self.word.load(Ordering::Relaxed);
        while word & (EXCLUSIVE | WAITERS) == 0 {
            match self.word.compare_exchange_weak(
                word,
                word + SHARE,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    /// Takes it alone.
    #[inline]
    pub(crate) fn lock_exclusive(&self) {
        if !self.try_exclusive() {
            self.wait(WANTS_ALONE, Self::try_exclusive);
        }
    }

    /// Takes a share.
    #[inline]
    pub(crate) fn lock_shared(&self) {
        if !self.try_shared() {
            self.wait(WANTS_SHARE, Self::try_shared);
        }
    }

    #[cold]
    fn wait(&self, wants: u64, take: fn(&Self) -> bool) {
        for _ in 0..LOOKS {
            if take(self) {
                return;
            }
            if self.word.load(Ordering::Relaxed) & WAITERS != 0 {
                break;
            }
            Machine::relax();
        }
        let take_or_announce = |_: &Waiters<'_>| {
            loop {
                if take(self) {
                    return Some(NtStatus::SUCCESS);
                }
                let word = self.word.load(Ordering::Relaxed);
                // Free since: then it is to be taken, not waited for.
                if word != 0 && self.exchange(word, word | WAITERS, Ordering::Relaxed) {
                    return None;
                }
            }
        };
        // Neither alertable nor limited: whoever comes back has the lock, by hand or by hand-over.
        let _ = keyed::wait(self.key(), wants, &WAIT, &take_or_announce);
    }

    /// Frees what is held alone.
    #[inline]
    pub(crate) fn unlock_exclusive(&self) {
        if !self.exchange(EXCLUSIVE, 0, Ordering::Release) {
            self.hand_over(0);
        }
    }

    /// Frees a share.
    #[inline]
    pub(crate) fn unlock_shared(&self) {
        let mut word = self.word.load(Ordering::Relaxed);
        while word != SHARE | WAITERS {
            match self.word.compare_exchange_weak(
                word,
                word - SHARE,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
        self.hand_over(0);
    }

    /// Makes what is held alone a share, and lets in the sharers that came first.
    pub(crate) fn share(&self) {
        if !self.exchange(EXCLUSIVE, SHARE, Ordering::Release) {
            self.hand_over(SHARE);
        }
    }

    /// The holder, who is the only one, keeps `kept` and gives the rest to who came first.
    ///
    /// The word is the holder's to write: with bit 1 set nobody takes or frees without the dispatcher's lock.
    #[cold]
    fn hand_over(&self, kept: u64) {
        keyed::with_waiters(self.key(), |waiters| {
            let mut word = kept;
            while let Some(first) = waiters.first() {
                if first.wants == WANTS_ALONE && word == 0 {
                    word = EXCLUSIVE;
                } else if first.wants == WANTS_SHARE && word != EXCLUSIVE {
                    word += SHARE;
                } else {
                    word |= WAITERS;
                    break;
                }
                waiters.wake(first, NtStatus::SUCCESS, 0);
            }
            self.word.store(word, Ordering::Release);
        });
    }

    /// Whether somebody has it, at this moment.
    pub(crate) fn is_held(&self) -> bool {
        self.word.load(Ordering::Relaxed) != 0
    }
}
