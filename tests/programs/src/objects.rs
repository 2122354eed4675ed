//! Objects of a test program: an event as one that is easily made, copies of handles, and what a handle tells.

use nt_abi::access::AccessMask;
use nt_abi::object_information::ObjectBasicInformation;
use nt_abi::services::arguments::{EventType, ObjectInformationClass};
use zerocopy::FromZeros as _;

use crate::check::Failed;
use crate::services::{CURRENT_PROCESS, NULL, NtCreateEvent, NtDuplicateObject, NtQueryObject};
use crate::{expect, status};

/// `DUPLICATE_SAME_ACCESS`.
pub const SAME_ACCESS: u32 = 2;

/// Makes an event without a name, with all rights; gives its handle.
///
/// # Errors
/// If it cannot be made.
pub fn event() -> Result<u64, Failed> {
    let mut event = 0u64;
    let all = AccessMask::EVENT_ALL_ACCESS;
    status!(NtCreateEvent(&mut event, all, NULL, EventType(0), false));
    Ok(event)
}

/// Copies a handle within this process; gives the copy.
///
/// # Errors
/// If it is refused.
pub fn copy(handle: u64, access: AccessMask, attributes: u32, options: u32) -> Result<u64, Failed> {
    let mut made = 0u64;
    status!(NtDuplicateObject(
        CURRENT_PROCESS,
        handle,
        CURRENT_PROCESS,
        &mut made,
        access,
        attributes,
        options
    ));
    Ok(made)
}

/// What a handle tells of itself and its object.
///
/// # Errors
/// If it is refused, or the length is not that of the structure.
pub fn basic(handle: u64) -> Result<ObjectBasicInformation, Failed> {
    let mut told = ObjectBasicInformation::new_zeroed();
    let mut length = 0u32;
    let class = ObjectInformationClass(0);
    status!(NtQueryObject(
        handle,
        class,
        &mut told,
        0x38u32,
        &mut length
    ));
    expect!(length, 0x38);
    Ok(told)
}
