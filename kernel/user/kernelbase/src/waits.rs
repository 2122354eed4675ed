//! Waiting: for objects, for time, for addresses, for conditions.

use nt_abi::services::arguments::WaitType;
use ntdll_imports::{
    NtDelayExecution, NtSignalAndWaitForSingleObject, NtWaitForMultipleObjects,
    NtWaitForSingleObject, NtYieldExecution, RtlBarrier, RtlDeleteBarrier, RtlInitBarrier,
    RtlInitializeCriticalSectionAndSpinCount, RtlInitializeCriticalSectionEx,
    RtlRunOnceBeginInitialize, RtlRunOnceComplete, RtlRunOnceExecuteOnce,
    RtlSleepConditionVariableCS, RtlSleepConditionVariableSRW, RtlWaitOnAddress,
};

use crate::console;
use crate::win::*;

/// `INFINITE`.
const INFINITE: u32 = u32::MAX;
/// `WAIT_FAILED`.
const FAILED: u32 = u32::MAX;
/// In 100 ns.
const MILLISECOND: i64 = 10_000;
/// The first of the numbers that stand for standard handles (`STD_ERROR_HANDLE`), and the last.
const STANDARD: core::ops::RangeInclusive<i64> = -12..=-10;

/// A time of Win32 as NT has it: from now on, or none.
pub struct Timeout {
    time: i64,
    infinite: bool,
}

impl Timeout {
    /// So many milliseconds; `INFINITE` for ever.
    pub(crate) fn new(milliseconds: u32) -> Self {
        Self {
            time: -(i64::from(milliseconds) * MILLISECOND),
            infinite: milliseconds == INFINITE,
        }
    }

    /// Where it is; null for ever.
    pub(crate) fn place(&self) -> Ptr<i64> {
        if self.infinite {
            return Ptr::NULL;
        }
        Ptr::of_shared(&self.time)
    }
}

/// What a wait returns: its status, or that it failed.
fn outcome(status: NtStatus) -> u32 {
    match check(status) {
        Ok(()) => status.0,
        Err(error) => answer(Err(error), FAILED),
    }
}

/// Waits again as long as an alert was all that ended it.
fn unless_alerted(alertable: bool, mut wait: impl FnMut() -> NtStatus) -> NtStatus {
    loop {
        let status = wait();
        if !(alertable && status == NtStatus::ALERTED) {
            return status;
        }
    }
}

/// The handle that a number of a standard handle stands for.
fn meant(handle: Handle) -> Handle {
    if STANDARD.contains(&i64::from(handle.0.cast_signed())) {
        // The number is 32 bits wide.
        return console::GetStdHandle((handle.0 & 0xFFFF_FFFF) as u32);
    }
    handle
}

fn wait_for_one(handle: Handle, milliseconds: u32, alertable: bool) -> u32 {
    let timeout = Timeout::new(milliseconds);
    let handle = meant(handle);
    outcome(unless_alerted(alertable, || {
        NtWaitForSingleObject(handle, alertable, timeout.place())
    }))
}

fn wait_for_several(
    count: u32,
    handles: Ptr<Handle>,
    all: Bool,
    milliseconds: u32,
    alertable: bool,
) -> u32 {
    let timeout = Timeout::new(milliseconds);
    let kind = WaitType(u32::from(all == FALSE));
    outcome(unless_alerted(alertable, || {
        NtWaitForMultipleObjects(count, handles, kind, alertable, timeout.place())
    }))
}

fn sleep(milliseconds: u32, alertable: bool) -> u32 {
    let mut time = Timeout::new(milliseconds).time;
    if milliseconds == INFINITE {
        time = i64::MIN;
    }
    let status = unless_alerted(alertable, || NtDelayExecution(alertable, &time));
    if status == NtStatus::USER_APC {
        status.0
    } else {
        0
    }
}

/// A wait whose time can be over, as `BOOL`.
fn in_time(status: NtStatus) -> Bool {
    if status == NtStatus::TIMEOUT {
        return truth(Err(Error::TIMEOUT));
    }
    truth_of(status)
}

