//! Whether a server may act for a client.

use nt_abi::security::{ImpersonationLevel, Luid, Privilege};

use crate::Token;
use crate::token::TokenKind;

/// Whether a process may act as the client whose token that is, and not merely look at it.
///
/// It may below the level Impersonation, as nobody, with `SeImpersonatePrivilege` enabled, as somebody whom its own logon
/// session logged on, and as itself: the same user of no higher integrity, and without shaking off restrictions.
///
/// # NT
/// `SeTokenCanImpersonate` ("Impersonate a client after authentication"; the remarks on `ImpersonateLoggedOnUser`).
#[doc(alias = "SeTokenCanImpersonate")]
pub fn may_impersonate(process: &Token, client: &Token) -> bool {
    let below = match client.kind() {
        TokenKind::Primary => false,
        TokenKind::Impersonation(level) => level < ImpersonationLevel::IMPERSONATION,
    };
    if below
        || client.authentication_id() == Luid::ANONYMOUS_LOGON
        || process
            .privileges()
            .enabled()
            .contains(Privilege::IMPERSONATE)
        || client.origin() == process.authentication_id()
    {
        return true;
    }
    client.user().sid == process.user().sid
        && client.integrity() <= process.integrity()
        && (client.is_restricted() || !process.is_restricted())
}
