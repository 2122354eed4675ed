//! Security descriptors where they lie, absolute or self-relative: made, asked, set, checked.

use c_interface::{Ptr, exports, field};
#[cfg(target_pointer_width = "32")]
use nt_abi::security::SecurityDescriptor32 as Absolute;
#[cfg(target_pointer_width = "64")]
use nt_abi::security::SecurityDescriptor64 as Absolute;
use nt_abi::security::{
    AclHeader, DescriptorControl, SECURITY_DESCRIPTOR_REVISION, SecurityDescriptorRelative,
    SecurityInformation,
};
use nt_abi::{NtResult, NtStatus};
use rtl::security::{AclState, Descriptor, Provenance};
use zerocopy::FromZeros;

use super::{acl_at, length, room, sid_at, sid_length, status};

/// The size of an absolute descriptor's own structure.
pub(super) const ABSOLUTE: usize = size_of::<Absolute>();
/// The size of a self-relative descriptor's own structure.
pub(super) const RELATIVE: usize = size_of::<SecurityDescriptorRelative>();

/// What a descriptor refers to, whatever its form; null where it has none.
#[derive(Clone, Copy)]
pub(super) struct Parts {
    pub(super) control: DescriptorControl,
    pub(super) resource_manager_control: u8,
    pub(super) owner: Ptr<u8>,
    pub(super) group: Ptr<u8>,
    /// Null also for a list that is present and null.
    pub(super) sacl: Ptr<u8>,
    /// As the SACL.
    pub(super) dacl: Ptr<u8>,
}

impl Parts {
    /// Those of the descriptor at an address; they are not checked.
    pub(super) fn of(descriptor: Ptr<u8>) -> Self {
        let head = descriptor.cast::<SecurityDescriptorRelative>();
        let control = field!(head, SecurityDescriptorRelative, control).read();
        let [owner, group, sacl, dacl] = if control.contains(DescriptorControl::SELF_RELATIVE) {
            let relative = head.read();
            [relative.owner, relative.group, relative.sacl, relative.dacl].map(
                |offset| match offset {
                    0 => Ptr::NULL,
                    offset => descriptor.byte_add(room(offset)),
                },
            )
        } else {
            let absolute = descriptor.cast::<Absolute>().read();
            [absolute.owner, absolute.group, absolute.sacl, absolute.dacl].map(Ptr::at)
        };
        let listed = |bit, list| {
            if control.contains(bit) {
                list
            } else {
                Ptr::NULL
            }
        };
        Self {
            control,
            resource_manager_control: field!(
                head,
                SecurityDescriptorRelative,
                resource_manager_control
            )
            .read(),
            owner,
            group,
            sacl: listed(DescriptorControl::SACL_PRESENT, sacl),
            dacl: listed(DescriptorControl::DACL_PRESENT, dacl),
        }
    }

    /// SACL, DACL, owner, group: the bytes of each.
    pub(super) fn bytes<'a>(self) -> [&'a [u8]; 4] {
        let acl = |at: Ptr<u8>| match at.non_null() {
            Some(at) => {
                let size = field!(at.cast::<AclHeader>(), AclHeader, size).read();
                at.slice(usize::from(size))
            }
            None => &[],
        };
        let sid = |at: Ptr<u8>| match at.non_null() {
            Some(at) => at.slice(sid_length(at)),
            None => &[],
        };
        [
            acl(self.sacl),
            acl(self.dacl),
            sid(self.owner),
            sid(self.group),
        ]
    }

    /// The bytes of all parts, each a multiple of 4.
    pub(super) fn total(self) -> usize {
        let round = |bytes: &[u8]| bytes.len().next_multiple_of(4);
        self.bytes().into_iter().map(round).sum()
    }

    /// The bits that say which lists there are, and whether a part is a default.
    pub(super) fn has(self, bit: DescriptorControl) -> bool {
        self.control.contains(bit)
    }
}

fn revision(descriptor: Ptr<u8>) -> u8 {
    descriptor.read()
}

fn known(descriptor: Ptr<u8>) -> NtResult {
    if revision(descriptor) == SECURITY_DESCRIPTOR_REVISION {
        Ok(())
    } else {
        Err(NtStatus::UNKNOWN_REVISION)
    }
}

