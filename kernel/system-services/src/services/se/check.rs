//! Checks that servers ask for: may this client do that to an object of mine, does it hold that privilege?

use alloc::vec::Vec;

use nt_abi::access::{AccessMask, GenericMapping as Mapping};
use nt_abi::security::{LuidAndAttributes, PrivilegeAttributes, PrivilegeSetHeader};
use nt_abi::services::arguments::{
    AccessMask as Access, Boolean, Elsewhere, GenericMapping, Handle, In, InArray, InOut,
    ObjectTypeList, OptionalIn, Out, OutArray, OutBytes, PrivilegeSet, SecurityDescriptor, Sid,
};
use nt_abi::{NtResult, NtStatus};
use rtl::security::{DescriptorBuf, SidBuf, memory};
use se::{AccessDecision, AccessRequest, PrivilegeMask, Requester, Token, privilege_check};
use zerocopy::IntoBytes as _;

use super::{lists, reference};
use crate::Caller;
use crate::capture::{self, Pointer};

/// The least bytes of a privilege set: its head and one privilege.
const LEAST_PRIVILEGE_SET: usize = size_of::<PrivilegeSetHeader>() + size_of::<LuidAndAttributes>();

pub(crate) fn nt_privilege_check(
    caller: &Caller<'_>,
    client_token: Handle,
    required_privileges: InOut<PrivilegeSet>,
    result: Out<Boolean>,
) -> NtResult {
    let token = reference(caller, client_token, AccessMask::TOKEN_QUERY)?;
    let header: PrivilegeSetHeader = required_privileges.read()?;
    result.probe::<u8>()?;
    let array = required_privileges
        .address()
        .checked_add(size_of::<PrivilegeSetHeader>() as u64)
        .ok_or(NtStatus::ACCESS_VIOLATION)?;
    let mut privileges = lists::privilege_array(array, header.count)?;
    let held = privilege_check(&token.state(), &mut privileges, header.control)?;
    capture::write_bytes(array, privileges.as_slice().as_bytes())?;
    result.write(&u8::from(held))
}

/// The rights that a server asks about, which it has mapped.
///
/// # Errors
/// `GENERIC_NOT_MAPPED`.
pub(super) fn mapped(access: Access) -> NtResult<AccessMask> {
    let desired = AccessMask(access.0);
    if desired.intersects(AccessMask::GENERIC_MASK) {
        return Err(NtStatus::GENERIC_NOT_MAPPED);
    }
    Ok(desired)
}

/// What a server asks, captured.
pub(super) struct Question {
    descriptor: DescriptorBuf,
    principal_self: Option<SidBuf>,
    desired: AccessMask,
    mapping: Mapping,
}

impl Question {
    /// Captures it, for rights that passed [`mapped`].
    ///
    /// # Errors
    /// `INVALID_SECURITY_DESCR` without a descriptor, and what else one is refused for; the probes'
    /// statuses.
    pub(super) fn capture(
        descriptor: u64,
        principal_self: u64,
        desired: AccessMask,
        mapping: In<GenericMapping>,
    ) -> NtResult<Self> {
        let mapping: Mapping = mapping.read()?;
        if descriptor == 0 {
            return Err(NtStatus::INVALID_SECURITY_DESCR);
        }
        Ok(Self {
            descriptor: capture::security_descriptor(descriptor)?,
            principal_self: capture::optional_sid(principal_self)?,
            desired,
            mapping,
        })
    }

    fn request<'a>(&'a self, token: &'a Token) -> AccessRequest<'a> {
        AccessRequest {
            descriptor: self.descriptor.as_descriptor(),
            token,
            desired: self.desired,
            previously_granted: AccessMask::NONE,
            mapping: &self.mapping,
            principal_self: self.principal_self.as_ref().map(SidBuf::as_sid),
            requester: Requester::User,
        }
    }

    /// The answer for the object as a whole.
    pub(super) fn answer(
        &self,
        token: &Token,
        parts: Option<&mut se::ObjectTypeList>,
    ) -> NtResult<AccessDecision> {
        let request = self.request(token);
        match parts {
            None => se::check_client(&request),
            Some(parts) => se::check_client_by_type(&request, parts),
        }
    }

    /// The answers for each part, in `parts`; gives the privileges that were used.
    pub(super) fn answer_each(
        &self,
        token: &Token,
        parts: &mut se::ObjectTypeList,
    ) -> NtResult<PrivilegeMask> {
        se::check_client_by_type_result_list(&self.request(token), parts)
    }
}

/// Where an answer for the whole goes.
pub(super) struct Verdict {
    pub(super) granted: Out<Access>,
    pub(super) status: Out<NtStatus>,
}

impl Verdict {
    pub(super) fn probe(&self) -> NtResult {
        self.status.probe::<u32>()?;
        self.granted.probe::<u32>()
    }

    pub(super) fn give(&self, outcome: NtResult<AccessMask>) -> NtResult {
        let (granted, status) = parts_of(outcome);
        self.status.write(&status.0)?;
        self.granted.write(&granted)
    }
}

/// Rights and status, as they are written.
pub(super) fn parts_of(outcome: NtResult<AccessMask>) -> (AccessMask, NtStatus) {
    match outcome {
        Ok(rights) => (rights, NtStatus::SUCCESS),
        Err(status) => (AccessMask::NONE, status),
    }
}

/// Where the privileges go that were used.
struct Used {
    buffer: u64,
    length: InOut<u32>,
    room: u32,
}

