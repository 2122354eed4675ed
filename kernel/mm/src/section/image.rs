//! Areas of images: a program file laid out as its headers say.
//!
//! The bytes of a page are made when it is first touched, by any process: read from the file, then relocated. All views
//! share them, so they are relocated for **one base per area**. That is the preferred one if the first view can have it,
//! and otherwise where the first view went, as NT does with the images that it loads anywhere; the header's base in
//! memory says so, and a loader in user mode finds nothing to do. A view that has to be elsewhere shows the same bytes,
//! and its loader is told (`IMAGE_NOT_AT_BASE`) and relocates in its own copies.
//!
//! # NT
//! `MiCreateImageFileMap`, `MiRelocateImagePfn`.

use arch::contract::{PAGE_BYTES, PAGE_SIZE};
use ex::pool::{PoolTag, PoolVec};
use nt_abi::memory::{PageProtection, SectionImageFlags};
use nt_abi::{NtResult, NtStatus, w64};
use pe::{Headers, Image, RelocationIndex, Relocations, Subsection, Width};
use zerocopy::FromZeros as _;

use super::file::FileHold;
use crate::protection::Protection;

const TAG: PoolTag = PoolTag(*b"MmIm");

/// What an image is, for those who make a process of it.
///
/// # NT
/// What `SECTION_IMAGE_INFORMATION` is made of.
#[derive(Clone, Copy, Debug)]
pub struct ImageInformation {
    /// Its headers, with the base that it prefers.
    pub headers: Headers,
    /// Where its pages are relocated for.
    pub base: u64,
    /// Whether there is anything to execute in it.
    pub contains_code: bool,
    /// Whether it is mapped in one piece, as it lies in the file.
    pub mapped_flat: bool,
    /// Bytes of the file.
    pub file_size: u64,
}

impl ImageInformation {
    /// Where it begins to run, if it is at its base; 0 for an image without an entry point.
    pub fn entry(&self) -> u64 {
        match self.headers.entry_point_rva {
            0 => 0,
            rva => self.base.wrapping_add(u64::from(rva)),
        }
    }

    /// As queries report it.
    ///
    /// # NT
    /// `SECTION_IMAGE_INFORMATION`, which `NtQuerySection` gives.
    pub fn report(&self) -> w64::SectionImageInformation {
        let headers = &self.headers;
        let mut flags = SectionImageFlags::default();
        for (set, flag) in [
            (
                self.base != headers.image_base,
                SectionImageFlags::IMAGE_DYNAMICALLY_RELOCATED,
            ),
            (self.mapped_flat, SectionImageFlags::IMAGE_MAPPED_FLAT),
            (
                headers.width == Width::Pe32Plus && self.base >> 32 == 0,
                SectionImageFlags::BASE_BELOW_4GB,
            ),
        ] {
            if set {
                flags |= flag;
            }
        }
        w64::SectionImageInformation {
            transfer_address: self.entry(),
            maximum_stack_size: headers.stack_reserve,
            committed_stack_size: headers.stack_commit,
            sub_system_type: u32::from(headers.subsystem.0),
            sub_system_minor_version: headers.subsystem_version.minor,
            sub_system_major_version: headers.subsystem_version.major,
            major_operating_system_version: headers.system_version.major,
            minor_operating_system_version: headers.system_version.minor,
            image_characteristics: headers.characteristics.bits(),
            dll_characteristics: headers.dll_characteristics.bits(),
            machine: headers.machine.0,
            image_contains_code: u8::from(self.contains_code),
            image_flags: flags,
            image_file_size: u32::try_from(self.file_size).unwrap_or(u32::MAX),
            check_sum: headers.checksum,
            ..w64::SectionImageInformation::new_zeroed()
        }
    }
}

/// What an area of an image knows.
pub(crate) struct ImageArea {
    file: FileHold,
    information: ImageInformation,
    /// Ascending by address.
    subsections: PoolVec<Subsection>,
    /// The table of relocations, a copy.
    table: PoolVec<u8>,
    index: RelocationIndex,
}

impl ImageArea {
    /// Reads an image.
    ///
    /// # Errors
    /// Those of [`Image::from_file`]; `INSUFFICIENT_RESOURCES`, what the file gives.
    pub(super) fn read(file: FileHold) -> NtResult<Self> {
        let size = file.size();
        let mut read = PoolVec::new(TAG);
        let bytes = match file.contents() {
            Some(bytes) => bytes,
            None => {
                let length = u32::try_from(size).map_err(|_| NtStatus::INVALID_FILE_FOR_SECTION)?;
                read.resize(length as usize, 0)?;
                file.fill(0, &mut read)?;
                &read
            }
        };
        let image = Image::from_file(bytes)?;
        let mut subsections = PoolVec::new(TAG);
        for subsection in image.subsections() {
            subsections.push(subsection)?;
        }
        let relocations = image.relocations()?;
        let index = RelocationIndex::new(&relocations)?;
        let mut table = PoolVec::new(TAG);
        table.resize(relocations.table().len(), 0)?;
        table.copy_from_slice(relocations.table());
        let headers = *image.headers();
        let information = ImageInformation {
            headers,
            base: headers.image_base,
            contains_code: image.contains_code(),
            mapped_flat: image.is_mapped_flat(),
            file_size: size,
        };
        Ok(Self {
            file,
            information,
            subsections,
            table,
            index,
        })
    }

