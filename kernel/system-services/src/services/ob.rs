//! Services of objects: closing and duplicating handles, waiting; what objects are, the namespace, descriptors.

mod directory;
mod query;
mod security;
mod symbolic_link;

pub(crate) use directory::*;
pub(crate) use query::*;
pub(crate) use security::*;
pub(crate) use symbolic_link::*;

pub(crate) use super::signal::*;

use ke::dispatcher::{Header, WaitKind};
use ke::thread::MAXIMUM_WAIT_OBJECTS;
use ke::wait::{WaitOptions, wait_for_many, wait_for_one};
use nt_abi::access::AccessMask;
use nt_abi::services::arguments::{
    AccessMask as Access, Before, Boolean, Handle, InArray, OptionalIn, OptionalOut, WaitType,
};
use nt_abi::{NtResult, NtStatus};
use ob::handle_table::{Duplicate, DuplicateOptions};
use ob::object_type::wait_header;
use ob::{AnyObject, HandleAttributes, Object};

use crate::Caller;
use crate::caller::{due, handle_of};
use crate::capture::{self, Pointer};

pub(crate) fn nt_close(caller: &Caller<'_>, handle: Handle) -> NtResult {
    caller.handles().close(handle_of(handle))
}

pub(crate) fn nt_wait_for_single_object(
    caller: &Caller<'_>,
    handle: Handle,
    alertable: Boolean,
    timeout: OptionalIn<i64>,
) -> NtResult<NtStatus> {
    let timeout = due(timeout.read_optional()?);
    let object = caller.reference_any(handle, AccessMask::SYNCHRONIZE)?;
    let header = wait_header(&object)?;
    let options = WaitOptions::user(alertable.is_true(), timeout);
    Ok(wait_for_one(header, &options))
}

pub(crate) fn nt_wait_for_multiple_objects(
    caller: &Caller<'_>,
    count: u32,
    handles: InArray<Handle, Before>,
    wait_type: WaitType,
    alertable: Boolean,
    timeout: OptionalIn<i64>,
) -> NtResult<NtStatus> {
    let count = count as usize;
    if count == 0 || count > MAXIMUM_WAIT_OBJECTS {
        return Err(NtStatus::INVALID_PARAMETER_1);
    }
    let kind = match wait_type.0 {
        0 => WaitKind::All,
        1 => WaitKind::Any,
        _ => return Err(NtStatus::INVALID_PARAMETER_3),
    };
    let timeout = due(timeout.read_optional()?);
    let mut numbers = [0u64; MAXIMUM_WAIT_OBJECTS];
    for (slot, index) in numbers.iter_mut().zip(0..count as u64) {
        *slot = capture::read(handles.address().wrapping_add(index * 8))?;
    }
    let mut objects: [Option<AnyObject>; MAXIMUM_WAIT_OBJECTS] =
        [const { None }; MAXIMUM_WAIT_OBJECTS];
    for (slot, number) in objects.iter_mut().zip(&numbers[..count]) {
        *slot = Some(caller.reference_any(Handle(*number), AccessMask::SYNCHRONIZE)?);
    }
    if kind == WaitKind::All {
        refuse_duplicates(&objects[..count])?;
    }
    let mut headers: [Option<&'static Header>; MAXIMUM_WAIT_OBJECTS] = [None; MAXIMUM_WAIT_OBJECTS];
    for (slot, object) in headers.iter_mut().zip(objects.iter().flatten()) {
        *slot = Some(wait_header(object)?);
    }
    let Some(first) = headers[0] else {
        return Err(NtStatus::INVALID_PARAMETER_1);
    };
    let mut present = [first; MAXIMUM_WAIT_OBJECTS];
    for (slot, header) in present.iter_mut().zip(headers.iter().flatten()) {
        *slot = header;
    }
    let options = WaitOptions::user(alertable.is_true(), timeout);
    Ok(wait_for_many(&present[..count], kind, &options))
}

/// A wait for all objects can have none of them twice.
fn refuse_duplicates(objects: &[Option<AnyObject>]) -> NtResult {
    for (index, one) in objects.iter().flatten().enumerate() {
        if objects[..index]
            .iter()
            .flatten()
            .any(|other| other.same(one))
        {
            return Err(NtStatus::INVALID_PARAMETER_MIX);
        }
    }
    Ok(())
}

#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_duplicate_object(
    caller: &Caller<'_>,
    source_process: Handle,
    source: Handle,
    target_process: Handle,
    target: OptionalOut<Handle>,
    access: Access,
    handle_attributes: u32,
    options: u32,
) -> NtResult {
    target.probe_optional::<u64>()?;
    let source_process =
        caller.reference_process(source_process, AccessMask::PROCESS_DUP_HANDLE)?;
    // A target that is no process is told, but first the source is closed if that is asked for.
    let target_process = if target_process.is_null() {
        Ok(None)
    } else {
        caller
            .reference_process(target_process, AccessMask::PROCESS_DUP_HANDLE)
            .map(Some)
    };
    let options = DuplicateOptions::from_bits_truncate(options);
    // Nobody asks who it is that gets the rights that it has.
    let same = options.contains(DuplicateOptions::SAME_ACCESS);
    let tokens = (!same).then(|| caller.tokens());
    let duplicate = Duplicate {
        source: ob::Caller {
            table: source_process.handles(),
            process: Some(Object::as_erased(&source_process)),
            ..caller.handles()
        },
        handle: handle_of(source),
        target: match &target_process {
            Ok(Some(process)) => Some(process.handles()),
            _ => None,
        },
        access: AccessMask(access.0),
        attributes: HandleAttributes::from_bits_truncate(handle_attributes.to_le_bytes()[0]),
        options,
        subject: tokens.as_ref().map(|tokens| tokens.subject()),
    };
    let made = duplicate.perform();
    target_process?;
    match made? {
        Some(handle) => target.write_optional(&handle.0),
        None => Ok(()),
    }
}
