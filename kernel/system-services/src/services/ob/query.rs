//! What objects and handles are: `NtQueryObject` and its counterpart, comparing, permanence.

use alloc::vec::Vec;

use nt_abi::access::AccessMask;
use nt_abi::object_information::{
    ObjectBasicInformation, ObjectHandleFlagInformation, ObjectInformationClass as Class,
    ObjectTypesInformation,
};
use nt_abi::services::arguments::{
    Handle, InBytes, ObjectInformationClass, OptionalOut, OptionalOutBytes,
};
use nt_abi::{NtResult, NtStatus, w64};
use ob::query::{BasicInformation, TypeInformation};
use ob::{HandleAttributes, HandleEntry, ObjectType};
use rtl::security::memory;
use zerocopy::{FromZeros as _, IntoBytes as _};

use crate::Caller;
use crate::caller::handle_of;
use crate::information::{Query, setting};

const STRING: usize = size_of::<w64::UnicodeString>();

pub(crate) fn nt_query_object(
    caller: &Caller<'_>,
    handle: Handle,
    class: ObjectInformationClass,
    information: OptionalOutBytes,
    length: u32,
    return_length: OptionalOut<u32>,
) -> NtResult {
    let class = Class(class.0);
    let buffer = information.address();
    if class != Class::HANDLE_FLAG && !buffer.is_multiple_of(align_of::<u32>() as u64) {
        return Err(NtStatus::DATATYPE_MISALIGNMENT);
    }
    let query = Query::new(buffer, length, return_length.address())?;
    if class == Class::TYPES {
        return query.bytes(&all_types(buffer)?, NtStatus::INFO_LENGTH_MISMATCH);
    }
    let entry = caller.handles().entry(handle_of(handle))?;
    match class {
        Class::BASIC => {
            if length as usize != size_of::<ObjectBasicInformation>() {
                return Err(NtStatus::INFO_LENGTH_MISMATCH);
            }
            let answer = basic(&entry)?;
            query.bytes(answer.as_bytes(), NtStatus::INFO_LENGTH_MISMATCH)
        }
        Class::NAME => {
            let too_short = if (length as usize) < STRING {
                NtStatus::INFO_LENGTH_MISMATCH
            } else {
                NtStatus::BUFFER_OVERFLOW
            };
            query.bytes(&name(&entry, buffer)?, too_short)
        }
        Class::TYPE => {
            let mut answer = Vec::new();
            append_type(&mut answer, entry.object.head().kind(), buffer)?;
            query.bytes(&answer, NtStatus::INFO_LENGTH_MISMATCH)
        }
        Class::HANDLE_FLAG => query.at_least(&ObjectHandleFlagInformation {
            inherit: u8::from(entry.attributes.contains(HandleAttributes::INHERIT)),
            protect_from_close: u8::from(
                entry
                    .attributes
                    .contains(HandleAttributes::PROTECT_FROM_CLOSE),
            ),
        }),
        _ => Err(NtStatus::INVALID_INFO_CLASS),
    }
}

/// A length or a count in 32 bits.
fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn basic(entry: &HandleEntry) -> NtResult<ObjectBasicInformation> {
    let BasicInformation {
        attributes,
        granted_access,
        handle_count,
        pointer_count,
        charge,
        name_units,
        descriptor_bytes,
        creation_time,
    } = ob::query::basic(entry)?;
    let name_info_size = match name_units {
        0 => 0,
        units => STRING + 2 * (units + 1),
    };
    let kind = entry.object.head().kind();
    Ok(ObjectBasicInformation {
        attributes,
        granted_access,
        handle_count,
        pointer_count,
        paged_pool_charge: number(charge.paged),
        non_paged_pool_charge: number(charge.non_paged),
        name_info_size: number(name_info_size),
        type_info_size: number(type_length(kind.name().len())),
        security_descriptor_size: number(descriptor_bytes),
        creation_time: i64::try_from(creation_time).unwrap_or(i64::MAX),
        ..ObjectBasicInformation::new_zeroed()
    })
}

/// `OBJECT_NAME_INFORMATION`, as it is seen at `base`: the string, its units and a terminator; without a name no units.
fn name(entry: &HandleEntry, base: u64) -> NtResult<Vec<u8>> {
    let name = ob::name_of(&entry.object)?;
    let mut answer = Vec::new();
    let mut string = w64::UnicodeString::new_zeroed();
    if !name.is_empty() {
        let length = u16::try_from(2 * name.len()).map_err(|_| NtStatus::NAME_TOO_LONG)?;
        string.length = length;
        string.maximum_length = length.saturating_add(2);
        string.buffer = base.wrapping_add(STRING as u64);
    }
    memory::reserve(&mut answer, STRING + 2 * (name.len() + 1))?;
    answer.extend_from_slice(string.as_bytes());
    if !name.is_empty() {
        answer.extend_from_slice(name.as_str().units().as_bytes());
        answer.extend_from_slice(&[0; 2]);
    }
    Ok(answer)
}

