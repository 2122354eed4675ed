//! Lists byte by byte, as [MS-DTYP] 2.4.4 and 2.4.5 lay them out; what Wine answers, where the documentation is silent.

use nt_abi::security::Guid;
use rtl::security::SidBuf;

use super::*;
use crate::security::add_entries::*;

const SYSTEM: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];

fn at(bytes: &mut [u8]) -> Ptr<u8> {
    Ptr::new(bytes.as_mut_ptr().expose_provenance())
}

/// An entry for the system, as bytes ([MS-DTYP] 2.4.4).
fn entry(ace_type: u8, flags: u8, mask: u8) -> [u8; 20] {
    let mut bytes = [0; 20];
    bytes[..8].copy_from_slice(&[ace_type, flags, 20, 0, mask, 0, 0, 0]);
    bytes[8..].copy_from_slice(&SYSTEM);
    bytes
}

/// A list in so many bytes.
fn list<const SIZE: usize>() -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    let status = RtlCreateAcl(at(&mut bytes), u32::try_from(SIZE).expect("short"), 2);
    assert_eq!(status, NtStatus::SUCCESS);
    bytes
}

#[test]
fn a_list_is_made_with_its_size_and_revision() {
    let mut bytes = [0xCC; 80];
    let acl = at(&mut bytes);
    assert_eq!(RtlCreateAcl(acl, 7, 2), NtStatus::BUFFER_TOO_SMALL);
    for (size, revision) in [(8, 1), (8, 5), (0x1_0000, 2), (8, 0x102)] {
        assert_eq!(
            RtlCreateAcl(acl, size, revision),
            NtStatus::INVALID_PARAMETER
        );
    }
    assert_eq!(RtlCreateAcl(acl, 75, 4), NtStatus::SUCCESS);
    assert_eq!(bytes[..9], [4, 0, 72, 0, 0, 0, 0, 0, 0xCC]);
}

