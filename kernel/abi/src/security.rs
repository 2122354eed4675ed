//! Security as bytes: SIDs, access-control lists, descriptors, access masks ([MS-DTYP] 2.4, `winnt.h`, `ntifs.h`).
//!
//! Only what has a fixed shape is a structure here. A SID and an ACE are
//! followed by as many bytes as their counts say; their readers are in
//! `rtl::security`. What has a pointer in it exists once for each width, with
//! the pointer as the number that user mode wrote.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The revision of every SID (`SID_REVISION`).
pub const SID_REVISION: u8 = 1;
/// The most subauthorities that a SID has (`SID_MAX_SUB_AUTHORITIES`).
pub const SID_MAX_SUB_AUTHORITIES: usize = 15;
/// The bytes of the longest SID (`SECURITY_MAX_SID_SIZE`).
pub const SECURITY_MAX_SID_SIZE: usize = 68;
/// The revision of every security descriptor (`SECURITY_DESCRIPTOR_REVISION`).
pub const SECURITY_DESCRIPTOR_REVISION: u8 = 1;
/// The revision of an ordinary access-control list (`ACL_REVISION`).
pub const ACL_REVISION: u8 = 2;
/// The revision of a list with compound entries, which nobody writes today (`ACL_REVISION3`).
pub const ACL_REVISION_3: u8 = 3;
/// The revision of a list with object entries (`ACL_REVISION_DS`).
pub const ACL_REVISION_DS: u8 = 4;
/// The deepest level of an object-type list (`ACCESS_MAX_LEVEL`).
pub const ACCESS_MAX_LEVEL: u16 = 4;

/// Declares an open set of bits: names for some, room for all.
macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident: $bits:ty { $($(#[$flag_doc:ident $($flag_text:tt)*])* $flag:ident = $value:expr;)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
        #[repr(transparent)]
        pub struct $name(pub $bits);

        bitflags::bitflags! {
            impl $name: $bits {
                $($(#[$flag_doc $($flag_text)*])* const $flag = $value;)*
                const _ = !0;
            }
        }
    )*};
}

/// Declares an open enumeration: a number with names.
macro_rules! open_enum {
    ($($(#[$doc:meta])* $name:ident: $bits:ty { $($(#[$value_doc:meta])* $value_name:ident = $value:expr;)* })*) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
        )]
        #[repr(transparent)]
        pub struct $name(pub $bits);

        impl $name {
            $($(#[$value_doc])* pub const $value_name: Self = Self($value);)*
        }
    )*};
}

pub use crate::access::{AccessMask, GenericMapping};

mod information;
mod mask;
mod token;

pub use information::*;
pub use mask::*;
pub use token::*;

open_enum! {
    /// The type of an entry (`ACE_HEADER::AceType`).
    AceType: u8 {
        /// Allows.
        ACCESS_ALLOWED = 0x00;
        /// Denies.
        ACCESS_DENIED = 0x01;
        /// Audits.
        SYSTEM_AUDIT = 0x02;
        /// Reserved.
        SYSTEM_ALARM = 0x03;
        /// Allows a client through a server; reserved.
        ACCESS_ALLOWED_COMPOUND = 0x04;
        /// Allows, for a part of the object.
        ACCESS_ALLOWED_OBJECT = 0x05;
        /// Denies, for a part of the object.
        ACCESS_DENIED_OBJECT = 0x06;
        /// Audits, for a part of the object.
        SYSTEM_AUDIT_OBJECT = 0x07;
        /// Reserved.
        SYSTEM_ALARM_OBJECT = 0x08;
        /// Allows under a condition.
        ACCESS_ALLOWED_CALLBACK = 0x09;
        /// Denies under a condition.
        ACCESS_DENIED_CALLBACK = 0x0A;
        /// Allows under a condition, for a part of the object.
        ACCESS_ALLOWED_CALLBACK_OBJECT = 0x0B;
        /// Denies under a condition, for a part of the object.
        ACCESS_DENIED_CALLBACK_OBJECT = 0x0C;
        /// Audits under a condition.
        SYSTEM_AUDIT_CALLBACK = 0x0D;
        /// Reserved.
        SYSTEM_ALARM_CALLBACK = 0x0E;
        /// Audits under a condition, for a part of the object.
        SYSTEM_AUDIT_CALLBACK_OBJECT = 0x0F;
        /// Reserved.
        SYSTEM_ALARM_CALLBACK_OBJECT = 0x10;
        /// The integrity label.
        SYSTEM_MANDATORY_LABEL = 0x11;
        /// A claim about the object.
        SYSTEM_RESOURCE_ATTRIBUTE = 0x12;
        /// The central access policy that holds for the object.
        SYSTEM_SCOPED_POLICY_ID = 0x13;
        /// Which protected processes may touch the object.
        SYSTEM_PROCESS_TRUST_LABEL = 0x14;
        /// A further limit to what is allowed.
        SYSTEM_ACCESS_FILTER = 0x15;
    }
}

/// The start of a SID (`SID`); 32-bit subauthorities follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SidHeader {
    /// [`SID_REVISION`].
    pub revision: u8,
    /// How many subauthorities follow.
    pub sub_authority_count: u8,
    /// The identifier authority, big endian.
    pub identifier_authority: [u8; 6],
}

/// The start of an access-control list (`ACL`); entries follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct AclHeader {
    /// 2 to 4.
    pub revision: u8,
    /// Padding.
    pub padding_1: u8,
    /// Bytes of the list with its header and what is free at its end.
    pub size: u16,
    /// Entries.
    pub ace_count: u16,
    /// Padding.
    pub padding_2: u16,
}

/// The start of an entry (`ACE_HEADER`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct AceHeader {
    /// What it does.
    pub ace_type: AceType,
    /// Inheritance and audit.
    pub flags: AceFlags,
    /// Its bytes with this header, a multiple of 4.
    pub size: u16,
}

