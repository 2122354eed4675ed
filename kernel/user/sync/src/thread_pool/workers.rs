//! Workers: who posts, who runs, how many there are.

use nt_abi::native::Handle;

use super::MINUS_ONE;
use super::kernel::{PoolKernel, Role};
use super::slab::Id;
use super::state::{Call, Callback, Locked, Sort};
use crate::critical_section;
use crate::words::parking::Deadline;
use crate::words::queue::{Outcome, Purpose};

/// `WAIT_TIMEOUT`, as a wait's callback gets it.
pub(super) const TIMED_OUT: u32 = 0x102;
/// `WAIT_OBJECT_0`.
pub(super) const SIGNALLED: u32 = 0;

/// After how long a pool that has work and takes none counts as stuck, in units of 100 ns: 100 ms.
const STUCK_TIME: i64 = 1_000_000;

/// A callback that is to run, with what it is called with.
pub(super) struct Running {
    instance: Id,
    object: Id,
    callback: Callback,
    context: usize,
    result: u32,
    finalization: c_interface::Function<fn(usize, usize)>,
}

impl<K: PoolKernel> Locked<'_, K> {
    /// Posts an object's callback. Gives it back if it is to run in the caller's thread.
    pub(super) fn post(&mut self, id: Id, result: u32) -> Option<Running> {
        let object = self.objects.get_mut(id)?;
        object.pending += 1;
        if result == SIGNALLED {
            object.signalled += 1;
        }
        if object.at_once {
            return self.begin(id);
        }
        let (pool_id, priority, first) = (object.pool, object.priority, object.pending == 1);
        let pool = self.pools.get_mut(pool_id)?;
        if first {
            pool.ready[priority].push_back(id);
        }
        self.provide(pool_id);
        None
    }

    /// Sees to it that somebody takes a pool's work.
    fn provide(&mut self, id: Id) {
        let processors = self.kernel.processors();
        let Some(pool) = self.pools.get_mut(id) else {
            return;
        };
        if pool.idle != 0 {
            // Who cannot be woken has its time behind it, and will look for work before it ends.
            if self.wake(id.number(), Purpose::Worker)
                && let Some(pool) = self.pools.get_mut(id)
            {
                pool.idle -= 1;
            }
        } else if pool.threads.saturating_sub(pool.long) < processors.max(pool.minimum) {
            self.add_worker(id);
        } else if pool.threads < pool.maximum {
            self.look_later();
        }
    }

    /// Starts a worker if the pool may have one more; says so.
    pub(super) fn add_worker(&mut self, id: Id) -> bool {
        let Some(pool) = self.pools.get_mut(id) else {
            return false;
        };
        if pool.threads >= pool.maximum {
            return false;
        }
        pool.threads += 1;
        let (reserve, commit) = (pool.stack_reserve, pool.stack_commit);
        self.start(Role::Worker(id), reserve, commit);
        true
    }

    /// Has the timers' thread look at stuck pools in a while.
    pub(super) fn look_later(&mut self) {
        if self.timers.looks_at == i64::MAX {
            self.timers.looks_at = self.now() + STUCK_TIME;
            self.timers_changed();
        }
    }

    /// Gives pools that have taken no work since the last look one more worker each.
    pub(super) fn look_at_pools(&mut self) {
        self.timers.looks_at = i64::MAX;
        let mut stuck = alloc::vec::Vec::new();
        let mut busy = false;
        for (id, pool) in self.pools.iter_mut() {
            if pool.has_work() && pool.threads < pool.maximum {
                busy = true;
                if pool.begun == pool.begun_then && stuck.try_reserve(1).is_ok() {
                    stuck.push(id);
                }
            }
            pool.begun_then = pool.begun;
        }
        for id in stuck {
            self.add_worker(id);
        }
        if busy {
            self.look_later();
        }
    }

    /// Takes the next callback of a pool.
    fn take(&mut self, id: Id) -> Option<Running> {
        let pool = self.pools.get_mut(id)?;
        let ready = pool.ready.iter_mut().find(|ready| !ready.is_empty())?;
        let object = ready.pop_front()?;
        let running = self.begin(object)?;
        let left = self.objects.get(object)?;
        if left.pending != 0 {
            let priority = left.priority;
            self.pools.get_mut(id)?.ready[priority].push_back(object);
        }
        Some(running)
    }

    /// Begins a callback that is pending.
    fn begin(&mut self, id: Id) -> Option<Running> {
        let object = self.objects.get_mut(id)?;
        object.pending -= 1;
        object.running += 1;
        let mut result = TIMED_OUT;
        if object.signalled != 0 {
            object.signalled -= 1;
            result = SIGNALLED;
        }
        let (pool, long, again) = (object.pool, object.long, object.wait.again);
        let mut running = Running {
            instance: Id::default(),
            object: id,
            callback: object.callback,
            context: object.context,
            result,
            finalization: object.finalization,
        };
        let call = Call {
            pool,
            object: Some(id),
            ..Call::default()
        };
        // Without memory for an instance the callback has none, and its functions do nothing.
        running.instance = self.calls.insert(call).unwrap_or_default();
        if let Some(pool) = self.pools.get_mut(pool) {
            pool.begun += 1;
        }
        if long {
            self.note_long(running.instance);
        }
        if let Some((handle, timeout)) = again {
            // Without a waiter it ends here.
            let _ = self.arm_wait(id, handle, timeout);
        }
        Some(running)
    }

    /// Notes that a call may take long; false if then nobody is left for the pool's work.
    pub(super) fn note_long(&mut self, instance: Id) -> bool {
        let Some(call) = self.calls.get_mut(instance) else {
            return false;
        };
        let id = call.pool;
        let first = !core::mem::replace(&mut call.long, true);
        let Some(pool) = self.pools.get_mut(id) else {
            return false;
        };
        if first {
            pool.long += 1;
        }
        pool.idle != 0 || self.add_worker(id)
    }

    /// Ends a call's part in its object.
    pub(super) fn disassociate(&mut self, instance: Id) {
        let call = self.calls.get_mut(instance);
        if let Some(object) = call.and_then(|call| call.object.take()) {
            self.ended(object);
        }
    }

    fn ended(&mut self, id: Id) {
        if let Some(object) = self.objects.get_mut(id) {
            object.running -= 1;
            self.settle(id);
        }
    }
}

