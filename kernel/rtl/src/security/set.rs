//! Asking for parts of an object's descriptor, and replacing them.

use nt_abi::security::{
    AceFlags, AutoInheritFlags, DescriptorControl, GenericMapping, SecurityInformation,
};
use nt_abi::{NtResult, NtStatus};

use super::inherit::Recipient;
use super::{
    Ace, AclBuf, AclBuilder, AclState, Descriptor, DescriptorBuf, Effect, ObjectKind, Provenance,
    Sid,
};

/// The control bits that go with the DACL, but for whether there is one.
const DACL_BITS: DescriptorControl = DescriptorControl::DACL_DEFAULTED
    .union(DescriptorControl::DACL_AUTO_INHERIT_REQ)
    .union(DescriptorControl::DACL_AUTO_INHERITED)
    .union(DescriptorControl::DACL_PROTECTED);
/// The control bits that go with the SACL, but for whether there is one.
const SACL_BITS: DescriptorControl = DescriptorControl::SACL_DEFAULTED
    .union(DescriptorControl::SACL_AUTO_INHERIT_REQ)
    .union(DescriptorControl::SACL_AUTO_INHERITED)
    .union(DescriptorControl::SACL_PROTECTED);

/// The part of the information that an entry of a SACL belongs to.
fn belongs_to(ace: &Ace<'_>) -> SecurityInformation {
    match ace.effect() {
        Effect::Label => SecurityInformation::LABEL,
        Effect::ResourceAttribute => SecurityInformation::ATTRIBUTE,
        Effect::ScopedPolicy => SecurityInformation::SCOPE,
        _ => SecurityInformation::SACL,
    }
}

/// The parts of a SACL that are asked for, as bits of their own.
fn sacl_parts(information: SecurityInformation) -> SecurityInformation {
    let each = SecurityInformation::SACL
        | SecurityInformation::LABEL
        | SecurityInformation::ATTRIBUTE
        | SecurityInformation::SCOPE;
    if information.contains(SecurityInformation::BACKUP) {
        each
    } else {
        information & each
    }
}

fn asks_for(information: SecurityInformation, part: SecurityInformation) -> bool {
    information.intersects(part | SecurityInformation::BACKUP)
}

/// The parts of a descriptor that are asked for.
///
/// # NT
/// `SeQuerySecurityDescriptorInfo`, which `ObQuerySecurityObject` ends in. `SACL` gives all of the SACL, the other three
/// only their entries of it.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES`.
#[doc(alias = "SeQuerySecurityDescriptorInfo")]
pub fn query(
    descriptor: &Descriptor<'_>,
    information: SecurityInformation,
) -> NtResult<DescriptorBuf> {
    let control = descriptor.control();
    let mut answer = Descriptor::new();
    if asks_for(information, SecurityInformation::OWNER) {
        answer.set_owner(descriptor.owner(), Provenance::Given);
        answer.take_control(control, DescriptorControl::OWNER_DEFAULTED);
    }
    if asks_for(information, SecurityInformation::GROUP) {
        answer.set_group(descriptor.group(), Provenance::Given);
        answer.take_control(control, DescriptorControl::GROUP_DEFAULTED);
    }
    if asks_for(information, SecurityInformation::DACL) {
        answer.set_dacl(descriptor.dacl(), Provenance::Given);
        answer.take_control(control, DACL_BITS);
    }
    let parts = sacl_parts(information);
    if parts.contains(SecurityInformation::SACL) {
        answer.set_sacl(descriptor.sacl(), Provenance::Given);
        answer.take_control(control, SACL_BITS);
    } else if !parts.is_empty() {
        let mut builder = AclBuilder::new()?;
        for ace in descriptor.sacl().aces() {
            if parts.contains(belongs_to(&ace)) {
                builder.copy(&ace)?;
            }
        }
        if builder.count() > 0 {
            let acl = builder.finish();
            answer.set_sacl(AclState::Present(acl.as_acl()), Provenance::Given);
            answer.take_control(control, SACL_BITS);
            return DescriptorBuf::build(&answer);
        }
    }
    DescriptorBuf::build(&answer)
}

