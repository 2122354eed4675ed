//! ntdll.dll: the native half of every process.
//!
//! The kernel maps it into each process and enters it where a thread begins, an exception happened or an APC is to run.
//! Programs and DLLs call its exports: the system services, the loader, the heap, locks, and the run-time library. What it
//! does is in crates of its own, which know nothing of a process; here they are joined, with the state of this one.
//!
//! | module | what |
//! |---|---|
//! | `start`, `ending` | where threads begin; how threads and the process end |
//! | `stacks` | stacks that programs make |
//! | `creation` | how a program makes threads and processes |
//! | `exceptions` | who handles an exception; unwinding; what becomes of one that nobody wants |
//! | `loading` | the modules of the process |
//! | `heaps` | heaps |
//! | `locks`, `meetings`, `parking` | locks; what is done once and where threads meet; how threads wait |
//! | `pools` | thread pools, timer queues, registered waits |
//! | `fiber_slots` | slots of each fiber |
//! | `thread_slots` | slots of each thread |
//! | `given` | what the run-time library is given of the process |
//! | `variadic` | exports with an ellipsis; what a program tells its debugger |
//! | `console` | what ntdll itself has to say |
//! | `process` | where the process and the thread are described |
//!
//! The run-time library is `user-rtl`, the system services are `stubs`: their exports are this DLL's.
#![cfg_attr(target_os = "windows", no_std)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "addresses of a process have the width of its `usize`"
)]

extern crate alloc;

#[cfg(target_os = "windows")]
mod console;
#[cfg(target_os = "windows")]
mod creation;
#[cfg(target_os = "windows")]
mod ending;
#[cfg(target_os = "windows")]
mod exceptions;
#[cfg(target_os = "windows")]
mod fiber_slots;
#[cfg(target_os = "windows")]
mod given;
#[cfg(target_os = "windows")]
mod heaps;
#[cfg(target_os = "windows")]
mod loading;
#[cfg(target_os = "windows")]
mod locks;
#[cfg(target_os = "windows")]
mod meetings;
#[cfg(target_os = "windows")]
mod parking;
#[cfg(target_os = "windows")]
mod pools;
#[cfg(target_os = "windows")]
mod process;
#[cfg(target_os = "windows")]
mod stacks;
#[cfg(target_os = "windows")]
mod start;
#[cfg(target_os = "windows")]
mod thread_slots;

#[cfg(target_os = "windows")]
mod variadic;

// Their exports are this DLL's, also those that nothing here calls.
#[cfg(target_os = "windows")]
use {stubs as _, user_rtl as _};

#[cfg(target_os = "windows")]
#[global_allocator]
static HEAP: c_interface::blocks::ProcessHeap = c_interface::blocks::ProcessHeap;

#[cfg(target_os = "windows")]
#[panic_handler]
fn panic(what: &core::panic::PanicInfo<'_>) -> ! {
    console::write(format_args!("ntdll.dll: {what}\n"));
    ending::terminate(nt_abi::NtStatus::ASSERTION_FAILURE)
}
