//! How a thread comes to be, and how its slot and stack become another one's.
//!
//! A thread that ends cannot give its own stack back. It goes on a list, and
//! whoever makes the next thread, or runs out of something to do, looks there
//! first: by then its processor has left the stack, which the floor vouches for.

use core::sync::atomic::{AtomicU32, Ordering};

use arch::contract::{Irql, Processor, ProcessorSet};
use arch::memory::KernelMapping;
use nt_abi::{NtResult, NtStatus};

use super::{Dead, Mode, State, THREADS, Thread};
use crate::dispatcher::list::List;
use crate::dispatcher::{self, Database, abandon_all, signalled};
use crate::process::Process;
use crate::{apc, irql, processor, schedule};

/// What a thread runs.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    routine: fn(argument: u64),
    argument: u64,
}

/// What a thread starts with.
#[derive(Clone, Copy)]
pub struct ThreadStart {
    entry: Entry,
    mode: Mode,
}

impl ThreadStart {
    /// A thread that stays in the kernel. It runs `routine`, at Passive; when that returns, the thread ends.
    pub const fn kernel(routine: fn(argument: u64), argument: u64) -> Self {
        Self {
            entry: Entry { routine, argument },
            mode: Mode::Kernel,
        }
    }

    /// The same for a thread that has a user mode too: whatever is done to its user registers before it gets there stays.
    pub const fn user(routine: fn(argument: u64), argument: u64) -> Self {
        Self {
            mode: Mode::User,
            ..Self::kernel(routine, argument)
        }
    }
}

/// Who makes stacks, and takes them back.
#[derive(Clone, Copy)]
pub struct StackSource {
    /// A stack.
    pub make: fn() -> NtResult<KernelMapping>,
    /// Takes one back, at Passive or Apc.
    pub take_back: fn(KernelMapping),
}

static STACKS: spin::Once<StackSource> = spin::Once::new();

/// Names who makes stacks. The first call counts.
pub fn set_stack_source(source: StackSource) {
    STACKS.call_once(|| source);
}

/// Threads that have ended and may have their stack still.
static DEAD: List<Thread, Dead> = List::new();
/// How many of them there are, about.
static DEAD_COUNT: AtomicU32 = AtomicU32::new(0);

/// Bits of `Thread::ended_and_released`.
const ENDED: u8 = 1;
const RELEASED: u8 = 2;

/// The maker's hold on a thread: while it lives, the slot is this thread's.
pub struct ThreadHandle {
    thread: &'static Thread,
}

impl core::ops::Deref for ThreadHandle {
    type Target = Thread;

    fn deref(&self) -> &Thread {
        self.thread
    }
}

impl ThreadHandle {
    /// Makes a thread of a process, which does not run yet; at the process's base priority, on any of its processors.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES` if there is no slot or no stack.
    #[doc(alias = "KeInitThread")]
    pub fn create(process: &'static Process, start: ThreadStart) -> NtResult<Self> {
        let stack = take_stack()?;
        let thread = match THREADS.take() {
            Ok(thread) => thread,
            Err(status) => {
                give_stack_back(stack);
                return Err(status);
            }
        };
        let prepared = match start.mode {
            Mode::Kernel => thread.context.prepare(stack, begin, thread.number),
            Mode::User => thread.context.prepare_user(stack, begin, thread.number),
        };
        if let Err((_, stack)) = prepared {
            // The slot of a thread that is still on its stack is never free, so this does not come; nothing is lost if it does.
            give_stack_back(stack);
            return Err(NtStatus::INSUFFICIENT_RESOURCES);
        }
        *thread.entry.lock() = Some(start.entry);
        let database = dispatcher::lock();
        thread.initialise(&database, process);
        Ok(Self { thread })
    }

    /// The thread.
    pub fn thread(&self) -> &'static Thread {
        self.thread
    }

    /// Lets it run.
    #[doc(alias = "KeStartThread")]
    pub fn start(&self) {
        let database = dispatcher::lock();
        if self.thread.state.get(&database) == State::Initialized {
            if let Some(process) = self.thread.process.get() {
                process.threads.push_back(&database, self.thread);
            }
            schedule::ready(&database, self.thread);
        }
    }
}

/// Starts a thread of the system process that nobody keeps hold of.
///
/// # Errors
/// As [`ThreadHandle::create`].
#[doc(alias = "PsCreateSystemThread")]
pub fn start_system_thread(routine: fn(argument: u64), argument: u64) -> NtResult {
    let start = ThreadStart::kernel(routine, argument);
    ThreadHandle::create(crate::process::system(), start)?.start();
    Ok(())
}

impl Drop for ThreadHandle {
    fn drop(&mut self) {
        let never_ran = {
            let database = dispatcher::lock();
            let thread = self.thread;
            let never_ran = thread.state.get(&database) == State::Initialized;
            let bits = thread.ended_and_released.get(&database) | RELEASED;
            thread.ended_and_released.set(&database, bits);
            if bits == ENDED | RELEASED {
                THREADS.give_back(thread);
            }
            never_ran
        };
        if never_ran {
            self.start_to_end();
        }
    }
}

impl ThreadHandle {
    /// A thread that was never started has a stack that only it can give up: it runs to its end at once.
    fn start_to_end(&self) {
        *self.thread.entry.lock() = None;
        let database = dispatcher::lock();
        // Nobody is left who could resume it.
        super::make_end_locked(&database, self.thread, 0);
        if let Some(process) = self.thread.process.get() {
            process.threads.push_back(&database, self.thread);
        }
        schedule::ready(&database, self.thread);
    }
}

