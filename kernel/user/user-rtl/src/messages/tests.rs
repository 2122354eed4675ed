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
    for row in include_str!("golden.txt").lines() {
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
fn lines_are_broken_as_windows_breaks_them() {
    // Of Windows, as Wine's conformance tests record it.
    let words: std::vec::Vec<Room<u16>> = ["testing", "abcdef", "foobar", "foo bar", "hello"]
        .map(wide)
        .into();
    let word = |index: usize| Arg::from(words[index].ptr());
    for (format, width, arguments, expected) in [
        ("%1", 3, std::vec![word(0)], "testing\r\n"),
        (
            "%1%2%3",
            4,
            std::vec![word(0), word(1), word(2)],
            "testing\r\nabcdef\r\nfoobar\r\n",
        ),
        (
            "%1a\nb%2",
            3,
            std::vec![word(0), word(3)],
            "testing\r\na\r\nbfoo bar\r\n",
        ),
        (
            "a%tb%t%t%t%c%r%r%r%r%r%rdefg",
            3,
            std::vec![],
            "a\r\nb\r\n\r\n\r\nc\r\r\r\r\r\rdef\r\ng",
        ),
        ("test abcd ", 4, std::vec![], "test\r\n\r\nabcd\r\n "),
        (
            "test abcdef %1 foobar",
            3,
            std::vec![word(4)],
            "tes\r\nt\r\nabc\r\ndef\r\n\r\nhello\r\nfoo\r\nbar\r\n",
        ),
        ("te st\nabc d\nfoo", 6, std::vec![], "te st\r\nabc d\r\nfoo"),
        (
            "te st    ab    d\nfoo",
            7,
            std::vec![],
            "te st\r\n  ab\r\n d foo",
        ),
        (
            "te\tst\t\t\t\tab\t\t\td\nfoo",
            7,
            std::vec![],
            "te\tst\t\t\r\n\t\tab\t\t\t\r\nd foo",
        ),
        (
            "te st\n\n\r\n\nab    d\nfoo    ",
            7,
            std::vec![],
            "te st\r\n  ab\r\n d foo\r\n   ",
        ),
        (
            "te st\r\nabc d\n\nfoo\rbar",
            0xFF,
            std::vec![],
            "te st abc d  foo bar",
        ),
        (
            "te st%r%nabc d%nfoo%rbar",
            0xFF,
            std::vec![],
            "te st\r\r\nabc d\r\nfoo\rbar",
        ),
        ("\t \t\t\t\t\t \t", 4, std::vec![], "\r\n\r\n\t"),
        ("         ", 4, std::vec![], "\r\n\r\n "),
        (
            "\u{B} \u{B}\u{B}\u{B}\u{B}\u{B} \u{B}",
            4,
            std::vec![],
            "\u{B}\r\n\u{B}\u{B}\u{B}\u{B}\r\n\u{B} \u{B}",
        ),
    ] {
        let got = formatted(format, width, 0, 0, 0, &arguments);
        assert_eq!(got, Ok(expected.to_string() + "\0"), "{format:?}");
    }
    let short = ["test", "abcd", "abc", "def"].map(wide);
    let arguments: std::vec::Vec<Arg> = short.iter().map(|word| Arg::from(word.ptr())).collect();
    let got = formatted("%1%2%3%4", 4, 0, 0, 0, &arguments);
    assert_eq!(got, Ok("test\r\nabcd\r\nabcdef\r\n\0".into()));
}

#[test]
fn directives_of_inserts_may_be_odd() {
    // Of Windows, as Wine's conformance tests record it.
    let n = |value: i32| Arg::from(value);
    let ok = |text: &str| Ok(text.to_string() + "\0");
    let invalid = Err(NtStatus::INVALID_PARAMETER);
    let text = narrow("test");
    assert_eq!(
        formatted("%1!Saa!", 0, 0, 0, 0, &[Arg::from(text.ptr())]),
        ok("testaa")
    );
    assert_eq!(
        formatted("%1!**u!", 0, 0, 0, 0, &[n(34), n(1), n(2)]),
        ok("*u")
    );
    assert_eq!(
        formatted("%1!0.3+*u!", 0, 0, 0, 0, &[n(34), n(1)]),
        ok("+*u")
    );
    assert_eq!(
        formatted("aa%1!***u!", 0, 0, 0, 0, &[n(34), n(1), n(2), n(3)]),
        invalid
    );
    let zeros = |count: usize| std::format!("abc%1!#.{}x!", "0".repeat(count));
    assert_eq!(formatted(&zeros(27), 0, 0, 0, 0, &[n(34)]), ok("abc0x22"));
    assert_eq!(formatted(&zeros(28), 0, 0, 0, 0, &[n(34)]), invalid);
    assert_eq!(formatted("%1!u! %2!u", 0, 0, 0, 0, &[n(34)]), invalid);
    assert_eq!(
        formatted("%1!Ix! %2!QQ!", 0, 0, 0, 0, &[Arg::Word(0x1234), n(0)]),
        ok("1234 QQ")
    );
    let words = [Arg::Word(0x0012_3456), Arg::Word(0x0078_9ABC)];
    assert_eq!(
        formatted("%1!#llx!%2!#x!%1!#hx!", 0, 0, 0, 0, &words),
        ok("0x1234560x789abc0x3456")
    );
    assert_eq!(
        formatted("%.%%%Z%n%t%r%!% ", 0, 0, 0, 0, &[]),
        ok(".%Z\r\n\t\r! ")
    );
    assert_eq!(
        formatted("%1!x!%r%%%n%t", 0, 1, 0, 0, &[]),
        ok("%1!x!\r%%\r\n\t")
    );
    // Without arguments there are no inserts.
    let (format, to) = (wide("abc%1"), Room::filled(0x78_u16, 10));
    for array in [0, 1] {
        let status = RtlFormatMessage(
            format.ptr(),
            0,
            0,
            0,
            array,
            Ptr::NULL,
            to.ptr(),
            20,
            Ptr::NULL,
        );
        assert_eq!(
            (status, to.now()[..4].to_vec()),
            (
                NtStatus::INVALID_PARAMETER,
                std::vec![0x61, 0x62, 0x63, 0x78]
            )
        );
    }
}

#[test]
fn widths_from_arguments_are_counted_as_windows_counts_them() {
    let n = |value: i32| Arg::from(value);
    let ok = |text: &str| Ok(text.to_string() + "\0");
    // Microsoft's two examples: an array, and a list.
    let (bill, bob) = (wide("Bill"), wide("Bob"));
    let (bill, bob) = (Arg::from(bill.ptr()), Arg::from(bob.ptr()));
    let arguments = [n(4), n(2), bill, bob, n(6), bill];
    assert_eq!(
        formatted("%1!*.*s! %4 %5!*s!", 0, 0, 0, 1, &arguments),
        ok("  Bi Bob   Bill")
    );
    assert_eq!(
        formatted("%1!*.*s! %3 %4!*s!", 0, 0, 0, 0, &arguments),
        ok("  Bi Bob   Bill")
    );
    // Of Windows, as Wine's conformance tests record it.
    for (format, array, arguments, expected) in [
        (
            "%1!*.*u!,%1!*.*u!",
            0,
            std::vec![5, 3, 1, 4, 2],
            "  001, 0002",
        ),
        (
            "%1!*.*u!,%3!*.*u!",
            0,
            std::vec![5, 3, 1, 6, 4, 2],
            "  001,  0002",
        ),
        (
            "%1!*.*u!,%1!*.*u!",
            1,
            std::vec![6, 4, 2, 5, 3, 1],
            "  0002, 00003",
        ),
        (
            "%1!*.*u!,%4!*.*u!",
            1,
            std::vec![6, 4, 2, 5, 3, 1],
            "  0002,  001",
        ),
        // Of Wine itself.
        (
            "%1!*.*u!,%3!u!,%2!u!,%1!u!",
            0,
            std::vec![4, 2, 3, 5, 1, 6],
            "  03,5,3,4",
        ),
        (
            "%1!*.*u!,%3!u!,%2!u!,%1!u!",
            1,
            std::vec![4, 2, 3, 5, 1, 6],
            "  03,3,2,4",
        ),
        ("%2!*u!,%3!u!,%1!u!", 0, std::vec![4, 2, 3, 5, 1], " 3,5,4"),
    ] {
        let arguments: std::vec::Vec<Arg> = arguments.into_iter().map(n).collect();
        assert_eq!(
            formatted(format, 0, 0, 0, array, &arguments),
            ok(expected),
            "{format} {array}"
        );
    }
}

#[test]
fn numbers_of_64_bits_take_their_arguments() {
    let ok = |text: &str| Ok(text.to_string() + "\0");
    // Of Windows of either width, as Wine's conformance tests record it.
    let rows: &[(&str, u8, &[usize], &str)] = if size_of::<usize>() == 8 {
        &[
            (
                "%1!#I64x! %2!x!",
                0,
                &[0x1234, 0x5678, 0xBEEF],
                "0x1234 5678",
            ),
            (
                "%2!*.*I64x! %1!u! %4!u! %2!u!",
                0,
                &[19, 17, 15, 13, 11, 9],
                "  00000000000000d 19 11 17",
            ),
            (
                "%2!*.*I64x! %1!u! %4!u! %2!u!",
                1,
                &[19, 17, 15, 13, 11, 9, 7],
                "  00000000000000d 19 13 17",
            ),
            (
                "%1!I64u! %2!u! %4!.*I64x! %5!I64u!",
                1,
                &[19, 17, 15, 13, 11, 9, 7],
                "19 17 000000000000b 11",
            ),
        ]
    } else {
        &[
            (
                "%1!#I64x! %2!x!",
                0,
                &[0x1234, 0x5678, 0xBEEF],
                "0x567800001234 beef",
            ),
            ("%2!x! %1!I64x!", 0, &[0x1234, 0x5678, 0xBEEF], "5678 1234"),
            (
                "%2!*.*I64x! %1!u! %4!u! %2!u!",
                0,
                &[19, 17, 15, 13, 11, 9, 7],
                "  000090000000b 19 7 15",
            ),
        ]
    };
    for (format, array, arguments, expected) in rows {
        let arguments: std::vec::Vec<Arg> = arguments.iter().map(|word| Arg::Word(*word)).collect();
        assert_eq!(
            formatted(format, 0, 0, 0, *array, &arguments),
            ok(expected),
            "{format} {array}"
        );
    }
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
        let got = if status == NtStatus::SUCCESS { 12 } else { 99 };
        assert_eq!((status, length), (expected, got));
        assert!(
            to.now()[usize::try_from(room).unwrap() / 2..]
                .iter()
                .all(|unit| *unit == 0x7E)
        );
    }
    // A line's end is written whole or not at all.
    let (format, to) = (wide("ab%n"), Room::filled(0x78_u16, 6));
    let status = RtlFormatMessage(format.ptr(), 0, 0, 0, 0, Ptr::NULL, to.ptr(), 6, Ptr::NULL);
    assert_eq!(
        (status, to.now()),
        (
            NtStatus::BUFFER_OVERFLOW,
            std::vec![0x61, 0x62, 0x78, 0x78, 0x78, 0x78]
        )
    );
}
