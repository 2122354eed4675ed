//! Threads, as the scheduler and the waits see them.
//!
//! A [`Thread`] is a slot that lives for good and is used again (see [`crate::arena`]).
//! What runs in it is a [`Context`] of the floor. The slot is free for its next
//! user when two things have happened: the thread has left its stack for the last
//! time, and whoever made it has let go of its [`ThreadHandle`].
//!
//! # NT
//! `KTHREAD`; the executive's part of a thread is `ps::Thread`.

mod lifetime;
mod suspend;

use core::sync::atomic::{AtomicU32, Ordering};

use arch::AtomicRef;
use arch::thread::Context;
use nt_abi::NtStatus;

pub(crate) use lifetime::adopt_idle;
#[cfg(any(test, feature = "testing"))]
pub(crate) use lifetime::forget;
pub use lifetime::{
    StackSource, ThreadHandle, ThreadStart, reap, set_stack_source, start_system_thread,
};
pub(crate) use suspend::make_end_locked;
pub use suspend::{MAXIMUM_SUSPEND_COUNT, make_end, resume, suspend};

use crate::apc::ApcState;
use crate::arena::{Arena, Chunks, Slot, no_chunks};
use crate::dispatcher::list::{Linked, Links, List};
use crate::dispatcher::{
    Database, Field, Header, Kind, Owned, WaitBlock, WaitKind, WaitTimer, Word,
};
use crate::process::Process;

/// Objects that a thread can wait for without memory of its own for it.
const OWN_BLOCKS: usize = 4;

/// The most objects that a thread can wait for at once.
pub const MAXIMUM_WAIT_OBJECTS: usize = 64;

/// What a thread does.
///
/// # NT
/// `KTHREAD_STATE`, with its numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum State {
    /// Made, and not started.
    Initialized = 0,
    /// In a ready queue.
    Ready = 1,
    /// On a processor.
    Running = 2,
    /// Chosen as the next one of a processor.
    Standby = 3,
    /// Ended.
    Terminated = 4,
    /// Waiting.
    Waiting = 5,
}

impl Word for State {
    fn pack(self) -> u64 {
        self as u64
    }

    fn unpack(word: u64) -> Self {
        match word {
            1 => Self::Ready,
            2 => Self::Running,
            3 => Self::Standby,
            4 => Self::Terminated,
            5 => Self::Waiting,
            _ => Self::Initialized,
        }
    }
}

/// For whom a thread waits: kernel code, or user mode whose APCs and alerts may end the wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// `KernelMode`.
    Kernel,
    /// `UserMode`.
    User,
}

/// The list of a ready queue.
pub(crate) enum ReadyQueue {}
/// The list of threads that ended.
pub(crate) enum Dead {}
/// The list of a process's threads.
pub(crate) enum Siblings {}

/// A thread. Its fields belong to the dispatcher's lock unless they say otherwise.
pub struct Thread {
    number: u32,
    pub(crate) context: Context,
    pub(crate) header: Header,
    pub(crate) process: AtomicRef<Process>,
    /// The process whose address space it uses, if that is another one.
    pub(crate) attached: AtomicRef<Process>,

    pub(crate) state: Field<State>,
    pub(crate) priority: Field<u8>,
    pub(crate) base_priority: Field<u8>,
    /// Boosted above its base for a wait's end: the priority falls back with the quantum.
    pub(crate) boosts_disabled: Field<bool>,
    /// Its base is at the lower (-1) or upper (1) end of its process's class, whatever the process's base.
    pub(crate) saturation: Field<i32>,
    /// How much of its priority it has because it starved: it falls with the quantum.
    pub(crate) starvation_boost: Field<u8>,
    /// What is left of its turn, and what a turn is, in 100 ns.
    pub(crate) quantum: Field<i32>,
    pub(crate) quantum_reset: Field<i32>,
    pub(crate) affinity: Field<u64>,
    pub(crate) ideal_processor: Field<u32>,
    /// Where it runs, or ran last.
    pub(crate) processor: Field<u32>,
    /// When it became ready, as of the last tick.
    pub(crate) ready_since: Field<u64>,
    pub(crate) ready_links: Links<Thread>,

    pub(crate) wait_kind: Field<WaitKind>,
    pub(crate) wait_count: Field<u32>,
    pub(crate) wait_status: Field<u32>,
    pub(crate) wait_mode_user: Field<bool>,
    pub(crate) wait_alertable: Field<bool>,
    /// Whether kernel APCs may interrupt the wait: it was begun below Apc.
    pub(crate) wait_below_apc: Field<bool>,
    /// The reason that it gave for its wait (`KWAIT_REASON`).
    pub(crate) wait_reason: Field<u8>,
    /// The wait is one for its queue's entries.
    pub(crate) waits_for_queue: Field<bool>,
    pub(crate) wait_timer: WaitTimer,
    blocks: [WaitBlock; OWN_BLOCKS],
    more_blocks: spin::Once<&'static [WaitBlock]>,

