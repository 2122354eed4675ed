//! Cleanup groups: objects that are given up together.

use alloc::vec::Vec;

use c_interface::Function;
use nt_abi::{NtResult, NtStatus};

use super::kernel::PoolKernel;
use super::objects::{retire, wait_until_settled};
use super::slab::Id;
use super::state::{Locked, Sort};
use super::waits;

/// Makes a group without members.
///
/// # NT
/// `TpAllocCleanupGroup`.
///
/// # Errors
/// `NO_MEMORY`.
pub fn alloc_group<K: PoolKernel>(kernel: &K) -> NtResult<Id> {
    let mut locked = Locked::new(kernel);
    locked.groups.insert(()).ok_or(NtStatus::NO_MEMORY)
}

/// Gives a group up. Members that it still has stay, and are nobody's.
///
/// # NT
/// `TpReleaseCleanupGroup`.
///
/// # Errors
/// `INVALID_PARAMETER` if it is none.
pub fn release_group<K: PoolKernel>(kernel: &K, group: Id) -> NtResult {
    let mut locked = Locked::new(kernel);
    locked
        .groups
        .remove(group)
        .ok_or(NtStatus::INVALID_PARAMETER)?;
    for (_, object) in locked.objects.iter_mut() {
        if object.group == Some(group) {
            object.group = None;
        }
    }
    Ok(())
}

/// What is called for an object that was cancelled.
struct Cancelled {
    callback: Function<fn(usize, usize)>,
    context: usize,
}

/// Gives all members of a group up and waits until none of their callbacks runs.
///
/// With `cancel_pending` callbacks that have not begun do not begin; for each member that was not given up by then, its
/// environment's cancel callback is called at the end, in the caller's thread, with `cleanup_context`. Of single callbacks
/// only those count that did not begin.
///
/// # NT
/// `TpReleaseCleanupGroupMembers`.
///
/// # Errors
/// `INVALID_PARAMETER` if it is no group; `NO_MEMORY`.
pub fn release_group_members<K: PoolKernel>(
    kernel: &K,
    group: Id,
    cancel_pending: bool,
    cleanup_context: usize,
) -> NtResult {
    let mut cancelled = Vec::new();
    let members = begin(kernel, group, cancel_pending, &mut cancelled)?;
    for &member in &members {
        waits::disarm(kernel, member);
    }
    for &member in &members {
        let mut locked = Locked::new(kernel);
        locked.disarm(member);
        // A timer or a wait may have posted until now.
        if cancel_pending && locked.cancel(member) {
            locked.settle(member);
        }
        drop(locked);
        wait_until_settled(kernel, member);
    }
    for &member in &members {
        let locked = Locked::new(kernel);
        let kept = locked.objects.get(member).filter(|object| !object.released);
        let told = kept.map(|object| Cancelled {
            callback: object.on_cancel,
            context: object.context,
        });
        drop(locked);
        if let Some(told) = told {
            retire(kernel, member);
            cancelled.push(told);
        }
    }
    if cancel_pending {
        for Cancelled { callback, context } in cancelled {
            if let Some(callback) = callback.non_null() {
                callback.call(context, cleanup_context);
            }
        }
    }
    Ok(())
}

/// The members of a group, which stop posting. Single callbacks that are cancelled are noted; they go at once.
fn begin<K: PoolKernel>(
    kernel: &K,
    group: Id,
    cancel_pending: bool,
    cancelled: &mut Vec<Cancelled>,
) -> NtResult<Vec<Id>> {
    let mut locked = Locked::new(kernel);
    locked
        .groups
        .get(group)
        .ok_or(NtStatus::INVALID_PARAMETER)?;
    let mut members = Vec::new();
    let count = locked.objects.iter().count();
    let no_memory = |_| NtStatus::NO_MEMORY;
    members.try_reserve(count).map_err(no_memory)?;
    cancelled.try_reserve(count).map_err(no_memory)?;
    for (id, object) in locked.objects.iter_mut() {
        if object.group == Some(group) {
            object.wait.again = None;
            members.push(id);
        }
    }
    for &member in &members {
        locked.disarm(member);
        if !cancel_pending || !locked.cancel(member) {
            continue;
        }
        if let Some(object) = locked.objects.get(member)
            && object.sort == Sort::Simple
        {
            cancelled.push(Cancelled {
                callback: object.on_cancel,
                context: object.context,
            });
        }
        locked.settle(member);
    }
    Ok(members)
}
