//! Numbers read from text and written as text.
//!
//! `atoi` and its kin lose what does not fit from above, as they do in ntdll; `strtol` and its kin stop at the largest number
//! and say `ERANGE`.

use c_interface::{Ptr, exports};
use rtl::numerals::{self, Digits, Letters, Numeral};

use super::characters::{is_space, is_wide_space};
use super::errno::Errno;
use super::text::at;
use crate::printf::Unit;

/// A number that was read.
struct Read {
    negative: bool,
    numeral: Numeral,
    /// How many units up to the end of the number; 0: there was none.
    length: usize,
}

/// What decimal digits begin with in scripts other than Latin, ascending.
const ZEROS: [u16; 17] = [
    0x0660, 0x06F0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0C66, 0x0CE6, 0x0D66, 0x0E50, 0x0ED0,
    0x0F20, 0x1040, 0x17E0, 0x1810, 0xFF10,
];

/// A digit of any script as one of ASCII; other units stay.
fn as_ascii_digit(unit: u16) -> u16 {
    if unit < ZEROS[0] {
        return unit;
    }
    let after = ZEROS.partition_point(|zero| *zero <= unit);
    match unit - ZEROS[after - 1] {
        digit @ 0..10 => u16::from(b'0') + digit,
        _ => unit,
    }
}

/// How many spaces there are before anything else.
pub(super) fn spaces<U: Unit>(text: Ptr<U>) -> usize {
    let is_space = |unit: u16| match u8::try_from(unit) {
        Ok(byte) if !U::WIDE => is_space(byte),
        _ => is_wide_space(unit),
    };
    (0..).take_while(|index| is_space(at(text, *index))).count()
}

/// Reads a number behind spaces, with a sign and what the base says; base 0 lets the text say it.
fn read<U: Unit>(text: Ptr<U>, base: u32) -> Read {
    let mut length = spaces(text);
    let sign = at(text, length);
    let negative = sign == u16::from(b'-');
    if negative || sign == u16::from(b'+') {
        length += 1;
    }
    let mut base = base;
    let zero = at(text, length) == u16::from(b'0');
    let hexadecimal = zero && at(text, length + 1) | 0x20 == u16::from(b'x');
    // A prefix without digits is the number 0.
    if matches!(base, 0 | 16) && hexadecimal && numerals::digit(at(text, length + 2)) < 16 {
        base = 16;
        length += 2;
    } else if base == 0 {
        base = if zero { 8 } else { 10 };
    }
    let numeral = numerals::read(
        (length..).map(|index| as_ascii_digit(at(text, index))),
        base,
    );
    Read {
        negative,
        numeral,
        length: if numeral.digits == 0 {
            0
        } else {
            length + numeral.digits
        },
    }
}

/// Reads a number with a base from a caller, and says where it ends.
fn read_checked<U: Unit>(text: Ptr<U>, end: Ptr<Ptr<U>>, base: i32) -> Option<Read> {
    let end = end.cast::<usize>();
    let Some(base) = u32::try_from(base)
        .ok()
        .filter(|base| matches!(base, 0 | 2..=36))
    else {
        end.write_optional(text.address());
        Errno::Invalid.report();
        return None;
    };
    let number = read(text, base);
    end.write_optional(text.add(number.length).address());
    Some(number)
}

/// A signed number between two limits, which it does not leave.
fn signed<U: Unit>(text: Ptr<U>, end: Ptr<Ptr<U>>, base: i32, least: i64, most: i64) -> i64 {
    let Some(number) = read_checked(text, end, base) else {
        return 0;
    };
    let limit = if number.negative { least } else { most };
    if number.numeral.overflowed || number.numeral.value > limit.unsigned_abs() {
        Errno::Range.report();
        return limit;
    }
    let magnitude = number.numeral.value.cast_signed();
    if number.negative {
        magnitude.wrapping_neg()
    } else {
        magnitude
    }
}

/// An unsigned number up to a limit; with a minus sign, what is missing to one more than the limit.
fn unsigned<U: Unit>(text: Ptr<U>, end: Ptr<Ptr<U>>, base: i32, most: u64) -> u64 {
    let Some(number) = read_checked(text, end, base) else {
        return 0;
    };
    if number.numeral.overflowed || number.numeral.value > most {
        Errno::Range.report();
        return most;
    }
    let value = number.numeral.value;
    if number.negative {
        value.wrapping_neg() & most
    } else {
        value
    }
}

/// A decimal number, of which what does not fit is lost.
fn wrapping<U: Unit>(text: Ptr<U>) -> i64 {
    let number = read(text, 10);
    let magnitude = number.numeral.value.cast_signed();
    if number.negative {
        magnitude.wrapping_neg()
    } else {
        magnitude
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "what does not fit is lost, as documented"
)]
fn wrapping_long<U: Unit>(text: Ptr<U>) -> i32 {
    wrapping(text) as i32
}

