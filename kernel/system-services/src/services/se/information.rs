//! What a token says, and setting it.

use alloc::vec::Vec;

use nt_abi::access::AccessMask;
use nt_abi::security::{
    Luid, Privilege, SidAndAttributes64, TokenInformationClass as Class, TokenMandatoryPolicy,
    TokenPointer64,
};
use nt_abi::services::arguments::{
    Handle, InBytes, OptionalInArray, OptionalOutBytes, Out, OutBytes, TokenInformationClass,
    UnicodeString,
};
use nt_abi::{NtResult, NtStatus};
use ps::token::{TokenBody, next_id};
use rtl::security::{AclBuf, memory};
use se::{Answer, LabelChange, PointerWidth, TokenFlags};

use super::reference;
use crate::Caller;
use crate::capture::{self, Plain, Pointer};
use crate::information::{Query, setting};

/// The last class that Windows has.
const LAST_CLASS: Class = Class(49);

pub(crate) fn nt_query_information_token(
    caller: &Caller<'_>,
    token: Handle,
    class: TokenInformationClass,
    information: OptionalOutBytes,
    length: u32,
    return_length: Out<u32>,
) -> NtResult {
    return_length.probe::<u32>()?;
    let class = Class(class.0);
    let base = information.address();
    if !base.is_multiple_of(align_of::<u32>() as u64) {
        return Err(NtStatus::DATATYPE_MISALIGNMENT);
    }
    let query = Query::new(base, length, return_length.address())?;
    let rights = if class == Class::SOURCE {
        AccessMask::TOKEN_QUERY_SOURCE
    } else {
        AccessMask::TOKEN_QUERY
    };
    let token = reference(caller, token, rights)?;
    if class == Class::LINKED_TOKEN {
        // No logon here makes pairs.
        return Err(NtStatus::NO_SUCH_LOGON_SESSION);
    }
    let state = token.state();
    let Answer { status, length } = state.query(class, PointerWidth::Bits64, base, &mut []);
    match status {
        Ok(()) | Err(NtStatus::BUFFER_TOO_SMALL) => {}
        // Windows has it, and nothing here needs it yet.
        Err(NtStatus::INVALID_INFO_CLASS) if class > Class(0) && class <= LAST_CLASS => {
            return Err(NtStatus::NOT_IMPLEMENTED);
        }
        Err(status) => return Err(status),
    }
    if (query.length() as usize) < length {
        query.tell_length(length)?;
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    let mut answer = Vec::new();
    memory::reserve(&mut answer, length)?;
    answer.resize(length, 0);
    state
        .query(class, PointerWidth::Bits64, base, &mut answer)
        .status?;
    query.bytes(&answer, NtStatus::BUFFER_TOO_SMALL)
}

/// A structure with something behind a pointer: the buffer may be longer.
fn at_least<T: Plain>(buffer: u64, length: u32) -> NtResult<T> {
    if (length as usize) < size_of::<T>() {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    capture::read(buffer)
}

pub(crate) fn nt_set_information_token(
    caller: &Caller<'_>,
    token: Handle,
    class: TokenInformationClass,
    information: InBytes,
    length: u32,
) -> NtResult {
    let buffer = information.address();
    let class = Class(class.0);
    let rights = match class {
        Class::SESSION_ID => AccessMask::TOKEN_ADJUST_SESSIONID | AccessMask::TOKEN_ADJUST_DEFAULT,
        _ => AccessMask::TOKEN_ADJUST_DEFAULT,
    };
    let token = caller.reference::<TokenBody>(token, rights)?;
    let tokens = caller.tokens();
    let has = |privilege| tokens.subject().has_privilege(privilege);
    let demand = |privilege| {
        if has(privilege) {
            Ok(())
        } else {
            Err(NtStatus::PRIVILEGE_NOT_HELD)
        }
    };
    let set_flag = |flag: TokenFlags, privilege: Option<Privilege>| {
        let value: u32 = setting(buffer, length)?;
        privilege.map_or(Ok(()), demand)?;
        token.change(|token| token.set_flag(flag, value != 0, next_id()))
    };
    match class {
        Class::OWNER => {
            let owner: TokenPointer64 = at_least(buffer, length)?;
            let owner = capture::sid(owner.pointer)?;
            token.change(|token| token.set_owner(owner.as_sid(), next_id()))
        }
        Class::PRIMARY_GROUP => {
            let group: TokenPointer64 = at_least(buffer, length)?;
            let group = capture::sid(group.pointer)?;
            token.change(|token| token.set_primary_group(group.as_sid(), next_id()))
        }
        Class::DEFAULT_DACL => {
            let dacl: TokenPointer64 = at_least(buffer, length)?;
            let dacl = match dacl.pointer {
                0 => None,
                pointer => Some(capture::acl(pointer)?),
            };
            token.change(|token| {
                token.set_default_dacl(dacl.as_ref().map(AclBuf::as_acl), next_id())
            })
        }
        Class::SESSION_ID => {
            let session: u32 = setting(buffer, length)?;
            demand(Privilege::TCB)?;
            token.change(|token| {
                token.set_session_id(session, next_id());
                Ok(())
            })
        }
        Class::ORIGIN => {
            let origin: Luid = setting(buffer, length)?;
            demand(Privilege::TCB)?;
            token.change(|token| {
                token.set_origin(origin, next_id());
                Ok(())
            })
        }
        Class::INTEGRITY_LEVEL => {
            let label: SidAndAttributes64 = at_least(buffer, length)?;
            let label = capture::sid(label.sid)?;
            let change = if has(Privilege::TCB) {
                LabelChange::Any
            } else {
                LabelChange::Lower
            };
            token.change(|token| token.set_integrity(label.as_sid(), change, next_id()))
        }
        Class::MANDATORY_POLICY => {
            let policy: TokenMandatoryPolicy = setting(buffer, length)?;
            demand(Privilege::TCB)?;
            token.change(|token| token.set_mandatory_policy(policy, next_id()))
        }
        Class::VIRTUALIZATION_ALLOWED => set_flag(
            TokenFlags::VIRTUALIZATION_ALLOWED,
            Some(Privilege::CREATE_TOKEN),
        ),
        Class::VIRTUALIZATION_ENABLED => set_flag(TokenFlags::VIRTUALIZATION_ENABLED, None),
        Class::UI_ACCESS => set_flag(TokenFlags::UI_ACCESS, Some(Privilege::TCB)),
        Class::SAND_BOX_INERT => set_flag(TokenFlags::SANDBOX_INERT, Some(Privilege::TCB)),
        _ => Err(NtStatus::INVALID_INFO_CLASS),
    }
}

/// # Differs
/// No token here has claims: all of them are an empty list, and one that is named is not there.
pub(crate) fn nt_query_security_attributes_token(
    caller: &Caller<'_>,
    token: Handle,
    attributes: OptionalInArray<UnicodeString>,
    attribute_count: u32,
    buffer: OutBytes,
    length: u32,
    return_length: Out<u32>,
) -> NtResult {
    /// `TOKEN_SECURITY_ATTRIBUTES_INFORMATION` of version 1 without attributes.
    const NONE: [u8; 16] = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    return_length.probe::<u32>()?;
    reference(caller, token, AccessMask::TOKEN_QUERY)?;
    if attribute_count != 0 {
        if attributes.is_null() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        return Err(NtStatus::NOT_FOUND);
    }
    let query = Query::new(buffer.address(), length, return_length.address())?;
    query.bytes(&NONE, NtStatus::BUFFER_TOO_SMALL)
}
