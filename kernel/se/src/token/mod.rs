//! Tokens: who somebody is, for as long as a process or a thread has it.

use alloc::vec::Vec;

use bitflags::bitflags;
use nt_abi::security::{
    GroupAttributes, ImpersonationLevel, Luid, TokenElevationType, TokenMandatoryPolicy,
    TokenSource, TokenType,
};
use nt_abi::{NtResult, NtStatus};
use rtl::security::{Acl, AclBuf, Sid, SidBuf, memory, well_known};

use crate::mandatory::IntegrityLevel;
use crate::privileges::Privileges;

pub(crate) mod adjust;
pub(crate) mod duplicate;
pub(crate) mod filter;
pub(crate) mod information;
pub(crate) mod query;

/// A SID in a token and how it counts (`SID_AND_ATTRIBUTES`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Group {
    /// Who.
    pub sid: SidBuf,
    /// How it counts.
    pub attributes: GroupAttributes,
}

/// Whether a token is a process' or a thread's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenKind {
    /// A process'.
    Primary,
    /// A thread's, which acts for a client as far as the level says.
    Impersonation(ImpersonationLevel),
}

impl TokenKind {
    /// Its number.
    pub fn token_type(self) -> TokenType {
        match self {
            Self::Primary => TokenType::PRIMARY,
            Self::Impersonation(_) => TokenType::IMPERSONATION,
        }
    }

    /// Its level; a primary token has none, which is the number 0.
    pub fn level(self) -> ImpersonationLevel {
        match self {
            Self::Primary => ImpersonationLevel::ANONYMOUS,
            Self::Impersonation(level) => level,
        }
    }
}

bitflags! {
    /// What else holds for a token.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct TokenFlags: u32 {
        /// It was filtered (`TokenHasRestrictions`).
        const FILTERED = 1;
        /// Its restricting SIDs count for writing alone.
        const WRITE_RESTRICTED = 2;
        /// Software restriction policies do not look at it.
        const SANDBOX_INERT = 4;
        /// Virtualization may be switched on.
        const VIRTUALIZATION_ALLOWED = 8;
        /// Writes to places that need an administrator go to the user's own copy.
        const VIRTUALIZATION_ENABLED = 16;
        /// It may drive windows of higher levels.
        const UI_ACCESS = 32;
    }
}

/// Which of a token's two lists of SIDs is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SidList {
    /// User and groups.
    Normal,
    /// The restricting SIDs.
    Restricting,
}

/// What a SID is looked for, since some count for denials alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SidUse {
    /// To allow something.
    Allow,
    /// To deny something.
    Deny,
}

/// A token.
pub struct Token {
    pub(crate) token_id: Luid,
    pub(crate) parent_token_id: Luid,
    pub(crate) authentication_id: Luid,
    pub(crate) modified_id: Luid,
    pub(crate) origin: Luid,
    pub(crate) source: TokenSource,
    pub(crate) kind: TokenKind,
    pub(crate) expiration_time: i64,
    /// The user, then the groups, among them the integrity label.
    pub(crate) sids: Vec<Group>,
    /// `Some` and empty is a token that two lists restrict which have nothing in common: nothing is allowed.
    pub(crate) restricting: Option<Vec<Group>>,
    pub(crate) privileges: Privileges,
    pub(crate) owner: SidBuf,
    pub(crate) primary_group: SidBuf,
    pub(crate) default_dacl: Option<AclBuf>,
    pub(crate) mandatory_policy: TokenMandatoryPolicy,
    pub(crate) session_id: u32,
    pub(crate) elevation_type: TokenElevationType,
    pub(crate) flags: TokenFlags,
}

/// All that makes a new token.
#[derive(Clone, Copy)]
pub struct TokenDescription<'a> {
    /// Its own id, which nobody had before.
    pub token_id: Luid,
    /// Its logon session.
    pub authentication_id: Luid,
    /// The logon session that asked for that one; 0 if none did.
    pub origin: Luid,
    /// Who makes it.
    pub source: TokenSource,
    /// Whose it is.
    pub kind: TokenKind,
    /// When it expires, in 100 ns since 1601; `i64::MAX` for never.
    pub expiration_time: i64,
    /// The user.
    pub user: SidBuf,
    /// The groups, without a label.
    pub groups: &'a [Group],
    /// The integrity level.
    pub integrity: IntegrityLevel,
    /// What the level means.
    pub mandatory_policy: TokenMandatoryPolicy,
    /// The privileges.
    pub privileges: Privileges,
    /// Who owns what it makes.
    pub owner: SidBuf,
    /// The group of what it makes.
    pub primary_group: SidBuf,
    /// Who may do what to what it makes.
    pub default_dacl: Option<Acl<'a>>,
    /// The session of the desktop.
    pub session_id: u32,
    /// Whether it is one of a pair.
    pub elevation_type: TokenElevationType,
}

