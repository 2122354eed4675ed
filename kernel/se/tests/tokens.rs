//! What can be done to tokens.

mod common;

use nt_abi::NtStatus;
use nt_abi::security::{
    FilterFlags, GroupAttributes, ImpersonationLevel, Luid, LuidAndAttributes, Privilege,
    PrivilegeAttributes, PrivilegeSetControl,
};
use rtl::security::{Acl, SidBuf, well_known};
use se::{
    Assigned, Filter, GroupRequest, IntegrityLevel, LabelChange, PrivilegeMask, PrivilegeRequest,
    Privileges, Scope, Token, TokenFlags, TokenKind, privilege_check, single_privilege_check,
};

use common::{ME, group, token};

const NEW: Luid = Luid::new(77);
const NOTHING: Filter<'static> = Filter {
    flags: FilterFlags::empty(),
    disable: &[],
    delete: PrivilegeMask::EMPTY,
    restrict: &[],
};

fn entry(privilege: Privilege, attributes: u32) -> LuidAndAttributes {
    LuidAndAttributes {
        luid: privilege.into(),
        attributes: PrivilegeAttributes(attributes),
    }
}

/// (number, attributes) of each.
fn numbers(list: &[LuidAndAttributes]) -> Vec<(u32, u32)> {
    list.iter()
        .map(|entry| (entry.luid.low, entry.attributes.0))
        .collect()
}

fn adjust(token: &mut Token, entries: &[(Privilege, u32)]) -> (NtStatus, Vec<(u32, u32)>) {
    let list: Vec<_> = entries
        .iter()
        .map(|(privilege, attributes)| entry(*privilege, *attributes))
        .collect();
    let plan = token.privileges().plan(&PrivilegeRequest::Set(&list));
    token.apply_privileges(&plan, NEW);
    (plan.assigned.status(), numbers(plan.previous.as_slice()))
}

#[test]
fn privileges_are_adjusted_with_nts_results() {
    // "AdjustTokenPrivileges function". The first answer is also Wine 8.0's to the same question (NtAdjustPrivilegesToken:
    // 0x106, one previous state, 9=0).
    let mut admin = token("admin");
    let (ownership, create) = (Privilege::TAKE_OWNERSHIP, Privilege::CREATE_TOKEN);
    let enable = adjust(&mut admin, &[(ownership, 2), (create, 2)]);
    assert_eq!(enable, (NtStatus::NOT_ALL_ASSIGNED, vec![(9, 0)]));
    assert!(admin.privileges().enabled().contains(ownership));
    assert_eq!(admin.modified_id(), NEW);

    // PreviousState has what changed, and this changes nothing (Wine lists it all the same).
    let again = adjust(&mut admin, &[(ownership, 2)]);
    assert_eq!(again, (NtStatus::SUCCESS, vec![]));
    let off = adjust(&mut admin, &[(ownership, 0), (Privilege::CHANGE_NOTIFY, 2)]);
    assert_eq!(off, (NtStatus::SUCCESS, vec![(9, 2)]));

    let removed = adjust(&mut admin, &[(ownership, 4)]);
    assert_eq!(removed, (NtStatus::SUCCESS, vec![(9, 0)]));
    assert_eq!(
        adjust(&mut admin, &[(ownership, 2)]).0,
        NtStatus::NOT_ALL_ASSIGNED
    );

    let plan = admin.privileges().plan(&PrivilegeRequest::DisableAll);
    assert_eq!(plan.assigned, Assigned::All);
    assert_eq!(
        numbers(plan.previous.as_slice()),
        [(23, 3), (29, 3), (30, 3)]
    );
    admin.apply_privileges(&plan, NEW);
    assert_eq!(admin.privileges().enabled(), PrivilegeMask::EMPTY);
    let restored = admin
        .privileges()
        .plan(&PrivilegeRequest::Set(plan.previous.as_slice()));
    admin.apply_privileges(&restored, NEW);
    assert_eq!(
        admin.privileges().enabled(),
        admin.privileges().enabled_by_default(),
        "the previous state can be given back"
    );
}

#[test]
fn a_plan_that_is_not_applied_changes_nothing() {
    let admin = token("admin");
    let before = *admin.privileges();
    let _ = admin.privileges().plan(&PrivilegeRequest::DisableAll);
    assert_eq!(*admin.privileges(), before);
}

#[test]
fn odd_luids_name_no_privilege() {
    let mut system = token("system");
    let all = system.privileges().present().count();
    for (low, high) in [(0, 0), (1, 0), (37, 0), (63, 0), (64, 0), (23, 1), (23, -1)] {
        let list = [LuidAndAttributes {
            luid: Luid { low, high },
            attributes: PrivilegeAttributes::REMOVED,
        }];
        let plan = system.privileges().plan(&PrivilegeRequest::Set(&list));
        assert_eq!(plan.assigned, Assigned::NotAll, "{low} {high}");
        system.apply_privileges(&plan, NEW);
    }
    assert_eq!(system.privileges().present().count(), all);
    assert_eq!(all, 32, "35 but for the three of directory services");
    assert_eq!(PrivilegeMask::ALL.count(), 35);
}

