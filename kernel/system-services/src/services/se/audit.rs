//! Checks and notes that belong in an audit.
//!
//! There is no audit log yet: what would go into one is judged as NT judges it and then goes nowhere, as on a machine whose
//! audit policy is empty.

use nt_abi::access::AccessMask;
use nt_abi::security::{ImpersonationLevel, Privilege};
use nt_abi::services::arguments::{
    AccessMask as Access, AuditEventType, Boolean, Elsewhere, GenericMapping, Handle, In,
    ObjectTypeList, OptionalIn, OptionalInArray, Out, OutArray, PrivilegeSet, SecurityDescriptor,
    Sid, UnicodeString, UserAddress,
};
use nt_abi::{NtResult, NtStatus};
use ps::token::TokenState;
use se::{TokenKind, single_privilege_check};

use super::check::{Question, Verdict, give_each, mapped};
use super::{lists, reference};
use crate::Caller;
use crate::capture::{Pointer, unicode_string};

/// Whoever writes audits needs the privilege in its process's token, since the thread acts for a client.
fn demand_audit(caller: &Caller<'_>) -> NtResult {
    if single_privilege_check(&caller.process().token().state(), Privilege::AUDIT) {
        Ok(())
    } else {
        Err(NtStatus::PRIVILEGE_NOT_HELD)
    }
}

/// The token of the client that the thread acts for.
fn client(caller: &Caller<'_>) -> NtResult<TokenState> {
    let token = caller.thread.impersonates();
    let token = token.ok_or(NtStatus::NO_IMPERSONATION_TOKEN)?.state();
    se::may_be_asked_about(&token)?;
    Ok(token)
}

/// The names in an audit: of the subsystem, the type and the object.
fn names(strings: &[In<UnicodeString>]) -> NtResult {
    for string in strings {
        unicode_string(string.address())?;
    }
    Ok(())
}

/// The kinds of audit, and the one flag: whether the lack of the privilege is passed over.
fn check_kind(kind: AuditEventType, flags: u32) -> NtResult {
    /// `AUDIT_ALLOW_NO_PRIVILEGE`.
    const ALLOW_NO_PRIVILEGE: u32 = 1;
    if kind.0 > 1 || flags & !ALLOW_NO_PRIVILEGE != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    Ok(())
}

#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_access_check_and_audit_alarm(
    caller: &Caller<'_>,
    subsystem_name: In<UnicodeString>,
    handle_id: UserAddress,
    object_type_name: In<UnicodeString>,
    object_name: In<UnicodeString>,
    security_descriptor: In<SecurityDescriptor>,
    access: Access,
    generic_mapping: In<GenericMapping>,
    object_creation: Boolean,
    granted_access: Out<Access>,
    access_status: Out<NtStatus>,
    generate_on_close: Out<Boolean>,
) -> NtResult {
    nt_access_check_by_type_and_audit_alarm(
        caller,
        subsystem_name,
        handle_id,
        object_type_name,
        object_name,
        security_descriptor,
        OptionalIn::new(0),
        access,
        AuditEventType(0),
        0,
        OptionalInArray::new(0),
        0,
        generic_mapping,
        object_creation,
        granted_access,
        access_status,
        generate_on_close,
    )
}

#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_access_check_by_type_and_audit_alarm(
    caller: &Caller<'_>,
    subsystem_name: In<UnicodeString>,
    _handle_id: UserAddress,
    object_type_name: In<UnicodeString>,
    object_name: In<UnicodeString>,
    security_descriptor: In<SecurityDescriptor>,
    principal_self_sid: OptionalIn<Sid>,
    access: Access,
    audit_type: AuditEventType,
    flags: u32,
    object_type_list: OptionalInArray<ObjectTypeList>,
    object_type_list_length: u32,
    generic_mapping: In<GenericMapping>,
    _object_creation: Boolean,
    granted_access: Out<Access>,
    access_status: Out<NtStatus>,
    generate_on_close: Out<Boolean>,
) -> NtResult {
    let verdict = Verdict {
        granted: granted_access,
        status: access_status,
    };
    verdict.probe()?;
    generate_on_close.probe::<u8>()?;
    check_kind(audit_type, flags)?;
    let token = client(caller)?;
    if flags == 0 {
        demand_audit(caller)?;
    }
    names(&[subsystem_name, object_type_name, object_name])?;
    let question = Question::capture(
        security_descriptor.address(),
        principal_self_sid.address(),
        mapped(access)?,
        generic_mapping,
    )?;
    let mut parts = lists::object_types(object_type_list.address(), object_type_list_length)?;
    let decision = question.answer(&token, parts.as_mut())?;
    generate_on_close.write(&0u8)?;
    verdict.give(decision.granted)
}

