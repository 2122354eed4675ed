//! The virtual machine: what it is made of, its QEMU line, its device tree, its end.

pub(crate) mod exit;
pub(crate) mod fdt;
pub(crate) mod qemu;
pub(crate) mod spec;