exports! {
    /// Waits for an object: `WAIT_OBJECT_0`, `WAIT_ABANDONED`, `WAIT_TIMEOUT` or `WAIT_FAILED`.
    fn WaitForSingleObject(handle: Handle, milliseconds: u32) -> u32 {
        wait_for_one(handle, milliseconds, false)
    }

    /// Waits for an object, or for an APC.
    fn WaitForSingleObjectEx(handle: Handle, milliseconds: u32, alertable: Bool) -> u32 {
        wait_for_one(handle, milliseconds, alertable != FALSE)
    }

    /// Waits for one of several objects, or for all of them.
    fn WaitForMultipleObjects(count: u32, handles: Ptr<Handle>, all: Bool, milliseconds: u32) -> u32 {
        wait_for_several(count, handles, all, milliseconds, false)
    }

    /// Waits for one of several objects, or for all of them, or for an APC.
    fn WaitForMultipleObjectsEx(count: u32, handles: Ptr<Handle>, all: Bool, milliseconds: u32, alertable: Bool) -> u32 {
        wait_for_several(count, handles, all, milliseconds, alertable != FALSE)
    }

    /// Signals one object and waits for another one.
    fn SignalObjectAndWait(signal: Handle, wait: Handle, milliseconds: u32, alertable: Bool) -> u32 {
        let timeout = Timeout::new(milliseconds);
        let alertable = alertable != FALSE;
        outcome(unless_alerted(alertable, || {
            NtSignalAndWaitForSingleObject(signal, wait, alertable, timeout.place())
        }))
    }

    /// Lets time pass.
    fn Sleep(milliseconds: u32) {
        sleep(milliseconds, false);
    }

    /// Lets time pass, or an APC come: `WAIT_IO_COMPLETION`.
    fn SleepEx(milliseconds: u32, alertable: Bool) -> u32 {
        sleep(milliseconds, alertable != FALSE)
    }

    /// Lets another thread run, if one is ready.
    fn SwitchToThread() -> Bool {
        Bool::from(NtYieldExecution() != NtStatus::NO_YIELD_PERFORMED)
    }

    /// Waits until what is at an address is no longer what it was.
    fn WaitOnAddress(at: Ptr<u8>, compared: Ptr<u8>, size: usize, milliseconds: u32) -> Bool {
        in_time(RtlWaitOnAddress(at, compared, size, Timeout::new(milliseconds).place()))
    }

    /// Waits for a condition, with a critical section.
    fn SleepConditionVariableCS(variable: Ptr<usize>, section: Ptr<u8>, milliseconds: u32) -> Bool {
        in_time(RtlSleepConditionVariableCS(variable, section, Timeout::new(milliseconds).place()))
    }

    /// Waits for a condition, with a slim lock.
    fn SleepConditionVariableSRW(variable: Ptr<usize>, lock: Ptr<usize>, milliseconds: u32, flags: u32) -> Bool {
        in_time(RtlSleepConditionVariableSRW(variable, lock, Timeout::new(milliseconds).place(), flags))
    }

    /// Makes a critical section.
    fn InitializeCriticalSectionAndSpinCount(section: Ptr<u8>, spins: u32) -> Bool {
        truth_of(RtlInitializeCriticalSectionAndSpinCount(section, spins))
    }

    /// Makes a critical section.
    fn InitializeCriticalSectionEx(section: Ptr<u8>, spins: u32, flags: u32) -> Bool {
        truth_of(RtlInitializeCriticalSectionEx(section, spins, flags))
    }

    /// Does something once; others wait until it is done.
    fn InitOnceExecuteOnce(once: Ptr<usize>, function: Ptr<u8>, argument: Ptr<u8>, context: Ptr<usize>) -> Bool {
        Bool::from(RtlRunOnceExecuteOnce(once, function, argument, context).is_success())
    }

    /// Begins to do something once, or says that it is done.
    fn InitOnceBeginInitialize(once: Ptr<usize>, flags: u32, pending: Ptr<u32>, context: Ptr<usize>) -> Bool {
        let status = RtlRunOnceBeginInitialize(once, flags, context);
        if status.is_success() {
            pending.write(Bool::from(status == NtStatus::PENDING));
        }
        truth_of(status)
    }

    /// Says that something is done, or was not.
    fn InitOnceComplete(once: Ptr<usize>, flags: u32, context: Ptr<u8>) -> Bool {
        truth_of(RtlRunOnceComplete(once, flags, context))
    }

    /// Makes a barrier at which so many threads meet.
    fn InitializeSynchronizationBarrier(barrier: Ptr<u8>, threads: i32, spins: i32) -> Bool {
        truth_of(RtlInitBarrier(barrier, threads, spins))
    }

    /// Waits at a barrier; true for the thread that came last.
    fn EnterSynchronizationBarrier(barrier: Ptr<u8>, flags: u32) -> Bool {
        Bool::from(RtlBarrier(barrier, flags) != 0)
    }

    /// Takes a barrier away, when all have left it.
    fn DeleteSynchronizationBarrier(barrier: Ptr<u8>) -> Bool {
        RtlDeleteBarrier(barrier);
        TRUE
    }
}
