//! Privileges and groups of a token, on and off.
//!
//! The state before is written first: a caller that cannot take it gets nothing changed.

use alloc::vec::Vec;

use nt_abi::access::AccessMask;
use nt_abi::security::{
    GroupAttributes, SidAndAttributes64, TokenGroupsHeader64, TokenPrivilegesHeader,
};
use nt_abi::services::arguments::{
    Before, Boolean, Handle, OptionalIn, OptionalOut, OptionalOutBytes, TokenGroups,
    TokenPrivileges,
};
use nt_abi::{NtResult, NtStatus};
use ps::token::next_id;
use rtl::security::{Sid, memory};
use se::{Group, GroupRequest, PrivilegeRequest};
use zerocopy::IntoBytes as _;

use super::{lists, reference};
use crate::Caller;
use crate::capture::{self, Pointer};

/// Where the state before is wanted.
struct Previous {
    buffer: u64,
    length: u32,
    return_length: u64,
}

impl Previous {
    /// Its place, and the rights that a token's handle needs.
    fn new(
        buffer: OptionalOutBytes<Before>,
        length: u32,
        return_length: OptionalOut<u32>,
    ) -> NtResult<Self> {
        // Whoever wants the state must take its length too.
        if !buffer.is_null() {
            return_length.probe::<u32>()?;
            if !buffer.address().is_multiple_of(align_of::<u32>() as u64) {
                return Err(NtStatus::DATATYPE_MISALIGNMENT);
            }
        }
        Ok(Self {
            buffer: buffer.address(),
            length,
            return_length: return_length.address(),
        })
    }

    fn rights(&self, adjust: AccessMask) -> AccessMask {
        if self.buffer == 0 {
            adjust
        } else {
            adjust | AccessMask::TOKEN_QUERY
        }
    }

    /// Writes it.
    fn give(&self, bytes: &[u8]) -> NtResult {
        if self.buffer == 0 {
            return Ok(());
        }
        let needed = u32::try_from(bytes.len()).map_err(|_| NtStatus::INTEGER_OVERFLOW)?;
        capture::write(self.return_length, &needed)?;
        if needed > self.length {
            return Err(NtStatus::BUFFER_TOO_SMALL);
        }
        capture::write_bytes(self.buffer, bytes)
    }
}

pub(crate) fn nt_adjust_privileges_token(
    caller: &Caller<'_>,
    token: Handle,
    disable_all_privileges: Boolean,
    new_state: OptionalIn<TokenPrivileges>,
    buffer_length: u32,
    previous_state: OptionalOutBytes<Before>,
    return_length: OptionalOut<u32>,
) -> NtResult<NtStatus> {
    let disable_all = disable_all_privileges.is_true();
    if !disable_all && new_state.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let previous = Previous::new(previous_state, buffer_length, return_length)?;
    let wanted = if disable_all {
        Vec::new()
    } else {
        lists::privileges(new_state.address())?
    };
    let rights = previous.rights(AccessMask::TOKEN_ADJUST_PRIVILEGES);
    let token = reference(caller, token, rights)?;
    let request = if disable_all {
        PrivilegeRequest::DisableAll
    } else {
        PrivilegeRequest::Set(&wanted)
    };
    token.change(|token| {
        let plan = token.privileges().plan(&request);
        let list = plan.previous.as_slice();
        let count = u32::try_from(list.len()).map_err(|_| NtStatus::INTEGER_OVERFLOW)?;
        let header = TokenPrivilegesHeader { count };
        let mut bytes = Vec::new();
        memory::reserve(&mut bytes, size_of_val(&header) + size_of_val(list))?;
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(list.as_bytes());
        previous.give(&bytes)?;
        token.apply_privileges(&plan, next_id());
        Ok(plan.assigned.status())
    })
}

pub(crate) fn nt_adjust_groups_token(
    caller: &Caller<'_>,
    token: Handle,
    reset_to_default: Boolean,
    new_state: OptionalIn<TokenGroups>,
    buffer_length: u32,
    previous_state: OptionalOutBytes<Before>,
    return_length: OptionalOut<u32>,
) -> NtResult<NtStatus> {
    let reset = reset_to_default.is_true();
    if !reset && new_state.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let previous = Previous::new(previous_state, buffer_length, return_length)?;
    let wanted = if reset {
        Vec::new()
    } else {
        lists::groups(new_state.address())?
    };
    let mut list: Vec<(Sid<'_>, GroupAttributes)> = Vec::new();
    memory::reserve(&mut list, wanted.len())?;
    list.extend(
        wanted
            .iter()
            .map(|group| (group.sid.as_sid(), group.attributes)),
    );
    let rights = previous.rights(AccessMask::TOKEN_ADJUST_GROUPS);
    let token = reference(caller, token, rights)?;
    let request = if reset {
        GroupRequest::ResetToDefault
    } else {
        GroupRequest::Set(&list)
    };
    token.change(|token| {
        let plan = token.plan_groups(request)?;
        previous.give(&group_list(&plan.previous, previous.buffer)?)?;
        let status = plan.assigned.status();
        token.apply_groups(plan, next_id());
        Ok(status)
    })
}

/// `TOKEN_GROUPS` with the SIDs behind it, as it is seen at `base`.
fn group_list(groups: &[Group], base: u64) -> NtResult<Vec<u8>> {
    let count = u32::try_from(groups.len()).map_err(|_| NtStatus::INTEGER_OVERFLOW)?;
    let header = TokenGroupsHeader64 { count, padding: 0 };
    let mut bytes = Vec::new();
    let sids: usize = groups
        .iter()
        .map(|group| group.sid.as_sid().bytes().len())
        .sum();
    let mut place =
        size_of::<TokenGroupsHeader64>() + size_of::<SidAndAttributes64>() * groups.len();
    memory::reserve(&mut bytes, place + sids)?;
    bytes.extend_from_slice(header.as_bytes());
    for group in groups {
        let entry = SidAndAttributes64 {
            sid: base.wrapping_add(place as u64),
            attributes: group.attributes,
            padding: 0,
        };
        bytes.extend_from_slice(entry.as_bytes());
        place += group.sid.as_sid().bytes().len();
    }
    for group in groups {
        bytes.extend_from_slice(group.sid.as_sid().bytes());
    }
    Ok(bytes)
}
