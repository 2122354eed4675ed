//! The memory manager: which page of memory is used for what.
//!
//! A program's view is [`AddressSpace`]: ranges of addresses that are reserved, committed, protected, mapped. What is
//! behind them is frames of RAM ([`frames`]), brought in when they are touched ([`fault`]).
//!
//! | module | what |
//! |---|---|
//! | [`frames`] | the database of page frames |
//! | [`address_space`] | what a process's addresses are; the services on them |
//! | `vad`, `pte`, [`Protection`] | a range, a page that is not shown, what may be done with it |
//! | [`fault`] | page faults |
//! | [`section`] | memory that several processes may see |
//! | [`commit`] | promises of memory |
//! | [`paging`], [`modified_writer`] | the paging file, and who writes to it |
//! | `working_set`, [`balance`] | which pages leave memory when it is short |
//! | [`system_threads`] | who does that, and zeroes and writes pages ahead of need |
//! | [`shared_data`] | the page that every process sees |
//! | [`statistics`] | what was done, what there is |
//! | [`KernelStack`] | stacks between two pages that stay unmapped |
//! | [`pool_growth`] | memory for the pools of `ex`, by need, up to a limit |
//! | [`self_check`] | no page of the kernel is writable and executable |
//!
//! # Locks
//! Outermost first: an address space's, a control area's, the frames' (a spin lock), the paging file's places (a spin
//! lock). No lock is held where user memory is accessed.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod address_space;
pub mod balance;
pub mod commit;
pub mod fault;
pub mod frames;
mod kernel_stack;
mod lock;
pub mod modified_writer;
pub mod paging;
pub mod pool_growth;
mod protection;
mod pte;
pub mod section;
pub mod self_check;
pub mod shared_data;
mod slots;
pub mod statistics;
pub mod system_threads;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod vad;
mod working_set;

pub use address_space::{AddressSpace, AddressSpaceHandle, SpaceOptions};
pub use fault::{CurrentProcess, FaultOutcome, UserStack, resolve, set_current_process};
pub use kernel_stack::KernelStack;
pub use protection::Protection;
pub use section::Section;

use nt_abi::NtResult;

/// Takes over what the floor knows of memory: frames first, then the pools' growth.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES` if there is not even memory to keep track of memory.
#[doc(alias = "MmInitSystem")]
pub fn initialize() -> NtResult {
    frames::initialize()?;
    pool_growth::initialize();
    kernel_stack::register();
    shared_data::initialize()
}
