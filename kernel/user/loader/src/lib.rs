//! What brings DLLs into a process: the `Ldr` family of ntdll as logic without a system underneath.
//!
//! - **The modules are Windows'.** Entries, lists, trees and the graph of dependencies lie in memory of the process, in
//!   the structures that programs and debuggers walk. The loader has no second copy: what it knows of a module stands
//!   in the module's entry or behind it, so there is nothing to keep in step.
//! - **Nothing is borrowed while somebody else runs.** Entry points, TLS callbacks and notification functions call the
//!   loader again, from the middle of a load or an unload. State is read and written field by field, and each
//!   operation is either over or in a state that a nested one understands when a callback is made.
//! - **A load succeeds as a whole or leaves nothing.** Mapping and import resolution call nobody, so they can
//!   be undone to the last list entry; entry points come after.
//! - **Everything in a file is an allegation.** Places are checked against what can be read of the image.
//! - **The world is a trait.** Mapping, calling, locking, memory of the heap and errors to be shown are [`System`]'s.
//!
//! [`Loader`] is the way in. Its methods are the exports of ntdll with arguments of Rust's; the names are under their NT
//! names in the documentation (search for `LdrLoadDll`).
//!
//! # Locks
//! The loader lock comes first and is held over callbacks, as programs know it. The lock of the module lists comes second,
//! is held while they change or are looked at by those who do not hold the loader lock, and never over a call.
#![no_std]
#![forbid(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "addresses of a process have the width of its `usize`, and sizes of structures fit 32 bits"
)]

extern crate alloc;

pub mod api_set;
mod code_images;
mod cookie;
mod data;
mod delay;
mod directories;
mod dynamic_functions;
mod exports;
mod forwarders;
mod graph;
mod handles;
mod images;
mod initialize;
mod list;
mod load;
mod loader;
mod mapping;
mod module;
mod names;
mod notifications;
mod number;
mod procedures;
mod process;
pub mod rb_tree;
mod registry;
mod resources;
mod search;
mod snap;
mod symbols;
mod system;
mod threads;
mod tls;
mod unload;
mod view;
mod writing;

pub use code_images::CodeImage;
pub use delay::DelayHooks;
pub use dynamic_functions::{DynamicFunctions, NewFunctionTable};
pub use handles::{HandleReference, LockOutcome};
pub use images::{Layout, image_directory, image_nt_header, image_rva_to_section, image_rva_to_va};
pub use load::{LoadFlags, SearchPath};
pub use loader::Loader;
pub use procedures::Procedure;
pub use process::ProcessImages;
pub use resources::{ResourceName, ResourcePath};
pub use system::{ImageSource, LoadFailure, MappedImage, System, WellKnownDirectory};
