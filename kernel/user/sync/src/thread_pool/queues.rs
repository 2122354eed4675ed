//! The older functions: work items, registered waits and timer queues. They are objects of the process's own pool.

use alloc::vec::Vec;

use c_interface::Function;
use nt_abi::native::Handle;
use nt_abi::synchronization::WorkFlags;
use nt_abi::{NtResult, NtStatus};

use super::MINUS_ONE;
use super::kernel::PoolKernel;
use super::objects::{object, post_once, retire, wait_until_settled};
use super::slab::Id;
use super::state::{Callback, Locked, Object, Queue, Sort, WaitPart};
use super::timers::MILLISECOND;
use super::waits;
use crate::words::parking::Deadline;
use crate::words::queue::Purpose;

/// `WORKERCALLBACKFUNC`, `LPTHREAD_START_ROUTINE`: gets its context.
pub type WorkItemCallback = Function<fn(usize) -> u32>;
/// `WAITORTIMERCALLBACKFUNC`: gets its context, and whether a time has come.
pub type TimerOrWaitCallback = Function<fn(usize, u8)>;

/// `INFINITE`, in milliseconds.
const INFINITE: u32 = u32::MAX;

/// Milliseconds from now, in NT's form.
fn relative(milliseconds: u32) -> Option<i64> {
    (milliseconds != INFINITE).then(|| -i64::from(milliseconds) * MILLISECOND)
}

/// Has a function run once.
///
/// # NT
/// `RtlQueueWorkItem`.
///
/// # Errors
/// `NO_MEMORY`.
pub fn queue_work_item<K: PoolKernel>(
    kernel: &K,
    function: WorkItemCallback,
    context: usize,
    flags: WorkFlags,
) -> NtResult {
    let mut item = object(Sort::Simple, Callback::WorkItem(function), context);
    item.long = flags.contains(WorkFlags::EXECUTELONGFUNCTION);
    post_once(kernel, item)
}

fn timer_or_wait(
    sort: Sort,
    callback: TimerOrWaitCallback,
    context: usize,
    flags: WorkFlags,
    at_once: WorkFlags,
) -> Object {
    let mut object = object(sort, Callback::TimerOrWait(callback), context);
    object.long = flags.contains(WorkFlags::EXECUTELONGFUNCTION);
    object.at_once = flags.contains(at_once);
    object
}

/// Has a function run whenever an object is signalled, and when it was not for so many milliseconds; or only the first
/// time.
///
/// # NT
/// `RtlRegisterWait`.
///
/// # Errors
/// `NO_MEMORY`, and those of making an event, if no thread can wait for it.
pub fn register_wait<K: PoolKernel>(
    kernel: &K,
    handle: Handle,
    callback: TimerOrWaitCallback,
    context: usize,
    milliseconds: u32,
    flags: WorkFlags,
) -> NtResult<Id> {
    let at_once = WorkFlags::EXECUTEINWAITTHREAD;
    let mut wait = timer_or_wait(Sort::RegisteredWait, callback, context, flags, at_once);
    let timeout = relative(milliseconds);
    if !flags.contains(WorkFlags::EXECUTEONLYONCE) {
        wait.wait = WaitPart {
            again: Some((handle, timeout)),
            ..WaitPart::default()
        };
    }
    let mut locked = Locked::new(kernel);
    let id = locked.add_object(wait)?;
    if let Err(status) = locked.arm_wait(id, handle, timeout) {
        drop(locked);
        retire(kernel, id);
        return Err(status);
    }
    Ok(id)
}

/// Ends a registered wait; `completion` as with [`delete_timer`].
///
/// # NT
/// `RtlDeregisterWaitEx`; without an event `RtlDeregisterWait`.
///
/// # Errors
/// `INVALID_HANDLE` if it is none.
pub fn deregister_wait<K: PoolKernel>(
    kernel: &K,
    wait: Id,
    completion: Handle,
) -> NtResult<NtStatus> {
    end(kernel, wait, Sort::RegisteredWait, completion)
}

/// Gives an object up; see [`delete_timer`].
fn end<K: PoolKernel>(kernel: &K, id: Id, sort: Sort, completion: Handle) -> NtResult<NtStatus> {
    let mut locked = Locked::new(kernel);
    locked
        .check(id, sort)
        .map_err(|_| NtStatus::INVALID_HANDLE)?;
    if let Some(object) = locked.objects.get_mut(id) {
        object.wait.again = None;
        if completion != MINUS_ONE {
            object.completion = completion;
        }
    }
    drop(locked);
    // It settles in a moment if nothing is pending, and is gone then.
    waits::disarm(kernel, id);
    retire(kernel, id);
    if completion == MINUS_ONE {
        wait_until_settled(kernel, id);
    }
    if Locked::new(kernel).objects.get(id).is_some() {
        Ok(NtStatus::PENDING)
    } else {
        Ok(NtStatus::SUCCESS)
    }
}

/// Makes a timer queue.
///
/// # NT
/// `RtlCreateTimerQueue`.
///
/// # Errors
/// `NO_MEMORY`.
pub fn create_timer_queue<K: PoolKernel>(kernel: &K) -> NtResult<Id> {
    let queue = Queue {
        timers: 0,
        deleted: false,
        completion: 0,
    };
    let mut locked = Locked::new(kernel);
    locked.queues.insert(queue).ok_or(NtStatus::NO_MEMORY)
}

