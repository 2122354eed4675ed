//! Parts of objects, audits, and who may give an object which descriptor.

mod common;

use nt_abi::security::{
    AccessMask, AutoInheritFlags, ImpersonationLevel, Luid, SecurityInformation,
};
use nt_abi::{NtResult, NtStatus};
use rtl::security::{
    AclState, Descriptor, ObjectKind, Provenance, Replacement, SidBuf, well_known,
};
use se::{
    AccessRequest, Assignment, AuditRequest, ObjectTypeList, PrivilegeMask, Requester, Scope,
    SubjectContext, Token, TokenKind, access_check, access_check_by_type,
    access_check_by_type_result_list, assign_security, audited_by, check_client, set_security,
};

use common::{MAPPING, ME, descriptor, part, sid, state, token};

fn request<'a>(token: &'a Token, descriptor: Descriptor<'a>, desired: u32) -> AccessRequest<'a> {
    AccessRequest {
        descriptor,
        token,
        desired: AccessMask(desired),
        previously_granted: AccessMask::empty(),
        mapping: &MAPPING,
        principal_self: None,
        requester: Requester::User,
    }
}

/// The object, a set `a` with properties `b` and `c`, and a set `d`.
fn tree() -> ObjectTypeList {
    let levels = [(0, "o"), (1, "a"), (2, "b"), (2, "c"), (1, "d")];
    let parts: Vec<_> = levels
        .iter()
        .map(|(level, name)| (*level, part(name)))
        .collect();
    ObjectTypeList::new(&parts).expect("a tree")
}

const MAX: u32 = 0x0200_0000;
/// Refused.
const NO: u32 = u32::MAX;

fn number(granted: NtResult<AccessMask>) -> u32 {
    granted.map_or(NO, |mask| mask.0)
}

#[test]
fn parts_are_granted_and_denied_with_what_is_below_and_above_them() {
    // "AccessCheckByType function", "AccessCheckByTypeResultList function", "ACE_OBJECT_TYPE_PRESENT" of
    // "ACCESS_ALLOWED_OBJECT_ACE structure". Columns: DACL, asked, the whole, then o a b c d one by one.
    let rows: &[(&str, u32, u32, [u32; 5])] = &[
        ("A:ME:1", 1, 1, [1, 1, 1, 1, 1]),
        ("OA.o:ME:1", 1, 1, [1, 1, 1, 1, 1]),
        ("OA.a:ME:1", 1, NO, [NO, 1, 1, 1, NO]),
        ("OA.b:ME:1", 1, NO, [NO, NO, 1, NO, NO]),
        ("OA.b:ME:1 OA.c:ME:1", 1, NO, [NO, 1, 1, 1, NO]),
        ("OA.b:ME:1 OA.c:ME:1 OA.d:ME:1", 1, 1, [1, 1, 1, 1, 1]),
        ("OA.z:ME:1", 1, NO, [NO, NO, NO, NO, NO]),
        ("OD.b:ME:1 A:ME:1", 1, NO, [NO, NO, NO, 1, 1]),
        ("OD.a:ME:1 A:ME:1", 1, NO, [NO, NO, NO, NO, 1]),
        ("OD.z:ME:1 A:ME:1", 1, 1, [1, 1, 1, 1, 1]),
        ("A:ME:1 OD.b:ME:1", 1, 1, [1, 1, 1, 1, 1]),
        ("OA.a:ME:1 OD.b:ME:1 A:ME:1", 1, 1, [1, 1, 1, 1, 1]),
        ("D:ME:1 OA.b:ME:1", 1, NO, [NO, NO, NO, NO, NO]),
        ("A:ME:1 OA.a:ME:2", 3, NO, [NO, 3, 3, 3, NO]),
        ("A:ME:1 OA.a:ME:2", MAX, 1, [1, 3, 3, 3, 1]),
        ("OD.b:ME:1 A:ME:3", MAX, 2, [2, 2, 2, 3, 3]),
        ("OA.b:ME:1", MAX, NO, [NO, NO, 1, NO, NO]),
        ("null", 1, 1, [1, 1, 1, 1, 1]),
        ("empty", 1, NO, [NO, NO, NO, NO, NO]),
    ];
    let user = token("user");
    let owner = sid("SY");
    for (dacl, desired, whole, each) in rows {
        let mut bytes = Vec::new();
        let request = request(&user, descriptor(&owner, state(dacl, &mut bytes)), *desired);
        let mut parts = tree();
        let answer = access_check_by_type(&request, &mut parts);
        assert_eq!(number(answer.granted), *whole, "{dacl}, the whole");
        access_check_by_type_result_list(&request, &mut parts);
        let answers: Vec<_> = parts
            .results()
            .map(|result| number(result.granted))
            .collect();
        assert_eq!(answers, each, "{dacl}");
    }
}

