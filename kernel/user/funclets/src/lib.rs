//! Calls of funclets, the parts of C++ functions that an exception runs, and what else of C++'s run time is machine code.
//!
//! - **Funclets.** A destructor of a function's variable, or a `catch` block, is a function of its own for the machine, but
//!   works on the variables of the function that it is a part of. On x64 it gets that function's frame as its second
//!   argument; on ARM64 it finds the function's registers in its own.
//! - **Guards.** Whoever calls such code must know when an exception leaves it: it ends in `std::terminate`, or the exception
//!   that a `catch` block handled is over. So the calls here are frames with a handler, and the handler calls a [`Guard`]
//!   that the caller named.
//! - **Jumps.** `setjmp` and `longjmp` see registers that no function sees.
//! - **The thread's block.** A DLL in C has thread-local variables through the linker; this one has one block of bytes.
//!
//! For anything but 64-bit Windows this crate is empty. An image that links it has thread-local storage, and exports
//! `setjmp`'s names: it is for vcruntime140.dll alone.
#![no_std]
#![allow(
    unsafe_code,
    reason = "functions that are instructions have no safe form"
)]

#[cfg(all(target_os = "windows", target_arch = "aarch64"))]
#[path = "aarch64.rs"]
mod machine;
#[cfg(all(target_os = "windows", target_arch = "x86_64"))]
#[path = "x86_64.rs"]
mod machine;

#[cfg(all(
    target_os = "windows",
    any(target_arch = "aarch64", target_arch = "x86_64")
))]
mod guard;
#[cfg(all(
    target_os = "windows",
    any(target_arch = "aarch64", target_arch = "x86_64")
))]
mod thread;

#[cfg(all(
    target_os = "windows",
    any(target_arch = "aarch64", target_arch = "x86_64")
))]
pub use self::{
    guard::Guard,
    machine::{
        __intrinsic_setjmpex, Context, DispatcherContext, JumpBuffer, Machine, call, call_funclet,
        goes_on_at, jump,
    },
    thread::{BLOCK, thread_block},
};
