//! The executive's own locks under every order of memory that the language allows.
//!
//! A machine shows only the orders that its processors, or the emulator's host, happen to give. `loom` plays each test again
//! for every way in which threads can take turns and every older value that a load may still see, so a lock that needs a
//! stronger order than it asks for fails here whatever the host is. What is tried is the kernel's own source: the files of
//! `ex` are compiled into this crate, and find here, under the names that they ask for, `loom`'s atomics and a
//! model of the layer below them.
//!
//! | module | is |
//! |---|---|
//! | `raw_lock` | `kernel/ex/src/raw_lock.rs`: what push locks, resources and mutexes stand on |
//! | `rundown` | `kernel/ex/src/rundown.rs` |
//! | `sync` | the atomics that these files ask `core` for |
//! | `keyed`, `wait` | waits by key: what `ke` promises of them, in its simplest form |
//!
//! The two spin locks are not among them: their algorithm is that of the crate `spin`, and a copy of it here would show
//! nothing of what is compiled into the kernel. They run on processors, in the litmus tests of the test kernel.
//!
//! # Limits
//! `loom` knows acquire, release and fences in full, and treats a load that is sequentially consistent as an acquire
//! only, which errs to the side of failing. Two threads take a turn each, interrupted at most three times where they would not wait
//! anyway: more takes hours.
#![cfg(test)]
#![forbid(unsafe_code)]

// The files of `ex` name these crates; here they are modules of this one.
extern crate self as arch;
extern crate self as core;
extern crate self as ke;
extern crate self as nt_abi;

#[path = "../../../kernel/ex/src/raw_lock.rs"]
#[allow(
    dead_code,
    reason = "the file is the kernel's, and a model uses a part of it"
)]
mod raw_lock;
#[path = "../../../kernel/ex/src/rundown.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "the file is the kernel's, where others see it, and a model uses a part of it"
)]
mod rundown;

mod locks;

// `loom`'s own macros ask `core` for these.
pub use std::{marker, ops};

pub mod contract;
pub mod keyed;
pub mod ptr;
pub mod sync;
mod user;
pub mod wait;

/// What the files ask of the machine: to let others go on.
pub struct Machine;

/// A status, of which the files know one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NtStatus(u32);

impl NtStatus {
    /// It is done.
    pub const SUCCESS: Self = Self(0);
}