    pub(crate) owned_mutants: List<Header, Owned>,
    pub(crate) queue: AtomicRef<Header>,
    pub(crate) apc: ApcState,
    pub(crate) alerted: [Field<bool>; 2],
    /// Somebody alerted it by its id, and it has not waited for that since.
    pub(crate) alerted_by_id: Field<bool>,
    /// The wait is one for such an alert.
    pub(crate) waits_for_id_alert: Field<bool>,
    /// What it said that it waits for; written by the thread alone.
    pub(crate) alert_address: Field<u64>,
    /// The numbers of process and thread that user mode knows it by; 0: none.
    client_id: [AtomicU32; 2],
    /// What a wait by key is for.
    pub(crate) wait_key: [Field<u64>; 3],
    pub(crate) suspend_count: Field<u32>,
    pub(crate) resume_event: Header,
    /// It was made to end, and is not suspended any more.
    pub(crate) ends: Field<bool>,

    /// What the clock charged to it, in 100 ns.
    pub(crate) kernel_time: Field<u64>,
    pub(crate) user_time: Field<u64>,
    pub(crate) context_switches: Field<u64>,

    /// Its maker has let go of it, and it has ended: bits of `lifetime`.
    pub(crate) ended_and_released: Field<u8>,
    pub(crate) entry: spin::Mutex<Option<lifetime::Entry>>,
    pub(crate) dead_links: Links<Thread>,
    pub(crate) sibling_links: Links<Thread>,
    free: AtomicRef<Thread>,
}

impl Linked<ReadyQueue> for Thread {
    fn links(&self) -> &Links<Self> {
        &self.ready_links
    }
}

impl Linked<Dead> for Thread {
    fn links(&self) -> &Links<Self> {
        &self.dead_links
    }
}

impl Linked<Siblings> for Thread {
    fn links(&self) -> &Links<Self> {
        &self.sibling_links
    }
}

impl Slot for Thread {
    fn make(number: u32) -> Self {
        Self {
            number,
            context: Context::new(),
            header: Header::new(Kind::Notification, 0, 0),
            process: AtomicRef::none(),
            attached: AtomicRef::none(),
            state: Field::zero(),
            priority: Field::zero(),
            base_priority: Field::zero(),
            boosts_disabled: Field::zero(),
            saturation: Field::zero(),
            starvation_boost: Field::zero(),
            quantum: Field::zero(),
            quantum_reset: Field::zero(),
            affinity: Field::zero(),
            ideal_processor: Field::zero(),
            processor: Field::zero(),
            ready_since: Field::zero(),
            ready_links: Links::new(),
            wait_kind: Field::zero(),
            wait_count: Field::zero(),
            wait_status: Field::zero(),
            wait_mode_user: Field::zero(),
            wait_alertable: Field::zero(),
            wait_below_apc: Field::zero(),
            wait_reason: Field::zero(),
            waits_for_queue: Field::zero(),
            wait_timer: WaitTimer::new(),
            blocks: [const { WaitBlock::new() }; OWN_BLOCKS],
            more_blocks: spin::Once::new(),
            owned_mutants: List::new(),
            queue: AtomicRef::none(),
            apc: ApcState::new(),
            alerted: [const { Field::zero() }; 2],
            alerted_by_id: Field::zero(),
            waits_for_id_alert: Field::zero(),
            alert_address: Field::zero(),
            client_id: [const { AtomicU32::new(0) }; 2],
            wait_key: [const { Field::zero() }; 3],
            suspend_count: Field::zero(),
            resume_event: Header::new(Kind::Notification, 0, 0),
            ends: Field::zero(),
            kernel_time: Field::zero(),
            user_time: Field::zero(),
            context_switches: Field::zero(),
            ended_and_released: Field::zero(),
            entry: spin::Mutex::new(None),
            dead_links: Links::new(),
            sibling_links: Links::new(),
            free: AtomicRef::none(),
        }
    }

    fn free_link(&self) -> &AtomicRef<Self> {
        &self.free
    }
}

/// Bytes of memory that the scheduler's part of a thread takes, without its stack.
pub const THREAD_BYTES: usize = size_of::<Thread>();

/// All threads, by number.
pub(crate) static THREADS: Arena<Thread, 32, 4096> = Arena::new(&THREADS_CHUNKS);
static THREADS_CHUNKS: Chunks<Thread, 4096> = no_chunks();

/// The calling thread.
///
/// # Panics
/// Before the processor's first thread, its idle thread, is there.
#[inline]
#[doc(alias = "KeGetCurrentThread")]
pub fn current() -> &'static Thread {
    match try_current() {
        Some(thread) => thread,
        None => panic!("this processor runs no thread yet"),
    }
}

