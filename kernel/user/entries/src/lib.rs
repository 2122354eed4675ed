//! Where the kernel and C code enter ntdll at the level of registers.
#![no_std]
