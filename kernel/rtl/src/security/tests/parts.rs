//! Whole descriptors: their bytes, and asking for parts and replacing them.

use std::vec::Vec;

use nt_abi::NtStatus;
use nt_abi::security::{AutoInheritFlags, DescriptorControl, SecurityInformation};

use super::*;

const ALLOW: AceType = AceType::ACCESS_ALLOWED;
const NONE: AceFlags = AceFlags::empty();

/// The descriptor of [MS-DTYP] 2.5.1.4 "SDDL String to Binary Example", built from its parts.
fn example() -> DescriptorBuf {
    let both = AceFlags::CONTAINER_INHERIT | AceFlags::OBJECT_INHERIT;
    let dacl = list(&[
        (ALLOW, both, 0xA000_0000, well_known::USERS),
        (ALLOW, both, 0x1000_0000, well_known::ADMINISTRATORS),
        (ALLOW, both, 0x1000_0000, well_known::SYSTEM),
        (ALLOW, both, 0x1000_0000, well_known::CREATOR_OWNER),
    ]);
    let sacl = list(&[(
        AceType::SYSTEM_AUDIT,
        AceFlags::FAILED_ACCESS,
        0x8000_0000,
        well_known::EVERYONE,
    )]);
    let mut descriptor = Descriptor::new();
    let owner = well_known::ADMINISTRATORS;
    descriptor.set_owner(Some(owner.as_sid()), Provenance::Given);
    descriptor.set_group(Some(owner.as_sid()), Provenance::Given);
    descriptor.set_dacl(AclState::Present(dacl.as_acl()), Provenance::Given);
    descriptor.set_sacl(AclState::Present(sacl.as_acl()), Provenance::Given);
    let bits = DescriptorControl::DACL_PROTECTED | DescriptorControl::SACL_PROTECTED;
    descriptor.set_control(bits, bits).expect("may be set");
    DescriptorBuf::build(&descriptor).expect("memory")
}

#[test]
fn the_bytes_are_those_of_the_documented_example() {
    let example = example();
    let bytes = example.bytes();
    // Owner at 0x90, group at 0xA0, control PS, PD, SP, DP, SR; the DACL has 0x60 bytes and 4 entries.
    assert_eq!(bytes[..4], [1, 0, 0x14, 0xB0]);
    assert_eq!(bytes[4..12], [0x90, 0, 0, 0, 0xA0, 0, 0, 0]);
    assert_eq!(bytes[12..20], [0x14, 0, 0, 0, 0x30, 0, 0, 0]);
    assert_eq!(bytes[0x30..0x38], [2, 0, 0x60, 0, 4, 0, 0, 0]);
    assert_eq!(bytes.len(), 0xB0);
    let again = DescriptorBuf::capture(bytes).expect("good");
    assert_eq!(again.bytes(), bytes);
}

#[test]
fn each_damage_to_a_descriptor_is_seen() {
    let good = example();
    for (what, position, value, status) in [
        ("revision", 0, 2, NtStatus::UNKNOWN_REVISION),
        (
            "not self-relative",
            3,
            0x30,
            NtStatus::INVALID_SECURITY_DESCR,
        ),
        (
            "owner in the header",
            4,
            0x10,
            NtStatus::INVALID_SECURITY_DESCR,
        ),
        (
            "owner not aligned",
            4,
            0x92,
            NtStatus::INVALID_SECURITY_DESCR,
        ),
        (
            "owner at the end",
            4,
            0xB0,
            NtStatus::INVALID_SECURITY_DESCR,
        ),
        ("group far away", 11, 0xFF, NtStatus::INVALID_SECURITY_DESCR),
        ("group without its end", 8, 0xAC, NtStatus::INVALID_SID),
        ("SACL is a SID", 12, 0x90, NtStatus::INVALID_ACL),
        ("DACL is a SID", 16, 0x90, NtStatus::INVALID_ACL),
        ("owner is an ACL", 4, 0x30, NtStatus::INVALID_SID),
    ] {
        let mut bytes = Vec::from(good.bytes());
        bytes[position] = value;
        assert_eq!(
            Descriptor::read_relative(&bytes).err(),
            Some(status),
            "{what}"
        );
    }
}

