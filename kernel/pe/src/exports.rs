//! What an image offers to others: a table of addresses by ordinal, and a sorted table of names that leads into it.
//!
//! An address inside the export directory itself is no address but a text, `MODULE.Name` or `MODULE.#ordinal`: the export
//! is another module's.

use core::cmp::Ordering;

use nt_abi::{NtResult, NtStatus};

use crate::bytes::{BAD, Fields, index, low32};
use crate::headers::{DataDirectory, Directory};
use crate::image::{Image, advance};

/// Length of the directory's header.
const HEADER: usize = 40;

/// The exports of an image.
#[derive(Clone, Copy, Debug)]
pub struct Exports<'a> {
    image: Image<'a>,
    directory: DataDirectory,
    /// The name that the module was linked under.
    pub module_name: &'a [u8],
    /// When it was linked.
    pub time_date_stamp: u32,
    /// The ordinal of the first address.
    pub ordinal_base: u32,
    functions: &'a [u8],
    names: &'a [u8],
    name_ordinals: &'a [u8],
}

/// Which export another module's export stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ForwarderSymbol<'a> {
    /// The one with a name.
    Name(&'a [u8]),
    /// The one with a number.
    Ordinal(u32),
}

/// An export that is another module's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Forwarder<'a> {
    /// The module, without `.dll`.
    pub module: &'a [u8],
    /// What in it.
    pub symbol: ForwarderSymbol<'a>,
}

/// What an export leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExportTarget<'a> {
    /// Code or data of the image.
    Address(u32),
    /// Another module's export.
    Forwarder(Forwarder<'a>),
}

/// An export.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Export<'a> {
    /// Its number.
    pub ordinal: u32,
    /// What it leads to.
    pub target: ExportTarget<'a>,
}