/// The descriptor at an address, checked.
///
/// # Errors
/// `UNKNOWN_REVISION`, `INVALID_SID`, `INVALID_ACL`.
pub(super) fn descriptor_at<'a>(descriptor: Ptr<u8>) -> NtResult<Descriptor<'a>> {
    known(descriptor)?;
    let parts = Parts::of(descriptor);
    let sid = |at: Ptr<u8>| at.non_null().map(sid_at).transpose();
    let acl = |at: Ptr<u8>, bit| match (parts.has(bit), at.non_null()) {
        (false, _) => Ok(AclState::Absent),
        (true, None) => Ok(AclState::Null),
        (true, Some(at)) => acl_at(at).map(AclState::Present),
    };
    let mut read = Descriptor::new();
    read.set_owner(sid(parts.owner)?, Provenance::Given);
    read.set_group(sid(parts.group)?, Provenance::Given);
    read.set_dacl(
        acl(parts.dacl, DescriptorControl::DACL_PRESENT)?,
        Provenance::Given,
    );
    read.set_sacl(
        acl(parts.sacl, DescriptorControl::SACL_PRESENT)?,
        Provenance::Given,
    );
    read.set_control_as(parts.control, parts.resource_manager_control);
    Ok(read)
}

/// The descriptor at an address, if there is one.
pub(super) fn optional_descriptor<'a>(descriptor: Ptr<u8>) -> NtResult<Option<Descriptor<'a>>> {
    descriptor.non_null().map(descriptor_at).transpose()
}

/// Changes an absolute descriptor.
///
/// # Errors
/// `UNKNOWN_REVISION`, `INVALID_SECURITY_DESCR` for a self-relative one.
fn change(descriptor: Ptr<u8>, change: impl FnOnce(&mut Absolute)) -> NtStatus {
    if let Err(status) = known(descriptor) {
        return status;
    }
    let mut absolute = descriptor.cast::<Absolute>().read();
    if absolute.control.contains(DescriptorControl::SELF_RELATIVE) {
        return NtStatus::INVALID_SECURITY_DESCR;
    }
    change(&mut absolute);
    descriptor.cast().write(absolute);
    NtStatus::SUCCESS
}

/// Writes what a descriptor says about one of its lists.
fn answer_list(
    descriptor: Ptr<u8>,
    bits: [DescriptorControl; 2],
    list: fn(Parts) -> Ptr<u8>,
    answer: (Ptr<u8>, Ptr<usize>, Ptr<u8>),
) -> NtStatus {
    if let Err(status) = known(descriptor) {
        return status;
    }
    let parts = Parts::of(descriptor);
    let [present, defaulted] = bits.map(|bit| u8::from(parts.has(bit)));
    answer.0.write(present);
    if present != 0 {
        answer.1.write(list(parts).address());
        answer.2.write(defaulted);
    }
    NtStatus::SUCCESS
}

/// Writes the owner or the group of a descriptor.
fn answer_sid(
    descriptor: Ptr<u8>,
    bit: DescriptorControl,
    sid: fn(Parts) -> Ptr<u8>,
    answer: (Ptr<usize>, Ptr<u8>),
) -> NtStatus {
    if let Err(status) = known(descriptor) {
        return status;
    }
    let parts = Parts::of(descriptor);
    answer.0.write(sid(parts).address());
    answer.1.write(u8::from(parts.has(bit)));
    NtStatus::SUCCESS
}

/// Whether the bytes are a self-relative descriptor with the required parts.
fn valid_relative(descriptor: Ptr<u8>, size: u32, required: u32) -> bool {
    !descriptor.is_null()
        && descriptor.address().is_multiple_of(4)
        && Descriptor::read_relative_with(
            descriptor.slice(room(size)),
            SecurityInformation(required),
        )
        .is_ok()
}

fn set_control(
    descriptor: Ptr<u8>,
    interest: DescriptorControl,
    bits: DescriptorControl,
) -> NtStatus {
    // It knows which bits may be set.
    if let Err(status) = Descriptor::new().set_control(interest, bits) {
        return status;
    }
    let field = field!(
        descriptor.cast::<SecurityDescriptorRelative>(),
        SecurityDescriptorRelative,
        control
    );
    field.write(field.read().difference(interest) | bits);
    NtStatus::SUCCESS
}

