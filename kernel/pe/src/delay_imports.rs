//! Imports that are resolved when they are first used.
//!
//! The descriptors of linkers before 2003 hold addresses instead of offsets, and say so by a clear bit. Such an image may
//! have been relocated, so they are taken relative to the base that the header has now.

use nt_abi::NtResult;

use crate::bytes::{BAD, Fields};
use crate::headers::Directory;
use crate::image::{Image, advance};
use crate::imports::{Budget, ModuleImports};

/// Length of a descriptor.
const DESCRIPTOR: usize = 32;
/// The descriptor holds offsets, not addresses.
const RVA_BASED: u32 = 1;

/// A module that is loaded when it is first needed.
#[derive(Clone, Copy, Debug)]
pub struct DelayedModule<'a> {
    image: Image<'a>,
    /// Its name.
    pub name: &'a [u8],
    /// Where its module handle is kept; 0 if nowhere.
    pub module_handle_rva: u32,
    /// Where addresses go.
    pub address_rva: u32,
    /// Where it stands what is wanted.
    pub lookup_rva: u32,
    /// The addresses that it was bound to; 0 if it was not.
    pub bound_rva: u32,
    /// A copy of the address table as it was; 0 if there is none.
    pub unload_rva: u32,
    /// The stamp of the module that it was bound to.
    pub time_date_stamp: u32,
    absolute: bool,
}

/// The modules that an image loads when they are first needed.
#[derive(Clone, Debug)]
pub struct DelayImports<'a> {
    image: Image<'a>,
    next_rva: Option<u32>,
}

impl<'a> Image<'a> {
    /// The modules that it loads when they are first needed.
    ///
    /// # Errors
    /// As [`imports`](Self::imports).
    pub fn delay_imports(&self) -> NtResult<DelayImports<'a>> {
        let directory = self.directory(Directory::DelayImport);
        let imports = DelayImports {
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

impl<'a> Iterator for DelayImports<'a> {
    type Item = NtResult<DelayedModule<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let rva = self.next_rva.take()?;
        let module = read_descriptor(&self.image, rva).transpose()?;
        if module.is_ok() {
            self.next_rva = advance(rva, DESCRIPTOR).ok();
        }
        Some(module)
    }
}

/// The module at a descriptor; `None` at the end of the directory.
fn read_descriptor<'a>(image: &Image<'a>, rva: u32) -> NtResult<Option<DelayedModule<'a>>> {
    let mut fields = Fields::new(image.from_rva(rva).ok_or(BAD)?);
    let absolute = fields.u32() & RVA_BASED == 0;
    let mut place = || -> NtResult<u32> {
        let value = fields.u32();
        if absolute && value != 0 {
            image.rva_of(u64::from(value)).ok_or(BAD)
        } else {
            Ok(value)
        }
    };
    let name_rva = place()?;
    if name_rva == 0 {
        return Ok(None);
    }
    Ok(Some(DelayedModule {
        image: *image,
        name: image.string(name_rva)?,
        module_handle_rva: place()?,
        address_rva: place()?,
        lookup_rva: place()?,
        bound_rva: place()?,
        unload_rva: place()?,
        time_date_stamp: fields.u32(),
        absolute,
    }))
}

impl<'a> DelayedModule<'a> {
    /// What is wanted from it.
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT`: an old descriptor whose names are addresses; nothing but its own helper reads those.
    pub fn iter(&self) -> NtResult<ModuleImports<'a>> {
        if self.absolute || self.lookup_rva == 0 {
            return Err(BAD);
        }
        Ok(ModuleImports::new(
            &self.image,
            self.lookup_rva,
            self.address_rva,
        ))
    }
}
