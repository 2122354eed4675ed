//! The tokens that are there from the start: the system's, and those of the accounts that log on before there is anyone to
//! ask.

use nt_abi::NtResult;
use nt_abi::security::{
    AccessMask, AceFlags, GroupAttributes, ImpersonationLevel, Luid, Privilege, TokenElevationType,
    TokenMandatoryPolicy, TokenSource,
};
use rtl::security::{AclBuf, AclBuilder, SidBuf, well_known};

use crate::mandatory::IntegrityLevel;
use crate::privileges::{PrivilegeMask, Privileges};
use crate::token::{Group, Token, TokenDescription, TokenKind};

/// What the system has enabled from the start; it has all others too, disabled.
pub const SYSTEM_PRIVILEGES: PrivilegeMask = PrivilegeMask::of(&[
    Privilege::TCB,
    Privilege::LOCK_MEMORY,
    Privilege::PROFILE_SINGLE_PROCESS,
    Privilege::INCREASE_BASE_PRIORITY,
    Privilege::CREATE_PAGEFILE,
    Privilege::CREATE_PERMANENT,
    Privilege::DEBUG,
    Privilege::AUDIT,
    Privilege::CHANGE_NOTIFY,
    Privilege::IMPERSONATE,
    Privilege::CREATE_GLOBAL,
    Privilege::INCREASE_WORKING_SET,
    Privilege::TIME_ZONE,
    Privilege::CREATE_SYMBOLIC_LINK,
    Privilege::DELEGATE_SESSION_USER_IMPERSONATE,
]);

/// What the system never needs: those of machine accounts and directory services.
const SYSTEM_LACKS: PrivilegeMask = PrivilegeMask::of(&[
    Privilege::MACHINE_ACCOUNT,
    Privilege::SYNC_AGENT,
    Privilege::ENABLE_DELEGATION,
]);

/// A user's privileges ("Privilege Constants", "User Rights Assignment": Users).
const USER_PRIVILEGES: PrivilegeMask = PrivilegeMask::of(&[
    Privilege::SHUTDOWN,
    Privilege::CHANGE_NOTIFY,
    Privilege::UNDOCK,
    Privilege::INCREASE_WORKING_SET,
    Privilege::TIME_ZONE,
]);

/// An administrator's privileges beyond those ("User Rights Assignment": Administrators).
const ADMINISTRATOR_PRIVILEGES: PrivilegeMask = PrivilegeMask::of(&[
    Privilege::INCREASE_QUOTA,
    Privilege::SECURITY,
    Privilege::TAKE_OWNERSHIP,
    Privilege::LOAD_DRIVER,
    Privilege::SYSTEM_PROFILE,
    Privilege::SYSTEMTIME,
    Privilege::PROFILE_SINGLE_PROCESS,
    Privilege::INCREASE_BASE_PRIORITY,
    Privilege::CREATE_PAGEFILE,
    Privilege::BACKUP,
    Privilege::RESTORE,
    Privilege::DEBUG,
    Privilege::SYSTEM_ENVIRONMENT,
    Privilege::REMOTE_SHUTDOWN,
    Privilege::MANAGE_VOLUME,
    Privilege::IMPERSONATE,
    Privilege::CREATE_GLOBAL,
    Privilege::CREATE_SYMBOLIC_LINK,
    Privilege::DELEGATE_SESSION_USER_IMPERSONATE,
]);

/// What an administrator has enabled from the start.
const ADMINISTRATOR_ENABLED: PrivilegeMask = PrivilegeMask::of(&[
    Privilege::CHANGE_NOTIFY,
    Privilege::IMPERSONATE,
    Privilege::CREATE_GLOBAL,
]);

const PLAIN: GroupAttributes = GroupAttributes::MANDATORY
    .union(GroupAttributes::ENABLED_BY_DEFAULT)
    .union(GroupAttributes::ENABLED);
const OWNING: GroupAttributes = PLAIN.union(GroupAttributes::OWNER);

