//! Locks, as programs call them: what they do is in `sync`.

use c_interface::{Ptr, exports, field};
use nt_abi::NtStatus;
use nt_abi::native::{Peb, RtlConditionVariable, RtlCriticalSection, RtlSrwLock};
use nt_abi::synchronization::{ConditionVariableFlags, CriticalSectionFlags};
use sync::{condition_variable, critical_section, srw_lock, wait_on_address};

use crate::exceptions::raise_status;
use crate::parking::{self, Threads};
use crate::process;

/// The status of what either succeeded or not.
fn status(result: nt_abi::NtResult) -> NtStatus {
    result.into()
}

/// Takes a section; raises what is wrong with it.
#[inline]
pub(crate) fn enter(section: Ptr<RtlCriticalSection>) {
    let timeout = || {
        let timeout = field!(process::peb(), Peb, critical_section_timeout).read();
        // The last thread waits for nobody, so what its wait means is known at once.
        (timeout != 0 && !parking::process_ends()).then_some(timeout)
    };
    let entered = critical_section::enter(&Threads, section, timeout, || {
        raise_status(NtStatus::POSSIBLE_DEADLOCK);
    });
    if let Err(status) = entered {
        raise_status(status);
    }
}

exports! {
    /// Makes a critical section.
    fn RtlInitializeCriticalSection(section: Ptr<RtlCriticalSection>) -> NtStatus {
        RtlInitializeCriticalSectionEx(section, 0, 0)
    }

    /// Makes a critical section whose waiters look so often before they wait.
    fn RtlInitializeCriticalSectionAndSpinCount(section: Ptr<RtlCriticalSection>, spins: u32) -> NtStatus {
        // The upper bits once asked for things that are always done.
        RtlInitializeCriticalSectionEx(section, spins & 0x00FF_FFFF, 0)
    }

    /// Makes a critical section in a way that flags say.
    fn RtlInitializeCriticalSectionEx(section: Ptr<RtlCriticalSection>, spins: u32, flags: u32) -> NtStatus {
        let flags = CriticalSectionFlags::from_bits_retain(flags);
        status(critical_section::initialize(&Threads, section, spins, flags, None))
    }

    /// Takes a critical section.
    fn RtlEnterCriticalSection(section: Ptr<RtlCriticalSection>) -> NtStatus {
        enter(section);
        NtStatus::SUCCESS
    }

    /// Takes a critical section if nobody else has it: not 0 then.
    fn RtlTryEnterCriticalSection(section: Ptr<RtlCriticalSection>) -> u32 {
        critical_section::try_enter(&Threads, section).into()
    }

    /// Leaves a critical section.
    fn RtlLeaveCriticalSection(section: Ptr<RtlCriticalSection>) -> NtStatus {
        critical_section::leave(&Threads, section)
    }

    /// Ends a critical section.
    fn RtlDeleteCriticalSection(section: Ptr<RtlCriticalSection>) -> NtStatus {
        let _none = critical_section::delete(section);
        NtStatus::SUCCESS
    }

    /// Sets how often waiters look, and says how often they did.
    fn RtlSetCriticalSectionSpinCount(section: Ptr<RtlCriticalSection>, spins: u32) -> u32 {
        critical_section::set_spin_count(&Threads, section, spins)
    }

    /// Whether somebody has a critical section.
    fn RtlIsCriticalSectionLocked(section: Ptr<RtlCriticalSection>) -> u32 {
        critical_section::is_locked(section).into()
    }

    /// Whether the caller has a critical section.
    fn RtlIsCriticalSectionLockedByThread(section: Ptr<RtlCriticalSection>) -> u32 {
        critical_section::is_locked_by_caller(&Threads, section).into()
    }

    /// How often the caller has a critical section.
    fn RtlGetCriticalSectionRecursionCount(section: Ptr<RtlCriticalSection>) -> u32 {
        critical_section::recursion(&Threads, section)
    }

    /// Makes a slim lock.
    fn RtlInitializeSRWLock(lock: Ptr<RtlSrwLock>) {
        srw_lock::initialize(lock);
    }

    /// Takes a slim lock alone.
    fn RtlAcquireSRWLockExclusive(lock: Ptr<RtlSrwLock>) {
        srw_lock::acquire_exclusive(&Threads, lock);
    }

    /// Takes a slim lock together with others.
    fn RtlAcquireSRWLockShared(lock: Ptr<RtlSrwLock>) {
        srw_lock::acquire_shared(&Threads, lock);
    }

    /// Takes a slim lock alone if it is free: not 0 then.
    fn RtlTryAcquireSRWLockExclusive(lock: Ptr<RtlSrwLock>) -> u8 {
        srw_lock::try_acquire_exclusive(lock).into()
    }

    /// Takes a slim lock together with others if that can be done at once: not 0 then.
    fn RtlTryAcquireSRWLockShared(lock: Ptr<RtlSrwLock>) -> u8 {
        srw_lock::try_acquire_shared(lock).into()
    }

    /// Frees a slim lock that the caller has alone.
    fn RtlReleaseSRWLockExclusive(lock: Ptr<RtlSrwLock>) {
        if let Err(status) = srw_lock::release_exclusive(&Threads, lock) {
            raise_status(status);
        }
    }

    /// Frees a slim lock that the caller shares.
    fn RtlReleaseSRWLockShared(lock: Ptr<RtlSrwLock>) {
        if let Err(status) = srw_lock::release_shared(&Threads, lock) {
            raise_status(status);
        }
    }

    /// Shares a slim lock from now on that the caller has alone.
    fn RtlConvertSRWLockExclusiveToShared(lock: Ptr<RtlSrwLock>) {
        if let Err(status) = srw_lock::convert_to_shared(&Threads, lock) {
            raise_status(status);
        }
    }

    /// Makes a condition variable.
    fn RtlInitializeConditionVariable(variable: Ptr<RtlConditionVariable>) {
        condition_variable::initialize(variable);
    }

    /// Leaves a critical section, waits to be woken, and takes it again.
    fn RtlSleepConditionVariableCS(
        variable: Ptr<RtlConditionVariable>,
        section: Ptr<RtlCriticalSection>,
        timeout: Ptr<i64>,
    ) -> NtStatus {
        let timeout = timeout.read_optional();
        condition_variable::sleep_critical_section(&Threads, variable, section, timeout, || {
            enter(section);
            Ok(())
        })
        .into()
    }

    /// Frees a slim lock, waits to be woken, and takes it again.
    fn RtlSleepConditionVariableSRW(
        variable: Ptr<RtlConditionVariable>,
        lock: Ptr<RtlSrwLock>,
        timeout: Ptr<i64>,
        flags: u32,
    ) -> NtStatus {
        let flags = ConditionVariableFlags::from_bits_retain(flags);
        let timeout = timeout.read_optional();
        condition_variable::sleep_srw_lock(&Threads, variable, lock, timeout, flags).into()
    }

    /// Wakes one thread that waits at a condition variable.
    fn RtlWakeConditionVariable(variable: Ptr<RtlConditionVariable>) {
        condition_variable::wake(&Threads, variable);
    }

    /// Wakes all threads that wait at a condition variable.
    fn RtlWakeAllConditionVariable(variable: Ptr<RtlConditionVariable>) {
        condition_variable::wake_all(&Threads, variable);
    }

    /// Waits while a value is what the caller knows.
    fn RtlWaitOnAddress(address: Ptr<u8>, compare: Ptr<u8>, size: usize, timeout: Ptr<i64>) -> NtStatus {
        let timeout = timeout.read_optional();
        wait_on_address::wait(&Threads, address.address(), compare.address(), size, timeout).into()
    }

    /// Wakes one thread that waits for a value.
    fn RtlWakeAddressSingle(address: Ptr<u8>) {
        wait_on_address::wake_single(&Threads, address.address());
    }

    /// Wakes all threads that wait for a value.
    fn RtlWakeAddressAll(address: Ptr<u8>) {
        wait_on_address::wake_all(&Threads, address.address());
    }
}
