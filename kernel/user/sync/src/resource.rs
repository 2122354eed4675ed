//! Resources: the lock to share or to have alone of earlier Windows, which its owner may take again.
//!
//! A critical section protects the counts. Who has to wait enters the queue while it has that section, and leaves it then;
//! whoever frees the resource has the section too, so it finds all who wait, counts them in and wakes them. A thread that
//! was woken has the resource, and nobody passes it.
//!
//! Threads that share do not pass one that waits to have it alone; when that one frees it, those come first that wait to
//! share. So neither side starves. Who shares it and wants to share it once more may therefore wait for itself, which
//! Windows' own does not promise against either.

use c_interface::{Ptr, field};
use nt_abi::native::{RtlCriticalSection, RtlCriticalSectionDebug, RtlResource};
use nt_abi::synchronization::CriticalSectionFlags;
use nt_abi::{NtResult, NtStatus};

use crate::critical_section;
use crate::words::parking::Parking;
use crate::words::queue::{Key, Purpose, Wait, with_queue};

/// A resource whose section the caller has.
struct Locked<'a, P: Parking> {
    parking: &'a P,
    resource: Ptr<RtlResource>,
}

fn section(resource: Ptr<RtlResource>) -> Ptr<RtlCriticalSection> {
    field!(resource, RtlResource, critical_section)
}

impl<'a, P: Parking> Locked<'a, P> {
    fn new(parking: &'a P, resource: Ptr<RtlResource>) -> NtResult<Self> {
        critical_section::enter(parking, section(resource), || None, || ())?;
        Ok(Self { parking, resource })
    }

    /// How many share it; minus how often its owner has it.
    fn active(&self) -> i32 {
        field!(self.resource, RtlResource, number_of_active)
            .read()
            .cast_signed()
    }

    fn set_active(&self, count: i32) {
        field!(self.resource, RtlResource, number_of_active).write(count.cast_unsigned());
    }

    fn set_owner(&self, thread: usize) {
        field!(self.resource, RtlResource, exclusive_owner_thread)
            .write(Ptr::<u8>::new(thread).raw());
    }

    fn is_own(&self) -> bool {
        let owner = field!(self.resource, RtlResource, exclusive_owner_thread).read();
        self.active() < 0 && Ptr::<u8>::at(owner).address() == self.parking.thread_id()
    }

    /// How many wait.
    fn waiting(&self, purpose: Purpose) -> Ptr<u32> {
        if purpose == Purpose::ResourceShared {
            field!(self.resource, RtlResource, number_of_waiting_shared)
        } else {
            field!(self.resource, RtlResource, number_of_waiting_exclusive)
        }
    }

    fn key(&self, purpose: Purpose) -> Key {
        Key {
            address: self.resource.address(),
            purpose,
        }
    }

    /// Waits until somebody gives the resource to the caller, and notes it as the owner if it is to have it alone.
    fn wait(&self, purpose: Purpose) {
        let waiting = self.waiting(purpose);
        waiting.write(waiting.read() + 1);
        let leave = || {
            let _ = critical_section::leave(self.parking, section(self.resource));
        };
        let wait = Wait::new(self.key(purpose), self.parking.thread_id());
        // There is no time, and the check is the section.
        let _ = wait.park(self.parking, || true, leave, |_| ());
    }

    fn leave(self) {
        let _ = critical_section::leave(self.parking, section(self.resource));
    }

    /// Lets in all who wait to share it, beside `kept` who do already.
    fn give_to_sharers(&self, kept: i32) {
        let waiting = self.waiting(Purpose::ResourceShared);
        self.set_active(kept.saturating_add_unsigned(waiting.read()));
        waiting.write(0);
        with_queue(self.parking, self.key(Purpose::ResourceShared), |queue| {
            queue.wake_all(0);
        });
    }

    /// Gives it to the first who waits to have it alone; false if nobody does.
    fn give_to_one(&self) -> bool {
        let waiting = self.waiting(Purpose::ResourceAlone);
        let count = waiting.read();
        if count == 0 {
            return false;
        }
        waiting.write(count - 1);
        self.set_active(-1);
        with_queue(self.parking, self.key(Purpose::ResourceAlone), |queue| {
            if let Some(first) = queue.first() {
                self.set_owner(first.wish);
                queue.wake(first, 0);
            }
        });
        true
    }
}

/// Makes a resource that nobody has. `debug_info` is memory for debug information, which the caller gets back from
/// [`delete`].
///
/// # NT
/// `RtlInitializeResource`.
///
/// # Errors
/// None today; those of [`critical_section::initialize`].
pub fn initialize<P: Parking>(
    parking: &P,
    resource: Ptr<RtlResource>,
    debug_info: Option<Ptr<RtlCriticalSectionDebug>>,
) -> NtResult {
    resource.write(RtlResource {
        debug_info: debug_info.map_or(0, Ptr::raw),
        ..Default::default()
    });
    let flags = CriticalSectionFlags::RESOURCE_TYPE;
    critical_section::initialize(parking, section(resource), 0, flags, debug_info)
}

