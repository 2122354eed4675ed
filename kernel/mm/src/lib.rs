//! The memory manager: which page of memory is used for what.
//!
//! | module | what |
//! |---|---|
//! | [`frames`] | the allocator of page frames |
//! | [`KernelStack`] | stacks between two pages that stay unmapped |
//! | [`pool_growth`](initialize) | memory for the pools of `ex`, by need |
//! | [`self_check`] | no page of the kernel is writable and executable |
//!
//! Address spaces, VADs and sections are not here yet.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

pub mod frames;
mod kernel_stack;
mod pool_growth;
pub mod self_check;

pub use kernel_stack::KernelStack;

use nt_abi::NtResult;

/// Takes over what the floor knows of memory: frames first, then the pools' growth.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES` if there is not even memory to keep track of memory.
#[doc(alias = "MmInitSystem")]
pub fn initialize() -> NtResult {
    frames::initialize()?;
    pool_growth::initialize();
    Ok(())
}
