//! Lists behind addresses: groups, privileges, parts of objects. Each says how many elements it has, within a bound.

use alloc::vec::Vec;

use nt_abi::security::{
    Guid, LuidAndAttributes, ObjectTypeList64, SidAndAttributes64, TokenGroupsHeader64,
    TokenPrivilegesHeader,
};
use nt_abi::{NtResult, NtStatus};
use rtl::security::memory;
use se::{Group, ObjectTypeList};

use crate::capture;

/// The most groups that a list may have (`SE_MAX_GROUPS`).
const MOST_GROUPS: usize = 0x1000;
/// The most privileges that a list may have.
const MOST_PRIVILEGES: usize = 0x3C;
/// The most parts of an object that a list may have.
const MOST_PARTS: usize = 0x1000;

fn bounded(count: u32, most: usize) -> NtResult<usize> {
    usize::try_from(count)
        .ok()
        .filter(|count| *count <= most)
        .ok_or(NtStatus::INVALID_PARAMETER)
}

fn behind<T>(address: u64) -> NtResult<u64> {
    address
        .checked_add(size_of::<T>() as u64)
        .ok_or(NtStatus::ACCESS_VIOLATION)
}

/// Captures `TOKEN_GROUPS`; a null pointer means none.
///
/// # Errors
/// `INVALID_PARAMETER` for too many; `INVALID_SID`; the probes' statuses.
pub(super) fn groups(address: u64) -> NtResult<Vec<Group>> {
    let mut groups = Vec::new();
    if address == 0 {
        return Ok(groups);
    }
    let count: u32 = capture::read(address)?;
    let count = bounded(count, MOST_GROUPS)?;
    let array = behind::<TokenGroupsHeader64>(address)?;
    let entries: Vec<SidAndAttributes64> = capture::read_array(array, count)?;
    memory::reserve(&mut groups, count)?;
    for entry in entries {
        groups.push(Group {
            sid: capture::sid(entry.sid)?,
            attributes: entry.attributes,
        });
    }
    Ok(groups)
}

/// Captures `TOKEN_PRIVILEGES`; a null pointer means none.
///
/// # Errors
/// `INVALID_PARAMETER` for too many; the probes' statuses.
pub(super) fn privileges(address: u64) -> NtResult<Vec<LuidAndAttributes>> {
    if address == 0 {
        return Ok(Vec::new());
    }
    let header: TokenPrivilegesHeader = capture::read(address)?;
    let count = bounded(header.count, MOST_PRIVILEGES)?;
    capture::read_array(behind::<TokenPrivilegesHeader>(address)?, count)
}

/// Captures an array of privileges whose length was read before.
///
/// # Errors
/// As [`privileges`].
pub(super) fn privilege_array(address: u64, count: u32) -> NtResult<Vec<LuidAndAttributes>> {
    capture::read_array(address, bounded(count, MOST_PRIVILEGES)?)
}

/// Captures an array of `OBJECT_TYPE_LIST`; `None` for one without elements.
///
/// # Errors
/// `INVALID_PARAMETER` for too many, or levels that make no tree; the probes' statuses.
pub(super) fn object_types(address: u64, count: u32) -> NtResult<Option<ObjectTypeList>> {
    let count = bounded(count, MOST_PARTS)?;
    if count == 0 {
        return Ok(None);
    }
    let entries: Vec<ObjectTypeList64> = capture::read_array(address, count)?;
    let mut parts: Vec<(u16, Guid)> = Vec::new();
    memory::reserve(&mut parts, count)?;
    for entry in entries {
        if entry.padding[0] != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        parts.push((entry.level, capture::read(entry.object_type)?));
    }
    ObjectTypeList::new(&parts).map(Some)
}
