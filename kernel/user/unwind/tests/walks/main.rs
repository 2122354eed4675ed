//! Searching handlers and unwinding to them, on scripted stacks of both machines.
//!
//! What is expected is what the documents say of the algorithm: "x64 exception handling" (Microsoft), "Programming against
//! the x64 exception handling support" (Skywing), and the meaning of the flags in `winnt.h`.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]
#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers of a test are small"
)]

#[path = "../support/mod.rs"]
mod support;

/// A test of each machine.
macro_rules! on_both {
    ($($(#[$doc:meta])* fn $name:ident;)*) => {
        mod x64 { $(#[test] fn $name() { super::$name::<super::Amd64>(); })* }
        mod arm64 { $(#[test] fn $name() { super::$name::<super::Arm64>(); })* }
    };
}

mod scopes;
mod scripts;
mod searches;
mod unwinds;
