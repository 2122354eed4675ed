//! Undoing functions.
#![no_std]
#![forbid(unsafe_code)]