#[test]
fn required_parts_must_be_there() {
    let mut bytes = Vec::from(example().bytes());
    let all = SecurityInformation::OWNER
        | SecurityInformation::GROUP
        | SecurityInformation::DACL
        | SecurityInformation::SACL;
    assert!(Descriptor::read_relative_with(&bytes, all).is_ok());
    for (offset, part) in [
        (4, SecurityInformation::OWNER),
        (8, SecurityInformation::GROUP),
        (12, SecurityInformation::SACL),
        (16, SecurityInformation::DACL),
    ] {
        let kept: [u8; 4] = bytes[offset..offset + 4].try_into().expect("four");
        bytes[offset..offset + 4].fill(0);
        assert!(Descriptor::read_relative(&bytes).is_ok());
        assert!(Descriptor::read_relative_with(&bytes, part).is_err());
        assert!(Descriptor::read_relative_with(&bytes, all - part).is_ok());
        bytes[offset..offset + 4].copy_from_slice(&kept);
    }
}

#[test]
fn absent_null_and_empty_lists_stay_apart() {
    for (state, present) in [
        (AclState::Absent, false),
        (AclState::Null, true),
        (AclState::Present(Acl::EMPTY), true),
    ] {
        let mut descriptor = Descriptor::new();
        descriptor.set_dacl(state, Provenance::Given);
        let built = DescriptorBuf::build(&descriptor).expect("memory");
        let read = Descriptor::read_relative(built.bytes()).expect("good");
        assert_eq!(read.dacl().is_present(), present);
        assert_eq!(read.dacl().acl().is_some(), state.acl().is_some());
    }
}

#[test]
fn only_bits_of_inheritance_can_be_set() {
    // "SetSecurityDescriptorControl function".
    let mut descriptor = Descriptor::new();
    for bit in [
        DescriptorControl::DACL_PRESENT,
        DescriptorControl::SELF_RELATIVE,
        DescriptorControl::OWNER_DEFAULTED,
    ] {
        assert_eq!(
            descriptor.set_control(bit, bit),
            Err(NtStatus::INVALID_PARAMETER)
        );
    }
    let (one, other) = (
        DescriptorControl::DACL_PROTECTED,
        DescriptorControl::SACL_PROTECTED,
    );
    assert_eq!(
        descriptor.set_control(one, other),
        Err(NtStatus::INVALID_PARAMETER)
    );
    assert_eq!(descriptor.set_control(one | other, other), Ok(()));
    assert_eq!(descriptor.control(), other);
}

#[test]
fn a_short_buffer_is_refused_and_kept() {
    let example = example();
    let mut out = [7; 0xAF];
    assert_eq!(
        example.as_descriptor().write_relative(&mut out),
        Err(NtStatus::BUFFER_TOO_SMALL)
    );
    assert_eq!(out, [7; 0xAF]);
}

fn labelled() -> AclBuf {
    list(&[
        (
            AceType::SYSTEM_AUDIT,
            AceFlags::SUCCESSFUL_ACCESS,
            0x1,
            well_known::EVERYONE,
        ),
        (
            AceType::SYSTEM_MANDATORY_LABEL,
            NONE,
            1,
            well_known::LOW_LABEL,
        ),
    ])
}

#[test]
fn a_query_gives_what_it_asks_for() {
    // "SECURITY_INFORMATION".
    let sacl = labelled();
    let mut descriptor = example();
    let mut parts = descriptor.as_descriptor();
    parts.set_sacl(AclState::Present(sacl.as_acl()), Provenance::Given);
    descriptor = DescriptorBuf::build(&parts).expect("memory");
    let ask = |information| {
        let answer = query(&descriptor.as_descriptor(), information).expect("memory");
        let answer = answer.as_descriptor();
        (
            answer.owner().is_some(),
            answer.group().is_some(),
            answer.dacl().is_present(),
            texts(answer.sacl()).len(),
        )
    };
    assert_eq!(ask(SecurityInformation::empty()), (false, false, false, 0));
    assert_eq!(ask(SecurityInformation::OWNER), (true, false, false, 0));
    assert_eq!(ask(SecurityInformation::GROUP), (false, true, false, 0));
    assert_eq!(ask(SecurityInformation::DACL), (false, false, true, 0));
    assert_eq!(ask(SecurityInformation::SACL), (false, false, false, 2));
    assert_eq!(ask(SecurityInformation::LABEL), (false, false, false, 1));
    assert_eq!(ask(SecurityInformation::ATTRIBUTE).3, 0);
    assert_eq!(ask(SecurityInformation::BACKUP), (true, true, true, 2));
    let answer = query(&descriptor.as_descriptor(), SecurityInformation::DACL);
    assert_eq!(
        answer.expect("memory").as_descriptor().control(),
        DescriptorControl::DACL_PRESENT | DescriptorControl::DACL_PROTECTED
    );
}

