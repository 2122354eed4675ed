//! Security: SIDs, access-control lists, security descriptors, and those of new objects.
//!
//! The rules are in [`rtl::security`], which the kernel uses too; here are NT's functions over bytes in the program's
//! memory. A SID or a list is looked at as far as its own header says it reaches, as NT looks at it: that the memory is
//! there is the caller's word.

pub mod absolute;
pub mod access;
pub mod access_lists;
pub mod add_entries;
pub mod app_containers;
pub mod descriptors;
mod inherited;
pub mod objects;
pub mod privileges;
pub mod sids;
mod token;

use c_interface::{Ptr, field};
use nt_abi::security::{AclHeader, SID_MAX_SUB_AUTHORITIES, SidHeader};
use nt_abi::{NtResult, NtStatus};
use rtl::security::{Acl, Sid};

/// The outcome of an export.
fn status(result: NtResult) -> NtStatus {
    match result {
        Ok(()) => NtStatus::SUCCESS,
        Err(status) => status,
    }
}

/// The number of bytes of the SID at an address, as its count says; not checked.
fn sid_length(sid: Ptr<u8>) -> usize {
    let count = field!(sid.cast::<SidHeader>(), SidHeader, sub_authority_count).read();
    size_of::<SidHeader>() + 4 * usize::from(count)
}

/// The SID at an address.
///
/// # Errors
/// `INVALID_SID`, also where there is no address.
fn sid_at<'a>(sid: Ptr<u8>) -> NtResult<Sid<'a>> {
    let sid = sid.non_null().ok_or(NtStatus::INVALID_SID)?;
    let longest = size_of::<SidHeader>() + 4 * SID_MAX_SUB_AUTHORITIES;
    Sid::read(sid.slice(sid_length(sid).min(longest)))
}

/// The list at an address.
///
/// # Errors
/// `INVALID_ACL`, also where there is no address.
fn acl_at<'a>(acl: Ptr<u8>) -> NtResult<Acl<'a>> {
    let acl = acl.non_null().ok_or(NtStatus::INVALID_ACL)?;
    let size = field!(acl.cast::<AclHeader>(), AclHeader, size).read();
    Acl::read(acl.slice(usize::from(size)))
}

/// A number of bytes as services and structures have it; what is here fits.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// A number of bytes that a caller gave.
fn room(bytes: u32) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// Copies bytes to memory that was given for them.
fn put(to: Ptr<u8>, bytes: &[u8]) {
    to.write_array(bytes);
}
