//! Numbers read from strings and written to them.
//!
//! Bases are 2, 8, 10 and 16; 0 stands for 10, and for reading lets `0b`, `0o` and `0x` say another one. Letters of prefixes
//! are small, digits are written with capitals. What does not fit into 32 bits is lost from above, without an error.

use c_interface::{Ptr, exports, field};
use nt_abi::NtStatus;
use nt_abi::native::UnicodeString;
use rtl::numerals::{self, Digits, Letters};

use super::{set_length, string_length, units};

/// The base a caller names; `None`: there is none such.
const fn named_base(base: u32) -> Option<u32> {
    match base {
        0 => Some(10),
        2 | 8 | 10 | 16 => Some(base),
        _ => None,
    }
}

/// Reads a number. What stands before it in the way of spaces is for the caller to skip.
fn read(mut text: impl Iterator<Item = u16> + Clone, base: u32) -> u32 {
    let mut rest = text.clone();
    let sign = rest.next();
    let negative = sign == Some(u16::from(b'-'));
    if negative || sign == Some(u16::from(b'+')) {
        text = rest;
    }
    let mut actual = if base == 0 { 10 } else { base };
    if base == 0 {
        let mut rest = text.clone();
        let prefix = (rest.next(), rest.next());
        let named = match prefix {
            (Some(0x30), Some(0x62)) => Some(2),
            (Some(0x30), Some(0x6F)) => Some(8),
            (Some(0x30), Some(0x78)) => Some(16),
            _ => None,
        };
        if let Some(named) = named {
            actual = named;
            text = rest;
        }
    }
    let magnitude = numerals::read(text, actual).value;
    #[allow(
        clippy::cast_possible_truncation,
        reason = "what does not fit is lost, as documented"
    )]
    let magnitude = magnitude as u32;
    if negative {
        magnitude.wrapping_neg()
    } else {
        magnitude
    }
}

/// Writes digits, and a zero behind them if there is room.
fn write(value: u64, base: u32, room: u32, to: Ptr<u8>) -> NtStatus {
    let Some(base) = named_base(base) else {
        return NtStatus::INVALID_PARAMETER;
    };
    let digits = Digits::new(value, base, Letters::Capital);
    let text = digits.as_bytes();
    let room = room as usize;
    if text.len() > room {
        return NtStatus::BUFFER_OVERFLOW;
    }
    if to.is_null() {
        return NtStatus::ACCESS_VIOLATION;
    }
    to.write_array(text);
    if text.len() < room {
        to.byte_add(text.len()).write(0);
    }
    NtStatus::SUCCESS
}

/// Writes digits and a zero into a string; its length is set even if they do not fit.
fn write_string(value: u64, base: u32, string: Ptr<UnicodeString>) -> NtStatus {
    let Some(base) = named_base(base) else {
        return NtStatus::INVALID_PARAMETER;
    };
    let digits = Digits::new(value, base, Letters::Capital);
    let text = digits.as_bytes();
    let length = string_length(text.len() * 2);
    set_length(string, length);
    if length >= field!(string, UnicodeString, maximum_length).read() {
        return NtStatus::BUFFER_OVERFLOW;
    }
    let buffer = Ptr::<u16>::at(string.read().buffer);
    for (index, digit) in text.iter().enumerate() {
        buffer.add(index).write(u16::from(*digit));
    }
    buffer.add(text.len()).write(0);
    NtStatus::SUCCESS
}

