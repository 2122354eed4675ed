//! Thread pools: callbacks that run in threads of the process when they are posted, when a time has come, or when an object
//! is signalled.
//!
//! One state for all pools of a process ([`ThreadPools`]), under one slim lock. Nothing runs under that lock but changes of
//! the state; what is to be done besides (starting threads, setting events, unloading modules) is noted, and done when the
//! lock is free. Callbacks run without it.
//!
//! | threads | do |
//! |---|---|
//! | workers | run callbacks; each pool has its own |
//! | one for timers | posts what is due; looks now and then whether a pool is stuck |
//! | waiters | wait for up to 63 objects each, and for an event that says that there are others now |
//!
//! # How many workers
//! Work that finds no idle worker gets a new one while the pool has fewer that are not at something long than there are
//! processors. More would only take turns. But callbacks may wait for one another, so when a pool with work has taken none
//! for a tenth of a second, it gets one more, up to its maximum. Windows asks the kernel, which knows when a worker blocks;
//! ours has no worker factories.
//!
//! # Fairness
//! What is posted to one object several times runs in turn with what is posted to others.
//!
//! # Differs
//! - Objects' numbers are no addresses; see [`Id`].
//! - Activation contexts of an environment are not made current; impersonation is not transferred.
//! - A timer's absolute time becomes a time from now when it is set: later changes of the clock do not move it.
//! - There is no object for I/O completion.

mod callbacks;
mod groups;
mod kernel;
mod objects;
mod pools;
mod queues;
mod slab;
mod state;
mod timers;
mod waits;
mod workers;

pub use callbacks::{
    call_disassociate, call_leaves_critical_section, call_may_run_long, call_releases_mutant,
    call_releases_semaphore, call_sets_event, call_unloads_module,
};
pub use groups::{alloc_group, release_group, release_group_members};
pub use kernel::{PoolKernel, Role};
pub use objects::{
    SimpleCallback, TimerCallback, WaitCallback, WorkCallback, alloc_timer, alloc_wait, alloc_work,
    post_simple, post_work, release, wait_for_callbacks,
};
pub use pools::{
    alloc_pool, query_pool_stack, release_pool, set_pool_maximum, set_pool_minimum, set_pool_stack,
};
pub use queues::{
    TimerOrWaitCallback, WorkItemCallback, create_timer, create_timer_queue, delete_timer,
    delete_timer_queue, deregister_wait, queue_work_item, register_wait, update_timer,
};
pub use slab::Id;
pub use state::ThreadPools;
pub use timers::{is_timer_set, set_timer};
pub use waits::set_wait;

/// What a thread of the pools does until it ends; `role` is its parameter, [`Role::number`].
pub fn run<K: PoolKernel>(kernel: &K, role: usize) {
    match Role::of(role) {
        Role::Worker(pool) => workers::run(kernel, pool),
        Role::Timers => timers::run(kernel),
        Role::Waiter(index) => waits::run(kernel, index),
    }
}

/// `-1` as a handle: the process itself, which is never signalled while it can look; with the functions that end things,
/// that the caller wants to wait.
const MINUS_ONE: nt_abi::native::Handle = nt_abi::native::Handle::MAX;
