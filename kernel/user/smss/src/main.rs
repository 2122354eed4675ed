//! smss.exe: the first process. It makes the environment that every other process inherits, starts the program that the
//! machine was booted for, and ends as that program ends.
//!
//! Its command line is the program's, behind its own name: `smss.exe PROGRAM ARGUMENTS`.
//!
//! # Differs
//! NT's session manager makes `\KnownDlls` from a list in the registry, and starts sessions. Here the kernel publishes the
//! images of the boot RAM disk, as there is no file system yet from which sections could be made.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]

#[cfg(target_os = "windows")]
mod session;

#[cfg(not(target_os = "windows"))]
fn main() {
    eprintln!("smss.exe is a program for Tarn: cargo xtask run -- PROGRAM starts it");
}