#[test]
fn only_what_is_named_is_replaced() {
    let current = example();
    let label = labelled();
    let mut new = Descriptor::new();
    new.set_owner(Some(well_known::SYSTEM.as_sid()), Provenance::Given);
    new.set_sacl(AclState::Present(label.as_acl()), Provenance::Given);
    let change = |information| {
        set(&Replacement {
            current: current.as_descriptor(),
            new,
            information,
            flags: AutoInheritFlags::empty(),
            mapping: &FILE,
        })
    };
    let made = change(SecurityInformation::OWNER).expect("memory");
    assert_eq!(
        made.as_descriptor().owner(),
        Some(well_known::SYSTEM.as_sid())
    );
    assert_eq!(
        made.as_descriptor().group(),
        current.as_descriptor().group()
    );
    assert_eq!(made.as_descriptor().dacl().aces().count(), 4);
    assert_eq!(
        change(SecurityInformation::GROUP).err(),
        Some(NtStatus::INVALID_PRIMARY_GROUP)
    );
    let made = change(SecurityInformation::LABEL).expect("memory");
    assert_eq!(
        texts(made.as_descriptor().sacl()),
        ["ML;;0x1;S-1-16-4096", "AU;FA;0x80000000;S-1-1-0"]
    );
    let made = change(SecurityInformation::SACL).expect("memory");
    assert_eq!(texts(made.as_descriptor().sacl()), ["AU;SA;0x1;S-1-1-0"]);
    let made = change(SecurityInformation::DACL).expect("memory");
    assert!(!made.as_descriptor().dacl().is_present());
}

#[test]
fn a_new_dacl_is_mapped_and_keeps_what_was_inherited_if_asked() {
    let inherited = AceFlags::INHERITED;
    let old = list(&[
        (ALLOW, NONE, 0x1, well_known::GUESTS),
        (ALLOW, inherited, 0x2, well_known::USERS),
    ]);
    let mut current = Descriptor::new();
    current.set_owner(Some(well_known::SYSTEM.as_sid()), Provenance::Given);
    current.set_dacl(AclState::Present(old.as_acl()), Provenance::Given);
    let acl = list(&[
        (ALLOW, NONE, 0x8000_0000, well_known::CREATOR_OWNER),
        (ALLOW, inherited, 0x4, well_known::EVERYONE),
    ]);
    let mut new = Descriptor::new();
    new.set_dacl(AclState::Present(acl.as_acl()), Provenance::Given);
    let change = |flags, information| {
        let made = set(&Replacement {
            current,
            new,
            information: SecurityInformation::DACL | information,
            flags,
            mapping: &FILE,
        })
        .expect("memory");
        (
            texts(made.as_descriptor().dacl()),
            made.as_descriptor().control() - DescriptorControl::DACL_PRESENT,
        )
    };
    let nothing = SecurityInformation::empty();
    let (entries, control) = change(AutoInheritFlags::empty(), nothing);
    assert_eq!(entries, ["A;;0x120089;S-1-5-18", "A;;0x4;S-1-1-0"]);
    assert_eq!(control, DescriptorControl::empty());
    let (entries, control) = change(AutoInheritFlags::DACL_AUTO_INHERIT, nothing);
    assert_eq!(entries, ["A;;0x120089;S-1-5-18", "A;ID;0x2;S-1-5-32-545"]);
    assert_eq!(control, DescriptorControl::DACL_AUTO_INHERITED);
    let (entries, control) = change(
        AutoInheritFlags::empty(),
        SecurityInformation::PROTECTED_DACL,
    );
    assert_eq!(entries.len(), 2);
    assert_eq!(control, DescriptorControl::DACL_PROTECTED);
}
