//! Services of the executive's own objects: events, mutants, semaphores; and text on the console.

use arch::Machine;
use arch::contract::Console;
use ke::dispatcher::{Event, EventKind, Mutant, Semaphore};
use nt_abi::access::AccessMask;
use nt_abi::services::arguments::{
    AccessMask as Access, Boolean, EventType, Handle, In, ObjectAttributes, OptionalIn,
    OptionalOut, Out, UnicodeString,
};
use nt_abi::{NtResult, NtStatus};
use ob::{CreateParameters, ObjectBody, OpenParameters, Root};
use rtl::security::DescriptorBuf;

use crate::Caller;
use crate::caller::handle_of;
use crate::capture::{Attributes, Pointer, unicode_string};
use crate::object_types::{EventBody, MutantBody, SemaphoreBody};

/// Makes an object with a name or without, and writes its handle.
pub(super) fn create_object<T: ObjectBody>(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: u64,
    make: impl FnOnce() -> NtResult<T>,
) -> NtResult<NtStatus> {
    handle.probe::<u64>()?;
    let attributes = Attributes::capture(attributes)?;
    let descriptor: Option<DescriptorBuf> = attributes.descriptor()?;
    let tokens = caller.tokens();
    let root = match attributes.root {
        Some(root) => Root::Handle(caller.handles(), handle_of(root)),
        None => Root::Namespace,
    };
    let created = ob::create(
        make()?,
        &CreateParameters {
            name: attributes.name.as_ref().map(|name| name.as_str()),
            root,
            attributes: attributes.flags,
            descriptor: descriptor.as_ref().map(DescriptorBuf::as_descriptor),
            access: AccessMask(access.0),
            subject: tokens.subject(),
        },
    )?;
    let existed = created.existed;
    let number = created.into_handle(&caller.handles())?;
    handle.write(&number.0)?;
    Ok(if existed {
        NtStatus::OBJECT_NAME_EXISTS
    } else {
        NtStatus::SUCCESS
    })
}

/// Opens an object by its name, and writes its handle.
pub(super) fn open_object<T: ObjectBody>(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: In<ObjectAttributes>,
) -> NtResult {
    handle.probe::<u64>()?;
    let attributes = Attributes::capture(attributes.address())?;
    let tokens = caller.tokens();
    let root = match attributes.root {
        Some(root) => Root::Handle(caller.handles(), handle_of(root)),
        None => Root::Namespace,
    };
    let number = ob::open_by_name(
        &caller.handles(),
        &OpenParameters {
            name: attributes.name.as_ref().map(|name| name.as_str()),
            root,
            attributes: attributes.flags,
            kind: Some(T::kind()),
            access: AccessMask(access.0),
            subject: tokens.subject(),
        },
        None,
    )?;
    handle.write(&number.0)
}

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

pub(crate) fn nt_create_mutant(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: OptionalIn<ObjectAttributes>,
    initial_owner: Boolean,
) -> NtResult<NtStatus> {
    create_object(caller, handle, access, attributes.address(), || {
        Mutant::new(initial_owner.is_true()).map(MutantBody)
    })
}

pub(crate) fn nt_open_mutant(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: In<ObjectAttributes>,
) -> NtResult {
    open_object::<MutantBody>(caller, handle, access, attributes)
}

pub(crate) fn nt_release_mutant(
    caller: &Caller<'_>,
    mutant: Handle,
    previous_count: OptionalOut<i32>,
) -> NtResult {
    previous_count.probe_optional::<i32>()?;
    // No right is asked for: only the owner can do it.
    let mutant = caller.reference::<MutantBody>(mutant, AccessMask::NONE)?;
    let before = mutant.0.release()?;
    previous_count.write_optional(&before)
}

pub(crate) fn nt_create_semaphore(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: OptionalIn<ObjectAttributes>,
    initial_count: i32,
    maximum_count: i32,
) -> NtResult<NtStatus> {
    create_object(caller, handle, access, attributes.address(), || {
        Semaphore::new(initial_count, maximum_count).map(SemaphoreBody)
    })
}

pub(crate) fn nt_open_semaphore(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: In<ObjectAttributes>,
) -> NtResult {
    open_object::<SemaphoreBody>(caller, handle, access, attributes)
}

pub(crate) fn nt_release_semaphore(
    caller: &Caller<'_>,
    semaphore: Handle,
    release_count: i32,
    previous_count: OptionalOut<i32>,
) -> NtResult {
    previous_count.probe_optional::<i32>()?;
    let semaphore =
        caller.reference::<SemaphoreBody>(semaphore, AccessMask::SEMAPHORE_MODIFY_STATE)?;
    let before = semaphore.0.release(release_count)?;
    previous_count.write_optional(&before)
}

/// Writes text to the console, unpaired surrogates as replacement characters.
pub(crate) fn nt_display_string(_caller: &Caller<'_>, string: In<UnicodeString>) -> NtResult {
    let text = unicode_string(string.address())?;
    let mut bytes = [0; 4];
    for letter in char::decode_utf16(text.as_str().units().iter().copied()) {
        let letter = letter.unwrap_or(char::REPLACEMENT_CHARACTER);
        Machine::write_bytes(letter.encode_utf8(&mut bytes).as_bytes());
    }
    Ok(())
}
