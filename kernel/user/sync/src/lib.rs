//! Locks of user mode.
#![no_std]
#![forbid(unsafe_code)]
