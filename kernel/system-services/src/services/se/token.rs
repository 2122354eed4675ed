//! Tokens: opening, copying, filtering, making them; who acts as whom.

use alloc::vec::Vec;

use nt_abi::access::AccessMask;
use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::security::{
    FilterFlags, GroupAttributes, ImpersonationLevel, Luid, Privilege,
    SecurityQualityOfService as Qos, SidAndAttributes64, TokenElevationType, TokenPointer64,
    TokenSource as Source, TokenType as Kind,
};
use nt_abi::services::arguments::{
    AccessMask as Access, Boolean, Handle, In, Luid as LuidArgument, ObjectAttributes, OptionalIn,
    Out, SecurityQualityOfService, TokenDefaultDacl, TokenGroups, TokenOwner, TokenPrimaryGroup,
    TokenPrivileges, TokenSource, TokenType, TokenUser,
};
use nt_abi::{NtResult, NtStatus};
use ob::{CreateParameters, Object, Root, Subject};
use ps::Thread;
use ps::token::{SharedToken, TokenBody, next_id};
use rtl::security::{AclBuf, DescriptorBuf, Sid, memory};
use se::{
    Filter, Group, IntegrityLevel, PrivilegeMask, Privileges, Scope, SubjectContext, Token,
    TokenDescription, TokenKind,
};

use super::{lists, reference};
use crate::Caller;
use crate::caller::handle_of;
use crate::capture::{self, Attributes, Pointer};

/// Makes a handle to a new token, and writes it.
fn insert(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    token: Token,
    access: AccessMask,
    attributes: &Attributes,
) -> NtResult {
    let descriptor = attributes.descriptor()?;
    let tokens = caller.tokens();
    let created = ob::create(
        TokenBody::new(token)?,
        &CreateParameters {
            name: attributes.name.as_ref().map(|name| name.as_str()),
            root: match attributes.root {
                Some(root) => Root::Handle(caller.handles(), handle_of(root)),
                None => Root::Namespace,
            },
            attributes: attributes.flags,
            descriptor: descriptor.as_ref().map(DescriptorBuf::as_descriptor),
            access,
            subject: tokens.subject(),
        },
    )?;
    let number = created.into_handle(&caller.handles())?;
    handle.write(&number.0)
}

/// A handle to a token that is there, and writes it.
fn open(
    caller: &Caller<'_>,
    token: &SharedToken,
    access: Access,
    handle_attributes: u32,
    subject: Subject<'_>,
    handle: Out<Handle>,
) -> NtResult {
    let kept = ObjectAttributeFlags::INHERIT | ObjectAttributeFlags::PROTECT_CLOSE;
    let number = ob::open_by_pointer(
        &caller.handles(),
        Object::as_erased(token),
        ObjectAttributeFlags(handle_attributes) & kept,
        AccessMask(access.0),
        None,
        subject,
    )?;
    handle.write(&number.0)
}

pub(crate) fn nt_open_process_token(
    caller: &Caller<'_>,
    process: Handle,
    access: Access,
    handle: Out<Handle>,
) -> NtResult {
    nt_open_process_token_ex(caller, process, access, 0, handle)
}

pub(crate) fn nt_open_process_token_ex(
    caller: &Caller<'_>,
    process: Handle,
    access: Access,
    handle_attributes: u32,
    handle: Out<Handle>,
) -> NtResult {
    handle.probe::<u64>()?;
    // The right to more contains the right to less.
    let process = caller
        .reference_process(process, AccessMask::PROCESS_QUERY_LIMITED_INFORMATION)
        .or_else(|status| match status {
            NtStatus::ACCESS_DENIED => {
                caller.reference_process(process, AccessMask::PROCESS_QUERY_INFORMATION)
            }
            _ => Err(status),
        })?;
    let tokens = caller.tokens();
    let token = process.token();
    open(
        caller,
        &token,
        access,
        handle_attributes,
        tokens.subject(),
        handle,
    )
}

pub(crate) fn nt_open_thread_token(
    caller: &Caller<'_>,
    thread: Handle,
    access: Access,
    open_as_self: Boolean,
    handle: Out<Handle>,
) -> NtResult {
    nt_open_thread_token_ex(caller, thread, access, open_as_self, 0, handle)
}

