//! System worker threads: work that somebody leaves to be done later, at Passive.
//!
//! Three queues, whose threads have three priorities. An item is done once for each time that it
//! is queued, in the order in which its queue got them; two items may be done at the same time. To queue
//! needs no memory, so it does not fail and is possible at Dispatch: an item lives for good, like a DPC.
//!
//! **Threads.** A queue lets as many threads work as there are processors ([`ke::dispatcher::Queue`]); one that blocks makes
//! room for another. If there is room and an item, and no thread that waits, the queue sets an
//! event, and the manager makes a thread, up to a maximum. A thread that has waited for work in vain for ten minutes
//! ends, down to a minimum. An item that comes as the last waiting thread ends sets the event like any other.
//!
//! # NT
//! `ExQueueWorkItem`; `ExpWorkerThread`, `ExpWorkerThreadBalanceManager`.

use core::sync::atomic::{AtomicU32, Ordering};

use arch::AtomicRef;
use ke::dispatcher::{Due, Event, EventKind, Queue};
use ke::thread::{ThreadHandle, ThreadStart};
use ke::wait::{WaitOptions, wait_for_one};
use ke::{LockOrder, SpinLock, process, schedule};
use nt_abi::{NtResult, NtStatus};

/// How soon work is wanted.
///
/// # NT
/// `WORK_QUEUE_TYPE`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WorkKind {
    /// By threads of priority 13.
    Critical,
    /// By threads of priority 12.
    Delayed,
    /// By threads of priority 15: what gives back resources that others wait for.
    Hypercritical,
}

const KINDS: [WorkKind; 3] = [
    WorkKind::Critical,
    WorkKind::Delayed,
    WorkKind::Hypercritical,
];

impl WorkKind {
    fn priority(self) -> u8 {
        match self {
            Self::Critical => 13,
            Self::Delayed => 12,
            Self::Hypercritical => 15,
        }
    }
}

/// What is done: at Passive, with the argument that the item was queued with.
pub type Routine = fn(argument: u64);

/// A piece of work.
///
/// # NT
/// `WORK_QUEUE_ITEM`.
pub struct WorkItem {
    next: AtomicRef<WorkItem>,
    /// What is to be done; none: it is in no queue. Touched under its queue's lock, or by the one who has it.
    work: spin::Mutex<Option<(Routine, u64)>>,
    /// It came from the store, and goes back there before its work is done.
    of_store: bool,
}

impl WorkItem {
    /// An item that is in no queue.
    #[doc(alias = "ExInitializeWorkItem")]
    #[expect(clippy::new_without_default, reason = "an item is a static, no value")]
    pub const fn new() -> Self {
        Self {
            next: AtomicRef::none(),
            work: spin::Mutex::new(None),
            of_store: false,
        }
    }
}

/// Items in order; the ends of a list through the items themselves.
struct Items {
    first: Option<&'static WorkItem>,
    last: Option<&'static WorkItem>,
}

impl Items {
    const fn new() -> Self {
        Self {
            first: None,
            last: None,
        }
    }

    fn push(&mut self, item: &'static WorkItem) {
        item.next.set(None);
        match self.last.replace(item) {
            Some(last) => last.next.set(Some(item)),
            None => self.first = Some(item),
        }
    }

    fn pop(&mut self) -> Option<&'static WorkItem> {
        let first = self.first?;
        self.first = first.next.replace(None);
        if self.first.is_none() {
            self.last = None;
        }
        Some(first)
    }
}

/// Items for who has none of his own.
static STORE: SpinLock<Items> = SpinLock::ordered(Items::new(), LockOrder::WORK_ITEMS);

fn take_from_store() -> NtResult<&'static WorkItem> {
    const MORE: usize = 32;
    let mut store = STORE.acquire();
    if let Some(item) = store.pop() {
        return Ok(item);
    }
    let mut more = alloc::vec::Vec::new();
    more.try_reserve_exact(MORE)
        .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    more.extend((0..MORE).map(|_| WorkItem {
        of_store: true,
        ..WorkItem::new()
    }));
    let more: &'static [WorkItem] = more.leak();
    more.iter().for_each(|item| store.push(item));
    store.pop().ok_or(NtStatus::INSUFFICIENT_RESOURCES)
}

