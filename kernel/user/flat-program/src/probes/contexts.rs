//! Contexts that a program should not get away with: what it asks for, and what it may have of it.

#[cfg(target_arch = "aarch64")]
#[path = "contexts_aarch64.rs"]
mod machine;
#[cfg(target_arch = "x86_64")]
#[path = "contexts_x86_64.rs"]
mod machine;

use nt_abi::NtStatus;

pub use machine::{
    BAD_PLACES, BAD_STACKS, FOREIGN_FLAGS, SPOILED, fill_general, fill_vectors, has_first_vectors,
    pc, same_general, same_vectors, set_flags, with_general, with_vectors,
};

use stubs::Context;

/// A change to a context that user mode may not make, with which a thread must still run as if it had not been made.
#[derive(Clone, Copy)]
pub struct Spoiled {
    /// What it is.
    pub name: &'static str,
    /// Makes the change.
    pub spoil: fn(&mut Context),
    /// Whether the thread's context, read after it was set, has nothing of it that it must not have.
    pub is_mended: fn(before: &Context, after: &Context) -> bool,
}

/// A place where no thread can go on.
#[derive(Clone, Copy)]
pub struct BadPlace {
    /// What it is.
    pub name: &'static str,
    /// Makes the change.
    pub spoil: fn(&mut Context),
    /// The exception that the thread meets there.
    pub code: NtStatus,
}
