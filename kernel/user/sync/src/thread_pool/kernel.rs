//! What thread pools ask of the process that they are in.

use nt_abi::native::Handle;
use nt_abi::{NtResult, NtStatus};

use super::slab::Id;
use super::state::ThreadPools;
use crate::Parking;

/// What a thread of the pools is for. It is handed to [`PoolKernel::start_thread`] and comes back in
/// [`run`](super::run), which takes a number for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// To run a pool's callbacks.
    Worker(Id),
    /// To notice when timers are due.
    Timers,
    /// To wait for objects; several threads do, because each can wait for few.
    Waiter(usize),
}

impl Role {
    /// The role as a thread's parameter.
    pub const fn number(self) -> usize {
        match self {
            Self::Worker(pool) => pool.number(),
            Self::Timers => 0,
            // No pool's number is even.
            Self::Waiter(index) => (index + 1) << 1,
        }
    }

    /// The role of a thread's parameter.
    pub const fn of(number: usize) -> Self {
        match number {
            0 => Self::Timers,
            number if number & 1 == 0 => Self::Waiter((number >> 1) - 1),
            number => Self::Worker(Id::new(number)),
        }
    }
}

/// The process and the kernel below the thread pools.
pub trait PoolKernel: Parking {
    /// The pools of the process.
    fn pools(&self) -> &ThreadPools;

    /// Starts a thread that calls [`run`](super::run) with its role and ends when that returns. Sizes of its stack in
    /// bytes; 0 for those of the program's image.
    ///
    /// # Errors
    /// Whatever prevents it; the work waits for another thread then.
    fn start_thread(&self, role: Role, stack_reserve: usize, stack_commit: usize) -> NtResult;

    /// How long a worker above its pool's minimum waits for work before it ends, in units of 100 ns.
    fn idle_time(&self) -> i64 {
        20 * 10_000_000
    }

    /// The time of the calendar, in units of 100 ns since 1601-01-01 UTC.
    fn system_time(&self) -> i64;

    /// Makes an event that one wait takes (`NtCreateEvent`, synchronization).
    ///
    /// # Errors
    /// Those of the service.
    fn create_event(&self) -> NtResult<Handle>;

    /// Waits for any of up to 64 objects (`NtWaitForMultipleObjects`), until a time in NT's form.
    fn wait_for_any(&self, handles: &[Handle], timeout: Option<i64>) -> NtStatus;

    /// Signals an event.
    fn set_event(&self, event: Handle);

    /// Releases a semaphore so many times.
    fn release_semaphore(&self, semaphore: Handle, count: u32);

    /// Releases a mutant.
    fn release_mutant(&self, mutant: Handle);

    /// Keeps a module loaded once more.
    fn hold_module(&self, base: usize);

    /// Does not keep a module loaded any more (`LdrUnloadDll`).
    fn release_module(&self, base: usize);
}
