//! smss.exe.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]

#[cfg(not(target_os = "windows"))]
fn main() {}
