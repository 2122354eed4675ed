//! What there is, and the lock that protects it.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use c_interface::{Function, Ptr};
use nt_abi::native::{Handle, RtlCriticalSection};
use spin::{Mutex, MutexGuard};

use super::kernel::{PoolKernel, Role};
use super::slab::{Id, Slab};
use crate::words::atomic::AtomicUsize;
use crate::words::lock;
use crate::words::parking::Deadline;
use crate::words::queue::{Key, Outcome, Purpose, Wait, with_queue};

/// The thread pools of a process, for a variable of the DLL.
///
/// The slim lock is what threads wait for. The mutex is there because a safe cell must have a lock of its own; whoever has
/// the slim lock finds it free.
pub struct ThreadPools {
    word: AtomicUsize,
    state: Mutex<State>,
}

impl Default for ThreadPools {
    fn default() -> Self {
        Self::new()
    }
}

impl ThreadPools {
    /// No pool yet.
    pub const fn new() -> Self {
        Self {
            word: AtomicUsize::new(0),
            state: Mutex::new(State {
                pools: Slab::new(1),
                objects: Slab::new(2),
                groups: Slab::new(3),
                calls: Slab::new(4),
                queues: Slab::new(5),
                default_pool: None,
                timers: Timers {
                    armed: BTreeMap::new(),
                    next: 0,
                    has_thread: false,
                    wakes_at: i64::MIN,
                    looks_at: i64::MAX,
                },
                waiters: Vec::new(),
            }),
        }
    }
}

pub(super) struct State {
    pub(super) pools: Slab<Pool>,
    pub(super) objects: Slab<Object>,
    pub(super) groups: Slab<()>,
    pub(super) calls: Slab<Call>,
    pub(super) queues: Slab<Queue>,
    pub(super) default_pool: Option<Id>,
    pub(super) timers: Timers,
    pub(super) waiters: Vec<Waiter>,
}

/// How many priorities there are; lower numbers come first.
pub(super) const PRIORITIES: usize = 3;

pub(super) struct Pool {
    pub(super) minimum: u32,
    pub(super) maximum: u32,
    /// Workers, those that are being started included.
    pub(super) threads: u32,
    /// Of them, those that wait for work and have not been woken.
    pub(super) idle: u32,
    /// Of them, those at something long.
    pub(super) long: u32,
    /// Objects with callbacks that have not begun, each once.
    pub(super) ready: [VecDeque<Id>; PRIORITIES],
    /// How many callbacks have begun, now and at the last look at stuck pools.
    pub(super) begun: u64,
    pub(super) begun_then: u64,
    /// How many objects are the pool's.
    pub(super) objects: u32,
    pub(super) released: bool,
    pub(super) stack_reserve: usize,
    pub(super) stack_commit: usize,
}

impl Pool {
    pub(super) fn has_work(&self) -> bool {
        self.ready.iter().any(|ready| !ready.is_empty())
    }
}

/// What an object calls.
#[derive(Clone, Copy)]
pub(super) enum Callback {
    Simple(Function<fn(usize, usize)>),
    /// Works, and timers, which look the same.
    Work(Function<fn(usize, usize, usize)>),
    Wait(Function<fn(usize, usize, usize, u32)>),
    WorkItem(Function<fn(usize) -> u32>),
    TimerOrWait(Function<fn(usize, u8)>),
}

/// What sort of object it is: what may be asked of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sort {
    /// A single callback that nobody has a number of.
    Simple,
    Work,
    Timer,
    Wait,
    QueuedTimer,
    RegisteredWait,
}

