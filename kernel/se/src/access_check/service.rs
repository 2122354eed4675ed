//! The access check as a service: a server asks about its client and about an object of its own.

use nt_abi::security::ImpersonationLevel;
use nt_abi::{NtResult, NtStatus};

use super::{AccessDecision, AccessRequest, Check, Node};
use crate::token::TokenKind;

/// Answers a server's question.
///
/// # NT
/// `NtAccessCheck`. A token of the level Identification will do: the server learns what the client might do, it does not act
/// for it.
///
/// # Errors
/// `NO_IMPERSONATION_TOKEN` for a primary token, `BAD_IMPERSONATION_LEVEL` below the level Identification,
/// `INVALID_SECURITY_DESCR` for a descriptor without owner or group. In the answer as
/// [`access_check`](super::access_check).
#[doc(alias = "NtAccessCheck")]
pub fn check_client(request: &AccessRequest<'_>) -> NtResult<AccessDecision> {
    let TokenKind::Impersonation(level) = request.token.kind() else {
        return Err(NtStatus::NO_IMPERSONATION_TOKEN);
    };
    if level < ImpersonationLevel::IDENTIFICATION {
        return Err(NtStatus::BAD_IMPERSONATION_LEVEL);
    }
    if request.descriptor.owner().is_none() || request.descriptor.group().is_none() {
        return Err(NtStatus::INVALID_SECURITY_DESCR);
    }
    let mut check = Check::new(request);
    Ok(match check.judge_levels_and_privileges() {
        Ok(()) => check.whole(&mut [Node::ROOT], false),
        Err(decision) => decision,
    })
}
