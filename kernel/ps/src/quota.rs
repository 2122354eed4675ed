//! What a process may take of the pools.
//!
//! Objects, handle tables, user APCs and what describes an address space are charged to the process that brought them
//! about, see [`ex::Quota`]. Here are the limits that a process begins with, and what threads are charged with.
//!
//! # NT
//! `PspInitializeQuotaBlock`, `PspDefaultPagedLimit`.

use core::sync::atomic::{AtomicU32, Ordering};

use ex::{Quota, QuotaKind};
use ke::apc::APC_BYTES;
use nt_abi::NtResult;

/// A process may have one byte of this many of the pools, of each kind.
const SHARE: u64 = 4;

/// What a process may have of each pool unless somebody says otherwise, in bytes.
pub fn default_limit() -> u64 {
    mm::pool_growth::most() / SHARE
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

/// What a thread's process is charged for APCs that are queued to the thread. What is left is given back at its end.
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

    /// One less.
    pub(crate) fn give_back(&self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
        self.quota
            .give_back(QuotaKind::NonPagedPool, APC_BYTES as u64);
    }
}

impl Drop for QueuedApcs {
    fn drop(&mut self) {
        let bytes = u64::from(*self.count.get_mut()) * APC_BYTES as u64;
        self.quota.give_back(QuotaKind::NonPagedPool, bytes);
    }
}
