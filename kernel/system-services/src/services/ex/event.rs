//! Events.

use ::ke::dispatcher::{Event, EventKind};
use nt_abi::access::AccessMask;
use nt_abi::object_information::{EventBasicInformation, EventType as Kind};
use nt_abi::services::arguments::{
    AccessMask as Access, Boolean, EventInformationClass, EventType, Handle, In, ObjectAttributes,
    OptionalIn, OptionalOut, Out, OutBytes,
};
use nt_abi::{NtResult, NtStatus};

use super::{Fixed, create_object, open_object};
use crate::Caller;
use crate::capture::Pointer;
use crate::object_types::EventBody;

pub(crate) fn nt_create_event(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: OptionalIn<ObjectAttributes>,
    event_type: EventType,
    initial_state: Boolean,
) -> NtResult<NtStatus> {
    let kind = match event_type.0 {
        0 => EventKind::Notification,
        1 => EventKind::Synchronization,
        _ => return Err(NtStatus::INVALID_PARAMETER),
    };
    create_object(caller, handle, access, attributes.address(), || {
        Event::new(kind, initial_state.is_true()).map(EventBody)
    })
}

pub(crate) fn nt_open_event(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: In<ObjectAttributes>,
) -> NtResult {
    open_object::<EventBody>(caller, handle, access, attributes)
}

/// What an operation on an event gives: the state before, if it is wanted.
fn change_event(
    caller: &Caller<'_>,
    event: Handle,
    previous_state: OptionalOut<i32>,
    change: impl FnOnce(&Event) -> bool,
) -> NtResult {
    previous_state.probe_optional::<i32>()?;
    let event = caller.reference::<EventBody>(event, AccessMask::EVENT_MODIFY_STATE)?;
    let before = change(&event.0);
    previous_state.write_optional(&i32::from(before))
}

pub(crate) fn nt_set_event(
    caller: &Caller<'_>,
    event: Handle,
    previous_state: OptionalOut<i32>,
) -> NtResult {
    change_event(caller, event, previous_state, Event::set)
}

pub(crate) fn nt_reset_event(
    caller: &Caller<'_>,
    event: Handle,
    previous_state: OptionalOut<i32>,
) -> NtResult {
    change_event(caller, event, previous_state, Event::reset)
}

pub(crate) fn nt_pulse_event(
    caller: &Caller<'_>,
    event: Handle,
    previous_state: OptionalOut<i32>,
) -> NtResult {
    change_event(caller, event, previous_state, Event::pulse)
}

pub(crate) fn nt_clear_event(caller: &Caller<'_>, event: Handle) -> NtResult {
    let event = caller.reference::<EventBody>(event, AccessMask::EVENT_MODIFY_STATE)?;
    event.0.clear();
    Ok(())
}

pub(crate) fn nt_query_event(
    caller: &Caller<'_>,
    event: Handle,
    class: EventInformationClass,
    information: OutBytes,
    length: u32,
    return_length: OptionalOut<u32>,
) -> NtResult {
    if class.0 != nt_abi::object_information::EventInformationClass::BASIC.0 {
        return Err(NtStatus::INVALID_INFO_CLASS);
    }
    let answer = Fixed::<EventBasicInformation>::new(information, length, return_length)?;
    let event = caller.reference::<EventBody>(event, AccessMask::EVENT_QUERY_STATE)?;
    answer.give(&EventBasicInformation {
        event_type: match event.0.kind() {
            EventKind::Notification => Kind::NOTIFICATION,
            EventKind::Synchronization => Kind::SYNCHRONIZATION,
        },
        event_state: i32::from(event.0.is_set()),
    })
}

/// Sets a synchronization event; the thread that goes on because of it gets the usual boost.
///
/// # Differs
/// NT lends the waiter the caller's priority for a moment.
pub(crate) fn nt_set_event_boost_priority(caller: &Caller<'_>, event: Handle) -> NtResult {
    let event = caller.reference::<EventBody>(event, AccessMask::EVENT_MODIFY_STATE)?;
    if event.0.kind() != EventKind::Synchronization {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    event.0.set();
    Ok(())
}