#[test]
fn a_tree_must_be_one() {
    // "OBJECT_TYPE_LIST structure".
    let refused: [&[u16]; 6] = [&[], &[1], &[0, 0], &[0, 2], &[0, 1, 3], &[0, 1, 2, 3, 4, 5]];
    for levels in refused {
        let parts: Vec<_> = levels.iter().map(|level| (*level, part("a"))).collect();
        assert_eq!(
            ObjectTypeList::new(&parts).err(),
            Some(NtStatus::INVALID_PARAMETER),
            "{levels:?}"
        );
    }
    let deepest = [0, 1, 2, 3, 4, 1].map(|level| (level, part("a")));
    assert!(ObjectTypeList::new(&deepest).is_ok());
}

#[test]
fn principal_self_is_whom_the_caller_says() {
    // "AccessCheckByType function": PrincipalSelfSid.
    let user = token("user");
    let owner = sid("SY");
    let mut bytes = Vec::new();
    let mut request = request(&user, descriptor(&owner, state("A:PS:1", &mut bytes)), 1);
    let (mine, other) = (sid("ME"), sid("BA"));
    for (who, expected) in [(None, NO), (Some(&mine), 1), (Some(&other), NO)] {
        request.principal_self = who.map(SidBuf::as_sid);
        assert_eq!(number(access_check(&request).granted), expected);
    }
}

#[test]
fn the_kernel_gets_everything_and_what_was_granted_stays() {
    // "SeAccessCheck function": AccessMode, PreviouslyGrantedAccess.
    let user = token("user");
    let owner = sid("SY");
    let empty = AclState::Present(rtl::security::Acl::EMPTY);
    let mut request = request(&user, descriptor(&owner, empty), 0);
    request.previously_granted = AccessMask(0x10);
    assert_eq!(
        number(access_check(&request).granted),
        0x10,
        "nothing more asked"
    );
    request.desired = AccessMask(1);
    assert_eq!(number(access_check(&request).granted), NO);
    request.requester = Requester::Kernel;
    assert_eq!(number(access_check(&request).granted), 0x11);
    request.desired = AccessMask(MAX | 0x100);
    assert_eq!(number(access_check(&request).granted), 0x000F_011F);
}

#[test]
fn used_privileges_are_told() {
    let owner = sid("SY");
    let empty = AclState::Present(rtl::security::Acl::EMPTY);
    for (name, desired, used) in [("takeown", 0x8_0000, 9), ("security", 0x100_0000, 8)] {
        let token = token(name);
        let answer = access_check(&request(&token, descriptor(&owner, empty), desired));
        let numbers: Vec<_> = answer.used.iter().map(|privilege| privilege.0).collect();
        assert_eq!(numbers, [used]);
    }
    let token = token("takeown");
    let answer = access_check(&request(&token, descriptor(&owner, empty), 0x8_0001));
    assert_eq!(answer.used, PrivilegeMask::EMPTY);
}

#[test]
fn a_servers_question_is_about_a_client() {
    // "AccessCheck function".
    let owner = sid("SY");
    let mut bytes = Vec::new();
    let dacl = state("A:ME:1", &mut bytes);
    let ask = |name| {
        let token = token(name);
        let answer = check_client(&request(&token, descriptor(&owner, dacl), 1));
        answer.map(|answer| answer.granted)
    };
    assert_eq!(ask("user"), Err(NtStatus::NO_IMPERSONATION_TOKEN));
    assert_eq!(ask("anonymous"), Err(NtStatus::BAD_IMPERSONATION_LEVEL));
    assert_eq!(ask("identification"), Ok(Ok(AccessMask(1))));
    assert_eq!(ask("impersonation"), Ok(Ok(AccessMask(1))));
    let client = token("impersonation");
    let mut bare = Descriptor::new();
    bare.set_dacl(dacl, Provenance::Given);
    assert_eq!(
        check_client(&request(&client, bare, 1)),
        Err(NtStatus::INVALID_SECURITY_DESCR)
    );
}

#[test]
fn a_thread_that_impersonates_is_its_client() {
    let (primary, client) = (token("system"), token("impersonation"));
    let context = |client| SubjectContext {
        primary: &primary,
        client,
    };
    assert_eq!(context(None).effective().user().sid, well_known::SYSTEM);
    assert_eq!(context(Some(&client)).effective().user().sid, ME);
}

