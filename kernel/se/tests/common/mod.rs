//! What the tests of this crate share: SIDs and tokens by name, lists as text.
#![allow(dead_code, reason = "each test program uses some of it")]

use nt_abi::NtResult;
use nt_abi::security::{
    AccessMask, FilterFlags, GenericMapping, GroupAttributes, Guid, ImpersonationLevel, Luid,
    Privilege, TokenElevationType, TokenMandatoryPolicy, TokenSource,
};
use rtl::security::{Acl, AclState, Descriptor, Provenance, SidBuf, well_known};
use se::{
    Filter, Group, IntegrityLevel, PrivilegeMask, Privileges, Scope, Token, TokenDescription,
    TokenKind,
};

pub(crate) const MAPPING: GenericMapping = GenericMapping {
    generic_read: AccessMask(0x0002_0001),
    generic_write: AccessMask(0x0002_0002),
    generic_execute: AccessMask(0x0002_0004),
    generic_all: AccessMask(0x000F_000F),
};

/// The user of all tokens here, but the system's.
pub(crate) const ME: SidBuf = SidBuf::new(5, &[21, 0, 0, 0, 1000]);
pub(crate) const USERS_GROUP: SidBuf = SidBuf::new(5, &[21, 0, 0, 0, 513]);

pub(crate) const PLAIN: GroupAttributes = GroupAttributes::MANDATORY
    .union(GroupAttributes::ENABLED_BY_DEFAULT)
    .union(GroupAttributes::ENABLED);
pub(crate) const OWNING: GroupAttributes = PLAIN.union(GroupAttributes::OWNER);

/// The SID of a two-letter name.
pub(crate) fn sid(name: &str) -> SidBuf {
    match name {
        "ME" => ME,
        "WD" => well_known::EVERYONE,
        "BA" => well_known::ADMINISTRATORS,
        "BU" => well_known::USERS,
        "SY" => well_known::SYSTEM,
        "IU" => well_known::INTERACTIVE,
        "AU" => well_known::AUTHENTICATED_USERS,
        "DU" => well_known::DIALUP,
        "OW" => well_known::OWNER_RIGHTS,
        "PS" => well_known::PRINCIPAL_SELF,
        "RC" => well_known::RESTRICTED_CODE,
        "WR" => well_known::WRITE_RESTRICTED,
        "ML" => well_known::MEDIUM_LABEL,
        other => panic!("no SID is called {other}"),
    }
}

/// The level of a letter.
pub(crate) fn level(name: &str) -> IntegrityLevel {
    match name {
        "U" => IntegrityLevel::UNTRUSTED,
        "L" => IntegrityLevel::LOW,
        "M" => IntegrityLevel::MEDIUM,
        "H" => IntegrityLevel::HIGH,
        "S" => IntegrityLevel::SYSTEM,
        other => panic!("no level is called {other}"),
    }
}

/// The GUID of a part with a one-letter name.
pub(crate) fn part(name: &str) -> Guid {
    let letter = name.bytes().next().expect("a letter");
    Guid {
        data1: u32::from(letter),
        data2: 0x4142,
        data3: 0x4344,
        data4: [letter; 8],
    }
}

/// What makes [`ME`]'s token.
pub(crate) fn describe(groups: &[Group], integrity: IntegrityLevel) -> TokenDescription<'_> {
    TokenDescription {
        token_id: Luid::new(100),
        authentication_id: Luid::new(200),
        origin: Luid::default(),
        source: TokenSource {
            name: *b"tests   ",
            identifier: Luid::default(),
        },
        kind: TokenKind::Primary,
        expiration_time: i64::MAX,
        user: ME,
        groups,
        integrity,
        mandatory_policy: TokenMandatoryPolicy::NO_WRITE_UP,
        privileges: Privileges::new(
            PrivilegeMask::of(&[Privilege::CHANGE_NOTIFY]),
            PrivilegeMask::ALL,
        ),
        owner: ME,
        primary_group: USERS_GROUP,
        default_dacl: None,
        session_id: 1,
        elevation_type: TokenElevationType::DEFAULT,
    }
}