#[test]
fn groups_are_adjusted_with_nts_results() {
    // "AdjustTokenGroups function".
    let mut user = token("user");
    let enabled = GroupAttributes::ENABLED;
    let none = GroupAttributes::empty();
    let (dialup, everyone) = (well_known::DIALUP, well_known::EVERYONE);
    let (service, label) = (well_known::SERVICE, well_known::MEDIUM_LABEL);
    let plan = |user: &Token, list: &[(&SidBuf, GroupAttributes)]| {
        let list: Vec<_> = list
            .iter()
            .map(|(sid, attributes)| (sid.as_sid(), *attributes))
            .collect();
        user.plan_groups(GroupRequest::Set(&list))
    };
    let mandatory = plan(&user, &[(&dialup, enabled), (&everyone, none)]);
    assert_eq!(mandatory.err(), Some(NtStatus::CANT_DISABLE_MANDATORY));

    let change = plan(&user, &[(&dialup, enabled), (&service, enabled)]).expect("memory");
    assert_eq!(change.assigned, Assigned::NotAll);
    assert_eq!(change.previous, [group(dialup, none)]);
    user.apply_groups(change, NEW);
    assert!(user.groups().contains(&group(dialup, enabled)));
    assert_eq!(user.modified_id(), NEW);
    for (what, sid) in [("the user", &ME), ("the label", &label)] {
        let change = plan(&user, &[(sid, none)]).expect("memory");
        assert_eq!(change.assigned, Assigned::NotAll, "{what} is no group");
    }

    let change = user
        .plan_groups(GroupRequest::ResetToDefault)
        .expect("memory");
    assert_eq!(change.previous, [group(dialup, enabled)]);
    let denied = plan(&token("denyonly"), &[(&well_known::INTERACTIVE, enabled)]);
    assert_eq!(denied.err(), Some(NtStatus::CANT_ENABLE_DENY_ONLY));
}

#[test]
fn a_copy_never_impersonates_further() {
    // "DuplicateTokenEx function", "Impersonation Levels". Wine 8.0's NtDuplicateToken gives the same sixteen answers for
    // impersonation tokens; it lets the lower two levels become primary tokens, which is documented to fail.
    let primary = token("user");
    for old in 0..4 {
        let old = ImpersonationLevel(old);
        let source = primary
            .duplicate(TokenKind::Impersonation(old), Scope::All, NEW)
            .expect("any level is below a primary token");
        for new in 0..5 {
            let new = ImpersonationLevel(new);
            let copy = source.duplicate(TokenKind::Impersonation(new), Scope::All, NEW);
            let expected = (new > old).then_some(NtStatus::BAD_IMPERSONATION_LEVEL);
            assert_eq!(copy.err(), expected, "{old:?} to {new:?}");
        }
        let copy = source.duplicate(TokenKind::Primary, Scope::All, NEW);
        assert_eq!(copy.is_ok(), old >= ImpersonationLevel::IMPERSONATION);
    }
    let none = TokenKind::Impersonation(ImpersonationLevel(4));
    assert!(primary.duplicate(none, Scope::All, NEW).is_err());
}

#[test]
fn an_effective_copy_has_what_is_enabled() {
    // "NtDuplicateToken": EffectiveOnly.
    let admin = token("admin");
    let deny = [well_known::ADMINISTRATORS.as_sid()];
    let filtered = admin
        .filter(
            &Filter {
                disable: &deny,
                ..NOTHING
            },
            NEW,
        )
        .expect("memory");
    let copy = filtered
        .duplicate(TokenKind::Primary, Scope::Effective, NEW)
        .expect("memory");
    assert_eq!(copy.privileges().present(), admin.privileges().enabled());
    assert_eq!(
        copy.groups().len(),
        filtered.groups().len(),
        "none was disabled, and one for denials alone stays"
    );
    let user = token("user");
    let copy = user
        .duplicate(TokenKind::Primary, Scope::Effective, NEW)
        .expect("memory");
    assert_eq!(copy.groups().len(), user.groups().len() - 1, "Dialup");
    assert_eq!(copy.integrity(), IntegrityLevel::MEDIUM);
    assert_eq!(copy.token_id(), NEW);
    assert_eq!(copy.authentication_id(), user.authentication_id());
    assert_eq!(copy.modified_id(), user.modified_id());
}