/// The start of an entry with a mask (`KNOWN_ACE`); a SID follows, but for object entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct KnownAce {
    /// The header.
    pub header: AceHeader,
    /// The rights.
    pub mask: AccessMask,
}

/// A security descriptor with its parts behind it (`SECURITY_DESCRIPTOR_RELATIVE`); offsets from its start, 0 for none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SecurityDescriptorRelative {
    /// [`SECURITY_DESCRIPTOR_REVISION`].
    pub revision: u8,
    /// The resource manager's byte.
    pub resource_manager_control: u8,
    /// What it has.
    pub control: DescriptorControl,
    /// Where the owner is.
    pub owner: u32,
    /// Where the primary group is.
    pub group: u32,
    /// Where the SACL is.
    pub sacl: u32,
    /// Where the DACL is.
    pub dacl: u32,
}

/// An absolute security descriptor of a 32-bit program (`SECURITY_DESCRIPTOR`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SecurityDescriptor32 {
    /// [`SECURITY_DESCRIPTOR_REVISION`].
    pub revision: u8,
    /// The resource manager's byte.
    pub resource_manager_control: u8,
    /// What it has.
    pub control: DescriptorControl,
    /// Pointer to the owner.
    pub owner: u32,
    /// Pointer to the primary group.
    pub group: u32,
    /// Pointer to the SACL.
    pub sacl: u32,
    /// Pointer to the DACL.
    pub dacl: u32,
}

/// An absolute security descriptor of a 64-bit program (`SECURITY_DESCRIPTOR`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SecurityDescriptor64 {
    /// [`SECURITY_DESCRIPTOR_REVISION`].
    pub revision: u8,
    /// The resource manager's byte.
    pub resource_manager_control: u8,
    /// What it has.
    pub control: DescriptorControl,
    /// Padding.
    pub padding: u32,
    /// Pointer to the owner.
    pub owner: u64,
    /// Pointer to the primary group.
    pub group: u64,
    /// Pointer to the SACL.
    pub sacl: u64,
    /// Pointer to the DACL.
    pub dacl: u64,
}

/// A globally unique identifier (`GUID`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Guid {
    /// The first eight hexadecimal digits.
    pub data1: u32,
    /// The next four.
    pub data2: u16,
    /// The next four.
    pub data3: u16,
    /// The rest, as written.
    pub data4: [u8; 8],
}

const _: () = {
    use core::mem::offset_of;
    assert!(size_of::<SidHeader>() == 8);
    assert!(size_of::<AclHeader>() == 8 && offset_of!(AclHeader, ace_count) == 4);
    assert!(size_of::<AceHeader>() == 4 && size_of::<KnownAce>() == 8);
    assert!(size_of::<SecurityDescriptorRelative>() == 20);
    assert!(
        size_of::<SecurityDescriptor32>() == 20 && offset_of!(SecurityDescriptor32, dacl) == 16
    );
    assert!(
        size_of::<SecurityDescriptor64>() == 40 && offset_of!(SecurityDescriptor64, owner) == 8
    );
    assert!(offset_of!(SecurityDescriptor64, sacl) == 24);
    assert!(size_of::<GenericMapping>() == 16 && size_of::<Guid>() == 16);
};
