//! What a callback can ask for while it runs, by its instance. An instance that is not running any more is not looked at.

use c_interface::Ptr;
use nt_abi::native::{Handle, RtlCriticalSection};
use nt_abi::{NtResult, NtStatus};

use super::kernel::PoolKernel;
use super::slab::Id;
use super::state::{Call, Locked};

fn change<K: PoolKernel>(kernel: &K, instance: Id, change: impl FnOnce(&mut Call)) {
    if let Some(call) = Locked::new(kernel).calls.get_mut(instance) {
        change(call);
    }
}

/// Says that the callback may take long, so that its pool has another worker for its work.
///
/// # NT
/// `TpCallbackMayRunLong`.
///
/// # Errors
/// `TOO_MANY_THREADS` if the pool has no other worker and may have none.
pub fn call_may_run_long<K: PoolKernel>(kernel: &K, instance: Id) -> NtResult {
    if Locked::new(kernel).note_long(instance) {
        Ok(())
    } else {
        Err(NtStatus::TOO_MANY_THREADS)
    }
}

/// Has a critical section left when the callback has ended.
///
/// # NT
/// `TpCallbackLeaveCriticalSectionOnCompletion`.
pub fn call_leaves_critical_section<K: PoolKernel>(
    kernel: &K,
    instance: Id,
    section: Ptr<RtlCriticalSection>,
) {
    change(kernel, instance, |call| call.section = section);
}

/// Has a mutant released when the callback has ended.
///
/// # NT
/// `TpCallbackReleaseMutexOnCompletion`.
pub fn call_releases_mutant<K: PoolKernel>(kernel: &K, instance: Id, mutant: Handle) {
    change(kernel, instance, |call| call.mutant = mutant);
}

/// Has a semaphore released so many times when the callback has ended.
///
/// # NT
/// `TpCallbackReleaseSemaphoreOnCompletion`.
pub fn call_releases_semaphore<K: PoolKernel>(
    kernel: &K,
    instance: Id,
    semaphore: Handle,
    count: u32,
) {
    change(kernel, instance, |call| {
        call.semaphore = Some((semaphore, count))
    });
}

/// Has an event signalled when the callback has ended.
///
/// # NT
/// `TpCallbackSetEventOnCompletion`.
pub fn call_sets_event<K: PoolKernel>(kernel: &K, instance: Id, event: Handle) {
    change(kernel, instance, |call| call.event = event);
}

/// Has a module unloaded when the callback, which may be in it, has ended.
///
/// # NT
/// `TpCallbackUnloadDllOnCompletion`.
pub fn call_unloads_module<K: PoolKernel>(kernel: &K, instance: Id, base: usize) {
    change(kernel, instance, |call| call.module = base);
}

/// Says that nobody who waits for the object's callbacks waits for this one any more.
///
/// # NT
/// `TpDisassociateCallback`.
pub fn call_disassociate<K: PoolKernel>(kernel: &K, instance: Id) {
    Locked::new(kernel).disassociate(instance);
}
