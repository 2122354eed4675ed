//! Locks and waits of user mode.

use c_interface::{Ptr, imports};
use nt_abi::NtStatus;

imports! { "ntdll";
    /// Has a slim lock alone.
    fn RtlAcquireSRWLockExclusive(lock: Ptr<usize>);
    /// Gives a slim lock back.
    fn RtlReleaseSRWLockExclusive(lock: Ptr<usize>);
    /// Makes a critical section.
    fn RtlInitializeCriticalSectionAndSpinCount(section: Ptr<u8>, spins: u32) -> NtStatus;
    /// Makes a critical section.
    fn RtlInitializeCriticalSectionEx(section: Ptr<u8>, spins: u32, flags: u32) -> NtStatus;
    /// Does something once.
    fn RtlRunOnceExecuteOnce(once: Ptr<usize>, function: Ptr<u8>, argument: Ptr<u8>, context: Ptr<usize>) -> NtStatus;
    /// Begins to do something once.
    fn RtlRunOnceBeginInitialize(once: Ptr<usize>, flags: u32, context: Ptr<usize>) -> NtStatus;
    /// Says that something is done.
    fn RtlRunOnceComplete(once: Ptr<usize>, flags: u32, context: Ptr<u8>) -> NtStatus;
    /// Waits for a condition, with a critical section.
    fn RtlSleepConditionVariableCS(variable: Ptr<usize>, section: Ptr<u8>, timeout: Ptr<i64>) -> NtStatus;
    /// Waits for a condition, with a slim lock.
    fn RtlSleepConditionVariableSRW(variable: Ptr<usize>, lock: Ptr<usize>, timeout: Ptr<i64>, flags: u32) -> NtStatus;
    /// Waits until what is at an address changes.
    fn RtlWaitOnAddress(at: Ptr<u8>, compared: Ptr<u8>, size: usize, timeout: Ptr<i64>) -> NtStatus;
    /// Makes a barrier.
    fn RtlInitBarrier(barrier: Ptr<u8>, threads: i32, spins: i32) -> NtStatus;
    /// Waits at a barrier.
    fn RtlBarrier(barrier: Ptr<u8>, flags: u32) -> u8;
    /// Takes a barrier away.
    fn RtlDeleteBarrier(barrier: Ptr<u8>) -> NtStatus;
}
