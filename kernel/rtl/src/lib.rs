//! The run-time library: algorithms and formats that need no kernel.
//!
//! Everything here is pure and tested by plain `cargo test`.
#![no_std]
#![forbid(unsafe_code)]

mod bitmap;
mod ring;
pub mod symbols;

pub use bitmap::Bitmap;
pub use ring::Ring;
