//! New objects' lists, against [MS-DTYP] 2.5.3.4.4 (its table of flags), "DACL for a New Object" and "ACE Inheritance
//! Rules".

use std::format;
use std::string::String;
use std::vec::Vec;

use nt_abi::NtStatus;
use nt_abi::security::{AutoInheritFlags, DescriptorControl, Guid, MandatoryLabelPolicy};

use super::*;

const ALLOW: AceType = AceType::ACCESS_ALLOWED;
const OI: AceFlags = AceFlags::OBJECT_INHERIT;
const CI: AceFlags = AceFlags::CONTAINER_INHERIT;
const NP: AceFlags = AceFlags::NO_PROPAGATE_INHERIT;
const IO: AceFlags = AceFlags::INHERIT_ONLY;
const NONE: AceFlags = AceFlags::empty();
const GENERIC_READ: u32 = 0x8000_0000;

/// Everything about a new object but what a test sets.
fn object<'a>(parent: Descriptor<'a>, given: Option<Descriptor<'a>>) -> NewObject<'a> {
    const USER: SidBuf = SidBuf::new(5, &[21, 1, 2, 3, 1000]);
    const GROUP: SidBuf = SidBuf::new(5, &[21, 1, 2, 3, 513]);
    static SIDS: (SidBuf, SidBuf) = (USER, GROUP);
    NewObject {
        parent: Some(parent),
        given,
        creator: Creator {
            owner: SIDS.0.as_sid(),
            group: SIDS.1.as_sid(),
            default_dacl: None,
            label: None,
        },
        kind: ObjectKind::Container,
        object_types: &[],
        flags: AutoInheritFlags::empty(),
        mapping: &FILE,
    }
}

fn with_dacl(acl: &AclBuf) -> Descriptor<'_> {
    let mut descriptor = Descriptor::new();
    descriptor.set_dacl(AclState::Present(acl.as_acl()), Provenance::Given);
    descriptor
}

fn dacl_of(object: &NewObject<'_>) -> Vec<String> {
    texts(object.descriptor().expect("memory").as_descriptor().dacl())
}

#[test]
fn flags_of_the_parent_decide_as_the_documented_table_says() {
    // Columns: the parent's flags, what a container gets, what a leaf gets. Where the table has "IO,CI,OI" for a child
    // container, the text below it says that the entry is effective as well, which without generic rights is one entry.
    for (flags, container, leaf) in [
        (NONE, None, None),
        (IO, None, None),
        (OI, Some("OIIO"), Some("")),
        (OI | NP, None, Some("")),
        (CI, Some("CI"), None),
        (CI | NP, Some(""), None),
        (CI | OI, Some("OICI"), Some("")),
        (CI | OI | NP, Some(""), Some("")),
        (OI | IO, Some("OIIO"), Some("")),
        (CI | IO, Some("CI"), None),
        (CI | OI | IO, Some("OICI"), Some("")),
    ] {
        let parent = list(&[(ALLOW, flags, 0x1, well_known::USERS)]);
        for (kind, expected) in [(ObjectKind::Container, container), (ObjectKind::Leaf, leaf)] {
            let mut new = object(with_dacl(&parent), None);
            new.kind = kind;
            let expected: Vec<_> = expected
                .map(|flags| format!("A;{flags};0x1;S-1-5-32-545"))
                .into_iter()
                .collect();
            assert_eq!(dacl_of(&new), expected, "{flags:?} {kind:?}");
        }
    }
}

#[test]
fn an_entry_with_something_to_replace_becomes_two() {
    // [MS-DTYP] 2.5.3.4.4, the paragraph below its table.
    let parent = list(&[
        (ALLOW, CI | OI, GENERIC_READ, well_known::USERS),
        (ALLOW, CI, 0x2, well_known::CREATOR_OWNER),
        (ALLOW, OI, 0x4, well_known::CREATOR_GROUP),
    ]);
    let mut new = object(with_dacl(&parent), None);
    new.flags = AutoInheritFlags::DACL_AUTO_INHERIT;
    assert_eq!(
        dacl_of(&new),
        [
            "A;ID;0x120089;S-1-5-32-545",
            "A;OICIIOID;0x80000000;S-1-5-32-545",
            "A;ID;0x2;S-1-5-21-1-2-3-1000",
            "A;CIIOID;0x2;S-1-3-0",
            "A;OIIOID;0x4;S-1-3-1",
        ]
    );
    new.kind = ObjectKind::Leaf;
    assert_eq!(
        dacl_of(&new),
        ["A;ID;0x120089;S-1-5-32-545", "A;ID;0x4;S-1-5-21-1-2-3-513"]
    );
}

