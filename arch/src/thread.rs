//! Threads of the kernel: stacks that take turns on the processors.
//!
//! A [`Context`] is a stack and what a thread needs besides to go on later. The
//! policy (who runs next) is `ke`'s, in safe Rust. What keeps that safe is here: a
//! context is in one of five states, and only the claim `Saved` to `Running`, a
//! compare-exchange, lets a processor go on with it. So whatever mistake the
//! scheduler makes, no stack is ever run by two processors, and no stack is taken
//! away that something still runs on.
//!
//! ```text
//!           prepare             switch to it
//!   Empty ----------> Saved <-----------------> Running
//!     ^                          switch away       |  leave
//!     +------------------------------------------ Ended
//!           retire (gives the stack back)
//! ```
//!
//! **Order.** A context that is switched away from becomes `Saved` (or `Ended`) only
//! after the processor has left its stack: the thread switched *to* says so, with
//! release. The claim is an acquire. So everything that the thread did, and every
//! register that was saved, happened before it goes on elsewhere. In between it is
//! still `Running`, and a processor that was told to run it waits: that wait is
//! bounded by the few instructions that the other processor needs with interrupts
//! disabled.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::Machine;
use crate::contract::{Processor, Threads, UserExit, UserState as _};
use crate::lock::FloorLock;
use crate::memory::KernelMapping;

/// A thread's user registers, on this machine.
pub type UserState = <Machine as Threads>::UserState;

const EMPTY: u32 = 0;
const SAVED: u32 = 1;
const RUNNING: u32 = 2;
const ENDED: u32 = 3;
/// Running for the last time: what `leave` sets, so that the one who arrives knows.
const LEAVING: u32 = 4;

/// A stack, and what its thread needs to go on later.
pub struct Context {
    state: AtomicU32,
    /// The number that the kernel above knows the thread by.
    thread: AtomicU32,
    /// Whether the thread has user registers to be kept.
    has_user_state: AtomicBool,
    stack_pointer: AtomicU64,
    start: FloorLock<Start>,
    user: UserState,
}

/// What a context starts with.
struct Start {
    /// The stack; `None` for the stack that a processor came up on, which is the floor's.
    stack: Option<KernelMapping>,
    routine: Option<fn(u32) -> !>,
}

/// Why a context did not become what it was to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContextError {
    /// It is in use: prepared, running, or not yet left.
    InUse,
    /// The stack is smaller than a page.
    StackTooSmall,
}

impl Context {
    /// A context without a stack.
    pub const fn new() -> Self {
        Self {
            state: AtomicU32::new(EMPTY),
            thread: AtomicU32::new(0),
            has_user_state: AtomicBool::new(false),
            stack_pointer: AtomicU64::new(0),
            start: FloorLock::new(Start {
                stack: None,
                routine: None,
            }),
            user: UserState::NEW,
        }
    }

    /// Gives it a stack: the first switch to it calls `routine(thread)` there, at the level of that switch and with
    /// interrupts enabled. `thread` is also what [`current_thread`] answers while it runs.
    /// The user registers become those of a thread that has run nothing.
    ///
    /// # Errors
    /// See [`ContextError`]; the stack is then given back.
    pub fn prepare(
        &'static self,
        stack: KernelMapping,
        routine: fn(u32) -> !,
        thread: u32,
    ) -> Result<(), (ContextError, KernelMapping)> {
        self.prepare_for(stack, routine, thread, false)
    }

    /// The same for a thread that is going to have a user mode: its user registers are kept from its first moment on, as if
    /// it had [become a user thread](Self::become_user_thread) before that. What sets them then is not lost.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare).
    pub fn prepare_user(
        &'static self,
        stack: KernelMapping,
        routine: fn(u32) -> !,
        thread: u32,
    ) -> Result<(), (ContextError, KernelMapping)> {
        self.prepare_for(stack, routine, thread, true)
    }

    fn prepare_for(
        &'static self,
        stack: KernelMapping,
        routine: fn(u32) -> !,
        thread: u32,
        has_user_state: bool,
    ) -> Result<(), (ContextError, KernelMapping)> {
        if stack.range().length() < crate::contract::PAGE_SIZE {
            return Err((ContextError::StackTooSmall, stack));
        }
        let mut start = self.start.acquire();
        // Relaxed: who prepares it owns it, by what the scheduler above keeps; that it is empty is only checked.
        if self.state.load(Ordering::Relaxed) != EMPTY {
            return Err((ContextError::InUse, stack));
        }
        let top = stack.range().end;
        start.stack = Some(stack);
        start.routine = Some(routine);
        self.thread.store(thread, Ordering::Relaxed);
        let argument = core::ptr::from_ref(self).addr() as u64;
        // SAFETY: the mapping is this context's alone from here to `retire`, and nothing runs on it yet.
        let stack_pointer = unsafe { Machine::prepare_stack(top, argument) };
        self.stack_pointer.store(stack_pointer, Ordering::Relaxed);
        self.has_user_state.store(has_user_state, Ordering::Relaxed);
        self.user.reset();
        // Release: pairs with the claim of who switches to it first.
        self.state.store(SAVED, Ordering::Release);
        Ok(())
    }