const fn group(sid: SidBuf, attributes: GroupAttributes) -> Group {
    Group { sid, attributes }
}

/// Somebody who logs on at the machine.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    /// The token's id.
    pub token_id: Luid,
    /// The logon session.
    pub authentication_id: Luid,
    /// The user.
    pub user: SidBuf,
    /// The user's primary group.
    pub primary_group: SidBuf,
    /// The session of the desktop.
    pub session_id: u32,
}

/// A list in which some may do something.
fn allow(entries: &[(&SidBuf, AccessMask)]) -> NtResult<AclBuf> {
    let mut list = AclBuilder::new()?;
    for (sid, mask) in entries {
        list.allow(AceFlags::empty(), *mask, sid.as_sid())?;
    }
    Ok(list.finish())
}

fn source(name: &[u8; 8]) -> TokenSource {
    TokenSource {
        name: *name,
        identifier: Luid::default(),
    }
}

impl Token {
    /// The token of the system process.
    ///
    /// # NT
    /// `SeMakeSystemToken`.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    pub fn system(token_id: Luid) -> NtResult<Self> {
        let reading =
            AccessMask::GENERIC_READ | AccessMask::GENERIC_EXECUTE | AccessMask::READ_CONTROL;
        let default_dacl = allow(&[
            (&well_known::SYSTEM, AccessMask::GENERIC_ALL),
            (&well_known::ADMINISTRATORS, reading),
        ])?;
        let administrators = OWNING.difference(GroupAttributes::MANDATORY);
        Self::create(&TokenDescription {
            token_id,
            authentication_id: Luid::SYSTEM,
            origin: Luid::default(),
            source: source(b"*SYSTEM*"),
            kind: TokenKind::Primary,
            expiration_time: i64::MAX,
            user: well_known::SYSTEM,
            groups: &[
                group(well_known::ADMINISTRATORS, administrators),
                group(well_known::EVERYONE, PLAIN),
                group(well_known::AUTHENTICATED_USERS, PLAIN),
            ],
            integrity: IntegrityLevel::SYSTEM,
            mandatory_policy: TokenMandatoryPolicy::NO_WRITE_UP,
            privileges: Privileges::new(
                PrivilegeMask::ALL.difference(SYSTEM_LACKS),
                SYSTEM_PRIVILEGES,
            ),
            owner: well_known::ADMINISTRATORS,
            primary_group: well_known::SYSTEM,
            default_dacl: Some(default_dacl.as_acl()),
            session_id: 0,
            elevation_type: TokenElevationType::DEFAULT,
        })
    }

    /// The token of nobody in particular, for a thread that is to act as little as possible.
    ///
    /// # NT
    /// `SeAnonymousLogonTokenNoEveryone`: without the group Everyone, which since Windows XP does not include it.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "SeAnonymousLogonToken")]
    pub fn anonymous(token_id: Luid) -> NtResult<Self> {
        let default_dacl = allow(&[
            (&well_known::ANONYMOUS, AccessMask::GENERIC_ALL),
            (&well_known::SYSTEM, AccessMask::GENERIC_ALL),
        ])?;
        Self::create(&TokenDescription {
            token_id,
            authentication_id: Luid::ANONYMOUS_LOGON,
            origin: Luid::default(),
            source: source(b"*SYSTEM*"),
            kind: TokenKind::Impersonation(ImpersonationLevel::IMPERSONATION),
            expiration_time: i64::MAX,
            user: well_known::ANONYMOUS,
            groups: &[],
            integrity: IntegrityLevel::UNTRUSTED,
            mandatory_policy: TokenMandatoryPolicy::NO_WRITE_UP,
            privileges: Privileges::default(),
            owner: well_known::ANONYMOUS,
            primary_group: well_known::ANONYMOUS,
            default_dacl: Some(default_dacl.as_acl()),
            session_id: 0,
            elevation_type: TokenElevationType::DEFAULT,
        })
    }

    /// The token of an administrator who logged on at the machine, with all rights (no User Account Control, or its upper
    /// half).
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    pub fn administrator(account: &Account) -> NtResult<Self> {
        let groups = [
            group(account.primary_group, PLAIN),
            group(well_known::EVERYONE, PLAIN),
            group(well_known::LOCAL_ACCOUNT_AND_ADMINISTRATOR, PLAIN),
            group(well_known::ADMINISTRATORS, OWNING),
            group(well_known::USERS, PLAIN),
            group(well_known::INTERACTIVE, PLAIN),
            group(well_known::CONSOLE_LOGON, PLAIN),
            group(well_known::AUTHENTICATED_USERS, PLAIN),
            group(well_known::THIS_ORGANIZATION, PLAIN),
            group(well_known::LOCAL_ACCOUNT, PLAIN),
            logon_group(account),
            group(well_known::LOCAL, PLAIN),
            group(well_known::NTLM_AUTHENTICATION, PLAIN),
        ];
        let privileges = Privileges::new(
            USER_PRIVILEGES.union(ADMINISTRATOR_PRIVILEGES),
            ADMINISTRATOR_ENABLED,
        );
        let owner = well_known::ADMINISTRATORS;
        account.token(&groups, privileges, owner, IntegrityLevel::HIGH)
    }

    /// The token of a user without special rights who logged on at the machine.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    pub fn user_account(account: &Account) -> NtResult<Self> {
        let groups = [
            group(account.primary_group, PLAIN),
            group(well_known::EVERYONE, PLAIN),
            group(well_known::USERS, PLAIN),
            group(well_known::INTERACTIVE, PLAIN),
            group(well_known::CONSOLE_LOGON, PLAIN),
            group(well_known::AUTHENTICATED_USERS, PLAIN),
            group(well_known::THIS_ORGANIZATION, PLAIN),
            group(well_known::LOCAL_ACCOUNT, PLAIN),
            logon_group(account),
            group(well_known::LOCAL, PLAIN),
            group(well_known::NTLM_AUTHENTICATION, PLAIN),
        ];
        let enabled = PrivilegeMask::of(&[Privilege::CHANGE_NOTIFY]);
        let privileges = Privileges::new(USER_PRIVILEGES, enabled);
        account.token(&groups, privileges, account.user, IntegrityLevel::MEDIUM)
    }
}