/// Parts of a descriptor that are to be replaced.
#[derive(Clone, Copy)]
pub struct Replacement<'a> {
    /// What the object has.
    pub current: Descriptor<'a>,
    /// What it is to have, where `information` says so.
    pub new: Descriptor<'a>,
    /// Which parts.
    pub information: SecurityInformation,
    /// `DACL_AUTO_INHERIT`, `SACL_AUTO_INHERIT`: what was inherited stays, and explicit entries alone are replaced.
    pub flags: AutoInheritFlags,
    /// What generic rights mean for the object.
    pub mapping: &'a GenericMapping,
}

/// Gives the descriptor with parts replaced; the object's own is as it was.
///
/// # NT
/// `SeSetSecurityDescriptorInfo(Ex)`, which `ObSetSecurityObjectByPointer` ends in, and `RtlSetSecurityObject(Ex)`. Setting
/// the SACL leaves the label and the other special entries alone, unless they are set too. Whether the caller may name that
/// owner is the caller's question, since the answer needs the token.
///
/// # Errors
/// `INVALID_OWNER` or `INVALID_PRIMARY_GROUP` if those are to be replaced by nothing, `ALLOTTED_SPACE_EXCEEDED` if a list
/// would exceed 64 KiB, `INSUFFICIENT_RESOURCES`.
#[doc(alias = "RtlSetSecurityObjectEx")]
#[doc(alias = "SeSetSecurityDescriptorInfo")]
pub fn set(replacement: &Replacement<'_>) -> NtResult<DescriptorBuf> {
    let Replacement {
        current,
        new,
        information,
        ..
    } = *replacement;
    let mut result = current;
    if asks_for(information, SecurityInformation::OWNER) {
        let owner = new.owner().ok_or(NtStatus::INVALID_OWNER)?;
        result.set_owner(Some(owner), Provenance::Given);
        result.take_control(new.control(), DescriptorControl::OWNER_DEFAULTED);
    }
    if asks_for(information, SecurityInformation::GROUP) {
        let group = new.group().ok_or(NtStatus::INVALID_PRIMARY_GROUP)?;
        result.set_group(Some(group), Provenance::Given);
        result.take_control(new.control(), DescriptorControl::GROUP_DEFAULTED);
    }
    let (owner, group) = (result.owner(), result.group());
    let dacl;
    if asks_for(information, SecurityInformation::DACL) {
        let protected = protection(
            new.control().contains(DescriptorControl::DACL_PROTECTED),
            information.contains(SecurityInformation::PROTECTED_DACL),
            information.contains(SecurityInformation::UNPROTECTED_DACL),
        );
        let auto = replacement
            .flags
            .contains(AutoInheritFlags::DACL_AUTO_INHERIT);
        dacl = replacement.merge_dacl(owner, group, auto && !protected)?;
        let state = dacl
            .as_ref()
            .map_or(new.dacl(), |acl| AclState::Present(acl.as_acl()));
        result.set_dacl(state, Provenance::Given);
        let mut control = new.control() & DescriptorControl::DACL_DEFAULTED;
        control.set(DescriptorControl::DACL_PROTECTED, protected);
        let inherited = auto || asked_for_inheritance(new.control());
        control.set(DescriptorControl::DACL_AUTO_INHERITED, inherited);
        result.take_control(control, DACL_BITS);
    }
    let sacl;
    let parts = sacl_parts(information);
    if !parts.is_empty() {
        sacl = replacement.merge_sacl(owner, group, parts)?;
        result.set_sacl(
            match &sacl {
                Some(acl) => AclState::Present(acl.as_acl()),
                None if new.sacl().is_present() => AclState::Null,
                None => AclState::Absent,
            },
            Provenance::Given,
        );
        let mut control = current.control();
        if parts.contains(SecurityInformation::SACL) {
            control = new.control() & DescriptorControl::SACL_DEFAULTED;
            let protected = protection(
                new.control().contains(DescriptorControl::SACL_PROTECTED),
                information.contains(SecurityInformation::PROTECTED_SACL),
                information.contains(SecurityInformation::UNPROTECTED_SACL),
            );
            control.set(DescriptorControl::SACL_PROTECTED, protected);
            let auto = replacement
                .flags
                .contains(AutoInheritFlags::SACL_AUTO_INHERIT);
            control.set(DescriptorControl::SACL_AUTO_INHERITED, auto);
        }
        result.take_control(control, SACL_BITS);
    }
    DescriptorBuf::build(&result)
}

