//! The objects whose callbacks run in pools.

use c_interface::{Function, Ptr};
use nt_abi::native::TpCallbackEnviron;
use nt_abi::synchronization::TpCallbackFlags;
use nt_abi::{NtResult, NtStatus};

use super::kernel::PoolKernel;
use super::slab::Id;
use super::state::{Callback, Locked, Object, PRIORITIES, Sort, TimerPart, WaitPart};
use super::workers::SIGNALLED;
use crate::words::parking::Deadline;
use crate::words::queue::Purpose;

/// `PTP_SIMPLE_CALLBACK`: gets its instance and the context.
pub type SimpleCallback = Function<fn(usize, usize)>;
/// `PTP_WORK_CALLBACK`: gets its instance, the context and the work.
pub type WorkCallback = Function<fn(usize, usize, usize)>;
/// `PTP_TIMER_CALLBACK`: gets its instance, the context and the timer.
pub type TimerCallback = Function<fn(usize, usize, usize)>;
/// `PTP_WAIT_CALLBACK`: gets its instance, the context, the wait, and how the wait ended: 0 or `WAIT_TIMEOUT`.
pub type WaitCallback = Function<fn(usize, usize, usize, u32)>;

/// `TP_CALLBACK_PRIORITY_NORMAL`.
const NORMAL: usize = 1;

/// Version 3 of an environment has priority and size.
const WITH_PRIORITY: u32 = 3;

impl<K: PoolKernel> Locked<'_, K> {
    /// Adds an object to its pool, as its environment says.
    pub(super) fn add_object(&mut self, object: Object) -> NtResult<Id> {
        let mut object = object;
        if object.pool == Id::default() {
            object.pool = self.default_pool()?;
        }
        if object
            .group
            .is_some_and(|group| self.groups.get(group).is_none())
        {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let (pool_id, priority, module) = (object.pool, object.priority, object.module);
        // Room for it in the queue, once for all: posting cannot fail.
        let pool = self.own_pool(pool_id)?;
        let wanted = pool.objects as usize + 1;
        let ready = &mut pool.ready[priority];
        ready
            .try_reserve(wanted.saturating_sub(ready.len()))
            .map_err(|_| NtStatus::NO_MEMORY)?;
        let id = self.objects.insert(object).ok_or(NtStatus::NO_MEMORY)?;
        self.own_pool(pool_id)?.objects += 1;
        if module != 0 {
            self.kernel.hold_module(module);
        }
        Ok(id)
    }
}

/// An object of a sort, in the process's own pool and of no group.
pub(super) fn object(sort: Sort, callback: Callback, context: usize) -> Object {
    Object {
        sort,
        pool: Id::default(),
        group: None,
        queue: None,
        priority: NORMAL,
        long: false,
        at_once: false,
        callback,
        context,
        on_cancel: Function::new(0),
        finalization: Function::new(0),
        module: 0,
        pending: 0,
        signalled: 0,
        running: 0,
        released: false,
        waited_for: false,
        completion: 0,
        timer: TimerPart::default(),
        wait: WaitPart::default(),
    }
}

/// An object as an environment says; null for the usual one.
fn object_in(
    environment: Ptr<TpCallbackEnviron>,
    sort: Sort,
    callback: Callback,
    context: usize,
) -> NtResult<Object> {
    let mut object = object(sort, callback, context);
    let Some(environment) = environment.non_null() else {
        return Ok(object);
    };
    // Version 1 ends behind the flags.
    let field = |at: Ptr<nt_abi::native::Pointer>| Ptr::<u8>::at(at.read()).address();
    macro_rules! address {
        ($name:ident) => {
            field(c_interface::field!(environment, TpCallbackEnviron, $name))
        };
    }
    let version = c_interface::field!(environment, TpCallbackEnviron, version).read();
    if version == WITH_PRIORITY {
        let priority = c_interface::field!(environment, TpCallbackEnviron, callback_priority);
        object.priority = usize::try_from(priority.read())
            .ok()
            .filter(|&priority| priority < PRIORITIES)
            .ok_or(NtStatus::INVALID_PARAMETER)?;
    } else if version != 1 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    object.pool = Id::new(address!(pool));
    object.group = Some(Id::new(address!(cleanup_group))).filter(|&group| group != Id::default());
    object.on_cancel = Function::new(address!(cleanup_group_cancel_callback));
    object.finalization = Function::new(address!(finalization_callback));
    object.module = address!(race_dll);
    let flags = c_interface::field!(environment, TpCallbackEnviron, flags).read();
    object.long = flags.contains(TpCallbackFlags::LONG_FUNCTION);
    Ok(object)
}

fn add<K: PoolKernel>(kernel: &K, object: NtResult<Object>) -> NtResult<Id> {
    Locked::new(kernel).add_object(object?)
}

/// Has a callback run once.
///
/// # NT
/// `TpSimpleTryPost`.
///
/// # Errors
/// `INVALID_PARAMETER` for an environment that is none; `NO_MEMORY`.
pub fn post_simple<K: PoolKernel>(
    kernel: &K,
    callback: SimpleCallback,
    context: usize,
    environment: Ptr<TpCallbackEnviron>,
) -> NtResult {
    let object = object_in(
        environment,
        Sort::Simple,
        Callback::Simple(callback),
        context,
    )?;
    post_once(kernel, object)
}

