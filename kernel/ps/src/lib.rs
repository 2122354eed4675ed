//! Processes and threads: what ties the executive's parts together.
//!
//! A process is an object whose body holds an address space, a handle table, a
//! token and the scheduler's process; a thread is an object whose body holds the
//! scheduler's thread. Both have a client id, unique while they live.
//!
//! | module | NT's names |
//! |---|---|
//! | [`process`] | `EPROCESS`, `PspCreateProcess`, `PspExitProcess` |
//! | [`thread`] | `ETHREAD`, `PspCreateThread`, `PspExitThread` |
//! | [`client_id`] | `PspCidTable`, `PsLookupProcessByProcessId` |
//! | [`environment`] | `MmCreatePeb`, `MmCreateTeb`, process parameters |
//! | [`user_stack`] | `RtlCreateUserStack` |
//! | [`token`] | `TOKEN`, `SeTokenObjectType`, `PsImpersonateClient` |
//! | [`image`] | how a program comes into an address space |
//! | [`job`] | `EJOB`, `PsJobType` |
//! | [`quota`] | `EPROCESS_QUOTA_BLOCK`, `PspDefaultPagedLimit` |
//! | `precedence` | priority classes and processors, and what jobs say of them |
//! | [`settings`] | what is set of processes and threads |
//!
//! What a thread does in user mode, and the services that it calls there, is the
//! business of `system-services`, which names its loop by [`thread::set_user_mode`].
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod client_id;
pub mod environment;
pub mod image;
pub mod job;
mod precedence;
pub mod process;
pub mod quota;
pub mod settings;
pub mod thread;
pub mod token;
pub mod user_stack;

pub use job::Job;
pub use process::Process;
pub use thread::Thread;

use nt_abi::NtResult;

/// Registers the types of this component.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES`.
#[doc(alias = "PsInitSystem")]
pub fn initialize() -> NtResult {
    ob::register_type(&token::TOKEN)?;
    ob::register_type(&process::PROCESS)?;
    ob::register_type(&thread::THREAD)?;
    ob::register_type(&job::JOB)
}
