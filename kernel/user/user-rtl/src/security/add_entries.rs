//! Adding an entry to a list: one function for each type of entry.

use c_interface::{Ptr, exports};
use nt_abi::security::{
    ACL_REVISION_3, ACL_REVISION_DS, AccessMask, AceFlags, AceHeader, AceType, Guid, KnownAce,
    ObjectAceFlags,
};
use nt_abi::{NtResult, NtStatus};
use zerocopy::IntoBytes;

use super::access_lists::List;
use super::{acl_at, put, sid_at, status};

/// The flags that an entry's owner may give; the two of audits come on top for those.
const AUDIT: AceFlags = AceFlags::SUCCESSFUL_ACCESS.union(AceFlags::FAILED_ACCESS);
/// The policies of a label (`SYSTEM_MANDATORY_LABEL_VALID_MASK`).
const LABEL_POLICIES: u32 = 7;

/// What an entry is to be.
struct Entry<'a> {
    ace_type: AceType,
    flags: u32,
    /// The flags that are allowed.
    allowed: AceFlags,
    mask: u32,
    /// What lies between the mask and the SID.
    between: &'a [u8],
    sid: Ptr<u8>,
    /// The lowest revision that a list with this entry has.
    needs: u8,
}

impl Default for Entry<'_> {
    fn default() -> Self {
        Self {
            ace_type: AceType::default(),
            flags: 0,
            allowed: AceFlags::VALID_INHERIT_FLAGS,
            mask: 0,
            between: &[],
            sid: Ptr::NULL,
            needs: 0,
        }
    }
}

impl Entry<'_> {
    /// Adds it at the end of a list.
    ///
    /// # Errors
    /// `INVALID_SID`, `INVALID_ACL`; `REVISION_MISMATCH` for a revision that is not known or does not know the type;
    /// `INVALID_PARAMETER` for a flag that is not allowed; `ALLOTTED_SPACE_EXCEEDED` if the list has no room.
    fn add_to(&self, acl: Ptr<u8>, revision: u32) -> NtResult {
        let sid = sid_at(self.sid)?;
        let list = List::new(acl);
        let revision = u8::try_from(revision).map_err(|_| NtStatus::REVISION_MISMATCH)?;
        if revision > ACL_REVISION_DS
            || list.header.revision > ACL_REVISION_DS
            || revision < self.needs
        {
            return Err(NtStatus::REVISION_MISMATCH);
        }
        acl_at(acl)?;
        let flags = u8::try_from(self.flags).map_err(|_| NtStatus::INVALID_PARAMETER)?;
        if !self.allowed.contains(AceFlags(flags)) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let size = size_of::<KnownAce>() + self.between.len() + sid.bytes().len();
        let start = KnownAce {
            header: AceHeader {
                ace_type: self.ace_type,
                flags: AceFlags(flags),
                size: u16::try_from(size).map_err(|_| NtStatus::ALLOTTED_SPACE_EXCEEDED)?,
            },
            mask: AccessMask(self.mask),
        };
        let mut at = list.open(u16::MAX, size, NtStatus::ALLOTTED_SPACE_EXCEEDED)?;
        for piece in [start.as_bytes(), self.between, sid.bytes()] {
            put(at, piece);
            at = at.byte_add(piece.len());
        }
        list.note(1, revision);
        Ok(())
    }

    /// Adds it with GUIDs, or as a plain entry of type `plain` if there are none.
    fn add_object_to(
        &self,
        plain: AceType,
        guids: [Ptr<Guid>; 2],
        acl: Ptr<u8>,
        revision: u32,
    ) -> NtResult {
        let mut present = ObjectAceFlags::empty();
        let mut bytes = [0; 36];
        let mut end = 4;
        let flags = [
            ObjectAceFlags::OBJECT_TYPE_PRESENT,
            ObjectAceFlags::INHERITED_OBJECT_TYPE_PRESENT,
        ];
        for (guid, flag) in guids.into_iter().zip(flags) {
            if let Some(guid) = guid.read_optional() {
                present |= flag;
                bytes[end..end + 16].copy_from_slice(guid.as_bytes());
                end += 16;
            }
        }
        if present.is_empty() {
            let entry = Entry {
                ace_type: plain,
                ..*self
            };
            return entry.add_to(acl, revision);
        }
        bytes[..4].copy_from_slice(present.as_bytes());
        let entry = Entry {
            between: &bytes[..end],
            needs: ACL_REVISION_DS,
            ..*self
        };
        entry.add_to(acl, revision)
    }
}

/// The flags of an audit entry.
fn audit_flags(flags: u32, success: u8, failure: u8) -> u32 {
    let mut audited = AceFlags::empty();
    audited.set(AceFlags::SUCCESSFUL_ACCESS, success != 0);
    audited.set(AceFlags::FAILED_ACCESS, failure != 0);
    flags | u32::from(audited.0)
}