#[test]
fn a_given_list_wins_and_is_merged_only_with_auto_inherit() {
    // "DACL for a New Object", steps 1 and 2.
    let parent = list(&[(ALLOW, CI, 0x1, well_known::USERS)]);
    let given = list(&[
        (ALLOW, NONE, 0x1000_0000, well_known::SYSTEM),
        (ALLOW, AceFlags::INHERITED, 0x20, well_known::GUESTS),
    ]);
    let mut new = object(with_dacl(&parent), Some(with_dacl(&given)));
    assert_eq!(
        dacl_of(&new),
        ["A;;0x1f01ff;S-1-5-18", "A;;0x20;S-1-5-32-546"]
    );

    new.flags = AutoInheritFlags::DACL_AUTO_INHERIT;
    assert_eq!(
        dacl_of(&new),
        ["A;;0x1f01ff;S-1-5-18", "A;CIID;0x1;S-1-5-32-545"]
    );
    let made = new.descriptor().expect("memory");
    assert_eq!(
        made.as_descriptor().control(),
        DescriptorControl::DACL_PRESENT | DescriptorControl::DACL_AUTO_INHERITED
    );

    let mut protected = with_dacl(&given);
    let bit = DescriptorControl::DACL_PROTECTED;
    protected.set_control(bit, bit).expect("may be set");
    new.given = Some(protected);
    assert_eq!(
        dacl_of(&new),
        ["A;;0x1f01ff;S-1-5-18", "A;;0x20;S-1-5-32-546"],
        "[MS-DTYP] 2.5.3.4: of a protected list all entries stay, without the mark"
    );
    let made = new.descriptor().expect("memory");
    assert_eq!(
        made.as_descriptor().control(),
        DescriptorControl::DACL_PRESENT | bit
    );
}

#[test]
fn a_default_gives_way_to_what_is_inherited() {
    // [MS-DTYP] 2.5.3.4.1: DEFAULT_DESCRIPTOR_FOR_OBJECT.
    let heir = list(&[(ALLOW, CI, 0x1, well_known::USERS)]);
    let barren = list(&[(ALLOW, NONE, 0x1, well_known::USERS)]);
    let given = list(&[(ALLOW, NONE, 0x2, well_known::SYSTEM)]);
    let token = list(&[(ALLOW, NONE, 0x4, well_known::ADMINISTRATORS)]);
    let inherited = ["A;CI;0x1;S-1-5-32-545"];

    let mut new = object(with_dacl(&heir), Some(with_dacl(&given)));
    new.creator.default_dacl = Some(token.as_acl());
    new.flags = AutoInheritFlags::DEFAULT_DESCRIPTOR_FOR_OBJECT;
    assert_eq!(dacl_of(&new), inherited);
    new.parent = Some(with_dacl(&barren));
    assert_eq!(dacl_of(&new), ["A;;0x2;S-1-5-18"]);
    new.given = None;
    assert_eq!(dacl_of(&new), ["A;;0x4;S-1-5-32-544"], "the token's");
    new.parent = Some(with_dacl(&heir));
    assert_eq!(dacl_of(&new), inherited);
    new.parent = None;
    new.creator.default_dacl = None;
    let made = new.descriptor().expect("memory");
    assert!(!made.as_descriptor().dacl().is_present(), "step 5: no DACL");
}

#[test]
fn a_null_list_that_is_given_stays_null() {
    let parent = list(&[(ALLOW, CI, 0x1, well_known::USERS)]);
    let mut given = Descriptor::new();
    given.set_dacl(AclState::Null, Provenance::Given);
    let mut new = object(with_dacl(&parent), Some(given));
    new.flags = AutoInheritFlags::DACL_AUTO_INHERIT;
    let made = new.descriptor().expect("memory");
    assert!(matches!(made.as_descriptor().dacl(), AclState::Null));
}