    /// Makes the code that runs here, on the stack that its processor came up on, this context's: the processor's idle thread.
    ///
    /// # Errors
    /// [`ContextError::InUse`].
    pub fn adopt(&'static self, thread: u32) -> Result<(), ContextError> {
        let enabled = Machine::disable_interrupts();
        let result = self
            .state
            .compare_exchange(EMPTY, RUNNING, Ordering::Acquire, Ordering::Relaxed)
            .map(|_| {
                self.thread.store(thread, Ordering::Relaxed);
                Machine::set_current_context(self);
            })
            .map_err(|_| ContextError::InUse);
        Machine::restore_interrupts(enabled);
        result
    }

    /// Takes the stack back when the thread has left it for good; `None` before.
    pub fn retire(&self) -> Option<KernelMapping> {
        let mut start = self.start.acquire();
        // Acquire: what ran on the stack happened before it gets another use.
        self.state
            .compare_exchange(ENDED, EMPTY, Ordering::Acquire, Ordering::Relaxed)
            .ok()?;
        start.stack.take()
    }

    /// Whether the thread has left its stack for good.
    pub fn has_ended(&self) -> bool {
        self.state.load(Ordering::Acquire) == ENDED
    }

    /// The thread's user registers.
    pub fn user(&self) -> &UserState {
        &self.user
    }

    /// From now on the thread's user registers are kept across switches, and it may [`run_user`](Self::run_user).
    ///
    /// For the thread that runs in this context, which was not [prepared](Self::prepare_user) as a user thread: an adopted one.
    pub fn become_user_thread(&'static self) {
        let enabled = Machine::disable_interrupts();
        self.assert_runs_here();
        self.has_user_state.store(true, Ordering::Relaxed);
        Machine::enter_user_state(&self.user);
        Machine::restore_interrupts(enabled);
    }

    /// Runs the thread's user mode until something is wanted of the kernel. Returns at once, with
    /// [`UserExit::Interrupted`], if the thread's attention is wanted already.
    ///
    /// Called with interrupts enabled at [`Irql::Passive`](crate::contract::Irql::Passive), by the thread that runs in this context.
    ///
    /// # Panics
    /// If another thread calls it, or one that is no user thread ([`prepare_user`](Self::prepare_user)).
    #[inline]
    pub fn run_user(&'static self) -> UserExit {
        Machine::disable_interrupts();
        // With interrupts off nobody can want the attention between this look and user mode: it is wanted by a thread
        // that this one is switched for, or from another processor, which interrupts this one afterwards.
        if self.user.attention().load(Ordering::Relaxed) != 0 {
            Machine::restore_interrupts(true);
            return UserExit::Interrupted;
        }
        self.assert_runs_here();
        assert!(
            self.has_user_state.load(Ordering::Relaxed),
            "a thread without user registers went to user mode"
        );
        // SAFETY: this thread runs here and has user state, so the last one entered on this processor is its own:
        // its first arrival, the last `switch` to it or `become_user_thread` did so.
        let exit = unsafe { Machine::run_user(&self.user) };
        // A way of its own for calls, so that the caller need not look in memory which kind it is.
        if let UserExit::SystemCall(number) = exit {
            Machine::begin_system_call();
            return UserExit::SystemCall(number);
        }
        Machine::restore_interrupts(true);
        exit
    }

    /// Whether the thread leaves its stack for good, so that the simulated machine takes the host's memory back.
    #[cfg(not(target_os = "none"))]
    pub(crate) fn is_leaving(&self) -> bool {
        self.state.load(Ordering::Relaxed) == LEAVING
    }

    /// The number that the kernel above knows the thread by.
    #[cfg(not(target_os = "none"))]
    pub(crate) fn thread_number(&self) -> u32 {
        self.thread.load(Ordering::Relaxed)
    }

    /// Makes the context as new, whatever it was, and gives the stack that it had: for a static one, which the machine of an
    /// earlier test used.
    #[cfg(not(target_os = "none"))]
    pub fn forget(&self) -> Option<KernelMapping> {
        let mut start = self.start.acquire();
        self.state.store(EMPTY, Ordering::Relaxed);
        self.has_user_state.store(false, Ordering::Relaxed);
        self.user.reset();
        start.stack.take()
    }

