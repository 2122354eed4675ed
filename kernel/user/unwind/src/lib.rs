//! Undoing functions: stack frames from unwind data, the search for handlers, the unwind to one of them.
//!
//! Everything that ntdll knows of exceptions and that is not an instruction of a machine is here, as pure logic:
//!
//! - **Undoing one function** ([`amd64::virtual_unwind`], [`arm64::virtual_unwind`],
//!   [`arm::virtual_unwind`]): given registers and where control left
//!   a function, the registers of its caller at the call (`RtlVirtualUnwind`).
//! - **Searching a handler and unwinding to it** ([`search`](search()), [`unwind`](unwind())): the walk over the frames of a stack, with the
//!   handlers of the languages in between (`RtlDispatchException`, `RtlUnwindEx`).
//! - **The handler of C** ([`c_handler`]): `__try`, `__except`, `__finally` (`__C_specific_handler`).
//! - **The same on x86**, whose frames register themselves ([`chain`]).
//! - **The lists of vectored handlers** ([`vectored`]).
//!
//! What they need of the world is in traits: memory that is read ([`Memory`]), functions that are found by an address
//! ([`Functions`]), and for the walks a [`Platform`](platform::Platform) that calls handlers and says where the stack ends.
//! ntdll fills them with its own process, tests with stacks that they made up.
//!
//! **Nothing here is trusted.** Unwind data and stacks may be anything. What makes no sense is an error; nothing panics, and
//! the work for one function is bounded by the size of its unwind data. A walk over a stack ends because every frame is
//! above the one before it.
//!
//! **Nothing here needs to be dropped.** A handler may leave a walk by unwinding past it. The walks keep plain data on the
//! stack and no more, so that they can be left like that.
#![no_std]
#![forbid(unsafe_code)]

pub mod amd64;
pub mod arm;
pub mod arm64;
pub mod c_handler;
pub mod chain;
pub mod handler_call;
pub mod machine;
mod memory;
pub mod platform;
mod search;
pub mod tables;
mod unwinding;
pub mod vectored;

pub use memory::{FunctionEntry, Functions, Handler, Memory, Unwound};
pub use search::{SearchOutcome, search};
pub use unwinding::{UnwindOutcome, UnwindRequest, unwind};
