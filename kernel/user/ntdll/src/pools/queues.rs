//! Work items, registered waits and timer queues: the older functions over the process's own pool.

use c_interface::{Function, Ptr, exports};
use nt_abi::NtStatus;
use nt_abi::native::Handle;
use nt_abi::synchronization::WorkFlags;
use sync::thread_pool::{self as pool, Id};

use super::{made, outcome};
use crate::parking::Threads;

/// A callback that gets its context, and whether a time has come.
type TimerOrWait = Function<fn(usize, u8)>;

/// Neither an event nor a wait for the end.
const NONE: Handle = 0;

exports! {
    /// Has a function run once.
    fn RtlQueueWorkItem(function: Function<fn(usize) -> u32>, context: usize, flags: u32) -> NtStatus {
        pool::queue_work_item(&Threads, function, context, WorkFlags::from_bits_retain(flags)).into()
    }

    /// Has a function run when an object is signalled or was not for so many milliseconds.
    fn RtlRegisterWait(
        into: Ptr<usize>,
        object: Handle,
        callback: TimerOrWait,
        context: usize,
        milliseconds: u32,
        flags: u32,
    ) -> NtStatus {
        let flags = WorkFlags::from_bits_retain(flags);
        made(pool::register_wait(&Threads, object, callback, context, milliseconds, flags), into)
    }

    /// Ends a registered wait, and waits for nothing.
    fn RtlDeregisterWait(wait: usize) -> NtStatus {
        outcome(pool::deregister_wait(&Threads, Id::new(wait), NONE))
    }

    /// Ends a registered wait; an event is signalled when no callback runs any more, and -1 waits for that.
    fn RtlDeregisterWaitEx(wait: usize, event: Handle) -> NtStatus {
        outcome(pool::deregister_wait(&Threads, Id::new(wait), event))
    }

    /// Makes a queue of timers.
    fn RtlCreateTimerQueue(into: Ptr<usize>) -> NtStatus {
        made(pool::create_timer_queue(&Threads), into)
    }

    /// Ends a queue with its timers, and waits for nothing.
    fn RtlDeleteTimerQueue(queue: usize) -> NtStatus {
        outcome(pool::delete_timer_queue(&Threads, Id::new(queue), NONE))
    }

    /// Ends a queue with its timers; an event is signalled when no callback runs any more, and -1 waits for that.
    fn RtlDeleteTimerQueueEx(queue: usize, event: Handle) -> NtStatus {
        outcome(pool::delete_timer_queue(&Threads, Id::new(queue), event))
    }

    /// Makes a timer of a queue; times in milliseconds.
    fn RtlCreateTimer(
        queue: usize,
        into: Ptr<usize>,
        callback: TimerOrWait,
        context: usize,
        due: u32,
        period: u32,
        flags: u32,
    ) -> NtStatus {
        let queue = Some(Id::new(queue)).filter(|&queue| queue != Id::default());
        let flags = WorkFlags::from_bits_retain(flags);
        made(pool::create_timer(&Threads, queue, callback, context, due, period, flags), into)
    }

    /// Sets a queue's timer anew; times in milliseconds.
    fn RtlUpdateTimer(_queue: usize, timer: usize, due: u32, period: u32) -> NtStatus {
        pool::update_timer(&Threads, Id::new(timer), due, period).into()
    }

    /// Ends a queue's timer; an event is signalled when no callback runs any more, and -1 waits for that.
    fn RtlDeleteTimer(_queue: usize, timer: usize, event: Handle) -> NtStatus {
        outcome(pool::delete_timer(&Threads, Id::new(timer), event))
    }
}
