//! Descriptors of objects, as far as it matters who gives them: [`rtl::security`] makes them, the questions to the token are
//! asked here.

use nt_abi::security::{
    AutoInheritFlags, GenericMapping, Guid, MandatoryLabelPolicy, Privilege, SecurityInformation,
};
use nt_abi::{NtResult, NtStatus};
use rtl::security::{
    Ace, AclState, Creator, Descriptor, DescriptorBuf, Effect, Label, NewObject, ObjectKind,
    Replacement, Sid, set,
};

use crate::Token;
use crate::mandatory::IntegrityLevel;
use crate::privileges::single_privilege_check;

/// Whether the token may make the SID the owner of an object: one that may own for it, or any with `SeRestorePrivilege`
/// ("Taking Object Ownership").
#[doc(alias = "SeValidOwner")]
pub fn may_assign_owner(token: &Token, owner: Sid<'_>) -> bool {
    token.may_own(owner) || single_privilege_check(token, Privilege::RESTORE)
}

/// A new object and who makes it.
#[derive(Clone, Copy)]
pub struct Assignment<'a> {
    /// Who makes it.
    pub token: &'a Token,
    /// Its parent's descriptor.
    pub parent: Option<Descriptor<'a>>,
    /// What the maker passed.
    pub given: Option<Descriptor<'a>>,
    /// Whether it holds others.
    pub kind: ObjectKind,
    /// The types that it is of; mostly none.
    pub object_types: &'a [Guid],
    /// How to inherit, and which questions not to ask.
    pub flags: AutoInheritFlags,
    /// What generic rights mean for it.
    pub mapping: &'a GenericMapping,
}

/// Makes the descriptor of a new object.
///
/// # NT
/// `SeAssignSecurityEx`. An object that somebody below Medium makes gets its maker's level as a label, so that the maker can
/// still write to it ("Windows Integrity Mechanism Design").
///
/// # Errors
/// `INVALID_OWNER` if the maker may not name that owner; `PRIVILEGE_NOT_HELD` for a SACL with more than a label without
/// `SeSecurityPrivilege`; `INVALID_LABEL` for a label above the maker's without `SeRelabelPrivilege`; further as
/// [`NewObject::descriptor`].
#[doc(alias = "SeAssignSecurity")]
#[doc(alias = "SeAssignSecurityEx")]
pub fn assign_security(assignment: &Assignment<'_>) -> NtResult<DescriptorBuf> {
    let Assignment { token, flags, .. } = *assignment;
    if let Some(given) = assignment.given {
        if let Some(owner) = given.owner()
            && !flags.contains(AutoInheritFlags::AVOID_OWNER_CHECK)
            && !may_assign_owner(token, owner)
        {
            return Err(NtStatus::INVALID_OWNER);
        }
        if !flags.contains(AutoInheritFlags::AVOID_PRIVILEGE_CHECK) {
            may_set_sacl(token, given.sacl())?;
            may_set_label(token, given.sacl())?;
        }
    }
    let level = token.integrity().sid();
    let label = Label {
        sid: level.as_sid(),
        policy: MandatoryLabelPolicy::NO_WRITE_UP,
    };
    NewObject {
        parent: assignment.parent,
        given: assignment.given,
        creator: Creator {
            owner: token.owner().as_sid(),
            group: token.primary_group().as_sid(),
            default_dacl: token.default_dacl(),
            label: (token.integrity() < IntegrityLevel::MEDIUM).then_some(label),
        },
        kind: assignment.kind,
        object_types: assignment.object_types,
        flags,
        mapping: assignment.mapping,
    }
    .descriptor()
}

/// Gives an object's descriptor with parts replaced. The handle was opened with the rights that the parts need.
///
/// # NT
/// The inner part of `NtSetSecurityObject`.
///
/// # Errors
/// `INVALID_OWNER`, `INVALID_LABEL` as [`assign_security`]; further as [`set`].
pub fn set_security(token: &Token, replacement: &Replacement<'_>) -> NtResult<DescriptorBuf> {
    let sets = |part| {
        replacement
            .information
            .intersects(part | SecurityInformation::BACKUP)
    };
    if sets(SecurityInformation::OWNER) {
        let owner = replacement.new.owner().ok_or(NtStatus::INVALID_OWNER)?;
        if !may_assign_owner(token, owner) {
            return Err(NtStatus::INVALID_OWNER);
        }
    }
    if sets(SecurityInformation::LABEL) {
        may_set_label(token, replacement.new.sacl())?;
    }
    set(replacement)
}

fn may_set_sacl(token: &Token, sacl: AclState<'_>) -> NtResult {
    let is_more = |ace: Ace<'_>| ace.effect() != Effect::Label;
    if sacl.aces().any(is_more) && !single_privilege_check(token, Privilege::SECURITY) {
        return Err(NtStatus::PRIVILEGE_NOT_HELD);
    }
    Ok(())
}

fn may_set_label(token: &Token, sacl: AclState<'_>) -> NtResult {
    for ace in sacl.aces().filter(|ace| ace.effect() == Effect::Label) {
        let level = ace.sid().and_then(IntegrityLevel::of);
        let level = level.ok_or(NtStatus::INVALID_LABEL)?;
        if level > token.integrity() && !single_privilege_check(token, Privilege::RELABEL) {
            return Err(NtStatus::INVALID_LABEL);
        }
    }
    Ok(())
}