fn add_plain(
    acl: Ptr<u8>,
    revision: u32,
    ace_type: AceType,
    flags: u32,
    mask: u32,
    sid: Ptr<u8>,
) -> NtStatus {
    let entry = Entry {
        ace_type,
        flags,
        mask,
        sid,
        ..Entry::default()
    };
    status(entry.add_to(acl, revision))
}

fn add_audit(acl: Ptr<u8>, revision: u32, flags: u32, mask: u32, sid: Ptr<u8>) -> NtStatus {
    let entry = Entry {
        ace_type: AceType::SYSTEM_AUDIT,
        flags,
        allowed: AceFlags::VALID_INHERIT_FLAGS | AUDIT,
        mask,
        sid,
        ..Entry::default()
    };
    status(entry.add_to(acl, revision))
}

exports! {
    /// Adds an entry that allows.
    ///
    /// # Errors
    /// `INVALID_SID`, `INVALID_ACL`, `REVISION_MISMATCH`, `ALLOTTED_SPACE_EXCEEDED`.
    fn RtlAddAccessAllowedAce(acl: Ptr<u8>, revision: u32, mask: u32, sid: Ptr<u8>) -> NtStatus {
        add_plain(acl, revision, AceType::ACCESS_ALLOWED, 0, mask, sid)
    }

    /// Adds an entry that allows, with flags of inheritance.
    ///
    /// # Errors
    /// `INVALID_SID`, `INVALID_ACL`, `REVISION_MISMATCH`, `INVALID_PARAMETER`, `ALLOTTED_SPACE_EXCEEDED`.
    fn RtlAddAccessAllowedAceEx(acl: Ptr<u8>, revision: u32, flags: u32, mask: u32, sid: Ptr<u8>) -> NtStatus {
        add_plain(acl, revision, AceType::ACCESS_ALLOWED, flags, mask, sid)
    }

    /// Adds an entry that denies.
    ///
    /// # Errors
    /// `INVALID_SID`, `INVALID_ACL`, `REVISION_MISMATCH`, `ALLOTTED_SPACE_EXCEEDED`.
    fn RtlAddAccessDeniedAce(acl: Ptr<u8>, revision: u32, mask: u32, sid: Ptr<u8>) -> NtStatus {
        add_plain(acl, revision, AceType::ACCESS_DENIED, 0, mask, sid)
    }

    /// Adds an entry that denies, with flags of inheritance.
    ///
    /// # Errors
    /// `INVALID_SID`, `INVALID_ACL`, `REVISION_MISMATCH`, `INVALID_PARAMETER`, `ALLOTTED_SPACE_EXCEEDED`.
    fn RtlAddAccessDeniedAceEx(acl: Ptr<u8>, revision: u32, flags: u32, mask: u32, sid: Ptr<u8>) -> NtStatus {
        add_plain(acl, revision, AceType::ACCESS_DENIED, flags, mask, sid)
    }

    /// Adds an entry that audits granted access, refused access, or both.
    ///
    /// # Errors
    /// `INVALID_SID`, `INVALID_ACL`, `REVISION_MISMATCH`, `ALLOTTED_SPACE_EXCEEDED`.
    fn RtlAddAuditAccessAce(acl: Ptr<u8>, revision: u32, mask: u32, sid: Ptr<u8>, success: u8, failure: u8) -> NtStatus {
        add_audit(acl, revision, audit_flags(0, success, failure), mask, sid)
    }

    /// Adds an entry that audits, with flags of inheritance.
    ///
    /// # Errors
    /// `INVALID_SID`, `INVALID_ACL`, `REVISION_MISMATCH`, `INVALID_PARAMETER`, `ALLOTTED_SPACE_EXCEEDED`.
    fn RtlAddAuditAccessAceEx(
        acl: Ptr<u8>,
        revision: u32,
        flags: u32,
        mask: u32,
        sid: Ptr<u8>,
        success: u8,
        failure: u8,
    ) -> NtStatus {
        add_audit(acl, revision, audit_flags(flags, success, failure), mask, sid)
    }

    /// Adds an entry that allows for a part of the object, or that only one type of object inherits.
    ///
    /// # Errors
    /// `INVALID_SID`, `INVALID_ACL`, `REVISION_MISMATCH`, `INVALID_PARAMETER`, `ALLOTTED_SPACE_EXCEEDED`.
    fn RtlAddAccessAllowedObjectAce(
        acl: Ptr<u8>,
        revision: u32,
        flags: u32,
        mask: u32,
        object: Ptr<Guid>,
        inherited: Ptr<Guid>,
        sid: Ptr<u8>,
    ) -> NtStatus {
        let entry = Entry { ace_type: AceType::ACCESS_ALLOWED_OBJECT, flags, mask, sid, ..Entry::default() };
        status(entry.add_object_to(AceType::ACCESS_ALLOWED, [object, inherited], acl, revision))
    }

    /// Adds an entry that denies for a part of the object, or that only one type of object inherits.
    ///
    /// # Errors
    /// `INVALID_SID`, `INVALID_ACL`, `REVISION_MISMATCH`, `INVALID_PARAMETER`, `ALLOTTED_SPACE_EXCEEDED`.
    fn RtlAddAccessDeniedObjectAce(
        acl: Ptr<u8>,
        revision: u32,
        flags: u32,
        mask: u32,
        object: Ptr<Guid>,
        inherited: Ptr<Guid>,
        sid: Ptr<u8>,
    ) -> NtStatus {
        let entry = Entry { ace_type: AceType::ACCESS_DENIED_OBJECT, flags, mask, sid, ..Entry::default() };
        status(entry.add_object_to(AceType::ACCESS_DENIED, [object, inherited], acl, revision))
    }

    /// Adds an entry that audits for a part of the object, or that only one type of object inherits.
    ///
    /// # Errors
    /// `INVALID_SID`, `INVALID_ACL`, `REVISION_MISMATCH`, `INVALID_PARAMETER`, `ALLOTTED_SPACE_EXCEEDED`.
    fn RtlAddAuditAccessObjectAce(
        acl: Ptr<u8>,
        revision: u32,
        flags: u32,
        mask: u32,
        object: Ptr<Guid>,
        inherited: Ptr<Guid>,
        sid: Ptr<u8>,
        success: u8,
        failure: u8,
    ) -> NtStatus {
        let entry = Entry {
            ace_type: AceType::SYSTEM_AUDIT_OBJECT,
            flags: audit_flags(flags, success, failure),
            allowed: AceFlags::VALID_INHERIT_FLAGS | AUDIT,
            mask,
            sid,
            ..Entry::default()
        };
        status(entry.add_object_to(AceType::SYSTEM_AUDIT, [object, inherited], acl, revision))
    }

    /// Adds a label; the mask is its policy.
    ///
    /// # Errors
    /// `INVALID_SID`, `INVALID_ACL`, `REVISION_MISMATCH`, `ALLOTTED_SPACE_EXCEEDED`; `INVALID_PARAMETER` for another type, or
    /// a policy that is not known.
    fn RtlAddMandatoryAce(acl: Ptr<u8>, revision: u32, flags: u32, sid: Ptr<u8>, ace_type: u8, mask: u32) -> NtStatus {
        if AceType(ace_type) != AceType::SYSTEM_MANDATORY_LABEL || mask & !LABEL_POLICIES != 0 {
            return NtStatus::INVALID_PARAMETER;
        }
        add_plain(acl, revision, AceType::SYSTEM_MANDATORY_LABEL, flags, mask, sid)
    }

    /// Adds a label of trust.
    ///
    /// # Errors
    /// `INVALID_SID`, `INVALID_ACL`, `REVISION_MISMATCH`, `ALLOTTED_SPACE_EXCEEDED`; `INVALID_PARAMETER` for another type.
    fn RtlAddProcessTrustLabelAce(
        acl: Ptr<u8>,
        revision: u32,
        flags: u32,
        sid: Ptr<u8>,
        ace_type: u8,
        mask: u32,
    ) -> NtStatus {
        if AceType(ace_type) != AceType::SYSTEM_PROCESS_TRUST_LABEL {
            return NtStatus::INVALID_PARAMETER;
        }
        add_plain(acl, revision, AceType::SYSTEM_PROCESS_TRUST_LABEL, flags, mask, sid)
    }

    /// Adds the central access policy that holds for the object; the mask must be 0.
    ///
    /// # Errors
    /// `INVALID_SID`, `INVALID_ACL`, `REVISION_MISMATCH`, `INVALID_PARAMETER`, `ALLOTTED_SPACE_EXCEEDED`.
    fn RtlAddScopedPolicyIDAce(acl: Ptr<u8>, revision: u32, flags: u32, mask: u32, sid: Ptr<u8>) -> NtStatus {
        if mask != 0 {
            return NtStatus::INVALID_PARAMETER;
        }
        add_plain(acl, revision, AceType::SYSTEM_SCOPED_POLICY_ID, flags, mask, sid)
    }

    /// Adds an entry that allows a client through a server. It has a kind, 1 for impersonation, and two SIDs.
    ///
    /// # Errors
    /// `INVALID_SID`, `INVALID_ACL`, `REVISION_MISMATCH`, `ALLOTTED_SPACE_EXCEEDED`.
    fn RtlAddCompoundAce(
        acl: Ptr<u8>,
        revision: u32,
        kind: u8,
        mask: u32,
        server: Ptr<u8>,
        client: Ptr<u8>,
    ) -> NtStatus {
        let mut between = [0; 4 + 68];
        between[0] = kind;
        let Ok(server) = sid_at(server) else { return NtStatus::INVALID_SID };
        let end = 4 + server.bytes().len();
        between[4..end].copy_from_slice(server.bytes());
        let entry = Entry {
            ace_type: AceType::ACCESS_ALLOWED_COMPOUND,
            mask,
            between: &between[..end],
            sid: client,
            needs: ACL_REVISION_3,
            ..Entry::default()
        };
        status(entry.add_to(acl, revision))
    }
}
