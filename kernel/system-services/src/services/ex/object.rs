//! Making and opening objects: what all services that create something have in common.

use nt_abi::access::AccessMask;
use nt_abi::services::arguments::{AccessMask as Access, Handle, In, ObjectAttributes, Out};
use nt_abi::{NtResult, NtStatus};
use ob::{CreateParameters, ObjectBody, OpenParameters, Root};
use rtl::security::DescriptorBuf;

use crate::Caller;
use crate::caller::handle_of;
use crate::capture::{Attributes, Pointer};

/// Makes an object with a name or without, and writes its handle.
pub(in crate::services) fn create_object<T: ObjectBody>(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: u64,
    make: impl FnOnce() -> NtResult<T>,
) -> NtResult<NtStatus> {
    handle.probe::<u64>()?;
    let attributes = Attributes::capture(attributes)?;
    let descriptor: Option<DescriptorBuf> = attributes.descriptor()?;
    let tokens = caller.tokens();
    let root = match attributes.root {
        Some(root) => Root::Handle(caller.handles(), handle_of(root)),
        None => Root::Namespace,
    };
    let created = ob::create(
        make()?,
        &CreateParameters {
            name: attributes.name.as_ref().map(|name| name.as_str()),
            root,
            attributes: attributes.flags,
            descriptor: descriptor.as_ref().map(DescriptorBuf::as_descriptor),
            access: AccessMask(access.0),
            subject: tokens.subject(),
        },
    )?;
    let existed = created.existed;
    let number = created.into_handle(&caller.handles())?;
    handle.write(&number.0)?;
    Ok(if existed {
        NtStatus::OBJECT_NAME_EXISTS
    } else {
        NtStatus::SUCCESS
    })
}

/// Opens an object by its name, and writes its handle.
pub(in crate::services) fn open_object<T: ObjectBody>(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: In<ObjectAttributes>,
) -> NtResult {
    handle.probe::<u64>()?;
    let attributes = Attributes::capture(attributes.address())?;
    let tokens = caller.tokens();
    let root = match attributes.root {
        Some(root) => Root::Handle(caller.handles(), handle_of(root)),
        None => Root::Namespace,
    };
    let number = ob::open_by_name(
        &caller.handles(),
        &OpenParameters {
            name: attributes.name.as_ref().map(|name| name.as_str()),
            root,
            attributes: attributes.flags,
            kind: Some(T::kind()),
            access: AccessMask(access.0),
            subject: tokens.subject(),
        },
        None,
    )?;
    handle.write(&number.0)
}
