//! Structures about access tokens (`TOKEN_*` of `winnt.h` and `ntifs.h`).
//!
//! A structure with pointers exists twice: `...32` as 32-bit programs have it,
//! `...64` as 64-bit ones do. Lists end in an array whose length is a field;
//! here is their head, the elements follow it.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{
    GroupAttributes, ImpersonationLevel, Privilege, PrivilegeAttributes, PrivilegeSetControl,
    TokenType,
};

/// A locally unique identifier (`LUID`).
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Luid {
    /// The lower half.
    pub low: u32,
    /// The upper half.
    pub high: i32,
}

impl Luid {
    /// The LUID of a number that fits its lower half.
    pub const fn new(low: u32) -> Self {
        Self { low, high: 0 }
    }

    /// The logon session of the system itself (`SYSTEM_LUID`).
    pub const SYSTEM: Self = Self::new(0x3E7);
    /// The anonymous session (`ANONYMOUS_LOGON_LUID`).
    pub const ANONYMOUS_LOGON: Self = Self::new(0x3E6);
    /// Local Service's session (`LOCALSERVICE_LUID`).
    pub const LOCAL_SERVICE: Self = Self::new(0x3E5);
    /// Network Service's session (`NETWORKSERVICE_LUID`).
    pub const NETWORK_SERVICE: Self = Self::new(0x3E4);
}

impl From<Privilege> for Luid {
    fn from(privilege: Privilege) -> Self {
        Self::new(privilege.0)
    }
}

/// Declares structures without padding, which derive what plain bytes can.
macro_rules! structures {
    ($($(#[$doc:meta])* $name:ident[$size:literal] { $($(#[$field_doc:meta])* $field:ident: $kind:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
        #[repr(C)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $kind,)*
        }
        const _: () = assert!(size_of::<$name>() == $size);
    )*};
}

