//! Processes, as the scheduler sees them: an address space, and what new threads begin with.
//!
//! # NT
//! `KPROCESS`; the executive's part of a process is `ps::Process`.

use core::sync::atomic::{AtomicU32, Ordering};

use arch::AtomicRef;
use arch::memory::SpaceId;
use nt_abi::NtResult;

use crate::arena::{Arena, Chunks, Slot, no_chunks};
use crate::dispatcher::list::List;
use crate::dispatcher::{self, Database, Field, Header, Kind, signalled};
use crate::irql;
use crate::processor;
use crate::schedule::quantum_of;
use crate::thread::{self, Siblings, Thread};

/// The base priority of ordinary processes.
pub const NORMAL_BASE_PRIORITY: u8 = 8;
/// Units of a short quantum: a clock tick at the default rate takes three. A foreground process gets two or three times that.
pub const SHORT_QUANTUM: u8 = 6;
/// Units of a long quantum, as servers have it.
pub const LONG_QUANTUM: u8 = 36;

/// A process. Its fields belong to the dispatcher's lock.
pub struct Process {
    number: u32,
    header: Header,
    /// The number of its address space; 0: it has none.
    space: Field<u16>,
    pub(crate) base_priority: Field<u8>,
    pub(crate) quantum: Field<i32>,
    pub(crate) affinity: Field<u64>,
    /// What new threads begin with.
    pub(crate) boosts_disabled: Field<bool>,
    next_ideal: Field<u32>,
    pub(crate) threads: List<Thread, Siblings>,
    /// What the clock charged to threads that have ended, in 100 ns.
    ended_kernel_time: Field<u64>,
    ended_user_time: Field<u64>,
    /// Its maker has let go of it.
    released: Field<bool>,
    /// The number by which the memory manager knows its address space.
    memory: AtomicU32,
    free: AtomicRef<Process>,
}

impl Slot for Process {
    fn make(number: u32) -> Self {
        Self {
            number,
            header: Header::new(Kind::Notification, 0, 0),
            space: Field::zero(),
            base_priority: Field::zero(),
            quantum: Field::zero(),
            affinity: Field::zero(),
            boosts_disabled: Field::zero(),
            next_ideal: Field::zero(),
            threads: List::new(),
            ended_kernel_time: Field::zero(),
            ended_user_time: Field::zero(),
            released: Field::zero(),
            memory: AtomicU32::new(u32::MAX),
            free: AtomicRef::none(),
        }
    }

    fn free_link(&self) -> &AtomicRef<Self> {
        &self.free
    }
}

/// Bytes of memory that the scheduler's part of a process takes.
pub const PROCESS_BYTES: usize = size_of::<Process>();

static PROCESSES: Arena<Process, 32, 2048> = Arena::new(&PROCESSES_CHUNKS);
static PROCESSES_CHUNKS: Chunks<Process, 2048> = no_chunks();
static SYSTEM: spin::Once<&'static Process> = spin::Once::new();

/// The maker's hold on a process: while it lives, the slot is this process's.
pub struct ProcessHandle {
    process: &'static Process,
}

impl core::ops::Deref for ProcessHandle {
    type Target = Process;

    fn deref(&self) -> &Process {
        self.process
    }
}

impl ProcessHandle {
    /// Makes a process without threads, on all processors.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "KeInitializeProcess")]
    pub fn create(space: Option<SpaceId>, base_priority: u8) -> NtResult<Self> {
        let process = PROCESSES.take()?;
        let database = dispatcher::lock();
        process.header.reset(&database, Kind::Notification, 0, 0);
        process.space.set(&database, space.map_or(0, |id| id.0));
        process.base_priority.set(&database, base_priority);
        process.quantum.set(&database, quantum_of(SHORT_QUANTUM));
        process.affinity.set(&database, processor::active().0);
        process.boosts_disabled.set(&database, false);
        process.next_ideal.set(&database, process.number);
        process.ended_kernel_time.set(&database, 0);
        process.ended_user_time.set(&database, 0);
        process.released.set(&database, false);
        Ok(Self { process })
    }

    /// The process.
    pub fn process(&self) -> &'static Process {
        self.process
    }
}

impl Drop for ProcessHandle {
    /// A thread may still be on its way out, on whose list it is: the last one gives the slot back then.
    fn drop(&mut self) {
        let database = dispatcher::lock();
        self.process.released.set(&database, true);
        if self.process.threads.is_empty(&database) {
            PROCESSES.give_back(self.process);
        }
    }
}

/// The process of the kernel's own threads.
#[doc(alias = "PsInitialSystemProcess")]
pub fn system() -> &'static Process {
    SYSTEM.call_once(|| {
        static PLACE: spin::Once<Process> = spin::Once::new();
        let process = PLACE.call_once(|| Process::make(u32::MAX));
        // Nobody knows it yet; the caller may hold the database.
        process.base_priority.set_by_owner(NORMAL_BASE_PRIORITY);
        process.quantum.set_by_owner(quantum_of(SHORT_QUANTUM));
        process.affinity.set_by_owner(u64::MAX);
        process
    })
}