impl Token {
    /// Makes a token.
    ///
    /// # NT
    /// The inner part of `NtCreateToken`. Mandatory groups are enabled, whatever the description says.
    ///
    /// # Errors
    /// `INVALID_OWNER` if the owner is neither the user nor a group that may own, `INVALID_PRIMARY_GROUP` if that group is
    /// not in the token, `INVALID_PARAMETER` for a group that claims to be a label, `BAD_IMPERSONATION_LEVEL`,
    /// `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "NtCreateToken")]
    pub fn create(description: &TokenDescription<'_>) -> NtResult<Self> {
        if description.kind.level() > ImpersonationLevel::DELEGATION {
            return Err(NtStatus::BAD_IMPERSONATION_LEVEL);
        }
        let mut sids = Vec::new();
        memory::reserve(&mut sids, description.groups.len() + 2)?;
        sids.push(Group {
            sid: description.user,
            attributes: GroupAttributes::empty(),
        });
        for group in description.groups {
            let mut group = *group;
            if group.attributes.contains(GroupAttributes::INTEGRITY) {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            if group.attributes.contains(GroupAttributes::MANDATORY) {
                group.attributes |= GroupAttributes::ENABLED | GroupAttributes::ENABLED_BY_DEFAULT;
            }
            sids.push(group);
        }
        sids.push(Group {
            sid: description.integrity.sid(),
            attributes: GroupAttributes::INTEGRITY | GroupAttributes::INTEGRITY_ENABLED,
        });
        let default_dacl = description.default_dacl.map(AclBuf::copy_of).transpose()?;
        let token = Self {
            token_id: description.token_id,
            parent_token_id: Luid::default(),
            authentication_id: description.authentication_id,
            modified_id: description.token_id,
            origin: description.origin,
            source: description.source,
            kind: description.kind,
            expiration_time: description.expiration_time,
            sids,
            restricting: None,
            privileges: description.privileges,
            owner: description.owner,
            primary_group: description.primary_group,
            default_dacl,
            mandatory_policy: description.mandatory_policy,
            session_id: description.session_id,
            elevation_type: description.elevation_type,
            flags: TokenFlags::VIRTUALIZATION_ALLOWED,
        };
        if !token.may_own(token.owner.as_sid()) {
            return Err(NtStatus::INVALID_OWNER);
        }
        if !token.has_sid(token.primary_group.as_sid()) {
            return Err(NtStatus::INVALID_PRIMARY_GROUP);
        }
        Ok(token)
    }

    /// Its id.
    pub fn token_id(&self) -> Luid {
        self.token_id
    }

    /// The id of the token that it was filtered from; 0 for none.
    pub fn parent_token_id(&self) -> Luid {
        self.parent_token_id
    }

    /// Its logon session.
    pub fn authentication_id(&self) -> Luid {
        self.authentication_id
    }

    /// Changes whenever it does.
    pub fn modified_id(&self) -> Luid {
        self.modified_id
    }

    /// The logon session that asked for its own.
    pub fn origin(&self) -> Luid {
        self.origin
    }

    /// Who made it.
    pub fn source(&self) -> &TokenSource {
        &self.source
    }

    /// Whose it is.
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// The user.
    pub fn user(&self) -> &Group {
        &self.sids[0]
    }

    /// The groups, among them the label.
    pub fn groups(&self) -> &[Group] {
        &self.sids[1..]
    }

    /// The restricting SIDs, if it is restricted.
    pub fn restricting_sids(&self) -> Option<&[Group]> {
        self.restricting.as_deref()
    }

    /// The privileges.
    pub fn privileges(&self) -> &Privileges {
        &self.privileges
    }

    /// Who owns what it makes.
    pub fn owner(&self) -> &SidBuf {
        &self.owner
    }

    /// The group of what it makes.
    pub fn primary_group(&self) -> &SidBuf {
        &self.primary_group
    }

    /// Who may do what to what it makes.
    pub fn default_dacl(&self) -> Option<Acl<'_>> {
        self.default_dacl.as_ref().map(AclBuf::as_acl)
    }