/// Whether a list is protected from now on: the request's own word, or else the new descriptor's bit.
fn protection(bit: bool, protect: bool, unprotect: bool) -> bool {
    protect || (bit && !unprotect)
}

/// Whether the provider asks for the mark by setting both bits ("`SECURITY_DESCRIPTOR_CONTROL`").
fn asked_for_inheritance(control: DescriptorControl) -> bool {
    control
        .contains(DescriptorControl::DACL_AUTO_INHERIT_REQ | DescriptorControl::DACL_AUTO_INHERITED)
}

impl Replacement<'_> {
    fn recipient<'b>(&'b self, owner: Option<Sid<'b>>, group: Option<Sid<'b>>) -> Recipient<'b> {
        Recipient {
            // What is passed on stays so: an object that holds none simply never passes it on.
            kind: ObjectKind::Container,
            object_types: &[],
            mapping: self.mapping,
            owner,
            group,
            mark: AceFlags::empty(),
        }
    }

    /// The new DACL, with what the current one inherited if `keep`; `None` if it is absent or null.
    fn merge_dacl(
        &self,
        owner: Option<Sid<'_>>,
        group: Option<Sid<'_>>,
        keep: bool,
    ) -> NtResult<Option<AclBuf>> {
        let AclState::Present(acl) = self.new.dacl() else {
            return Ok(None);
        };
        let recipient = self.recipient(owner, group);
        let mut builder = AclBuilder::new()?;
        let inherited = |ace: &Ace<'_>| ace.flags().contains(AceFlags::INHERITED);
        for ace in acl.aces().filter(|ace| !(keep && inherited(ace))) {
            if asked_for_inheritance(self.new.control()) && inherited(&ace) {
                builder.copy(&ace)?;
            } else {
                recipient.take_explicit(&ace, &mut builder)?;
            }
        }
        for ace in self.current.dacl().aces().filter(|_| keep) {
            if inherited(&ace) {
                builder.copy(&ace)?;
            }
        }
        Ok(Some(builder.finish()))
    }

    /// The new SACL: of each part the new entries if it is set, else the current ones; `None` if nothing is left.
    fn merge_sacl(
        &self,
        owner: Option<Sid<'_>>,
        group: Option<Sid<'_>>,
        parts: SecurityInformation,
    ) -> NtResult<Option<AclBuf>> {
        let recipient = self.recipient(owner, group);
        let mut builder = AclBuilder::new()?;
        let kept = |ace: &Ace<'_>| !parts.contains(belongs_to(ace));
        let keep_inherited = parts.contains(SecurityInformation::SACL)
            && self.flags.contains(AutoInheritFlags::SACL_AUTO_INHERIT)
            && !self
                .new
                .control()
                .contains(DescriptorControl::SACL_PROTECTED);
        let inherited = |ace: &Ace<'_>| ace.flags().contains(AceFlags::INHERITED);
        for ace in self.new.sacl().aces().filter(|ace| !kept(ace)) {
            if !(keep_inherited && inherited(&ace)) {
                recipient.take_explicit(&ace, &mut builder)?;
            }
        }
        for ace in self.current.sacl().aces() {
            if kept(&ace) || (keep_inherited && inherited(&ace)) {
                builder.copy(&ace)?;
            }
        }
        let is_list = parts.contains(SecurityInformation::SACL) && self.new.sacl().acl().is_some();
        Ok((builder.count() > 0 || is_list).then(|| builder.finish()))
    }
}
