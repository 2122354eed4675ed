//! What `NtQueryObject` answers, as values; a service writes them out in the caller's width.

use nt_abi::access::{AccessMask, GenericMapping};
use nt_abi::primitives::ObjectAttributeFlags as Attributes;
use nt_abi::{NtResult, NtStatus};
use rtl::security::Descriptor;

use crate::header::{HeaderFlags, check_type};
use crate::quota::Charge;
use crate::symbolic_link::{SYMBOLIC_LINK, SymbolicLink};
use crate::{HandleAttributes, HandleEntry, ObjectType, name_of};

/// `OBJECT_BASIC_INFORMATION`, without what depends on the caller's width.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BasicInformation {
    /// The handle's, and `OBJ_PERMANENT` and `OBJ_EXCLUSIVE` of the object.
    pub attributes: Attributes,
    /// The handle's rights.
    pub granted_access: AccessMask,
    /// Handles of all processes.
    pub handle_count: u32,
    /// References, with the one that asks.
    pub pointer_count: u32,
    /// What was charged.
    pub charge: Charge,
    /// Units of the full name.
    pub name_units: usize,
    /// Bytes of the security descriptor.
    pub descriptor_bytes: usize,
    /// When a symbolic link was made; 0 for others.
    pub creation_time: u64,
}

/// Answers `ObjectBasicInformation`.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES`; what the type says whose name is asked for.
pub fn basic(entry: &HandleEntry) -> NtResult<BasicInformation> {
    let header = entry.object.head();
    let flags = header.flags();
    let pairs = [
        (
            entry.attributes.contains(HandleAttributes::INHERIT),
            Attributes::INHERIT,
        ),
        (
            entry
                .attributes
                .contains(HandleAttributes::PROTECT_FROM_CLOSE),
            Attributes::PROTECT_CLOSE,
        ),
        (
            flags.contains(HeaderFlags::PERMANENT),
            Attributes::PERMANENT,
        ),
        (
            flags.contains(HeaderFlags::EXCLUSIVE),
            Attributes::EXCLUSIVE,
        ),
    ];
    let attributes = pairs.iter().filter(|(on, _)| *on);
    let charge = header.with(|fields| fields.charged.as_ref().map(|charged| charged.charge()));
    let descriptor = header.descriptor();
    let link = if check_type(&entry.object, Some(&SYMBOLIC_LINK)).is_ok() {
        entry.object.body::<SymbolicLink>()
    } else {
        None
    };
    Ok(BasicInformation {
        attributes: attributes.map(|(_, attribute)| *attribute).collect(),
        granted_access: entry.granted,
        handle_count: header.handle_count(),
        pointer_count: u32::try_from(entry.object.references()).unwrap_or(u32::MAX),
        charge: charge.unwrap_or_default(),
        name_units: name_of(&entry.object)?.len(),
        descriptor_bytes: descriptor.map_or(0, |descriptor| {
            Descriptor::relative_length(&descriptor.as_descriptor())
        }),
        creation_time: link.map_or(0, SymbolicLink::creation_time),
    })
}

/// `OBJECT_TYPE_INFORMATION`, without what depends on the caller's width.
#[derive(Clone, Copy, Debug)]
pub struct TypeInformation {
    /// The name, in ASCII.
    pub name: &'static str,
    /// Objects, and the most that there were.
    pub objects: (u32, u32),
    /// Handles, and the most that there were.
    pub handles: (u32, u32),
    /// Attributes that no object can have.
    pub invalid_attributes: Attributes,
    /// What the generic rights mean.
    pub mapping: GenericMapping,
    /// The rights that there are.
    pub valid_access: AccessMask,
    /// Objects without a name have descriptors too.
    pub security_required: bool,
    /// Handles are counted by process.
    pub maintains_handle_count: bool,
    /// The type's number.
    pub index: u8,
    /// What an object is charged for.
    pub charge: Charge,
}

/// Answers `ObjectTypeInformation`; for `ObjectTypesInformation` of all [`types`](crate::types).
pub fn of_type(kind: &ObjectType) -> TypeInformation {
    let description = kind.description();
    TypeInformation {
        name: description.name,
        objects: kind.objects(),
        handles: kind.handles(),
        invalid_attributes: description.invalid_attributes,
        mapping: description.mapping,
        valid_access: description.valid_access,
        security_required: description.security_required,
        maintains_handle_count: description.counts_per_process,
        index: kind.index(),
        charge: Charge {
            paged: description.paged_charge as usize,
            non_paged: description.non_paged_charge as usize,
        },
    }
}

/// Whether two handles refer to one object, as `NtCompareObjects` answers.
///
/// # Errors
/// `NOT_SAME_OBJECT`.
pub fn compare(one: &HandleEntry, other: &HandleEntry) -> NtResult {
    if one.object.same(&other.object) {
        Ok(())
    } else {
        Err(NtStatus::NOT_SAME_OBJECT)
    }
}
