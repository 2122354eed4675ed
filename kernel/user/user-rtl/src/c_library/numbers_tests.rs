//! Numbers against what ntdll gives.

extern crate std;

use std::string::String;

use super::super::errno::_errno;
use super::*;
use crate::strings::testing::{Room, narrow, wide};

fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once("\\u{") {
        let (number, after) = escape.split_once('}').unwrap();
        plain.push_str(before);
        plain.push(char::from_u32(u32::from_str_radix(number, 16).unwrap()).unwrap());
        rest = after;
    }
    plain + rest
}

/// How far a function read.
fn reading<T, R>(text: Ptr<T>, function: impl Fn(Ptr<T>, Ptr<Ptr<T>>) -> R) -> (R, usize) {
    let mut end = Ptr::NULL;
    let value = function(text, Ptr::of(&mut end));
    (value, (end.address() - text.address()) / size_of::<T>())
}

#[test]
fn reading_is_that_of_ntdll() {
    let mut rows = 0;
    for row in include_str!("numbers.golden.txt").lines().skip(1) {
        let fields: std::vec::Vec<&str> = row.split('|').collect();
        let text = unescaped(fields[0]);
        let base: i32 = fields[1].parse().unwrap();
        let (bytes, units) = (narrow(&text), wide(&text));
        let length: usize = fields[3].parse().unwrap();
        let expected = (fields[2].parse().unwrap(), length);
        assert_eq!(
            reading(bytes.ptr(), |text, end| strtol(text, end, base)),
            expected,
            "{row}"
        );
        assert_eq!(
            reading(units.ptr(), |text, end| wcstol(text, end, base)),
            expected,
            "{row}"
        );
        // C: what is too large is the largest number, also with a minus sign. ntdll takes that one's complement.
        let exact = read(bytes.ptr(), u32::try_from(base).unwrap());
        let value = exact.numeral.value;
        if !exact.negative || value <= u64::from(u32::MAX) {
            let expected = (fields[4].parse().unwrap(), length);
            assert_eq!(
                reading(bytes.ptr(), |text, end| strtoul(text, end, base)),
                expected,
                "{row}"
            );
            assert_eq!(
                reading(units.ptr(), |text, end| wcstoul(text, end, base)),
                expected,
                "{row}"
            );
        }
        let expected = (fields[5].parse().unwrap(), length);
        assert_eq!(
            reading(units.ptr(), |text, end| _wcstoi64(text, end, base)),
            expected,
            "{row}"
        );
        assert_eq!(
            reading(bytes.ptr(), |text, end| _strtoi64(text, end, base)),
            expected,
            "{row}"
        );
        if !exact.negative || !exact.numeral.overflowed {
            let expected = (fields[6].parse().unwrap(), length);
            assert_eq!(
                reading(units.ptr(), |text, end| _wcstoui64(text, end, base)),
                expected,
                "{row}"
            );
            assert_eq!(
                reading(bytes.ptr(), |text, end| _strtoui64(text, end, base)),
                expected,
                "{row}"
            );
        }
        rows += 1;
    }
    assert!(rows > 200);
}

#[test]
fn what_c_says_otherwise() {
    let hexadecimal = narrow("0xg");
    assert_eq!(
        reading(hexadecimal.ptr(), |text, end| strtol(text, end, 16)),
        (0, 1)
    );
    let negative = narrow("-4294967296");
    assert_eq!(strtoul(negative.ptr(), Ptr::NULL, 10), u32::MAX);
    // A no-break space is a space to units alone.
    assert_eq!(
        (
            atoi(narrow("\u{A0}12").ptr()),
            _wtoi(wide("\u{A0}12").ptr())
        ),
        (0, 12)
    );
}

