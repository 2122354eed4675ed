//! A system call as a line of text: what went in, and what came out.
//!
//! The line is made in two parts, because a service may change what its pointers point to: [`format_call`] before the
//! service runs, [`format_results`] after it. Numbers, handles, counted strings and the names in object attributes are
//! shown themselves; of other structures only the address.
//!
//! What the caller's memory holds may differ from what the service reads a moment later. A trace shows what was seen,
//! and nothing is decided by it.

use core::fmt::{self, Write};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::Service;
use super::arguments::{ArgumentKind, Direction, Handle, Length, ServiceArgument, Target};
use crate::{NtStatus, w64};

/// Elements of an array, and UTF-16 units of a string, that a line shows at most.
const MOST_ELEMENTS: u64 = 8;
const MOST_UNITS: u16 = 96;

/// The memory of whoever calls.
pub trait CallerMemory {
    /// Fills `into` from an address; whether all of it could be read.
    fn read(&self, address: u64, into: &mut [u8]) -> bool;
}

/// Memory of which nothing can be read.
#[derive(Clone, Copy, Debug)]
pub struct NoMemory;

impl CallerMemory for NoMemory {
    fn read(&self, _address: u64, _into: &mut [u8]) -> bool {
        false
    }
}

/// Writes a call as `NtCreateEvent(handle: out 0x7ffe1000, access: 0x1f0003, attributes: &{name "\X"}, ...)`.
///
/// `raw` holds the arguments as the machine passed them; those that are missing are written as `?`. What an `&` stands
/// before was read through a pointer; a pointer alone is one to something else than numbers and names, or leads nowhere.
///
/// # Errors
/// What `out` answers.
pub fn format_call(
    out: &mut dyn Write,
    service: &Service,
    raw: &[u64],
    memory: &dyn CallerMemory,
) -> fmt::Result {
    write!(out, "{}(", service.name)?;
    for (index, argument) in service.arguments.iter().enumerate() {
        if index > 0 {
            out.write_str(", ")?;
        }
        write!(out, "{}: ", argument.name)?;
        match raw.get(index) {
            Some(&value) => {
                let call = Call {
                    service,
                    raw,
                    memory,
                };
                call.argument(out, index, argument.kind, value)?;
            }
            None => out.write_char('?')?,
        }
    }
    out.write_char(')')
}

/// Writes what came of a call, ` = STATUS_SUCCESS (0x00000000), handle: 0x4`: the status, and the numbers and names
/// behind pointers through which a service writes.
///
/// A service that fails writes no results, but a length that would have been enough.
///
/// # Errors
/// What `out` answers.
pub fn format_results(
    out: &mut dyn Write,
    service: &Service,
    raw: &[u64],
    status: NtStatus,
    memory: &dyn CallerMemory,
) -> fmt::Result {
    write!(out, " = {status}")?;
    for (argument, &value) in service.arguments.iter().zip(raw) {
        let ArgumentKind::Pointer {
            direction: Direction::Out | Direction::InOut,
            target: Target::One(name),
            ..
        } = argument.kind
        else {
            continue;
        };
        let is_length = argument.name.contains("length");
        if value == 0 || !(status.is_success() || is_length) {
            continue;
        }
        let Some(value) = Value::read(memory, name, value) else {
            continue;
        };
        write!(out, ", {}: ", argument.name)?;
        value.format(out, memory)?;
    }
    Ok(())
}

/// A call whose arguments are written.
struct Call<'a> {
    service: &'a Service,
    raw: &'a [u64],
    memory: &'a dyn CallerMemory,
}

impl Call<'_> {
    /// Writes the value of one argument.
    fn argument(
        &self,
        out: &mut dyn Write,
        index: usize,
        kind: ArgumentKind,
        raw: u64,
    ) -> fmt::Result {
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
            ArgumentKind::Pointer { .. } if raw == 0 => out.write_str("null"),
            ArgumentKind::Pointer {
                direction: Direction::Out,
                ..
            } => write!(out, "out {raw:#x}"),
            ArgumentKind::Pointer {
                direction, target, ..
            } => {
                if direction == Direction::InOut {
                    out.write_str("inout ")?;
                }
                self.pointer(out, index, target, raw)
            }
        }
    }

    /// Writes what the service will find behind a pointer.
    fn pointer(
        &self,
        out: &mut dyn Write,
        index: usize,
        target: Target,
        address: u64,
    ) -> fmt::Result {
        match target {
            Target::One(name) => match Value::read(self.memory, name, address) {
                Some(value) => {
                    out.write_char('&')?;
                    value.format(out, self.memory)
                }
                None => write!(out, "{address:#x}"),
            },
            Target::Array(name, length) => match self.count(index, length) {
                Some(count) => self.array(out, name, address, count),
                None => write!(out, "{address:#x}"),
            },
            Target::Bytes(_) => write!(out, "{address:#x}"),
        }
    }

    /// The number of an array's elements, if an argument beside it is that number.
    fn count(&self, index: usize, length: Length) -> Option<u64> {
        let place = match length {
            Length::Next => index.checked_add(1)?,
            Length::Previous => index.checked_sub(1)?,
            Length::Elsewhere => return None,
        };
        let raw = *self.raw.get(place)?;
        match self.service.arguments.get(place)?.kind {
            ArgumentKind::Unsigned32 => Some(u64::from(u32::from_raw(raw))),
            ArgumentKind::Size => Some(raw),
            _ => None,
        }
    }

    /// Writes an array's first elements, if they are of a kind that can be shown.
    fn array(&self, out: &mut dyn Write, name: &str, address: u64, count: u64) -> fmt::Result {
        let width = match name {
            "HANDLE" | "SIZE_T" | "PVOID" => 8,
            "ULONG" | "LONG" => 4,
            _ => return write!(out, "{address:#x}"),
        };
        out.write_str("&[")?;
        for index in 0..count.min(MOST_ELEMENTS) {
            if index > 0 {
                out.write_str(", ")?;
            }
            let element = address.wrapping_add(index * width);
            match Value::read(self.memory, name, element) {
                Some(value) => value.format(out, self.memory)?,
                None => out.write_char('?')?,
            }
        }
        out.write_str(if count > MOST_ELEMENTS { ", ...]" } else { "]" })
    }
}

