//! The rules of inheritance are tested in `rtl`; here is what the token has to do with it.

extern crate std;

use std::sync::Once;

use c_interface::Function;
use rtl::security::{AclState, Provenance, SidBuf};

use super::*;
use crate::security::sids::SidAndAttributes;

const ADMINISTRATOR: SidBuf = SidBuf::new(5, &[21, 1, 2, 3, 500]);
const GROUP: SidBuf = SidBuf::new(5, &[21, 1, 2, 3, 513]);

/// A token that can restore and audit.
const MIGHTY: usize = 0x10;
/// A token that can neither, at a low level.
const WEAK: usize = 0x20;

const MAPPING: GenericMapping = GenericMapping {
    generic_read: AccessMask(1),
    generic_write: AccessMask(2),
    generic_execute: AccessMask(4),
    generic_all: AccessMask(0xF),
};

/// Answers as the kernel does: a structure, with what it refers to behind it.
extern "system" fn query_token(
    token: usize,
    class: u32,
    into: Ptr<u8>,
    size: u32,
    needed: Ptr<u32>,
) -> NtStatus {
    // Enough for every answer here.
    needed.write(600);
    if size < 600 {
        return NtStatus::BUFFER_TOO_SMALL;
    }
    let behind = into.byte_add(200);
    let sid = |sid: &SidBuf| {
        put(behind, sid.as_sid().bytes());
        into.cast::<Pointer>().write(behind.raw());
    };
    match TokenInformationClass(class) {
        TokenInformationClass::USER | TokenInformationClass::OWNER => sid(&ADMINISTRATOR),
        TokenInformationClass::PRIMARY_GROUP => sid(&GROUP),
        TokenInformationClass::INTEGRITY_LEVEL if token == WEAK => sid(&well_known::LOW_LABEL),
        TokenInformationClass::INTEGRITY_LEVEL => sid(&well_known::HIGH_LABEL),
        TokenInformationClass::DEFAULT_DACL => {
            let mut builder = AclBuilder::new().expect("memory");
            builder
                .allow(AceFlags::empty(), AccessMask(0x99), GROUP.as_sid())
                .expect("room");
            put(behind, builder.finish().as_acl().bytes());
            into.cast::<Pointer>().write(behind.raw());
        }
        TokenInformationClass::GROUPS => {
            into.cast::<u32>().write(2);
            let groups = into.byte_add(size_of::<Pointer>()).cast::<[Pointer; 2]>();
            // One that may own objects, and one that may not.
            for (index, (group, attributes)) in [(well_known::ADMINISTRATORS, 8), (GROUP, 7)]
                .into_iter()
                .enumerate()
            {
                let at = behind.byte_add(100 * index);
                put(at, group.as_sid().bytes());
                groups.add(index).write([at.raw(), attributes]);
            }
            assert_eq!(size_of::<SidAndAttributes>(), size_of::<[Pointer; 2]>());
        }
        TokenInformationClass::PRIVILEGES => {
            let attributes = if token == MIGHTY { 2 } else { 0 };
            into.cast::<[u32; 7]>()
                .write([2, 18, 0, attributes, 8, 0, attributes]);
        }
        _ => return NtStatus::INVALID_INFO_CLASS,
    }
    NtStatus::SUCCESS
}

fn begin() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        given::set_query_information_token(Function::new(query_token as *const () as usize))
    });
}

/// Makes a descriptor of what the creator gives.
fn make(given: &Descriptor<'_>, flags: AutoInheritFlags, token: usize) -> Result<usize, NtStatus> {
    begin();
    let given = DescriptorBuf::build(given).expect("memory");
    let given = Ptr::new(given.bytes().as_ptr().expose_provenance());
    let mut made = 9;
    let mut mapping = MAPPING;
    let status = RtlNewSecurityObjectEx(
        Ptr::NULL,
        given,
        Ptr::of(&mut made),
        Ptr::NULL,
        0,
        flags,
        token,
        Ptr::of(&mut mapping),
    );
    if status == NtStatus::SUCCESS {
        Ok(made)
    } else {
        Err(status)
    }
}