#[test]
fn digits_of_other_scripts_are_digits() {
    // As Wine's conformance tests have it of Windows.
    for zero in [0x660_u16, 0x6F0, 0x966, 0xE50, 0x1040, 0x1810, 0xFF10] {
        let text = Room::new(&[zero + 4, zero, zero + 5, 0]);
        assert_eq!(
            (
                wcstol(text.ptr(), Ptr::NULL, 0),
                wcstoul(text.ptr(), Ptr::NULL, 0)
            ),
            (405, 405)
        );
        let text = Room::new(&[zero + 4, zero + 10, zero + 5, 0]);
        assert_eq!(wcstol(text.ptr(), Ptr::NULL, 16), 4);
    }
    assert_eq!(_wtol(wide("\u{3000} 12").ptr()), 0);
}

#[test]
fn errors_are_told() {
    let errno = _errno();
    errno.write(0);
    assert_eq!(
        reading(narrow("12").ptr(), |text, end| strtol(text, end, 37)),
        (0, 0)
    );
    assert_eq!(errno.read(), 22);
}

#[test]
fn decimal_numbers_wrap() {
    // Of Wine's ntdll.
    for (text, long, long64) in [
        (" \t\n\u{B}\u{C}\r12", 12, 12),
        ("-5", -5, -5),
        ("-+5", 0, 0),
        ("0x1f", 0, 0),
        ("2147483648", i32::MIN, 2_147_483_648),
        ("-2147483649", i32::MAX, -2_147_483_649),
        ("4294967297", 1, 4_294_967_297),
        ("9223372036854775808", 0, i64::MIN),
        (
            "99999999999999999999",
            1_661_992_959,
            7_766_279_631_452_241_919,
        ),
        ("1 2", 1, 1),
        ("", 0, 0),
    ] {
        let (bytes, units) = (narrow(text), wide(text));
        assert_eq!(
            (atoi(bytes.ptr()), atol(bytes.ptr()), _atoi64(bytes.ptr())),
            (long, long, long64),
            "{text}"
        );
        assert_eq!(
            (_wtoi(units.ptr()), _wtol(units.ptr()), _wtoi64(units.ptr())),
            (long, long, long64),
            "{text}"
        );
    }
}

#[test]
fn numbers_are_written() {
    let (bytes, units) = (Room::filled(b'~', 70), Room::filled(0x7E_u16, 70));
    for (value, base, expected) in [
        (-5_i64, 10, "-5"),
        (-5, 16, "fffffffffffffffb"),
        (255, 2, "11111111"),
        (i64::MIN, 10, "-9223372036854775808"),
        (35, 36, "z"),
        (5, 37, ""),
        (5, 1, ""),
    ] {
        assert_eq!(_i64toa(value, bytes.ptr(), base), bytes.ptr());
        assert_eq!(bytes.text(), expected);
        _i64tow(value, units.ptr(), base);
        assert_eq!(units.text(), expected);
    }
    _itoa(-5, bytes.ptr(), 16);
    assert_eq!(bytes.text(), "fffffffb");
    _ltow(-5, units.ptr(), 10);
    assert_eq!(units.text(), "-5");
    _ultoa(u32::MAX, bytes.ptr(), 10);
    assert_eq!(bytes.text(), "4294967295");
    _ui64tow(u64::MAX, units.ptr(), 10);
    assert_eq!(units.text(), "18446744073709551615");
}

#[test]
fn numbers_need_their_room() {
    let to = Room::filled(b'~', 8);
    assert_eq!(
        (_itoa_s(-123, to.ptr(), 4, 10), to.text()),
        (34, String::new())
    );
    assert_eq!(
        (_itoa_s(-123, to.ptr(), 5, 10), to.text()),
        (0, "-123".into())
    );
    assert_eq!(
        (_itoa_s(1, to.ptr(), 5, 40), to.text()),
        (22, String::new())
    );
    assert_eq!(_ui64toa_s(1, Ptr::NULL, 5, 10), 22);
    let to = Room::filled(0x7E_u16, 8);
    assert_eq!(
        (_ultow_s(255, to.ptr(), 3, 16), to.text()),
        (0, "ff".into())
    );
}
