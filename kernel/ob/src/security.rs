//! Security of objects: who gets which rights, and what an object's descriptor is.
//!
//! A descriptor is shared and never changed: a check takes a reference to it and needs no lock while it looks, and
//! whoever sets a part makes a new one and puts it in the old one's place, if that is still there.
//!
//! The check itself and the arithmetic of descriptors are in `se` and `rtl::security`. Here is what they are asked.

use arch::counted::Counted;
use nt_abi::access::AccessMask;
use nt_abi::security::{
    AceFlags, AutoInheritFlags, MandatoryLabelPolicy, Privilege, SecurityInformation,
};
use nt_abi::{NtResult, NtStatus};
use rtl::security::{
    AclBuilder, AclState, Creator, Descriptor, DescriptorBuf, NewObject, ObjectKind, Provenance,
    Replacement, well_known,
};
use se::{AccessRequest, Assignment, AuditRequest};

use crate::header::SharedDescriptor;
use crate::namespace::Protection;
use crate::{
    AccessState, AnyObject, CreateParameters, Directory, Mode, Object, ObjectType, Subject,
};

/// What a type that keeps its descriptors itself is asked; the answer to [`SecurityOperation::Query`] is a descriptor.
///
/// # NT
/// `OB_SECURITY_METHOD`.
pub type SecurityProcedure =
    fn(&AnyObject, SecurityOperation<'_>) -> NtResult<Option<DescriptorBuf>>;

/// See [`SecurityProcedure`].
///
/// # NT
/// `SECURITY_OPERATION_CODE`.
#[derive(Clone, Copy)]
pub enum SecurityOperation<'a> {
    /// The object is new, and this is its descriptor.
    Assign(Descriptor<'a>),
    /// Parts of it are wanted.
    Query(SecurityInformation),
    /// Parts of it are to be replaced.
    Set(SecurityInformation, Descriptor<'a>, Subject<'a>),
}

/// An access that the object's descriptor wants to be audited.
///
/// # NT
/// `SeOpenObjectAuditAlarm`.
#[derive(Clone, Copy)]
pub struct Audit<'a> {
    /// To what.
    pub object: &'a AnyObject,
    /// By whom.
    pub subject: &'a Subject<'a>,
    /// What was asked for.
    pub desired: AccessMask,
    /// What was answered.
    pub outcome: NtResult<AccessMask>,
}