#[test]
fn defaults_are_set_only_to_what_the_token_has() {
    // "SetTokenInformation function", TOKEN_OWNER, TOKEN_PRIMARY_GROUP, TOKEN_MANDATORY_LABEL.
    let mut admin = token("admin");
    let administrators = well_known::ADMINISTRATORS;
    for (sid, owner, primary) in [
        (ME, Ok(()), Ok(())),
        (administrators, Ok(()), Ok(())),
        (well_known::USERS, Err(NtStatus::INVALID_OWNER), Ok(())),
        (
            well_known::SYSTEM,
            Err(NtStatus::INVALID_OWNER),
            Err(NtStatus::INVALID_PRIMARY_GROUP),
        ),
    ] {
        assert_eq!(admin.set_owner(sid.as_sid(), NEW), owner, "{sid}");
        assert_eq!(admin.set_primary_group(sid.as_sid(), NEW), primary, "{sid}");
    }
    let low = well_known::LOW_LABEL;
    let high = well_known::HIGH_LABEL;
    let (down, any) = (LabelChange::Lower, LabelChange::Any);
    assert_eq!(admin.set_integrity(low.as_sid(), down, NEW), Ok(()));
    assert_eq!(
        admin.set_integrity(high.as_sid(), down, NEW),
        Err(NtStatus::PRIVILEGE_NOT_HELD)
    );
    assert_eq!(admin.integrity(), IntegrityLevel::LOW);
    assert_eq!(admin.set_integrity(high.as_sid(), any, NEW), Ok(()));
    assert_eq!(
        admin.set_integrity(ME.as_sid(), any, NEW),
        Err(NtStatus::INVALID_LABEL)
    );
    assert_eq!(admin.set_default_dacl(Some(Acl::EMPTY), NEW), Ok(()));
    assert_eq!(admin.default_dacl().map(Acl::count), Some(0));
    let restricted = TokenFlags::WRITE_RESTRICTED;
    assert!(admin.set_flag(restricted, true, NEW).is_err());
}

#[test]
fn privileges_are_checked_all_or_any() {
    // "PrivilegeCheck function".
    let admin = token("admin");
    let check = |control, privileges: &[Privilege]| {
        let mut list: Vec<_> = privileges.iter().map(|one| entry(*one, 0)).collect();
        let held = privilege_check(&admin, &mut list, control).expect("a primary token");
        (held, numbers(&list))
    };
    let (any, all) = (
        PrivilegeSetControl::empty(),
        PrivilegeSetControl::ALL_NECESSARY,
    );
    let (has, lacks) = (Privilege::IMPERSONATE, Privilege::TCB);
    let used = 0x8000_0000;
    assert_eq!(check(any, &[has, lacks]), (true, vec![(29, used), (7, 0)]));
    assert_eq!(check(all, &[has, lacks]), (false, vec![(29, used), (7, 0)]));
    assert_eq!(check(all, &[has]), (true, vec![(29, used)]));
    assert!(!check(any, &[Privilege::DEBUG]).0, "held, not enabled");
    assert_eq!(
        privilege_check(&token("anonymous"), &mut [], any),
        Err(NtStatus::BAD_IMPERSONATION_LEVEL)
    );
    assert!(single_privilege_check(&admin, has));
    let level = TokenKind::Impersonation(ImpersonationLevel::IDENTIFICATION);
    let weak = admin.duplicate(level, Scope::All, NEW).expect("memory");
    assert!(!single_privilege_check(&weak, has));
}

#[test]
fn a_token_must_be_able_to_own_and_group() {
    // "NtCreateToken" and "TOKEN_OWNER structure".
    let groups = common::user_groups();
    let mut description = common::describe(&groups, IntegrityLevel::MEDIUM);
    description.owner = well_known::USERS;
    assert_eq!(
        Token::create(&description).err(),
        Some(NtStatus::INVALID_OWNER)
    );
    description.owner = ME;
    description.primary_group = well_known::SYSTEM;
    assert_eq!(
        Token::create(&description).err(),
        Some(NtStatus::INVALID_PRIMARY_GROUP)
    );
    let label = [group(well_known::HIGH_LABEL, GroupAttributes::INTEGRITY)];
    description.groups = &label;
    assert_eq!(
        Token::create(&description).err(),
        Some(NtStatus::INVALID_PARAMETER)
    );
    let privileges = Privileges::new(PrivilegeMask::EMPTY, PrivilegeMask::ALL);
    assert_eq!(privileges.enabled(), PrivilegeMask::EMPTY);
}

#[test]
fn the_systems_token_is_as_windows_makes_it() {
    // "LocalSystem Account", "Well-known SIDs".
    let system = token("system");
    assert_eq!(system.user().sid, well_known::SYSTEM);
    assert_eq!(*system.owner(), well_known::ADMINISTRATORS);
    assert_eq!(system.authentication_id(), Luid::SYSTEM);
    assert_eq!(system.integrity(), IntegrityLevel::SYSTEM);
    assert_eq!(&system.source().name, b"*SYSTEM*");
    for privilege in [Privilege::TCB, Privilege::DEBUG, Privilege::IMPERSONATE] {
        assert!(single_privilege_check(&system, privilege));
    }
    assert!(!single_privilege_check(&system, Privilege::TAKE_OWNERSHIP));
    let masks: Vec<_> = system
        .default_dacl()
        .expect("it has one")
        .aces()
        .map(|ace| ace.mask().0)
        .collect();
    assert_eq!(masks, [0x1000_0000, 0xA002_0000]);
}
