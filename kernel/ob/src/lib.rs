//! The object manager: object types, handles, the namespace.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]
