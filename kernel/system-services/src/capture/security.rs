//! SIDs, lists and descriptors behind addresses.
//!
//! Each part says itself how long it is, within a bound: its head is read, then the rest of it behind the head. Whether
//! what was read makes sense is judged by the copy.

use alloc::vec::Vec;

use nt_abi::security::{
    AclHeader, DescriptorControl, SECURITY_DESCRIPTOR_REVISION, SID_MAX_SUB_AUTHORITIES,
    SecurityDescriptor64, SecurityDescriptorRelative, SidHeader,
};
use nt_abi::{NtResult, NtStatus};
use rtl::security::{Acl, AclBuf, DescriptorBuf, Sid, SidBuf};
use zerocopy::{FromZeros as _, IntoBytes as _};

use super::{fill, read};

/// Appends `length` user bytes.
fn append(bytes: &mut Vec<u8>, address: u64, length: usize) -> NtResult {
    let before = bytes.len();
    bytes
        .try_reserve(length)
        .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    bytes.resize(before + length, 0);
    fill(&mut bytes[before..], address)
}

/// Appends a structure and `rest` user bytes behind it.
fn append_with<T: super::Plain>(
    bytes: &mut Vec<u8>,
    head: &T,
    address: u64,
    rest: usize,
) -> NtResult {
    bytes
        .try_reserve(size_of::<T>())
        .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    bytes.extend_from_slice(head.as_bytes());
    let behind = address
        .checked_add(size_of::<T>() as u64)
        .ok_or(NtStatus::ACCESS_VIOLATION)?;
    append(bytes, behind, rest)
}

/// Appends the bytes of a SID.
fn append_sid(bytes: &mut Vec<u8>, address: u64) -> NtResult {
    let head: SidHeader = read(address)?;
    let count = usize::from(head.sub_authority_count);
    if count > SID_MAX_SUB_AUTHORITIES {
        return Err(NtStatus::INVALID_SID);
    }
    append_with(bytes, &head, address, 4 * count)
}

/// Appends the bytes of an access-control list.
fn append_acl(bytes: &mut Vec<u8>, address: u64) -> NtResult {
    let head: AclHeader = read(address)?;
    let rest = usize::from(head.size)
        .checked_sub(size_of::<AclHeader>())
        .ok_or(NtStatus::INVALID_ACL)?;
    append_with(bytes, &head, address, rest)
}

/// Captures a SID.
///
/// # Errors
/// `INVALID_SID`; the probes' statuses.
pub(crate) fn sid(address: u64) -> NtResult<SidBuf> {
    let mut bytes = Vec::new();
    append_sid(&mut bytes, address)?;
    Ok(Sid::read(&bytes)?.to_buf())
}

/// Captures a SID, if there is one.
///
/// # Errors
/// As [`sid`].
pub(crate) fn optional_sid(address: u64) -> NtResult<Option<SidBuf>> {
    if address == 0 {
        Ok(None)
    } else {
        sid(address).map(Some)
    }
}

/// Captures an access-control list.
///
/// # Errors
/// `INVALID_ACL` and what else a list is refused for; the probes' statuses.
pub(crate) fn acl(address: u64) -> NtResult<AclBuf> {
    let mut bytes = Vec::new();
    append_acl(&mut bytes, address)?;
    AclBuf::copy_of(Acl::read(&bytes)?)
}

/// Where the parts of a descriptor are; 0: there is none.
struct Places {
    owner: u64,
    group: u64,
    sacl: u64,
    dacl: u64,
}

/// Captures a security descriptor, self-relative or absolute.
///
/// # NT
/// `SeCaptureSecurityDescriptor`. A list without its control bit is not looked at.
///
/// # Errors
/// `UNKNOWN_REVISION`; `INVALID_SID` and `INVALID_ACL` for a damaged part; `INVALID_SECURITY_DESCR` for an offset that is
/// not a multiple of 4 or leads into the head; the probes' statuses.
#[doc(alias = "SeCaptureSecurityDescriptor")]
pub(crate) fn security_descriptor(address: u64) -> NtResult<DescriptorBuf> {
    let head: SecurityDescriptorRelative = read(address)?;
    if head.revision != SECURITY_DESCRIPTOR_REVISION {
        return Err(NtStatus::UNKNOWN_REVISION);
    }
    let places = if head.control.contains(DescriptorControl::SELF_RELATIVE) {
        let place = |offset: u32| match offset {
            0 => Ok(0),
            _ if !offset.is_multiple_of(4)
                || (offset as usize) < size_of::<SecurityDescriptorRelative>() =>
            {
                Err(NtStatus::INVALID_SECURITY_DESCR)
            }
            _ => address
                .checked_add(u64::from(offset))
                .ok_or(NtStatus::ACCESS_VIOLATION),
        };
        Places {
            owner: place(head.owner)?,
            group: place(head.group)?,
            sacl: place(head.sacl)?,
            dacl: place(head.dacl)?,
        }
    } else {
        // Its pointers need not be aligned as such; what was read of it before is not read again.
        let mut absolute = SecurityDescriptor64::new_zeroed();
        let skipped = core::mem::offset_of!(SecurityDescriptor64, owner);
        let behind = address.checked_add(skipped as u64);
        let pointers = &mut absolute.as_mut_bytes()[skipped..];
        fill(pointers, behind.ok_or(NtStatus::ACCESS_VIOLATION)?)?;
        Places {
            owner: absolute.owner,
            group: absolute.group,
            sacl: absolute.sacl,
            dacl: absolute.dacl,
        }
    };
    gather(&head, &places)
}

/// Puts the parts behind a head of their own.
fn gather(head: &SecurityDescriptorRelative, places: &Places) -> NtResult<DescriptorBuf> {
    let mut bytes = Vec::new();
    let mut new = SecurityDescriptorRelative {
        control: head.control | DescriptorControl::SELF_RELATIVE,
        owner: 0,
        group: 0,
        sacl: 0,
        dacl: 0,
        ..*head
    };
    append_with(&mut bytes, &new, 0, 0)?;
    let has = |bit, place| {
        if head.control.contains(bit) { place } else { 0 }
    };
    type Append = fn(&mut Vec<u8>, u64) -> NtResult;
    let parts: [(&mut u32, u64, Append); 4] = [
        (
            &mut new.sacl,
            has(DescriptorControl::SACL_PRESENT, places.sacl),
            append_acl,
        ),
        (
            &mut new.dacl,
            has(DescriptorControl::DACL_PRESENT, places.dacl),
            append_acl,
        ),
        (&mut new.owner, places.owner, append_sid),
        (&mut new.group, places.group, append_sid),
    ];
    for (offset, place, append_part) in parts {
        if place == 0 {
            continue;
        }
        let padding = bytes.len().next_multiple_of(4) - bytes.len();
        bytes
            .try_reserve(padding)
            .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        bytes.resize(bytes.len() + padding, 0);
        *offset = u32::try_from(bytes.len()).map_err(|_| NtStatus::INVALID_SECURITY_DESCR)?;
        append_part(&mut bytes, place)?;
    }
    bytes[..size_of::<SecurityDescriptorRelative>()].copy_from_slice(new.as_bytes());
    DescriptorBuf::capture(&bytes)
}
