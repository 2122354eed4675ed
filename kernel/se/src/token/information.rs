//! Setting what a token says, class by class; a service has checked access and captured before.

use nt_abi::security::{Luid, TokenElevationType, TokenMandatoryPolicy};
use nt_abi::{NtResult, NtStatus};
use rtl::security::{Acl, AclBuf, Sid};

use super::{GroupAttributes, Token, TokenFlags};
use crate::mandatory::IntegrityLevel;

/// What Windows sets aside in a token for default group and DACL, in bytes.
pub(super) const DYNAMIC_CHARGED: usize = 500;

/// Which way an integrity level may move: up is for those who hold `SeTcbPrivilege`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LabelChange {
    /// Down, or not at all.
    Lower,
    /// Anywhere.
    Any,
}

impl Token {
    /// Sets who owns what it makes (`TokenOwner`).
    ///
    /// # Errors
    /// `INVALID_OWNER` if it is neither the user nor an enabled group that may own.
    pub fn set_owner(&mut self, owner: Sid<'_>, modified_id: Luid) -> NtResult {
        if !self.may_own(owner) {
            return Err(NtStatus::INVALID_OWNER);
        }
        self.owner = owner.to_buf();
        self.modified_id = modified_id;
        Ok(())
    }

    /// Sets the group of what it makes (`TokenPrimaryGroup`).
    ///
    /// # Errors
    /// `INVALID_PRIMARY_GROUP` if the token does not have it.
    pub fn set_primary_group(&mut self, group: Sid<'_>, modified_id: Luid) -> NtResult {
        if !self.has_sid(group) {
            return Err(NtStatus::INVALID_PRIMARY_GROUP);
        }
        self.primary_group = group.to_buf();
        self.modified_id = modified_id;
        Ok(())
    }

    /// Sets who may do what to what it makes (`TokenDefaultDacl`).
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    ///
    /// # Differs
    /// Windows refuses a DACL that exceeds what it set aside for the token; here it may have any length.
    pub fn set_default_dacl(&mut self, dacl: Option<Acl<'_>>, modified_id: Luid) -> NtResult {
        self.default_dacl = dacl.map(AclBuf::copy_of).transpose()?;
        self.modified_id = modified_id;
        Ok(())
    }

    /// Sets the session (`TokenSessionId`).
    pub fn set_session_id(&mut self, session_id: u32, modified_id: Luid) {
        self.session_id = session_id;
        self.modified_id = modified_id;
    }

    /// Sets the logon session that asked for its own (`TokenOrigin`); once it is set it stays.
    pub fn set_origin(&mut self, origin: Luid, modified_id: Luid) {
        if self.origin == Luid::default() {
            self.origin = origin;
            self.modified_id = modified_id;
        }
    }

    /// Sets the integrity level (`TokenIntegrityLevel`).
    ///
    /// # Errors
    /// `INVALID_LABEL` for a SID that is no label; `PRIVILEGE_NOT_HELD` if it would rise and may not.
    pub fn set_integrity(
        &mut self,
        label: Sid<'_>,
        change: LabelChange,
        modified_id: Luid,
    ) -> NtResult {
        let level = IntegrityLevel::of(label).ok_or(NtStatus::INVALID_LABEL)?;
        if level > self.integrity() && change == LabelChange::Lower {
            return Err(NtStatus::PRIVILEGE_NOT_HELD);
        }
        self.replace_label(level);
        self.modified_id = modified_id;
        Ok(())
    }

    pub(super) fn replace_label(&mut self, level: IntegrityLevel) {
        let is_label =
            |group: &&mut super::Group| group.attributes.contains(GroupAttributes::INTEGRITY);
        if let Some(group) = self.sids.iter_mut().find(is_label) {
            group.sid = level.sid();
        }
    }

    /// Sets what its level means (`TokenMandatoryPolicy`).
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for bits that mean nothing.
    pub fn set_mandatory_policy(
        &mut self,
        policy: TokenMandatoryPolicy,
        modified_id: Luid,
    ) -> NtResult {
        let known = TokenMandatoryPolicy::NO_WRITE_UP | TokenMandatoryPolicy::NEW_PROCESS_MIN;
        if !known.contains(policy) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        self.mandatory_policy = policy;
        self.modified_id = modified_id;
        Ok(())
    }

    /// Sets or clears flags (`TokenVirtualizationAllowed`, `TokenVirtualizationEnabled`, `TokenUIAccess`,
    /// `TokenSandBoxInert`).
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a flag that says how the token was filtered; `ACCESS_DENIED` if virtualization is to be
    /// enabled and is not allowed.
    pub fn set_flag(&mut self, flag: TokenFlags, on: bool, modified_id: Luid) -> NtResult {
        if flag.intersects(TokenFlags::FILTERED | TokenFlags::WRITE_RESTRICTED) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let allowed = self.flags.contains(TokenFlags::VIRTUALIZATION_ALLOWED);
        if on && !allowed && flag.contains(TokenFlags::VIRTUALIZATION_ENABLED) {
            return Err(NtStatus::ACCESS_DENIED);
        }
        self.flags.set(flag, on);
        self.modified_id = modified_id;
        Ok(())
    }

    /// Says which half of a pair it is; whoever makes the pair links the two.
    pub fn set_elevation_type(&mut self, elevation_type: TokenElevationType, modified_id: Luid) {
        self.elevation_type = elevation_type;
        self.modified_id = modified_id;
    }

    /// The bytes that default group and DACL need.
    pub(super) fn dynamic_length(&self) -> usize {
        let dacl = self.default_dacl().map_or(0, |acl| acl.bytes().len());
        self.primary_group.as_sid().bytes().len() + dacl
    }
}
