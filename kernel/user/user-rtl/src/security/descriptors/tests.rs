//! Descriptors byte by byte, as [MS-DTYP] 2.4.6 lays them out, and from one form to the other.

use super::*;
use crate::security::absolute::*;
use crate::security::access_lists::RtlCreateAcl;
use crate::security::add_entries::RtlAddAccessAllowedAce;

const SYSTEM: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
const ADMINISTRATORS: [u8; 16] = [1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x20, 2, 0, 0];

/// As Wine makes it of the same list, with 8 bytes that are not used: for administrators, everything of a file.
const DACL: [u8; 40] = [
    2, 0, 40, 0, 1, 0, 0, 0, 0, 0, 0x18, 0, 0xFF, 1, 0x1F, 0, 1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0,
    0, 0x20, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

fn at(bytes: &mut [u8]) -> Ptr<u8> {
    Ptr::new(bytes.as_mut_ptr().expose_provenance())
}

/// A descriptor and its parts.
struct Whole {
    descriptor: Absolute,
    owner: [u8; 12],
    group: [u8; 16],
    dacl: [u8; 40],
}

/// Owner, default group, DACL, and a null SACL that is a default.
fn whole(into: &mut Whole) -> Ptr<u8> {
    let descriptor = Ptr::of(&mut into.descriptor);
    assert_eq!(
        RtlCreateSecurityDescriptor(descriptor, 2),
        NtStatus::UNKNOWN_REVISION
    );
    assert_eq!(
        RtlCreateSecurityDescriptor(descriptor, 1),
        NtStatus::SUCCESS
    );
    RtlCreateAcl(at(&mut into.dacl), 40, 2);
    RtlAddAccessAllowedAce(at(&mut into.dacl), 2, 0x1F_01FF, at(&mut into.group));
    let descriptor = descriptor.cast::<u8>();
    assert_eq!(
        RtlSetOwnerSecurityDescriptor(descriptor, at(&mut into.owner), 0),
        NtStatus::SUCCESS
    );
    assert_eq!(
        RtlSetGroupSecurityDescriptor(descriptor, at(&mut into.group), 1),
        NtStatus::SUCCESS
    );
    assert_eq!(
        RtlSetDaclSecurityDescriptor(descriptor, 1, at(&mut into.dacl), 0),
        NtStatus::SUCCESS
    );
    assert_eq!(
        RtlSetSaclSecurityDescriptor(descriptor, 1, Ptr::NULL, 1),
        NtStatus::SUCCESS
    );
    descriptor
}

fn parts() -> Whole {
    Whole {
        descriptor: Absolute::new_zeroed(),
        owner: SYSTEM,
        group: ADMINISTRATORS,
        dacl: [0; 40],
    }
}

#[test]
fn what_is_set_is_got() {
    let mut whole_parts = parts();
    let descriptor = whole(&mut whole_parts);
    assert_eq!(whole_parts.dacl, DACL);
    let (mut control, mut revision) = (0, 0);
    let status =
        RtlGetControlSecurityDescriptor(descriptor, Ptr::of(&mut control), Ptr::of(&mut revision));
    // As Wine has it.
    assert_eq!((status, control, revision), (NtStatus::SUCCESS, 0x36, 1));
    let (mut sid, mut defaulted) = (0, 9);
    RtlGetOwnerSecurityDescriptor(descriptor, Ptr::of(&mut sid), Ptr::of(&mut defaulted));
    assert_eq!((sid, defaulted), (at(&mut whole_parts.owner).address(), 0));
    RtlGetGroupSecurityDescriptor(descriptor, Ptr::of(&mut sid), Ptr::of(&mut defaulted));
    assert_eq!((sid, defaulted), (at(&mut whole_parts.group).address(), 1));
    let (mut present, mut list) = (9, 9);
    RtlGetSaclSecurityDescriptor(
        descriptor,
        Ptr::of(&mut present),
        Ptr::of(&mut list),
        Ptr::of(&mut defaulted),
    );
    assert_eq!((present, list, defaulted), (1, 0, 1));
    RtlGetDaclSecurityDescriptor(
        descriptor,
        Ptr::of(&mut present),
        Ptr::of(&mut list),
        Ptr::of(&mut defaulted),
    );
    assert_eq!(
        (present, list, defaulted),
        (1, at(&mut whole_parts.dacl).address(), 0)
    );
    RtlSetDaclSecurityDescriptor(descriptor, 0, Ptr::NULL, 0);
    list = 7;
    RtlGetDaclSecurityDescriptor(
        descriptor,
        Ptr::of(&mut present),
        Ptr::of(&mut list),
        Ptr::of(&mut defaulted),
    );
    assert_eq!(
        (present, list),
        (0, 7),
        "where there is none, nothing else is said"
    );
}

#[test]
fn only_bits_of_inheritance_are_set_directly() {
    let mut whole_parts = parts();
    let descriptor = whole(&mut whole_parts);
    let set = |interest, bits| {
        RtlSetControlSecurityDescriptor(
            descriptor,
            DescriptorControl(interest),
            DescriptorControl(bits),
        )
    };
    assert_eq!(set(4, 0), NtStatus::INVALID_PARAMETER);
    assert_eq!(set(0x1000, 0x2000), NtStatus::INVALID_PARAMETER);
    assert_eq!(set(0x3000, 0x1000), NtStatus::SUCCESS);
    let mut revision = 0;
    assert_eq!(
        RtlSetAttributesSecurityDescriptor(descriptor, 0x8400, Ptr::of(&mut revision)),
        NtStatus::SUCCESS
    );
    assert_eq!(Parts::of(descriptor).control.0, 0x1436);
    let mut byte = 0x5A;
    assert_eq!(
        RtlGetSecurityDescriptorRMControl(descriptor, Ptr::of(&mut byte)),
        0
    );
    assert_eq!(byte, 0);
    byte = 0x5A;
    RtlSetSecurityDescriptorRMControl(descriptor, Ptr::of(&mut byte));
    byte = 0;
    assert_eq!(
        RtlGetSecurityDescriptorRMControl(descriptor, Ptr::of(&mut byte)),
        1
    );
    assert_eq!(byte, 0x5A);
    RtlSetSecurityDescriptorRMControl(descriptor, Ptr::NULL);
    assert_eq!(
        RtlGetSecurityDescriptorRMControl(descriptor, Ptr::of(&mut byte)),
        0
    );
}

/// The self-relative form of the whole one.
fn relative() -> [u8; 88] {
    let mut whole_parts = parts();
    let descriptor = whole(&mut whole_parts);
    let mut bytes = [0xCC; 88];
    let mut size = 87;
    let status = RtlAbsoluteToSelfRelativeSD(descriptor, at(&mut bytes), Ptr::of(&mut size));
    assert_eq!((status, size), (NtStatus::BUFFER_TOO_SMALL, 88));
    let status = RtlAbsoluteToSelfRelativeSD(descriptor, at(&mut bytes), Ptr::of(&mut size));
    assert_eq!(status, NtStatus::SUCCESS);
    bytes
}

#[test]
fn a_self_relative_form_is_one_piece() {
    let mut bytes = relative();
    assert_eq!(
        bytes[..20],
        [
            1, 0, 0x36, 0x80, 60, 0, 0, 0, 72, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0
        ]
    );
    assert_eq!(bytes[20..60], DACL);
    assert_eq!(
        (&bytes[60..72], &bytes[72..]),
        (&SYSTEM[..], &ADMINISTRATORS[..])
    );
    let descriptor = at(&mut bytes);
    assert_eq!(RtlLengthSecurityDescriptor(descriptor), 88);
    assert_eq!(RtlValidSecurityDescriptor(descriptor), 1);
    assert_eq!(RtlValidRelativeSecurityDescriptor(descriptor, 88, 7), 1);
    assert_eq!(RtlValidRelativeSecurityDescriptor(descriptor, 87, 0), 0);
    assert_eq!(
        RtlValidRelativeSecurityDescriptor(descriptor, 88, 8),
        0,
        "no SACL"
    );
    let mut size = 88;
    let mut copy = [0; 88];
    let again = RtlAbsoluteToSelfRelativeSD(descriptor, at(&mut copy), Ptr::of(&mut size));
    assert_eq!(again, NtStatus::BAD_DESCRIPTOR_FORMAT);
    assert_eq!(
        RtlMakeSelfRelativeSD(descriptor, at(&mut copy), Ptr::of(&mut size)),
        NtStatus::SUCCESS
    );
    assert_eq!(copy, bytes);
    let status = RtlSetOwnerSecurityDescriptor(at(&mut bytes), Ptr::NULL, 0);
    assert_eq!(status, NtStatus::INVALID_SECURITY_DESCR);
}

#[test]
fn a_self_relative_form_is_taken_apart() {
    let mut bytes = relative();
    let mut to = Absolute::new_zeroed();
    let (mut dacl, mut owner, mut group) = ([0; 40], [0; 12], [0; 16]);
    let mut sizes = [0u32; 5];
    let (whole_at, to_at) = (at(&mut bytes), Ptr::of(&mut to));
    let [dacl_at, owner_at, group_at] = [at(&mut dacl), at(&mut owner), at(&mut group)];
    let take = |sizes: &mut [u32; 5]| {
        let size = |index: usize| Ptr::of_shared(&sizes[index]);
        RtlSelfRelativeToAbsoluteSD(
            whole_at,
            to_at.cast(),
            size(0),
            dacl_at,
            size(1),
            Ptr::NULL,
            size(2),
            owner_at,
            size(3),
            group_at,
            size(4),
        )
    };
    assert_eq!(take(&mut sizes), NtStatus::BUFFER_TOO_SMALL);
    assert_eq!(sizes, [length(ABSOLUTE), 40, 0, 12, 16]);
    assert_eq!(take(&mut sizes), NtStatus::SUCCESS);
    assert_eq!((dacl, owner, group), (DACL, SYSTEM, ADMINISTRATORS));
    assert_eq!((to.control.0, to.sacl), (0x36, 0));
    assert_eq!(to.dacl, dacl_at.raw());
    assert_eq!(
        take(&mut [length(ABSOLUTE) - 1, 40, 0, 12, 16]),
        NtStatus::BUFFER_TOO_SMALL
    );
}

#[test]
fn a_self_relative_form_becomes_absolute_where_it_lies() {
    let mut room = [0u64; 20];
    let descriptor = Ptr::of(&mut room[0]).cast::<u8>();
    descriptor.write_array(&relative());
    let mut size = 88;
    let status = RtlSelfRelativeToAbsoluteSD2(descriptor, Ptr::of(&mut size));
    if ABSOLUTE > RELATIVE {
        assert_eq!((status, size), (NtStatus::BUFFER_TOO_SMALL, 108));
        let status = RtlSelfRelativeToAbsoluteSD2(descriptor, Ptr::of(&mut size));
        assert_eq!(status, NtStatus::SUCCESS);
    }
    assert_eq!(RtlValidSecurityDescriptor(descriptor), 1);
    let parts = Parts::of(descriptor);
    assert_eq!(parts.bytes(), [&[][..], &DACL, &SYSTEM, &ADMINISTRATORS]);
    assert_eq!(parts.control.0, 0x36);
    let again = RtlSelfRelativeToAbsoluteSD2(descriptor, Ptr::of(&mut size));
    assert_eq!(again, NtStatus::BAD_DESCRIPTOR_FORMAT);
}

#[test]
fn a_descriptor_is_valid_without_parts_but_not_with_damaged_ones() {
    let mut whole_parts = parts();
    RtlCreateSecurityDescriptor(Ptr::of(&mut whole_parts.descriptor), 1);
    let descriptor = Ptr::of(&mut whole_parts.descriptor).cast();
    assert_eq!(RtlValidSecurityDescriptor(descriptor), 1);
    assert_eq!(RtlLengthSecurityDescriptor(descriptor), length(ABSOLUTE));
    assert_eq!(RtlValidSecurityDescriptor(Ptr::NULL), 0);
    whole(&mut whole_parts);
    whole_parts.dacl[4] = 2;
    assert_eq!(RtlValidSecurityDescriptor(descriptor), 0);
    whole_parts.dacl[4] = 1;
    at(&mut whole_parts.owner).write(2);
    assert_eq!(RtlValidSecurityDescriptor(descriptor), 0);
}

#[test]
fn a_sid_is_replaced_everywhere() {
    let mut bytes = relative();
    let mut old = ADMINISTRATORS;
    let mut new = ADMINISTRATORS;
    new[12] = 0x21;
    let mut count = 9;
    let replace = |old: &mut [u8], new: &mut [u8], bytes: &mut [u8], count: &mut u32| {
        RtlReplaceSidInSd(at(bytes), at(old), at(new), Ptr::of(count))
    };
    assert_eq!(
        replace(&mut old, &mut SYSTEM.clone(), &mut bytes, &mut count),
        NtStatus::INVALID_SID
    );
    assert_eq!(
        replace(&mut old, &mut new, &mut bytes, &mut count),
        NtStatus::SUCCESS
    );
    assert_eq!(count, 2, "the group and an entry");
    assert_eq!((bytes[72 + 12], bytes[20 + 16 + 12]), (0x21, 0x21));
}

#[test]
fn a_copy_is_self_relative() {
    let mut whole_parts = parts();
    let descriptor = whole(&mut whole_parts);
    let mut made = 0;
    assert_eq!(
        RtlCopySecurityDescriptor(descriptor, Ptr::of(&mut made)),
        NtStatus::SUCCESS
    );
    assert_eq!(Ptr::<u8>::new(made).slice(88), relative());
    c_interface::blocks::free(Ptr::new(made));
}
