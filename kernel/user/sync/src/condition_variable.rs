//! Condition variables: where threads wait for a condition that a lock protects. How they work:
//! `words/condition.rs`.
//!
//! A variable of zeros is ready. A thread may wake without anybody having woken it, as with Windows', so callers look
//! again.

use c_interface::Ptr;
use nt_abi::native::{RtlConditionVariable, RtlCriticalSection, RtlSrwLock};
use nt_abi::synchronization::ConditionVariableFlags;
use nt_abi::{NtResult, NtStatus};

use crate::words::atomic::AtomicUsize;
use crate::words::condition;
use crate::words::parking::{Deadline, Parking};
use crate::{critical_section, srw_lock};

fn word<'a>(variable: Ptr<RtlConditionVariable>) -> &'a AtomicUsize {
    variable.cast::<usize>().atomic()
}

/// Makes a variable that nobody waits at.
///
/// # NT
/// `RtlInitializeConditionVariable`.
pub fn initialize(variable: Ptr<RtlConditionVariable>) {
    variable.write(RtlConditionVariable::default());
}

/// Leaves a section, waits, and enters it again. The caller has entered it once.
///
/// Gives `SUCCESS`, or `TIMEOUT` if the time, in NT's form, came first; the caller has the section in both cases.
/// `enter` is how the section is entered again.
///
/// # NT
/// `RtlSleepConditionVariableCS`.
///
/// # Errors
/// `RESOURCE_NOT_OWNED` if nobody has the section; what `enter` gives.
pub fn sleep_critical_section<P: Parking>(
    parking: &P,
    variable: Ptr<RtlConditionVariable>,
    section: Ptr<RtlCriticalSection>,
    timeout: Option<i64>,
    enter: impl FnOnce() -> NtResult,
) -> NtResult<NtStatus> {
    if !critical_section::is_locked(section) {
        return Err(NtStatus::RESOURCE_NOT_OWNED);
    }
    let deadline = Deadline::of(parking, timeout);
    let woken = condition::sleep(parking, word(variable), deadline, || {
        let _ = critical_section::leave(parking, section);
    });
    enter()?;
    Ok(answer(woken))
}

/// Frees a slim lock, waits, and takes it again as it was held, which the flags say.
///
/// Gives `SUCCESS`, or `TIMEOUT` if the time, in NT's form, came first; the caller has the lock in both cases.
///
/// # NT
/// `RtlSleepConditionVariableSRW`.
///
/// # Errors
/// `INVALID_PARAMETER_4` for unknown flags; `RESOURCE_NOT_OWNED` if the lock is not held so.
pub fn sleep_srw_lock<P: Parking>(
    parking: &P,
    variable: Ptr<RtlConditionVariable>,
    lock: Ptr<RtlSrwLock>,
    timeout: Option<i64>,
    flags: ConditionVariableFlags,
) -> NtResult<NtStatus> {
    if !ConditionVariableFlags::all().contains(flags) {
        return Err(NtStatus::INVALID_PARAMETER_4);
    }
    let shared = flags.contains(ConditionVariableFlags::LOCKMODE_SHARED);
    if !srw_lock::is_held(lock, shared) {
        return Err(NtStatus::RESOURCE_NOT_OWNED);
    }
    let deadline = Deadline::of(parking, timeout);
    let woken = condition::sleep(parking, word(variable), deadline, || {
        let _ = if shared {
            srw_lock::release_shared(parking, lock)
        } else {
            srw_lock::release_exclusive(parking, lock)
        };
    });
    if shared {
        srw_lock::acquire_shared(parking, lock);
    } else {
        srw_lock::acquire_exclusive(parking, lock);
    }
    Ok(answer(woken))
}

fn answer(woken: bool) -> NtStatus {
    if woken {
        NtStatus::SUCCESS
    } else {
        NtStatus::TIMEOUT
    }
}

/// Wakes the thread that has waited longest.
///
/// # NT
/// `RtlWakeConditionVariable`.
#[inline]
pub fn wake<P: Parking>(parking: &P, variable: Ptr<RtlConditionVariable>) {
    condition::wake(parking, word(variable));
}

/// Wakes all that wait.
///
/// # NT
/// `RtlWakeAllConditionVariable`.
#[inline]
pub fn wake_all<P: Parking>(parking: &P, variable: Ptr<RtlConditionVariable>) {
    condition::wake_all(parking, word(variable));
}
