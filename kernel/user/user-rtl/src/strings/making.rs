//! Strings over text that is there, and strings with a buffer of their own.

use c_interface::{Ptr, blocks, exports, field};
use nt_abi::NtStatus;
use nt_abi::native::{AnsiString, UnicodeString};

use super::{bytes_before_zero, set, set_length, string_length, units_before_zero};
use crate::conversions::page;

/// The longest text in UTF-16 that leaves room for a zero, in bytes.
const LONGEST_UNICODE: usize = 0xFFFC;
/// The longest text in bytes that leaves room for a zero.
const LONGEST_BYTES: usize = 0xFFFE;

/// Points a string to bytes that end with a zero.
fn init_bytes(string: Ptr<AnsiString>, text: Ptr<u8>, length: usize) {
    let length = string_length(length);
    let maximum = if text.is_null() { 0 } else { length + 1 };
    set(string.cast(), length, maximum, text);
}

fn init_bytes_checked(string: Ptr<AnsiString>, text: Ptr<u8>) -> NtStatus {
    let length = text.non_null().map_or(0, bytes_before_zero);
    if length > LONGEST_BYTES {
        return NtStatus::NAME_TOO_LONG;
    }
    init_bytes(string, text, length);
    NtStatus::SUCCESS
}

fn init_bytes_cut(string: Ptr<AnsiString>, text: Ptr<u8>) {
    let length = text.non_null().map_or(0, bytes_before_zero);
    init_bytes(string, text, length.min(LONGEST_BYTES));
}

fn init_units(string: Ptr<UnicodeString>, text: Ptr<u16>, length: usize) {
    let length = string_length(length);
    let maximum = if text.is_null() { 0 } else { length + 2 };
    set(string, length, maximum, text.cast());
}

/// A block with room for a string and its zero, in bytes; `None` if the string would be too long or there is no memory.
fn room(length: usize) -> Option<Ptr<u8>> {
    if length > LONGEST_UNICODE {
        return None;
    }
    blocks::allocate(length + 2)
}

/// Gives a string's buffer back and makes it empty.
fn free(string: Ptr<UnicodeString>) {
    let buffer = field!(string, UnicodeString, buffer).read();
    if buffer != 0 {
        blocks::free(Ptr::at(buffer));
        string.write(UnicodeString::default());
    }
}

