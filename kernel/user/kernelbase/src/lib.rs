//! kernelbase.dll.
#![cfg_attr(target_os = "windows", no_std)]
#![deny(unsafe_code)]
