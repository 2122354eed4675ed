//! What an image calls in others: modules, and for each a table of names or ordinals.
//!
//! NT ignores the directory's length; the list ends with an entry that is zero where it matters. Each module has two
//! tables: the lookup table says what is wanted, the address table is where addresses go. Old linkers (Borland's) wrote
//! the latter only, which then says what is wanted until it is overwritten.
//!
//! Tables of different modules never overlap in a real file. In a hostile one a million modules may share a table of a
//! million names, so all entries and names are counted once when the directory is opened, up to as many as the file has
//! room for; who reads all that is given out has linear work.

use nt_abi::NtResult;

use crate::bytes::{BAD, Fields, low16, low32};
use crate::headers::{Directory, Width};
use crate::image::{Image, advance};

/// Length of an entry of the directory.
const DESCRIPTOR: usize = 20;

/// What is wanted from another module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImportSymbol<'a> {
    /// The export with a number.
    Ordinal(u16),
    /// The export with a name.
    Name {
        /// Where it probably is in the table of names.
        hint: u16,
        /// The name.
        name: &'a [u8],
    },
}

/// One import.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Import<'a> {
    /// Where its address goes.
    pub slot_rva: u32,
    /// What it is.
    pub symbol: ImportSymbol<'a>,
}

/// A module and what is wanted from it.
#[derive(Clone, Copy, Debug)]
pub struct ImportedModule<'a> {
    image: Image<'a>,
    /// Its name.
    pub name: &'a [u8],
    /// 0, the stamp of the module that it was bound to, or `u32::MAX` for the bound imports' directory.
    pub time_date_stamp: u32,
    /// Which of the addresses is the first that goes through a forwarder, if bound.
    pub forwarder_chain: u32,
    /// Where it stands what is wanted.
    pub lookup_rva: u32,
    /// Where addresses go.
    pub address_rva: u32,
}

/// The modules that an image imports from.
#[derive(Clone, Debug)]
pub struct Imports<'a> {
    image: Image<'a>,
    next_rva: Option<u32>,
}

/// What is wanted from one module.
#[derive(Clone, Debug)]
pub struct ModuleImports<'a> {
    image: Image<'a>,
    lookup_rva: u32,
    slot_rva: u32,
    ended: bool,
}

impl<'a> Image<'a> {
    /// The modules that it imports from.
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT`: a table is not in the image, or tables overlap so much that they cannot be meant.
    pub fn imports(&self) -> NtResult<Imports<'a>> {
        let directory = self.directory(Directory::Import);
        let imports = Imports {
            image: *self,
            next_rva: directory.map(|found| found.rva),
        };
        let mut budget = Budget::new(self);
        for module in imports.clone() {
            let module = module?;
            budget.count_module(self, module.name, module.lookup_rva)?;
        }
        Ok(imports)
    }
}

impl<'a> Iterator for Imports<'a> {
    type Item = NtResult<ImportedModule<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let rva = self.next_rva.take()?;
        let module = read_descriptor(&self.image, rva).transpose()?;
        if module.is_ok() {
            self.next_rva = advance(rva, DESCRIPTOR).ok();
        }
        Some(module)
    }
}

/// The module at an entry of the directory; `None` at its end.
fn read_descriptor<'a>(image: &Image<'a>, rva: u32) -> NtResult<Option<ImportedModule<'a>>> {
    let mut fields = Fields::new(image.from_rva(rva).ok_or(BAD)?);
    let lookup_rva = fields.u32();
    let (time_date_stamp, forwarder_chain) = (fields.u32(), fields.u32());
    let (name_rva, address_rva) = (fields.u32(), fields.u32());
    if name_rva == 0 || address_rva == 0 {
        return Ok(None);
    }
    Ok(Some(ImportedModule {
        image: *image,
        name: image.string(name_rva)?,
        time_date_stamp,
        forwarder_chain,
        lookup_rva: if lookup_rva == 0 {
            address_rva
        } else {
            lookup_rva
        },
        address_rva,
    }))
}

impl<'a> ImportedModule<'a> {
    /// What is wanted from it.
    pub fn iter(&self) -> ModuleImports<'a> {
        ModuleImports::new(&self.image, self.lookup_rva, self.address_rva)
    }
}

impl<'a> ModuleImports<'a> {
    pub(crate) fn new(image: &Image<'a>, lookup_rva: u32, slot_rva: u32) -> Self {
        Self {
            image: *image,
            lookup_rva,
            slot_rva,
            ended: false,
        }
    }

    fn read(&mut self) -> NtResult<Option<Import<'a>>> {
        let width = self.image.headers().width;
        let bytes = self.image.from_rva(self.lookup_rva).ok_or(BAD)?;
        let thunk = self.image.pointer(bytes, 0).ok_or(BAD)?;
        if thunk == 0 {
            return Ok(None);
        }
        let import = Import {
            slot_rva: self.slot_rva,
            symbol: read_thunk(&self.image, thunk)?,
        };
        self.lookup_rva = advance(self.lookup_rva, width.pointer())?;
        self.slot_rva = advance(self.slot_rva, width.pointer())?;
        Ok(Some(import))
    }
}

impl<'a> Iterator for ModuleImports<'a> {
    type Item = NtResult<Import<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let import = self.read().transpose();
        self.ended = !matches!(import, Some(Ok(_)));
        import
    }
}

/// Reads what an entry of a lookup table says: the top bit tells an ordinal from the address of a name.
fn read_thunk<'a>(image: &Image<'a>, thunk: u64) -> NtResult<ImportSymbol<'a>> {
    let by_ordinal = match image.headers().width {
        Width::Pe32 => thunk >> 31 != 0,
        Width::Pe32Plus => thunk >> 63 != 0,
    };
    if by_ordinal {
        return Ok(ImportSymbol::Ordinal(low16(low32(thunk))));
    }
    let rva = u32::try_from(thunk).map_err(|_| BAD)?;
    Ok(ImportSymbol::Name {
        hint: image.u16(rva).ok_or(BAD)?,
        name: image.string(advance(rva, 2)?)?,
    })
}

/// How many bytes of tables and names are still believed.
pub(crate) struct Budget {
    bytes: usize,
}

impl Budget {
    /// Twice as many as there are: linkers share a name between tables now and then.
    pub(crate) fn new(image: &Image<'_>) -> Self {
        Self {
            bytes: image.bytes().len().saturating_mul(2),
        }
    }

    fn take(&mut self, bytes: usize) -> NtResult {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(BAD)?;
        Ok(())
    }

    /// Counts a module: its name, the entries of its table and their names. A damaged entry costs nothing, as whoever
    /// reads the table stops there.
    pub(crate) fn count_module(
        &mut self,
        image: &Image<'_>,
        name: &[u8],
        lookup_rva: u32,
    ) -> NtResult {
        let pointer = image.headers().width.pointer();
        self.take(name.len() + pointer)?;
        for import in ModuleImports::new(image, lookup_rva, lookup_rva) {
            let Ok(import) = import else { break };
            let length = match import.symbol {
                ImportSymbol::Ordinal(_) => 0,
                ImportSymbol::Name { name, .. } => name.len(),
            };
            self.take(length + pointer)?;
        }
        Ok(())
    }
}
