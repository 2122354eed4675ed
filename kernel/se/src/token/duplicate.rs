//! Copies of tokens.

use alloc::vec::Vec;

use nt_abi::security::{GroupAttributes, ImpersonationLevel, Luid};
use nt_abi::{NtResult, NtStatus};
use rtl::security::{AclBuf, memory};

use super::{Group, Token, TokenKind};

/// How much of a token is copied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// All of it.
    All,
    /// What is enabled, so that the holder cannot enable the rest (`EffectiveOnly`).
    Effective,
}

impl Token {
    /// Copies the token.
    ///
    /// # NT
    /// `NtDuplicateToken`, `SeCopyClientToken`. Groups for denials alone count as enabled here: without them the copy could
    /// do more than the original.
    ///
    /// # Errors
    /// `BAD_IMPERSONATION_LEVEL` if an impersonation token is to become one of a higher level, or a primary one from below
    /// the level Impersonation; also for a level that does not exist. `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "NtDuplicateToken")]
    pub fn duplicate(&self, kind: TokenKind, scope: Scope, token_id: Luid) -> NtResult<Self> {
        let allowed = match (self.kind, kind) {
            (TokenKind::Primary, TokenKind::Primary) => true,
            (TokenKind::Primary, TokenKind::Impersonation(level)) => {
                level <= ImpersonationLevel::DELEGATION
            }
            (TokenKind::Impersonation(level), TokenKind::Primary) => {
                level >= ImpersonationLevel::IMPERSONATION
            }
            (TokenKind::Impersonation(old), TokenKind::Impersonation(new)) => new <= old,
        };
        if !allowed {
            return Err(NtStatus::BAD_IMPERSONATION_LEVEL);
        }
        let mut copy = self.copy(token_id)?;
        copy.kind = kind;
        if scope == Scope::Effective {
            copy.keep_what_is_enabled();
        }
        Ok(copy)
    }

    /// A copy of the very token, for a change that is to take its place.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    pub fn copy_for_change(&self) -> NtResult<Self> {
        self.copy(self.token_id)
    }

    /// A copy with an id of its own.
    pub(super) fn copy(&self, token_id: Luid) -> NtResult<Self> {
        let copy_sids = |sids: &Vec<Group>| memory::copy(sids);
        Ok(Self {
            token_id,
            sids: memory::copy(&self.sids)?,
            restricting: self.restricting.as_ref().map(copy_sids).transpose()?,
            default_dacl: self.default_dacl().map(AclBuf::copy_of).transpose()?,
            parent_token_id: self.parent_token_id,
            authentication_id: self.authentication_id,
            modified_id: self.modified_id,
            origin: self.origin,
            source: self.source,
            kind: self.kind,
            expiration_time: self.expiration_time,
            privileges: self.privileges,
            owner: self.owner,
            primary_group: self.primary_group,
            mandatory_policy: self.mandatory_policy,
            session_id: self.session_id,
            elevation_type: self.elevation_type,
            flags: self.flags,
        })
    }

    fn keep_what_is_enabled(&mut self) {
        let disabled = self
            .privileges
            .present()
            .difference(self.privileges.enabled());
        self.privileges.remove(disabled);
        let kept = GroupAttributes::ENABLED
            | GroupAttributes::USE_FOR_DENY_ONLY
            | GroupAttributes::INTEGRITY;
        let mut index = 0;
        self.sids.retain(|group| {
            index += 1;
            index == 1 || group.attributes.intersects(kept)
        });
        self.mend_defaults();
    }

    /// Makes the user the owner and the primary group of new objects where the token's SIDs no longer allow what it was.
    pub(super) fn mend_defaults(&mut self) {
        let user = self.user().sid;
        if !self.may_own(self.owner.as_sid()) {
            self.owner = user;
        }
        if !self.has_sid(self.primary_group.as_sid()) {
            self.primary_group = user;
        }
    }
}