pub(crate) fn group(sid: SidBuf, attributes: GroupAttributes) -> Group {
    Group { sid, attributes }
}

/// The groups of an ordinary user; Dialup is disabled.
pub(crate) fn user_groups() -> Vec<Group> {
    vec![
        group(USERS_GROUP, PLAIN),
        group(well_known::EVERYONE, PLAIN),
        group(well_known::USERS, PLAIN),
        group(well_known::INTERACTIVE, PLAIN),
        group(well_known::AUTHENTICATED_USERS, PLAIN),
        group(well_known::DIALUP, GroupAttributes::empty()),
    ]
}

fn filtered(token: &Token, flags: FilterFlags, disable: &[&str], restrict: &[&str]) -> Token {
    let sids = |names: &[&str]| names.iter().map(|name| sid(name)).collect::<Vec<_>>();
    let (disable, restrict) = (sids(disable), sids(restrict));
    token
        .filter(
            &Filter {
                flags,
                disable: &disable.iter().map(SidBuf::as_sid).collect::<Vec<_>>(),
                delete: PrivilegeMask::EMPTY,
                restrict: &restrict.iter().map(SidBuf::as_sid).collect::<Vec<_>>(),
            },
            Luid::new(101),
        )
        .expect("memory")
}

fn impersonating(token: &Token, level: ImpersonationLevel) -> NtResult<Token> {
    token.duplicate(TokenKind::Impersonation(level), Scope::All, Luid::new(102))
}

/// The token of a name.
pub(crate) fn token(name: &str) -> Token {
    let groups = user_groups();
    let with = |level, privileges: &[Privilege], enabled| {
        let present = PrivilegeMask::of(privileges);
        let enabled = if enabled {
            present
        } else {
            PrivilegeMask::EMPTY
        };
        let mut description = describe(&groups, level);
        description.privileges = Privileges::new(present, enabled);
        Token::create(&description).expect("memory")
    };
    let none = FilterFlags::empty();
    let user = with(IntegrityLevel::MEDIUM, &[], true);
    match name {
        "user" => user,
        "takeown" => with(IntegrityLevel::MEDIUM, &[Privilege::TAKE_OWNERSHIP], true),
        "security" => with(IntegrityLevel::MEDIUM, &[Privilege::SECURITY], true),
        "nosecurity" => with(IntegrityLevel::MEDIUM, &[Privilege::SECURITY], false),
        "low" => with(IntegrityLevel::LOW, &[], true),
        "untrusted" => with(IntegrityLevel::UNTRUSTED, &[], true),
        "high" => with(IntegrityLevel::HIGH, &[], true),
        "lowtakeown" => with(IntegrityLevel::LOW, &[Privilege::TAKE_OWNERSHIP], true),
        "lowrelabel" => with(IntegrityLevel::LOW, &[Privilege::RELABEL], true),
        "policyoff" => {
            let mut token = user;
            token
                .set_mandatory_policy(TokenMandatoryPolicy::empty(), Luid::new(103))
                .expect("known bits");
            token
        }
        "denyonly" => filtered(&user, none, &["IU"], &[]),
        "nouser" => filtered(&user, none, &["ME"], &[]),
        "restricted" => filtered(&user, none, &[], &["RC"]),
        "restrictedme" => filtered(&user, none, &[], &["RC", "ME"]),
        "restrictednone" => {
            let once = filtered(&user, none, &[], &["RC"]);
            filtered(&once, none, &[], &["WD"])
        }
        "writerestricted" => filtered(&user, FilterFlags::WRITE_RESTRICTED, &[], &["WR"]),
        "admin" => administrator(),
        "lua" => filtered(&administrator(), FilterFlags::LUA_TOKEN, &[], &[]),
        "system" => Token::system(Luid::new(1)).expect("memory"),
        "anonymous" => impersonating(&user, ImpersonationLevel::ANONYMOUS).expect("memory"),
        "identification" => {
            impersonating(&user, ImpersonationLevel::IDENTIFICATION).expect("memory")
        }
        "impersonation" => impersonating(&user, ImpersonationLevel::IMPERSONATION).expect("memory"),
        "delegation" => impersonating(&user, ImpersonationLevel::DELEGATION).expect("memory"),
        other => panic!("no token is called {other}"),
    }
}