/// Ends it, and gives the debug information back.
///
/// # NT
/// `RtlDeleteResource`.
pub fn delete(resource: Ptr<RtlResource>) -> Option<Ptr<RtlCriticalSectionDebug>> {
    let info = critical_section::delete(section(resource));
    resource.write(RtlResource::default());
    info
}

/// Takes a share, or the owner's once more; false if the caller would have to wait and does not want to.
///
/// # NT
/// `RtlAcquireResourceShared`.
///
/// # Errors
/// `ACCESS_VIOLATION` for a resource of zeros.
pub fn acquire_shared<P: Parking>(
    parking: &P,
    resource: Ptr<RtlResource>,
    wait: bool,
) -> NtResult<bool> {
    let locked = Locked::new(parking, resource)?;
    let active = locked.active();
    if locked.is_own() {
        locked.set_active(active - 1);
    } else if active >= 0 && locked.waiting(Purpose::ResourceAlone).read() == 0 {
        locked.set_active(active + 1);
    } else if wait {
        locked.wait(Purpose::ResourceShared);
        return Ok(true);
    } else {
        locked.leave();
        return Ok(false);
    }
    locked.leave();
    Ok(true)
}

/// Takes it alone, perhaps once more; false if the caller would have to wait and does not want to.
///
/// # NT
/// `RtlAcquireResourceExclusive`.
///
/// # Errors
/// `ACCESS_VIOLATION` for a resource of zeros.
pub fn acquire_exclusive<P: Parking>(
    parking: &P,
    resource: Ptr<RtlResource>,
    wait: bool,
) -> NtResult<bool> {
    let locked = Locked::new(parking, resource)?;
    let active = locked.active();
    if locked.is_own() {
        locked.set_active(active - 1);
    } else if active == 0 {
        locked.set_active(-1);
        locked.set_owner(parking.thread_id());
    } else if wait {
        locked.wait(Purpose::ResourceAlone);
        return Ok(true);
    } else {
        locked.leave();
        return Ok(false);
    }
    locked.leave();
    Ok(true)
}

/// Frees it as often as once.
///
/// # NT
/// `RtlReleaseResource`.
///
/// # Errors
/// `RESOURCE_NOT_OWNED` if nobody has it; `ACCESS_VIOLATION` for a resource of zeros.
pub fn release<P: Parking>(parking: &P, resource: Ptr<RtlResource>) -> NtResult {
    let locked = Locked::new(parking, resource)?;
    let active = locked.active();
    let left = active - active.signum();
    locked.set_active(left);
    if active == 0 {
        locked.leave();
        return Err(NtStatus::RESOURCE_NOT_OWNED);
    }
    if left == 0 {
        locked.set_owner(0);
        let sharers_wait = locked.waiting(Purpose::ResourceShared).read() != 0;
        let theirs = active < 0 && sharers_wait;
        if theirs || (!locked.give_to_one() && sharers_wait) {
            locked.give_to_sharers(0);
        }
    }
    locked.leave();
    Ok(())
}

/// Makes what the caller has alone a share.
///
/// # NT
/// `RtlConvertExclusiveToShared`.
///
/// # Errors
/// `RESOURCE_NOT_OWNED` if the caller has not got it alone; `ACCESS_VIOLATION` for a resource of zeros.
pub fn convert_to_shared<P: Parking>(parking: &P, resource: Ptr<RtlResource>) -> NtResult {
    let locked = Locked::new(parking, resource)?;
    let own = locked.is_own();
    if own {
        locked.set_owner(0);
        locked.give_to_sharers(1);
    }
    locked.leave();
    if own {
        Ok(())
    } else {
        Err(NtStatus::RESOURCE_NOT_OWNED)
    }
}

/// Makes the caller's share the whole; others may have it alone before.
///
/// # NT
/// `RtlConvertSharedToExclusive`.
///
/// # Errors
/// `RESOURCE_NOT_OWNED` if nobody shares it; `ACCESS_VIOLATION` for a resource of zeros.
pub fn convert_to_exclusive<P: Parking>(parking: &P, resource: Ptr<RtlResource>) -> NtResult {
    let locked = Locked::new(parking, resource)?;
    match locked.active() {
        ..=0 => {
            locked.leave();
            return Err(NtStatus::RESOURCE_NOT_OWNED);
        }
        1 => {
            // Whoever waits to have it alone came first.
            if locked.give_to_one() {
                locked.wait(Purpose::ResourceAlone);
                return Ok(());
            }
            locked.set_active(-1);
            locked.set_owner(parking.thread_id());
        }
        active => {
            locked.set_active(active - 1);
            locked.wait(Purpose::ResourceAlone);
            return Ok(());
        }
    }
    locked.leave();
    Ok(())
}