/// The bytes of a type's description with its name: units, a terminator, and what aligns the next one.
fn type_length(name_letters: usize) -> usize {
    (size_of::<w64::ObjectTypeInformation>() + 2 * (name_letters + 1))
        .next_multiple_of(size_of::<w64::Pointer>())
}

/// Appends a type's description to an answer that is seen at `base`.
fn append_type(answer: &mut Vec<u8>, kind: &ObjectType, base: u64) -> NtResult {
    let TypeInformation {
        name,
        objects,
        handles,
        invalid_attributes,
        mapping,
        valid_access,
        security_required,
        maintains_handle_count,
        index,
        charge,
    } = ob::query::of_type(kind);
    let start = answer.len();
    let end = start + type_length(name.len());
    let text = start + size_of::<w64::ObjectTypeInformation>();
    let length = u16::try_from(2 * name.len()).map_err(|_| NtStatus::NAME_TOO_LONG)?;
    let information = w64::ObjectTypeInformation {
        type_name: w64::UnicodeString {
            length,
            maximum_length: length.saturating_add(2),
            buffer: base.wrapping_add(text as u64),
            ..w64::UnicodeString::new_zeroed()
        },
        total_number_of_objects: objects.0,
        total_number_of_handles: handles.0,
        high_water_number_of_objects: objects.1,
        high_water_number_of_handles: handles.1,
        invalid_attributes,
        generic_mapping: mapping,
        valid_access_mask: valid_access,
        security_required: u8::from(security_required),
        maintain_handle_count: u8::from(maintains_handle_count),
        type_index: index,
        default_paged_pool_charge: number(charge.paged),
        default_non_paged_pool_charge: number(charge.non_paged),
        ..w64::ObjectTypeInformation::new_zeroed()
    };
    memory::reserve(answer, end - start)?;
    answer.extend_from_slice(information.as_bytes());
    for letter in name.bytes() {
        answer.extend_from_slice(&[letter, 0]);
    }
    answer.resize(end, 0);
    Ok(())
}

/// `OBJECT_TYPES_INFORMATION` and all types, each at a multiple of a pointer's size.
fn all_types(base: u64) -> NtResult<Vec<u8>> {
    let mut answer = Vec::new();
    let first = size_of::<ObjectTypesInformation>().next_multiple_of(size_of::<w64::Pointer>());
    memory::reserve(&mut answer, first)?;
    answer.resize(first, 0);
    let mut count: u32 = 0;
    for kind in ob::types() {
        append_type(&mut answer, kind, base)?;
        count += 1;
    }
    answer[..size_of::<u32>()].copy_from_slice(count.as_bytes());
    Ok(answer)
}

pub(crate) fn nt_set_information_object(
    caller: &Caller<'_>,
    handle: Handle,
    class: ObjectInformationClass,
    information: InBytes,
    length: u32,
) -> NtResult {
    if Class(class.0) != Class::HANDLE_FLAG {
        return Err(NtStatus::INVALID_INFO_CLASS);
    }
    let flags: ObjectHandleFlagInformation = setting(information.address(), length)?;
    let mut attributes = HandleAttributes::empty();
    attributes.set(HandleAttributes::INHERIT, flags.inherit != 0);
    attributes.set(
        HandleAttributes::PROTECT_FROM_CLOSE,
        flags.protect_from_close != 0,
    );
    let handle = handle_of(handle);
    caller
        .handles()
        .table_of(handle)?
        .set_information(handle, attributes)
}

pub(crate) fn nt_compare_objects(caller: &Caller<'_>, first: Handle, second: Handle) -> NtResult {
    let first = caller.handles().entry(handle_of(first))?;
    let second = caller.handles().entry(handle_of(second))?;
    ob::query::compare(&first, &second)
}

pub(crate) fn nt_make_temporary_object(caller: &Caller<'_>, handle: Handle) -> NtResult {
    let object = caller.reference_any(handle, AccessMask::DELETE)?;
    ob::make_temporary(&object);
    Ok(())
}

pub(crate) fn nt_make_permanent_object(caller: &Caller<'_>, handle: Handle) -> NtResult {
    caller.require_privilege(nt_abi::security::Privilege::CREATE_PERMANENT)?;
    let tokens = caller.tokens();
    let subject = tokens.subject();
    let object = caller.reference_any(handle, AccessMask::NONE)?;
    ob::make_permanent(&object, &subject)
}
