//! The modules whose addresses were written into the import tables beforehand, and which of their versions.

use nt_abi::NtResult;

use crate::bytes::{BAD, Fields, c_string};
use crate::headers::Directory;
use crate::image::Image;

/// Length of an entry.
const ENTRY: usize = 8;

/// A module that the image was bound to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BoundImport<'a> {
    /// The stamp that it must have for the addresses to be right.
    pub time_date_stamp: u32,
    /// Its name.
    pub name: &'a [u8],
    /// Whether the module before forwards to it; otherwise the image imports from it.
    pub forwarded_to: bool,
}

/// The modules that an image was bound to, each followed by those that it forwards to.
#[derive(Clone, Debug)]
pub struct BoundImports<'a> {
    table: &'a [u8],
    offset: usize,
    forwarders: u16,
}

impl<'a> Image<'a> {
    /// The modules that it was bound to.
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT`: the table is not in the image.
    pub fn bound_imports(&self) -> NtResult<BoundImports<'a>> {
        let table = match self.directory(Directory::BoundImport) {
            Some(directory) => self.from_rva(directory.rva).ok_or(BAD)?,
            None => &[],
        };
        Ok(BoundImports {
            table,
            offset: 0,
            forwarders: 0,
        })
    }
}

impl<'a> BoundImports<'a> {
    fn read(&mut self) -> NtResult<Option<BoundImport<'a>>> {
        let entry = self.table.get(self.offset..).ok_or(BAD)?;
        let entry = entry.get(..ENTRY).ok_or(BAD)?;
        let mut fields = Fields::new(entry);
        let (time_date_stamp, name_offset, forwarders) = (fields.u32(), fields.u16(), fields.u16());
        let forwarded_to = self.forwarders > 0;
        if !forwarded_to && name_offset == 0 {
            return Ok(None);
        }
        self.forwarders = match self.forwarders.checked_sub(1) {
            Some(left) => left,
            None => forwarders,
        };
        self.offset += ENTRY;
        let name = self.table.get(usize::from(name_offset)..).ok_or(BAD)?;
        Ok(Some(BoundImport {
            time_date_stamp,
            name: c_string(name)?,
            forwarded_to,
        }))
    }
}

impl<'a> Iterator for BoundImports<'a> {
    type Item = NtResult<BoundImport<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.table.is_empty() {
            return None;
        }
        let import = self.read().transpose();
        if !matches!(import, Some(Ok(_))) {
            self.table = &[];
        }
        import
    }
}