/// Makes a timer that comes after `due` milliseconds and then every `period`; 0 for once. `None` for the process's own
/// queue.
///
/// # NT
/// `RtlCreateTimer`.
///
/// # Errors
/// `INVALID_HANDLE` if the queue is none; `NO_MEMORY`.
pub fn create_timer<K: PoolKernel>(
    kernel: &K,
    queue: Option<Id>,
    callback: TimerOrWaitCallback,
    context: usize,
    due: u32,
    period: u32,
    flags: WorkFlags,
) -> NtResult<Id> {
    let at_once = WorkFlags::EXECUTEINTIMERTHREAD;
    let mut timer = timer_or_wait(Sort::QueuedTimer, callback, context, flags, at_once);
    timer.queue = queue;
    let mut locked = Locked::new(kernel);
    if let Some(queue) = queue
        && locked.queues.get(queue).is_none_or(|queue| queue.deleted)
    {
        return Err(NtStatus::INVALID_HANDLE);
    }
    let id = locked.add_object(timer)?;
    if let Some(queue) = queue.and_then(|queue| locked.queues.get_mut(queue)) {
        queue.timers += 1;
    }
    let once = flags.contains(WorkFlags::EXECUTEONLYONCE);
    locked.set_queued(id, due, if once { 0 } else { period });
    Ok(id)
}

impl<K: PoolKernel> Locked<'_, K> {
    /// Sets a queue's timer, in milliseconds.
    fn set_queued(&mut self, id: Id, due: u32, period: u32) {
        let period = if period == INFINITE { 0 } else { period };
        match relative(due) {
            Some(due) => {
                let due = self.due(due);
                self.set(id, due, i64::from(period) * MILLISECOND, 0);
            }
            None => {
                self.disarm(id);
            }
        }
    }

    /// A queue has one timer fewer.
    pub(super) fn leave_queue(&mut self, id: Id) {
        let Some(queue) = self.queues.get_mut(id) else {
            return;
        };
        queue.timers -= 1;
        if queue.deleted && queue.timers == 0 {
            let completion = queue.completion;
            self.queues.remove(id);
            self.set_event(completion);
            self.wake_all(id.number(), Purpose::Object);
        }
    }
}

/// Sets a queue's timer anew. One that has come and has no period stays as it is.
///
/// # NT
/// `RtlUpdateTimer`.
///
/// # Errors
/// `INVALID_HANDLE` if it is none.
pub fn update_timer<K: PoolKernel>(kernel: &K, timer: Id, due: u32, period: u32) -> NtResult {
    let mut locked = Locked::new(kernel);
    let sort = locked.check(timer, Sort::QueuedTimer);
    sort.map_err(|_| NtStatus::INVALID_HANDLE)?;
    let waits = locked
        .objects
        .get(timer)
        .is_some_and(|object| object.timer.armed.is_some());
    if waits {
        locked.set_queued(timer, due, period);
    }
    Ok(())
}

/// Ends a queue's timer. Callbacks that were posted run.
///
/// `completion` is an event that is signalled when none is left; `-1` to wait for that; 0 for neither. Gives `SUCCESS` if
/// none is left, otherwise `PENDING`.
///
/// # NT
/// `RtlDeleteTimer`.
///
/// # Errors
/// `INVALID_HANDLE` if it is none.
pub fn delete_timer<K: PoolKernel>(
    kernel: &K,
    timer: Id,
    completion: Handle,
) -> NtResult<NtStatus> {
    end(kernel, timer, Sort::QueuedTimer, completion)
}

/// Ends a queue with all its timers; `completion` as with [`delete_timer`].
///
/// # NT
/// `RtlDeleteTimerQueueEx`; without an event `RtlDeleteTimerQueue`, which waits for none.
///
/// # Errors
/// `INVALID_HANDLE` if it is none; `NO_MEMORY`.
pub fn delete_timer_queue<K: PoolKernel>(
    kernel: &K,
    queue: Id,
    completion: Handle,
) -> NtResult<NtStatus> {
    let mut locked = Locked::new(kernel);
    let mut timers = Vec::new();
    let count = locked.objects.iter().count();
    timers.try_reserve(count).map_err(|_| NtStatus::NO_MEMORY)?;
    let own = |&(_, object): &(Id, &Object)| object.queue == Some(queue);
    timers.extend(locked.objects.iter().filter(own).map(|(id, _)| id));
    let Some(found) = locked.queues.get_mut(queue).filter(|queue| !queue.deleted) else {
        return Err(NtStatus::INVALID_HANDLE);
    };
    // One more, so that the last timer does not end it before all are told.
    found.timers += 1;
    found.deleted = true;
    if completion != MINUS_ONE {
        found.completion = completion;
    }
    drop(locked);
    for timer in timers {
        retire(kernel, timer);
    }
    Locked::new(kernel).leave_queue(queue);
    loop {
        let locked = Locked::new(kernel);
        if locked.queues.get(queue).is_none() {
            return Ok(NtStatus::SUCCESS);
        }
        if completion != MINUS_ONE {
            return Ok(NtStatus::PENDING);
        }
        locked.wait(queue.number(), Purpose::Object, Deadline::Never);
    }
}