#[test]
fn an_entry_for_some_types_is_obeyed_by_those_and_passed_through_by_others() {
    // "ACCESS_ALLOWED_OBJECT_ACE": only the type that InheritedObjectType names inherits.
    let wanted = Guid {
        data1: 1,
        data2: 2,
        data3: 3,
        data4: [4; 8],
    };
    let mut builder = AclBuilder::new().expect("memory");
    builder
        .object(
            AceType::ACCESS_ALLOWED_OBJECT,
            CI,
            AccessMask(0x10),
            (None, Some(wanted)),
            well_known::USERS.as_sid(),
        )
        .expect("fits");
    let parent = builder.finish();
    assert_eq!(parent.as_acl().revision(), 4, "\"Object-specific ACEs\"");
    let mut new = object(with_dacl(&parent), None);
    assert_eq!(dacl_of(&new), ["OA;CIIO;0x10;S-1-5-32-545"]);
    let types = [wanted];
    new.object_types = &types;
    assert_eq!(dacl_of(&new), ["OA;CI;0x10;S-1-5-32-545"]);
}

#[test]
fn owner_and_group_come_from_the_creator_unless_the_flags_say_otherwise() {
    let mut parent = Descriptor::new();
    parent.set_owner(Some(well_known::SYSTEM.as_sid()), Provenance::Given);
    let owners = |new: &NewObject<'_>| {
        let made = new.descriptor()?;
        let made = made.as_descriptor();
        Ok((made.owner().map(Sid::to_buf), made.group().map(Sid::to_buf)))
    };
    let mut new = object(parent, None);
    let user: SidBuf = "S-1-5-21-1-2-3-1000".parse().expect("a SID");
    let group: SidBuf = "S-1-5-21-1-2-3-513".parse().expect("a SID");
    assert_eq!(owners(&new), Ok((Some(user), Some(group))));
    new.flags = AutoInheritFlags::DEFAULT_OWNER_FROM_PARENT;
    assert_eq!(owners(&new), Ok((Some(well_known::SYSTEM), Some(group))));
    new.flags = AutoInheritFlags::DEFAULT_GROUP_FROM_PARENT;
    assert_eq!(owners(&new), Err(NtStatus::INVALID_PRIMARY_GROUP));
}

#[test]
fn a_label_is_given_inherited_or_the_creators() {
    // "Windows Integrity Mechanism Design", "How Windows assigns integrity labels to objects".
    let low = list(&[(
        AceType::SYSTEM_MANDATORY_LABEL,
        CI | OI,
        1,
        well_known::LOW_LABEL,
    )]);
    let mut parent = Descriptor::new();
    parent.set_sacl(AclState::Present(low.as_acl()), Provenance::Given);
    let sacl =
        |new: &NewObject<'_>| texts(new.descriptor().expect("memory").as_descriptor().sacl());
    let mut new = object(parent, None);
    assert_eq!(sacl(&new), ["ML;OICI;0x1;S-1-16-4096"]);

    let audit = list(&[(
        AceType::SYSTEM_AUDIT,
        AceFlags::FAILED_ACCESS,
        GENERIC_READ,
        well_known::EVERYONE,
    )]);
    let mut given = Descriptor::new();
    given.set_sacl(AclState::Present(audit.as_acl()), Provenance::Given);
    new.given = Some(given);
    assert_eq!(
        sacl(&new),
        ["AU;FA;0x120089;S-1-1-0", "ML;OICI;0x1;S-1-16-4096"]
    );

    new.parent = None;
    new.creator.label = Some(Label {
        sid: well_known::UNTRUSTED_LABEL.as_sid(),
        policy: MandatoryLabelPolicy::NO_WRITE_UP,
    });
    assert_eq!(sacl(&new), ["AU;FA;0x120089;S-1-1-0", "ML;;0x1;S-1-16-0"]);
    new.creator.label = None;
    new.given = None;
    assert!(sacl(&new).is_empty());
}
