//! Telling what an object inherited from what it was given, for descriptors that do not say.
//!
//! What a parent would pass on today is made as for a new object. If the object's list has all of it, those entries are what
//! it inherited; if it lacks some, it goes ways of its own and is protected ("`ConvertToAutoInheritPrivateObjectSecurity`").

use c_interface::Ptr;
use nt_abi::security::{AceFlags, AutoInheritFlags, DescriptorControl, GenericMapping, Guid};
use nt_abi::{NtResult, NtStatus};
use rtl::security::{
    AclBuf, AclBuilder, AclState, Creator, DescriptorBuf, NewObject, ObjectKind, Provenance,
};

use super::descriptors::{descriptor_at, optional_descriptor};
use super::objects::to_block;

/// A list without the entries that another one has; `None` if it lacks one of them. Whether entries are marked as
/// inherited does not count.
fn without(list: AclState<'_>, inherited: AclState<'_>) -> NtResult<Option<AclBuf>> {
    let mut builder = AclBuilder::new()?;
    let same = |left: &[u8], right: &[u8]| {
        let mark = AceFlags::INHERITED.0;
        left.len() == right.len()
            && left[0] == right[0]
            && (left[1] | mark) == (right[1] | mark)
            && left[2..] == right[2..]
    };
    for ace in inherited.aces() {
        if !list.aces().any(|own| same(own.bytes(), ace.bytes())) {
            return Ok(None);
        }
    }
    for own in list.aces() {
        if !inherited.aces().any(|ace| same(own.bytes(), ace.bytes())) {
            let flags = own.flags().difference(AceFlags::INHERITED);
            builder.copy_changed(&own, flags, own.mask(), own.sid())?;
        }
    }
    for ace in inherited.aces() {
        builder.copy(&ace)?;
    }
    Ok(Some(builder.finish()))
}

/// Marks what an object has of its parent as inherited; a list that lacks some of it is protected instead.
pub(super) fn convert(
    parent: Ptr<u8>,
    current: Ptr<u8>,
    object_type: Ptr<Guid>,
    is_directory: u8,
    mapping: Ptr<GenericMapping>,
) -> NtResult<Ptr<u8>> {
    let current = descriptor_at(current)?;
    let parent = optional_descriptor(parent)?;
    let object_types = object_type.read_optional();
    let mapping = mapping.read();
    let inherited = NewObject {
        parent,
        given: None,
        creator: Creator {
            owner: current.owner().ok_or(NtStatus::INVALID_OWNER)?,
            group: current.group().ok_or(NtStatus::INVALID_PRIMARY_GROUP)?,
            default_dacl: None,
            label: None,
        },
        kind: if is_directory == 0 {
            ObjectKind::Leaf
        } else {
            ObjectKind::Container
        },
        object_types: object_types.as_slice(),
        flags: AutoInheritFlags::DACL_AUTO_INHERIT | AutoInheritFlags::SACL_AUTO_INHERIT,
        mapping: &mapping,
    }
    .descriptor()?;
    let inherited = inherited.as_descriptor();
    let mut result = current;
    let mut bits = current.control();
    let dacl = without(current.dacl(), inherited.dacl())?;
    let sacl = without(current.sacl(), inherited.sacl())?;
    if let (Some(acl), true) = (&dacl, current.dacl().acl().is_some()) {
        result.set_dacl(AclState::Present(acl.as_acl()), Provenance::Given);
    }
    if let (Some(acl), true) = (&sacl, current.sacl().acl().is_some()) {
        result.set_sacl(AclState::Present(acl.as_acl()), Provenance::Given);
    }
    bits |= DescriptorControl::DACL_AUTO_INHERITED | DescriptorControl::SACL_AUTO_INHERITED;
    bits.set(
        DescriptorControl::DACL_PROTECTED,
        dacl.is_none() || bits.contains(DescriptorControl::DACL_PROTECTED),
    );
    bits.set(
        DescriptorControl::SACL_PROTECTED,
        sacl.is_none() || bits.contains(DescriptorControl::SACL_PROTECTED),
    );
    result.set_control_as(bits, 0);
    to_block(&DescriptorBuf::build(&result)?)
}