    /// The session of the desktop.
    pub fn session_id(&self) -> u32 {
        self.session_id
    }

    /// Whether it is one of a pair.
    pub fn elevation_type(&self) -> TokenElevationType {
        self.elevation_type
    }

    /// What else holds for it.
    pub fn flags(&self) -> TokenFlags {
        self.flags
    }

    /// What its level means.
    pub fn mandatory_policy(&self) -> TokenMandatoryPolicy {
        self.mandatory_policy
    }

    /// Its integrity level.
    pub fn integrity(&self) -> IntegrityLevel {
        self.sids
            .iter()
            .find(|group| group.attributes.contains(GroupAttributes::INTEGRITY))
            .and_then(|group| well_known::label_level(group.sid.as_sid()))
            .map_or(IntegrityLevel::UNTRUSTED, IntegrityLevel)
    }

    /// Whether it has restricting SIDs, for writing or for all.
    #[doc(alias = "SeTokenIsRestricted")]
    pub fn is_restricted(&self) -> bool {
        self.restricting.is_some()
    }

    /// Whether the group Administrators counts in it to allow.
    #[doc(alias = "SeTokenIsAdmin")]
    pub fn is_administrator(&self) -> bool {
        let lists = [
            Some(SidList::Normal),
            self.is_restricted().then_some(SidList::Restricting),
        ];
        let administrators = well_known::ADMINISTRATORS;
        lists
            .into_iter()
            .flatten()
            .all(|list| self.holds(list, administrators.as_sid(), SidUse::Allow))
    }

    /// Whether a SID counts in one of its lists.
    ///
    /// # NT
    /// "SID Attributes in an Access Token": the user counts unless it is for denials alone, a group if it is enabled, and
    /// for a denial also if it is for denials alone. Restricting SIDs count always.
    pub fn holds(&self, list: SidList, sid: Sid<'_>, sid_use: SidUse) -> bool {
        if list == SidList::Restricting {
            let sids = self.restricting.as_deref().unwrap_or_default();
            return sids.iter().any(|group| group.sid == sid);
        }
        self.sids.iter().enumerate().any(|(index, group)| {
            let deny_only = group
                .attributes
                .contains(GroupAttributes::USE_FOR_DENY_ONLY);
            let enabled = match index {
                0 => !deny_only,
                _ => group.attributes.contains(GroupAttributes::ENABLED),
            };
            (enabled || (deny_only && sid_use == SidUse::Deny)) && group.sid == sid
        })
    }

    /// Whether it and another give the same access: the same user, groups, restricting SIDs and privileges, each held in
    /// the same way, in whatever order.
    ///
    /// # NT
    /// `NtCompareTokens`.
    #[doc(alias = "NtCompareTokens")]
    pub fn gives_same_access_as(&self, other: &Self) -> bool {
        fn same(one: &[Group], other: &[Group]) -> bool {
            one.len() == other.len() && one.iter().all(|group| other.contains(group))
        }
        self.user() == other.user()
            && same(self.groups(), other.groups())
            && self.is_restricted() == other.is_restricted()
            && same(
                self.restricting_sids().unwrap_or_default(),
                other.restricting_sids().unwrap_or_default(),
            )
            && self.privileges.present() == other.privileges.present()
            && self.privileges.enabled() == other.privileges.enabled()
    }

    /// Whether the SID is its user's or a group's, enabled or not.
    pub(crate) fn has_sid(&self, sid: Sid<'_>) -> bool {
        self.sids.iter().any(|group| group.sid == sid)
    }

    /// Whether objects that it makes may belong to the SID: its user, or an enabled group that may own.
    pub(crate) fn may_own(&self, sid: Sid<'_>) -> bool {
        let wanted = GroupAttributes::OWNER | GroupAttributes::ENABLED;
        let deny_only = GroupAttributes::USE_FOR_DENY_ONLY;
        let (user, groups) = (self.user(), self.groups());
        (user.sid == sid && !user.attributes.contains(deny_only))
            || groups
                .iter()
                .any(|group| group.sid == sid && group.attributes.contains(wanted))
    }

    /// Whether it may be used to open something: a primary token, or one of the level Impersonation or above.
    pub(crate) fn may_act(&self) -> bool {
        match self.kind {
            TokenKind::Primary => true,
            TokenKind::Impersonation(level) => level >= ImpersonationLevel::IMPERSONATION,
        }
    }
}
