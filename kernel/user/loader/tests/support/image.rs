//! Writes DLLs to order, for x64 or x86: with the addresses that the test itself has.
//!
//! Sections: `.text` at 0x1000, `.rdata` with all tables, `.data`, and `.reloc`, each as long as it needs to be. The code is
//! never run; entry points and callbacks are addresses that the process's script knows.

mod writer;

use writer::Writer;

/// Bytes of an address.
pub(crate) const POINTER: usize = size_of::<usize>();
/// Whether addresses have 64 bits.
pub(crate) const WIDE: bool = POINTER == 8;
/// The cookie that compilers write.
pub(crate) const DEFAULT_COOKIE: u64 = if WIDE { 0x2B99_2DDF_A232 } else { 0xBB40_E64E };
const NT_OFFSET: usize = 0x80;
const PAGE: usize = 0x1000;
/// Where code is.
pub(crate) const TEXT: u32 = 0x1000;
/// Where the entry point is.
pub(crate) const ENTRY: u32 = 0x1010;
/// Where the TLS callbacks are, 16 bytes apart.
pub(crate) const CALLBACKS: u32 = 0x1800;
/// Where the functions that are exported begin, 16 bytes apart, in the order of [`Dll::exports`].
pub(crate) const FUNCTIONS: u32 = 0x2000;

/// What an export is.
#[derive(Clone, Debug)]
pub(crate) enum Export {
    /// Code.
    Code,
    /// Another module's export: `MODULE.name`.
    Forward(String),
    /// An ordinal without an address.
    Empty,
}

/// What is wanted of another module.
#[derive(Clone, Debug)]
pub(crate) enum Import {
    /// A name, with a hint.
    Name(String, u16),
    /// A number.
    Ordinal(u16),
}

/// Static TLS.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tls {
    pub(crate) template: Vec<u8>,
    pub(crate) zero_fill: u32,
    /// As for sections: 0 unsaid, else the power of two plus one.
    pub(crate) alignment_bits: u32,
    pub(crate) callbacks: u32,
}

/// A module whose imports are resolved late, and the names.
pub(crate) type Delayed = (String, Vec<Import>);

/// A DLL to write.
#[derive(Clone, Debug)]
pub(crate) struct Dll {
    pub(crate) name: String,
    /// Names and what they are, by ordinal from `ordinal_base`; an empty name is none.
    pub(crate) exports: Vec<(String, Export)>,
    pub(crate) ordinal_base: u32,
    pub(crate) imports: Vec<(String, Vec<Import>)>,
    pub(crate) delayed: Vec<Delayed>,
    pub(crate) tls: Option<Tls>,
    /// The security cookie that it brings.
    pub(crate) cookie: Option<u64>,
    pub(crate) entry: bool,
    pub(crate) is_dll: bool,
    pub(crate) base: u64,
    pub(crate) relocatable: bool,
    pub(crate) subsystem: u16,
    pub(crate) machine: u16,
    /// Whether there is a directory that says where all address tables are.
    pub(crate) address_table: bool,
    /// Whether there is a lookup table beside the address table.
    pub(crate) lookup_table: bool,
    /// What bound imports say of when the others were linked; 0 if not bound.
    pub(crate) bound: u32,
    pub(crate) time_date_stamp: u32,
    /// Bytes of a resource tree, whose addresses are relative to the tree and need no fixing, but for the data's.
    pub(crate) resources: Vec<u8>,
    /// Begin, end and unwind data of functions.
    pub(crate) functions: Vec<(u32, u32, u32)>,
}

impl Dll {
    /// A DLL that imports and exports nothing.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            exports: Vec::new(),
            ordinal_base: 1,
            imports: Vec::new(),
            delayed: Vec::new(),
            tls: None,
            cookie: None,
            entry: true,
            is_dll: true,
            base: if WIDE { 0x1_8000_0000 } else { 0x1000_0000 },
            relocatable: true,
            subsystem: 3,
            machine: if WIDE { 0x8664 } else { 0x14C },
            address_table: true,
            lookup_table: true,
            bound: 0,
            time_date_stamp: 0x6000_0000,
            resources: Vec::new(),
            functions: Vec::new(),
        }
    }

    /// A program.
    pub(crate) fn program(name: &str) -> Self {
        Self {
            is_dll: false,
            base: if WIDE { 0x1_4000_0000 } else { 0x40_0000 },
            ..Self::new(name)
        }
    }

    /// It exports code under these names.
    pub(crate) fn exporting(mut self, names: &[&str]) -> Self {
        for name in names {
            self.exports.push(((*name).to_owned(), Export::Code));
        }
        self
    }

    /// It forwards a name to another module's export.
    pub(crate) fn forwarding(mut self, name: &str, to: &str) -> Self {
        let target = Export::Forward(to.to_owned());
        self.exports.push((name.to_owned(), target));
        self
    }

    /// It imports names from another module.
    pub(crate) fn importing(mut self, module: &str, names: &[&str]) -> Self {
        let wanted = names
            .iter()
            .map(|name| match name.strip_prefix('#') {
                Some(number) => Import::Ordinal(number.parse().unwrap()),
                None => Import::Name((*name).to_owned(), 0),
            })
            .collect();
        self.imports.push((module.to_owned(), wanted));
        self
    }

    /// It imports names late.
    pub(crate) fn delaying(mut self, module: &str, names: &[&str]) -> Self {
        let wanted = names
            .iter()
            .map(|name| Import::Name((*name).to_owned(), 0))
            .collect();
        self.delayed.push((module.to_owned(), wanted));
        self
    }

    /// It has static TLS.
    pub(crate) fn with_tls(mut self, template: &[u8], zero_fill: u32, callbacks: u32) -> Self {
        self.tls = Some(Tls {
            template: template.to_vec(),
            zero_fill,
            alignment_bits: 0,
            callbacks,
        });
        self
    }

    /// It has no entry point.
    pub(crate) fn without_entry(mut self) -> Self {
        self.entry = false;
        self
    }

    /// Where the code of an export is.
    pub(crate) fn address_of(&self, name: &str) -> u32 {
        let number = self.exports.iter().position(|(own, _)| own == name);
        FUNCTIONS + 16 * u32::try_from(number.unwrap()).unwrap()
    }

    /// The file.
    pub(crate) fn build(&self) -> Built {
        [0x2000, 0x8000, 0x2_0000, 0x10_0000, 0x40_0000]
            .into_iter()
            .find_map(|room| Writer::new(self, room).build())
            .expect("the tables are too long")
    }
}

/// A file, and where things are in it.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    pub(crate) file: Vec<u8>,
    /// The first slot of each import table.
    pub(crate) slots: Vec<u32>,
    /// The delay-load descriptors.
    pub(crate) delay_directory: u32,
    /// The first slot of each table of delayed imports, and where the module's handle goes.
    pub(crate) delayed_slots: Vec<(u32, u32)>,
    /// Where the TLS index goes.
    pub(crate) tls_index: u32,
    /// Where the security cookie is.
    pub(crate) cookie: u32,
}
