//! Descriptors of objects that a program keeps itself: made from a parent's and a creator's, replaced in parts, asked.
//!
//! The rules are those of the kernel's own objects ([`rtl::security::NewObject`], [`rtl::security::set`]). What a creator
//! may do, his token says.

use alloc::vec::Vec;

use c_interface::{Ptr, blocks, exports};
use nt_abi::native::Pointer;
use nt_abi::security::{
    AccessMask, AceFlags, AutoInheritFlags, DescriptorControl, GenericMapping, Guid, Luid,
    MandatoryLabelPolicy, Privilege, SecurityInformation, TokenInformationClass,
};
use nt_abi::{NtResult, NtStatus};
use rtl::security::{
    AclBuf, AclBuilder, Creator, Descriptor, DescriptorBuf, Label, NewObject, ObjectKind,
    Replacement, Sid, query, set, well_known,
};

use super::descriptors::{descriptor_at, optional_descriptor};
use super::inherited::convert;
use super::token::{Information, check_owner, check_privilege};
use super::{length, put, room, status};
use crate::given;

/// `TOKEN_QUERY`.
const TOKEN_QUERY: u32 = 8;
/// The pseudo handle of the process.
const CURRENT_PROCESS: usize = usize::MAX;
/// The pseudo handle of the thread.
const CURRENT_THREAD: usize = usize::MAX - 1;

/// What a caller wants a descriptor for.
struct Request {
    parent: Ptr<u8>,
    given: Ptr<u8>,
    is_directory: u8,
    flags: AutoInheritFlags,
    token: usize,
    mapping: Ptr<GenericMapping>,
}

/// Copies a descriptor to a block of the process heap.
pub(super) fn to_block(descriptor: &DescriptorBuf) -> NtResult<Ptr<u8>> {
    let bytes = descriptor.bytes();
    let block = blocks::allocate(bytes.len()).ok_or(NtStatus::NO_MEMORY)?;
    put(block, bytes);
    Ok(block)
}

/// User mode runs out of memory, not of resources.
fn out_of_memory(status: NtStatus) -> NtStatus {
    match status {
        NtStatus::INSUFFICIENT_RESOURCES => NtStatus::NO_MEMORY,
        status => status,
    }
}

impl Request {
    /// Makes the descriptor.
    ///
    /// # Errors
    /// Those of [`NewObject::descriptor`]; `INVALID_OWNER` and `PRIVILEGE_NOT_HELD` for what the token does not allow;
    /// `NO_TOKEN` if only a token could tell the owner or the group.
    fn make(&self, object_types: &[Guid]) -> NtResult<Ptr<u8>> {
        let parent = optional_descriptor(self.parent)?;
        let given = optional_descriptor(self.given)?;
        let sids = |descriptor: Option<Descriptor<'static>>| {
            let descriptor = descriptor.unwrap_or_default();
            (descriptor.owner(), descriptor.group())
        };
        let mapping = self.mapping.read();
        let of_token = (self.token != 0)
            .then(|| OfToken::query(self.token))
            .transpose()?;
        let (owner, group) = match &of_token {
            Some(token) => (Some(token.owner.sid()?), Some(token.group.sid()?)),
            None => {
                let (owner, group) = sids(given);
                (owner.or(sids(parent).0), group.or(sids(parent).1))
            }
        };
        let new = NewObject {
            parent,
            given,
            creator: Creator {
                owner: owner.ok_or(NtStatus::NO_TOKEN)?,
                group: group.ok_or(NtStatus::NO_TOKEN)?,
                default_dacl: match &of_token {
                    Some(token) => token.dacl.acl()?,
                    None => None,
                },
                label: match &of_token {
                    Some(token) => token.label()?,
                    None => None,
                },
            },
            kind: if self.is_directory == 0 {
                ObjectKind::Leaf
            } else {
                ObjectKind::Container
            },
            object_types,
            flags: self.flags,
            mapping: &mapping,
        };
        if self.token != 0 {
            self.check(given.unwrap_or_default())?;
        }
        to_block(&new.descriptor()?)
    }

    /// Whether the token's holder may give what he gave.
    fn check(&self, given: Descriptor<'_>) -> NtResult {
        if let (Some(owner), false) = (
            given.owner(),
            self.flags.contains(AutoInheritFlags::AVOID_OWNER_CHECK),
        ) {
            check_owner(self.token, owner)?;
        }
        let sacl = given.sacl().is_present()
            && !given.control().contains(DescriptorControl::SACL_DEFAULTED);
        if sacl && !self.flags.contains(AutoInheritFlags::AVOID_PRIVILEGE_CHECK) {
            check_privilege(self.token, Privilege::SECURITY)?;
        }
        Ok(())
    }
}