pub(crate) fn nt_open_thread_token_ex(
    caller: &Caller<'_>,
    thread: Handle,
    access: Access,
    open_as_self: Boolean,
    handle_attributes: u32,
    handle: Out<Handle>,
) -> NtResult {
    handle.probe::<u64>()?;
    let thread = caller
        .reference::<Thread>(thread, AccessMask::THREAD_QUERY_LIMITED_INFORMATION)
        .or_else(|status| match status {
            NtStatus::ACCESS_DENIED => {
                caller.reference::<Thread>(thread, AccessMask::THREAD_QUERY_INFORMATION)
            }
            _ => Err(status),
        })?;
    let token = thread.impersonates().ok_or(NtStatus::NO_TOKEN)?;
    if token.state().kind() == TokenKind::Impersonation(ImpersonationLevel::ANONYMOUS) {
        return Err(NtStatus::CANT_OPEN_ANONYMOUS);
    }
    let tokens = caller.tokens();
    let primary = caller.process().token().state();
    let subject = if open_as_self.is_true() {
        Subject::user(SubjectContext {
            primary: &primary,
            client: None,
        })
    } else {
        tokens.subject()
    };
    open(caller, &token, access, handle_attributes, subject, handle)
}

/// What a copy is to be.
fn kind_of(kind: TokenType, level: ImpersonationLevel) -> NtResult<TokenKind> {
    match Kind(kind.0) {
        Kind::PRIMARY => Ok(TokenKind::Primary),
        Kind::IMPERSONATION if level <= ImpersonationLevel::DELEGATION => {
            Ok(TokenKind::Impersonation(level))
        }
        Kind::IMPERSONATION => Err(NtStatus::BAD_IMPERSONATION_LEVEL),
        _ => Err(NtStatus::INVALID_PARAMETER),
    }
}

/// Captures a quality of service.
fn quality(address: u64) -> NtResult<Qos> {
    let qos: Qos = capture::read(address)?;
    if qos.length as usize != size_of::<Qos>() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    Ok(qos)
}

/// The level that a quality of service asks for; without one Anonymous.
fn level_of(address: u64) -> NtResult<ImpersonationLevel> {
    match address {
        0 => Ok(ImpersonationLevel::ANONYMOUS),
        _ => Ok(quality(address)?.impersonation_level),
    }
}

const fn scope(effective_only: bool) -> Scope {
    if effective_only {
        Scope::Effective
    } else {
        Scope::All
    }
}

pub(crate) fn nt_duplicate_token(
    caller: &Caller<'_>,
    existing_token: Handle,
    access: Access,
    attributes: OptionalIn<ObjectAttributes>,
    effective_only: Boolean,
    kind: TokenType,
    handle: Out<Handle>,
) -> NtResult {
    kind_of(kind, ImpersonationLevel::ANONYMOUS)?;
    handle.probe::<u64>()?;
    let attributes = Attributes::capture(attributes.address())?;
    let kind = kind_of(kind, level_of(attributes.quality_of_service)?)?;
    let (existing, granted) =
        caller.reference_with_rights::<TokenBody>(existing_token, AccessMask::TOKEN_DUPLICATE)?;
    // Without a wish the copy's handle has the rights of the original's.
    let access = match access.0 {
        0 => granted,
        wanted => AccessMask(wanted),
    };
    let scope = scope(effective_only.is_true());
    let copy = existing.state().duplicate(kind, scope, next_id())?;
    insert(caller, handle, copy, access, &attributes)
}

pub(crate) fn nt_filter_token(
    caller: &Caller<'_>,
    existing_token: Handle,
    flags: u32,
    sids_to_disable: OptionalIn<TokenGroups>,
    privileges_to_delete: OptionalIn<TokenPrivileges>,
    restricted_sids: OptionalIn<TokenGroups>,
    handle: Out<Handle>,
) -> NtResult {
    handle.probe::<u64>()?;
    let flags = FilterFlags(flags);
    let known = FilterFlags::DISABLE_MAX_PRIVILEGE
        | FilterFlags::SANDBOX_INERT
        | FilterFlags::LUA_TOKEN
        | FilterFlags::WRITE_RESTRICTED;
    if flags.bits() & !known.bits() != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let disable = lists::groups(sids_to_disable.address())?;
    let delete = lists::privileges(privileges_to_delete.address())?;
    let restrict = lists::groups(restricted_sids.address())?;
    if restrict.iter().any(|group| !group.attributes.is_empty()) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let (existing, access) =
        caller.reference_with_rights::<TokenBody>(existing_token, AccessMask::TOKEN_DUPLICATE)?;
    let filtered = existing.state().filter(
        &Filter {
            flags,
            disable: &sids_of(&disable)?,
            delete: PrivilegeMask::of_list(&delete),
            restrict: &sids_of(&restrict)?,
        },
        next_id(),
    )?;
    insert(caller, handle, filtered, access, &Attributes::none())
}

fn sids_of(groups: &[Group]) -> NtResult<Vec<Sid<'_>>> {
    let mut sids = Vec::new();
    memory::reserve(&mut sids, groups.len())?;
    sids.extend(groups.iter().map(|group| group.sid.as_sid()));
    Ok(sids)
}

