//! Semaphores.

use ::ke::dispatcher::Semaphore;
use nt_abi::access::AccessMask;
use nt_abi::object_information::SemaphoreBasicInformation;
use nt_abi::services::arguments::{
    AccessMask as Access, Handle, In, ObjectAttributes, OptionalIn, OptionalOut, Out, OutBytes,
    SemaphoreInformationClass,
};
use nt_abi::{NtResult, NtStatus};

use super::{Fixed, create_object, open_object};
use crate::Caller;
use crate::capture::Pointer;
use crate::object_types::SemaphoreBody;

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

pub(crate) fn nt_query_semaphore(
    caller: &Caller<'_>,
    semaphore: Handle,
    class: SemaphoreInformationClass,
    information: OutBytes,
    length: u32,
    return_length: OptionalOut<u32>,
) -> NtResult {
    if class.0 != nt_abi::object_information::SemaphoreInformationClass::BASIC.0 {
        return Err(NtStatus::INVALID_INFO_CLASS);
    }
    let answer = Fixed::new(information, length, return_length)?;
    let semaphore =
        caller.reference::<SemaphoreBody>(semaphore, AccessMask::SEMAPHORE_QUERY_STATE)?;
    answer.give(&SemaphoreBasicInformation {
        current_count: semaphore.0.count(),
        maximum_count: semaphore.0.limit(),
    })
}
