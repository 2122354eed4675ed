//! Who the tests' users are, and how they make and open things.

use nt_abi::security::{AceFlags, Luid};
use rtl::security::{AclBuilder, AclState, Descriptor, DescriptorBuf, Provenance, SidBuf};
use se::{Account, SubjectContext, Token};

use super::*;

pub(super) fn account(number: u32) -> Account {
    Account {
        token_id: Luid::new(100 + number),
        authentication_id: Luid::new(200 + number),
        user: SidBuf::new(5, &[21, 1, 2, 3, 1000 + number]),
        primary_group: SidBuf::new(5, &[21, 1, 2, 3, 513]),
        session_id: 1,
    }
}

pub(super) fn user(number: u32) -> Token {
    Token::user_account(&account(number)).expect("memory")
}

pub(super) fn administrator() -> Token {
    Token::administrator(&account(500)).expect("memory")
}

/// The same without the privilege to go through directories.
pub(super) fn deprive(token: Token) -> Token {
    let mut token = token;
    let plan = token.privileges().plan(&se::PrivilegeRequest::DisableAll);
    token.apply_privileges(&plan, Luid::new(1));
    token
}

pub(super) fn subject(token: &Token) -> Subject<'_> {
    Subject::user(SubjectContext {
        primary: token,
        client: None,
    })
}

/// A descriptor that gives each of some people something, in order; `None` denies.
pub(super) fn descriptor(owner: SidBuf, entries: &[(SidBuf, AccessMask, bool)]) -> DescriptorBuf {
    let mut dacl = AclBuilder::new().expect("memory");
    for (who, rights, allowed) in entries {
        let added = if *allowed {
            dacl.allow(AceFlags::empty(), *rights, who.as_sid())
        } else {
            dacl.deny(AceFlags::empty(), *rights, who.as_sid())
        };
        added.expect("memory");
    }
    let dacl = dacl.finish();
    let mut descriptor = Descriptor::new();
    descriptor.set_owner(Some(owner.as_sid()), Provenance::Given);
    descriptor.set_group(Some(owner.as_sid()), Provenance::Given);
    descriptor.set_dacl(AclState::Present(dacl.as_acl()), Provenance::Given);
    DescriptorBuf::build(&descriptor).expect("memory")
}

pub(super) fn create_as<T: ObjectBody>(
    world: &World,
    body: T,
    name: &str,
    subject: Subject<'_>,
    given: Option<&DescriptorBuf>,
    attributes: Attributes,
    access: AccessMask,
) -> NtResult<Handle> {
    let name = text(name);
    let created = create(
        body,
        &CreateParameters {
            name: Some(name.as_str()),
            root: Root::Namespace,
            attributes,
            descriptor: given.map(DescriptorBuf::as_descriptor),
            access,
            subject,
        },
    )?;
    created.into_handle(&world.caller())
}

pub(super) fn open_as(
    world: &World,
    name: &str,
    subject: Subject<'_>,
    access: AccessMask,
) -> NtResult<AccessMask> {
    let name = text(name);
    let handle = open_by_name(
        &world.caller(),
        &OpenParameters {
            name: Some(name.as_str()),
            root: Root::Namespace,
            attributes: NONE,
            kind: Some(&EVENT),
            access,
            subject,
        },
        None,
    )?;
    let granted = world.caller().entry(handle).expect("open").granted;
    world.close(handle);
    Ok(granted)
}
