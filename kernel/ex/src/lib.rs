//! The executive: what the other components share.
//!
//! So far the [`pool`]: memory of any size, counted by tag, whose every request
//! may be refused with a status.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod pool;
