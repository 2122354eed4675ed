//! Bytes that nobody vouches for: no reader panics, and what is read is consistent.

use std::vec::Vec;

use super::*;

/// A list with every form of entry.
fn rich_list() -> AclBuf {
    let guid = nt_abi::security::Guid {
        data1: 7,
        data2: 8,
        data3: 9,
        data4: [1; 8],
    };
    let mut builder = AclBuilder::new().expect("memory");
    let all = AceFlags::all();
    let sid = well_known::USERS;
    builder
        .allow(all, AccessMask::all(), sid.as_sid())
        .expect("fits");
    builder
        .deny(
            all,
            AccessMask::GENERIC_ALL,
            well_known::OWNER_RIGHTS.as_sid(),
        )
        .expect("fits");
    for guids in [(None, None), (Some(guid), None), (Some(guid), Some(guid))] {
        builder
            .object(
                AceType::ACCESS_DENIED_OBJECT,
                all,
                AccessMask(1),
                guids,
                sid.as_sid(),
            )
            .expect("fits");
    }
    let policy = nt_abi::security::MandatoryLabelPolicy(7);
    builder
        .label(all, policy, well_known::HIGH_LABEL.as_sid())
        .expect("fits");
    builder.finish()
}

#[test]
fn damaged_bytes_never_panic() {
    let acl = rich_list();
    let mut descriptor = Descriptor::new();
    descriptor.set_owner(Some(well_known::SYSTEM.as_sid()), Provenance::Given);
    descriptor.set_group(Some(well_known::USERS.as_sid()), Provenance::Defaulted);
    descriptor.set_dacl(AclState::Present(acl.as_acl()), Provenance::Given);
    descriptor.set_sacl(AclState::Present(acl.as_acl()), Provenance::Given);
    let built = DescriptorBuf::build(&descriptor).expect("memory");
    let users = well_known::USERS;
    let text = b"S-1-5-21-397955417-626881126-188441444-1010";
    let seeds: [&[u8]; 4] = [
        built.bytes(),
        acl.as_acl().bytes(),
        users.as_sid().bytes(),
        text,
    ];
    let mut random = Random(0x5EC5_EC5E);
    for case in 0..100_000 {
        let mut bytes: Vec<u8> = seeds[case % seeds.len()].to_vec();
        for _ in 0..=random.below(4) {
            let position = random.below(bytes.len());
            match random.below(4) {
                0 => bytes[position] = random.next().to_le_bytes()[0],
                1 => bytes[position] ^= 1 << random.below(8),
                2 => bytes[position] = [0, 1, 4, 8, 0x7F, 0xFF][random.below(6)],
                _ => bytes.truncate(random.below(bytes.len() + 1).max(1)),
            }
        }
        fuzz(&bytes);
        if let Ok(read) = Descriptor::read_relative(&bytes) {
            written_again_it_is_the_same(&read);
        }
    }
}

/// Whatever was read can be written, read again, inherited from and replaced.
fn written_again_it_is_the_same(read: &Descriptor<'_>) {
    let built = DescriptorBuf::build(read).expect("memory");
    let again = Descriptor::read_relative(built.bytes()).expect("what is written is good");
    assert_eq!(again.owner(), read.owner());
    assert_eq!(again.group(), read.group());
    assert_eq!(again.control(), read.control());
    for (one, other) in [(again.dacl(), read.dacl()), (again.sacl(), read.sacl())] {
        assert_eq!(
            one.acl().map(Acl::bytes),
            other.acl().map(Acl::bytes),
            "the lists keep their bytes"
        );
    }
    let owner = well_known::SYSTEM;
    let new = NewObject {
        parent: Some(*read),
        given: Some(*read),
        creator: Creator {
            owner: owner.as_sid(),
            group: owner.as_sid(),
            default_dacl: read.dacl().acl(),
            label: None,
        },
        kind: ObjectKind::Container,
        object_types: &[],
        flags: nt_abi::security::AutoInheritFlags(3),
        mapping: &FILE,
    };
    let made = new.descriptor().expect("short enough");
    assert!(Descriptor::read_relative(made.bytes()).is_ok());
    let replaced = set(&Replacement {
        current: *read,
        new: made.as_descriptor(),
        information: nt_abi::security::SecurityInformation::BACKUP,
        flags: nt_abi::security::AutoInheritFlags(3),
        mapping: &FILE,
    })
    .expect("short enough");
    assert!(Descriptor::read_relative(replaced.bytes()).is_ok());
}

#[test]
fn a_list_does_not_grow_beyond_its_size_field() {
    let mut builder = AclBuilder::new().expect("memory");
    let sid = well_known::EVERYONE;
    let entry = AclBuilder::allow;
    let none = AceFlags::empty();
    while entry(&mut builder, none, AccessMask(1), sid.as_sid()).is_ok() {}
    assert_eq!(
        entry(&mut builder, none, AccessMask(1), sid.as_sid()),
        Err(nt_abi::NtStatus::ALLOTTED_SPACE_EXCEEDED)
    );
    let list = builder.finish();
    let list = Acl::read(list.as_acl().bytes()).expect("good");
    assert_eq!(usize::from(list.count()), (0xFFFC - 8) / 20);
}