#[test]
fn entries_are_added_until_the_list_is_full() {
    let mut bytes = list::<64>();
    let mut sid = SYSTEM;
    let (acl, sid) = (at(&mut bytes), at(&mut sid));
    let mut bad = [2, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
    assert_eq!(
        RtlAddAccessAllowedAce(acl, 2, 1, at(&mut bad)),
        NtStatus::INVALID_SID
    );
    assert_eq!(
        RtlAddAccessAllowedAce(acl, 5, 1, sid),
        NtStatus::REVISION_MISMATCH
    );
    assert_eq!(
        RtlAddAccessAllowedAceEx(acl, 2, 0x20, 1, sid),
        NtStatus::INVALID_PARAMETER
    );
    assert_eq!(
        RtlAddAccessAllowedAceEx(acl, 3, 0x1F, 1, sid),
        NtStatus::SUCCESS
    );
    assert_eq!(RtlAddAccessDeniedAce(acl, 2, 2, sid), NtStatus::SUCCESS);
    assert_eq!(
        RtlAddAccessAllowedAce(acl, 2, 1, sid),
        NtStatus::ALLOTTED_SPACE_EXCEEDED
    );
    let mut free = 9;
    assert_eq!(RtlFirstFreeAce(acl, Ptr::of(&mut free)), 1);
    assert_eq!(free, acl.address() + 48);
    assert_eq!(bytes[..8], [3, 0, 64, 0, 2, 0, 0, 0]);
    assert_eq!(bytes[8..28], entry(0, 0x1F, 1));
    assert_eq!(bytes[28..48], entry(1, 0, 2));
}

#[test]
fn a_list_that_is_full_has_no_free_place() {
    let mut bytes = list::<28>();
    let mut sid = SYSTEM;
    RtlAddAccessAllowedAce(at(&mut bytes), 2, 1, at(&mut sid));
    let mut free = 9;
    assert_eq!(RtlFirstFreeAce(at(&mut bytes), Ptr::of(&mut free)), 1);
    assert_eq!(free, 0);
    bytes[4] = 3;
    assert_eq!(
        RtlFirstFreeAce(at(&mut bytes), Ptr::of(&mut free)),
        0,
        "more entries than it holds"
    );
}

#[test]
fn audits_say_which_outcomes() {
    let mut sid = SYSTEM;
    let sid = at(&mut sid);
    for (success, failure, flags) in [(0, 0, 0), (1, 0, 0x40), (0, 1, 0x80), (1, 1, 0xC0)] {
        let mut bytes = list::<28>();
        assert_eq!(
            RtlAddAuditAccessAce(at(&mut bytes), 2, 1, sid, success, failure),
            NtStatus::SUCCESS
        );
        assert_eq!(bytes[8..], entry(2, flags, 1));
        let mut bytes = list::<28>();
        let status = RtlAddAuditAccessAceEx(at(&mut bytes), 2, 0x41, 1, sid, success, failure);
        assert_eq!(status, NtStatus::SUCCESS);
        assert_eq!(bytes[8..], entry(2, flags | 0x41, 1));
    }
}

#[test]
fn object_entries_have_the_guids_that_were_given() {
    let mut guid = Guid {
        data1: 0x0403_0201,
        data2: 0x0605,
        data3: 0x0807,
        data4: [9; 8],
    };
    let mut sid = SYSTEM;
    let (guid, sid) = (Ptr::of(&mut guid), at(&mut sid));
    let mut bytes = list::<100>();
    let acl = at(&mut bytes);
    assert_eq!(
        RtlAddAccessAllowedObjectAce(acl, 2, 0, 1, guid, Ptr::NULL, sid),
        NtStatus::REVISION_MISMATCH
    );
    assert_eq!(
        RtlAddAccessAllowedObjectAce(acl, 4, 0, 1, guid, Ptr::NULL, sid),
        NtStatus::SUCCESS
    );
    assert_eq!(
        RtlAddAccessDeniedObjectAce(acl, 4, 0, 1, Ptr::NULL, Ptr::NULL, sid),
        NtStatus::SUCCESS
    );
    let status = RtlAddAuditAccessObjectAce(acl, 4, 0, 1, Ptr::NULL, guid, sid, 1, 0);
    assert_eq!(status, NtStatus::ALLOTTED_SPACE_EXCEEDED);
    assert_eq!(bytes[..8], [4, 0, 100, 0, 2, 0, 0, 0]);
    assert_eq!(bytes[8..20], [5, 0, 40, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(
        bytes[20..36],
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9, 9, 9, 9, 9]
    );
    assert_eq!(bytes[36..48], SYSTEM);
    assert_eq!(bytes[48..68], entry(1, 0, 1), "a plain one: it has no GUID");
    assert_eq!(RtlValidAcl(at(&mut bytes)), 1);
}

#[test]
fn labels_and_other_special_entries() {
    let label = SidBuf::new(16, &[0x1000]);
    let mut sid = [0; 12];
    sid.copy_from_slice(label.as_sid().bytes());
    let sid = at(&mut sid);
    let mut bytes = list::<120>();
    let acl = at(&mut bytes);
    assert_eq!(
        RtlAddMandatoryAce(acl, 2, 0, sid, 0x12, 1),
        NtStatus::INVALID_PARAMETER
    );
    assert_eq!(
        RtlAddMandatoryAce(acl, 2, 0, sid, 0x11, 8),
        NtStatus::INVALID_PARAMETER
    );
    assert_eq!(
        RtlAddMandatoryAce(acl, 2, 0, sid, 0x11, 1),
        NtStatus::SUCCESS
    );
    assert_eq!(
        RtlAddProcessTrustLabelAce(acl, 2, 0, sid, 0x14, 1),
        NtStatus::SUCCESS
    );
    assert_eq!(
        RtlAddScopedPolicyIDAce(acl, 2, 0, 1, sid),
        NtStatus::INVALID_PARAMETER
    );
    assert_eq!(
        RtlAddScopedPolicyIDAce(acl, 2, 0, 0, sid),
        NtStatus::SUCCESS
    );
    assert_eq!(RtlAddCompoundAce(acl, 3, 1, 1, sid, sid), NtStatus::SUCCESS);
    assert_eq!(RtlValidAcl(acl), 1);
    let mut index = 9;
    let found = RtlFindAceByType(acl, 0x13, Ptr::of(&mut index));
    assert_eq!((found.address(), index), (acl.address() + 48, 2));
    assert!(RtlFindAceByType(acl, 0, Ptr::NULL).is_null());
    assert_eq!(bytes[68..80], [4, 0, 36, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(
        (bytes[0], &bytes[80..92], &bytes[92..104]),
        (3, label.as_sid().bytes(), label.as_sid().bytes())
    );
}

#[test]
fn entries_are_inserted_and_taken_out() {
    let mut bytes = list::<88>();
    let acl = at(&mut bytes);
    let mut both = [0; 40];
    both[..20].copy_from_slice(&entry(0, 0, 1));
    both[20..].copy_from_slice(&entry(0, 0, 2));
    let entries = at(&mut both);
    for (revision, size) in [(2, 19), (2, 39), (5, 40)] {
        assert_eq!(
            RtlAddAce(acl, revision, 0, entries, size),
            NtStatus::INVALID_PARAMETER
        );
    }
    assert_eq!(RtlAddAce(acl, 2, 0, entries, 40), NtStatus::SUCCESS);
    assert_eq!(
        RtlAddAce(acl, 2, 1, entries.byte_add(20), 20),
        NtStatus::SUCCESS
    );
    assert_eq!(RtlAddAce(acl, 2, u32::MAX, entries, 20), NtStatus::SUCCESS);
    assert_eq!(
        RtlAddAce(acl, 2, u32::MAX, entries, 20),
        NtStatus::BUFFER_TOO_SMALL
    );
    let masks = |bytes: &[u8; 88]| [bytes[12], bytes[32], bytes[52], bytes[72]];
    assert_eq!((bytes[4], masks(&bytes)), (4, [1, 2, 2, 1]));
    let mut place = 0;
    assert_eq!(RtlGetAce(acl, 3, Ptr::of(&mut place)), NtStatus::SUCCESS);
    assert_eq!(place, acl.address() + 68);
    assert_eq!(
        RtlGetAce(acl, 4, Ptr::of(&mut place)),
        NtStatus::INVALID_PARAMETER
    );
    assert_eq!(RtlDeleteAce(acl, 4), NtStatus::INVALID_PARAMETER);
    assert_eq!(RtlDeleteAce(acl, 0), NtStatus::SUCCESS);
    assert_eq!((bytes[4], masks(&bytes)), (3, [2, 2, 1, 0]));
    assert_eq!(RtlDeleteAce(at(&mut bytes), 2), NtStatus::SUCCESS);
    assert_eq!((bytes[4], masks(&bytes)), (2, [2, 2, 0, 0]));
    assert_eq!(bytes[48..], [0; 40]);
}

#[test]
fn entries_of_objects_need_a_list_that_knows_them() {
    let mut bytes = list::<60>();
    let mut object = [
        5, 0, 24, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
    ];
    let (acl, object) = (at(&mut bytes), at(&mut object));
    assert_eq!(
        RtlAddAce(acl, 2, 0, object, 24),
        NtStatus::INVALID_PARAMETER
    );
    assert_eq!(RtlAddAce(acl, 4, 0, object, 24), NtStatus::SUCCESS);
    assert_eq!(bytes[0], 4);
}

#[test]
fn a_list_says_how_much_it_uses() {
    let mut bytes = list::<64>();
    let mut sid = SYSTEM;
    let acl = at(&mut bytes);
    RtlAddAccessAllowedAce(acl, 2, 1, at(&mut sid));
    let mut answer = [9u32; 3];
    let into = Ptr::of(&mut answer[0]).cast();
    assert_eq!(
        RtlQueryInformationAcl(acl, into, 11, 2),
        NtStatus::BUFFER_TOO_SMALL
    );
    assert_eq!(
        RtlQueryInformationAcl(acl, into, 12, 3),
        NtStatus::INVALID_INFO_CLASS
    );
    assert_eq!(RtlQueryInformationAcl(acl, into, 12, 2), NtStatus::SUCCESS);
    assert_eq!(answer, [1, 28, 36]);
    let mut revision = 4u32;
    let from = Ptr::of(&mut revision).cast();
    assert_eq!(RtlSetInformationAcl(acl, from, 4, 1), NtStatus::SUCCESS);
    assert_eq!(RtlQueryInformationAcl(acl, into, 4, 1), NtStatus::SUCCESS);
    assert_eq!(answer[0], 4);
    revision = 2;
    assert_eq!(
        RtlSetInformationAcl(acl, from, 4, 1),
        NtStatus::INVALID_PARAMETER,
        "downwards"
    );
    assert_eq!(revision, 2);
}

#[test]
fn owners_may_have_entries_of_their_own() {
    let mut bytes = list::<64>();
    let acl = at(&mut bytes);
    let mut rights = SYSTEM;
    rights[7] = 3;
    rights[8] = 4;
    assert_eq!(RtlOwnerAcesPresent(acl), 0);
    RtlAddAccessAllowedAceEx(acl, 2, 8, 1, at(&mut rights));
    assert_eq!(RtlOwnerAcesPresent(acl), 0, "it is for inheriting alone");
    RtlAddAccessAllowedAce(acl, 2, 1, at(&mut rights));
    assert_eq!(RtlOwnerAcesPresent(acl), 1);
}

#[test]
fn damaged_lists_are_left_alone() {
    let mut sid = SYSTEM;
    for (position, value) in [(2, 4), (4, 5), (10, 3), (10, 0)] {
        let mut bytes = list::<64>();
        RtlAddAccessAllowedAce(at(&mut bytes), 2, 1, at(&mut sid));
        bytes[position] = value;
        let before = bytes;
        assert_eq!(RtlValidAcl(at(&mut bytes)), 0);
        let status = RtlAddAccessAllowedAce(at(&mut bytes), 2, 1, at(&mut sid));
        assert_eq!((status, bytes), (NtStatus::INVALID_ACL, before));
    }
}
