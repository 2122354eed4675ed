//! Lists in the making.

use alloc::vec::Vec;

use nt_abi::security::{
    ACL_REVISION, ACL_REVISION_DS, AccessMask, AceFlags, AceHeader, AceType, AclHeader, Guid,
    KnownAce, MandatoryLabelPolicy, ObjectAceFlags,
};
use nt_abi::{NtResult, NtStatus};
use zerocopy::IntoBytes;

use super::{Ace, Acl, Sid, memory};

/// The most bytes that a list has: its size is 16 bits and a multiple of 4.
const LARGEST: usize = 0xFFFC;

/// A list that entries are added to.
///
/// # Differs
/// The revision is the lowest that the entries need; `RtlAddAce` has the caller say it.
pub struct AclBuilder {
    bytes: Vec<u8>,
    count: u16,
    revision: u8,
}

impl AclBuilder {
    /// An empty list.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "RtlCreateAcl")]
    pub fn new() -> NtResult<Self> {
        let mut bytes = Vec::new();
        memory::reserve(&mut bytes, size_of::<AclHeader>())?;
        bytes.resize(size_of::<AclHeader>(), 0);
        Ok(Self {
            bytes,
            count: 0,
            revision: ACL_REVISION,
        })
    }

    /// Adds an entry that allows.
    ///
    /// # Errors
    /// As [`copy`](Self::copy).
    #[doc(alias = "RtlAddAccessAllowedAceEx")]
    pub fn allow(&mut self, flags: AceFlags, mask: AccessMask, sid: Sid<'_>) -> NtResult {
        self.push(AceType::ACCESS_ALLOWED, flags, mask, &[], sid, &[])
    }

    /// Adds an entry that denies.
    ///
    /// # Errors
    /// As [`copy`](Self::copy).
    #[doc(alias = "RtlAddAccessDeniedAceEx")]
    pub fn deny(&mut self, flags: AceFlags, mask: AccessMask, sid: Sid<'_>) -> NtResult {
        self.push(AceType::ACCESS_DENIED, flags, mask, &[], sid, &[])
    }

    /// Adds an entry that audits; `flags` say which outcomes.
    ///
    /// # Errors
    /// As [`copy`](Self::copy).
    #[doc(alias = "RtlAddAuditAccessAceEx")]
    pub fn audit(&mut self, flags: AceFlags, mask: AccessMask, sid: Sid<'_>) -> NtResult {
        self.push(AceType::SYSTEM_AUDIT, flags, mask, &[], sid, &[])
    }

    /// Adds a label.
    ///
    /// # Errors
    /// As [`copy`](Self::copy).
    #[doc(alias = "RtlAddMandatoryAce")]
    pub fn label(
        &mut self,
        flags: AceFlags,
        policy: MandatoryLabelPolicy,
        sid: Sid<'_>,
    ) -> NtResult {
        let mask = AccessMask(policy.0);
        self.push(AceType::SYSTEM_MANDATORY_LABEL, flags, mask, &[], sid, &[])
    }

    /// Adds an entry about a part of the object, or one that only some types of object inherit.
    ///
    /// # Errors
    /// As [`copy`](Self::copy); `INVALID_PARAMETER` for a type that has no GUIDs.
    #[doc(alias = "RtlAddAccessAllowedObjectAce")]
    pub fn object(
        &mut self,
        ace_type: AceType,
        flags: AceFlags,
        mask: AccessMask,
        guids: (Option<Guid>, Option<Guid>),
        sid: Sid<'_>,
    ) -> NtResult {
        let known = [
            AceType::ACCESS_ALLOWED_OBJECT,
            AceType::ACCESS_DENIED_OBJECT,
            AceType::SYSTEM_AUDIT_OBJECT,
            AceType::ACCESS_ALLOWED_CALLBACK_OBJECT,
            AceType::ACCESS_DENIED_CALLBACK_OBJECT,
            AceType::SYSTEM_AUDIT_CALLBACK_OBJECT,
        ];
        if !known.contains(&ace_type) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let mut present = ObjectAceFlags::empty();
        let mut bytes = [0; 36];
        let mut end = 4;
        for (flag, guid) in [
            (ObjectAceFlags::OBJECT_TYPE_PRESENT, guids.0),
            (ObjectAceFlags::INHERITED_OBJECT_TYPE_PRESENT, guids.1),
        ] {
            if let Some(guid) = guid {
                present |= flag;
                bytes[end..end + 16].copy_from_slice(guid.as_bytes());
                end += 16;
            }
        }
        bytes[..4].copy_from_slice(present.as_bytes());
        self.push(ace_type, flags, mask, &bytes[..end], sid, &[])
    }

