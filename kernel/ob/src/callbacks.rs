//! Callbacks that watch handles being made, and may take rights away.
//!
//! For types that allow it (processes, threads, desktops): before a handle is made or duplicated, each registered
//! callback is asked, the highest altitude first, and may take away rights that were asked for; afterwards each is told,
//! the lowest first.
//!
//! The list is kept in order of altitude. A pass through it takes a reference to one registration at a time, so no lock
//! is held while a callback runs, and one that is unregistered meanwhile ends when nobody runs it any more, which
//! [`unregister`] waits for.
//!
//! # NT
//! `ObRegisterCallbacks`, `ObUnRegisterCallbacks`, `OB_PRE_OPERATION_INFORMATION`.

use core::cmp::Ordering;
use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::{Acquire, Release};

use alloc::vec::Vec;

use arch::counted::Counted;
use ke::SpinLock;
use ke::dispatcher::{Event, EventKind};
use ke::wait::{WaitOptions, wait_for_one};
use nt_abi::access::AccessMask;
use nt_abi::{NtResult, NtStatus};

use crate::grant::{NewHandle, OpenReason};
use crate::handle_table::HandleTable;
use crate::{AnyObject, ObjectType};

/// What callbacks are told of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// A handle is made (`OB_OPERATION_HANDLE_CREATE`).
    Create,
    /// A handle is duplicated (`OB_OPERATION_HANDLE_DUPLICATE`).
    Duplicate,
}

/// A handle that is about to be made.
pub struct PreOperation<'a> {
    /// What happens.
    pub operation: Operation,
    /// To what object.
    pub object: &'a AnyObject,
    /// Whether it is to be one of the kernel's.
    pub is_kernel_handle: bool,
    /// The process that a duplicate comes from.
    pub source_process: u32,
    /// The process whose handle it is to be.
    pub target_process: u32,
    /// The rights that it was to have before any callback.
    pub original: AccessMask,
    /// The rights that it is to have: a callback takes some away. What it adds is ignored.
    pub desired: AccessMask,
}

/// A handle that was made.
pub struct PostOperation<'a> {
    /// What happened.
    pub operation: Operation,
    /// To what object.
    pub object: &'a AnyObject,
    /// Whether it is one of the kernel's.
    pub is_kernel_handle: bool,
    /// The rights that it has.
    pub granted: AccessMask,
}

