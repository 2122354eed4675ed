//! Security descriptors: owner, primary group, and who may do what.
//!
//! Windows has two layouts: self-relative, one piece with offsets, and
//! absolute, four pointers. Here the second is [`Descriptor`], the parts
//! wherever each lies; a self-relative one is read into it and written from it.
//!
//! A self-relative descriptor may say that it has a DACL and yet have no
//! offset for it: that is a null DACL. See [`AclState`].

use nt_abi::security::{
    DescriptorControl, SECURITY_DESCRIPTOR_REVISION, SecurityDescriptorRelative,
    SecurityInformation,
};
use nt_abi::{NtResult, NtStatus};
use zerocopy::{FromBytes, IntoBytes};

use super::{Acl, AclState, Sid};

const HEADER: usize = size_of::<SecurityDescriptorRelative>();

/// The bits that follow from what else a descriptor holds.
const IMPLIED: DescriptorControl = DescriptorControl::DACL_PRESENT
    .union(DescriptorControl::SACL_PRESENT)
    .union(DescriptorControl::SELF_RELATIVE);

/// The bits that `RtlSetControlSecurityDescriptor` may change.
const SETTABLE: DescriptorControl = DescriptorControl::DACL_AUTO_INHERIT_REQ
    .union(DescriptorControl::SACL_AUTO_INHERIT_REQ)
    .union(DescriptorControl::DACL_AUTO_INHERITED)
    .union(DescriptorControl::SACL_AUTO_INHERITED)
    .union(DescriptorControl::DACL_PROTECTED)
    .union(DescriptorControl::SACL_PROTECTED);

/// Where a part of a descriptor comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Provenance {
    /// Somebody gave it.
    Given,
    /// It was filled in.
    Defaulted,
}

/// The parts of a descriptor.
///
/// # NT
/// An absolute `SECURITY_DESCRIPTOR`.
#[derive(Clone, Copy, Default)]
pub struct Descriptor<'a> {
    /// Without the bits of [`IMPLIED`].
    control: DescriptorControl,
    resource_manager_control: u8,
    owner: Option<Sid<'a>>,
    group: Option<Sid<'a>>,
    dacl: AclState<'a>,
    sacl: AclState<'a>,
}

impl<'a> Descriptor<'a> {
    /// One without any part.
    #[doc(alias = "RtlCreateSecurityDescriptor")]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a self-relative descriptor.
    ///
    /// # NT
    /// `RtlValidRelativeSecurityDescriptor` without required parts.
    ///
    /// # Errors
    /// `UNKNOWN_REVISION`; `INVALID_SID` and `INVALID_ACL` for a damaged part; `INVALID_SECURITY_DESCR` if it is not
    /// self-relative, too short, or an offset is not a multiple of 4 or leads out of it.
    pub fn read_relative(bytes: &'a [u8]) -> NtResult<Self> {
        let (header, _) = SecurityDescriptorRelative::read_from_prefix(bytes)
            .map_err(|_| NtStatus::INVALID_SECURITY_DESCR)?;
        if header.revision != SECURITY_DESCRIPTOR_REVISION {
            return Err(NtStatus::UNKNOWN_REVISION);
        }
        if !header.control.contains(DescriptorControl::SELF_RELATIVE) {
            return Err(NtStatus::INVALID_SECURITY_DESCR);
        }
        let sid = |offset| part(bytes, offset)?.map(Sid::read).transpose();
        let acl = |offset| part(bytes, offset)?.map(Acl::read).transpose();
        let (mut dacl, mut sacl) = (AclState::Absent, AclState::Absent);
        if header.control.contains(DescriptorControl::DACL_PRESENT) {
            dacl = acl(header.dacl)?.map_or(AclState::Null, AclState::Present);
        }
        if header.control.contains(DescriptorControl::SACL_PRESENT) {
            sacl = acl(header.sacl)?.map_or(AclState::Null, AclState::Present);
        }
        Ok(Self {
            control: header.control.difference(IMPLIED),
            resource_manager_control: header.resource_manager_control,
            owner: sid(header.owner)?,
            group: sid(header.group)?,
            dacl,
            sacl,
        })
    }

