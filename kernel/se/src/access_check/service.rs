//! The access check as a service: a server asks about its client and about an object of its own.

use nt_abi::security::ImpersonationLevel;
use nt_abi::{NtResult, NtStatus};

use super::object_types::ObjectTypeList;
use super::{AccessDecision, AccessRequest, Check, Node};
use crate::PrivilegeMask;
use crate::token::{Token, TokenKind};

/// Whether a token is a client's that a server may ask about: the level Identification will do, since the server learns what
/// the client might do, it does not act for it.
///
/// # Errors
/// `NO_IMPERSONATION_TOKEN` for a primary token, `BAD_IMPERSONATION_LEVEL` below the level Identification.
pub fn may_be_asked_about(token: &Token) -> NtResult {
    match token.kind() {
        TokenKind::Primary => Err(NtStatus::NO_IMPERSONATION_TOKEN),
        TokenKind::Impersonation(level) if level < ImpersonationLevel::IDENTIFICATION => {
            Err(NtStatus::BAD_IMPERSONATION_LEVEL)
        }
        TokenKind::Impersonation(_) => Ok(()),
    }
}

fn start<'a>(request: &'a AccessRequest<'a>) -> NtResult<Result<Check<'a>, AccessDecision>> {
    may_be_asked_about(request.token)?;
    if request.descriptor.owner().is_none() || request.descriptor.group().is_none() {
        return Err(NtStatus::INVALID_SECURITY_DESCR);
    }
    let mut check = Check::new(request);
    Ok(match check.judge_levels_and_privileges() {
        Ok(()) => Ok(check),
        Err(decision) => Err(decision),
    })
}

/// Answers a server's question.
///
/// # NT
/// `NtAccessCheck`.
///
/// # Errors
/// As [`may_be_asked_about`]; `INVALID_SECURITY_DESCR` for a descriptor without owner or group. In the answer as
/// [`access_check`](super::access_check).
#[doc(alias = "NtAccessCheck")]
pub fn check_client(request: &AccessRequest<'_>) -> NtResult<AccessDecision> {
    Ok(match start(request)? {
        Ok(check) => check.whole(&mut [Node::ROOT], false),
        Err(decision) => decision,
    })
}

/// Answers a server's question about an object with parts: the rights to all of it.
///
/// # NT
/// `NtAccessCheckByType`.
///
/// # Errors
/// As [`check_client`].
#[doc(alias = "NtAccessCheckByType")]
pub fn check_client_by_type(
    request: &AccessRequest<'_>,
    parts: &mut ObjectTypeList,
) -> NtResult<AccessDecision> {
    Ok(match start(request)? {
        Ok(check) => check.whole(parts.reset(), true),
        Err(decision) => decision,
    })
}

/// Answers a server's question about an object with parts, for each part.
///
/// # NT
/// `NtAccessCheckByTypeResultList`.
///
/// # Errors
/// As [`check_client`]; for a part as [`access_check`](super::access_check).
#[doc(alias = "NtAccessCheckByTypeResultList")]
pub fn check_client_by_type_result_list(
    request: &AccessRequest<'_>,
    parts: &mut ObjectTypeList,
) -> NtResult<PrivilegeMask> {
    let start = start(request)?;
    let nodes = parts.reset();
    Ok(match start {
        Ok(check) => check.each(nodes),
        Err(decision) => {
            for node in nodes {
                node.result = decision.granted;
            }
            decision.used
        }
    })
}