impl<'a> Image<'a> {
    /// What it exports; `None` if it has no export directory.
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT`: a table is not in the image.
    pub fn exports(&self) -> NtResult<Option<Exports<'a>>> {
        let Some(directory) = self.directory(Directory::Export) else {
            return Ok(None);
        };
        let mut fields = Fields::new(self.at(directory.rva, HEADER).ok_or(BAD)?);
        fields.skip(4);
        let time_date_stamp = fields.u32();
        fields.skip(4);
        let (name_rva, ordinal_base) = (fields.u32(), fields.u32());
        let (functions, names) = (fields.u32(), fields.u32());
        let table = |rva: u32, count: u32, entry: usize| -> NtResult<&'a [u8]> {
            if count == 0 {
                return Ok(&[]);
            }
            let length = index(count).checked_mul(entry).ok_or(BAD)?;
            self.at(rva, length).ok_or(BAD)
        };
        Ok(Some(Exports {
            image: *self,
            directory,
            module_name: if name_rva == 0 {
                &[]
            } else {
                self.string(name_rva)?
            },
            time_date_stamp,
            ordinal_base,
            functions: table(fields.u32(), functions, 4)?,
            names: table(fields.u32(), names, 4)?,
            name_ordinals: table(fields.u32(), names, 2)?,
        }))
    }
}

impl<'a> Exports<'a> {
    /// The number of addresses, of which some may be empty.
    pub fn count(&self) -> usize {
        self.functions.len() / 4
    }

    /// The number of names.
    pub fn name_count(&self) -> usize {
        self.names.len() / 4
    }

    /// Finds an export by its name. `hint` is where the name probably is in the table.
    ///
    /// # NT
    /// A binary search for the bytes of the name; in a table that is not sorted some names are not found.
    ///
    /// # Errors
    /// - `ENTRYPOINT_NOT_FOUND`: there is no such name, or it has no address.
    /// - `INVALID_IMAGE_FORMAT`: the table is damaged.
    pub fn by_name(&self, name: &[u8], hint: Option<u16>) -> NtResult<Export<'a>> {
        let missing = NtStatus::ENTRYPOINT_NOT_FOUND;
        let hinted = hint.map(usize::from).filter(|hint| {
            *hint < self.name_count() && self.compare(*hint, name) == Ok(Ordering::Equal)
        });
        let number = match hinted {
            Some(number) => number,
            None => self.search(name)?.ok_or(missing)?,
        };
        let function = self.function_of_name(number)?;
        self.function(function)?.ok_or(missing)
    }

    /// Finds an export by its number.
    ///
    /// # Errors
    /// - `ORDINAL_NOT_FOUND`: there is no such number, or it has no address.
    /// - `INVALID_IMAGE_FORMAT`: a forwarder is damaged.
    pub fn by_ordinal(&self, ordinal: u32) -> NtResult<Export<'a>> {
        let missing = NtStatus::ORDINAL_NOT_FOUND;
        let number = ordinal.checked_sub(self.ordinal_base).ok_or(missing)?;
        if index(number) >= self.count() {
            return Err(missing);
        }
        self.function(number)?.ok_or(missing)
    }

    /// Every export by number; numbers without an address are left out. Texts of forwarders may overlap in a hostile file,
    /// so each may be as long as [`MAX_NAME`](crate::MAX_NAME).
    pub fn iter(&self) -> impl Iterator<Item = NtResult<Export<'a>>> + use<'a> {
        let exports = *self;
        let count = u32::try_from(self.count()).unwrap_or(u32::MAX);
        (0..count).filter_map(move |number| exports.function(number).transpose())
    }

    /// Every name with the number of its export. Names may overlap in a hostile file, so each may be as long as
    /// [`MAX_NAME`](crate::MAX_NAME).
    pub fn names(&self) -> ExportedNames<'a> {
        ExportedNames {
            exports: *self,
            next: 0,
        }
    }

    /// What the number stands for, counted from 0; `None` for an empty place.
    fn function(&self, number: u32) -> NtResult<Option<Export<'a>>> {
        let rva =
            crate::bytes::u32_at(self.functions, index(number).saturating_mul(4)).ok_or(BAD)?;
        if rva == 0 {
            return Ok(None);
        }
        let inside = rva
            .checked_sub(self.directory.rva)
            .is_some_and(|offset| offset < self.directory.size);
        let target = if inside {
            ExportTarget::Forwarder(read_forwarder(self.image.string(rva)?)?)
        } else {
            ExportTarget::Address(rva)
        };
        Ok(Some(Export {
            ordinal: self.ordinal_base.wrapping_add(number),
            target,
        }))
    }

    fn name_rva(&self, number: usize) -> NtResult<u32> {
        crate::bytes::u32_at(self.names, number.saturating_mul(4)).ok_or(BAD)
    }

    fn function_of_name(&self, number: usize) -> NtResult<u32> {
        crate::bytes::u16_at(self.name_ordinals, number.saturating_mul(2))
            .map(u32::from)
            .ok_or(BAD)
    }

    /// How a name of the table compares with another. Only as much of it is read as the other has: without that a search
    /// would cost more, the longer the table's names are.
    fn compare(&self, number: usize, name: &[u8]) -> NtResult<Ordering> {
        let found = self.image.from_rva(self.name_rva(number)?).ok_or(BAD)?;
        let found = found.get(..=name.len()).unwrap_or(found);
        let length = found.iter().position(|byte| *byte == 0);
        let found = found.get(..length.unwrap_or(found.len())).ok_or(BAD)?;
        Ok(found.cmp(name))
    }

    fn search(&self, name: &[u8]) -> NtResult<Option<usize>> {
        let (mut low, mut high) = (0, self.name_count());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.compare(middle, name)? {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Ok(Some(middle)),
            }
        }
        Ok(None)
    }

    /// Where the address of an export stands, for those who replace it; `None` if there is no such number.
    pub fn slot_rva(&self, ordinal: u32) -> Option<u32> {
        let number = ordinal.checked_sub(self.ordinal_base)?;
        let header = self.image.from_rva(self.directory.rva)?;
        let functions_rva = crate::bytes::u32_at(header, 28)?;
        let slot = index(number).checked_mul(4)?;
        (slot < self.functions.len()).then(|| advance(functions_rva, slot).ok())?
    }
}

/// The names of an export directory, in its order, each with the ordinal of its export.
#[derive(Clone, Debug)]
pub struct ExportedNames<'a> {
    exports: Exports<'a>,
    next: usize,
}

impl<'a> Iterator for ExportedNames<'a> {
    type Item = NtResult<(&'a [u8], u32)>;

    fn next(&mut self) -> Option<Self::Item> {
        let number = self.next;
        if number >= self.exports.name_count() {
            return None;
        }
        self.next += 1;
        let read = || {
            let name = self.exports.image.string(self.exports.name_rva(number)?)?;
            let function = self.exports.function_of_name(number)?;
            Ok((name, self.exports.ordinal_base.wrapping_add(function)))
        };
        Some(read())
    }
}

/// Takes a forwarder's text apart. The module may have dots of its own, so the last one parts it from the name.
fn read_forwarder(text: &[u8]) -> NtResult<Forwarder<'_>> {
    let dot = text.iter().rposition(|byte| *byte == b'.').ok_or(BAD)?;
    let (module, rest) = text.split_at(dot);
    let symbol = match rest.get(1..).ok_or(BAD)? {
        [b'#', digits @ ..] => ForwarderSymbol::Ordinal(read_decimal(digits)?),
        [] => return Err(BAD),
        name => ForwarderSymbol::Name(name),
    };
    Ok(Forwarder { module, symbol })
}

fn read_decimal(digits: &[u8]) -> NtResult<u32> {
    let mut value = 0_u64;
    for digit in digits {
        if !digit.is_ascii_digit() || value > u64::from(u32::MAX) {
            return Err(BAD);
        }
        value = value * 10 + u64::from(digit - b'0');
    }
    if digits.is_empty() || value > u64::from(u32::MAX) {
        return Err(BAD);
    }
    Ok(low32(value))
}