/// Slots of processes that are in use, for tests of what is left behind.
pub fn in_use() -> usize {
    PROCESSES.used()
}

impl Process {
    /// Its number among the slots. Not a client id.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// What waits name it by; it is signalled when the process has ended.
    pub fn header(&'static self) -> &'static Header {
        &self.header
    }

    /// The number by which the memory manager knows its address space.
    pub fn memory(&self) -> u32 {
        self.memory.load(Ordering::Relaxed)
    }

    /// Sets it, before the process has threads.
    pub fn set_memory(&self, number: u32) {
        self.memory.store(number, Ordering::Relaxed);
    }

    /// Makes every thread end: see [`thread::make_end`](crate::thread::make_end).
    pub fn make_threads_end(&'static self, bit: u32) {
        let database = dispatcher::lock();
        let mut next = self.threads.first(&database);
        while let Some(thread) = next {
            next = self.threads.next(&database, thread);
            thread::make_end_locked(&database, thread, bit);
        }
    }

    /// What the clock charged to its threads, those that have ended as well: in the kernel and in user mode, in 100 ns.
    pub fn times(&'static self) -> (u64, u64) {
        let database = dispatcher::lock();
        let mut kernel = self.ended_kernel_time.get(&database);
        let mut user = self.ended_user_time.get(&database);
        let mut next = self.threads.first(&database);
        while let Some(thread) = next {
            next = self.threads.next(&database, thread);
            kernel += thread.kernel_time.get(&database);
            user += thread.user_time.get(&database);
        }
        (kernel, user)
    }

    /// A thread leaves it: what it used stays with the process.
    pub(crate) fn thread_leaves(&'static self, database: &Database, thread: &'static Thread) {
        self.threads.remove(database, thread);
        let kernel = self.ended_kernel_time.get(database) + thread.kernel_time.get(database);
        let user = self.ended_user_time.get(database) + thread.user_time.get(database);
        self.ended_kernel_time.set(database, kernel);
        self.ended_user_time.set(database, user);
        thread.process.set(None);
        if self.released.get(database) && self.threads.is_empty(database) {
            PROCESSES.give_back(self);
        }
    }

    /// Sets how long each of its threads, present and to come, runs before another one of its priority has its turn; in
    /// units of which a clock tick at the default rate takes three. What is left of a turn stays.
    #[doc(alias = "KeSetQuantumProcess")]
    pub fn set_quantum(&'static self, units: u8) {
        let database = dispatcher::lock();
        let quantum = quantum_of(units.max(1));
        self.quantum.set(&database, quantum);
        let mut next = self.threads.first(&database);
        while let Some(thread) = next {
            thread.quantum_reset.set(&database, quantum);
            next = self.threads.next(&database, thread);
        }
    }

    /// Says that the process has ended.
    #[doc(alias = "KeSetProcess")]
    pub fn set_ended(&'static self) {
        let database = dispatcher::lock();
        self.header.signal.set(&database, 1);
        signalled(&database, &self.header, 0);
    }

    /// Its address space; what the scheduler activates for its threads.
    pub(crate) fn space(&self) -> Option<SpaceId> {
        let id = self.space.glance();
        (id != 0).then_some(SpaceId(id))
    }

    /// The processor that the next thread prefers.
    pub(crate) fn next_ideal_processor(&self, database: &Database) -> u32 {
        let count = processor::active().count().max(1);
        let next = self.next_ideal.get(database) % count;
        self.next_ideal.set(database, next + 1);
        next
    }
}

/// Uses another process's address space until it is dropped. They nest; kernel APCs for the space that was left wait.
///
/// # NT
/// `KeStackAttachProcess`.
#[must_use = "the thread returns to its own address space when this is dropped"]
pub struct Attachment {
    before: Option<&'static Process>,
    _of_this_thread: core::marker::PhantomData<*const ()>,
}

/// Makes the calling thread use the address space of `process`.
///
/// # IRQL
/// Below Dispatch.
#[doc(alias = "KeStackAttachProcess")]
pub fn attach(process: &'static Process) -> Attachment {
    let _dispatch = irql::raise(arch::contract::Irql::Dispatch);
    let thread = thread::current();
    let before = thread.attached.replace(Some(process));
    arch::memory::activate(process.space());
    Attachment {
        before,
        _of_this_thread: core::marker::PhantomData,
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        let _dispatch = irql::raise(arch::contract::Irql::Dispatch);
        let thread = thread::current();
        thread.attached.set(self.before);
        arch::memory::activate(thread.space());
        // Kernel APCs for this space may have been waiting.
        processor::request_apc_here();
    }
}

impl Thread {
    /// The process whose address space it uses.
    pub(crate) fn space_owner(&self) -> Option<&'static Process> {
        self.attached.get().or_else(|| self.process.get())
    }

    /// The address space that it uses.
    pub(crate) fn space(&self) -> Option<SpaceId> {
        self.space_owner().and_then(Process::space)
    }
}
