//! The checks that decide whether a file is an image at all.
//!
//! They are those that NT makes when an image section is created (`MiVerifyImageHeader`, `MiCreateImageFileMap`), and no
//! more: a stricter reader would refuse programs that run on Windows. In particular NT looks at neither the entry point
//! nor the subsystem here, and lets `SizeOfImage` reach beyond the last section. What the checks do establish, the rest
//! of this crate leans on: sections ascend without gaps or overlaps, from the end of the headers to `SizeOfImage`.

use nt_abi::NtResult;

use crate::bytes::BAD;
use crate::flags::{DllCharacteristics, FileCharacteristics};
use crate::headers::{Headers, Machine};
use crate::mapping::{PAGE_SIZE, is_flat, page_up};
use crate::sections::{Section, Sections};

/// The largest image, in bytes (`MM_SIZE_OF_LARGEST_IMAGE`).
const LARGEST_IMAGE: u32 = 0x7700_0000;
/// The most sections: more than the 96 that the format's description allows are refused.
const MOST_SECTIONS: u16 = 96;
/// Images are placed at multiples of this.
const BASE_GRANULARITY: u64 = 64 << 10;
/// The unit in which NT reads sections.
pub(crate) const SECTOR: u32 = 512;

/// Refuses what `good` is false for.
fn require(good: bool) -> NtResult {
    if good { Ok(()) } else { Err(BAD) }
}

/// Checks the headers by themselves.
pub(crate) fn check_headers(headers: &Headers) -> NtResult {
    let (section, file) = (headers.section_alignment, headers.file_alignment);
    require(
        headers
            .characteristics
            .contains(FileCharacteristics::EXECUTABLE_IMAGE),
    )?;
    require(headers.machine.width() == Some(headers.width))?;
    if headers.machine == Machine::ARM64 {
        // ARM64 has no programs from before these two, so Windows there refuses images without them.
        let needed = DllCharacteristics::DYNAMIC_BASE | DllCharacteristics::NX_COMPAT;
        require(headers.dll_characteristics.contains(needed))?;
    }

    require(file.is_power_of_two() && section.is_power_of_two())?;
    require(file % SECTOR == 0 || file == section)?;
    require(section >= file)?;
    // An image with smaller units than pages is mapped as it lies in the file, so both units must be one.
    require(section >= PAGE_SIZE || section == file)?;

    require(headers.size_of_image != 0 && headers.size_of_image <= LARGEST_IMAGE)?;
    require(headers.size_of_headers < headers.size_of_image)?;
    require(headers.image_base.is_multiple_of(BASE_GRANULARITY))?;
    require(headers.section_count <= MOST_SECTIONS)
}

/// Checks the sections against the headers, and against the file where there is one.
pub(crate) fn check_sections(
    headers: &Headers,
    sections: &Sections<'_>,
    file_length: Option<usize>,
) -> NtResult {
    for section in sections.iter() {
        let end = section
            .raw_offset
            .checked_add(section.raw_size)
            .ok_or(BAD)?;
        if let Some(length) = file_length {
            let end = usize::try_from(end).map_err(|_| BAD)?;
            require(end <= length || !section.has_file_bytes())?;
        }
        if is_flat(headers) {
            check_flat(&section)?;
        }
    }
    if is_flat(headers) {
        return Ok(());
    }
    check_contiguous(headers, sections)
}

/// Checks that a section of an image that is mapped in one piece lies in memory as in the file.
fn check_flat(section: &Section) -> NtResult {
    let same = section.raw_offset == section.rva && section.virtual_size <= section.raw_size;
    require(same || section.raw_size == 0)
}

/// Checks that each section begins where what is before it ends, and that the last one is within the image.
fn check_contiguous(headers: &Headers, sections: &Sections<'_>) -> NtResult {
    let alignment = headers.section_alignment;
    // Without a single page of headers nobody could read the mapped image.
    require(headers.size_of_headers != 0)?;
    let mut next = headers
        .size_of_headers
        .checked_next_multiple_of(alignment)
        .ok_or(BAD)?;
    let end = page_up(headers.size_of_image).ok_or(BAD)?;
    for section in sections.iter() {
        let size = section.size_in_memory();
        require(size != 0 && section.rva == next)?;
        require(
            section
                .rva
                .checked_add(size)
                .is_some_and(|last| last <= end),
        )?;
        let size = size.checked_next_multiple_of(alignment).ok_or(BAD)?;
        next = section.rva.checked_add(size).ok_or(BAD)?;
    }
    Ok(())
}
