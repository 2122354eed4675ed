//! The PE/COFF reader: headers, sections, relocations, imports, exports, resources, unwind data.
//!
//! A program file comes from anybody, so everything in it is an allegation:
//!
//! - **No number is believed.** Every offset, count and length is checked against the bytes that are there; arithmetic
//!   on them is checked or wraps on purpose. Nothing here panics, whatever the bytes are.
//! - **Work is linear in the file.** Tables that may overlap are counted before they are given out, searches are binary,
//!   chains have a limit, nothing recurses.
//! - **The status is NT's.** A file that is refused gets the status that Windows gives for it, since programs look at it.
//! - **Nothing is allocated**, but the index of relocations, which says if there is no memory.
//!
//! [`Image`] is the way in. It reads a file as it lies on the disk ([`Image::from_file`]) or an image that is mapped
//! ([`Image::from_mapped`]); everything else is a method of it and gives the same answers in both views. An address in an
//! image (an RVA, relative to the image's base) is a `u32` whose name ends in `rva`.
//!
//! The format is that of Microsoft's "PE Format" and of the documents on x64 and ARM64 exception handling. What NT makes
//! of a field where those are silent is said where it is done.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod bound_imports;
mod bytes;
mod check;
mod checksum;
mod debug;
mod delay_imports;
mod exports;
mod flags;
mod headers;
mod image;
mod imports;
mod load_config;
mod mapping;
mod relocation_index;
mod relocations;
mod resources;
mod sections;
mod tls;
pub mod unwind_arm;
pub mod unwind_arm64;
pub mod unwind_x64;

pub use bound_imports::{BoundImport, BoundImports};
pub use bytes::MAX_NAME;
pub use checksum::{checksum, verify_checksum};
pub use debug::{CodeView, DebugDirectory, DebugEntry, DebugType};
pub use delay_imports::{DelayImports, DelayedModule};
pub use exports::{Export, ExportTarget, ExportedNames, Exports, Forwarder, ForwarderSymbol};
pub use flags::{DllCharacteristics, FileCharacteristics, GuardFlags, SectionCharacteristics};
pub use headers::{
    DataDirectory, Directory, FileRange, Headers, Machine, Subsystem, Version, Width,
};
pub use image::{Image, ImageBytes};
pub use imports::{Import, ImportSymbol, ImportedModule, Imports, ModuleImports};
pub use load_config::{LoadConfig, RvaTable};
pub use mapping::{PAGE_SIZE, PageProtection, Subsection, Subsections};
pub use relocation_index::RelocationIndex;
pub use relocations::{
    Relocation, RelocationBlock, RelocationBlocks, RelocationKind, Relocations, relocate_in_place,
};
pub use resources::{
    Language, ResourceData, ResourceDirectory, ResourceEntry, ResourceId, ResourceNode,
};
pub use sections::{Section, Sections};
pub use tls::{Tls, TlsCallbacks};