/// What a registration wants to hear of one type.
///
/// # NT
/// `OB_OPERATION_REGISTRATION`.
#[derive(Clone, Copy)]
pub struct TypeCallbacks {
    /// The type.
    pub kind: &'static ObjectType,
    /// Which operations.
    pub operations: &'static [Operation],
    /// What is called before.
    pub before: Option<fn(&mut PreOperation<'_>)>,
    /// What is called afterwards.
    pub after: Option<fn(&PostOperation<'_>)>,
}

/// What is registered.
///
/// # NT
/// `OB_CALLBACK_REGISTRATION`.
#[derive(Clone, Copy)]
pub struct Registration {
    /// A decimal number, with a fraction if need be.
    pub altitude: &'static str,
    /// By type.
    pub types: &'static [TypeCallbacks],
}

/// A registration that is in force.
struct Active {
    registration: Registration,
    /// Set when it ends.
    ended: Counted<(), Event>,
}

impl Drop for Active {
    fn drop(&mut self) {
        self.ended.set();
    }
}

type ActiveReference = Counted<(), Active>;

/// By descending altitude.
static ACTIVE: SpinLock<Vec<ActiveReference>> = SpinLock::new(Vec::new());
/// How many there are, written under the lock and read without it: mostly none, and then there is nothing to lock. Release
/// and acquire: who makes a handle after a registration, by whatever order the two have, sees that there is one.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// What [`register`] gives, for [`unregister`].
#[must_use = "a registration that cannot be named stays for good"]
pub struct Registered {
    altitude: &'static str,
    ended: Counted<(), Event>,
}

/// Puts callbacks into force.
///
/// # Errors
/// `INVALID_PARAMETER` if there are no types, a type has nothing to call or no operation, does not allow callbacks, or the
/// altitude is not a number; `FLT_INSTANCE_ALTITUDE_COLLISION` if another registration has the altitude;
/// `INSUFFICIENT_RESOURCES`.
#[doc(alias = "ObRegisterCallbacks")]
pub fn register(registration: Registration) -> NtResult<Registered> {
    let is_wrong = |of: &TypeCallbacks| {
        (of.before.is_none() && of.after.is_none())
            || of.operations.is_empty()
            || !of.kind.description().allows_callbacks
    };
    if registration.types.is_empty()
        || registration.types.iter().any(is_wrong)
        || !is_altitude(registration.altitude)
    {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let no_memory = NtStatus::INSUFFICIENT_RESOURCES;
    let event = Event::new(EventKind::Notification, false)?;
    let ended = Counted::new((), event).map_err(|_| no_memory)?;
    let active = Active {
        registration,
        ended: ended.clone(),
    };
    let active = Counted::new((), active).map_err(|_| no_memory)?;
    let mut list = ACTIVE.acquire();
    let place = list.iter().position(|other| {
        compare_altitudes(other.registration.altitude, registration.altitude) != Ordering::Greater
    });
    let place = place.unwrap_or(list.len());
    if let Some(other) = list.get(place)
        && compare_altitudes(other.registration.altitude, registration.altitude) == Ordering::Equal
    {
        drop(list);
        return Err(NtStatus::FLT_INSTANCE_ALTITUDE_COLLISION);
    }
    if list.try_reserve(1).is_err() {
        drop(list);
        return Err(no_memory);
    }
    list.insert(place, active);
    COUNT.store(list.len(), Release);
    Ok(Registered {
        altitude: registration.altitude,
        ended,
    })
}

/// Takes callbacks out of force, and waits until none of them runs.
///
/// # IRQL
/// Below Dispatch; not from one of the callbacks.
#[doc(alias = "ObUnRegisterCallbacks")]
pub fn unregister(registered: &Registered) {
    let removed = {
        let mut list = ACTIVE.acquire();
        let is_it = |active: &ActiveReference| active.registration.altitude == registered.altitude;
        let place = list.iter().position(is_it);
        let removed = place.map(|place| list.remove(place));
        COUNT.store(list.len(), Release);
        removed
    };
    drop(removed);
    wait_for_one(registered.ended.header(), &WaitOptions::kernel());
}

/// The registration with that number in the list.
fn active(number: usize) -> Option<ActiveReference> {
    if number >= COUNT.load(Acquire) {
        return None;
    }
    ACTIVE.acquire().get(number).cloned()
}

fn operation_of(reason: OpenReason) -> Operation {
    match reason {
        OpenReason::Create | OpenReason::Open => Operation::Create,
        OpenReason::Duplicate | OpenReason::Inherit => Operation::Duplicate,
    }
}

fn of_type<'a>(
    active: &'a ActiveReference,
    kind: &ObjectType,
    operation: Operation,
) -> impl Iterator<Item = &'a TypeCallbacks> {
    let types = active.registration.types.iter();
    types.filter(move |of| core::ptr::eq(of.kind, kind) && of.operations.contains(&operation))
}

/// Asks before a handle is made; gives the rights that are left.
pub(crate) fn before(table: &HandleTable, new: &NewHandle<'_>, granted: AccessMask) -> AccessMask {
    let operation = operation_of(new.reason);
    let kind = new.object.head().kind();
    let mut left = granted;
    let mut number = 0;
    while let Some(active) = active(number) {
        for of in of_type(&active, kind, operation) {
            let Some(before) = of.before else { continue };
            let mut about = PreOperation {
                operation,
                object: new.object,
                is_kernel_handle: table.is_kernel(),
                source_process: new.source_process,
                target_process: table.process(),
                original: granted,
                desired: left,
            };
            before(&mut about);
            left &= about.desired;
        }
        number += 1;
    }
    left
}

/// Tells that a handle was made.
pub(crate) fn after(table: &HandleTable, new: &NewHandle<'_>, granted: AccessMask) {
    let operation = operation_of(new.reason);
    let kind = new.object.head().kind();
    let mut number = COUNT.load(Acquire);
    while number > 0 {
        number -= 1;
        let Some(active) = active(number) else {
            continue;
        };
        for of in of_type(&active, kind, operation) {
            if let Some(after) = of.after {
                after(&PostOperation {
                    operation,
                    object: new.object,
                    is_kernel_handle: table.is_kernel(),
                    granted,
                });
            }
        }
    }
}

fn is_altitude(altitude: &str) -> bool {
    let (whole, fraction) = altitude.split_once('.').unwrap_or((altitude, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole) && is_digits(fraction)
}

/// Compares numbers of any length.
fn compare_altitudes(left: &str, right: &str) -> Ordering {
    let parts = |altitude| {
        let (whole, fraction) = str::split_once(altitude, '.').unwrap_or((altitude, ""));
        (
            whole.trim_start_matches('0'),
            fraction.trim_end_matches('0'),
        )
    };
    let (left_whole, left_fraction) = parts(left);
    let (right_whole, right_fraction) = parts(right);
    let by_length = left_whole.len().cmp(&right_whole.len());
    by_length
        .then_with(|| left_whole.cmp(right_whole))
        .then_with(|| left_fraction.cmp(right_fraction))
}