/// # Differs
/// A token without a label among its groups is of the level Medium.
#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_create_token(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: OptionalIn<ObjectAttributes>,
    kind: TokenType,
    authentication_id: In<LuidArgument>,
    expiration_time: In<i64>,
    user: In<TokenUser>,
    groups: In<TokenGroups>,
    privileges: In<TokenPrivileges>,
    owner: OptionalIn<TokenOwner>,
    primary_group: In<TokenPrimaryGroup>,
    default_dacl: OptionalIn<TokenDefaultDacl>,
    source: In<TokenSource>,
) -> NtResult {
    handle.probe::<u64>()?;
    kind_of(kind, ImpersonationLevel::ANONYMOUS)?;
    caller.require_privilege(Privilege::CREATE_TOKEN)?;
    let attributes = Attributes::capture(attributes.address())?;
    let kind = kind_of(kind, level_of(attributes.quality_of_service)?)?;
    let user: SidAndAttributes64 = user.read()?;
    let user = capture::sid(user.sid)?;
    if groups.is_null() || privileges.is_null() {
        return Err(NtStatus::ACCESS_VIOLATION);
    }
    let mut groups = lists::groups(groups.address())?;
    let label = groups
        .iter()
        .position(|group| group.attributes.contains(GroupAttributes::INTEGRITY));
    let integrity = match label.map(|index| groups.remove(index)) {
        None => IntegrityLevel::MEDIUM,
        Some(label) => IntegrityLevel::of(label.sid.as_sid()).ok_or(NtStatus::INVALID_PARAMETER)?,
    };
    let privileges = lists::privileges(privileges.address())?;
    let owner = match owner.read_optional::<TokenPointer64>()? {
        None => user,
        Some(owner) => capture::sid(owner.pointer)?,
    };
    let primary_group: TokenPointer64 = primary_group.read()?;
    let default_dacl = match default_dacl.read_optional::<TokenPointer64>()? {
        None | Some(TokenPointer64 { pointer: 0 }) => None,
        Some(dacl) => Some(capture::acl(dacl.pointer)?),
    };
    let token = Token::create(&TokenDescription {
        token_id: next_id(),
        authentication_id: authentication_id.read()?,
        origin: Luid::default(),
        source: source.read::<Source>()?,
        kind,
        expiration_time: expiration_time.read()?,
        user,
        groups: &groups,
        integrity,
        mandatory_policy: nt_abi::security::TokenMandatoryPolicy::NO_WRITE_UP,
        privileges: Privileges::of_list(&privileges),
        owner,
        primary_group: capture::sid(primary_group.pointer)?,
        default_dacl: default_dacl.as_ref().map(AclBuf::as_acl),
        session_id: caller.process().token().state().session_id(),
        elevation_type: TokenElevationType::DEFAULT,
    })?;
    insert(caller, handle, token, AccessMask(access.0), &attributes)
}

pub(crate) fn nt_compare_tokens(
    caller: &Caller<'_>,
    first_token: Handle,
    second_token: Handle,
    equal: Out<Boolean>,
) -> NtResult {
    equal.probe::<u8>()?;
    let first = reference(caller, first_token, AccessMask::TOKEN_QUERY)?;
    let second = reference(caller, second_token, AccessMask::TOKEN_QUERY)?;
    let same = first.state().gives_same_access_as(&second.state());
    equal.write(&u8::from(same))
}

pub(crate) fn nt_impersonate_anonymous_token(caller: &Caller<'_>, thread: Handle) -> NtResult {
    let thread = caller.reference::<Thread>(thread, AccessMask::THREAD_IMPERSONATE)?;
    if caller.process().token().state().is_restricted() {
        return Err(NtStatus::ACCESS_DENIED);
    }
    let token = TokenBody::create(Token::anonymous(next_id())?)?;
    thread.set_impersonation(Some(token))
}

pub(crate) fn nt_impersonate_thread(
    caller: &Caller<'_>,
    server_thread: Handle,
    client_thread: Handle,
    security_qos: In<SecurityQualityOfService>,
) -> NtResult {
    let qos = quality(security_qos.address())?;
    let server = caller.reference::<Thread>(server_thread, AccessMask::THREAD_IMPERSONATE)?;
    let client =
        caller.reference::<Thread>(client_thread, AccessMask::THREAD_DIRECT_IMPERSONATION)?;
    let token = client
        .impersonates()
        .unwrap_or_else(|| client.process().token());
    let kind = kind_of(TokenType(Kind::IMPERSONATION.0), qos.impersonation_level)?;
    let scope = scope(qos.effective_only != 0);
    let copy = token.state().duplicate(kind, scope, next_id())?;
    server.set_impersonation(Some(TokenBody::create(copy)?))
}
