//! The run-time library: algorithms and formats that need no kernel.
//!
//! Everything here is pure and tested by plain `cargo test`. What needs memory asks for it fallibly: a container
//! that cannot grow says [`NoMemory`] and is as it was.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod bitmap;
pub mod bits;
pub mod code_page;
pub mod compression;
pub mod cpio;
pub mod crc;
pub mod digest;
pub mod dos_error;
pub mod dos_path;
pub mod environment;
pub mod id_table;
pub mod interval_tree;
mod memory;
pub mod numerals;
mod random;
mod ring;
pub mod security;
pub mod short_name;
pub mod symbols;
pub mod time;
pub mod utf16;
pub mod utf8;
pub mod wildcard;

pub use bitmap::Bitmap;
pub use id_table::IdTable;
pub use interval_tree::IntervalTree;
pub use memory::NoMemory;
pub use random::Random;
pub use ring::Ring;
pub use time::{Time, TimeFields};
pub use utf16::{Case, Utf16Str, Utf16String};
