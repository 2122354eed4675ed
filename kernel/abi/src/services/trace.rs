//! A system call as a line of text.

use core::fmt;

use super::Service;
use super::arguments::{ArgumentKind, Direction, Handle, ServiceArgument};
use crate::NtStatus;

/// Writes a call as `NtCreateEvent(handle: out 0x7ffe1000, access: 0x1f0003, attributes: null, ...)`.
///
/// `raw` holds the arguments as the machine passed them; those that are missing are written as `?`.
///
/// # Errors
/// What `out` answers.
pub fn format_call(out: &mut dyn fmt::Write, service: &Service, raw: &[u64]) -> fmt::Result {
    write!(out, "{}(", service.name)?;
    for (index, argument) in service.arguments.iter().enumerate() {
        if index > 0 {
            out.write_str(", ")?;
        }
        write!(out, "{}: ", argument.name)?;
        match raw.get(index) {
            Some(&value) => format_argument(out, argument.kind, value)?,
            None => out.write_char('?')?,
        }
    }
    out.write_char(')')
}

/// Writes the value of one argument.
fn format_argument(out: &mut dyn fmt::Write, kind: ArgumentKind, raw: u64) -> fmt::Result {
    match kind {
        ArgumentKind::Handle => format_handle(out, Handle::from_raw(raw)),
        ArgumentKind::Boolean => write!(out, "{}", u8::from_raw(raw) != 0),
        ArgumentKind::Status => write!(out, "{}", NtStatus::from_raw(raw)),
        ArgumentKind::Signed32 => write!(out, "{}", i32::from_raw(raw)),
        ArgumentKind::Unsigned8 => write!(out, "{:#x}", u8::from_raw(raw)),
        ArgumentKind::Unsigned16 => write!(out, "{:#x}", u16::from_raw(raw)),
        ArgumentKind::Unsigned32 | ArgumentKind::AccessMask => {
            write!(out, "{:#x}", u32::from_raw(raw))
        }
        ArgumentKind::Enumeration(_) => write!(out, "{}", u32::from_raw(raw)),
        ArgumentKind::Address | ArgumentKind::Unsigned64 | ArgumentKind::Size => {
            write!(out, "{raw:#x}")
        }
        ArgumentKind::Pointer { direction, .. } => {
            if raw == 0 {
                return out.write_str("null");
            }
            out.write_str(match direction {
                Direction::In => "",
                Direction::Out => "out ",
                Direction::InOut => "inout ",
            })?;
            write!(out, "{raw:#x}")
        }
    }
}

/// Writes a handle; pseudo handles as the small negative numbers that they are.
fn format_handle(out: &mut dyn fmt::Write, handle: Handle) -> fmt::Result {
    match handle.0.cast_signed() {
        pseudo @ -6..=-1 => write!(out, "{pseudo}"),
        _ => write!(out, "{:#x}", handle.0),
    }
}
