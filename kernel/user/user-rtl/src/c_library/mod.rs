//! The part of C's library that ntdll has: characters, strings, numbers, searching and sorting, `scanf`.
//!
//! Functions of bytes and of units are one function over [`Unit`](crate::printf::Unit) each, exported twice. Those that end
//! with `_s` take the size of what they write to; Windows calls a handler for arguments that are not valid, which in ntdll
//! does nothing, and then they return an error.
//!
//! # NT
//! Documented with the C run-time library, and for what is C's own in its standard.

pub mod characters;
pub mod errno;
pub mod memory;
pub mod narrow;
pub mod numbers;
pub mod paths;
pub mod reals;
pub mod scanf;
pub mod secure;
pub mod sorting;
mod text;
pub mod wide;

use text::fold;