exports! {
    /// Makes an absolute descriptor without parts.
    ///
    /// # Errors
    /// `UNKNOWN_REVISION`.
    fn RtlCreateSecurityDescriptor(descriptor: Ptr<Absolute>, revision: u32) -> NtStatus {
        if revision != u32::from(SECURITY_DESCRIPTOR_REVISION) {
            return NtStatus::UNKNOWN_REVISION;
        }
        descriptor.write(Absolute { revision: SECURITY_DESCRIPTOR_REVISION, ..Absolute::new_zeroed() });
        NtStatus::SUCCESS
    }

    /// Whether there is a descriptor, with parts that are whole (`BOOLEAN`).
    fn RtlValidSecurityDescriptor(descriptor: Ptr<u8>) -> u8 {
        u8::from(!descriptor.is_null() && descriptor_at(descriptor).is_ok())
    }

    /// Whether so many bytes are a self-relative descriptor with certain parts, of which each lies within them (`BOOLEAN`).
    fn RtlValidRelativeSecurityDescriptor(descriptor: Ptr<u8>, size: u32, required: u32) -> u8 {
        u8::from(valid_relative(descriptor, size, required))
    }

    /// How many bytes a descriptor and its parts have.
    fn RtlLengthSecurityDescriptor(descriptor: Ptr<u8>) -> u32 {
        let parts = Parts::of(descriptor);
        let own = if parts.has(DescriptorControl::SELF_RELATIVE) { RELATIVE } else { ABSOLUTE };
        length(own + parts.total())
    }

    /// The control bits and the revision.
    ///
    /// # Errors
    /// `UNKNOWN_REVISION`.
    fn RtlGetControlSecurityDescriptor(descriptor: Ptr<u8>, control: Ptr<u16>, revision_of: Ptr<u32>) -> NtStatus {
        revision_of.write(u32::from(revision(descriptor)));
        if let Err(status) = known(descriptor) {
            return status;
        }
        control.write(Parts::of(descriptor).control.0);
        NtStatus::SUCCESS
    }

    /// Sets the bits of `interest` to those of `bits`.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a bit that is not about inheritance, or one of `bits` that is not of `interest`.
    fn RtlSetControlSecurityDescriptor(descriptor: Ptr<u8>, interest: DescriptorControl, bits: DescriptorControl) -> NtStatus {
        set_control(descriptor, interest, bits)
    }

    /// Sets those of the bits that are about inheritance; gives the revision.
    ///
    /// # Errors
    /// `UNKNOWN_REVISION`.
    fn RtlSetAttributesSecurityDescriptor(descriptor: Ptr<u8>, control: u16, revision_of: Ptr<u32>) -> NtStatus {
        revision_of.write(u32::from(revision(descriptor)));
        if let Err(status) = known(descriptor) {
            return status;
        }
        let bits = DescriptorControl(control & 0x3F00);
        set_control(descriptor, bits, bits)
    }

    /// The resource manager's byte; 0 if it has no meaning (`BOOLEAN`).
    fn RtlGetSecurityDescriptorRMControl(descriptor: Ptr<u8>, value: Ptr<u8>) -> u8 {
        let parts = Parts::of(descriptor);
        let valid = parts.has(DescriptorControl::RM_CONTROL_VALID);
        value.write(if valid { parts.resource_manager_control } else { 0 });
        u8::from(valid)
    }

    /// Sets the resource manager's byte; null takes its meaning away.
    fn RtlSetSecurityDescriptorRMControl(descriptor: Ptr<u8>, value: Ptr<u8>) {
        let head = descriptor.cast::<SecurityDescriptorRelative>();
        let control = field!(head, SecurityDescriptorRelative, control);
        let mut bits = control.read();
        bits.set(DescriptorControl::RM_CONTROL_VALID, !value.is_null());
        control.write(bits);
        let byte = value.read_optional().unwrap_or_default();
        field!(head, SecurityDescriptorRelative, resource_manager_control).write(byte);
    }

    /// Sets the owner of an absolute descriptor; the SID stays the caller's.
    ///
    /// # Errors
    /// `UNKNOWN_REVISION`, `INVALID_SECURITY_DESCR`.
    fn RtlSetOwnerSecurityDescriptor(descriptor: Ptr<u8>, owner: Ptr<u8>, defaulted: u8) -> NtStatus {
        change(descriptor, |absolute| {
            absolute.owner = owner.raw();
            absolute.control.set(DescriptorControl::OWNER_DEFAULTED, defaulted != 0);
        })
    }

    /// The owner, null if it has none.
    ///
    /// # Errors
    /// `UNKNOWN_REVISION`.
    fn RtlGetOwnerSecurityDescriptor(descriptor: Ptr<u8>, owner: Ptr<usize>, defaulted: Ptr<u8>) -> NtStatus {
        answer_sid(descriptor, DescriptorControl::OWNER_DEFAULTED, |parts| parts.owner, (owner, defaulted))
    }

    /// Sets the primary group of an absolute descriptor; the SID stays the caller's.
    ///
    /// # Errors
    /// `UNKNOWN_REVISION`, `INVALID_SECURITY_DESCR`.
    fn RtlSetGroupSecurityDescriptor(descriptor: Ptr<u8>, group: Ptr<u8>, defaulted: u8) -> NtStatus {
        change(descriptor, |absolute| {
            absolute.group = group.raw();
            absolute.control.set(DescriptorControl::GROUP_DEFAULTED, defaulted != 0);
        })
    }

    /// The primary group, null if it has none.
    ///
    /// # Errors
    /// `UNKNOWN_REVISION`.
    fn RtlGetGroupSecurityDescriptor(descriptor: Ptr<u8>, group: Ptr<usize>, defaulted: Ptr<u8>) -> NtStatus {
        answer_sid(descriptor, DescriptorControl::GROUP_DEFAULTED, |parts| parts.group, (group, defaulted))
    }

    /// Sets the DACL of an absolute descriptor, which may be null, or takes it away; the list stays the caller's.
    ///
    /// # Errors
    /// `UNKNOWN_REVISION`, `INVALID_SECURITY_DESCR`.
    fn RtlSetDaclSecurityDescriptor(descriptor: Ptr<u8>, present: u8, dacl: Ptr<u8>, defaulted: u8) -> NtStatus {
        change(descriptor, |absolute| {
            absolute.control.set(DescriptorControl::DACL_PRESENT, present != 0);
            if present != 0 {
                absolute.dacl = dacl.raw();
                absolute.control.set(DescriptorControl::DACL_DEFAULTED, defaulted != 0);
            }
        })
    }

    /// The DACL, if it is present.
    ///
    /// # Errors
    /// `UNKNOWN_REVISION`.
    fn RtlGetDaclSecurityDescriptor(descriptor: Ptr<u8>, present: Ptr<u8>, dacl: Ptr<usize>, defaulted: Ptr<u8>) -> NtStatus {
        let bits = [DescriptorControl::DACL_PRESENT, DescriptorControl::DACL_DEFAULTED];
        answer_list(descriptor, bits, |parts| parts.dacl, (present, dacl, defaulted))
    }

    /// Sets the SACL of an absolute descriptor, which may be null, or takes it away; the list stays the caller's.
    ///
    /// # Errors
    /// `UNKNOWN_REVISION`, `INVALID_SECURITY_DESCR`.
    fn RtlSetSaclSecurityDescriptor(descriptor: Ptr<u8>, present: u8, sacl: Ptr<u8>, defaulted: u8) -> NtStatus {
        change(descriptor, |absolute| {
            absolute.control.set(DescriptorControl::SACL_PRESENT, present != 0);
            if present != 0 {
                absolute.sacl = sacl.raw();
                absolute.control.set(DescriptorControl::SACL_DEFAULTED, defaulted != 0);
            }
        })
    }

    /// The SACL, if it is present.
    ///
    /// # Errors
    /// `UNKNOWN_REVISION`.
    fn RtlGetSaclSecurityDescriptor(descriptor: Ptr<u8>, present: Ptr<u8>, sacl: Ptr<usize>, defaulted: Ptr<u8>) -> NtStatus {
        let bits = [DescriptorControl::SACL_PRESENT, DescriptorControl::SACL_DEFAULTED];
        answer_list(descriptor, bits, |parts| parts.sacl, (present, sacl, defaulted))
    }

    /// Puts another SID in the place of one, in the owner, the group and the entries of a self-relative or absolute
    /// descriptor, where it is as long; gives in how many places.
    ///
    /// # Errors
    /// `INVALID_SID` for what is none or has another length, `INVALID_ACL`, `UNKNOWN_REVISION`.
    fn RtlReplaceSidInSd(descriptor: Ptr<u8>, old: Ptr<u8>, new: Ptr<u8>, changes: Ptr<u32>) -> NtStatus {
        status(replace_sid(descriptor, old, new).map(|count| changes.write(count)))
    }
}

fn replace_sid(descriptor: Ptr<u8>, old: Ptr<u8>, new: Ptr<u8>) -> NtResult<u32> {
    let (old, new) = (sid_at(old)?, sid_at(new)?);
    if old.bytes().len() != new.bytes().len() {
        return Err(NtStatus::INVALID_SID);
    }
    let read = descriptor_at(descriptor)?;
    let sids = [read.owner(), read.group()].into_iter().flatten();
    let entries = read.dacl().aces().chain(read.sacl().aces());
    let mut count = 0;
    for sid in sids.chain(entries.filter_map(|ace| ace.sid())) {
        if sid == old {
            super::put(Ptr::of_shared(&sid.bytes()[0]), new.bytes());
            count += 1;
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests;
