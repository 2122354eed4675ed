//! An image, seen in one of two ways: as a file, or as it lies in memory.

use nt_abi::{NtResult, NtStatus};

use crate::bytes::{BAD, c_string, index, low32, u16_at, u32_at, u64_at};
use crate::check::{check_headers, check_sections};
use crate::flags::SectionCharacteristics;
use crate::headers::{DataDirectory, Directory, Headers, Width};
use crate::mapping::{Subsections, file_bytes, is_flat};
use crate::sections::Sections;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum View {
    File,
    Mapped,
}

/// An image whose headers were found good.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    bytes: &'a [u8],
    headers: Headers,
    sections: Sections<'a>,
    view: View,
}

/// Bytes of an image by their addresses: what unwind data is read from. Code that was made at run time has no headers,
/// but a base address and unwind data relative to it.
pub trait ImageBytes<'a> {
    /// `length` bytes from an address on; `None` if they are not all there.
    fn bytes_at(&self, rva: u32, length: usize) -> Option<&'a [u8]>;
}

impl<'a> ImageBytes<'a> for Image<'a> {
    fn bytes_at(&self, rva: u32, length: usize) -> Option<&'a [u8]> {
        self.at(rva, length)
    }
}

impl<'a> Image<'a> {
    /// Reads an image in the bytes of its file.
    ///
    /// # NT
    /// The checks of `NtCreateSection` with `SEC_IMAGE`.
    ///
    /// # Errors
    /// - `INVALID_FILE_FOR_SECTION`: the file has 4 GiB or more.
    /// - `INVALID_IMAGE_NOT_MZ`: it does not begin with `MZ`.
    /// - `INVALID_IMAGE_WIN_16`, `INVALID_IMAGE_NE_FORMAT`, `INVALID_IMAGE_LE_FORMAT`: it is a program of another kind.
    /// - `INVALID_IMAGE_PROTECT`: it has no headers of any such kind; a DOS program.
    /// - `INVALID_IMAGE_FORMAT`: its headers contradict each other, or are for an unknown machine.
    pub fn from_file(bytes: &'a [u8]) -> NtResult<Self> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(NtStatus::INVALID_FILE_FOR_SECTION);
        }
        Self::read(bytes, View::File)
    }

    /// Reads an image in memory: an address in it is an index of `bytes`. Its base is the header's, which whoever
    /// relocated the image has adjusted.
    ///
    /// # Errors
    /// As [`from_file`](Self::from_file), but for what concerns the file.
    pub fn from_mapped(bytes: &'a [u8]) -> NtResult<Self> {
        Self::read(bytes, View::Mapped)
    }

    fn read(bytes: &'a [u8], view: View) -> NtResult<Self> {
        let headers = Headers::read(bytes)?;
        check_headers(&headers)?;
        let sections = Sections::find(bytes, headers.section_table_offset, headers.section_count)
            .ok_or(BAD)?;
        let file_length = (view == View::File).then_some(bytes.len());
        check_sections(&headers, &sections, file_length)?;
        Ok(Self {
            bytes,
            headers,
            sections,
            view,
        })
    }

    /// Its headers.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Its sections.
    pub fn sections(&self) -> Sections<'a> {
        self.sections
    }

    /// Whether it is mapped in one piece, as it lies in the file (`ImageMappedFlat` of `SECTION_IMAGE_INFORMATION`).
    pub fn is_mapped_flat(&self) -> bool {
        is_flat(&self.headers)
    }

    /// Whether there is anything to execute in it (`ImageContainsCode` of `SECTION_IMAGE_INFORMATION`).
    ///
    /// # NT
    /// The headers' word is enough; without it sections are looked at, and a flat image may be executed anyway.
    pub fn contains_code(&self) -> bool {
        self.headers.size_of_code != 0
            || self.headers.entry_point_rva != 0
            || self.is_mapped_flat()
            || self.sections.iter().any(|section| {
                section
                    .characteristics
                    .contains(SectionCharacteristics::EXECUTE)
            })
    }

    /// How it is laid out in memory. The file's part of it is meaningful in the view of the file only.
    pub fn subsections(&self) -> Subsections<'a> {
        let length = match self.view {
            View::File => self.bytes.len(),
            View::Mapped => usize::MAX,
        };
        Subsections::new(self.headers, self.sections, length)
    }

    /// All the bytes that it is read from.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The bytes from an address on, as far as they are in one piece: to the end of the section, or of what the file has
    /// of it. Bytes that are zero in memory and nowhere in the file are not given.
    pub fn from_rva(&self, rva: u32) -> Option<&'a [u8]> {
        if self.view == View::Mapped || is_flat(&self.headers) {
            let end = index(self.headers.size_of_image).min(self.bytes.len());
            return self.bytes.get(index(rva)..end);
        }
        if rva < self.headers.size_of_headers {
            let end = index(self.headers.size_of_headers).min(self.bytes.len());
            return self.bytes.get(index(rva)..end);
        }
        let (_, section) = self.sections.last_before(rva)?;
        let (offset, size) = file_bytes(&section);
        let start = index(rva.checked_sub(section.rva)?);
        let bytes = self.bytes.get(index(offset)..)?;
        bytes.get(..index(size)).unwrap_or(bytes).get(start..)
    }

    /// `length` bytes from an address on.
    pub fn at(&self, rva: u32, length: usize) -> Option<&'a [u8]> {
        self.from_rva(rva)?.get(..length)
    }

    /// The byte at an address of the image in memory: 0 where the file has none.
    pub fn byte_in_memory(&self, rva: u32) -> u8 {
        let found = self.from_rva(rva).and_then(<[u8]>::first);
        found.copied().unwrap_or_default()
    }

    /// Lays the image out in `target` as it is in memory, before relocation. Pages of `target` beyond the image, and
    /// those that belong to no section, are zeroed.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: `target` is shorter than the image.
    pub fn copy_mapped(&self, target: &mut [u8]) -> NtResult {
        if target.len() < index(self.headers.size_of_image) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        target.fill(0);
        for subsection in self.subsections() {
            let rva = index(subsection.rva);
            let from = match self.view {
                View::File => self.bytes.get(index(subsection.file_offset)..),
                View::Mapped => self.bytes.get(rva..),
            };
            let length = match self.view {
                View::File => subsection.file_size,
                View::Mapped => subsection.size,
            };
            let to = target.get_mut(rva..).unwrap_or_default();
            let to = to.iter_mut().take(index(length));
            to.zip(from.unwrap_or_default())
                .for_each(|(to, from)| *to = *from);
        }
        Ok(())
    }

    /// A directory, if the image has it.
    pub(crate) fn directory(&self, directory: Directory) -> Option<DataDirectory> {
        self.headers.directory(directory)
    }

    /// The bytes of a directory: as many as it says, or as there are.
    pub(crate) fn directory_bytes(&self, directory: DataDirectory) -> NtResult<&'a [u8]> {
        let bytes = self.from_rva(directory.rva).ok_or(BAD)?;
        Ok(bytes.get(..index(directory.size)).unwrap_or(bytes))
    }

    /// An absolute address of the image as a relative one; `None` for a null pointer and for addresses elsewhere.
    pub fn rva_of(&self, address: u64) -> Option<u32> {
        let offset = address.checked_sub(self.headers.image_base)?;
        let rva = u32::try_from(offset).ok()?;
        (address != 0 && rva < self.headers.size_of_image).then_some(rva)
    }

    /// The string at an address.
    pub(crate) fn string(&self, rva: u32) -> NtResult<&'a [u8]> {
        c_string(self.from_rva(rva).ok_or(BAD)?)
    }

    pub(crate) fn u16(&self, rva: u32) -> Option<u16> {
        u16_at(self.from_rva(rva)?, 0)
    }

    /// The address-sized number at `offset` of `bytes`.
    pub(crate) fn pointer(&self, bytes: &[u8], offset: usize) -> Option<u64> {
        match self.headers.width {
            Width::Pe32 => u32_at(bytes, offset).map(u64::from),
            Width::Pe32Plus => u64_at(bytes, offset),
        }
    }

    /// Moves the base that absolute addresses are relative to: a file's are relative to the preferred base, whatever
    /// base its image goes to.
    #[must_use]
    pub fn with_base(mut self, base: u64) -> Self {
        self.headers.image_base = base;
        self
    }
}

/// An address plus an offset, within 32 bits.
pub(crate) fn advance(rva: u32, bytes: usize) -> NtResult<u32> {
    u64::try_from(bytes)
        .ok()
        .and_then(|bytes| u64::from(rva).checked_add(bytes))
        .filter(|sum| *sum <= u64::from(u32::MAX))
        .map(low32)
        .ok_or(BAD)
}