/// What stands behind a pointer, if a line can show it.
enum Value {
    Handle(Handle),
    Signed(i64),
    Unsigned(u64),
    Status(NtStatus),
    String(w64::UnicodeString),
    Attributes(w64::ObjectAttributes),
    Ids(w64::ClientId),
    Outcome(w64::IoStatusBlock),
}

fn read<T: FromBytes + IntoBytes + Immutable>(
    memory: &dyn CallerMemory,
    address: u64,
) -> Option<T> {
    let mut value = T::new_zeroed();
    memory.read(address, value.as_mut_bytes()).then_some(value)
}

impl Value {
    /// Reads what has NT's name `name`.
    fn read(memory: &dyn CallerMemory, name: &str, address: u64) -> Option<Self> {
        Some(match name {
            "HANDLE" => Self::Handle(read(memory, address)?),
            "LARGE_INTEGER" => Self::Signed(read(memory, address)?),
            "LONG" => Self::Signed(read::<i32>(memory, address)?.into()),
            "SIZE_T" | "PVOID" | "ULONGLONG" | "LUID" => Self::Unsigned(read(memory, address)?),
            "ULONG" | "ACCESS_MASK" => Self::Unsigned(read::<u32>(memory, address)?.into()),
            "USHORT" => Self::Unsigned(read::<u16>(memory, address)?.into()),
            "UCHAR" | "BOOLEAN" => Self::Unsigned(read::<u8>(memory, address)?.into()),
            "NTSTATUS" => Self::Status(read(memory, address)?),
            "UNICODE_STRING" => Self::String(read(memory, address)?),
            "OBJECT_ATTRIBUTES" => Self::Attributes(read(memory, address)?),
            "CLIENT_ID" => Self::Ids(read(memory, address)?),
            "IO_STATUS_BLOCK" => Self::Outcome(read(memory, address)?),
            _ => return None,
        })
    }

    fn format(&self, out: &mut dyn Write, memory: &dyn CallerMemory) -> fmt::Result {
        match self {
            Self::Handle(handle) => format_handle(out, *handle),
            Self::Signed(value) => write!(out, "{value}"),
            Self::Unsigned(value) => write!(out, "{value:#x}"),
            Self::Status(status) => write!(out, "{status}"),
            Self::String(string) => format_string(out, string, memory),
            Self::Attributes(attributes) => format_attributes(out, attributes, memory),
            Self::Ids(ids) => write!(
                out,
                "{{process {:#x}, thread {:#x}}}",
                ids.unique_process, ids.unique_thread
            ),
            Self::Outcome(outcome) => write!(
                out,
                "{{{}, information {:#x}}}",
                NtStatus(outcome.status),
                outcome.information
            ),
        }
    }
}

/// Writes object attributes: only what is not zero.
fn format_attributes(
    out: &mut dyn Write,
    attributes: &w64::ObjectAttributes,
    memory: &dyn CallerMemory,
) -> fmt::Result {
    let mut separator = "{";
    if attributes.object_name != 0 {
        write!(out, "{separator}name ")?;
        separator = ", ";
        match read(memory, attributes.object_name) {
            Some(string) => format_string(out, &string, memory)?,
            None => write!(out, "{:#x}", attributes.object_name)?,
        }
    }
    for (what, value) in [
        ("root", attributes.root_directory),
        ("flags", attributes.attributes.bits().into()),
        ("descriptor", attributes.security_descriptor),
        ("quality of service", attributes.security_quality_of_service),
    ] {
        if value != 0 {
            write!(out, "{separator}{what} {value:#x}")?;
            separator = ", ";
        }
    }
    out.write_str(if separator == "{" { "{}" } else { "}" })
}

/// Writes a counted string in quotes; backslashes stay as they are, since they stand between NT's names.
fn format_string(
    out: &mut dyn Write,
    string: &w64::UnicodeString,
    memory: &dyn CallerMemory,
) -> fmt::Result {
    let count = string.length / 2;
    let mut units = [0u16; MOST_UNITS as usize];
    let units = &mut units[..usize::from(count.min(MOST_UNITS))];
    if !memory.read(string.buffer, units.as_mut_bytes()) {
        return write!(out, "{} bytes at {:#x}", string.length, string.buffer);
    }
    out.write_char('"')?;
    for letter in char::decode_utf16(units.iter().copied()) {
        match letter.unwrap_or(char::REPLACEMENT_CHARACTER) {
            letter if letter.is_control() => write!(out, "{}", letter.escape_default())?,
            letter => out.write_char(letter)?,
        }
    }
    out.write_str(if count > MOST_UNITS { "\"..." } else { "\"" })
}

/// Writes a handle; pseudo handles as the small negative numbers that they are.
fn format_handle(out: &mut dyn Write, handle: Handle) -> fmt::Result {
    match handle.0.cast_signed() {
        pseudo @ -6..=-1 => write!(out, "{pseudo}"),
        _ => write!(out, "{:#x}", handle.0),
    }
}

#[cfg(test)]
#[path = "trace_tests.rs"]
mod tests;
