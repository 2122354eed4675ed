//! Keyed events: where threads of a process meet at an address.

use ::ex::KeyedEvent;
use ::ke::wait::WaitOptions;
use nt_abi::access::AccessMask;
use nt_abi::services::arguments::{
    AccessMask as Access, Boolean, Handle, In, ObjectAttributes, OptionalIn, Out, UserAddress,
};
use nt_abi::{NtResult, NtStatus};
use ob::{CreateParameters, Object};

use super::{create_object, open_object};
use crate::Caller;
use crate::caller::due;
use crate::capture::Pointer;
use crate::object_types::KeyedEventBody;

/// The system's own one, for those who have no memory to make one.
static SYSTEM: spin::Once<Object<KeyedEventBody>> = spin::Once::new();

/// Makes the system's own one. Once.
///
/// # NT
/// `\KernelObjects\CritSecOutOfMemoryEvent`.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES`.
pub(crate) fn make_system_keyed_event() -> NtResult {
    let name = rtl::Utf16String::try_from_str(r"\KernelObjects\CritSecOutOfMemoryEvent")?;
    let parameters = CreateParameters {
        name: Some(name.as_str()),
        attributes: nt_abi::primitives::ObjectAttributeFlags::PERMANENT
            | nt_abi::primitives::ObjectAttributeFlags::CASE_INSENSITIVE,
        ..CreateParameters::KERNEL
    };
    let event = ob::create(KeyedEventBody(KeyedEvent::new()), &parameters)?.into_object();
    SYSTEM.call_once(|| event);
    Ok(())
}

pub(crate) fn nt_create_keyed_event(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: OptionalIn<ObjectAttributes>,
    flags: u32,
) -> NtResult<NtStatus> {
    if flags != 0 {
        return Err(NtStatus::INVALID_PARAMETER_4);
    }
    create_object(caller, handle, access, attributes.address(), || {
        Ok(KeyedEventBody(KeyedEvent::new()))
    })
}

pub(crate) fn nt_open_keyed_event(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: In<ObjectAttributes>,
) -> NtResult {
    open_object::<KeyedEventBody>(caller, handle, access, attributes)
}

/// The keyed event that is meant: without a handle the system's own one.
fn meant(
    caller: &Caller<'_>,
    handle: Handle,
    access: AccessMask,
) -> NtResult<Object<KeyedEventBody>> {
    if handle.is_null() {
        return SYSTEM.get().cloned().ok_or(NtStatus::INVALID_HANDLE);
    }
    caller.reference(handle, access)
}

/// What both sides of a meeting do: `meet` waits for the other one.
fn meet(
    caller: &Caller<'_>,
    (keyed_event, access): (Handle, AccessMask),
    key: UserAddress,
    alertable: Boolean,
    timeout: OptionalIn<i64>,
    meet: fn(&KeyedEvent, u32, u64, &WaitOptions) -> NtStatus,
) -> NtResult<NtStatus> {
    if key.0 & 1 != 0 {
        return Err(NtStatus::INVALID_PARAMETER_1);
    }
    let timeout = due(timeout.read_optional()?);
    let event = meant(caller, keyed_event, access)?;
    let options = WaitOptions::user(alertable.is_true(), timeout);
    Ok(meet(&event.0, caller.process().id(), key.0, &options))
}

pub(crate) fn nt_wait_for_keyed_event(
    caller: &Caller<'_>,
    keyed_event: Handle,
    key: UserAddress,
    alertable: Boolean,
    timeout: OptionalIn<i64>,
) -> NtResult<NtStatus> {
    let meant = (keyed_event, AccessMask::KEYEDEVENT_WAIT);
    meet(caller, meant, key, alertable, timeout, KeyedEvent::wait)
}

pub(crate) fn nt_release_keyed_event(
    caller: &Caller<'_>,
    keyed_event: Handle,
    key: UserAddress,
    alertable: Boolean,
    timeout: OptionalIn<i64>,
) -> NtResult<NtStatus> {
    let meant = (keyed_event, AccessMask::KEYEDEVENT_WAKE);
    meet(caller, meant, key, alertable, timeout, KeyedEvent::release)
}