exports! {
    /// Reads a number from a string; spaces and control characters before it are skipped, and reading ends where the number
    /// does. No number is 0.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: no such base. `ACCESS_VIOLATION`: nowhere to put it.
    fn RtlUnicodeStringToInteger(string: Ptr<UnicodeString>, base: u32, value: Ptr<u32>) -> NtStatus {
        if named_base(base).is_none() {
            return NtStatus::INVALID_PARAMETER;
        }
        if value.is_null() {
            return NtStatus::ACCESS_VIOLATION;
        }
        let text = units(string).iter().copied().skip_while(|unit| *unit <= 0x20);
        value.write(read(text, base));
        NtStatus::SUCCESS
    }

    /// As `RtlUnicodeStringToInteger`, from text that ends with a zero. Bytes from 0x80 on count as spaces.
    ///
    /// # Errors
    /// As of `RtlUnicodeStringToInteger`.
    fn RtlCharToInteger(text: Ptr<u8>, base: u32, value: Ptr<u32>) -> NtStatus {
        if named_base(base).is_none() {
            return NtStatus::INVALID_PARAMETER;
        }
        if value.is_null() {
            return NtStatus::ACCESS_VIOLATION;
        }
        let units = (0..)
            .map(|index| u16::from(text.byte_add(index).read()))
            .take_while(|unit| *unit != 0)
            .skip_while(|unit| !matches!(unit, 0x21..0x80));
        value.write(read(units, base));
        NtStatus::SUCCESS
    }

    /// Writes a number's digits, and a zero if there is room for it.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: no such base. `BUFFER_OVERFLOW`: the digits do not fit. `ACCESS_VIOLATION`: no buffer.
    fn RtlIntegerToChar(value: u32, base: u32, room: u32, to: Ptr<u8>) -> NtStatus {
        write(u64::from(value), base, room, to)
    }

    /// As `RtlIntegerToChar`, with 64 bits.
    fn RtlLargeIntegerToChar(value: Ptr<u64>, base: u32, room: u32, to: Ptr<u8>) -> NtStatus {
        write(value.read(), base, room, to)
    }

    /// Writes a number's digits and a zero into a string. Its length is that of the digits, even if they do not fit.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: no such base. `BUFFER_OVERFLOW`: they do not fit with their zero.
    fn RtlIntegerToUnicodeString(value: u32, base: u32, string: Ptr<UnicodeString>) -> NtStatus {
        write_string(u64::from(value), base, string)
    }

    /// As `RtlIntegerToUnicodeString`, with 64 bits.
    fn RtlInt64ToUnicodeString(value: u64, base: u32, string: Ptr<UnicodeString>) -> NtStatus {
        write_string(value, base, string)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Room, contents, narrow, unicode};
    use super::*;

    fn both(text: &str, base: u32) -> u32 {
        let (mut counted, mut terminated) = (0, 0);
        let string = unicode(text, 80);
        let status = RtlUnicodeStringToInteger(string.ptr(), base, Ptr::of(&mut counted));
        assert_eq!(status, NtStatus::SUCCESS);
        let status = RtlCharToInteger(narrow(text).ptr(), base, Ptr::of(&mut terminated));
        assert_eq!(status, NtStatus::SUCCESS);
        assert_eq!(counted, terminated, "{text}");
        counted
    }

    #[test]
    fn numbers_are_read_as_windows_reads_them() {
        // Values of Wine's ntdll, whose conformance tests hold for Windows too.
        let rows = [
            ("12", 0, 12),
            ("-5", 10, 0xFFFF_FFFB),
            ("+7", 0, 7),
            ("\t\n 12", 10, 12),
            ("\u{1}\u{2} 9", 0, 9),
            ("- 5", 10, 0),
            ("--5", 10, 0),
            ("0x1f", 0, 0x1F),
            ("0X1f", 0, 0),
            ("0o17", 0, 0xF),
            ("0b101", 0, 5),
            ("017", 0, 17),
            ("0x", 0, 0),
            ("0xg", 0, 0),
            ("-0x10", 0, 0xFFFF_FFF0),
            ("0x1f", 16, 0),
            ("0b101", 16, 0xB101),
            ("f", 16, 15),
            ("12abc", 10, 12),
            ("8", 8, 0),
            ("4294967296", 10, 0),
            ("99999999999", 10, 0x4876_E7FF),
            ("1000000000000000000000", 0, 0xDEA0_0000),
            ("-4294967297", 0, 0xFFFF_FFFF),
            ("", 0, 0),
        ];
        for (text, base, expected) in rows {
            assert_eq!(both(text, base), expected, "{text} in base {base}");
        }
        let mut value = 0;
        RtlCharToInteger(narrow("\u{FF}12").ptr(), 10, Ptr::of(&mut value));
        assert_eq!(value, 12);
        RtlUnicodeStringToInteger(unicode("\u{FF}12", 6).ptr(), 10, Ptr::of(&mut value));
        assert_eq!(value, 0);
    }

    #[test]
    fn a_base_is_one_of_four() {
        let mut value = 7;
        let string = unicode("1", 2);
        for base in [1, 7, 20, 36, u32::MAX] {
            let status = RtlUnicodeStringToInteger(string.ptr(), base, Ptr::of(&mut value));
            assert_eq!((status, value), (NtStatus::INVALID_PARAMETER, 7));
            assert_eq!(
                RtlIntegerToUnicodeString(1, base, string.ptr()),
                NtStatus::INVALID_PARAMETER
            );
        }
        assert_eq!(
            RtlUnicodeStringToInteger(string.ptr(), 10, Ptr::NULL),
            NtStatus::ACCESS_VIOLATION
        );
        // The length counts, not what is behind it.
        let string = unicode("1234567", 14);
        string.change(|string| string.length = 5);
        RtlUnicodeStringToInteger(string.ptr(), 10, Ptr::of(&mut value));
        assert_eq!(value, 12);
    }

    #[test]
    fn digits_need_no_room_for_a_zero_in_bytes() {
        let to = Room::filled(b'-', 8);
        assert_eq!(
            RtlIntegerToChar(255, 10, 2, to.ptr()),
            NtStatus::BUFFER_OVERFLOW
        );
        assert_eq!(RtlIntegerToChar(255, 10, 3, to.ptr()), NtStatus::SUCCESS);
        assert_eq!(to.now(), b"255-----");
        assert_eq!(RtlIntegerToChar(0xAB, 16, 8, to.ptr()), NtStatus::SUCCESS);
        assert_eq!(to.text(), "AB");
        let mut large = 0xFF_0000_00FF_u64;
        let to = Room::filled(b'-', 20);
        assert_eq!(
            RtlLargeIntegerToChar(Ptr::of(&mut large), 0, 20, to.ptr()),
            NtStatus::SUCCESS
        );
        assert_eq!(to.text(), "1095216660735");
        assert_eq!(
            RtlIntegerToChar(5, 10, 10, Ptr::NULL),
            NtStatus::ACCESS_VIOLATION
        );
        assert_eq!(
            RtlIntegerToChar(5, 10, 0, Ptr::NULL),
            NtStatus::BUFFER_OVERFLOW
        );
    }

    #[test]
    fn digits_need_room_for_a_zero_in_strings() {
        let to = unicode("", 6);
        assert_eq!(
            RtlIntegerToUnicodeString(255, 10, to.ptr()),
            NtStatus::BUFFER_OVERFLOW
        );
        assert_eq!((to.get().length, to.whole()[0]), (6, 0x2D));
        let to = unicode("", 8);
        assert_eq!(
            RtlIntegerToUnicodeString(255, 10, to.ptr()),
            NtStatus::SUCCESS
        );
        assert_eq!(contents(&to.get()), "255");
        assert_eq!(to.whole()[3], 0);
        let to = unicode("", 40);
        assert_eq!(
            RtlInt64ToUnicodeString(u64::MAX, 16, to.ptr()),
            NtStatus::SUCCESS
        );
        assert_eq!(contents(&to.get()), "FFFFFFFFFFFFFFFF");
    }
}
