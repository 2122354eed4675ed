//! kernel32.dll: the names under which programs import the base of Win32.
//!
//! Most are forwarders to kernelbase and ntdll, which `exports.txt` lists and `build.rs` makes. Here is what is kernel32's own.
#![cfg_attr(target_os = "windows", no_std)]
#![deny(unsafe_code)]

#[cfg(target_os = "windows")]
pub mod threads;