impl Thread {
    /// Fills in what a new thread starts with.
    fn initialise(&'static self, database: &Database, process: &'static Process) {
        self.header
            .reset(database, dispatcher::Kind::Notification, 0, 0);
        self.resume_event
            .reset(database, dispatcher::Kind::Notification, 1, 0);
        self.process.set(Some(process));
        self.set_client_id(0, 0);
        self.attached.set(None);
        self.state.set(database, State::Initialized);
        let priority = process.base_priority.get(database);
        self.priority.set(database, priority);
        self.base_priority.set(database, priority);
        let boosts_disabled = process.boosts_disabled.get(database);
        self.boosts_disabled.set(database, boosts_disabled);
        self.saturation.set(database, 0);
        self.starvation_boost.set(database, 0);
        let quantum = process.quantum.get(database);
        self.quantum.set(database, quantum);
        self.quantum_reset.set(database, quantum);
        self.affinity.set(database, process.affinity.get(database));
        let ideal = process.next_ideal_processor(database);
        self.ideal_processor.set(database, ideal);
        self.processor.set(database, ideal);
        self.wait_count.set(database, 0);
        self.waits_for_queue.set(database, false);
        self.wait_timer.thread.set(Some(self));
        for block in &self.blocks {
            block.thread.set(Some(self));
        }
        self.queue.set(None);
        self.apc.reset(database);
        // What the slot's last thread had in its registers, and was wanted for, is no business of this one: its context was
        // prepared, which resets them.
        for alerted in &self.alerted {
            alerted.set(database, false);
        }
        self.alerted_by_id.set(database, false);
        self.waits_for_id_alert.set(database, false);
        self.alert_address.set(database, 0);
        self.suspend_count.set(database, 0);
        self.ends.set(database, false);
        self.kernel_time.set(database, 0);
        self.user_time.set(database, 0);
        self.context_switches.set(database, 0);
        self.ended_and_released.set(database, 0);
    }
}

/// The first thing that every thread does, on its own stack, at Dispatch.
fn begin(number: u32) -> ! {
    irql::lower_to(Irql::Passive);
    let entry = THREADS
        .get(number)
        .and_then(|thread| thread.entry.lock().take());
    if let Some(Entry { routine, argument }) = entry {
        routine(argument);
    }
    exit()
}

/// Ends the calling thread.
///
/// # IRQL
/// Passive.
#[doc(alias = "KeTerminateThread")]
fn exit() -> ! {
    crate::wait::assert_can_block();
    apc::run_down(super::current());
    let database = dispatcher::lock();
    let thread = super::current();
    abandon_all(&database, thread);
    dispatcher::leave(&database, thread);
    thread.queue.set(None);
    if let Some(process) = thread.process.get() {
        process.thread_leaves(&database, thread);
    }
    thread.state.set(&database, State::Terminated);
    thread.header.signal.set(&database, 1);
    signalled(&database, &thread.header, 0);
    DEAD.push_back(&database, thread);
    DEAD_COUNT.fetch_add(1, Ordering::Relaxed);
    schedule::leave_for_good(database)
}

/// Takes the stack of a thread that has ended and left it.
fn exit_dead() -> Option<KernelMapping> {
    if DEAD_COUNT.load(Ordering::Relaxed) == 0 {
        return None;
    }
    let database = dispatcher::lock();
    // Oldest first; the youngest may still be on its way out.
    let thread = DEAD.first(&database)?;
    if !thread.context.has_ended() {
        return None;
    }
    DEAD.remove(&database, thread);
    DEAD_COUNT.fetch_sub(1, Ordering::Relaxed);
    let stack = thread.context.retire();
    let bits = thread.ended_and_released.get(&database) | ENDED;
    thread.ended_and_released.set(&database, bits);
    if bits == ENDED | RELEASED {
        THREADS.give_back(thread);
    }
    stack
}

/// Forgets what an earlier test left.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn forget() {
    DEAD.forget();
    DEAD_COUNT.store(0, Ordering::Relaxed);
}

/// Gives back the stacks of all threads that have ended and left them.
///
/// # IRQL
/// Passive or Apc.
#[doc(alias = "PspReaper")]
pub fn reap() {
    while let Some(stack) = exit_dead() {
        give_stack_back(stack);
    }
}

fn take_stack() -> NtResult<KernelMapping> {
    if let Some(stack) = exit_dead() {
        return Ok(stack);
    }
    let source = STACKS.get().ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
    (source.make)()
}

fn give_stack_back(stack: KernelMapping) {
    // Without a source nobody could have made the stack.
    if let Some(source) = STACKS.get() {
        (source.take_back)(stack);
    }
}

/// Makes the code that runs here this processor's idle thread.
pub(crate) fn adopt_idle() -> NtResult {
    let thread = THREADS.take()?;
    thread
        .context
        .adopt(thread.number)
        .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    let me = processor::current();
    let here = arch::Machine::number();
    let database = dispatcher::lock();
    thread.initialise(&database, crate::process::system());
    thread.state.set(&database, State::Running);
    thread.priority.set(&database, 0);
    thread.base_priority.set(&database, 0);
    thread.processor.set(&database, here.0);
    thread.affinity.set(&database, ProcessorSet::only(here).0);
    me.idle_thread.set(Some(thread));
    me.running.set(Some(thread));
    schedule::note_idle(&database, here, true);
    Ok(())
}