/// The calling thread, once there are threads.
#[inline]
pub fn try_current() -> Option<&'static Thread> {
    arch::thread::current_thread().and_then(|number| THREADS.get(number))
}

/// Slots of threads that are in use, idle threads included, for tests of what is left behind.
pub fn in_use() -> usize {
    THREADS.used()
}

impl Thread {
    /// Its number among the slots. Not a client id.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The numbers of process and thread that user mode knows it by; zeroes for a thread of the kernel.
    pub fn client_id(&self) -> (u32, u32) {
        let [process, thread] = &self.client_id;
        (
            process.load(Ordering::Relaxed),
            thread.load(Ordering::Relaxed),
        )
    }

    /// Sets them, before the thread runs.
    pub fn set_client_id(&self, process: u32, thread: u32) {
        self.client_id[0].store(process, Ordering::Relaxed);
        self.client_id[1].store(thread, Ordering::Relaxed);
    }

    /// What waits name it by; it is signalled when the thread has ended.
    pub fn header(&'static self) -> &'static Header {
        &self.header
    }

    /// Its user registers.
    pub fn user(&self) -> &arch::thread::UserState {
        self.context.user()
    }

    /// The floor's part of it, to run user mode in.
    pub fn context(&'static self) -> &'static Context {
        &self.context
    }

    /// The process that it belongs to.
    pub fn process(&self) -> Option<&'static Process> {
        self.process.get()
    }

    /// The process whose address space it uses.
    pub fn effective_process(&self) -> Option<&'static Process> {
        self.attached.get().or_else(|| self.process.get())
    }

    /// Whether it has ended.
    #[doc(alias = "KeReadStateThread")]
    pub fn has_ended(&self) -> bool {
        self.header.signal.glance() > 0
    }

    /// What it does at this moment.
    pub fn state(&self) -> State {
        self.state.glance()
    }

    /// The priority that it has at this moment, with its boosts.
    pub fn priority(&self) -> u8 {
        self.priority.glance()
    }

    /// Times that a processor switched to it.
    pub fn context_switches(&self) -> u64 {
        self.context_switches.glance()
    }

    /// The time that it spent in kernel mode and in user mode, in 100 ns; each clock tick is charged whole.
    pub fn times(&self) -> (u64, u64) {
        (self.kernel_time.glance(), self.user_time.glance())
    }

    /// The reason that it gave for its last wait.
    pub fn wait_reason(&self) -> u8 {
        self.wait_reason.glance()
    }

    /// The blocks of the wait that it is in.
    pub(crate) fn active_blocks(
        &'static self,
        database: &Database,
    ) -> impl Iterator<Item = &'static WaitBlock> {
        let count = self.wait_count.get(database) as usize;
        let more = self.more_blocks.get().copied().unwrap_or(&[]);
        self.blocks.iter().chain(more).take(count)
    }

    /// Blocks for `count` objects, which were prepared if they are more than a few.
    pub(crate) fn blocks_for(
        &'static self,
        count: usize,
    ) -> impl Iterator<Item = &'static WaitBlock> {
        let more = self.more_blocks.get().copied().unwrap_or(&[]);
        self.blocks.iter().chain(more).take(count)
    }

    /// Sees to it that there are blocks for `count` objects. For the thread itself; the memory stays with the slot.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES` if memory for more than a few is wanted for the first time, and there is none.
    pub(crate) fn prepare_blocks(&'static self, count: usize) -> Result<(), NtStatus> {
        if count > OWN_BLOCKS && self.more_blocks.get().is_none() {
            let more = self.make_more_blocks()?;
            self.more_blocks.call_once(|| more);
        }
        Ok(())
    }

    fn make_more_blocks(&'static self) -> Result<&'static [WaitBlock], NtStatus> {
        const MORE: usize = MAXIMUM_WAIT_OBJECTS - OWN_BLOCKS;
        let mut blocks = alloc::vec::Vec::new();
        blocks
            .try_reserve_exact(MORE)
            .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        for _ in 0..MORE {
            let block = WaitBlock::new();
            block.thread.set(Some(self));
            blocks.push(block);
        }
        Ok(blocks.leak())
    }
}

/// If every object that a thread waits for is signalled, takes them all; gives the status of the wait then.
pub(crate) fn satisfy_all_blocks(database: &Database, thread: &'static Thread) -> Option<NtStatus> {
    let signalled = |block: &'static WaitBlock| {
        block
            .object
            .get()
            .is_some_and(|object| object.is_signalled_for(database, thread))
    };
    if !thread.active_blocks(database).all(signalled) {
        return None;
    }
    let mut abandoned = false;
    for block in thread.active_blocks(database) {
        if let Some(object) = block.object.get() {
            abandoned |= object.satisfy(database, thread);
        }
    }
    Some(if abandoned {
        NtStatus::ABANDONED_WAIT_0
    } else {
        NtStatus::WAIT_0
    })
}
