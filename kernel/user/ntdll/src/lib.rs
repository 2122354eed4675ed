//! ntdll.dll: the native half of every process.
//!
//! The kernel maps it into each process and enters it where a thread begins, an exception happened or an APC is to run.
//! Programs and DLLs call its exports: the system services, the loader, the heap, locks, and the run-time library. What it
//! does is in crates of its own, which know nothing of a process; here they are joined, with the state of this one.
#![cfg_attr(target_os = "windows", no_std)]
#![deny(unsafe_code)]

extern crate alloc;

#[cfg(target_os = "windows")]
mod start;

#[cfg(target_os = "windows")]
use stubs as _;

#[cfg(target_os = "windows")]
#[global_allocator]
static HEAP: c_interface::blocks::ProcessHeap = c_interface::blocks::ProcessHeap;