fn free(mut made: usize) {
    RtlDeleteSecurityObject(Ptr::of(&mut made));
    assert_eq!(made, 0);
}

#[test]
fn what_nobody_says_the_token_does() {
    let made = make(&Descriptor::new(), AutoInheritFlags::empty(), WEAK).expect("allowed");
    let descriptor = descriptor_at(Ptr::new(made)).expect("good");
    assert_eq!(descriptor.owner(), Some(ADMINISTRATOR.as_sid()));
    assert_eq!(descriptor.group(), Some(GROUP.as_sid()));
    let ace = descriptor.dacl().aces().next().expect("the default");
    assert_eq!(
        (ace.mask(), ace.sid()),
        (AccessMask(0x99), Some(GROUP.as_sid()))
    );
    let label = descriptor
        .sacl()
        .aces()
        .next()
        .expect("a label, as its maker is low");
    assert_eq!(label.sid(), Some(well_known::LOW_LABEL.as_sid()));
    free(made);
    let made = make(&Descriptor::new(), AutoInheritFlags::empty(), MIGHTY).expect("allowed");
    let descriptor = descriptor_at(Ptr::new(made)).expect("good");
    assert!(descriptor.sacl().acl().is_none(), "who is high needs none");
    free(made);
}

#[test]
fn owners_are_who_the_token_allows() {
    let none = AutoInheritFlags::empty();
    let owned = |owner: SidBuf, flags, token| {
        let mut given = Descriptor::new();
        given.set_owner(Some(owner.as_sid()), Provenance::Given);
        make(&given, flags, token).map(free)
    };
    assert_eq!(owned(ADMINISTRATOR, none, WEAK), Ok(()), "himself");
    assert_eq!(
        owned(well_known::ADMINISTRATORS, none, WEAK),
        Ok(()),
        "a group for that"
    );
    assert_eq!(
        owned(GROUP, none, WEAK),
        Err(NtStatus::INVALID_OWNER),
        "another group"
    );
    assert_eq!(
        owned(well_known::SYSTEM, none, WEAK),
        Err(NtStatus::INVALID_OWNER)
    );
    assert_eq!(
        owned(well_known::SYSTEM, none, MIGHTY),
        Ok(()),
        "he restores"
    );
    assert_eq!(
        owned(
            well_known::SYSTEM,
            AutoInheritFlags::AVOID_OWNER_CHECK,
            WEAK
        ),
        Ok(())
    );
}

#[test]
fn audits_need_a_privilege() {
    let none = AutoInheritFlags::empty();
    let audited = |flags, token| {
        let mut builder = AclBuilder::new().expect("memory");
        builder
            .audit(AceFlags::SUCCESSFUL_ACCESS, AccessMask(1), GROUP.as_sid())
            .expect("room");
        let acl = builder.finish();
        let mut given = Descriptor::new();
        given.set_sacl(AclState::Present(acl.as_acl()), Provenance::Given);
        make(&given, flags, token).map(free)
    };
    assert_eq!(audited(none, WEAK), Err(NtStatus::PRIVILEGE_NOT_HELD));
    assert_eq!(
        audited(AutoInheritFlags::AVOID_PRIVILEGE_CHECK, WEAK),
        Ok(())
    );
    assert_eq!(audited(none, MIGHTY), Ok(()));
}

#[test]
fn without_a_token_all_must_be_given() {
    let mut given = Descriptor::new();
    let none = AutoInheritFlags::empty();
    assert_eq!(make(&given, none, 0), Err(NtStatus::NO_TOKEN));
    given.set_owner(Some(well_known::SYSTEM.as_sid()), Provenance::Given);
    given.set_group(Some(GROUP.as_sid()), Provenance::Given);
    free(make(&given, none, 0).expect("nobody checks"));
}