#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_access_check_by_type_result_list_and_audit_alarm(
    caller: &Caller<'_>,
    subsystem_name: In<UnicodeString>,
    _handle_id: UserAddress,
    object_type_name: In<UnicodeString>,
    object_name: In<UnicodeString>,
    security_descriptor: In<SecurityDescriptor>,
    principal_self_sid: OptionalIn<Sid>,
    access: Access,
    audit_type: AuditEventType,
    flags: u32,
    object_type_list: OptionalInArray<ObjectTypeList>,
    object_type_list_length: u32,
    generic_mapping: In<GenericMapping>,
    _object_creation: Boolean,
    granted_access: OutArray<Access, Elsewhere>,
    access_status: OutArray<NtStatus, Elsewhere>,
    generate_on_close: Out<Boolean>,
) -> NtResult {
    generate_on_close.probe::<u8>()?;
    check_kind(audit_type, flags)?;
    let token = client(caller)?;
    if flags == 0 {
        demand_audit(caller)?;
    }
    names(&[subsystem_name, object_type_name, object_name])?;
    each(
        &token,
        security_descriptor,
        principal_self_sid,
        access,
        object_type_list,
        object_type_list_length,
        generic_mapping,
        granted_access,
        access_status,
    )?;
    generate_on_close.write(&0u8)
}

#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_access_check_by_type_result_list_and_audit_alarm_by_handle(
    caller: &Caller<'_>,
    subsystem_name: In<UnicodeString>,
    _handle_id: UserAddress,
    client_token: Handle,
    object_type_name: In<UnicodeString>,
    object_name: In<UnicodeString>,
    security_descriptor: In<SecurityDescriptor>,
    principal_self_sid: OptionalIn<Sid>,
    access: Access,
    audit_type: AuditEventType,
    flags: u32,
    object_type_list: OptionalInArray<ObjectTypeList>,
    object_type_list_length: u32,
    generic_mapping: In<GenericMapping>,
    _object_creation: Boolean,
    granted_access: OutArray<Access, Elsewhere>,
    access_status: OutArray<NtStatus, Elsewhere>,
    generate_on_close: Out<Boolean>,
) -> NtResult {
    generate_on_close.probe::<u8>()?;
    check_kind(audit_type, flags)?;
    let token = reference(caller, client_token, AccessMask::TOKEN_QUERY)?.state();
    se::may_be_asked_about(&token)?;
    if flags == 0 {
        demand_audit(caller)?;
    }
    names(&[subsystem_name, object_type_name, object_name])?;
    each(
        &token,
        security_descriptor,
        principal_self_sid,
        access,
        object_type_list,
        object_type_list_length,
        generic_mapping,
        granted_access,
        access_status,
    )?;
    generate_on_close.write(&0u8)
}

/// Answers for each part.
#[allow(clippy::too_many_arguments, reason = "they are the services'")]
fn each(
    token: &TokenState,
    security_descriptor: In<SecurityDescriptor>,
    principal_self_sid: OptionalIn<Sid>,
    access: Access,
    object_type_list: OptionalInArray<ObjectTypeList>,
    object_type_list_length: u32,
    generic_mapping: In<GenericMapping>,
    granted_access: OutArray<Access, Elsewhere>,
    access_status: OutArray<NtStatus, Elsewhere>,
) -> NtResult {
    let question = Question::capture(
        security_descriptor.address(),
        principal_self_sid.address(),
        mapped(access)?,
        generic_mapping,
    )?;
    let parts = lists::object_types(object_type_list.address(), object_type_list_length)?;
    let mut parts = parts.ok_or(NtStatus::INVALID_PARAMETER)?;
    question.answer_each(token, &mut parts)?;
    give_each(&parts, granted_access.address(), access_status.address())
}