#[allow(clippy::cast_possible_truncation, reason = "it is between the limits")]
fn long<U: Unit>(text: Ptr<U>, end: Ptr<Ptr<U>>, base: i32) -> i32 {
    signed(text, end, base, i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

#[allow(clippy::cast_possible_truncation, reason = "it is below the limit")]
fn unsigned_long<U: Unit>(text: Ptr<U>, end: Ptr<Ptr<U>>, base: i32) -> u32 {
    unsigned(text, end, base, u64::from(u32::MAX)) as u32
}

/// A number's sign and digits; a base that there is none of has no digits.
fn digits(value: i64, base: i32) -> (bool, u64) {
    // Only decimal numbers have a sign.
    let negative = base == 10 && value < 0;
    let magnitude = if negative {
        value.unsigned_abs()
    } else {
        value.cast_unsigned()
    };
    (negative, magnitude)
}

/// Writes a number and a zero, with no look at the room.
fn write<U: Unit>((negative, magnitude): (bool, u64), to: Ptr<U>, base: i32) -> Ptr<U> {
    let Some(base) = u32::try_from(base)
        .ok()
        .filter(|base| matches!(base, 2..=36))
    else {
        to.write(U::from(0));
        return to;
    };
    let digits = Digits::new(magnitude, base, Letters::Small);
    let sign: &[u8] = if negative { b"-" } else { b"" };
    let mut place = to;
    for byte in sign.iter().chain(digits.as_bytes()).chain(&[0]) {
        place.write(U::from(*byte));
        place = place.add(1);
    }
    to
}

/// Writes a number and a zero, if there is room.
fn write_checked<U: Unit>(number: (bool, u64), to: Ptr<U>, room: usize, base: i32) -> i32 {
    if to.is_null() || room == 0 {
        return Errno::Invalid.report();
    }
    to.write(U::from(0));
    let Some(known) = u32::try_from(base)
        .ok()
        .filter(|base| matches!(base, 2..=36))
    else {
        return Errno::Invalid.report();
    };
    let digits = Digits::new(number.1, known, Letters::Small);
    if usize::from(number.0) + digits.as_bytes().len() >= room {
        return Errno::Range.report();
    }
    write(number, to, base);
    0
}

/// A number of 32 bits: a sign is part of a decimal one alone.
fn digits_of_long(value: i32, base: i32) -> (bool, u64) {
    match base {
        10 => digits(i64::from(value), base),
        _ => (false, u64::from(value.cast_unsigned())),
    }
}

exports! {
    /// Reads a decimal number.
    cdecl fn atoi(text: Ptr<u8>) -> i32 {
        wrapping_long(text)
    }

    /// Reads a decimal number.
    cdecl fn atol(text: Ptr<u8>) -> i32 {
        wrapping_long(text)
    }

    /// Reads a decimal number of 64 bits.
    cdecl fn _atoi64(text: Ptr<u8>) -> i64 {
        wrapping(text)
    }

    /// Reads a decimal number.
    cdecl fn _wtoi(text: Ptr<u16>) -> i32 {
        wrapping_long(text)
    }

    /// Reads a decimal number.
    cdecl fn _wtol(text: Ptr<u16>) -> i32 {
        wrapping_long(text)
    }

    /// Reads a decimal number of 64 bits.
    cdecl fn _wtoi64(text: Ptr<u16>) -> i64 {
        wrapping(text)
    }

    /// Reads a number, and says where it ends.
    ///
    /// # Errors
    /// `ERANGE`: the largest or smallest number stands for it. `EINVAL`: no such base.
    cdecl fn strtol(text: Ptr<u8>, end: Ptr<Ptr<u8>>, base: i32) -> i32 {
        long(text, end, base)
    }

    /// As `strtol`, without a sign.
    cdecl fn strtoul(text: Ptr<u8>, end: Ptr<Ptr<u8>>, base: i32) -> u32 {
        unsigned_long(text, end, base)
    }

    /// As `strtol`, of 64 bits.
    cdecl fn _strtoi64(text: Ptr<u8>, end: Ptr<Ptr<u8>>, base: i32) -> i64 {
        signed(text, end, base, i64::MIN, i64::MAX)
    }

    /// As `strtoul`, of 64 bits.
    cdecl fn _strtoui64(text: Ptr<u8>, end: Ptr<Ptr<u8>>, base: i32) -> u64 {
        unsigned(text, end, base, u64::MAX)
    }

    /// As `strtol`.
    cdecl fn wcstol(text: Ptr<u16>, end: Ptr<Ptr<u16>>, base: i32) -> i32 {
        long(text, end, base)
    }

    /// As `strtoul`.
    cdecl fn wcstoul(text: Ptr<u16>, end: Ptr<Ptr<u16>>, base: i32) -> u32 {
        unsigned_long(text, end, base)
    }

    /// As `_strtoi64`.
    cdecl fn _wcstoi64(text: Ptr<u16>, end: Ptr<Ptr<u16>>, base: i32) -> i64 {
        signed(text, end, base, i64::MIN, i64::MAX)
    }

    /// As `_strtoui64`.
    cdecl fn _wcstoui64(text: Ptr<u16>, end: Ptr<Ptr<u16>>, base: i32) -> u64 {
        unsigned(text, end, base, u64::MAX)
    }

    /// Writes a number.
    cdecl fn _itoa(value: i32, to: Ptr<u8>, base: i32) -> Ptr<u8> {
        write(digits_of_long(value, base), to, base)
    }

    /// Writes a number.
    cdecl fn _ltoa(value: i32, to: Ptr<u8>, base: i32) -> Ptr<u8> {
        write(digits_of_long(value, base), to, base)
    }

    /// Writes a number without a sign.
    cdecl fn _ultoa(value: u32, to: Ptr<u8>, base: i32) -> Ptr<u8> {
        write((false, u64::from(value)), to, base)
    }

    /// Writes a number of 64 bits.
    cdecl fn _i64toa(value: i64, to: Ptr<u8>, base: i32) -> Ptr<u8> {
        write(digits(value, base), to, base)
    }

    /// Writes a number of 64 bits without a sign.
    cdecl fn _ui64toa(value: u64, to: Ptr<u8>, base: i32) -> Ptr<u8> {
        write((false, value), to, base)
    }

    /// Writes a number.
    cdecl fn _itow(value: i32, to: Ptr<u16>, base: i32) -> Ptr<u16> {
        write(digits_of_long(value, base), to, base)
    }

    /// Writes a number.
    cdecl fn _ltow(value: i32, to: Ptr<u16>, base: i32) -> Ptr<u16> {
        write(digits_of_long(value, base), to, base)
    }

    /// Writes a number without a sign.
    cdecl fn _ultow(value: u32, to: Ptr<u16>, base: i32) -> Ptr<u16> {
        write((false, u64::from(value)), to, base)
    }

    /// Writes a number of 64 bits.
    cdecl fn _i64tow(value: i64, to: Ptr<u16>, base: i32) -> Ptr<u16> {
        write(digits(value, base), to, base)
    }

    /// Writes a number of 64 bits without a sign.
    cdecl fn _ui64tow(value: u64, to: Ptr<u16>, base: i32) -> Ptr<u16> {
        write((false, value), to, base)
    }

    /// `_itoa` with a size.
    ///
    /// # Errors
    /// `EINVAL`: no buffer, or no such base. `ERANGE`: it does not fit. The text is empty then.
    cdecl fn _itoa_s(value: i32, to: Ptr<u8>, room: usize, base: i32) -> i32 {
        write_checked(digits_of_long(value, base), to, room, base)
    }

    /// `_ltoa` with a size.
    cdecl fn _ltoa_s(value: i32, to: Ptr<u8>, room: usize, base: i32) -> i32 {
        write_checked(digits_of_long(value, base), to, room, base)
    }

    /// `_ultoa` with a size.
    cdecl fn _ultoa_s(value: u32, to: Ptr<u8>, room: usize, base: i32) -> i32 {
        write_checked((false, u64::from(value)), to, room, base)
    }

    /// `_i64toa` with a size.
    cdecl fn _i64toa_s(value: i64, to: Ptr<u8>, room: usize, base: i32) -> i32 {
        write_checked(digits(value, base), to, room, base)
    }

    /// `_ui64toa` with a size.
    cdecl fn _ui64toa_s(value: u64, to: Ptr<u8>, room: usize, base: i32) -> i32 {
        write_checked((false, value), to, room, base)
    }

    /// `_itow` with a size.
    cdecl fn _itow_s(value: i32, to: Ptr<u16>, room: usize, base: i32) -> i32 {
        write_checked(digits_of_long(value, base), to, room, base)
    }

    /// `_ltow` with a size.
    cdecl fn _ltow_s(value: i32, to: Ptr<u16>, room: usize, base: i32) -> i32 {
        write_checked(digits_of_long(value, base), to, room, base)
    }

    /// `_ultow` with a size.
    cdecl fn _ultow_s(value: u32, to: Ptr<u16>, room: usize, base: i32) -> i32 {
        write_checked((false, u64::from(value)), to, room, base)
    }

    /// `_i64tow` with a size.
    cdecl fn _i64tow_s(value: i64, to: Ptr<u16>, room: usize, base: i32) -> i32 {
        write_checked(digits(value, base), to, room, base)
    }

    /// `_ui64tow` with a size.
    cdecl fn _ui64tow_s(value: u64, to: Ptr<u16>, room: usize, base: i32) -> i32 {
        write_checked((false, value), to, room, base)
    }
}

#[cfg(test)]
#[path = "numbers_tests.rs"]
mod tests;
