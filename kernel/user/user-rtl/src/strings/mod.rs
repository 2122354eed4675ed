//! Counted strings: `UNICODE_STRING` and `ANSI_STRING` made, copied, compared, searched, converted to and from numbers.
//!
//! A string's length is in bytes and at most 65,535; its buffer need not end with a zero, but functions that make a buffer
//! themselves put one there. Strings may overlap or be the same one, as callers expect of C code, so what is written is
//! written unit by unit or moved as a whole, and no view of it is kept meanwhile.
//!
//! # NT
//! Documented in `winternl.h`, `ntifs.h` and `wdm.h`; what the documentation leaves open follows Windows' behaviour as
//! conformance tests of other implementations record it.

pub mod appending;
pub mod buffers;
pub mod case;
pub mod comparing;
pub mod copying;
pub mod making;
pub mod numbers;
pub mod scrambling;
pub mod searching;
#[cfg(test)]
pub(crate) mod testing;
pub mod text_kind;

use c_interface::{Ptr, field};
use nt_abi::native::{AnsiString, UnicodeString};
use rtl::{Case, Utf16Str};

/// How many bytes there are before the zero.
pub(crate) fn bytes_before_zero(text: Ptr<u8>) -> usize {
    let mut length = 0;
    while text.byte_add(length).read() != 0 {
        length += 1;
    }
    length
}

/// How many units there are before the zero.
pub(crate) fn units_before_zero(text: Ptr<u16>) -> usize {
    let mut length = 0;
    while text.add(length).read() != 0 {
        length += 1;
    }
    length
}

/// A string's units; half a unit at the end is none.
pub(crate) fn units<'a>(string: Ptr<UnicodeString>) -> &'a [u16] {
    let string = string.read();
    Ptr::at(string.buffer).slice(usize::from(string.length / 2))
}

/// A string's text.
pub(crate) fn text<'a>(string: Ptr<UnicodeString>) -> Utf16Str<'a> {
    Utf16Str::new(units(string))
}

/// A string's bytes.
pub(crate) fn bytes<'a>(string: Ptr<AnsiString>) -> &'a [u8] {
    let string = string.read();
    Ptr::at(string.buffer).slice(usize::from(string.length))
}

/// What a `BOOLEAN` called `CaseInsensitive` asks for.
pub(crate) const fn case(insensitive: u8) -> Case {
    match insensitive {
        0 => Case::Sensitive,
        _ => Case::Insensitive,
    }
}

/// Writes all of a string; both kinds have one layout.
pub(crate) fn set(string: Ptr<UnicodeString>, length: u16, maximum: u16, buffer: Ptr<u8>) {
    string.write(UnicodeString {
        length,
        maximum_length: maximum,
        reserved: Default::default(),
        buffer: buffer.raw(),
    });
}

/// Writes a string's length.
pub(crate) fn set_length(string: Ptr<UnicodeString>, length: u16) {
    field!(string, UnicodeString, length).write(length);
}

/// A length that is known to be a string's.
///
/// What is longer than any string can be is cut: callers have checked, or cut on purpose.
pub(crate) fn string_length(bytes: usize) -> u16 {
    u16::try_from(bytes).unwrap_or(u16::MAX)
}
