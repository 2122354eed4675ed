//! Pools, cleanup groups, and the objects whose callbacks run in pools.

use c_interface::{Function, Ptr, exports};
use nt_abi::NtStatus;
use nt_abi::native::{Handle, RtlCriticalSection, TpCallbackEnviron, TpPoolStackInformation};
use sync::thread_pool::{self as pool, Id};

use super::{image_stack, made, well};
use crate::parking::Threads;

/// A callback of two arguments: its instance and its context.
type OfTwo = Function<fn(usize, usize)>;
/// A callback that gets its object besides.
type OfThree = Function<fn(usize, usize, usize)>;
/// A callback that gets an outcome besides.
type OfFour = Function<fn(usize, usize, usize, u32)>;

/// What flags of one byte and of four have alike: only the lowest byte is the caller's.
const fn is_set(flag: u32) -> bool {
    flag & 0xFF != 0
}

exports! {
    /// Makes a pool.
    fn TpAllocPool(into: Ptr<usize>, _reserved: Ptr<u8>) -> NtStatus {
        made(pool::alloc_pool(&Threads), into)
    }

    /// Gives a pool up; it goes with the last of its objects.
    fn TpReleasePool(id: usize) {
        well(pool::release_pool(&Threads, Id::new(id)));
    }

    /// Sets how many threads a pool has at most.
    fn TpSetPoolMaxThreads(id: usize, most: u32) {
        well(pool::set_pool_maximum(&Threads, Id::new(id), most));
    }

    /// Sets how many threads a pool has at least.
    fn TpSetPoolMinThreads(id: usize, least: u32) -> NtStatus {
        pool::set_pool_minimum(&Threads, Id::new(id), least).into()
    }

    /// Sets the stacks of threads that a pool starts from now on.
    fn TpSetPoolStackInformation(id: usize, stack: Ptr<TpPoolStackInformation>) -> NtStatus {
        pool::set_pool_stack(&Threads, Id::new(id), &stack.read()).into()
    }

    /// The stacks of a pool's threads.
    fn TpQueryPoolStackInformation(id: usize, stack: Ptr<TpPoolStackInformation>) -> NtStatus {
        match pool::query_pool_stack(&Threads, Id::new(id), image_stack()) {
            Ok(found) => {
                stack.write(found);
                NtStatus::SUCCESS
            }
            Err(status) => status,
        }
    }

    /// Makes a group of objects that are given up together.
    fn TpAllocCleanupGroup(into: Ptr<usize>) -> NtStatus {
        made(pool::alloc_group(&Threads), into)
    }

    /// Gives a group up.
    fn TpReleaseCleanupGroup(id: usize) {
        well(pool::release_group(&Threads, Id::new(id)));
    }

    /// Gives all members of a group up and waits for their callbacks; those that have not begun are cancelled if so asked.
    fn TpReleaseCleanupGroupMembers(id: usize, cancel: u32, context: usize) {
        well(pool::release_group_members(&Threads, Id::new(id), is_set(cancel), context));
    }

    /// Has a callback run once.
    fn TpSimpleTryPost(callback: OfTwo, context: usize, environment: Ptr<TpCallbackEnviron>) -> NtStatus {
        pool::post_simple(&Threads, callback, context, environment).into()
    }

    /// Makes work.
    fn TpAllocWork(into: Ptr<usize>, callback: OfThree, context: usize, environment: Ptr<TpCallbackEnviron>) -> NtStatus {
        made(pool::alloc_work(&Threads, callback, context, environment), into)
    }

    /// Has a work's callback run once more.
    fn TpPostWork(id: usize) {
        well(pool::post_work(&Threads, Id::new(id)));
    }

    /// Waits for a work's callbacks.
    fn TpWaitForWork(id: usize, cancel: u32) {
        well(pool::wait_for_callbacks(&Threads, Id::new(id), is_set(cancel)));
    }

    /// Gives work up.
    fn TpReleaseWork(id: usize) {
        well(pool::release(&Threads, Id::new(id)));
    }

    /// Makes a timer.
    fn TpAllocTimer(into: Ptr<usize>, callback: OfThree, context: usize, environment: Ptr<TpCallbackEnviron>) -> NtStatus {
        made(pool::alloc_timer(&Threads, callback, context, environment), into)
    }

    /// Sets a timer, or takes it back if no time is named. Period and window are in milliseconds.
    fn TpSetTimer(id: usize, due: Ptr<i64>, period: u32, window: u32) {
        well(pool::set_timer(&Threads, Id::new(id), due.read_optional(), period, window));
    }

    /// As `TpSetTimer`; not 0 if the timer was set before and had not come.
    fn TpSetTimerEx(id: usize, due: Ptr<i64>, period: u32, window: u32) -> u32 {
        well(pool::set_timer(&Threads, Id::new(id), due.read_optional(), period, window)).into()
    }

    /// Whether a timer is set.
    fn TpIsTimerSet(id: usize) -> u32 {
        pool::is_timer_set(&Threads, Id::new(id)).into()
    }

    /// Waits for a timer's callbacks.
    fn TpWaitForTimer(id: usize, cancel: u32) {
        well(pool::wait_for_callbacks(&Threads, Id::new(id), is_set(cancel)));
    }

    /// Gives a timer up.
    fn TpReleaseTimer(id: usize) {
        well(pool::release(&Threads, Id::new(id)));
    }

    /// Makes a wait.
    fn TpAllocWait(into: Ptr<usize>, callback: OfFour, context: usize, environment: Ptr<TpCallbackEnviron>) -> NtStatus {
        made(pool::alloc_wait(&Threads, callback, context, environment), into)
    }

    /// Has a wait wait for an object, or for none.
    fn TpSetWait(id: usize, object: Handle, timeout: Ptr<i64>) {
        well(pool::set_wait(&Threads, Id::new(id), object, timeout.read_optional()));
    }

    /// As `TpSetWait`; not 0 if it waited before and no callback runs for that.
    fn TpSetWaitEx(id: usize, object: Handle, timeout: Ptr<i64>, _reserved: Ptr<u8>) -> u32 {
        well(pool::set_wait(&Threads, Id::new(id), object, timeout.read_optional())).into()
    }

    /// Waits for a wait's callbacks.
    fn TpWaitForWait(id: usize, cancel: u32) {
        well(pool::wait_for_callbacks(&Threads, Id::new(id), is_set(cancel)));
    }

    /// Gives a wait up.
    fn TpReleaseWait(id: usize) {
        well(pool::release(&Threads, Id::new(id)));
    }

    /// Says that a callback may take long.
    fn TpCallbackMayRunLong(instance: usize) -> NtStatus {
        pool::call_may_run_long(&Threads, Id::new(instance)).into()
    }

    /// Has nobody wait for a callback any more.
    fn TpDisassociateCallback(instance: usize) {
        pool::call_disassociate(&Threads, Id::new(instance));
    }

    /// Has a critical section left when a callback has ended.
    fn TpCallbackLeaveCriticalSectionOnCompletion(instance: usize, section: Ptr<RtlCriticalSection>) {
        pool::call_leaves_critical_section(&Threads, Id::new(instance), section);
    }

    /// Has a mutant released when a callback has ended.
    fn TpCallbackReleaseMutexOnCompletion(instance: usize, mutant: Handle) {
        pool::call_releases_mutant(&Threads, Id::new(instance), mutant);
    }

    /// Has a semaphore released when a callback has ended.
    fn TpCallbackReleaseSemaphoreOnCompletion(instance: usize, semaphore: Handle, count: u32) {
        pool::call_releases_semaphore(&Threads, Id::new(instance), semaphore, count);
    }

    /// Has an event signalled when a callback has ended.
    fn TpCallbackSetEventOnCompletion(instance: usize, event: Handle) {
        pool::call_sets_event(&Threads, Id::new(instance), event);
    }

    /// Has a module unloaded when a callback has ended.
    fn TpCallbackUnloadDllOnCompletion(instance: usize, base: usize) {
        pool::call_unloads_module(&Threads, Id::new(instance), base);
    }
}
