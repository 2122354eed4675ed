//! The bytes of a mapped image.
//!
//! What a file says of itself is read here, each place checked against what can be read. That is less than the image in two
//! cases: nothing is mapped behind the last section, and a section may forbid every access. The view ends before the
//! first such page, so reading what a damaged file points to gives a status and not an access violation.
//!
//! The loader writes into images too (import tables, the TLS index, the security cookie). So nobody keeps a slice of an
//! image; it is taken for one look and forgotten.

use c_interface::Ptr;
use nt_abi::native::Pointer;
use nt_abi::{NtResult, NtStatus};
use pe::{Headers, Image, PAGE_SIZE, PageProtection};

use crate::number::{index, low32};

/// What NT says of a file whose inside is damaged.
pub(crate) const BAD: NtStatus = NtStatus::INVALID_IMAGE_FORMAT;

/// Bytes of an address in an image of this process.
pub(crate) const POINTER: u32 = size_of::<Pointer>() as u32;

/// The part of an image that can be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) base: Ptr<u8>,
    /// Bytes from the base on.
    pub(crate) readable: u32,
}

impl View {
    /// Looks at what was mapped: the headers are good, and this much of the image can be read.
    pub(crate) fn open(base: Ptr<u8>, size: usize) -> NtResult<(Self, Headers)> {
        let whole = u32::try_from(size).map_err(|_| BAD)?;
        if whole < PAGE_SIZE {
            return Err(BAD);
        }
        // Headers lie in the first pages. How many, they say themselves, so the first page is looked at first.
        let first = Self {
            base,
            readable: PAGE_SIZE,
        };
        let in_headers = match Image::from_mapped(first.bytes()) {
            Ok(image) => image.headers().size_of_headers,
            // The section table reaches into the next page, or the file is damaged.
            Err(_) => whole.min(4 * PAGE_SIZE),
        };
        let readable = in_headers.max(PAGE_SIZE).min(whole);
        let headers_only = Self { base, readable };
        let image = Image::from_mapped(headers_only.bytes())?;
        let readable = readable_bytes(&image).min(whole);
        Ok((Self { base, readable }, *image.headers()))
    }

    /// All of it, for one look.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        self.base.slice(index(self.readable))
    }

    /// The bytes from an offset on.
    #[inline]
    pub(crate) fn from(&self, rva: u32) -> Option<&[u8]> {
        self.bytes().get(index(rva)..)
    }

    /// Where something of that length is, if all of it can be read.
    #[inline]
    pub(crate) fn place<T>(&self, rva: u32, bytes: u32) -> NtResult<Ptr<T>> {
        let end = rva.checked_add(bytes).ok_or(BAD)?;
        if end > self.readable {
            return Err(BAD);
        }
        Ok(self.base.byte_add(index(rva)).cast())
    }

    /// The `u16` at an offset.
    #[inline]
    pub(crate) fn u16(&self, rva: u32) -> NtResult<u16> {
        Ok(self.place::<u16>(rva, 2)?.read())
    }

    /// The address at an offset.
    #[inline]
    pub(crate) fn pointer(&self, rva: u32) -> NtResult<Pointer> {
        Ok(self.place::<Pointer>(rva, POINTER)?.read())
    }

    /// The string at an offset, without its NUL. One without an end is none.
    pub(crate) fn string(&self, rva: u32) -> NtResult<&[u8]> {
        let bytes = self.from(rva).ok_or(BAD)?;
        let bytes = bytes.get(..pe::MAX_NAME).unwrap_or(bytes);
        let length = bytes.iter().position(|byte| *byte == 0).ok_or(BAD)?;
        bytes.get(..length).ok_or(BAD)
    }

    /// The offset of an address in the image.
    pub(crate) fn rva_of(&self, address: usize) -> Option<u32> {
        let offset = address.checked_sub(self.base.address())?;
        u32::try_from(offset)
            .ok()
            .filter(|rva| *rva < self.readable)
    }

    /// The image as the reader of PE files sees it, with addresses relative to where it is.
    pub(crate) fn image(&self) -> NtResult<Image<'_>> {
        Ok(Image::from_mapped(self.bytes())?.with_base(self.base.address() as u64))
    }
}

/// How much of an image can be read from its start on. Between sections that are aligned to more than pages there is
/// nothing; linkers point nowhere there, and a file that does faults as it does on Windows.
fn readable_bytes(image: &Image<'_>) -> u32 {
    let alignment = image.headers().section_alignment.max(PAGE_SIZE);
    let mut end = 0_u32;
    for part in image.subsections() {
        let expected = end.checked_next_multiple_of(alignment);
        if Some(part.rva) != expected || part.protection == PageProtection::NO_ACCESS {
            break;
        }
        end = part.rva.saturating_add(part.size);
    }
    end
}

/// What an entry of an image's lookup table says as an offset.
///
/// # Errors
/// `INVALID_IMAGE_FORMAT`: it is none.
#[inline]
#[allow(
    clippy::useless_conversion,
    reason = "an address has another width elsewhere"
)]
pub(crate) fn offset_of(entry: Pointer) -> NtResult<u32> {
    u32::try_from(entry).map_err(|_| BAD)
}

/// Where bytes of an image are.
pub(crate) fn start_of(bytes: &[u8]) -> Ptr<u8> {
    Ptr::new(bytes.as_ptr().expose_provenance())
}

/// The pages that bytes touch, as a start and a length.
pub(crate) fn page_span(rva: u32, bytes: u32) -> (u32, u32) {
    let start = rva & !(PAGE_SIZE - 1);
    let end = u64::from(rva) + u64::from(bytes);
    let end = end.next_multiple_of(u64::from(PAGE_SIZE));
    (start, low32(end - u64::from(start)))
}