pub(super) struct Object {
    pub(super) sort: Sort,
    pub(super) pool: Id,
    pub(super) group: Option<Id>,
    pub(super) queue: Option<Id>,
    pub(super) priority: usize,
    pub(super) long: bool,
    /// Callbacks run in the thread that posts them.
    pub(super) at_once: bool,
    pub(super) callback: Callback,
    pub(super) context: usize,
    /// Called with the context and what whoever cancels gives.
    pub(super) on_cancel: Function<fn(usize, usize)>,
    /// Called after each callback, with its instance and the context.
    pub(super) finalization: Function<fn(usize, usize)>,
    pub(super) module: usize,
    /// Callbacks that have not begun; of a wait, those whose object was signalled.
    pub(super) pending: u32,
    pub(super) signalled: u32,
    /// Callbacks that have begun and not ended, but for those that want no more to do with the object.
    pub(super) running: u32,
    /// Its owner has given it up: it goes when nothing is pending or running.
    pub(super) released: bool,
    /// Somebody waits until nothing is pending or running.
    pub(super) waited_for: bool,
    /// Is signalled when it goes.
    pub(super) completion: Handle,
    pub(super) timer: TimerPart,
    pub(super) wait: WaitPart,
}

impl Object {
    pub(super) const fn is_settled(&self) -> bool {
        self.pending == 0 && self.running == 0
    }
}

#[derive(Clone, Copy, Default)]
pub(super) struct TimerPart {
    /// Whether a time was set and not taken back.
    pub(super) is_set: bool,
    /// Where it is among the armed ones.
    pub(super) armed: Option<(i64, u64)>,
    pub(super) due: i64,
    /// In units of 100 ns, as all times here; 0 for once.
    pub(super) period: i64,
    pub(super) window: i64,
}

#[derive(Clone, Copy, Default)]
pub(super) struct WaitPart {
    /// The waiter that it is at, and which of its entries it is.
    pub(super) entry: Option<(usize, u64)>,
    /// The last of its entries that a callback was posted for.
    pub(super) ended: Option<(usize, u64)>,
    /// It waits again after each callback, for this object and so long.
    pub(super) again: Option<(Handle, Option<i64>)>,
}

pub(super) struct Timers {
    /// By the time at which they must have been noticed.
    pub(super) armed: BTreeMap<(i64, u64), Id>,
    pub(super) next: u64,
    pub(super) has_thread: bool,
    /// When the thread wakes by itself; `i64::MIN` while it is awake.
    pub(super) wakes_at: i64,
    /// When to look for stuck pools.
    pub(super) looks_at: i64,
}

/// A thread that waits for objects.
pub(super) struct Waiter {
    /// Signalled when the entries have changed.
    pub(super) event: Handle,
    pub(super) has_thread: bool,
    /// The thread's id, once it runs.
    pub(super) thread: usize,
    pub(super) next: u64,
    pub(super) entries: Vec<Entry>,
}

/// An object that a waiter waits for.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) object: Id,
    pub(super) handle: Handle,
    /// `i64::MAX` for never.
    pub(super) due: i64,
    /// Nobody wants to know any more.
    pub(super) cancelled: bool,
}

/// A timer queue.
pub(super) struct Queue {
    pub(super) timers: u32,
    pub(super) deleted: bool,
    pub(super) completion: Handle,
}

/// A running callback: what its instance's number finds.
#[derive(Default)]
pub(super) struct Call {
    pub(super) pool: Id,
    /// `None` once it wants no more to do with its object.
    pub(super) object: Option<Id>,
    pub(super) long: bool,
    pub(super) section: Ptr<RtlCriticalSection>,
    pub(super) mutant: Handle,
    pub(super) semaphore: Option<(Handle, u32)>,
    pub(super) event: Handle,
    pub(super) module: usize,
}

/// What is to be done when the lock is free.
enum Errand {
    Start(Role, usize, usize),
    SetEvent(Handle),
    ReleaseModule(usize),
}

/// The state, locked. When it is given up, the lock is freed and the errands are run.
pub(super) struct Locked<'a, K: PoolKernel> {
    pub(super) kernel: &'a K,
    state: Option<MutexGuard<'a, State>>,
    errands: Vec<Errand>,
}

