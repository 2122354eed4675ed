//! The thread pool, queues of timers, and waits that the pool does.
//!
//! ntdll has the pool; what it tells by a status and a place, Win32 tells by a pointer and the last error.
//!
//! # Limits
//! Nothing hears of files' operations (`CreateThreadpoolIo`, `BindIoCompletionCallback`): the kernel tells no port of them.

use ntdll_imports::{
    RtlCreateTimer, RtlCreateTimerQueue, RtlDeleteTimer, RtlDeleteTimerQueueEx,
    RtlDeregisterWaitEx, RtlQueueWorkItem, RtlRegisterWait, RtlUpdateTimer, TpAllocCleanupGroup,
    TpAllocPool, TpAllocTimer, TpAllocWait, TpAllocWork, TpCallbackMayRunLong,
    TpQueryPoolStackInformation, TpSetPoolMinThreads, TpSetPoolStackInformation, TpSetTimerEx,
    TpSetWaitEx, TpSimpleTryPost,
};

use crate::win::*;

/// What an allocation gives, or null with the last error set.
fn allocated(allocate: impl FnOnce(Ptr<usize>) -> NtStatus) -> Ptr<u8> {
    let mut made = 0_usize;
    let status = allocate(Ptr::of(&mut made));
    answer(check(status).map(|()| Ptr::new(made)), Ptr::NULL)
}

/// The queue that a caller means: the process's own, if he names none.
fn queue_of(queue: Ptr<u8>) -> Win<Ptr<u8>> {
    static DEFAULT: core::sync::atomic::AtomicUsize = core::sync::atomic::AtomicUsize::new(0);
    use core::sync::atomic::Ordering::{AcqRel, Acquire};
    if !queue.is_null() {
        return Ok(queue);
    }
    let known = DEFAULT.load(Acquire);
    if known != 0 {
        return Ok(Ptr::new(known));
    }
    let mut made = 0_usize;
    check(RtlCreateTimerQueue(Ptr::of(&mut made)))?;
    match DEFAULT.compare_exchange(0, made, AcqRel, Acquire) {
        Ok(_) => Ok(Ptr::new(made)),
        Err(first) => {
            let _unused = RtlDeleteTimerQueueEx(Ptr::new(made), Handle::NULL.0);
            Ok(Ptr::new(first))
        }
    }
}

