//! What brings DLLs into a process.
#![no_std]
#![forbid(unsafe_code)]
