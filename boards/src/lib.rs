//! What the firmware says about the machine, read into one loader block.
//!
//! A board announces itself by a flattened device tree (ARM64) or by the PVH
//! start-of-day structure and ACPI tables (x86-64). Both are bytes from outside
//! and treated as hostile: every offset, size and count is checked, and what
//! does not hold is refused with a [`DiscoveryError`] that says what and where.
//!
//! The crate is pure: it never touches memory by address. Physical memory is
//! read through [`PhysicalMemory`], which the floor implements with its map of
//! memory and the tests implement with a vector.
//!
//! Three promises hold for every input, and the mutation tests in `tests/` and
//! the fuzz targets in `fuzz/` check them: no panic, work bounded by the size of
//! the input, and a [`LoaderBlock`] whose ranges are whole pages, sorted and
//! disjoint.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod acpi;
mod device_tree;
mod discovery_error;
mod loader_block;
mod physical_memory;
mod processor_list;
mod pvh;
mod range_list;

pub use device_tree::{console_hint, device_tree_length, from_device_tree};
pub use discovery_error::{Device, DiscoveryError, ErrorText};
pub use loader_block::*;
pub use physical_memory::PhysicalMemory;
pub use pvh::from_pvh;
