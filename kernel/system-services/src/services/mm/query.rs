//! What is at an address.

use alloc::vec::Vec;

use mm::AddressSpace;
use mm::address_space::HIGHEST_USER_ADDRESS;
use nt_abi::access::AccessMask;
use nt_abi::memory::MemoryInformationClass as Class;
use nt_abi::services::arguments::{
    Handle, MemoryInformationClass, OptionalOut, OutBytes, Size, UserAddress,
};
use nt_abi::{NtResult, NtStatus, w64};
use zerocopy::{FromZeros as _, IntoBytes as _};

use crate::Caller;
use crate::capture;
use crate::information::Query;

/// Bytes of a region's description that are enough: to the end of its size.
const SHORT_REGION: u64 = 0x18;

/// # Differs
/// - No view is of a file that has a name, so `MemoryMappedFilenameInformation` gives `FILE_INVALID` for every view.
/// - Nothing is signed, so an image's signing level is 0.
/// - The classes for shared commitment, enclaves, contiguity and bad memory are `NOT_IMPLEMENTED`.
pub(crate) fn nt_query_virtual_memory(
    caller: &Caller<'_>,
    process: Handle,
    base: UserAddress,
    class: MemoryInformationClass,
    information: OutBytes,
    length: Size,
    return_length: OptionalOut<Size>,
) -> NtResult {
    let class = Class(class.0);
    let shortest = shortest(class)?;
    if length.0 < shortest {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    let buffer = information.address();
    // Aligned like an address; what lies in it is so too.
    capture::probe_array_for_write::<u64>(buffer, 0)?;
    capture::probe_bytes_for_write(buffer, length.0)?;
    let query = Query::wide(buffer, length.0, return_length.address())?;
    if base.0 > HIGHEST_USER_ADDRESS && !ignores_address(class) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let process = caller.reference_process(process, AccessMask::PROCESS_QUERY_INFORMATION)?;
    let space = process.space();
    match class {
        Class::BASIC => query.at_least(&basic(space, base.0)?),
        Class::WORKING_SET => working_set(space, buffer, length.0, &query),
        Class::WORKING_SET_EX => working_set_ex(space, buffer, length.0, &query),
        Class::MAPPED_FILENAME => Err(mapped_file_name(space, base.0)),
        Class::REGION | Class::REGION_EX => {
            query.as_much_as_fits(region(space, base.0)?.as_bytes())
        }
        Class::IMAGE => query.at_least(&image(space, base.0)?),
        _ => Err(NtStatus::NOT_IMPLEMENTED),
    }
}

/// The classes that say nothing about one address.
fn ignores_address(class: Class) -> bool {
    class == Class::WORKING_SET || class == Class::WORKING_SET_EX
}

/// How long a buffer must be at least.
fn shortest(class: Class) -> NtResult<u64> {
    let bytes = match class {
        Class::BASIC => size_of::<w64::MemoryBasicInformation>(),
        Class::WORKING_SET => size_of::<w64::MemoryWorkingSetInformation>(),
        Class::WORKING_SET_EX => size_of::<w64::MemoryWorkingSetExInformation>(),
        Class::MAPPED_FILENAME => size_of::<w64::UnicodeString>(),
        Class::REGION | Class::REGION_EX => return Ok(SHORT_REGION),
        Class::IMAGE => size_of::<w64::MemoryImageInformation>(),
        known if known.0 <= Class::IMAGE_EXTENSION.0 => return Err(NtStatus::NOT_IMPLEMENTED),
        _ => return Err(NtStatus::INVALID_INFO_CLASS),
    };
    Ok(bytes as u64)
}

fn basic(space: &AddressSpace, address: u64) -> NtResult<w64::MemoryBasicInformation> {
    let region = space.query(address)?;
    Ok(w64::MemoryBasicInformation {
        base_address: region.base,
        allocation_base: region.allocation_base,
        allocation_protect: region.allocation_protection,
        region_size: region.size,
        state: region.state,
        protect: region.protection,
        kind: region.kind,
        ..w64::MemoryBasicInformation::new_zeroed()
    })
}

fn region(space: &AddressSpace, address: u64) -> NtResult<w64::MemoryRegionInformation> {
    let region = space.query_region(address)?;
    Ok(w64::MemoryRegionInformation {
        allocation_base: region.allocation_base,
        allocation_protect: region.allocation_protection,
        region_type: region.region_type,
        region_size: region.region_size,
        commit_size: region.commit_size,
        ..w64::MemoryRegionInformation::new_zeroed()
    })
}

/// Bit 0 of an image's flags: not all of it is mapped.
const PARTIAL: u32 = 1;

fn image(space: &AddressSpace, address: u64) -> NtResult<w64::MemoryImageInformation> {
    let mut information = w64::MemoryImageInformation::new_zeroed();
    // What is there and is no image has no base.
    if let Some(image) = space.query_image(address)? {
        information.image_base = image.base;
        information.size_of_image = image.size;
        information.image_flags = if image.partial { PARTIAL } else { 0 };
    }
    Ok(information)
}

fn mapped_file_name(space: &AddressSpace, address: u64) -> NtStatus {
    match space.with_mapped_file(address, |_| ()) {
        Ok(()) => NtStatus::FILE_INVALID,
        Err(status) => status,
    }
}

/// All pages of the working set. If there is no room for them, their number is told.
fn working_set(space: &AddressSpace, buffer: u64, length: u64, query: &Query) -> NtResult {
    const HEAD: u64 = size_of::<w64::MemoryWorkingSetInformation>() as u64;
    let room = (length - HEAD) / size_of::<u64>() as u64;
    let mut count = 0u64;
    space.for_each_working_set_page(&mut |_| {
        count += 1;
        true
    })?;
    if count > room {
        capture::write(buffer, &count)?;
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    let mut pages: Vec<u64> = Vec::new();
    // Some more: it may have grown meanwhile.
    let room = room.min(count + 64);
    let room = usize::try_from(room).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    pages
        .try_reserve_exact(room)
        .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    space.for_each_working_set_page(&mut |page| {
        if pages.len() < room {
            pages.push(page);
        }
        pages.len() < room
    })?;
    let mut place = buffer + HEAD;
    for page in &pages {
        let block = space.query_working_set_page(*page)?.block(*page);
        capture::write(place, &block)?;
        place += size_of::<u64>() as u64;
    }
    capture::write(buffer, &(pages.len() as u64))?;
    query.tell_length(usize::try_from(place - buffer).unwrap_or(usize::MAX))
}

/// About each page whose address is in the buffer.
fn working_set_ex(space: &AddressSpace, buffer: u64, length: u64, query: &Query) -> NtResult {
    const ENTRY: u64 = size_of::<w64::MemoryWorkingSetExInformation>() as u64;
    for index in 0..length / ENTRY {
        let place = buffer + index * ENTRY;
        let mut entry: w64::MemoryWorkingSetExInformation = capture::read(place)?;
        entry.virtual_attributes = if entry.virtual_address <= HIGHEST_USER_ADDRESS {
            space
                .query_working_set_page(entry.virtual_address)?
                .attributes()
        } else {
            0
        };
        capture::write(place, &entry)?;
    }
    query.tell_length(usize::try_from(length / ENTRY * ENTRY).unwrap_or(usize::MAX))
}
