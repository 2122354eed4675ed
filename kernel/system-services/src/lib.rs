//! The system services: what user mode calls.
//!
//! A thread of a process spends its life in [`user_mode`](mod@user_mode): it runs user mode until
//! that wants something, and does it. What it wants most is a service. The table in
//! `nt-abi` says which there are; here each has a function, in the module of the
//! component that it belongs to. A function redeems its arguments (handles by `ob`,
//! addresses by `capture`), calls the component, and gives a status.
//!
//! | module in `services` | services |
//! |---|---|
//! | `ex` | events, mutants, semaphores, timers, keyed events; time; atoms, identifiers, locales; text on the console |
//! | `io` | completion ports |
//! | `ke` | yielding, processors |
//! | `mm` | virtual memory |
//! | `ob` | handles, waits |
//! | `se` | tokens, access checks |
//! | `ps` | processes and threads |
//!
//! # Differs
//! NT keeps each component's services with the component. They are apart here
//! because most need two components that may not know each other: a handle names a
//! process (`ob`, `ps`) whose memory (`mm`) is meant.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod caller;
mod capture;
mod dispatch;
mod exceptions;
mod information;
mod numbers;
mod object_types;
mod services;
mod shared_data;
mod thread_context;
mod trace;
mod user_apcs;
pub mod user_mode;

pub use caller::Caller;

use nt_abi::NtResult;

/// Whether each service that user mode calls is shown on the console.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trace {
    /// None is.
    Off,
    /// Each is.
    On,
}

/// Registers the types of objects that services make, and the loop of user threads.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES`.
pub fn initialize(trace: Trace) -> NtResult {
    object_types::register()?;
    shared_data::initialize()?;
    services::ex::make_system_keyed_event()?;
    ps::thread::set_end_observer(|thread| services::ex::thread_ended(thread));
    ps::job::port::set_sender(services::ps::send_message);
    user_mode::initialize(trace);
    Ok(())
}
