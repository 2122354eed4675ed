//! Slim locks: one word, to share or to have alone. How they work: `words/lock.rs`.
//!
//! A lock of zeros is free. Its address does not change while it is used.

use c_interface::Ptr;
use nt_abi::native::RtlSrwLock;
use nt_abi::{NtResult, NtStatus};

use crate::words::atomic::AtomicUsize;
use crate::words::lock::{self, NotOwned};
use crate::words::parking::Parking;

#[inline]
fn word<'a>(lock: Ptr<RtlSrwLock>) -> &'a AtomicUsize {
    lock.cast::<usize>().atomic()
}

/// Whether somebody has it so, at this moment.
pub(crate) fn is_held(lock: Ptr<RtlSrwLock>, shared: bool) -> bool {
    if shared {
        lock::is_shared(word(lock))
    } else {
        lock::is_held_alone(word(lock))
    }
}

fn status(result: Result<(), NotOwned>) -> NtResult {
    result.map_err(|NotOwned| NtStatus::RESOURCE_NOT_OWNED)
}

/// Makes a free lock.
///
/// # NT
/// `RtlInitializeSRWLock`.
pub fn initialize(lock: Ptr<RtlSrwLock>) {
    lock.write(RtlSrwLock::default());
}

/// Takes it alone. Who has it already waits for ever.
///
/// # NT
/// `RtlAcquireSRWLockExclusive`.
#[inline]
pub fn acquire_exclusive<P: Parking>(parking: &P, lock: Ptr<RtlSrwLock>) {
    lock::acquire_alone(parking, word(lock));
}

/// Takes a share. Who has one already may wait for ever, if somebody came between who wants it alone.
///
/// # NT
/// `RtlAcquireSRWLockShared`.
#[inline]
pub fn acquire_shared<P: Parking>(parking: &P, lock: Ptr<RtlSrwLock>) {
    lock::acquire_share(parking, word(lock));
}

/// Takes it alone if nobody has it.
///
/// # NT
/// `RtlTryAcquireSRWLockExclusive`.
#[inline]
pub fn try_acquire_exclusive(lock: Ptr<RtlSrwLock>) -> bool {
    lock::try_alone(word(lock))
}

/// Takes a share if nobody has it alone or waits.
///
/// # NT
/// `RtlTryAcquireSRWLockShared`.
#[inline]
pub fn try_acquire_shared(lock: Ptr<RtlSrwLock>) -> bool {
    lock::try_share(word(lock))
}

/// Frees what the caller has alone.
///
/// # NT
/// `RtlReleaseSRWLockExclusive`.
///
/// # Errors
/// `RESOURCE_NOT_OWNED`, which Windows raises, if nobody has it alone.
#[inline]
pub fn release_exclusive<P: Parking>(parking: &P, lock: Ptr<RtlSrwLock>) -> NtResult {
    status(lock::release_alone(parking, word(lock)))
}

/// Frees a share.
///
/// # NT
/// `RtlReleaseSRWLockShared`.
///
/// # Errors
/// `RESOURCE_NOT_OWNED`, which Windows raises, if nobody has a share.
#[inline]
pub fn release_shared<P: Parking>(parking: &P, lock: Ptr<RtlSrwLock>) -> NtResult {
    status(lock::release_share(parking, word(lock)))
}

/// Makes what the caller has alone a share.
///
/// # NT
/// `RtlConvertSRWLockExclusiveToShared`.
///
/// # Errors
/// `RESOURCE_NOT_OWNED` if nobody has it alone.
pub fn convert_to_shared<P: Parking>(parking: &P, lock: Ptr<RtlSrwLock>) -> NtResult {
    status(lock::share(parking, word(lock)))
}