/// Adds an object that goes after its one callback, and posts that.
pub(super) fn post_once<K: PoolKernel>(kernel: &K, object: Object) -> NtResult {
    let mut locked = Locked::new(kernel);
    let id = locked.add_object(object)?;
    locked.post(id, SIGNALLED);
    if let Some(object) = locked.objects.get_mut(id) {
        object.released = true;
    }
    Ok(())
}

/// Makes a work object.
///
/// # NT
/// `TpAllocWork`.
///
/// # Errors
/// `INVALID_PARAMETER` for an environment that is none; `NO_MEMORY`.
pub fn alloc_work<K: PoolKernel>(
    kernel: &K,
    callback: WorkCallback,
    context: usize,
    environment: Ptr<TpCallbackEnviron>,
) -> NtResult<Id> {
    let callback = Callback::Work(callback);
    add(
        kernel,
        object_in(environment, Sort::Work, callback, context),
    )
}

/// Makes a timer that is not set.
///
/// # NT
/// `TpAllocTimer`.
///
/// # Errors
/// `INVALID_PARAMETER` for an environment that is none; `NO_MEMORY`.
pub fn alloc_timer<K: PoolKernel>(
    kernel: &K,
    callback: TimerCallback,
    context: usize,
    environment: Ptr<TpCallbackEnviron>,
) -> NtResult<Id> {
    let callback = Callback::Work(callback);
    add(
        kernel,
        object_in(environment, Sort::Timer, callback, context),
    )
}

/// Makes a wait for nothing yet.
///
/// # NT
/// `TpAllocWait`.
///
/// # Errors
/// `INVALID_PARAMETER` for an environment that is none; `NO_MEMORY`.
pub fn alloc_wait<K: PoolKernel>(
    kernel: &K,
    callback: WaitCallback,
    context: usize,
    environment: Ptr<TpCallbackEnviron>,
) -> NtResult<Id> {
    let callback = Callback::Wait(callback);
    add(
        kernel,
        object_in(environment, Sort::Wait, callback, context),
    )
}

/// Has a work object's callback run once more.
///
/// # NT
/// `TpPostWork`.
///
/// # Errors
/// `INVALID_PARAMETER` if it is no work object.
pub fn post_work<K: PoolKernel>(kernel: &K, work: Id) -> NtResult {
    let mut locked = Locked::new(kernel);
    locked.check(work, Sort::Work)?;
    locked.post(work, SIGNALLED);
    Ok(())
}

impl<K: PoolKernel> Locked<'_, K> {
    /// Takes back an object's callbacks that have not begun; says whether there were any.
    pub(super) fn cancel(&mut self, id: Id) -> bool {
        let Some(object) = self.objects.get_mut(id) else {
            return false;
        };
        object.signalled = 0;
        let any = core::mem::take(&mut object.pending) != 0;
        let (pool, priority) = (object.pool, object.priority);
        if any && let Some(pool) = self.pools.get_mut(pool) {
            pool.ready[priority].retain(|&ready| ready != id);
        }
        any
    }
}

/// Waits until none of an object's callbacks is pending or running. The lock is free afterwards.
pub(super) fn wait_until_settled<K: PoolKernel>(kernel: &K, id: Id) {
    loop {
        let mut locked = Locked::new(kernel);
        match locked.objects.get_mut(id) {
            Some(object) if !object.is_settled() => object.waited_for = true,
            _ => return,
        }
        locked.wait(id.number(), Purpose::Object, Deadline::Never);
    }
}

/// Waits for an object's callbacks, those that have not begun included unless they are cancelled. From a callback of the
/// object's own it waits for ever.
///
/// # NT
/// `TpWaitForWork`, `TpWaitForTimer`, `TpWaitForWait`. A timer that has not come and a wait that goes on are not waited
/// for.
///
/// # Errors
/// `INVALID_PARAMETER` if it is no such object.
pub fn wait_for_callbacks<K: PoolKernel>(kernel: &K, object: Id, cancel_pending: bool) -> NtResult {
    let mut locked = Locked::new(kernel);
    if locked.objects.get(object).is_none() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if cancel_pending && locked.cancel(object) {
        locked.settle(object);
    }
    drop(locked);
    wait_until_settled(kernel, object);
    Ok(())
}

/// Gives an object up: a timer does not come any more and a wait does not go on; callbacks that are pending run.
///
/// # NT
/// `TpReleaseWork`, `TpReleaseTimer`, `TpReleaseWait`.
///
/// # Errors
/// `INVALID_PARAMETER` if it is no such object.
pub fn release<K: PoolKernel>(kernel: &K, object: Id) -> NtResult {
    let locked = Locked::new(kernel);
    if !locked.objects.get(object).is_some_and(|object| {
        !object.released && matches!(object.sort, Sort::Work | Sort::Timer | Sort::Wait)
    }) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    drop(locked);
    retire(kernel, object);
    Ok(())
}

/// Gives an object up, whatever its sort.
pub(super) fn retire<K: PoolKernel>(kernel: &K, id: Id) {
    super::waits::disarm(kernel, id);
    let mut locked = Locked::new(kernel);
    locked.disarm(id);
    if let Some(object) = locked.objects.get_mut(id) {
        object.released = true;
        object.wait.again = None;
        locked.settle(id);
    }
}
