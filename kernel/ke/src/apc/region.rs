//! Regions in which a thread takes no kernel APCs.
//!
//! A region is a count of the thread's own, which nobody else writes: to enter and to leave is a few instructions. Who
//! queues an APC asks for its delivery by a bit of the processor that runs the thread; the delivery finds the
//! count and leaves the APC where it is, and whoever leaves the last region looks at the list. An APC that is queued
//! after that look has asked for its delivery after the count fell, so it is delivered by itself.

use core::marker::PhantomData;

use arch::contract::Irql;

use super::deliver;
use crate::dispatcher::Field;
use crate::irql;
use crate::thread;

/// Until this is dropped, no kernel APC but a special one runs in the calling thread, so it is not suspended either.
///
/// # NT
/// `KeEnterCriticalRegion`, `KeLeaveCriticalRegion`.
#[must_use = "the region is left when this is dropped"]
pub struct CriticalRegion {
    _of_this_thread: PhantomData<*const ()>,
}

/// Enters a critical region.
#[doc(alias = "KeEnterCriticalRegion")]
#[inline]
pub fn critical_region() -> CriticalRegion {
    let disabled = &thread::current().apc.disabled;
    disabled.set_by_owner(disabled.glance() + 1);
    CriticalRegion {
        _of_this_thread: PhantomData,
    }
}

impl Drop for CriticalRegion {
    #[inline]
    fn drop(&mut self) {
        leave(&thread::current().apc.disabled);
    }
}

/// Until this is dropped, no kernel APC at all runs in the calling thread.
///
/// # NT
/// `KeEnterGuardedRegion`, `KeLeaveGuardedRegion`.
#[must_use = "the region is left when this is dropped"]
pub struct GuardedRegion {
    _of_this_thread: PhantomData<*const ()>,
}

/// Enters a guarded region.
#[doc(alias = "KeEnterGuardedRegion")]
#[inline]
pub fn guarded_region() -> GuardedRegion {
    let disabled = &thread::current().apc.special_disabled;
    disabled.set_by_owner(disabled.glance() + 1);
    GuardedRegion {
        _of_this_thread: PhantomData,
    }
}

impl Drop for GuardedRegion {
    #[inline]
    fn drop(&mut self) {
        leave(&thread::current().apc.special_disabled);
    }
}

#[inline]
fn leave(count: &Field<u32>) {
    let left = count.glance() - 1;
    count.set_by_owner(left);
    if left == 0 && !thread::current().apc.kernel.glance_is_empty() {
        deliver_postponed();
    }
}

/// Whether the calling thread takes no kernel APC but special ones: it is in a region, or at Apc.
#[doc(alias = "KeAreApcsDisabled")]
pub fn are_apcs_disabled() -> bool {
    let apc = &thread::current().apc;
    apc.disabled.glance() > 0 || are_all_apcs_disabled()
}

/// Whether the calling thread takes no kernel APC at all.
#[doc(alias = "KeAreAllApcsDisabled")]
pub fn are_all_apcs_disabled() -> bool {
    thread::current().apc.special_disabled.glance() > 0 || irql::current() >= Irql::Apc
}

#[cold]
fn deliver_postponed() {
    if irql::current() < Irql::Apc {
        let _apc = irql::raise(Irql::Apc);
        deliver();
    }
}