/// How many threads a queue has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WorkerLimits {
    /// At least.
    pub minimum: u32,
    /// At most.
    pub maximum: u32,
    /// How long one that is not needed waits for work, in 100 ns.
    pub patience: u64,
}

impl WorkerLimits {
    /// What the system's workers have.
    pub const SYSTEM: Self = Self {
        minimum: 2,
        maximum: 64,
        patience: 600 * 10_000_000,
    };
}

struct WorkQueue {
    kind: WorkKind,
    queue: Queue,
    items: SpinLock<Items>,
    threads: AtomicU32,
}

/// Queues with their threads.
pub struct Workers {
    /// Its place among all there are, by which threads find it.
    number: u64,
    limits: WorkerLimits,
    queues: [WorkQueue; KINDS.len()],
    lacking: Event,
}

/// All workers; the system has one set of them, and each test its own.
static ALL: spin::RwLock<alloc::vec::Vec<&'static Workers>> =
    spin::RwLock::new(alloc::vec::Vec::new());

static SYSTEM: spin::Once<&'static Workers> = spin::Once::new();

/// Starts the system's workers. Once, when there are threads.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES`.
#[doc(alias = "ExpWorkerInitialization")]
pub fn start() -> NtResult {
    let workers = Workers::start(WorkerLimits::SYSTEM)?;
    SYSTEM.call_once(|| workers);
    Ok(())
}

/// Lets the system's workers do an item; false if it is in a queue already, or there are no workers yet.
///
/// # IRQL
/// At most Dispatch.
#[doc(alias = "ExQueueWorkItem")]
pub fn queue_item(
    item: &'static WorkItem,
    routine: Routine,
    argument: u64,
    kind: WorkKind,
) -> bool {
    SYSTEM
        .get()
        .is_some_and(|workers| workers.queue_item(item, routine, argument, kind))
}

/// Lets the system's workers call `routine(argument)`.
///
/// # IRQL
/// At most Dispatch.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES`; who cannot bear that has an item of his own ([`queue_item`]).
pub fn queue_work(routine: Routine, argument: u64, kind: WorkKind) -> NtResult {
    let workers = SYSTEM.get().ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
    workers.queue_work(routine, argument, kind)
}

/// How many threads a queue of the system's workers has at this moment.
pub fn threads(kind: WorkKind) -> u32 {
    SYSTEM.get().map_or(0, |workers| workers.threads(kind))
}

