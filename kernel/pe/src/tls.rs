//! Thread-local storage: the template of a thread's data, and whom to call when threads come and go.
//!
//! The directory holds addresses, not offsets; relocation has changed them in a mapped image. Here they are offsets
//! again.

use nt_abi::NtResult;

use crate::bytes::{BAD, low32, u32_at};
use crate::headers::Directory;
use crate::image::{Image, advance};

/// The TLS directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tls {
    /// Where the template begins; 0 if it is empty.
    pub template_rva: u32,
    /// Bytes of the template.
    pub template_size: u32,
    /// Zero bytes behind the template.
    pub zero_fill: u32,
    /// Where the index goes that the image gets.
    pub index_rva: u32,
    /// Where the list of callbacks is; 0 if there is none.
    pub callbacks_rva: u32,
    /// The template's alignment in the bits that say it for sections, otherwise 0.
    pub characteristics: u32,
}

/// The callbacks, as offsets.
#[derive(Clone, Debug)]
pub struct TlsCallbacks<'a> {
    image: Image<'a>,
    next_rva: Option<u32>,
}

impl<'a> Image<'a> {
    /// Its TLS directory, if it has one.
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT`: the directory is not in the image, or leads out of it.
    pub fn tls(&self) -> NtResult<Option<Tls>> {
        let Some(directory) = self.directory(Directory::Tls) else {
            return Ok(None);
        };
        let pointer = self.headers().width.pointer();
        let bytes = self.at(directory.rva, pointer * 4 + 8).ok_or(BAD)?;
        let address = |number: usize| self.pointer(bytes, number * pointer).ok_or(BAD);
        let place = |number: usize| match address(number)? {
            0 => Ok(0),
            found => self.rva_of(found).ok_or(BAD),
        };
        let (start, end) = (address(0)?, address(1)?);
        let size = end.checked_sub(start).ok_or(BAD)?;
        if size > u64::from(self.headers().size_of_image) {
            return Err(BAD);
        }
        Ok(Some(Tls {
            // An empty template may be right behind the image's end.
            template_rva: if size == 0 { 0 } else { place(0)? },
            template_size: low32(size),
            zero_fill: u32_at(bytes, pointer * 4).ok_or(BAD)?,
            index_rva: place(2)?,
            callbacks_rva: place(3)?,
            characteristics: u32_at(bytes, pointer * 4 + 4).ok_or(BAD)?,
        }))
    }

    /// The callbacks of its TLS directory, in the order in which they are called.
    pub fn tls_callbacks(&self, tls: &Tls) -> TlsCallbacks<'a> {
        TlsCallbacks {
            image: *self,
            next_rva: (tls.callbacks_rva != 0).then_some(tls.callbacks_rva),
        }
    }
}

impl Iterator for TlsCallbacks<'_> {
    type Item = NtResult<u32>;

    fn next(&mut self) -> Option<Self::Item> {
        let rva = self.next_rva.take()?;
        let read = || {
            let bytes = self.image.from_rva(rva).ok_or(BAD)?;
            match self.image.pointer(bytes, 0).ok_or(BAD)? {
                0 => Ok(None),
                address => self.image.rva_of(address).map(Some).ok_or(BAD),
            }
        };
        let callback = read().transpose()?;
        if callback.is_ok() {
            self.next_rva = advance(rva, self.image.headers().width.pointer()).ok();
        }
        Some(callback)
    }
}