/// What a token says of the objects that its holder makes.
struct OfToken {
    owner: Information,
    group: Information,
    dacl: Information,
    level: Option<Information>,
}

impl OfToken {
    fn query(token: usize) -> NtResult<Self> {
        Ok(Self {
            owner: Information::query(token, TokenInformationClass::OWNER)?,
            group: Information::query(token, TokenInformationClass::PRIMARY_GROUP)?,
            dacl: Information::query(token, TokenInformationClass::DEFAULT_DACL)?,
            level: Information::query(token, TokenInformationClass::INTEGRITY_LEVEL).ok(),
        })
    }

    /// The label of its objects: below Medium they get the creator's own, since one without a label counts as Medium.
    fn label(&self) -> NtResult<Option<Label<'_>>> {
        let Some(level) = &self.level else {
            return Ok(None);
        };
        let sid = level.sid()?;
        let medium = well_known::label_level(well_known::MEDIUM_LABEL.as_sid());
        let low = well_known::label_level(sid) < medium;
        Ok(low.then_some(Label {
            sid,
            policy: MandatoryLabelPolicy::NO_WRITE_UP,
        }))
    }
}

fn new_object(request: &Request, object_types: &[Guid], made: Ptr<usize>) -> NtStatus {
    made.write(0);
    let block = request.make(object_types).map_err(out_of_memory);
    status(block.map(|block| made.write(block.address())))
}

/// Replaces parts of an object's descriptor.
fn set_object(
    information: SecurityInformation,
    new: Ptr<u8>,
    object: Ptr<usize>,
    flags: AutoInheritFlags,
    mapping: Ptr<GenericMapping>,
    token: usize,
) -> NtResult {
    let old = Ptr::<u8>::new(object.read());
    let new = descriptor_at(new)?;
    if information.contains(SecurityInformation::OWNER)
        && token != 0
        && !flags.contains(AutoInheritFlags::AVOID_OWNER_CHECK)
    {
        check_owner(token, new.owner().ok_or(NtStatus::INVALID_OWNER)?)?;
    }
    let mapping = mapping.read();
    let replaced = set(&Replacement {
        current: descriptor_at(old)?,
        new,
        information,
        flags,
        mapping: &mapping,
    })?;
    object.write(to_block(&replaced)?.address());
    blocks::free(old);
    Ok(())
}

