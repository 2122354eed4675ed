//! The thread pool.

use c_interface::{Ptr, imports};
use nt_abi::NtStatus;
use nt_abi::native::Handle;

imports! { "ntdll";
    /// Makes work for the pool.
    fn TpAllocWork(made: Ptr<usize>, callback: Ptr<u8>, context: Ptr<u8>, environment: Ptr<u8>) -> NtStatus;
    /// Makes a timer.
    fn TpAllocTimer(made: Ptr<usize>, callback: Ptr<u8>, context: Ptr<u8>, environment: Ptr<u8>) -> NtStatus;
    /// Makes a wait.
    fn TpAllocWait(made: Ptr<usize>, callback: Ptr<u8>, context: Ptr<u8>, environment: Ptr<u8>) -> NtStatus;
    /// Makes a pool.
    fn TpAllocPool(made: Ptr<usize>, reserved: Ptr<u8>) -> NtStatus;
    /// Makes a group of what belongs to a pool.
    fn TpAllocCleanupGroup(made: Ptr<usize>) -> NtStatus;
    /// Has the pool call a function once.
    fn TpSimpleTryPost(callback: Ptr<u8>, context: Ptr<u8>, environment: Ptr<u8>) -> NtStatus;
    /// Says that a callback takes long.
    fn TpCallbackMayRunLong(instance: Ptr<u8>) -> NtStatus;
    /// Sets how many threads a pool has at least.
    fn TpSetPoolMinThreads(pool: Ptr<u8>, least: u32) -> NtStatus;
    /// Sets the stacks of a pool's threads.
    fn TpSetPoolStackInformation(pool: Ptr<u8>, information: Ptr<u8>) -> NtStatus;
    /// The stacks of a pool's threads.
    fn TpQueryPoolStackInformation(pool: Ptr<u8>, information: Ptr<u8>) -> NtStatus;
    /// Sets a timer; whether it was set before.
    fn TpSetTimerEx(timer: Ptr<u8>, due: Ptr<i64>, period: u32, window: u32) -> u32;
    /// Sets a wait; whether it was set before.
    fn TpSetWaitEx(wait: Ptr<u8>, handle: Handle, timeout: Ptr<i64>, reserved: Ptr<u8>) -> u32;
    /// Has a thread of the pool call a function.
    fn RtlQueueWorkItem(function: Ptr<u8>, context: Ptr<u8>, flags: u32) -> NtStatus;
    /// Has a function called when an object is signalled.
    fn RtlRegisterWait(wait: Ptr<usize>, object: Handle, function: Ptr<u8>, context: Ptr<u8>, milliseconds: u32, flags: u32) -> NtStatus;
    /// Ends such a wait.
    fn RtlDeregisterWaitEx(wait: Ptr<u8>, event: Handle) -> NtStatus;
    /// Makes a queue of timers.
    fn RtlCreateTimerQueue(made: Ptr<usize>) -> NtStatus;
    /// Takes a queue away.
    fn RtlDeleteTimerQueueEx(queue: Ptr<u8>, event: Handle) -> NtStatus;
    /// Makes a timer of a queue.
    fn RtlCreateTimer(queue: Ptr<u8>, timer: Ptr<usize>, callback: Ptr<u8>, parameter: Ptr<u8>, due: u32, period: u32, flags: u32) -> NtStatus;
    /// Changes when a timer is due.
    fn RtlUpdateTimer(queue: Ptr<u8>, timer: Ptr<u8>, due: u32, period: u32) -> NtStatus;
    /// Takes a timer away.
    fn RtlDeleteTimer(queue: Ptr<u8>, timer: Ptr<u8>, event: Handle) -> NtStatus;
}
