//! The run-time library that ntdll exports: strings, numbers, tables, time, security, and the part of C's library that
//! ntdll has, as far as they need no more of the process than its heap.
//!
//! Each module is a group of exports, made with [`c_interface::exports!`]: an export is a thin function over safe code, most
//! of it in `rtl`, which the kernel uses too.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

pub mod addresses;
pub mod atoms;
pub mod avl;
pub mod avl_tables;
pub mod bitmaps;
pub mod bytes;
pub mod c_library;
pub mod checksums;
pub mod compression;
pub mod conversions;
pub mod environment;
pub mod errors;
pub mod generic_tables;
pub mod given;
pub mod guids;
pub mod handle_tables;
pub mod hash_tables;
pub mod large_integers;
pub mod math;
pub mod memory;
pub mod messages;
pub mod paths;
pub mod pointers;
pub mod printf;
pub mod process;
pub mod process_parameters;
pub mod random;
pub mod security;
pub mod splay;
pub mod strings;
pub mod threads;
pub mod time;
pub mod trace;
pub mod versions;