/// The group that stands for the logon session.
fn logon_group(account: &Account) -> Group {
    let Luid { low, high } = account.authentication_id;
    let high = u32::from_ne_bytes(high.to_ne_bytes());
    group(
        well_known::logon(high, low),
        PLAIN | GroupAttributes::LOGON_ID,
    )
}

impl Account {
    fn token(
        &self,
        groups: &[Group],
        privileges: Privileges,
        owner: SidBuf,
        integrity: IntegrityLevel,
    ) -> NtResult<Token> {
        let reading = AccessMask::GENERIC_READ | AccessMask::GENERIC_EXECUTE;
        let default_dacl = allow(&[
            (&owner, AccessMask::GENERIC_ALL),
            (&well_known::SYSTEM, AccessMask::GENERIC_ALL),
            (&logon_group(self).sid, reading),
        ])?;
        Token::create(&TokenDescription {
            token_id: self.token_id,
            authentication_id: self.authentication_id,
            origin: Luid::SYSTEM,
            source: source(b"User32  "),
            kind: TokenKind::Primary,
            expiration_time: i64::MAX,
            user: self.user,
            groups,
            integrity,
            mandatory_policy: TokenMandatoryPolicy::NO_WRITE_UP
                | TokenMandatoryPolicy::NEW_PROCESS_MIN,
            privileges,
            owner,
            primary_group: self.primary_group,
            default_dacl: Some(default_dacl.as_acl()),
            session_id: self.session_id,
            elevation_type: TokenElevationType::DEFAULT,
        })
    }
}