    /// Reads a self-relative descriptor that must have certain parts.
    ///
    /// # NT
    /// `RtlValidRelativeSecurityDescriptor`.
    ///
    /// # Errors
    /// As [`read_relative`](Self::read_relative); `INVALID_SECURITY_DESCR` also if a part of `required` is missing. A null
    /// list counts as missing.
    #[doc(alias = "RtlValidRelativeSecurityDescriptor")]
    pub fn read_relative_with(bytes: &'a [u8], required: SecurityInformation) -> NtResult<Self> {
        let read = Self::read_relative(bytes)?;
        let has = [
            (SecurityInformation::OWNER, read.owner.is_some()),
            (SecurityInformation::GROUP, read.group.is_some()),
            (SecurityInformation::DACL, read.dacl.acl().is_some()),
            (SecurityInformation::SACL, read.sacl.acl().is_some()),
        ];
        if has
            .iter()
            .any(|(part, present)| required.contains(*part) && !present)
        {
            return Err(NtStatus::INVALID_SECURITY_DESCR);
        }
        Ok(read)
    }

    /// Takes a self-relative descriptor that was made here.
    pub(super) fn read_unchecked(bytes: &'a [u8]) -> Option<Self> {
        let (header, _) = SecurityDescriptorRelative::read_from_prefix(bytes).ok()?;
        let sid = |offset| Sid::read(part(bytes, offset).ok()??).ok();
        let acl = |present: DescriptorControl, offset| {
            if !header.control.contains(present) {
                return AclState::Absent;
            }
            part(bytes, offset)
                .ok()
                .flatten()
                .and_then(Acl::read_unchecked)
                .map_or(AclState::Null, AclState::Present)
        };
        Some(Self {
            control: header.control.difference(IMPLIED),
            resource_manager_control: header.resource_manager_control,
            owner: sid(header.owner),
            group: sid(header.group),
            dacl: acl(DescriptorControl::DACL_PRESENT, header.dacl),
            sacl: acl(DescriptorControl::SACL_PRESENT, header.sacl),
        })
    }

    /// The control bits, with those that say what it has, without `SELF_RELATIVE`.
    pub fn control(&self) -> DescriptorControl {
        let mut control = self.control;
        control.set(DescriptorControl::DACL_PRESENT, self.dacl.is_present());
        control.set(DescriptorControl::SACL_PRESENT, self.sacl.is_present());
        control
    }

