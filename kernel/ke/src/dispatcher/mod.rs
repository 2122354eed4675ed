//! The dispatcher database: who waits for what, who is ready to run where.
//!
//! One lock guards it all: every dispatcher object's state and waiters, every
//! thread's scheduling state, the ready queues of all processors, the timers. One
//! lock makes the rules of NT's waits simple to keep: that a wait for all objects
//! takes them in one step, that a signal and the wait that follows it are one
//! operation, that a thread is in exactly one state. It is held for short, bounded
//! stretches only (the longest: a wait for 64 objects, or the timers that fall due
//! in one tick, in portions).
//!
//! The lock is a spin lock of Dispatch level. Its guard, [`Database`], is also the
//! proof that it is held: what it guards is kept in [`Field`]s and
//! [`List`](list::List)s, whose methods ask for a guard.
//!
//! # NT
//! `KiDispatcherLock`, up to Windows Vista; later versions split it, which changes what scales and nothing that can be seen.

mod event;
mod field;
mod gate;
mod header;
pub(crate) mod list;
mod mutant;
mod queue;
mod semaphore;
mod timer;
mod wheel;

pub use event::{Event, EventKind};
pub(crate) use field::{Field, Word};
pub use gate::Gate;
pub use header::{Header, OBJECT_BYTES, WaitKind};
pub(crate) use header::{Kind, Owned, WaitBlock, satisfy_now, signalled, unwait};
pub(crate) use mutant::abandon_all;
pub use mutant::{Mutant, MutantState};
pub use queue::Queue;
pub(crate) use queue::{enter_again, leave, take_entry};
pub use semaphore::Semaphore;
pub(crate) use timer::WaitTimer;
pub use timer::{Due, TIMER_BYTES, Timer, TimerState};
pub use wheel::expirations as timer_expirations;
#[cfg(any(test, feature = "testing"))]
pub(crate) use wheel::forget;
pub(crate) use wheel::{clock_ticked, follow_system_time};

use core::cell::Cell;

use arch::Machine;
use arch::contract::{Interrupts, Irql, ProcessorNumber, ProcessorSet};
use nt_abi::NtStatus;

use crate::irql::{DispatchGuard, IrqlGuard};
use crate::spin_lock::Held;
use crate::thread::Thread;
use crate::{LockOrder, SpinLock};

static LOCK: SpinLock<()> = SpinLock::ordered((), LockOrder::DISPATCHER);

/// The right to the dispatcher database; the level is Dispatch meanwhile.
///
/// Processors for which a thread was chosen, or whose thread has an APC or is wanted otherwise, are interrupted when the
/// database is free again: they want it at once, and an interrupt takes a while to send. That they are told late is no
/// harm. What they are to look at was written before, under the lock; one that takes the lock in between finds it by
/// itself, and is then interrupted for nothing.
///
/// # NT
/// `KiLockDispatcherDatabase`; `KiExitDispatcher`, which readies and interrupts when the database is free.
pub struct Database {
    // Dropped in this order: the lock is free, the others are told, the level falls.
    held: Held<'static, ()>,
    to_ask: ToAsk,
    level: DispatchGuard,
}

/// Processors that are to be interrupted when this is dropped.
struct ToAsk(Cell<u64>);

impl Drop for ToAsk {
    #[inline]
    fn drop(&mut self) {
        let processors = self.0.get();
        if processors != 0 {
            Machine::send_ipi(ProcessorSet(processors));
        }
    }
}

/// Waits for the database.
#[inline]
pub fn lock() -> Database {
    let (held, level) = LOCK.acquire().into_parts();
    Database {
        held,
        to_ask: ToAsk(Cell::new(0)),
        level,
    }
}

impl Database {
    /// Frees the database and stays at Dispatch, for a thread switch.
    #[inline]
    pub(crate) fn release_keeping_level(self) -> IrqlGuard {
        let Self {
            held,
            to_ask,
            level,
        } = self;
        drop(held);
        drop(to_ask);
        level.into_guard()
    }

    /// Makes a processor, which is not this one, look what it is to do as soon as the database is free.
    pub(crate) fn ask_when_released(&self, target: ProcessorNumber) {
        let set = ProcessorSet(self.to_ask.0.get()).with(target);
        self.to_ask.0.set(set.0);
    }

    /// The level that falls when the guard is dropped is this one.
    pub(crate) fn level_before(&self) -> Irql {
        self.level.before()
    }
}

/// Ends a thread's wait with that status, without a boost.
pub(crate) fn unwait_of(database: &Database, thread: &'static Thread, status: NtStatus) {
    unwait(database, thread, status, 0);
}
