//! What a token says that matters for the descriptor of a new object.

use c_interface::{Ptr, blocks, field};
use nt_abi::native::Pointer;
use nt_abi::security::{
    GroupAttributes, LuidAndAttributes, Privilege, PrivilegeAttributes, TokenInformationClass,
    TokenPrivilegesHeader,
};
use nt_abi::{NtResult, NtStatus};
use rtl::security::{Acl, Sid};

use super::sids::SidAndAttributes;
use super::{acl_at, room, sid_at};
use crate::given;

/// One kind of information about a token, as the kernel gives it.
pub(super) struct Information {
    block: Ptr<u8>,
}

impl Drop for Information {
    fn drop(&mut self) {
        blocks::free(self.block);
    }
}

impl Information {
    /// Asks for it.
    ///
    /// # Errors
    /// `NO_MEMORY`, and those of `NtQueryInformationToken`.
    pub(super) fn query(token: usize, class: TokenInformationClass) -> NtResult<Self> {
        let mut size = 256;
        loop {
            let block = blocks::allocate(room(size)).ok_or(NtStatus::NO_MEMORY)?;
            let made = Self { block };
            let mut needed = 0;
            let status =
                given::query_information_token(token, class.0, block, size, Ptr::of(&mut needed));
            match status {
                NtStatus::SUCCESS => return Ok(made),
                NtStatus::BUFFER_TOO_SMALL if needed > size => size = needed,
                status => return Err(status),
            }
        }
    }

    /// The pointer that it begins with.
    fn pointer(&self) -> Ptr<u8> {
        Ptr::at(self.block.cast::<Pointer>().read())
    }

    /// The SID that it begins with the address of.
    ///
    /// # Errors
    /// `INVALID_SID`.
    pub(super) fn sid(&self) -> NtResult<Sid<'_>> {
        sid_at(self.pointer())
    }

    /// The list that it begins with the address of, if there is one.
    ///
    /// # Errors
    /// `INVALID_ACL`.
    pub(super) fn acl(&self) -> NtResult<Option<Acl<'_>>> {
        self.pointer().non_null().map(acl_at).transpose()
    }

    /// Whether it has a group that may own objects.
    fn has_owner(&self, owner: Sid<'_>) -> bool {
        let count = room(self.block.cast::<u32>().read());
        let groups = self
            .block
            .byte_add(size_of::<Pointer>())
            .cast::<SidAndAttributes>();
        (0..count).any(|index| {
            let attributes =
                GroupAttributes(field!(groups.add(index), SidAndAttributes, attributes).read());
            let sid = field!(groups.add(index), SidAndAttributes, sid).read();
            attributes.contains(GroupAttributes::OWNER)
                && !attributes.contains(GroupAttributes::USE_FOR_DENY_ONLY)
                && sid_at(Ptr::at(sid)).is_ok_and(|sid| sid == owner)
        })
    }

    /// Whether it has a privilege that is enabled.
    fn has_privilege(&self, privilege: Privilege) -> bool {
        let head = self.block.cast::<TokenPrivilegesHeader>().read();
        let privileges = self.block.byte_add(size_of::<TokenPrivilegesHeader>());
        (0..room(head.count)).any(|index| {
            let held = privileges.cast::<LuidAndAttributes>().add(index).read();
            held.luid == privilege.into() && held.attributes.contains(PrivilegeAttributes::ENABLED)
        })
    }
}

/// Checks that a token has a privilege, enabled.
///
/// # Errors
/// `PRIVILEGE_NOT_HELD`, and those of [`Information::query`].
pub(super) fn check_privilege(token: usize, privilege: Privilege) -> NtResult {
    let privileges = Information::query(token, TokenInformationClass::PRIVILEGES)?;
    if privileges.has_privilege(privilege) {
        Ok(())
    } else {
        Err(NtStatus::PRIVILEGE_NOT_HELD)
    }
}

/// Checks that a token's holder may make objects that somebody owns: himself, one of his groups that may own objects, or
/// anybody if he restores objects.
///
/// # Errors
/// `INVALID_OWNER`, and those of [`Information::query`].
pub(super) fn check_owner(token: usize, owner: Sid<'_>) -> NtResult {
    let user = Information::query(token, TokenInformationClass::USER)?;
    if user.sid()? == owner {
        return Ok(());
    }
    let groups = Information::query(token, TokenInformationClass::GROUPS)?;
    if groups.has_owner(owner) {
        return Ok(());
    }
    check_privilege(token, Privilege::RESTORE).map_err(|status| match status {
        NtStatus::PRIVILEGE_NOT_HELD => NtStatus::INVALID_OWNER,
        status => status,
    })
}