exports! {
    /// Makes work for the pool; null: it failed.
    fn CreateThreadpoolWork(callback: Ptr<u8>, context: Ptr<u8>, environment: Ptr<u8>) -> Ptr<u8> {
        allocated(|made| TpAllocWork(made, callback, context, environment))
    }

    /// Makes a timer of the pool; null: it failed.
    fn CreateThreadpoolTimer(callback: Ptr<u8>, context: Ptr<u8>, environment: Ptr<u8>) -> Ptr<u8> {
        allocated(|made| TpAllocTimer(made, callback, context, environment))
    }

    /// Makes a wait of the pool; null: it failed.
    fn CreateThreadpoolWait(callback: Ptr<u8>, context: Ptr<u8>, environment: Ptr<u8>) -> Ptr<u8> {
        allocated(|made| TpAllocWait(made, callback, context, environment))
    }

    /// Makes a pool; null: it failed.
    fn CreateThreadpool(reserved: Ptr<u8>) -> Ptr<u8> {
        allocated(|made| TpAllocPool(made, reserved))
    }

    /// Makes a group of what belongs to a pool; null: it failed.
    fn CreateThreadpoolCleanupGroup() -> Ptr<u8> {
        allocated(|made| TpAllocCleanupGroup(made))
    }

    /// Has the pool call a function once.
    fn TrySubmitThreadpoolCallback(callback: Ptr<u8>, context: Ptr<u8>, environment: Ptr<u8>) -> Bool {
        truth_of(TpSimpleTryPost(callback, context, environment))
    }

    /// Says that a callback takes long; whether the pool has another thread for the others.
    fn CallbackMayRunLong(instance: Ptr<u8>) -> Bool {
        Bool::from(TpCallbackMayRunLong(instance).is_success())
    }

    /// Sets how many threads a pool has at least.
    fn SetThreadpoolThreadMinimum(pool: Ptr<u8>, least: u32) -> Bool {
        truth_of(TpSetPoolMinThreads(pool, least))
    }

    /// Sets the stacks of a pool's threads.
    fn SetThreadpoolStackInformation(pool: Ptr<u8>, information: Ptr<u8>) -> Bool {
        truth_of(TpSetPoolStackInformation(pool, information))
    }

    /// The stacks of a pool's threads.
    fn QueryThreadpoolStackInformation(pool: Ptr<u8>, information: Ptr<u8>) -> Bool {
        truth_of(TpQueryPoolStackInformation(pool, information))
    }

    /// Sets a timer of the pool; whether it was set before.
    fn SetThreadpoolTimerEx(timer: Ptr<u8>, due: Ptr<i64>, period: u32, window: u32) -> Bool {
        Bool::from(TpSetTimerEx(timer, due, period, window) != 0)
    }

    /// Sets a wait of the pool; whether it was set before.
    fn SetThreadpoolWaitEx(wait: Ptr<u8>, handle: Handle, timeout: Ptr<i64>, reserved: Ptr<u8>) -> Bool {
        Bool::from(TpSetWaitEx(wait, handle.0, timeout, reserved) != 0)
    }

    /// Has a thread of the pool call a function.
    fn QueueUserWorkItem(function: Ptr<u8>, context: Ptr<u8>, flags: u32) -> Bool {
        truth_of(RtlQueueWorkItem(function, context, flags))
    }

    /// Has a function called when an object is signalled, or the time is over.
    fn RegisterWaitForSingleObject(wait: Ptr<usize>, object: Handle, function: Ptr<u8>, context: Ptr<u8>, milliseconds: u32, flags: u32) -> Bool {
        truth_of(RtlRegisterWait(wait, object.0, function, context, milliseconds, flags))
    }

    /// The same; null: it failed.
    fn RegisterWaitForSingleObjectEx(object: Handle, function: Ptr<u8>, context: Ptr<u8>, milliseconds: u32, flags: u32) -> Ptr<u8> {
        allocated(|made| RtlRegisterWait(made, object.0, function, context, milliseconds, flags))
    }

    /// Ends such a wait; that a callback runs is an error.
    fn UnregisterWait(wait: Ptr<u8>) -> Bool {
        pending(RtlDeregisterWaitEx(wait, Handle::NULL.0))
    }

    /// Ends such a wait, and sets an event when no callback runs any more.
    fn UnregisterWaitEx(wait: Ptr<u8>, event: Handle) -> Bool {
        pending(RtlDeregisterWaitEx(wait, event.0))
    }

    /// Makes a queue of timers; null: it failed.
    fn CreateTimerQueue() -> Ptr<u8> {
        allocated(|made| RtlCreateTimerQueue(made))
    }

    /// Takes a queue away, and sets an event when no callback runs any more.
    fn DeleteTimerQueueEx(queue: Ptr<u8>, event: Handle) -> Bool {
        pending(RtlDeleteTimerQueueEx(queue, event.0))
    }

    /// Takes a queue away.
    fn DeleteTimerQueue(queue: Ptr<u8>) -> Bool {
        pending(RtlDeleteTimerQueueEx(queue, Handle::NULL.0))
    }

    /// Makes a timer of a queue: when it is due and how often again, in ms.
    fn CreateTimerQueueTimer(timer: Ptr<usize>, queue: Ptr<u8>, callback: Ptr<u8>, parameter: Ptr<u8>, due: u32, period: u32, flags: u32) -> Bool {
        timer.write(0);
        truth(queue_of(queue).and_then(|queue| {
            check(RtlCreateTimer(queue, timer, callback, parameter, due, period, flags))
        }))
    }

    /// Changes when a timer is due.
    fn ChangeTimerQueueTimer(queue: Ptr<u8>, timer: Ptr<u8>, due: u32, period: u32) -> Bool {
        truth(queue_of(queue).and_then(|queue| check(RtlUpdateTimer(queue, timer, due, period))))
    }

    /// Takes a timer away, and sets an event when its callback does not run any more.
    fn DeleteTimerQueueTimer(queue: Ptr<u8>, timer: Ptr<u8>, event: Handle) -> Bool {
        match queue_of(queue) {
            Ok(queue) => pending(RtlDeleteTimer(queue, timer, event.0)),
            Err(error) => truth(Err(error)),
        }
    }

    /// Takes a timer away.
    fn CancelTimerQueueTimer(queue: Ptr<u8>, timer: Ptr<u8>) -> Bool {
        DeleteTimerQueueTimer(queue, timer, Handle::NULL)
    }
}

/// What is not over yet is told as an error.
fn pending(status: NtStatus) -> Bool {
    if status == NtStatus::PENDING {
        return truth(Err(Error::IO_PENDING));
    }
    truth_of(status)
}
