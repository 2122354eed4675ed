//! Looking at images: `RtlImageNtHeader` and its relatives.
//!
//! These take any base that a program gives, of an image or of a file that somebody read into memory. Nothing says how long that is but
//! the one who asks, so they look at no more than the headers, and believe nothing else.

use c_interface::Ptr;
use nt_abi::{NtResult, NtStatus};
use pe::Width;

use crate::number::index;

const MZ: u16 = 0x5A4D;
const PE: u32 = 0x0000_4550;
/// Where the DOS header says where the NT headers are.
const NT_OFFSET_AT: usize = 0x3C;
/// NT believes no larger offset of the NT headers, 256 MiB.
const LARGEST_OFFSET: u32 = 256 << 20;
/// Length of the signature and the file header.
const OPTIONAL: usize = 24;
/// Length of an entry of the section table.
const SECTION: usize = 40;

/// The low bits of a base that say that it is no image to run: `LDR_IS_DATAFILE`, `LDR_IS_IMAGEMAPPING`.
const TAGS: usize = 3;

/// Finds the NT headers of an image. `size` is how many bytes there are, if somebody knows.
///
/// # Errors
/// - `INVALID_PARAMETER`: there is no base.
/// - `INVALID_IMAGE_FORMAT`: it is no image, or too short for its headers.
#[doc(alias = "RtlImageNtHeaderEx")]
pub fn image_nt_header(base: Ptr<u8>, size: Option<u64>) -> NtResult<Ptr<u8>> {
    if base.is_null() || base.address() == usize::MAX {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let bad = NtStatus::INVALID_IMAGE_FORMAT;
    let fits = |end: u64| size.is_none_or(|size| end <= size);
    if !fits(0x40) || base.cast::<u16>().read() != MZ {
        return Err(bad);
    }
    let offset = base.byte_add(NT_OFFSET_AT).cast::<u32>().read();
    if offset >= LARGEST_OFFSET || !fits(u64::from(offset) + OPTIONAL as u64) {
        return Err(bad);
    }
    let headers = base.byte_add(index(offset));
    if headers.cast::<u32>().read() != PE {
        return Err(bad);
    }
    Ok(headers)
}

fn width_of(headers: Ptr<u8>) -> Option<Width> {
    match headers.byte_add(OPTIONAL).cast::<u16>().read() {
        0x10B => Some(Width::Pe32),
        0x20B => Some(Width::Pe32Plus),
        _ => None,
    }
}

/// How an image lies in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// As an image: an address in it is an offset.
    Mapped,
    /// As a file.
    File,
}

/// Finds a data directory and its length; `None` if the image has none. A base that is tagged as a data file is one,
/// whatever the caller says.
#[doc(alias = "RtlImageDirectoryEntryToData")]
pub fn image_directory(base: Ptr<u8>, layout: Layout, number: u16) -> Option<(Ptr<u8>, u32)> {
    let (base, layout) = match base.address() & TAGS {
        0 => (base, layout),
        1 => (untagged(base), Layout::File),
        _ => (untagged(base), Layout::Mapped),
    };
    let headers = image_nt_header(base, None).ok()?;
    let (count_at, table_at) = match width_of(headers)? {
        Width::Pe32 => (92, 96),
        Width::Pe32Plus => (108, 112),
    };
    let optional = headers.byte_add(OPTIONAL);
    if u32::from(number) >= optional.byte_add(count_at).cast::<u32>().read() {
        return None;
    }
    let entry = optional.byte_add(table_at + 8 * usize::from(number));
    let rva = entry.cast::<u32>().read();
    let size = entry.cast::<u32>().add(1).read();
    if rva == 0 {
        return None;
    }
    let size_of_headers = optional.byte_add(60).cast::<u32>().read();
    if layout == Layout::Mapped || rva < size_of_headers {
        return Some((base.byte_add(index(rva)), size));
    }
    Some((image_rva_to_va(headers, base, rva)?, size))
}

/// A base without the bits that say what it is.
pub(crate) fn untagged(base: Ptr<u8>) -> Ptr<u8> {
    Ptr::new(base.address() & !TAGS)
}

/// Finds the entry of the section table for the section that an offset of the image in memory is in.
#[doc(alias = "RtlImageRvaToSection")]
pub fn image_rva_to_section(headers: Ptr<u8>, rva: u32) -> Option<Ptr<u8>> {
    let count = headers.byte_add(6).cast::<u16>().read();
    let optional_size = headers.byte_add(20).cast::<u16>().read();
    let first = headers.byte_add(OPTIONAL + usize::from(optional_size));
    (0..usize::from(count))
        .map(|number| first.byte_add(number * SECTION))
        .find(|section| {
            let start = section.byte_add(12).cast::<u32>().read();
            let size = section.byte_add(16).cast::<u32>().read();
            rva.checked_sub(start).is_some_and(|offset| offset < size)
        })
}

/// Finds what is at an offset of the image in memory, in an image that lies as in its file.
#[doc(alias = "RtlImageRvaToVa")]
pub fn image_rva_to_va(headers: Ptr<u8>, base: Ptr<u8>, rva: u32) -> Option<Ptr<u8>> {
    let section = image_rva_to_section(headers, rva)?;
    let start = section.byte_add(12).cast::<u32>().read();
    let raw = section.byte_add(20).cast::<u32>().read();
    Some(base.byte_add(index(raw)).byte_add(index(rva - start)))
}