impl Used {
    fn new(buffer: OutBytes, length: InOut<u32>) -> NtResult<Self> {
        let room: u32 = length.read()?;
        length.probe::<u32>()?;
        Ok(Self {
            buffer: buffer.address(),
            length,
            room,
        })
    }

    /// Whether the least that is ever written fits.
    fn has_room(&self) -> NtResult {
        self.fits(LEAST_PRIVILEGE_SET)
    }

    fn fits(&self, needed: usize) -> NtResult {
        if needed <= self.room as usize {
            return Ok(());
        }
        let needed = u32::try_from(needed).map_err(|_| NtStatus::INTEGER_OVERFLOW)?;
        self.length.write(&needed)?;
        Err(NtStatus::BUFFER_TOO_SMALL)
    }

    fn give(&self, used: PrivilegeMask) -> NtResult {
        let mut list: Vec<LuidAndAttributes> = Vec::new();
        memory::reserve(&mut list, used.count() as usize)?;
        list.extend(used.iter().map(|privilege| LuidAndAttributes {
            luid: privilege.into(),
            attributes: PrivilegeAttributes::USED_FOR_ACCESS,
        }));
        let head = PrivilegeSetHeader {
            count: used.count(),
            control: nt_abi::security::PrivilegeSetControl::default(),
        };
        let bytes = size_of_val(&head) + size_of_val(list.as_slice());
        self.fits(bytes.max(LEAST_PRIVILEGE_SET))?;
        capture::write_bytes(self.buffer, head.as_bytes())?;
        let behind = self.buffer.wrapping_add(size_of_val(&head) as u64);
        capture::write_bytes(behind, list.as_slice().as_bytes())
    }
}

#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_access_check(
    caller: &Caller<'_>,
    security_descriptor: In<SecurityDescriptor>,
    client_token: Handle,
    access: Access,
    generic_mapping: In<GenericMapping>,
    privilege_set: OutBytes,
    privilege_set_length: InOut<u32>,
    granted_access: Out<Access>,
    access_status: Out<NtStatus>,
) -> NtResult {
    nt_access_check_by_type(
        caller,
        security_descriptor,
        OptionalIn::new(0),
        client_token,
        access,
        InArray::new(0),
        0,
        generic_mapping,
        privilege_set,
        privilege_set_length,
        granted_access,
        access_status,
    )
}

#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_access_check_by_type(
    caller: &Caller<'_>,
    security_descriptor: In<SecurityDescriptor>,
    principal_self_sid: OptionalIn<Sid>,
    client_token: Handle,
    access: Access,
    object_type_list: InArray<ObjectTypeList>,
    object_type_list_length: u32,
    generic_mapping: In<GenericMapping>,
    privilege_set: OutBytes,
    privilege_set_length: InOut<u32>,
    granted_access: Out<Access>,
    access_status: Out<NtStatus>,
) -> NtResult {
    let verdict = Verdict {
        granted: granted_access,
        status: access_status,
    };
    verdict.probe()?;
    let used = Used::new(privilege_set, privilege_set_length)?;
    let desired = mapped(access)?;
    let token = reference(caller, client_token, AccessMask::TOKEN_QUERY)?.state();
    se::may_be_asked_about(&token)?;
    used.has_room()?;
    let question = Question::capture(
        security_descriptor.address(),
        principal_self_sid.address(),
        desired,
        generic_mapping,
    )?;
    let mut parts = lists::object_types(object_type_list.address(), object_type_list_length)?;
    let decision = question.answer(&token, parts.as_mut())?;
    used.give(decision.used)?;
    verdict.give(decision.granted)
}

#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_access_check_by_type_result_list(
    caller: &Caller<'_>,
    security_descriptor: In<SecurityDescriptor>,
    principal_self_sid: OptionalIn<Sid>,
    client_token: Handle,
    access: Access,
    object_type_list: InArray<ObjectTypeList>,
    object_type_list_length: u32,
    generic_mapping: In<GenericMapping>,
    privilege_set: OutBytes,
    privilege_set_length: InOut<u32>,
    granted_access: OutArray<Access, Elsewhere>,
    access_status: OutArray<NtStatus, Elsewhere>,
) -> NtResult {
    let used = Used::new(privilege_set, privilege_set_length)?;
    let desired = mapped(access)?;
    let token = reference(caller, client_token, AccessMask::TOKEN_QUERY)?.state();
    se::may_be_asked_about(&token)?;
    used.has_room()?;
    let question = Question::capture(
        security_descriptor.address(),
        principal_self_sid.address(),
        desired,
        generic_mapping,
    )?;
    let parts = lists::object_types(object_type_list.address(), object_type_list_length)?;
    let mut parts = parts.ok_or(NtStatus::INVALID_PARAMETER)?;
    let privileges = question.answer_each(&token, &mut parts)?;
    used.give(privileges)?;
    give_each(&parts, granted_access.address(), access_status.address())
}

/// Writes the answers for all parts.
pub(super) fn give_each(parts: &se::ObjectTypeList, granted: u64, status: u64) -> NtResult {
    for (index, result) in (0u64..).zip(parts.results()) {
        let (rights, outcome) = parts_of(result.granted);
        let offset = index * 4;
        capture::write(granted.wrapping_add(offset), &rights)?;
        capture::write(status.wrapping_add(offset), &outcome.0)?;
    }
    Ok(())
}
