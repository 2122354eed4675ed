//! Messages as Wine's ntdll writes them, whose own tests hold for Windows too.

extern crate std;

use std::string::{String, ToString};

use super::*;
use crate::printf::tests::{Arg, list};
use crate::strings::testing::{Room, narrow, wide};

fn unescaped(text: &str) -> String {
    text.replace("\\r", "\r")
        .replace("\\n", "\n")
        .replace("\\t", "\t")
        .replace("\\0", "\0")
}

/// Formats with a list, or an array.
fn formatted(
    format: &str,
    width: u32,
    ignores: u8,
    ansi: u8,
    array: u8,
    arguments: &[Arg],
) -> Result<String, NtStatus> {
    let (format, to) = (wide(format), Room::filled(0x7E_u16, 300));
    let arguments = list(arguments);
    let mut place = arguments.ptr().address();
    let source = if array == 0 {
        Ptr::of(&mut place)
    } else {
        arguments.ptr().cast()
    };
    let mut length = 0;
    let status = RtlFormatMessage(
        format.ptr(),
        width,
        ignores,
        ansi,
        array,
        source,
        to.ptr(),
        600,
        Ptr::of(&mut length),
    );
    if status != NtStatus::SUCCESS {
        return Err(status);
    }
    Ok(String::from_utf16(&to.now()[..usize::try_from(length).unwrap() / 2]).unwrap())
}

#[test]
fn marks_lines_and_widths() {
    let words = [wide("one"), wide("two"), wide("three")];
    let arguments: std::vec::Vec<Arg> = words.iter().map(|word| Arg::from(word.ptr())).collect();
    let mut rows = 0;
    for row in include_str!("messages.golden.txt").lines() {
        let fields: std::vec::Vec<&str> = row.split('\t').collect();
        let (width, ignores) = (fields[1].parse().unwrap(), fields[2].parse().unwrap());
        let status = NtStatus(u32::from_str_radix(fields[3], 16).unwrap());
        let expected = match status {
            NtStatus::SUCCESS => Ok(unescaped(fields[4])),
            status => Err(status),
        };
        let got = formatted(&unescaped(fields[0]), width, ignores, 0, 0, &arguments);
        assert_eq!(got, expected, "{row}");
        rows += 1;
    }
    assert!(rows > 120);
}

#[test]
fn inserts_are_printed() {
    let n = |value: i32| Arg::from(value);
    let text = wide("str");
    let s = Arg::from(text.ptr());
    let ok = |text: &str| Ok(text.to_string() + "\0");
    assert_eq!(
        formatted("%1!u! %2!x! %3!s!", 0, 0, 0, 0, &[n(7), n(255), s]),
        ok("7 ff str")
    );
    assert_eq!(
        formatted("%1!lu! %1!08X! %1!#x!", 0, 0, 0, 0, &[n(42)]),
        ok("42 0000002A 0x2a")
    );
    assert_eq!(
        formatted("%2!u! %1!u! %2!u!", 0, 0, 0, 0, &[n(1), n(2)]),
        ok("2 1 2")
    );
    assert_eq!(
        formatted("%1!u!%2!u!%3!s!", 0, 0, 0, 1, &[n(1), n(2), s]),
        ok("12str")
    );
    assert_eq!(formatted("%1!!|", 0, 0, 0, 0, &[s]), ok("|"));
    assert_eq!(
        formatted("%1!u", 0, 0, 0, 0, &[s]),
        Err(NtStatus::INVALID_PARAMETER)
    );
    assert_eq!(
        formatted("a%bb", 0, 0, 0, 0, &[]),
        ok("a b"),
        "a space, as the message compiler's manual has it"
    );
    let (an, si) = (narrow("an"), narrow("si"));
    assert_eq!(
        formatted(
            "%1 %2",
            0,
            0,
            1,
            0,
            &[Arg::from(an.ptr()), Arg::from(si.ptr())]
        ),
        ok("an si")
    );
    assert_eq!(
        formatted("%1!S! %2!hs!", 0, 0, 1, 0, &[s, Arg::from(an.ptr())]),
        ok("str an")
    );
    assert_eq!(
        formatted("%1!S! %2!hs!", 0, 0, 0, 0, &[Arg::from(an.ptr()); 2]),
        ok("an an")
    );
    assert_eq!(
        formatted("%1!I64d!", 0, 0, 0, 0, &[Arg::Long(0x1_2345_6789)]),
        ok("4886718345")
    );
}

#[test]
fn an_insert_is_not_broken() {
    let (many, word) = (wide("aa bb cc dd ee ff gg"), wide("abcdef"));
    let ok = |text: &str| Ok(text.to_string() + "\0");
    assert_eq!(
        formatted("%1 a%n", 10, 0, 0, 0, &[Arg::from(many.ptr())]),
        ok("aa bb cc dd ee ff gg\r\n a\r\n")
    );
    assert_eq!(
        formatted("12345 %1 67", 10, 0, 0, 0, &[Arg::from(word.ptr())]),
        ok("12345\r\nabcdef 67")
    );
}

#[test]
fn widths_from_arguments_are_counted_as_microsofts_examples_count_them() {
    let n = |value: i32| Arg::from(value);
    let (bill, bob) = (wide("Bill"), wide("Bob"));
    let (bill, bob) = (Arg::from(bill.ptr()), Arg::from(bob.ptr()));
    let arguments = [n(4), n(2), bill, bob, n(6), bill];
    let expected = Ok("  Bi Bob   Bill\0".to_string());
    assert_eq!(
        formatted("%1!*.*s! %4 %5!*s!", 0, 0, 0, 1, &arguments),
        expected
    );
    assert_eq!(
        formatted("%1!*.*s! %3 %4!*s!", 0, 0, 0, 0, &arguments),
        expected
    );
    // As Wine has it.
    let numbers = [4, 2, 3, 5, 1, 6, 7, 8, 9].map(n);
    assert_eq!(
        formatted("%1!*.*u!,%3!u!,%2!u!,%1!u!", 0, 0, 0, 0, &numbers),
        Ok("  03,5,3,4\0".into())
    );
    assert_eq!(
        formatted("%2!*u!,%3!u!,%1!u!", 0, 0, 0, 0, &numbers),
        Ok(" 3,5,4\0".into())
    );
}

#[test]
fn the_room_is_kept() {
    let format = wide("abcde");
    for (room, expected) in [
        (0, NtStatus::BUFFER_OVERFLOW),
        (10, NtStatus::BUFFER_OVERFLOW),
        (12, NtStatus::SUCCESS),
    ] {
        let to = Room::filled(0x7E_u16, 8);
        let mut length = 99;
        let status = RtlFormatMessage(
            format.ptr(),
            0,
            0,
            0,
            0,
            Ptr::NULL,
            to.ptr(),
            room,
            Ptr::of(&mut length),
        );
        assert_eq!(
            (status, length),
            (expected, if status == NtStatus::SUCCESS { 12 } else { 99 })
        );
        assert!(
            to.now()[usize::try_from(room).unwrap() / 2..]
                .iter()
                .all(|unit| *unit == 0x7E)
        );
    }
}