pub(crate) fn account() -> se::Account {
    se::Account {
        token_id: Luid::new(300),
        authentication_id: Luid::new(0x1_2345),
        user: ME,
        primary_group: USERS_GROUP,
        session_id: 1,
    }
}

pub(crate) fn administrator() -> Token {
    Token::administrator(&account()).expect("memory")
}

/// The bytes of a list from entries as text, TYPE[.PART][flags]:SID:MASK.
pub(crate) fn list(text: &str) -> Vec<u8> {
    let mut entries = Vec::new();
    let mut count = 0u16;
    for entry in text.split_whitespace() {
        entries.extend(ace(entry));
        count += 1;
    }
    let size = u16::try_from(8 + entries.len()).expect("short");
    let mut bytes = vec![4, 0];
    bytes.extend(size.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(entries);
    bytes
}

fn ace(text: &str) -> Vec<u8> {
    let mut fields = text.split(':');
    let mut next = || fields.next().expect("TYPE:SID:MASK");
    let (kind, sid_name, mask) = (next(), next(), next());
    let (kind, guid) = match kind.split_once('.') {
        Some((kind, name)) => (kind, Some(part(name))),
        None => (kind, None),
    };
    let (kind, flags) =
        kind.split_at(kind.len() - kind.bytes().filter(u8::is_ascii_lowercase).count());
    let flags = match flags {
        "" => 0,
        "io" => 8,
        "sa" => 0x40,
        "fa" => 0x80,
        other => panic!("no flags are called {other}"),
    };
    let number = match kind {
        "A" => 0,
        "D" => 1,
        "AU" => 2,
        "OA" => 5,
        "OD" => 6,
        "CA" => 9,
        "CD" => 10,
        "ML" => 0x11,
        "X" => 0x77,
        other => panic!("no type is called {other}"),
    };
    let mask = u32::from_str_radix(mask, 16).expect("a mask");
    let mut bytes = vec![number, flags, 0, 0];
    bytes.extend(mask.to_le_bytes());
    if kind.starts_with('O') {
        bytes.extend(u32::from(guid.is_some()).to_le_bytes());
        if let Some(guid) = guid {
            bytes.extend(zerocopy::IntoBytes::as_bytes(&guid));
        }
    }
    let sid = match sid_name.strip_prefix("L-") {
        Some(name) => level(name).sid(),
        None => sid(sid_name),
    };
    bytes.extend(sid.as_sid().bytes());
    let size = u16::try_from(bytes.len()).expect("short");
    bytes[2..4].copy_from_slice(&size.to_le_bytes());
    bytes
}

/// The list of a column: `absent`, `null`, `empty` or entries.
pub(crate) fn state<'a>(text: &str, bytes: &'a mut Vec<u8>) -> AclState<'a> {
    match text {
        "absent" => AclState::Absent,
        "null" => AclState::Null,
        entries => {
            *bytes = list(if entries == "empty" { "" } else { entries });
            AclState::Present(Acl::read(bytes).expect("the table's lists are good"))
        }
    }
}

/// A descriptor with an owner and a DACL.
pub(crate) fn descriptor<'a>(owner: &'a SidBuf, dacl: AclState<'a>) -> Descriptor<'a> {
    let mut descriptor = Descriptor::new();
    descriptor.set_owner(Some(owner.as_sid()), Provenance::Given);
    descriptor.set_group(Some(owner.as_sid()), Provenance::Given);
    descriptor.set_dacl(dacl, Provenance::Given);
    descriptor
}
