//! kernelbase.dll: the base of Win32.
//!
//! Programs import these functions from kernel32.dll, which hands on to here, or by the names of API sets. Each is a thin
//! function over NT: it puts names and times into NT's form, calls a service or the run-time library of ntdll, and tells
//! failures as Win32 does, by a value and the thread's last error. Where Win32 has work of its own (messages, code pages,
//! locales, handles of movable memory, text on the console), that work is in modules that need no Windows and are tested
//! on the host; the exports, which need ntdll, are for Windows alone.
//!
//! `kernel32/exports.txt` says of each name of Windows 10 whether it is here.
#![cfg_attr(target_os = "windows", no_std)]
#![deny(unsafe_code)]

extern crate alloc;

pub mod error;

#[cfg(target_os = "windows")]
pub mod console;
#[cfg(target_os = "windows")]
pub mod errors;
#[cfg(target_os = "windows")]
pub mod handles;
#[cfg(target_os = "windows")]
pub mod process;
#[cfg(target_os = "windows")]
pub mod start;
#[cfg(target_os = "windows")]
pub mod win;

#[cfg(target_os = "windows")]
#[global_allocator]
static HEAP: c_interface::blocks::ProcessHeap = c_interface::blocks::ProcessHeap;