    #[inline]
    fn assert_runs_here(&self) {
        let runs_here = Machine::current_context().is_some_and(|own| core::ptr::eq(own, self));
        assert!(
            runs_here,
            "a context is used by a thread that is not its own"
        );
    }

    /// Waits until the context may be run, and makes it this processor's.
    fn claim(&self) {
        loop {
            match self.state.compare_exchange_weak(
                SAVED,
                RUNNING,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                // Still being left by another processor.
                Err(SAVED | RUNNING) => Machine::relax(),
                Err(_) => panic!("a context without a stack was switched to"),
            }
        }
    }
}

impl Default for Context {
    fn default() -> Self {
        Self::new()
    }
}

/// The number of the thread that runs here, as [`Context::prepare`] or [`Context::adopt`] was told; `None` before there are
/// threads. Two loads; right even if the thread is moved in between, because its context is its own wherever it runs.
#[inline]
pub fn current_thread() -> Option<u32> {
    Machine::current_context().map(|context| context.thread.load(Ordering::Relaxed))
}

/// Goes on with `to`, and returns when another thread switches back to `from`, perhaps on another processor.
///
/// Called at the level of the scheduler, [`Irql::Dispatch`](crate::contract::Irql::Dispatch) or above, so that nothing else
/// switches on this processor meanwhile; the level is the processor's, not the thread's, and stays what it is.
///
/// # Panics
/// If `from` is not what runs here, or `to` has no stack to go on with.
pub fn switch(from: &'static Context, to: &'static Context) {
    switch_with(from, to, RUNNING);
}

/// Goes on with `to`, and never comes back: `from` can be [retired](Context::retire) as soon as its stack is left.
///
/// # Panics
/// As [`switch`] does.
pub fn leave(from: &'static Context, to: &'static Context) -> ! {
    switch_with(from, to, LEAVING);
    unreachable!("a context that has ended was claimed")
}

fn switch_with(from: &'static Context, to: &'static Context, state: u32) {
    assert!(!core::ptr::eq(from, to), "a context was switched to itself");
    let enabled = Machine::disable_interrupts();
    from.assert_runs_here();
    to.claim();
    if from.has_user_state.load(Ordering::Relaxed) {
        Machine::leave_user_state(&from.user);
    }
    from.state.store(state, Ordering::Relaxed);
    Machine::set_current_context(to);
    let carried = core::ptr::from_ref(from).addr() as u64;
    let load = to.stack_pointer.load(Ordering::Relaxed);
    // SAFETY: `to` was claimed, so its stack pointer is that of its last switch or of `prepare`, and nobody else goes on
    // there until this processor says so; interrupts are disabled.
    let previous = unsafe { Machine::switch_stack(&from.stack_pointer, load, carried) };
    // SAFETY: what a switch carries is the address of the context that it left, which is a `&'static`.
    unsafe { arrived(previous) };
    if from.has_user_state.load(Ordering::Relaxed) {
        Machine::enter_user_state(&from.user);
    }
    Machine::restore_interrupts(enabled);
}

/// The stack of the context at `previous` is left: it may be claimed, or retired.
///
/// # Safety
/// `previous` is the address of a `&'static Context` that this processor has just switched away from.
unsafe fn arrived(previous: u64) {
    // SAFETY: the caller's promise.
    let previous = unsafe { &*(previous as *const Context) };
    let state = match previous.state.load(Ordering::Relaxed) {
        LEAVING => ENDED,
        _ => SAVED,
    };
    // Release: pairs with the acquire of `claim` or `retire`.
    previous.state.store(state, Ordering::Release);
}

/// Where a machine's first switch to a context ends up, on the new stack, with interrupts disabled.
///
/// # Safety
/// `previous` is what the switch carried, `own` the argument of `prepare_stack`.
pub(crate) unsafe extern "C-unwind" fn arrive(previous: u64, own: u64) -> ! {
    // SAFETY: the caller's promise.
    unsafe { arrived(previous) };
    // SAFETY: `prepare` passed the address of a `&'static Context`.
    let own = unsafe { &*(own as *const Context) };
    let routine = own.start.acquire().routine;
    if own.has_user_state.load(Ordering::Relaxed) {
        Machine::enter_user_state(&own.user);
    }
    Machine::restore_interrupts(true);
    match routine {
        Some(routine) => routine(own.thread.load(Ordering::Relaxed)),
        None => unreachable!("a context was prepared without a routine"),
    }
}