#[test]
fn parts_are_replaced_and_asked_for() {
    let mut object = make(&Descriptor::new(), AutoInheritFlags::empty(), MIGHTY).expect("allowed");
    let mut new = Descriptor::new();
    new.set_owner(Some(well_known::SYSTEM.as_sid()), Provenance::Given);
    let bytes = DescriptorBuf::build(&new).expect("memory");
    let new = Ptr::new(bytes.bytes().as_ptr().expose_provenance());
    let mut mapping = MAPPING;
    let mut replace = |object: &mut usize, token| {
        RtlSetSecurityObject(
            SecurityInformation::OWNER,
            new,
            Ptr::of(object),
            Ptr::of(&mut mapping),
            token,
        )
    };
    let before = object;
    assert_eq!(replace(&mut object, WEAK), NtStatus::INVALID_OWNER);
    assert_eq!(object, before);
    assert_eq!(replace(&mut object, MIGHTY), NtStatus::SUCCESS);
    let mut answer = [0u64; 16];
    let mut needed = 0;
    let mut ask = |size| {
        let into = Ptr::of(&mut answer[0]).cast();
        RtlQuerySecurityObject(
            Ptr::new(object),
            SecurityInformation::OWNER,
            into,
            size,
            Ptr::of(&mut needed),
        )
    };
    assert_eq!(ask(31), NtStatus::BUFFER_TOO_SMALL);
    assert_eq!(ask(32), NtStatus::SUCCESS);
    let asked = descriptor_at(Ptr::of(&mut answer[0]).cast()).expect("good");
    assert_eq!(
        (asked.owner(), asked.group()),
        (Some(well_known::SYSTEM.as_sid()), None)
    );
    assert_eq!(needed, 32);
    free(object);
}

#[test]
fn what_came_from_the_parent_is_told_apart() {
    let inheritable = AceFlags::CONTAINER_INHERIT | AceFlags::OBJECT_INHERIT;
    let list = |entries: &[(AceFlags, u32, SidBuf)]| {
        let mut builder = AclBuilder::new().expect("memory");
        for (flags, mask, sid) in entries {
            builder
                .allow(*flags, AccessMask(*mask), sid.as_sid())
                .expect("room");
        }
        builder.finish()
    };
    let parent_list = list(&[(inheritable, 1, well_known::USERS)]);
    let none = AceFlags::empty();
    let convert = |entries: &[(AceFlags, u32, SidBuf)]| {
        let own = list(entries);
        let mut descriptors = [Descriptor::new(), Descriptor::new()];
        for (descriptor, acl) in descriptors.iter_mut().zip([&parent_list, &own]) {
            descriptor.set_owner(Some(ADMINISTRATOR.as_sid()), Provenance::Given);
            descriptor.set_group(Some(GROUP.as_sid()), Provenance::Given);
            descriptor.set_dacl(AclState::Present(acl.as_acl()), Provenance::Given);
        }
        let [parent, own] =
            descriptors.map(|descriptor| DescriptorBuf::build(&descriptor).expect("memory"));
        let at = |bytes: &DescriptorBuf| Ptr::new(bytes.bytes().as_ptr().expose_provenance());
        let mut made = 0;
        let mut mapping = MAPPING;
        let status = RtlConvertToAutoInheritSecurityObject(
            at(&parent),
            at(&own),
            Ptr::of(&mut made),
            Ptr::NULL,
            0,
            Ptr::of(&mut mapping),
        );
        assert_eq!(status, NtStatus::SUCCESS);
        made
    };
    let made = convert(&[(none, 1, well_known::USERS), (none, 2, GROUP)]);
    let descriptor = descriptor_at(Ptr::new(made)).expect("good");
    let entries: std::vec::Vec<_> = descriptor
        .dacl()
        .aces()
        .map(|ace| (ace.flags(), ace.mask().0))
        .collect();
    assert_eq!(entries, [(none, 2), (AceFlags::INHERITED, 1)]);
    assert!(
        !descriptor
            .control()
            .contains(DescriptorControl::DACL_PROTECTED)
    );
    free(made);
    let made = convert(&[(none, 2, GROUP)]);
    let descriptor = descriptor_at(Ptr::new(made)).expect("good");
    assert!(
        descriptor
            .control()
            .contains(DescriptorControl::DACL_PROTECTED),
        "it lacks what it would inherit"
    );
    assert_eq!(descriptor.dacl().aces().count(), 1);
    free(made);
}