impl<'a, K: PoolKernel> Locked<'a, K> {
    /// # Panics
    /// If the mutex is held by somebody who has not got the slim lock: a defect.
    pub(super) fn new(kernel: &'a K) -> Self {
        let pools = kernel.pools();
        lock::acquire_alone(kernel, &pools.word);
        let state = pools.state.try_lock();
        Self {
            kernel,
            state: Some(state.expect("who has the slim lock finds the mutex free")),
            errands: Vec::new(),
        }
    }

    /// Notes an errand; without memory it is not run.
    fn errand(&mut self, errand: Errand) -> bool {
        let room = self.errands.try_reserve(1).is_ok();
        if room {
            self.errands.push(errand);
        }
        room
    }

    pub(super) fn start(&mut self, role: Role, stack_reserve: usize, stack_commit: usize) {
        if !self.errand(Errand::Start(role, stack_reserve, stack_commit)) {
            self.not_started(role);
        }
    }

    /// Notes that a thread is not there: the next one who wants it tries again.
    fn not_started(&mut self, role: Role) {
        match role {
            Role::Worker(pool) => {
                self.end_worker(pool);
                self.look_later();
            }
            Role::Timers => self.timers.has_thread = false,
            Role::Waiter(index) => {
                self.waiters[index].has_thread = false;
                self.wake_all(index, Purpose::Waiter);
            }
        }
    }

    pub(super) fn set_event(&mut self, event: Handle) {
        if event != 0 {
            self.errand(Errand::SetEvent(event));
        }
    }

    pub(super) fn release_module(&mut self, base: usize) {
        if base != 0 {
            self.errand(Errand::ReleaseModule(base));
        }
    }

    /// Now, in the time since the system started.
    pub(super) fn now(&self) -> i64 {
        self.kernel.interrupt_time()
    }

    /// Frees the lock and waits until somebody wakes the caller by a number, or until a time. Whoever wakes does so under
    /// the lock.
    pub(super) fn wait(self, by: usize, purpose: Purpose, deadline: Deadline) -> Outcome {
        let wait = Wait {
            deadline,
            ..Wait::new(
                Key {
                    address: by,
                    purpose,
                },
                0,
            )
        };
        let kernel = self.kernel;
        wait.park(kernel, || true, move || drop(self), |_| ())
    }

    /// Wakes one who waits by a number; false if nobody does.
    pub(super) fn wake(&self, by: usize, purpose: Purpose) -> bool {
        let key = Key {
            address: by,
            purpose,
        };
        with_queue(self.kernel, key, |queue| match queue.first() {
            Some(first) => {
                queue.wake(first, 0);
                true
            }
            None => false,
        })
    }

    /// Wakes all who wait by a number; says how many.
    pub(super) fn wake_all(&self, by: usize, purpose: Purpose) -> u32 {
        let mut woken = 0;
        while self.wake(by, purpose) {
            woken += 1;
        }
        woken
    }
}

impl<K: PoolKernel> core::ops::Deref for Locked<'_, K> {
    type Target = State;

    fn deref(&self) -> &State {
        self.state.as_ref().expect("held until it is dropped")
    }
}

impl<K: PoolKernel> core::ops::DerefMut for Locked<'_, K> {
    fn deref_mut(&mut self) -> &mut State {
        self.state.as_mut().expect("held until it is dropped")
    }
}

impl<K: PoolKernel> Drop for Locked<'_, K> {
    fn drop(&mut self) {
        self.state = None;
        // It is held, so nothing can be wrong.
        let _ = lock::release_alone(self.kernel, &self.kernel.pools().word);
        for errand in self.errands.drain(..) {
            match errand {
                Errand::SetEvent(event) => self.kernel.set_event(event),
                Errand::ReleaseModule(base) => self.kernel.release_module(base),
                Errand::Start(role, reserve, commit) => {
                    if self.kernel.start_thread(role, reserve, commit).is_err() {
                        Locked::new(self.kernel).not_started(role);
                    }
                }
            }
        }
    }
}
