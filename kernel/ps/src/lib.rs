//! Processes, threads and jobs.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]
