//! What a process may take of the pools.
//!
//! Objects, handle tables, user APCs and what describes an address space are charged to the process that brought them
//! about, see [`ex::Quota`]. Here are the limits that a process begins with, and what threads are charged with.
//!
//! # NT
//! `PspInitializeQuotaBlock`, `PspDefaultPagedLimit`.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use ex::{Quota, QuotaKind};
use ke::apc::APC_BYTES;
use nt_abi::NtResult;

/// A process may have one byte of this many of the pools, of each kind.
const SHARE: u64 = 4;

/// The first answer of [`default_limit`]; 0: there was none.
static DEFAULT_LIMIT: AtomicU64 = AtomicU64::new(0);

/// What a process may have of each pool unless somebody says otherwise, in bytes. It stays what it was first: the count of
/// frames falls a little whenever one is met that the floor took for itself.
pub fn default_limit() -> u64 {
    // Relaxed: a number that orders nothing. Of two who are first both go by the one that came first here.
    let known = DEFAULT_LIMIT.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    let first = mm::pool_growth::most() / SHARE;
    let order = Ordering::Relaxed;
    match DEFAULT_LIMIT.compare_exchange(0, first, order, order) {
        Ok(_) => first,
        Err(other) => other,
    }
}

/// The counts of a new process.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES`.
pub(crate) fn new() -> NtResult<Quota> {
    let quota = Quota::new()?;
    for kind in [QuotaKind::PagedPool, QuotaKind::NonPagedPool] {
        quota.set_limit(kind, default_limit());
    }
    Ok(quota)
}

/// What a thread's process is charged for APCs that are queued to the thread.
pub(crate) struct QueuedApcs {
    quota: Quota,
    count: AtomicU32,
}

impl QueuedApcs {
    pub(crate) fn new(quota: Quota) -> Self {
        Self {
            quota,
            count: AtomicU32::new(0),
        }
    }

    /// One more.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED`.
    pub(crate) fn charge(&self) -> NtResult {
        self.quota
            .charge_for_good(QuotaKind::NonPagedPool, APC_BYTES as u64)?;
        // Relaxed: a count orders nothing; whoever drops this has the last reference.
        self.count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// One less, unless the thread's end took all back.
    pub(crate) fn give_back(&self) {
        let one_less = |count: u32| count.checked_sub(1);
        let order = Ordering::Relaxed;
        if self.count.fetch_update(order, order, one_less).is_ok() {
            self.quota
                .give_back(QuotaKind::NonPagedPool, APC_BYTES as u64);
        }
    }

    /// The thread ends, and its APCs with it. One that is charged for in this moment, and then refused or run down, is given
    /// back by who is refused, or when this is dropped.
    pub(crate) fn give_all_back(&self) {
        let bytes = u64::from(self.count.swap(0, Ordering::Relaxed)) * APC_BYTES as u64;
        self.quota.give_back(QuotaKind::NonPagedPool, bytes);
    }
}

impl Drop for QueuedApcs {
    fn drop(&mut self) {
        self.give_all_back();
    }
}