#[test]
fn audits_fire_by_sid_outcome_and_right() {
    // "Audit Generation", "SYSTEM_AUDIT_ACE structure".
    let denied = Err(NtStatus::ACCESS_DENIED);
    type AuditRow = (
        &'static str,
        &'static str,
        u32,
        NtResult<AccessMask>,
        Option<usize>,
    );
    let rows: &[AuditRow] = &[
        ("user", "AUsa:WD:1", 1, Ok(AccessMask(1)), Some(0)),
        ("user", "AUsa:WD:1", 1, denied, None),
        ("user", "AUfa:WD:1", 1, denied, Some(0)),
        ("user", "AUfa:WD:1", 1, Ok(AccessMask(1)), None),
        ("user", "AUsa:WD:2", 1, Ok(AccessMask(1)), None),
        ("user", "AUfa:WD:2", MAX, denied, Some(0)),
        ("user", "AUsa:WD:2", MAX, Ok(AccessMask(3)), Some(0)),
        ("user", "AUsa:BA:1", 1, Ok(AccessMask(1)), None),
        ("user", "AUsa:BA:1 AUsa:ME:1", 1, Ok(AccessMask(1)), Some(1)),
        ("denyonly", "AUfa:IU:1", 1, denied, Some(0)),
        ("user", "AU:WD:1", 1, Ok(AccessMask(1)), None),
        ("user", "A:WD:1", 1, Ok(AccessMask(1)), None),
        ("user", "null", 1, Ok(AccessMask(1)), None),
    ];
    for (name, sacl, desired, outcome, expected) in rows {
        let mut bytes = Vec::new();
        let fired = audited_by(&AuditRequest {
            sacl: state(sacl, &mut bytes),
            token: &token(name),
            desired: AccessMask(*desired),
            outcome: *outcome,
            principal_self: None,
        });
        assert_eq!(fired, *expected, "{name} {sacl} {desired:x}");
    }
}

/// A new object of `name`'s token with a given owner and SACL.
fn assign(name: &str, owner: Option<&str>, sacl: &str, flags: u32) -> NtResult<String> {
    let token = token(name);
    let mut bytes = Vec::new();
    let owner = owner.map(sid);
    let mut given = Descriptor::new();
    given.set_owner(owner.as_ref().map(SidBuf::as_sid), Provenance::Given);
    given.set_sacl(state(sacl, &mut bytes), Provenance::Given);
    let made = assign_security(&Assignment {
        token: &token,
        parent: None,
        given: Some(given),
        kind: ObjectKind::Leaf,
        object_types: &[],
        flags: AutoInheritFlags(flags),
        mapping: &MAPPING,
    })?;
    let made = made.as_descriptor();
    let labels: Vec<_> = made
        .sacl()
        .aces()
        .filter_map(|ace| ace.sid())
        .map(|sid| sid.to_string())
        .collect();
    Ok(format!(
        "{} {}",
        made.owner().expect("one"),
        labels.join(",")
    ))
}

#[test]
fn a_new_objects_owner_sacl_and_label_are_the_makers_to_give() {
    // "SeAssignSecurity function", "Taking Object Ownership", "Windows Integrity Mechanism Design".
    assert_eq!(
        assign("user", None, "absent", 0).as_deref(),
        Ok("S-1-5-21-0-0-0-1000 ")
    );
    assert_eq!(
        assign("admin", None, "absent", 0).as_deref(),
        Ok("S-1-5-32-544 ")
    );
    assert_eq!(
        assign("low", None, "absent", 0).as_deref(),
        Ok("S-1-5-21-0-0-0-1000 S-1-16-4096")
    );
    assert_eq!(
        assign("user", Some("SY"), "absent", 0),
        Err(NtStatus::INVALID_OWNER)
    );
    assert!(
        assign("user", Some("SY"), "absent", 0x10).is_ok(),
        "unless it is not asked"
    );
    assert_eq!(
        assign("user", None, "AUsa:WD:1", 0),
        Err(NtStatus::PRIVILEGE_NOT_HELD)
    );
    assert!(
        assign("user", None, "AUsa:WD:1", 0x8).is_ok(),
        "unless it is not asked"
    );
    assert!(assign("security", None, "AUsa:WD:1", 0).is_ok());
    assert!(assign("user", None, "ML:L-M:1", 0).is_ok());
    assert_eq!(
        assign("user", None, "ML:L-H:1", 0),
        Err(NtStatus::INVALID_LABEL)
    );
    assert_eq!(
        assign("user", None, "ML:ME:1", 0),
        Err(NtStatus::INVALID_LABEL)
    );
}

#[test]
fn an_owner_is_replaced_only_by_one_that_may_own() {
    let admin = token("admin");
    let current = descriptor(&ME, AclState::Null);
    let change = |name: &str| {
        let owner = sid(name);
        let new = descriptor(&owner, AclState::Null);
        let made = set_security(
            &admin,
            &Replacement {
                current,
                new,
                information: SecurityInformation::OWNER,
                flags: AutoInheritFlags::empty(),
                mapping: &MAPPING,
            },
        );
        made.map(|made| made.as_descriptor().owner().map(|sid| sid.to_buf()))
    };
    assert_eq!(change("BA"), Ok(Some(well_known::ADMINISTRATORS)));
    assert_eq!(change("SY"), Err(NtStatus::INVALID_OWNER));
}

#[test]
fn a_level_that_may_not_act_uses_no_privilege_either() {
    let level = TokenKind::Impersonation(ImpersonationLevel::IDENTIFICATION);
    let weak = token("takeown")
        .duplicate(level, Scope::All, Luid::new(5))
        .expect("memory");
    let owner = sid("SY");
    let answer = access_check(&request(
        &weak,
        descriptor(&owner, AclState::Null),
        0x8_0000,
    ));
    assert_eq!(answer.granted, Err(NtStatus::BAD_IMPERSONATION_LEVEL));
}
