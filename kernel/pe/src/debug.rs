//! The debug directory: where debuggers find what belongs to the image.

use nt_abi::NtResult;

use crate::bytes::{BAD, Fields, c_string, index};
use crate::headers::Directory;
use crate::image::Image;

/// Length of an entry.
const ENTRY: usize = 28;
/// Length of a CodeView record before the path.
const CODE_VIEW: usize = 24;

/// What kind of debugging information (`IMAGE_DEBUG_TYPE_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DebugType(pub u32);

impl DebugType {
    /// A symbol table in the file.
    pub const COFF: Self = Self(1);
    /// The name of a PDB file.
    pub const CODE_VIEW: Self = Self(2);
    /// Frame-pointer omission data.
    pub const FPO: Self = Self(3);
    /// A DBG file.
    pub const MISC: Self = Self(4);
    /// The image is reproducible, and its time stamps are hashes.
    pub const REPRO: Self = Self(16);
}

/// An entry of the debug directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DebugEntry {
    /// When it was made.
    pub time_date_stamp: u32,
    /// What it is.
    pub kind: DebugType,
    /// Its bytes.
    pub size: u32,
    /// Where it is in memory; 0 if only in the file.
    pub rva: u32,
    /// Where it is in the file.
    pub file_offset: u32,
}

/// Which PDB file belongs to the image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodeView<'a> {
    /// Its identity, as bytes of the file: the first three fields of the GUID are little endian.
    pub guid: [u8; 16],
    /// How often it was written.
    pub age: u32,
    /// Its path when it was linked.
    pub path: &'a [u8],
}

/// The debug directory.
#[derive(Clone, Copy, Debug)]
pub struct DebugDirectory<'a> {
    image: Image<'a>,
    table: &'a [u8],
}

impl<'a> Image<'a> {
    /// Its debug directory; empty if it has none.
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT`: the directory is not in the image.
    pub fn debug_directory(&self) -> NtResult<DebugDirectory<'a>> {
        let table = match self.directory(Directory::Debug) {
            Some(directory) if directory.size != 0 => self.directory_bytes(directory)?,
            _ => &[],
        };
        Ok(DebugDirectory {
            image: *self,
            table,
        })
    }
}

impl<'a> DebugDirectory<'a> {
    /// Its entries.
    pub fn iter(&self) -> impl Iterator<Item = DebugEntry> + use<'a> {
        self.table.chunks_exact(ENTRY).map(|entry| {
            let mut fields = Fields::new(entry);
            fields.skip(4);
            let time_date_stamp = fields.u32();
            fields.skip(4);
            DebugEntry {
                time_date_stamp,
                kind: DebugType(fields.u32()),
                size: fields.u32(),
                rva: fields.u32(),
                file_offset: fields.u32(),
            }
        })
    }

    /// The PDB file that belongs to the image, if it names one in memory and in the form of today (`RSDS`).
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT`: the record is damaged.
    pub fn code_view(&self) -> NtResult<Option<CodeView<'a>>> {
        let Some(entry) = self
            .iter()
            .find(|entry| entry.kind == DebugType::CODE_VIEW && entry.rva != 0)
        else {
            return Ok(None);
        };
        let record = self.image.at(entry.rva, index(entry.size)).ok_or(BAD)?;
        if !record.starts_with(b"RSDS") {
            return Ok(None);
        }
        let mut fields = Fields::new(record);
        fields.skip(20);
        let guid = record.get(4..).and_then(<[u8]>::first_chunk).ok_or(BAD)?;
        Ok(Some(CodeView {
            guid: *guid,
            age: fields.u32(),
            path: c_string(record.get(CODE_VIEW..).ok_or(BAD)?)?,
        }))
    }
}