    pub(super) fn file(&self) -> &FileHold {
        &self.file
    }

    pub(crate) fn information(&self) -> &ImageInformation {
        &self.information
    }

    /// Where its pages are relocated for.
    pub(crate) fn base(&self) -> u64 {
        self.information.base
    }

    pub(super) fn set_base(&mut self, base: u64) {
        self.information.base = base;
    }

    pub(crate) fn is_relocatable(&self) -> bool {
        self.information.headers.is_relocatable()
    }

    /// Bytes in memory, in whole pages.
    pub(crate) fn size(&self) -> u64 {
        u64::from(self.information.headers.size_of_image).next_multiple_of(PAGE_SIZE)
    }

    /// How many pages are copied by whoever writes them.
    pub(crate) fn copied_pages(&self) -> u64 {
        self.subsections
            .iter()
            .filter(|subsection| protection_of(subsection).is_copy())
            .map(|subsection| u64::from(subsection.size) / PAGE_SIZE)
            .sum()
    }

    fn subsection(&self, rva: u64) -> Option<&Subsection> {
        let behind = self
            .subsections
            .partition_point(|subsection| u64::from(subsection.rva) <= rva);
        let subsection = self.subsections.get(behind.checked_sub(1)?)?;
        (rva < u64::from(subsection.rva) + u64::from(subsection.size)).then_some(subsection)
    }

    /// The protection of a page in a view.
    pub(crate) fn protection(&self, page: u32) -> Protection {
        self.subsection(u64::from(page) * PAGE_SIZE)
            .map_or(Protection::NO_ACCESS, protection_of)
    }

    /// The bytes of a page.
    pub(super) fn page(&self, page: u32, into: &mut [u8; PAGE_BYTES]) -> NtResult {
        self.page_at(page, self.information.base, into)
    }

    /// The bytes of a page of an image that is at `base`.
    pub(crate) fn page_at(&self, page: u32, base: u64, into: &mut [u8; PAGE_BYTES]) -> NtResult {
        let rva = u64::from(page) * PAGE_SIZE;
        self.read_at(rva, into)?;
        let headers = &self.information.headers;
        let delta = base.wrapping_sub(headers.image_base);
        if delta == 0 {
            return Ok(());
        }
        let page_rva = u32::try_from(rva).map_err(|_| NtStatus::INVALID_IMAGE_FORMAT)?;
        let relocations = Relocations::from_table(&self.table, headers.machine);
        let outside = |rva: u32| {
            let mut byte = [0];
            // A byte that cannot be read now could not be read when its page was made: what is relocated by it is cut.
            let _ = self.read_at(u64::from(rva), &mut byte);
            byte[0]
        };
        self.index
            .apply_to_page(&relocations, page_rva, into, delta, &outside)?;
        self.write_base(rva, base, into);
        Ok(())
    }

    /// The bytes from an address on, before relocation; zero where the file has none. They are within a page.
    fn read_at(&self, rva: u64, into: &mut [u8]) -> NtResult {
        into.fill(0);
        let Some(subsection) = self.subsection(rva) else {
            return Ok(());
        };
        let offset = rva - u64::from(subsection.rva);
        let rest = u64::from(subsection.file_size).saturating_sub(offset);
        let length = usize::try_from(rest).unwrap_or(usize::MAX).min(into.len());
        self.file.fill(
            u64::from(subsection.file_offset) + offset,
            &mut into[..length],
        )
    }

    /// The header says where the image is.
    fn write_base(&self, rva: u64, base: u64, into: &mut [u8; PAGE_BYTES]) {
        let field = self.information.headers.image_base_field();
        let base = base.to_le_bytes();
        for (number, byte) in (0..field.size).zip(base) {
            let at = u64::from(field.offset) + u64::from(number);
            let place = at
                .checked_sub(rva)
                .and_then(|place| usize::try_from(place).ok());
            if let Some(place) = place.and_then(|place| into.get_mut(place)) {
                *place = byte;
            }
        }
    }
}

fn protection_of(subsection: &Subsection) -> Protection {
    Protection::from_page(PageProtection(subsection.protection.0)).unwrap_or(Protection::NO_ACCESS)
}
