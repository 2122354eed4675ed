//! What a path begins with.

use super::{COLON, DOT, is_separator};

/// Where a path begins.
///
/// # NT
/// `RTL_PATH_TYPE`, with its numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Kind {
    /// `\\server\share`: `RtlPathTypeUncAbsolute`.
    Unc = 1,
    /// `c:\`: `RtlPathTypeDriveAbsolute`.
    Drive = 2,
    /// `c:name`: `RtlPathTypeDriveRelative`.
    DriveRelative = 3,
    /// `\name`: `RtlPathTypeRooted`.
    Rooted = 4,
    /// `name`: `RtlPathTypeRelative`.
    Relative = 5,
    /// `\\.\name`, `\\?\name`: `RtlPathTypeLocalDevice`.
    Device = 6,
    /// `\\.`, `\\?`: `RtlPathTypeRootLocalDevice`.
    DeviceRoot = 7,
}

/// What a path begins with.
pub fn kind(path: &[u16]) -> Kind {
    match path {
        [a, b, rest @ ..] if is_separator(*a) && is_separator(*b) => match rest {
            [DOT | 0x3F] => Kind::DeviceRoot,
            [DOT | 0x3F, c, ..] if is_separator(*c) => Kind::Device,
            _ => Kind::Unc,
        },
        [a, ..] if is_separator(*a) => Kind::Rooted,
        [_, COLON, c, ..] if is_separator(*c) => Kind::Drive,
        [_, COLON, ..] => Kind::DriveRelative,
        _ => Kind::Relative,
    }
}