/// A client's token that an audit is about: one that tells who the client is.
fn audited(caller: &Caller<'_>, client_token: Handle) -> NtResult {
    let token = reference(caller, client_token, AccessMask::TOKEN_QUERY)?.state();
    match token.kind() {
        TokenKind::Impersonation(level) if level < ImpersonationLevel::IDENTIFICATION => {
            Err(NtStatus::BAD_IMPERSONATION_LEVEL)
        }
        _ => Ok(()),
    }
}

#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_open_object_audit_alarm(
    caller: &Caller<'_>,
    subsystem_name: In<UnicodeString>,
    _handle_id: UserAddress,
    object_type_name: In<UnicodeString>,
    object_name: In<UnicodeString>,
    security_descriptor: OptionalIn<SecurityDescriptor>,
    client_token: Handle,
    _access: Access,
    _granted_access: Access,
    privileges: OptionalIn<PrivilegeSet>,
    _object_creation: Boolean,
    _access_granted: Boolean,
    generate_on_close: Out<Boolean>,
) -> NtResult {
    audited(caller, client_token)?;
    demand_audit(caller)?;
    generate_on_close.probe::<u8>()?;
    names(&[subsystem_name, object_type_name, object_name])?;
    if !security_descriptor.is_null() {
        crate::capture::security_descriptor(security_descriptor.address())?;
    }
    if !privileges.is_null() {
        privileges.read::<nt_abi::security::PrivilegeSetHeader>()?;
    }
    generate_on_close.write(&0u8)
}

fn note(caller: &Caller<'_>, subsystem_name: In<UnicodeString>, generate: Boolean) -> NtResult {
    if !generate.is_true() {
        return Ok(());
    }
    demand_audit(caller)?;
    names(&[subsystem_name])
}

pub(crate) fn nt_close_object_audit_alarm(
    caller: &Caller<'_>,
    subsystem_name: In<UnicodeString>,
    _handle_id: UserAddress,
    generate_on_close: Boolean,
) -> NtResult {
    note(caller, subsystem_name, generate_on_close)
}

pub(crate) fn nt_delete_object_audit_alarm(
    caller: &Caller<'_>,
    subsystem_name: In<UnicodeString>,
    _handle_id: UserAddress,
    generate_on_close: Boolean,
) -> NtResult {
    note(caller, subsystem_name, generate_on_close)
}

/// What both audits of privileges check.
fn privileges_used(
    caller: &Caller<'_>,
    client_token: Handle,
    strings: &[In<UnicodeString>],
    privileges: In<PrivilegeSet>,
) -> NtResult {
    audited(caller, client_token)?;
    demand_audit(caller)?;
    let header: nt_abi::security::PrivilegeSetHeader = privileges.read()?;
    let array = privileges
        .address()
        .wrapping_add(size_of_val(&header) as u64);
    lists::privilege_array(array, header.count)?;
    names(strings)
}

pub(crate) fn nt_privilege_object_audit_alarm(
    caller: &Caller<'_>,
    subsystem_name: In<UnicodeString>,
    _handle_id: UserAddress,
    client_token: Handle,
    _access: Access,
    privileges: In<PrivilegeSet>,
    _access_granted: Boolean,
) -> NtResult {
    privileges_used(caller, client_token, &[subsystem_name], privileges)
}

pub(crate) fn nt_privileged_service_audit_alarm(
    caller: &Caller<'_>,
    subsystem_name: In<UnicodeString>,
    service_name: In<UnicodeString>,
    client_token: Handle,
    privileges: In<PrivilegeSet>,
    _access_granted: Boolean,
) -> NtResult {
    privileges_used(
        caller,
        client_token,
        &[subsystem_name, service_name],
        privileges,
    )
}
