//! Semaphores: a count that threads take from.

use nt_abi::{NtResult, NtStatus};

use super::{Database, Header, Kind, lock, signalled};
use crate::SEMAPHORE_INCREMENT;

/// A semaphore.
///
/// # NT
/// `KSEMAPHORE`.
pub struct Semaphore {
    header: &'static Header,
}

impl Semaphore {
    /// Makes one with `count` to take and at most `limit`.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` unless `0 <= count <= limit` and `limit > 0`; `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "KeInitializeSemaphore")]
    pub fn new(count: i32, limit: i32) -> NtResult<Self> {
        if limit <= 0 || count < 0 || count > limit {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        Ok(Self {
            header: Header::take(Kind::Semaphore, count, limit)?,
        })
    }

    /// What waits name it by.
    pub fn header(&self) -> &'static Header {
        self.header
    }

    /// Adds to the count; gives what it was before.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a count below 1; `SEMAPHORE_LIMIT_EXCEEDED` if the sum is above the limit. Nothing is added then.
    #[doc(alias = "KeReleaseSemaphore")]
    pub fn release(&self, count: i32) -> NtResult<i32> {
        self.release_in(&lock(), count)
    }

    /// The same for who holds the database: for [`signal_and_wait`](crate::wait::signal_and_wait).
    ///
    /// # Errors
    /// As [`release`](Self::release).
    pub fn release_in(&self, database: &Database, count: i32) -> NtResult<i32> {
        if count <= 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let before = self.header.signal.get(database);
        let after = before
            .checked_add(count)
            .filter(|after| *after <= self.header.limit.get(database))
            .ok_or(NtStatus::SEMAPHORE_LIMIT_EXCEEDED)?;
        self.header.signal.set(database, after);
        signalled(database, self.header, SEMAPHORE_INCREMENT);
        Ok(before)
    }

    /// The count at this moment.
    #[doc(alias = "KeReadStateSemaphore")]
    pub fn count(&self) -> i32 {
        self.header.signal.glance()
    }

    /// The greatest count.
    pub fn limit(&self) -> i32 {
        self.header.limit.glance()
    }
}

impl Drop for Semaphore {
    fn drop(&mut self) {
        Header::give_back(self.header);
    }
}