fn query_object(
    descriptor: Ptr<u8>,
    information: SecurityInformation,
    into: Ptr<u8>,
    size: u32,
    needed: Ptr<u32>,
) -> NtResult {
    let answer = query(&descriptor_at(descriptor)?, information)?;
    needed.write(length(answer.bytes().len()));
    if into.is_null() || room(size) < answer.bytes().len() {
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    put(into, answer.bytes());
    Ok(())
}

/// The token that the thread acts with: its own, or that of the process.
fn effective_token() -> NtResult<usize> {
    let mut token = 0usize;
    let status = given::open_thread_token(CURRENT_THREAD, TOKEN_QUERY, 1, Ptr::of(&mut token));
    if status == NtStatus::SUCCESS {
        return Ok(token);
    }
    match given::open_process_token(CURRENT_PROCESS, TOKEN_QUERY, Ptr::of(&mut token)) {
        NtStatus::SUCCESS => Ok(token),
        status => Err(status),
    }
}

/// The DACL of a pipe that was made without one ("Named Pipe Security and Access Rights"): the system, administrators and
/// the creator may everything, everyone and the anonymous may read.
fn pipe_dacl(owner: Sid<'_>) -> NtResult<AclBuf> {
    let mut builder = AclBuilder::new()?;
    let none = AceFlags::empty();
    for sid in [
        well_known::SYSTEM.as_sid(),
        well_known::ADMINISTRATORS.as_sid(),
        owner,
    ] {
        builder.allow(none, AccessMask::GENERIC_ALL, sid)?;
    }
    for sid in [well_known::EVERYONE, well_known::ANONYMOUS] {
        builder.allow(none, AccessMask::GENERIC_READ, sid.as_sid())?;
    }
    Ok(builder.finish())
}

fn default_pipe_acl() -> NtResult<Ptr<u8>> {
    let token = effective_token()?;
    let owner = Information::query(token, TokenInformationClass::OWNER);
    // It was only for this question.
    let _status = given::close(token);
    let acl = pipe_dacl(owner?.sid()?)?;
    let bytes = acl.as_acl().bytes();
    let block = blocks::allocate(bytes.len()).ok_or(NtStatus::NO_MEMORY)?;
    put(block, bytes);
    Ok(block)
}

exports! {
    /// Makes the descriptor of a new object, in a block for `RtlDeleteSecurityObject`.
    ///
    /// # Errors
    /// `INVALID_OWNER`, `INVALID_PRIMARY_GROUP`, `PRIVILEGE_NOT_HELD`, `NO_TOKEN`, `NO_MEMORY`; those of a descriptor that
    /// is damaged.
    fn RtlNewSecurityObject(
        parent: Ptr<u8>,
        creator: Ptr<u8>,
        made: Ptr<usize>,
        is_directory: u8,
        token: usize,
        mapping: Ptr<GenericMapping>,
    ) -> NtStatus {
        let flags = AutoInheritFlags::empty();
        new_object(&Request { parent, given: creator, is_directory, flags, token, mapping }, &[], made)
    }

    /// As `RtlNewSecurityObject`, for an object of a type, with flags of inheritance (`SEF_*`).
    ///
    /// # Errors
    /// As `RtlNewSecurityObject`.
    fn RtlNewSecurityObjectEx(
        parent: Ptr<u8>,
        creator: Ptr<u8>,
        made: Ptr<usize>,
        object_type: Ptr<Guid>,
        is_directory: u8,
        flags: AutoInheritFlags,
        token: usize,
        mapping: Ptr<GenericMapping>,
    ) -> NtStatus {
        let types = object_type.read_optional();
        let request = Request { parent, given: creator, is_directory, flags, token, mapping };
        new_object(&request, types.as_slice(), made)
    }

    /// As `RtlNewSecurityObjectEx`, for an object of several types.
    ///
    /// # Errors
    /// As `RtlNewSecurityObject`.
    fn RtlNewSecurityObjectWithMultipleInheritance(
        parent: Ptr<u8>,
        creator: Ptr<u8>,
        made: Ptr<usize>,
        object_types: Ptr<Pointer>,
        count: u32,
        is_directory: u8,
        flags: AutoInheritFlags,
        token: usize,
        mapping: Ptr<GenericMapping>,
    ) -> NtStatus {
        let mut types = Vec::new();
        let count = if object_types.is_null() { 0 } else { room(count) };
        if types.try_reserve_exact(count).is_err() {
            return NtStatus::NO_MEMORY;
        }
        types.extend((0..count).map(|index| Ptr::<Guid>::at(object_types.add(index).read()).read()));
        let request = Request { parent, given: creator, is_directory, flags, token, mapping };
        new_object(&request, &types, made)
    }

    /// As `RtlNewSecurityObject`; what was made before is not kept, so that nothing said of it matters.
    ///
    /// # Errors
    /// As `RtlNewSecurityObject`.
    fn RtlNewInstanceSecurityObject(
        _parent_changed: u8,
        _creator_changed: u8,
        _old_token: Ptr<Luid>,
        new_token: Ptr<Luid>,
        parent: Ptr<u8>,
        creator: Ptr<u8>,
        made: Ptr<usize>,
        is_directory: u8,
        token: usize,
        mapping: Ptr<GenericMapping>,
    ) -> NtStatus {
        new_token.write_optional(Luid::default());
        RtlNewSecurityObject(parent, creator, made, is_directory, token, mapping)
    }

    /// Frees a descriptor that this library made.
    fn RtlDeleteSecurityObject(object: Ptr<usize>) -> NtStatus {
        blocks::free(Ptr::new(object.read()));
        object.write(0);
        NtStatus::SUCCESS
    }

    /// Replaces parts of an object's descriptor, which this library made; the pointer to it changes.
    ///
    /// # Errors
    /// `INVALID_OWNER`, `INVALID_PRIMARY_GROUP`, `NO_MEMORY`; those of a descriptor that is damaged.
    fn RtlSetSecurityObject(
        information: SecurityInformation,
        new: Ptr<u8>,
        object: Ptr<usize>,
        mapping: Ptr<GenericMapping>,
        token: usize,
    ) -> NtStatus {
        let flags = AutoInheritFlags::empty();
        status(set_object(information, new, object, flags, mapping, token).map_err(out_of_memory))
    }

    /// As `RtlSetSecurityObject`, with flags of inheritance (`SEF_*`).
    ///
    /// # Errors
    /// As `RtlSetSecurityObject`.
    fn RtlSetSecurityObjectEx(
        information: SecurityInformation,
        new: Ptr<u8>,
        object: Ptr<usize>,
        flags: AutoInheritFlags,
        mapping: Ptr<GenericMapping>,
        token: usize,
    ) -> NtStatus {
        status(set_object(information, new, object, flags, mapping, token).map_err(out_of_memory))
    }

    /// Parts of an object's descriptor, self-relative.
    ///
    /// # Errors
    /// `BUFFER_TOO_SMALL` with the size that is needed; those of a descriptor that is damaged.
    fn RtlQuerySecurityObject(
        descriptor: Ptr<u8>,
        information: SecurityInformation,
        into: Ptr<u8>,
        size: u32,
        needed: Ptr<u32>,
    ) -> NtStatus {
        status(query_object(descriptor, information, into, size, needed).map_err(out_of_memory))
    }

    /// Makes a descriptor that tells what was inherited from the parent, of one that does not.
    ///
    /// # Errors
    /// `INVALID_OWNER`, `INVALID_PRIMARY_GROUP`, `NO_MEMORY`; those of a descriptor that is damaged.
    fn RtlConvertToAutoInheritSecurityObject(
        parent: Ptr<u8>,
        current: Ptr<u8>,
        made: Ptr<usize>,
        object_type: Ptr<Guid>,
        is_directory: u8,
        mapping: Ptr<GenericMapping>,
    ) -> NtStatus {
        let block = convert(parent, current, object_type, is_directory, mapping).map_err(out_of_memory);
        status(block.map(|block| made.write(block.address())))
    }

    /// The DACL of pipes that are made without one, in a block of the process heap.
    ///
    /// # Errors
    /// `NO_MEMORY`, and those of the services about tokens.
    fn RtlDefaultNpAcl(acl: Ptr<usize>) -> NtStatus {
        status(default_pipe_acl().map_err(out_of_memory).map(|block| acl.write(block.address())))
    }
}

#[cfg(test)]
mod tests;
