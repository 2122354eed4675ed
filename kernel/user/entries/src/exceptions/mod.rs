//! Exceptions at the level of registers: where the kernel brings one, where C code raises one, how handlers are called, and
//! how a thread goes on somewhere else.
//!
//! All that can be said without naming a register is in the crate `unwind`, and ntdll puts the two together. What is here
//! has to be machine code, for one of three reasons:
//!
//! - **Its frame means something.** An exception inside of a handler has to be told from one that no handler is involved
//!   in: the two functions that call handlers ([`execute_handler_for_exception`], [`execute_handler_for_unwind`]) have
//!   handlers of their own, which a walk over the stack meets and which tell it what was going on. And the frame of
//!   `KiUserExceptionDispatcher` leads a walk from ntdll back into the code that the exception happened in.
//! - **All registers count.** [`RtlCaptureContext`] and [`RtlRestoreContext`] see them all, volatile or not.
//! - **The convention is not C's.** Filters and `__finally` blocks run in the frame of their function, and on ARM64 with its
//!   registers.
//!
//! [`exception_entries!`](crate::exception_entries) makes the entries that call back into ntdll. Both machines have one file
//! with the same functions.
//!
//! Each function has unwind data, written beside the instructions (`.seh_` directives), as code from a compiler has.

#[cfg(target_arch = "aarch64")]
#[path = "aarch64.rs"]
mod machine;
#[cfg(target_arch = "x86_64")]
#[path = "x86_64.rs"]
mod machine;

mod looks;
mod personality;
mod restore;

pub use looks::{Shown, undo};
pub use machine::{
    Context, DispatcherContext, JumpBuffer, Machine, RtlCaptureContext, call_filter,
    call_termination, execute_handler_for_exception, execute_handler_for_unwind,
};
pub use restore::RtlRestoreContext;
#[doc(hidden)]
pub use {c_interface::Ptr, nt_abi::native::ExceptionRecord};