structures! {
    /// A privilege and its state (`LUID_AND_ATTRIBUTES`).
    LuidAndAttributes[12] {
        /// Which.
        luid: Luid,
        /// Its state.
        attributes: PrivilegeAttributes,
    }
    /// The head of `TOKEN_PRIVILEGES`; [`LuidAndAttributes`] follow.
    TokenPrivilegesHeader[4] {
        /// How many follow.
        count: u32,
    }
    /// The head of `PRIVILEGE_SET`; [`LuidAndAttributes`] follow.
    PrivilegeSetHeader[8] {
        /// How many follow.
        count: u32,
        /// Whether all are needed.
        control: PrivilegeSetControl,
    }
    /// `SID_AND_ATTRIBUTES`; alone also `TOKEN_USER` and `TOKEN_MANDATORY_LABEL`.
    SidAndAttributes32[8] {
        /// Pointer to the SID.
        sid: u32,
        /// How it is held.
        attributes: GroupAttributes,
    }
    /// `SID_AND_ATTRIBUTES`; alone also `TOKEN_USER` and `TOKEN_MANDATORY_LABEL`.
    SidAndAttributes64[16] {
        /// Pointer to the SID.
        sid: u64,
        /// How it is held.
        attributes: GroupAttributes,
        /// Padding.
        padding: u32,
    }
    /// The head of `TOKEN_GROUPS`; [`SidAndAttributes32`] follow.
    TokenGroupsHeader32[4] {
        /// How many follow.
        count: u32,
    }
    /// The head of `TOKEN_GROUPS`; [`SidAndAttributes64`] follow.
    TokenGroupsHeader64[8] {
        /// How many follow.
        count: u32,
        /// Padding.
        padding: u32,
    }
    /// One pointer: `TOKEN_OWNER`, `TOKEN_PRIMARY_GROUP`, `TOKEN_DEFAULT_DACL`, `TOKEN_APPCONTAINER_INFORMATION`.
    TokenPointer32[4] {
        /// It.
        pointer: u32,
    }
    /// One pointer: `TOKEN_OWNER`, `TOKEN_PRIMARY_GROUP`, `TOKEN_DEFAULT_DACL`, `TOKEN_APPCONTAINER_INFORMATION`.
    TokenPointer64[8] {
        /// It.
        pointer: u64,
    }
    /// Who made a token (`TOKEN_SOURCE`).
    TokenSource[16] {
        /// Its name, padded with blanks.
        name: [u8; 8],
        /// Which of several.
        identifier: Luid,
    }
    /// `TOKEN_STATISTICS`, the same for both widths: its times are aligned to 8 everywhere.
    TokenStatistics[56] {
        /// This token.
        token_id: Luid,
        /// Its logon session.
        authentication_id: Luid,
        /// When it expires, in 100 ns since 1601; the largest number means never.
        expiration_time: i64,
        /// Primary or impersonation.
        token_type: TokenType,
        /// How far it impersonates.
        impersonation_level: ImpersonationLevel,
        /// Bytes set aside for default owner, group and DACL.
        dynamic_charged: u32,
        /// Of them, free.
        dynamic_available: u32,
        /// Groups.
        group_count: u32,
        /// Privileges.
        privilege_count: u32,
        /// Changes whenever the token does.
        modified_id: Luid,
    }
    /// The start of `TOKEN_GROUPS_AND_PRIVILEGES`.
    TokenGroupsAndPrivileges32[44] {
        /// SIDs with the user's.
        sid_count: u32,
        /// Their bytes.
        sid_length: u32,
        /// Pointer to them.
        sids: u32,
        /// Restricting SIDs.
        restricted_sid_count: u32,
        /// Their bytes.
        restricted_sid_length: u32,
        /// Pointer to them.
        restricted_sids: u32,
        /// Privileges.
        privilege_count: u32,
        /// Their bytes.
        privilege_length: u32,
        /// Pointer to them.
        privileges: u32,
        /// The logon session.
        authentication_id: Luid,
    }
    /// The start of `TOKEN_GROUPS_AND_PRIVILEGES`.
    TokenGroupsAndPrivileges64[56] {
        /// SIDs with the user's.
        sid_count: u32,
        /// Their bytes.
        sid_length: u32,
        /// Pointer to them.
        sids: u64,
        /// Restricting SIDs.
        restricted_sid_count: u32,
        /// Their bytes.
        restricted_sid_length: u32,
        /// Pointer to them.
        restricted_sids: u64,
        /// Privileges.
        privilege_count: u32,
        /// Their bytes.
        privilege_length: u32,
        /// Pointer to them.
        privileges: u64,
        /// The logon session.
        authentication_id: Luid,
    }
    /// What a client allows its server (`SECURITY_QUALITY_OF_SERVICE`).
    SecurityQualityOfService[12] {
        /// Its bytes.
        length: u32,
        /// How far the server may go.
        impersonation_level: ImpersonationLevel,
        /// 0 for the state at the time of connecting, 1 for what it is later.
        context_tracking_mode: u8,
        /// 1 if only what is enabled is passed on.
        effective_only: u8,
        /// Padding.
        padding: u16,
    }
    /// A node of the tree of an object's parts (`OBJECT_TYPE_LIST`).
    ObjectTypeList32[8] {
        /// How deep: 0 for the object.
        level: u16,
        /// Padding.
        padding: u16,
        /// Pointer to its GUID.
        object_type: u32,
    }
    /// A node of the tree of an object's parts (`OBJECT_TYPE_LIST`).
    ObjectTypeList64[16] {
        /// How deep: 0 for the object.
        level: u16,
        /// Padding.
        padding: [u16; 3],
        /// Pointer to its GUID.
        object_type: u64,
    }
}

const _: () = {
    use core::mem::offset_of;
    assert!(size_of::<Luid>() == 8);
    assert!(
        offset_of!(TokenStatistics, expiration_time) == 16
            && offset_of!(TokenStatistics, modified_id) == 48
    );
    assert!(offset_of!(TokenGroupsAndPrivileges64, authentication_id) == 48);
    assert!(offset_of!(TokenGroupsAndPrivileges32, authentication_id) == 36);
};
