//! The part of C's library that ntdll has: characters, strings, numbers, searching and sorting, `scanf`.
//!
//! The functions that end with `_s` take the size of what they write to. Windows calls a handler for arguments that are not
//! valid, and goes on to return an error; ntdll's handler does nothing.
//!
//! # NT
//! Documented with the C run-time library, and for what is C's own in its standard.

pub mod errno;
