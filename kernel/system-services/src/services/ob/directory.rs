//! Directories of the namespace.

use alloc::vec::Vec;

use nt_abi::access::AccessMask;
use nt_abi::services::arguments::{
    AccessMask as Access, Boolean, Handle, In, InOut, ObjectAttributes, OptionalOut,
    OptionalOutBytes, Out,
};
use nt_abi::{NtResult, NtStatus, w64};
use ob::Directory;
use ob::directory::DirectoryEntry;
use rtl::security::memory;
use zerocopy::{FromZeros as _, IntoBytes as _};

use crate::Caller;
use crate::capture::{self, Pointer};
use crate::services::ex::{create_object, open_object};

pub(crate) fn nt_create_directory_object(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: In<ObjectAttributes>,
) -> NtResult<NtStatus> {
    create_object(caller, handle, access, attributes.address(), || {
        Ok(Directory::new())
    })
}

pub(crate) fn nt_create_directory_object_ex(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: In<ObjectAttributes>,
    shadow_directory: Handle,
    flags: u32,
) -> NtResult<NtStatus> {
    handle.probe::<u64>()?;
    if flags != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let shadow = if shadow_directory.is_null() {
        None
    } else {
        let rights = AccessMask::DIRECTORY_QUERY | AccessMask::DIRECTORY_TRAVERSE;
        Some(caller.reference::<Directory>(shadow_directory, rights)?)
    };
    create_object(caller, handle, access, attributes.address(), || {
        Ok(Directory::with_shadow(shadow))
    })
}

pub(crate) fn nt_open_directory_object(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: In<ObjectAttributes>,
) -> NtResult {
    handle.probe::<u64>()?;
    if attributes.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    open_object::<Directory>(caller, handle, access, attributes)
}

/// What ends a list, and the bytes of each of its heads.
const HEAD: usize = size_of::<w64::ObjectDirectoryInformation>();

/// The bytes of an entry: its head, and two texts with terminators.
fn entry_length(entry: &DirectoryEntry) -> usize {
    HEAD + 2 * (entry.name.len() + 1) + 2 * (entry.object.head().kind().name().len() + 1)
}

#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_query_directory_object(
    caller: &Caller<'_>,
    directory: Handle,
    buffer: OptionalOutBytes,
    length: u32,
    return_single_entry: Boolean,
    restart_scan: Boolean,
    context: InOut<u32>,
    return_length: OptionalOut<u32>,
) -> NtResult<NtStatus> {
    let base = buffer.address();
    if !base.is_multiple_of(align_of::<u16>() as u64) {
        return Err(NtStatus::DATATYPE_MISALIGNMENT);
    }
    context.probe::<u32>()?;
    return_length.probe_optional::<u32>()?;
    let first: u32 = if restart_scan.is_true() {
        0
    } else {
        context.read()?
    };
    let directory = caller.reference::<Directory>(directory, AccessMask::DIRECTORY_QUERY)?;
    let single = return_single_entry.is_true();
    let mut entries: Vec<DirectoryEntry> = Vec::new();
    // An empty head follows the last entry.
    let mut total = HEAD;
    let mut next = first;
    let mut status = NtStatus::SUCCESS;
    while let Some(entry) = directory.entry(next as usize) {
        let needed = total.saturating_add(entry_length(&entry));
        if needed > length as usize {
            if single {
                let needed = u32::try_from(needed).map_err(|_| NtStatus::INTEGER_OVERFLOW)?;
                return_length.write_optional(&needed)?;
                return Err(NtStatus::BUFFER_TOO_SMALL);
            }
            status = NtStatus::MORE_ENTRIES;
            break;
        }
        total = needed;
        memory::reserve(&mut entries, 1)?;
        entries.push(entry);
        next = next.saturating_add(1);
        if single {
            break;
        }
    }
    if entries.is_empty() && status == NtStatus::SUCCESS {
        status = NtStatus::NO_MORE_ENTRIES;
    }
    if length as usize >= HEAD {
        capture::write_bytes(base, &lay_out(&entries, total, base)?)?;
    }
    if status != NtStatus::NO_MORE_ENTRIES {
        context.write(&next)?;
    }
    let told = u32::try_from(total).map_err(|_| NtStatus::INTEGER_OVERFLOW)?;
    return_length.write_optional(&told)?;
    Ok(status)
}

/// The heads, an empty one, and the texts behind it, as they are seen at `base`.
fn lay_out(entries: &[DirectoryEntry], total: usize, base: u64) -> NtResult<Vec<u8>> {
    let mut heads = Vec::new();
    let mut texts = Vec::new();
    memory::reserve(&mut heads, total)?;
    memory::reserve(&mut texts, total)?;
    let first_text = HEAD * (entries.len() + 1);
    let mut string = |units: &mut dyn Iterator<Item = u16>| {
        let start = texts.len();
        for unit in units {
            texts.extend_from_slice(&unit.to_le_bytes());
        }
        let length = texts.len() - start;
        texts.extend_from_slice(&[0; 2]);
        let length = u16::try_from(length).unwrap_or(u16::MAX - 1);
        w64::UnicodeString {
            length,
            maximum_length: length.saturating_add(2),
            buffer: base.wrapping_add((first_text + start) as u64),
            ..w64::UnicodeString::new_zeroed()
        }
    };
    for entry in entries {
        let kind = entry.object.head().kind().name();
        let head = w64::ObjectDirectoryInformation {
            name: string(&mut entry.name.as_str().units().iter().copied()),
            type_name: string(&mut kind.bytes().map(u16::from)),
        };
        heads.extend_from_slice(head.as_bytes());
    }
    heads.extend_from_slice(&[0; HEAD]);
    heads.extend_from_slice(&texts);
    Ok(heads)
}
