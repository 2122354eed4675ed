//! Paths as DOS and Win32 write them: their kinds, names of devices, the full path, and what NT calls it.
//!
//! Either slash separates. A path may begin at a drive, a server, a device, the root of the current drive, or nowhere; what
//! lacks a beginning gets it from current directories, which the caller knows. `.` and `..` are worked out, a component's
//! last dot goes, and at the end of a path all dots and spaces do, as DOS had none there. Some names are devices in every
//! directory.
//!
//! # NT
//! `RtlDetermineDosPathNameType_U`, `RtlIsDosDeviceName_U`, `RtlGetFullPathName_U`, `RtlDosPathNameToNtPathName_U`. Microsoft
//! describes the rules in "File path formats on Windows systems"; the corners are as conformance tests of other
//! implementations record them for Windows 8 and later.
//!
//! # Differs
//! No path is too long before it has 32,767 units.

mod device;
mod full;
mod kind;
#[cfg(test)]
mod tests;

pub use device::{Device, device};
pub use full::{CurrentDirectories, DosPath, full_path, nt_path};
pub use kind::{Kind, kind};

/// Whether a unit separates components.
const fn is_separator(unit: u16) -> bool {
    matches!(unit, 0x2F | 0x5C)
}

const BACKSLASH: u16 = b'\\' as u16;
const COLON: u16 = b':' as u16;
const DOT: u16 = b'.' as u16;
const SPACE: u16 = b' ' as u16;