    /// Adds an entry as it is.
    ///
    /// # Errors
    /// `ALLOTTED_SPACE_EXCEEDED` if the list would be longer than 64 KiB, `INSUFFICIENT_RESOURCES`. The list is then as it
    /// was.
    #[doc(alias = "RtlAddAce")]
    pub fn copy(&mut self, ace: &Ace<'_>) -> NtResult {
        self.append(&[ace.bytes()])?;
        if ace.is_object_form() {
            self.revision = ACL_REVISION_DS;
        }
        Ok(())
    }

    /// Adds an entry with other flags, rights and another SID; one of a type that is not known gets the flags alone.
    ///
    /// # Errors
    /// As [`copy`](Self::copy).
    pub fn copy_changed(
        &mut self,
        ace: &Ace<'_>,
        flags: AceFlags,
        mask: AccessMask,
        sid: Option<Sid<'_>>,
    ) -> NtResult {
        if let Some(sid) = sid {
            return self.push(
                ace.ace_type(),
                flags,
                mask,
                ace.guid_bytes(),
                sid,
                ace.data(),
            );
        }
        let (start, rest) = ace
            .bytes()
            .split_at_checked(1)
            .ok_or(NtStatus::INVALID_ACL)?;
        let rest = rest.get(1..).ok_or(NtStatus::INVALID_ACL)?;
        self.append(&[start, &[flags.0], rest])
    }

    fn push(
        &mut self,
        ace_type: AceType,
        flags: AceFlags,
        mask: AccessMask,
        guids: &[u8],
        sid: Sid<'_>,
        data: &[u8],
    ) -> NtResult {
        let size = size_of::<KnownAce>() + guids.len() + sid.bytes().len() + data.len();
        let size = u16::try_from(size).map_err(|_| NtStatus::ALLOTTED_SPACE_EXCEEDED)?;
        let start = KnownAce {
            header: AceHeader {
                ace_type,
                flags,
                size,
            },
            mask,
        };
        self.append(&[start.as_bytes(), guids, sid.bytes(), data])?;
        if !guids.is_empty() {
            self.revision = ACL_REVISION_DS;
        }
        Ok(())
    }

    /// Adds one entry, given in pieces.
    fn append(&mut self, pieces: &[&[u8]]) -> NtResult {
        let size: usize = pieces.iter().map(|piece| piece.len()).sum();
        let count = self.count.checked_add(1);
        let (Some(count), true) = (count, self.bytes.len() + size <= LARGEST) else {
            return Err(NtStatus::ALLOTTED_SPACE_EXCEEDED);
        };
        memory::reserve(&mut self.bytes, size)?;
        for piece in pieces {
            self.bytes.extend_from_slice(piece);
        }
        self.count = count;
        Ok(())
    }

    /// The number of entries so far.
    pub fn count(&self) -> u16 {
        self.count
    }

    /// Ends the list.
    pub fn finish(mut self) -> AclBuf {
        let header = AclHeader {
            revision: self.revision,
            padding_1: 0,
            // `append` keeps to LARGEST.
            size: u16::try_from(self.bytes.len()).unwrap_or(u16::MAX),
            ace_count: self.count,
            padding_2: 0,
        };
        self.bytes[..size_of::<AclHeader>()].copy_from_slice(header.as_bytes());
        AclBuf { bytes: self.bytes }
    }
}

/// A list that holds its bytes.
pub struct AclBuf {
    bytes: Vec<u8>,
}

impl AclBuf {
    /// A copy of a list, without what is unused at its end.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`; `ALLOTTED_SPACE_EXCEEDED` never happens to a list that was read.
    pub fn copy_of(acl: Acl<'_>) -> NtResult<Self> {
        let mut builder = AclBuilder::new()?;
        memory::reserve(&mut builder.bytes, acl.used())?;
        for ace in acl.aces() {
            builder.copy(&ace)?;
        }
        builder.revision = acl.revision();
        Ok(builder.finish())
    }

    /// The list in it.
    pub fn as_acl(&self) -> Acl<'_> {
        Acl::read_unchecked(&self.bytes).unwrap_or(Acl::EMPTY)
    }
}