    /// The owner.
    pub fn owner(&self) -> Option<Sid<'a>> {
        self.owner
    }

    /// The primary group.
    pub fn group(&self) -> Option<Sid<'a>> {
        self.group
    }

    /// Who may do what.
    pub fn dacl(&self) -> AclState<'a> {
        self.dacl
    }

    /// What is audited, and the label.
    pub fn sacl(&self) -> AclState<'a> {
        self.sacl
    }

    /// Sets the owner.
    #[doc(alias = "RtlSetOwnerSecurityDescriptor")]
    pub fn set_owner(&mut self, owner: Option<Sid<'a>>, provenance: Provenance) {
        self.owner = owner;
        self.mark(DescriptorControl::OWNER_DEFAULTED, provenance);
    }

    /// Sets the primary group.
    #[doc(alias = "RtlSetGroupSecurityDescriptor")]
    pub fn set_group(&mut self, group: Option<Sid<'a>>, provenance: Provenance) {
        self.group = group;
        self.mark(DescriptorControl::GROUP_DEFAULTED, provenance);
    }

    /// Sets the DACL.
    #[doc(alias = "RtlSetDaclSecurityDescriptor")]
    pub fn set_dacl(&mut self, dacl: AclState<'a>, provenance: Provenance) {
        self.dacl = dacl;
        self.mark(DescriptorControl::DACL_DEFAULTED, provenance);
    }

    /// Sets the SACL.
    #[doc(alias = "RtlSetSaclSecurityDescriptor")]
    pub fn set_sacl(&mut self, sacl: AclState<'a>, provenance: Provenance) {
        self.sacl = sacl;
        self.mark(DescriptorControl::SACL_DEFAULTED, provenance);
    }

    /// Sets the bits of `interest` to those of `bits`.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a bit that is not about inheritance, or one of `bits` that is not of `interest`.
    #[doc(alias = "RtlSetControlSecurityDescriptor")]
    pub fn set_control(
        &mut self,
        interest: DescriptorControl,
        bits: DescriptorControl,
    ) -> NtResult {
        if !SETTABLE.contains(interest) || !interest.contains(bits) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        self.control = self.control.difference(interest) | bits;
        Ok(())
    }

    /// Takes over what another descriptor says beside its parts: the bits that do not follow from them, and the resource
    /// manager's byte.
    pub fn set_control_as(&mut self, control: DescriptorControl, resource_manager_control: u8) {
        self.control = control.difference(IMPLIED);
        self.resource_manager_control = resource_manager_control;
    }

    fn mark(&mut self, bit: DescriptorControl, provenance: Provenance) {
        self.control.set(bit, provenance == Provenance::Defaulted);
    }

    /// Takes over bits from another descriptor.
    pub(super) fn take_control(&mut self, from: DescriptorControl, bits: DescriptorControl) {
        self.control = self.control.difference(bits) | (from & bits).difference(IMPLIED);
    }

    /// The bytes of its self-relative form.
    #[doc(alias = "RtlLengthSecurityDescriptor")]
    pub fn relative_length(&self) -> usize {
        HEADER
            + self
                .parts()
                .iter()
                .map(|bytes| bytes.len().next_multiple_of(4))
                .sum::<usize>()
    }

    /// Writes its self-relative form; gives the bytes written.
    ///
    /// # NT
    /// `RtlAbsoluteToSelfRelativeSD`. The parts come in the order in which NT puts them: SACL, DACL, owner, group.
    ///
    /// # Errors
    /// `BUFFER_TOO_SMALL`, and `out` is as it was; [`relative_length`](Self::relative_length) says what is needed.
    #[doc(alias = "RtlAbsoluteToSelfRelativeSD")]
    pub fn write_relative(&self, out: &mut [u8]) -> NtResult<usize> {
        let length = self.relative_length();
        let out = out.get_mut(..length).ok_or(NtStatus::BUFFER_TOO_SMALL)?;
        out.fill(0);
        let mut offsets = [0; 4];
        let mut at = HEADER;
        for (bytes, offset) in self.parts().into_iter().zip(&mut offsets) {
            if !bytes.is_empty() {
                out[at..at + bytes.len()].copy_from_slice(bytes);
                // Two lists of at most 64 KiB and two SIDs.
                *offset = u32::try_from(at).unwrap_or_default();
                at += bytes.len().next_multiple_of(4);
            }
        }
        let [sacl, dacl, owner, group] = offsets;
        let header = SecurityDescriptorRelative {
            revision: SECURITY_DESCRIPTOR_REVISION,
            resource_manager_control: self.resource_manager_control,
            control: self.control() | DescriptorControl::SELF_RELATIVE,
            owner,
            group,
            sacl,
            dacl,
        };
        out[..HEADER].copy_from_slice(header.as_bytes());
        Ok(length)
    }

    /// SACL, DACL, owner, group: the bytes of each.
    fn parts(&self) -> [&'a [u8]; 4] {
        [
            self.sacl.acl().map(Acl::bytes).unwrap_or_default(),
            self.dacl.acl().map(Acl::bytes).unwrap_or_default(),
            self.owner.map(Sid::bytes).unwrap_or_default(),
            self.group.map(Sid::bytes).unwrap_or_default(),
        ]
    }
}

/// The bytes from an offset on; `None` for offset 0.
fn part(bytes: &[u8], offset: u32) -> NtResult<Option<&[u8]>> {
    if offset == 0 {
        return Ok(None);
    }
    usize::try_from(offset)
        .ok()
        .filter(|offset| *offset >= HEADER && offset % 4 == 0)
        .and_then(|offset| bytes.get(offset..))
        .filter(|rest| !rest.is_empty())
        .map(Some)
        .ok_or(NtStatus::INVALID_SECURITY_DESCR)
}

/// Looks at every part, and at what it is when written again.
pub(super) fn walk(descriptor: &Descriptor<'_>) {
    for acl in [descriptor.dacl(), descriptor.sacl()] {
        if let Some(acl) = acl.acl() {
            super::acl::walk(acl);
        }
    }
    let seen = (descriptor.control(), descriptor.relative_length());
    core::hint::black_box((seen, descriptor.owner(), descriptor.group()));
}
