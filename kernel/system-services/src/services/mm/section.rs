//! Sections.

use mm::Section;
use mm::section::SectionRequest;
use nt_abi::access::AccessMask;
use nt_abi::memory::{PageProtection, SectionAttributes, SectionInformationClass as Class};
use nt_abi::services::arguments::{
    AccessMask as Access, Handle, In, InOut, MemoryExtendedParameter, ObjectAttributes, OptionalIn,
    OptionalInOutArray, OptionalOut, Out, OutBytes, SectionInformationClass, Size, UserAddress,
};
use nt_abi::{NtResult, NtStatus, w64};
use zerocopy::FromZeros as _;

use crate::Caller;
use crate::capture::{self, Pointer};
use crate::information::Query;
use crate::services::ex::{create_object, open_object};

/// # Differs
/// There are no file objects yet, so every handle that is good is one of another type.
#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_create_section(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: OptionalIn<ObjectAttributes>,
    maximum_size: OptionalIn<i64>,
    protection: u32,
    allocation_attributes: u32,
    file: Handle,
) -> NtResult<NtStatus> {
    let mut request = SectionRequest {
        size: 0,
        protection: PageProtection(protection),
        attributes: SectionAttributes(allocation_attributes),
    };
    request.check_kind()?;
    handle.probe::<u64>()?;
    let size: Option<i64> = maximum_size.read_optional()?;
    // A negative size is one that is too large.
    request.size = size.unwrap_or(0).cast_unsigned();
    if !file.is_null() {
        caller.reference_any(file, AccessMask::NONE)?;
        return Err(NtStatus::OBJECT_TYPE_MISMATCH);
    }
    create_object(caller, handle, access, attributes.address(), || {
        Section::create(&request)
    })
}

/// No further parameters are known.
#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_create_section_ex(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: OptionalIn<ObjectAttributes>,
    maximum_size: OptionalIn<i64>,
    protection: u32,
    allocation_attributes: u32,
    file: Handle,
    _extended_parameters: OptionalInOutArray<MemoryExtendedParameter>,
    parameter_count: u32,
) -> NtResult<NtStatus> {
    if parameter_count != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    nt_create_section(
        caller,
        handle,
        access,
        attributes,
        maximum_size,
        protection,
        allocation_attributes,
        file,
    )
}

pub(crate) fn nt_open_section(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: In<ObjectAttributes>,
) -> NtResult {
    open_object::<Section>(caller, handle, access, attributes)
}

/// # Differs
/// How far an image was moved, and what `SectionInternalImageInformation` tells besides, is `NOT_IMPLEMENTED`.
pub(crate) fn nt_query_section(
    caller: &Caller<'_>,
    section: Handle,
    class: SectionInformationClass,
    information: OutBytes,
    length: Size,
    return_length: OptionalOut<Size>,
) -> NtResult {
    let class = Class(class.0);
    let wanted = match class {
        Class::BASIC => size_of::<w64::SectionBasicInformation>(),
        Class::IMAGE => size_of::<w64::SectionImageInformation>(),
        Class::ORIGINAL_BASE => size_of::<u64>(),
        Class::RELOCATION | Class::INTERNAL_IMAGE => return Err(NtStatus::NOT_IMPLEMENTED),
        _ => return Err(NtStatus::INVALID_INFO_CLASS),
    };
    if length.0 < wanted as u64 {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    capture::probe_bytes_for_write(information.address(), length.0)?;
    let query = Query::wide(information.address(), length.0, return_length.address())?;
    let section = caller.reference::<Section>(section, AccessMask::SECTION_QUERY)?;
    match class {
        Class::BASIC => {
            let about = section.information();
            query.at_least(&w64::SectionBasicInformation {
                allocation_attributes: about.attributes,
                maximum_size: about.size.cast_signed(),
                ..w64::SectionBasicInformation::new_zeroed()
            })
        }
        Class::IMAGE => query.at_least(&section.image_information()?.report()),
        _ => query.at_least(&section.image_information()?.headers.image_base),
    }
}

pub(crate) fn nt_extend_section(
    caller: &Caller<'_>,
    section: Handle,
    new_section_size: InOut<i64>,
) -> NtResult {
    new_section_size.probe::<i64>()?;
    let size: i64 = new_section_size.read()?;
    let section = caller.reference::<Section>(section, AccessMask::SECTION_EXTEND_SIZE)?;
    let size = section.extend(size.cast_unsigned())?;
    new_section_size.write(&size.cast_signed())
}

pub(crate) fn nt_are_mapped_files_the_same(
    caller: &Caller<'_>,
    image_view: UserAddress,
    data_view: UserAddress,
) -> NtResult {
    let space = caller.process().space();
    space.are_mapped_files_the_same(image_view.0, data_view.0)
}