static AUDITOR: spin::Once<fn(&Audit<'_>)> = spin::Once::new();

/// Sets who hears of audited accesses; the first one stays.
pub fn set_auditor(auditor: fn(&Audit<'_>)) {
    AUDITOR.call_once(|| auditor);
}

/// The rights that a handle needs so that those parts of the descriptor can be read.
///
/// # NT
/// `SeQuerySecurityAccessMask`.
#[doc(alias = "SeQuerySecurityAccessMask")]
pub fn rights_to_query(information: SecurityInformation) -> AccessMask {
    let readable = SecurityInformation::OWNER
        | SecurityInformation::GROUP
        | SecurityInformation::DACL
        | SecurityInformation::LABEL
        | SecurityInformation::ATTRIBUTE
        | SecurityInformation::SCOPE
        | SecurityInformation::BACKUP;
    let audit = SecurityInformation::SACL | SecurityInformation::BACKUP;
    of_parts(
        information,
        &[
            (readable, AccessMask::READ_CONTROL),
            (audit, AccessMask::ACCESS_SYSTEM_SECURITY),
        ],
    )
}

/// The rights that a handle needs so that those parts of the descriptor can be replaced.
///
/// # NT
/// `SeSetSecurityAccessMask`.
#[doc(alias = "SeSetSecurityAccessMask")]
pub fn rights_to_set(information: SecurityInformation) -> AccessMask {
    let backup = SecurityInformation::BACKUP;
    let owner = SecurityInformation::OWNER
        | SecurityInformation::GROUP
        | SecurityInformation::LABEL
        | backup;
    let dacl = SecurityInformation::DACL | SecurityInformation::ATTRIBUTE | backup;
    let sacl = SecurityInformation::SACL | SecurityInformation::SCOPE | backup;
    of_parts(
        information,
        &[
            (owner, AccessMask::WRITE_OWNER),
            (dacl, AccessMask::WRITE_DAC),
            (sacl, AccessMask::ACCESS_SYSTEM_SECURITY),
        ],
    )
}

fn of_parts(
    information: SecurityInformation,
    rights: &[(SecurityInformation, AccessMask)],
) -> AccessMask {
    rights
        .iter()
        .filter(|(parts, _)| information.intersects(*parts))
        .fold(AccessMask::NONE, |all, (_, right)| all | *right)
}

/// Asks the object's descriptor for what the open still wants.
///
/// # NT
/// `ObCheckObjectAccess`. The kernel is granted all; so is everybody where there is no descriptor.
///
/// # Errors
/// As [`se::access_check`].
#[doc(alias = "ObCheckObjectAccess")]
pub fn check_access(object: &AnyObject, state: &mut AccessState<'_>) -> NtResult {
    let kind = object.head().kind();
    if state.subject.mode() == Mode::Kernel {
        state.grant_all(kind);
        return Ok(());
    }
    let tokens = state.subject.tokens().ok_or(NtStatus::ACCESS_DENIED)?;
    let Some(descriptor) = descriptor_of(object)? else {
        state.granted |= creators_rights(state, kind)?;
        state.remaining = AccessMask::NONE;
        return Ok(());
    };
    let descriptor = descriptor.as_descriptor();
    let decision = se::access_check(&AccessRequest {
        descriptor,
        token: tokens.effective(),
        desired: state.remaining,
        previously_granted: state.granted,
        mapping: kind.mapping(),
        principal_self: None,
        requester: state.subject.requester(),
    });
    if let Some(auditor) = AUDITOR.get() {
        let audited = se::audited_by(&AuditRequest {
            sacl: descriptor.sacl(),
            token: tokens.effective(),
            desired: state.remaining,
            outcome: decision.granted,
            principal_self: None,
        });
        if audited.is_some() {
            auditor(&Audit {
                object,
                subject: &state.subject,
                desired: state.original,
                outcome: decision.granted,
            });
        }
    }
    state.granted = decision.granted?;
    state.used = state.used.union(decision.used);
    state.remaining = AccessMask::NONE;
    Ok(())
}

/// Asks a directory on the way for a right: to go through it, or to make something in it.
///
/// # NT
/// `ObpCheckTraverseAccess`, which `SeChangeNotifyPrivilege` spares, and `ObCheckCreateObjectAccess`.
pub(crate) fn check_directory(
    directory: &Object<Directory>,
    right: AccessMask,
    state: &AccessState<'_>,
) -> NtResult {
    let subject = &state.subject;
    let is_traversal = right == AccessMask::DIRECTORY_TRAVERSE;
    if subject.mode() == Mode::Kernel
        || (is_traversal && subject.has_privilege(Privilege::CHANGE_NOTIFY))
    {
        return Ok(());
    }
    let tokens = subject.tokens().ok_or(NtStatus::ACCESS_DENIED)?;
    let Some(descriptor) = Object::head(directory).descriptor() else {
        return Ok(());
    };
    let decision = se::access_check(&AccessRequest {
        descriptor: descriptor.as_descriptor(),
        token: tokens.effective(),
        desired: right,
        previously_granted: AccessMask::NONE,
        mapping: crate::directory::DIRECTORY.mapping(),
        principal_self: None,
        requester: subject.requester(),
    });
    decision.granted.map(drop)
}

/// What the maker of an object gets: what it asked for, without a question to the descriptor that it just gave.
///
/// # Errors
/// `PRIVILEGE_NOT_HELD` for the audit list without `SeSecurityPrivilege`.
pub(crate) fn creators_rights(state: &AccessState<'_>, kind: &ObjectType) -> NtResult<AccessMask> {
    let wanted = state.remaining;
    if wanted.contains(AccessMask::ACCESS_SYSTEM_SECURITY)
        && !state.subject.has_privilege(Privilege::SECURITY)
    {
        return Err(NtStatus::PRIVILEGE_NOT_HELD);
    }
    if wanted.contains(AccessMask::MAXIMUM_ALLOWED) {
        return Ok((wanted - AccessMask::MAXIMUM_ALLOWED) | kind.mapping().generic_all);
    }
    Ok(wanted)
}

/// Gives a new object its descriptor, from what the maker gave, what the directory passes on and the token's default.
///
/// # NT
/// `ObAssignSecurity`.
pub(crate) fn assign(
    object: &AnyObject,
    parent: Option<&Object<Directory>>,
    parameters: &CreateParameters<'_>,
) -> NtResult {
    let kind = object.head().kind();
    let subject = &parameters.subject;
    let parent = parent.and_then(|parent| Object::head(parent).descriptor());
    let from_token_alone =
        parent.is_none() && parameters.descriptor.is_none() && kind.procedures().security.is_none();
    let defaults = subject.defaults().filter(|_| from_token_alone);
    if let Some(descriptor) = defaults.and_then(|defaults| defaults.find(kind)) {
        give(object, descriptor);
        return Ok(());
    }
    let parent = parent.as_ref().map(|parent| parent.as_descriptor());
    let object_kind = if kind.description().is_container {
        ObjectKind::Container
    } else {
        ObjectKind::Leaf
    };
    let descriptor = match subject.tokens() {
        Some(tokens) => {
            let flags = match subject.mode() {
                Mode::Kernel => {
                    AutoInheritFlags::AVOID_OWNER_CHECK | AutoInheritFlags::AVOID_PRIVILEGE_CHECK
                }
                Mode::User => AutoInheritFlags::empty(),
            };
            se::assign_security(&Assignment {
                token: tokens.effective(),
                parent,
                given: parameters.descriptor,
                kind: object_kind,
                object_types: &[],
                flags,
                mapping: kind.mapping(),
            })?
        }
        // The kernel for itself, as the system would.
        None if parameters.descriptor.is_some() => NewObject {
            parent,
            given: parameters.descriptor,
            creator: Creator {
                owner: well_known::ADMINISTRATORS.as_sid(),
                group: well_known::SYSTEM.as_sid(),
                default_dacl: None,
                label: None,
            },
            kind: object_kind,
            object_types: &[],
            flags: AutoInheritFlags::empty(),
            mapping: kind.mapping(),
        }
        .descriptor()?,
        None => return Ok(()),
    };
    if let Some(procedure) = kind.procedures().security {
        procedure(
            object,
            SecurityOperation::Assign(descriptor.as_descriptor()),
        )?;
        return Ok(());
    }
    let descriptor = share(descriptor)?;
    if let Some(defaults) = defaults {
        defaults.keep(kind, &descriptor);
    }
    give(object, descriptor);
    Ok(())
}

fn give(object: &AnyObject, descriptor: SharedDescriptor) {
    let before = object
        .head()
        .with(|fields| fields.descriptor.replace(descriptor));
    drop(before);
}

fn share(descriptor: DescriptorBuf) -> NtResult<SharedDescriptor> {
    Counted::new((), descriptor).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)
}

fn descriptor_of(object: &AnyObject) -> NtResult<Option<SharedDescriptor>> {
    match object.head().kind().procedures().security {
        None => Ok(object.head().descriptor()),
        Some(procedure) => {
            let all = SecurityInformation::BACKUP;
            let descriptor = procedure(object, SecurityOperation::Query(all))?;
            descriptor.map(share).transpose()
        }
    }
}

/// Parts of an object's descriptor. The handle had [`rights_to_query`].
///
/// # NT
/// `NtQuerySecurityObject`. Without a descriptor the answer is one that says nothing.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES`; what the type's own procedure says.
#[doc(alias = "ObQuerySecurityObject")]
#[doc(alias = "NtQuerySecurityObject")]
pub fn query_security(
    object: &AnyObject,
    information: SecurityInformation,
) -> NtResult<DescriptorBuf> {
    if let Some(procedure) = object.head().kind().procedures().security {
        let answer = procedure(object, SecurityOperation::Query(information))?;
        return answer.ok_or(NtStatus::NO_SECURITY_ON_OBJECT);
    }
    match object.head().descriptor() {
        Some(descriptor) => rtl::security::query(&descriptor.as_descriptor(), information),
        None => DescriptorBuf::build(&Descriptor::new()),
    }
}

/// Replaces parts of an object's descriptor. The handle had [`rights_to_set`].
///
/// # NT
/// `NtSetSecurityObject`, `ObSetSecurityObjectByPointer`.
///
/// # Errors
/// `NO_SECURITY_ON_OBJECT` if it has none; further as [`se::set_security`]; what the type's own procedure says.
#[doc(alias = "ObSetSecurityObjectByPointer")]
#[doc(alias = "NtSetSecurityObject")]
pub fn set_security(
    object: &AnyObject,
    information: SecurityInformation,
    new: Descriptor<'_>,
    subject: Subject<'_>,
) -> NtResult {
    let kind = object.head().kind();
    if let Some(procedure) = kind.procedures().security {
        let operation = SecurityOperation::Set(information, new, subject);
        return procedure(object, operation).map(drop);
    }
    loop {
        let current = object.head().descriptor();
        let current = current.ok_or(NtStatus::NO_SECURITY_ON_OBJECT)?;
        let replacement = Replacement {
            current: current.as_descriptor(),
            new,
            information,
            flags: AutoInheritFlags::empty(),
            mapping: kind.mapping(),
        };
        let made = match (subject.mode(), subject.tokens()) {
            (Mode::User, Some(tokens)) => se::set_security(tokens.effective(), &replacement)?,
            (Mode::User, None) => return Err(NtStatus::ACCESS_DENIED),
            (Mode::Kernel, _) => rtl::security::set(&replacement)?,
        };
        let made = share(made)?;
        // Which of the two is not needed is dropped after the lock is free.
        let replaced = object.head().with(|fields| {
            let is_same =
                |now: &SharedDescriptor| Counted::as_erased(now).same(Counted::as_erased(&current));
            if fields.descriptor.as_ref().is_some_and(is_same) {
                Ok(fields.descriptor.replace(made))
            } else {
                Err(made)
            }
        });
        if replaced.is_ok() {
            return Ok(());
        }
    }
}

/// The descriptor of what is there from the start. Generic rights are mapped when it is assigned.
pub(crate) fn standard_descriptor(protection: Protection) -> NtResult<SharedDescriptor> {
    let all = AccessMask::GENERIC_ALL;
    let look = AccessMask::GENERIC_READ | AccessMask::GENERIC_EXECUTE;
    let everyone = match protection {
        Protection::Public => Some(look),
        Protection::Shared | Protection::NamedObjects => Some(look | AccessMask::GENERIC_WRITE),
        Protection::Private => None,
    };
    let mut dacl = AclBuilder::new()?;
    for who in [well_known::SYSTEM, well_known::ADMINISTRATORS] {
        dacl.allow(AceFlags::empty(), all, who.as_sid())?;
    }
    if let Some(rights) = everyone {
        dacl.allow(AceFlags::empty(), rights, well_known::EVERYONE.as_sid())?;
    }
    let dacl = dacl.finish();
    let label = match protection {
        Protection::NamedObjects => {
            let mut sacl = AclBuilder::new()?;
            sacl.label(
                AceFlags::empty(),
                MandatoryLabelPolicy::NO_WRITE_UP,
                well_known::LOW_LABEL.as_sid(),
            )?;
            Some(sacl.finish())
        }
        Protection::Public | Protection::Shared | Protection::Private => None,
    };
    let owner = well_known::ADMINISTRATORS;
    let group = well_known::SYSTEM;
    let mut descriptor = Descriptor::new();
    descriptor.set_owner(Some(owner.as_sid()), Provenance::Given);
    descriptor.set_group(Some(group.as_sid()), Provenance::Given);
    descriptor.set_dacl(AclState::Present(dacl.as_acl()), Provenance::Given);
    if let Some(label) = &label {
        descriptor.set_sacl(AclState::Present(label.as_acl()), Provenance::Given);
    }
    share(DescriptorBuf::build(&descriptor)?)
}