impl Running {
    /// Calls it and does what it asked for. The lock is free, and somebody else's after this.
    pub(super) fn call<K: PoolKernel>(self, kernel: &K) {
        let instance = self.instance.number();
        let (context, object) = (self.context, self.object.number());
        match self.callback {
            Callback::Simple(function) => function.call(instance, context),
            Callback::Work(function) => function.call(instance, context, object),
            Callback::Wait(function) => function.call(instance, context, object, self.result),
            Callback::WorkItem(function) => {
                function.call(context);
            }
            Callback::TimerOrWait(function) => {
                function.call(context, u8::from(self.result == TIMED_OUT));
            }
        }
        let asked = {
            let mut locked = Locked::new(kernel);
            locked.calls.get_mut(self.instance).map(|call| {
                core::mem::replace(
                    call,
                    Call {
                        pool: call.pool,
                        object: call.object,
                        long: call.long,
                        ..Call::default()
                    },
                )
            })
        };
        if let Some(asked) = &asked {
            do_what_was_asked(kernel, asked);
        }
        if let Some(function) = self.finalization.non_null() {
            function.call(instance, context);
        }
        let mut locked = Locked::new(kernel);
        let object = match locked.calls.remove(self.instance) {
            Some(call) => {
                if call.long
                    && let Some(pool) = locked.pools.get_mut(call.pool)
                {
                    pool.long -= 1;
                }
                call.object
            }
            None => Some(self.object),
        };
        if let Some(object) = object {
            locked.ended(object);
        }
    }
}

/// What a callback asked for on its end, in the order of its documentation.
fn do_what_was_asked<K: PoolKernel>(kernel: &K, asked: &Call) {
    if let Some(section) = asked.section.non_null() {
        let _ = critical_section::leave(kernel, section);
    }
    let given = |handle: Handle| handle != 0 && handle != MINUS_ONE;
    if given(asked.mutant) {
        kernel.release_mutant(asked.mutant);
    }
    if let Some((semaphore, count)) = asked.semaphore {
        kernel.release_semaphore(semaphore, count);
    }
    if given(asked.event) {
        kernel.set_event(asked.event);
    }
    if asked.module != 0 {
        kernel.release_module(asked.module);
    }
}

/// A worker's life.
pub(super) fn run<K: PoolKernel>(kernel: &K, id: Id) {
    loop {
        let mut locked = Locked::new(kernel);
        if let Some(running) = locked.take(id) {
            drop(locked);
            running.call(kernel);
            continue;
        }
        let Some(pool) = locked.pools.get_mut(id) else {
            return;
        };
        if pool.threads > pool.maximum || (pool.released && pool.objects == 0) {
            locked.end_worker(id);
            return;
        }
        pool.idle += 1;
        let deadline = Deadline::of(kernel, Some(-kernel.idle_time()));
        if locked.wait(id.number(), Purpose::Worker, deadline) == Outcome::TimedOut {
            let mut locked = Locked::new(kernel);
            let Some(pool) = locked.pools.get_mut(id) else {
                return;
            };
            pool.idle -= 1;
            if pool.threads > pool.minimum && !pool.has_work() {
                locked.end_worker(id);
                return;
            }
        }
    }
}

impl<K: PoolKernel> Locked<'_, K> {
    pub(super) fn end_worker(&mut self, id: Id) {
        if let Some(pool) = self.pools.get_mut(id) {
            pool.threads -= 1;
        }
        self.settle_pool(id);
    }

    /// Has the idle workers look again, because the pool needs fewer; gives it up if it is done with.
    pub(super) fn settle_pool(&mut self, id: Id) {
        let Some(pool) = self.pools.get_mut(id) else {
            return;
        };
        let done = pool.released && pool.objects == 0;
        if done || pool.threads > pool.maximum {
            let threads = pool.threads;
            let woken = self.wake_all(id.number(), Purpose::Worker);
            if done && threads == 0 {
                self.pools.remove(id);
            } else if let Some(pool) = self.pools.get_mut(id) {
                pool.idle -= woken;
            }
        }
    }

    /// Sees whether an object that nothing is pending or running of is waited for or to go.
    pub(super) fn settle(&mut self, id: Id) {
        let Some(object) = self.objects.get_mut(id) else {
            return;
        };
        if !object.is_settled() {
            return;
        }
        let waited_for = core::mem::take(&mut object.waited_for);
        if object.released {
            self.give_up(id);
        }
        if waited_for {
            self.wake_all(id.number(), Purpose::Object);
        }
    }

    fn give_up(&mut self, id: Id) {
        let Some(object) = self.objects.remove(id) else {
            return;
        };
        self.set_event(object.completion);
        self.release_module(object.module);
        if let Some(pool) = self.pools.get_mut(object.pool) {
            pool.objects -= 1;
        }
        self.settle_pool(object.pool);
        if let Some(queue) = object.queue {
            self.leave_queue(queue);
        }
        debug_assert!(object.sort != Sort::Simple || object.timer.armed.is_none());
    }
}