impl Workers {
    /// Makes queues, their threads and a manager, which live for good.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    pub fn start(limits: WorkerLimits) -> NtResult<&'static Self> {
        let make = |kind: WorkKind| -> NtResult<WorkQueue> {
            Ok(WorkQueue {
                kind,
                queue: Queue::new(0)?,
                items: SpinLock::ordered(Items::new(), LockOrder::WORK_ITEMS),
                threads: AtomicU32::new(0),
            })
        };
        let [critical, delayed, hypercritical] = KINDS;
        let queues = [make(critical)?, make(delayed)?, make(hypercritical)?];
        let workers = Self::enter(Self {
            number: 0,
            limits,
            queues,
            lacking: Event::new(EventKind::Synchronization, false)?,
        })?;
        for queue in &workers.queues {
            queue.queue.set_starved_event(&workers.lacking);
            for _ in 0..limits.minimum {
                workers.add_thread(queue)?;
            }
        }
        let manager = ThreadHandle::create(
            process::system(),
            ThreadStart::kernel(manage, workers.number),
        )?;
        schedule::set_base_priority(manager.thread(), schedule::LOWEST_REALTIME)?;
        manager.start();
        Ok(workers)
    }

    /// Gives it a number, and a place for good.
    fn enter(workers: Self) -> NtResult<&'static Self> {
        let no_memory = |_| NtStatus::INSUFFICIENT_RESOURCES;
        let mut place = alloc::vec::Vec::new();
        place.try_reserve_exact(1).map_err(no_memory)?;
        let mut all = ALL.write();
        all.try_reserve(1).map_err(no_memory)?;
        place.push(Self {
            number: all.len() as u64,
            ..workers
        });
        let place: &'static [Self] = place.leak();
        all.push(&place[0]);
        Ok(&place[0])
    }

    fn find(number: u64) -> Option<&'static Self> {
        let index = usize::try_from(number).ok()?;
        ALL.read().get(index).copied()
    }

    fn of(&self, kind: WorkKind) -> &WorkQueue {
        &self.queues[kind as usize]
    }

    /// Queues an item; false if it is in a queue already.
    ///
    /// # IRQL
    /// At most Dispatch.
    pub fn queue_item(
        &self,
        item: &'static WorkItem,
        routine: Routine,
        argument: u64,
        kind: WorkKind,
    ) -> bool {
        let queue = self.of(kind);
        {
            let mut items = queue.items.acquire();
            let mut work = item.work.lock();
            if work.is_some() {
                return false;
            }
            *work = Some((routine, argument));
            items.push(item);
        }
        queue.queue.insert();
        true
    }

    /// Calls `routine(argument)` in one of the threads.
    ///
    /// # IRQL
    /// At most Dispatch.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    pub fn queue_work(&self, routine: Routine, argument: u64, kind: WorkKind) -> NtResult {
        let item = take_from_store()?;
        let queued = self.queue_item(item, routine, argument, kind);
        debug_assert!(queued, "an item of the store is in no queue");
        Ok(())
    }

    /// How many threads a queue has at this moment.
    pub fn threads(&self, kind: WorkKind) -> u32 {
        self.of(kind).threads.load(Ordering::Relaxed)
    }

    fn add_thread(&self, queue: &WorkQueue) -> NtResult {
        let start = ThreadStart::kernel(work, self.number * KINDS.len() as u64 + queue.kind as u64);
        let thread = ThreadHandle::create(process::system(), start)?;
        schedule::set_base_priority(thread.thread(), queue.kind.priority())?;
        queue.threads.fetch_add(1, Ordering::Relaxed);
        thread.start();
        Ok(())
    }

    /// Makes a thread for each queue that has an item and room, and nobody to do it. Others come when that one blocks too.
    fn add_threads(&self) {
        for queue in &self.queues {
            let waits = queue.queue.entries() > 0 && queue.queue.has_room();
            if waits && queue.threads.load(Ordering::Relaxed) < self.limits.maximum {
                // Without memory there is another try in a second.
                let _ = self.add_thread(queue);
            }
        }
    }
}

impl WorkQueue {
    fn run(&self, limits: &WorkerLimits) {
        loop {
            let options = WaitOptions::kernel().until(Due::In(limits.patience));
            match self.queue.remove(&options) {
                Ok(()) => self.do_one(),
                Err(NtStatus::TIMEOUT) => {
                    if self.retire(limits.minimum) {
                        return;
                    }
                }
                Err(_) => {}
            }
        }
    }

    fn do_one(&self) {
        let taken = {
            let mut items = self.items.acquire();
            items
                .pop()
                .and_then(|item| item.work.lock().take().map(|work| (item, work)))
        };
        let Some((item, (routine, argument))) = taken else {
            return;
        };
        // From here on the item may be queued again.
        if item.of_store {
            STORE.acquire().push(item);
        }
        routine(argument);
        assert!(
            !ke::apc::are_apcs_disabled(),
            "a work item returned at a raised level or in a region"
        );
    }

    /// Whether the thread may end: there are more than are needed.
    fn retire(&self, minimum: u32) -> bool {
        self.threads
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |threads| {
                (threads > minimum).then(|| threads - 1)
            })
            .is_ok()
    }
}

fn work(argument: u64) {
    let kinds = KINDS.len() as u64;
    let workers = Workers::find(argument / kinds);
    let kind = usize::try_from(argument % kinds).unwrap_or(0);
    if let Some(workers) = workers {
        workers.queues[kind].run(&workers.limits);
    }
}

/// The manager: sees to the threads, and once a second to who starves.
///
/// # NT
/// The balance set manager does the latter.
fn manage(argument: u64) {
    const SECOND: u64 = 10_000_000;
    let Some(workers) = Workers::find(argument) else {
        return;
    };
    let mut next = ke::clock::interrupt_time() + SECOND;
    loop {
        let left = next.saturating_sub(ke::clock::interrupt_time());
        let options = WaitOptions::kernel().until(Due::In(left));
        if wait_for_one(workers.lacking.header(), &options) == NtStatus::TIMEOUT {
            next = ke::clock::interrupt_time() + SECOND;
            schedule::boost_starved();
            // Stacks of threads that have ended, which otherwise wait for the next thread to be made.
            ke::thread::reap();
        }
        workers.add_threads();
    }
}