exports! {
    /// Points a string to text that ends with a zero, or to none. Text beyond 65,534 bytes is not counted.
    fn RtlInitString(string: Ptr<AnsiString>, text: Ptr<u8>) {
        init_bytes_cut(string, text);
    }

    /// As `RtlInitString`.
    fn RtlInitAnsiString(string: Ptr<AnsiString>, text: Ptr<u8>) {
        init_bytes_cut(string, text);
    }

    /// As `RtlInitString`.
    fn RtlInitUTF8String(string: Ptr<AnsiString>, text: Ptr<u8>) {
        init_bytes_cut(string, text);
    }

    /// As `RtlInitString`.
    ///
    /// # Errors
    /// `NAME_TOO_LONG`: the text is too long; the string is as it was.
    fn RtlInitStringEx(string: Ptr<AnsiString>, text: Ptr<u8>) -> NtStatus {
        init_bytes_checked(string, text)
    }

    /// As `RtlInitStringEx`.
    fn RtlInitAnsiStringEx(string: Ptr<AnsiString>, text: Ptr<u8>) -> NtStatus {
        init_bytes_checked(string, text)
    }

    /// As `RtlInitStringEx`.
    fn RtlInitUTF8StringEx(string: Ptr<AnsiString>, text: Ptr<u8>) -> NtStatus {
        init_bytes_checked(string, text)
    }

    /// Points a string to text that ends with a zero, or to none. Text beyond 65,532 bytes is not counted.
    fn RtlInitUnicodeString(string: Ptr<UnicodeString>, text: Ptr<u16>) {
        let length = text.non_null().map_or(0, units_before_zero).saturating_mul(2);
        init_units(string, text, length.min(LONGEST_UNICODE));
    }

    /// As `RtlInitUnicodeString`.
    ///
    /// # Errors
    /// `NAME_TOO_LONG`: the text is too long; the string is as it was.
    fn RtlInitUnicodeStringEx(string: Ptr<UnicodeString>, text: Ptr<u16>) -> NtStatus {
        let length = text.non_null().map_or(0, units_before_zero).saturating_mul(2);
        if length > LONGEST_UNICODE {
            return NtStatus::NAME_TOO_LONG;
        }
        init_units(string, text, length);
        NtStatus::SUCCESS
    }

    /// Makes a string with a buffer of its own, which ends with a zero. 0: the text is too long, or there is no memory.
    fn RtlCreateUnicodeString(string: Ptr<UnicodeString>, text: Ptr<u16>) -> u8 {
        let length = units_before_zero(text).saturating_mul(2);
        let Some(buffer) = room(length) else {
            return 0;
        };
        buffer.copy_from(text.cast(), length + 2);
        set(string, string_length(length), string_length(length + 2), buffer);
        1
    }

    /// As `RtlCreateUnicodeString`, from text in the process's code page.
    fn RtlCreateUnicodeStringFromAsciiz(string: Ptr<UnicodeString>, text: Ptr<u8>) -> u8 {
        let page = page::ansi();
        let text = text.slice(bytes_before_zero(text));
        let length = page.units_of(text).saturating_mul(2);
        let Some(buffer) = room(length) else {
            return 0;
        };
        page.decode(text, buffer.cast(), length / 2);
        buffer.byte_add(length).cast::<u16>().write(0);
        set(string, string_length(length), string_length(length + 2), buffer);
        1
    }

    /// Gives back the buffer of a string that a function of this library made; the string is then empty.
    fn RtlFreeUnicodeString(string: Ptr<UnicodeString>) {
        free(string);
    }

    /// As `RtlFreeUnicodeString`.
    fn RtlFreeAnsiString(string: Ptr<AnsiString>) {
        free(string.cast());
    }

    /// As `RtlFreeUnicodeString`.
    fn RtlFreeOemString(string: Ptr<AnsiString>) {
        free(string.cast());
    }

    /// As `RtlFreeUnicodeString`.
    fn RtlFreeUTF8String(string: Ptr<AnsiString>) {
        free(string.cast());
    }

    /// Overwrites a string's whole buffer with zeros, and makes it empty.
    fn RtlEraseUnicodeString(string: Ptr<UnicodeString>) {
        let old = string.read();
        if old.buffer != 0 && old.maximum_length != 0 {
            Ptr::at(old.buffer).fill(0, usize::from(old.maximum_length));
        }
        set_length(string, 0);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec;

    use super::super::testing::{Room, contents, unicode, wide};
    use super::*;

    #[test]
    fn a_string_counts_the_text_it_is_pointed_to() {
        let text = wide("Some Wild String");
        let mut string = UnicodeString::default();
        RtlInitUnicodeString(Ptr::of(&mut string), text.ptr());
        assert_eq!((string.length, string.maximum_length), (32, 34));
        assert_eq!(string.buffer, text.ptr().raw());
        RtlInitUnicodeString(Ptr::of(&mut string), Ptr::NULL);
        assert_eq!(string, UnicodeString::default());

        let text = Room::new(b"Some Wild String\0");
        let mut string = AnsiString::default();
        RtlInitAnsiString(Ptr::of(&mut string), text.ptr());
        assert_eq!((string.length, string.maximum_length), (16, 17));
        assert_eq!(
            RtlInitStringEx(Ptr::of(&mut string), Ptr::NULL),
            NtStatus::SUCCESS
        );
        assert_eq!(string, AnsiString::default());
    }

    #[test]
    fn text_that_is_too_long_is_cut_or_refused() {
        let mut units = vec![u16::from(b'X'); 40_000];
        units.push(0);
        let text = Room::new(&units);
        let mut string = UnicodeString {
            length: 12345,
            ..UnicodeString::default()
        };
        let before = string;
        assert_eq!(
            RtlInitUnicodeStringEx(Ptr::of(&mut string), text.ptr()),
            NtStatus::NAME_TOO_LONG
        );
        assert_eq!(string, before);
        RtlInitUnicodeString(Ptr::of(&mut string), text.ptr());
        assert_eq!((string.length, string.maximum_length), (0xFFFC, 0xFFFE));
        assert_eq!(RtlCreateUnicodeString(Ptr::of(&mut string), text.ptr()), 0);

        let mut bytes = vec![b'X'; 70_000];
        bytes.push(0);
        let text = Room::new(&bytes);
        let mut string = AnsiString::default();
        RtlInitString(Ptr::of(&mut string), text.ptr());
        assert_eq!((string.length, string.maximum_length), (0xFFFE, 0xFFFF));
        assert_eq!(
            RtlInitAnsiStringEx(Ptr::of(&mut string), text.ptr()),
            NtStatus::NAME_TOO_LONG
        );
    }

    #[test]
    fn made_strings_have_a_buffer_of_their_own() {
        let text = wide("own");
        let mut string = UnicodeString::default();
        assert_eq!(RtlCreateUnicodeString(Ptr::of(&mut string), text.ptr()), 1);
        assert_ne!(string.buffer, text.ptr().raw());
        assert_eq!((string.length, string.maximum_length), (6, 8));
        assert_eq!(Ptr::<u16>::at(string.buffer).add(3).read(), 0);
        assert_eq!(contents(&string), "own");
        RtlFreeUnicodeString(Ptr::of(&mut string));
        assert_eq!(string, UnicodeString::default());
        RtlFreeUnicodeString(Ptr::of(&mut string));

        let text = Room::new(b"\x80 5\0");
        assert_eq!(
            RtlCreateUnicodeStringFromAsciiz(Ptr::of(&mut string), text.ptr()),
            1
        );
        assert_eq!(contents(&string), "€ 5");
        assert_eq!((string.length, string.maximum_length), (6, 8));
        RtlFreeUnicodeString(Ptr::of(&mut string));
    }

    #[test]
    fn an_erased_string_has_zeros_to_the_end_of_its_buffer() {
        let string = unicode("secret", 20);
        RtlEraseUnicodeString(string.ptr());
        assert_eq!(string.get().length, 0);
        assert!(string.whole().iter().all(|unit| *unit == 0));
    }
}
