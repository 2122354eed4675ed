//! Quotas: what a process may take of what all share.
//!
//! A process has a [`Quota`], and so has whatever it was charged for, which may outlive it: an object that somebody else
//! has a handle to. Each charge raises one of two counts if the limit allows it, and is a value that gives the
//! charge back when it is dropped. Counts are atomic words of their own: a charge never waits.
//!
//! # NT
//! `EPROCESS_QUOTA_BLOCK`; `PsChargeProcessPoolQuota`.
//!
//! # Differs
//! Each process has a block of its own, with limits from the start that a child has too. NT's processes of one user share
//! one, whose limits grow until the pools are full: there one program can take all of them. Here several can.

use core::sync::atomic::{AtomicU64, Ordering};

use arch::counted::Counted;
use nt_abi::{NtResult, NtStatus};

/// What is charged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QuotaKind {
    /// Bytes of paged pool.
    PagedPool,
    /// Bytes of nonpaged pool.
    NonPagedPool,
}

const KINDS: usize = 2;

struct Count {
    usage: AtomicU64,
    peak: AtomicU64,
    limit: AtomicU64,
}

/// What is charged of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuotaUsage {
    /// At this moment.
    pub usage: u64,
    /// The most that it was.
    pub peak: u64,
    /// The most that it may be.
    pub limit: u64,
}

/// The counts of a process.
struct Block {
    counts: [Count; KINDS],
}

/// A reference to the counts of a process.
#[derive(Clone)]
pub struct Quota(Counted<Block, ()>);

/// A charge; given back when it is dropped.
#[must_use = "the charge is given back when this is dropped"]
pub struct QuotaCharge {
    quota: Quota,
    kind: QuotaKind,
    amount: u64,
}

impl Quota {
    /// Counts without limits.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    pub fn new() -> NtResult<Self> {
        let count = || Count {
            usage: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            limit: AtomicU64::new(u64::MAX),
        };
        let block = Block {
            counts: [count(), count()],
        };
        let block = Counted::new(block, ()).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        Ok(Self(block))
    }

    fn count(&self, kind: QuotaKind) -> &Count {
        &Counted::head(&self.0).counts[kind as usize]
    }

    /// Charges, until the result is dropped.
    ///
    /// # IRQL
    /// Any.
    ///
    /// # Errors
    /// As [`charge_for_good`](Self::charge_for_good).
    #[doc(alias = "PsChargeProcessPoolQuota")]
    pub fn charge(&self, kind: QuotaKind, amount: u64) -> NtResult<QuotaCharge> {
        self.charge_for_good(kind, amount)?;
        Ok(QuotaCharge {
            quota: self.clone(),
            kind,
            amount,
        })
    }

    /// Charges, until [`give_back`](Self::give_back) takes it back.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED`; nothing is charged then.
    pub fn charge_for_good(&self, kind: QuotaKind, amount: u64) -> NtResult {
        let count = self.count(kind);
        let limit = count.limit.load(Ordering::Relaxed);
        // Relaxed: a count orders nothing, it only adds up.
        let charged = count
            .usage
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |usage| {
                usage.checked_add(amount).filter(|after| *after <= limit)
            })
            .map_err(|_| NtStatus::QUOTA_EXCEEDED)?;
        // Most charges are no peak, and to look costs less than to write.
        let now = charged + amount;
        if now > count.peak.load(Ordering::Relaxed) {
            count.peak.fetch_max(now, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Takes back what was charged.
    #[doc(alias = "PsReturnPoolQuota")]
    pub fn give_back(&self, kind: QuotaKind, amount: u64) {
        let before = self.count(kind).usage.fetch_sub(amount, Ordering::Relaxed);
        debug_assert!(before >= amount, "more quota was given back than charged");
    }

    /// Sets a limit. What is charged beyond it stays, and nothing more is.
    pub fn set_limit(&self, kind: QuotaKind, limit: u64) {
        self.count(kind).limit.store(limit, Ordering::Relaxed);
    }

    /// What is charged.
    pub fn usage(&self, kind: QuotaKind) -> QuotaUsage {
        let count = self.count(kind);
        QuotaUsage {
            usage: count.usage.load(Ordering::Relaxed),
            peak: count.peak.load(Ordering::Relaxed),
            limit: count.limit.load(Ordering::Relaxed),
        }
    }
}

impl QuotaCharge {
    /// Leaves it charged for who takes it back by [`Quota::give_back`].
    pub fn keep(mut self) {
        self.amount = 0;
    }
}

impl Drop for QuotaCharge {
    fn drop(&mut self) {
        self.quota.give_back(self.kind, self.amount);
    }
}
