//! How an image is laid out in memory: which bytes of the file go to which pages, with which protection.
//!
//! NT makes a subsection of the headers and of each section. Pages of the file come in sectors of 512 bytes, so a section
//! begins at the sector boundary at or before its offset; linkers align better than that, some packers do not. Where
//! `SectionAlignment` is less than a page, one subsection shows the file as it is, and all of it may be written and
//! executed.

use crate::bytes::low32;
use crate::check::SECTOR;
use crate::flags::SectionCharacteristics;
use crate::headers::Headers;
use crate::sections::{Section, Sections};

/// Bytes of a page on every machine that images are read for.
pub const PAGE_SIZE: u32 = 4096;

/// A page protection (`PAGE_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageProtection(pub u32);

impl PageProtection {
    /// No access.
    pub const NO_ACCESS: Self = Self(0x01);
    /// Read.
    pub const READ_ONLY: Self = Self(0x02);
    /// Read and write.
    pub const READ_WRITE: Self = Self(0x04);
    /// Read, and write to a copy of one's own.
    pub const WRITE_COPY: Self = Self(0x08);
    /// Execute.
    pub const EXECUTE: Self = Self(0x10);
    /// Execute and read.
    pub const EXECUTE_READ: Self = Self(0x20);
    /// Execute, read and write.
    pub const EXECUTE_READ_WRITE: Self = Self(0x40);
    /// Execute and read, and write to a copy of one's own.
    pub const EXECUTE_WRITE_COPY: Self = Self(0x80);

    /// The protection of a section's pages.
    ///
    /// # NT
    /// What can be written can be read; a section that is not shared is written by copying.
    pub fn of_section(characteristics: SectionCharacteristics) -> Self {
        let has = |flag| characteristics.contains(flag);
        let execute = has(SectionCharacteristics::EXECUTE);
        if has(SectionCharacteristics::WRITE) {
            return match (execute, has(SectionCharacteristics::SHARED)) {
                (false, false) => Self::WRITE_COPY,
                (false, true) => Self::READ_WRITE,
                (true, false) => Self::EXECUTE_WRITE_COPY,
                (true, true) => Self::EXECUTE_READ_WRITE,
            };
        }
        match (execute, has(SectionCharacteristics::READ)) {
            (false, false) => Self::NO_ACCESS,
            (false, true) => Self::READ_ONLY,
            (true, false) => Self::EXECUTE,
            (true, true) => Self::EXECUTE_READ,
        }
    }
}

/// Pages that are mapped alike. Those behind `file_size` bytes are zero, and so is the rest of the last one before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Subsection {
    /// Which section it shows, from 0; `None` for the headers or a whole file.
    pub section: Option<usize>,
    /// Where it is in memory: a multiple of pages.
    pub rva: u32,
    /// Its bytes in memory: a multiple of pages.
    pub size: u32,
    /// Where its bytes are in the file.
    pub file_offset: u32,
    /// How many come from the file; never more than `size`.
    pub file_size: u32,
    /// The protection of its pages.
    pub protection: PageProtection,
}

/// The subsections of an image, ascending. Pages of the image that are in none of them are not accessible.
#[derive(Clone, Debug)]
pub struct Subsections<'a> {
    headers: Headers,
    sections: Sections<'a>,
    file_length: u32,
    next: usize,
}

impl<'a> Subsections<'a> {
    pub(crate) fn new(headers: Headers, sections: Sections<'a>, file_length: usize) -> Self {
        Self {
            headers,
            sections,
            file_length: u32::try_from(file_length).unwrap_or(u32::MAX),
            next: 0,
        }
    }

    /// The subsection in front: the headers, or everything.
    fn first(&self) -> Option<Subsection> {
        let flat = is_flat(&self.headers);
        let bytes = if flat {
            self.headers.size_of_image
        } else {
            self.headers.size_of_headers
        };
        Some(Subsection {
            section: None,
            rva: 0,
            size: page_up(bytes)?,
            file_offset: 0,
            file_size: bytes.min(self.file_length),
            protection: if flat {
                PageProtection::EXECUTE_WRITE_COPY
            } else {
                PageProtection::READ_ONLY
            },
        })
    }

    fn of_section(&self, number: usize) -> Option<Subsection> {
        let section = self.sections.get(number)?;
        let (file_offset, file_size) = file_bytes(&section);
        Some(Subsection {
            section: Some(number),
            rva: section.rva,
            size: page_up(section.size_in_memory())?,
            file_offset,
            file_size: file_size.min(self.file_length.saturating_sub(file_offset)),
            protection: PageProtection::of_section(section.characteristics),
        })
    }
}

impl Iterator for Subsections<'_> {
    type Item = Subsection;

    fn next(&mut self) -> Option<Subsection> {
        let number = self.next;
        self.next += 1;
        match number.checked_sub(1) {
            None => self.first(),
            Some(_) if is_flat(&self.headers) => None,
            Some(section) => self.of_section(section),
        }
    }
}

/// Whether the image is mapped in one piece, as it lies in the file.
pub(crate) fn is_flat(headers: &Headers) -> bool {
    headers.section_alignment < PAGE_SIZE
}

/// Rounds up to whole pages.
pub(crate) fn page_up(bytes: u32) -> Option<u32> {
    bytes.checked_next_multiple_of(PAGE_SIZE)
}

/// Where a section's bytes begin in the file and how many there are: whole sectors, but no more than its pages.
pub(crate) fn file_bytes(section: &Section) -> (u32, u32) {
    if !section.has_file_bytes() {
        return (0, 0);
    }
    let before = section.raw_offset % SECTOR;
    let wanted = (u64::from(section.raw_size) + u64::from(before))
        .next_multiple_of(u64::from(SECTOR))
        .min(u64::from(section.size_in_memory()).next_multiple_of(u64::from(PAGE_SIZE)));
    (section.raw_offset - before, low32(wanted))
}
