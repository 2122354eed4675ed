//! Kinds and cases against what other libraries say.

use super::*;

/// Where a function's answer changes, up to the end of what it knows.
fn changes(answers: impl Fn(i32) -> i32, expected: &[(i32, i32)]) {
    let mut answer = 0;
    for character in 0..0x180 {
        if let Some((_, other)) = expected.iter().find(|row| row.0 == character) {
            answer = *other;
        }
        assert_eq!(answers(character), answer, "{character:#x}");
    }
}

fn unit(answers: extern "C" fn(u16) -> i32) -> impl Fn(i32) -> i32 {
    move |character| answers(u16::try_from(character).unwrap())
}

#[test]
fn bytes_are_of_the_kinds_that_c_has() {
    // The standard library's own functions for ASCII say the same.
    type Row = (extern "C" fn(i32) -> i32, fn(&u8) -> bool);
    let rows: [Row; 10] = [
        (isalnum, u8::is_ascii_alphanumeric),
        (isalpha, u8::is_ascii_alphabetic),
        (iscntrl, u8::is_ascii_control),
        (isdigit, u8::is_ascii_digit),
        (isgraph, u8::is_ascii_graphic),
        (islower, u8::is_ascii_lowercase),
        (ispunct, u8::is_ascii_punctuation),
        (isupper, u8::is_ascii_uppercase),
        (isxdigit, u8::is_ascii_hexdigit),
        (isspace, |byte| byte.is_ascii_whitespace() || *byte == 0x0B),
    ];
    for (ours, theirs) in rows {
        for byte in 0..=u8::MAX {
            assert_eq!(ours(i32::from(byte)) != 0, theirs(&byte), "{byte:#x}");
        }
        assert_eq!((ours(-1), ours(0x141)), (0, 0));
    }
    changes(
        |character| isprint(character),
        &[
            (0x20, 0x40),
            (0x21, 0x10),
            (0x30, 4),
            (0x3A, 0x10),
            (0x41, 1),
            (0x5B, 0x10),
            (0x61, 2),
            (0x7B, 0x10),
            (0x7F, 0),
        ],
    );
}

#[test]
fn units_are_of_the_kinds_that_ntdll_has() {
    // The answers of Wine's ntdll.
    changes(
        unit(iswalnum),
        &[
            (0x30, 4),
            (0x3A, 0),
            (0x41, 0x101),
            (0x5B, 0),
            (0x61, 0x102),
            (0x7B, 0),
            (0xB2, 4),
            (0xB4, 0),
            (0xB9, 4),
            (0xBA, 0),
            (0xC0, 0x101),
            (0xD7, 0),
            (0xD8, 0x101),
            (0xDF, 0x102),
            (0xF7, 0),
            (0xF8, 0x102),
            (0x100, 0),
        ],
    );
    changes(
        unit(iswlower),
        &[
            (0x61, 2),
            (0x7B, 0),
            (0xDF, 2),
            (0xF7, 0),
            (0xF8, 2),
            (0x100, 0),
        ],
    );
    changes(
        unit(iswspace),
        &[(9, 8), (0xE, 0), (0x20, 8), (0x21, 0), (0xA0, 8), (0xA1, 0)],
    );
    changes(
        unit(iswprint),
        &[
            (9, 0x40),
            (0xA, 0),
            (0x20, 0x40),
            (0x21, 0x10),
            (0x30, 4),
            (0x3A, 0x10),
            (0x41, 0x101),
            (0x5B, 0x10),
            (0x61, 0x102),
            (0x7B, 0x10),
            (0x7F, 0),
            (0xA0, 0x40),
            (0xA1, 0x10),
            (0xB2, 0x14),
            (0xB4, 0x10),
            (0xB9, 0x14),
            (0xBA, 0x10),
            (0xC0, 0x101),
            (0xD7, 0x10),
            (0xD8, 0x101),
            (0xDF, 0x102),
            (0xF7, 0x10),
            (0xF8, 0x102),
            (0x100, 0),
        ],
    );
    changes(
        |character| iswctype(u16::try_from(character).unwrap(), 0x20),
        &[(0, 0x20), (0x20, 0), (0x7F, 0x20), (0xA0, 0)],
    );
    changes(
        unit(iswxdigit),
        &[
            (0x30, 0x80),
            (0x3A, 0),
            (0x41, 0x80),
            (0x47, 0),
            (0x61, 0x80),
            (0x67, 0),
        ],
    );
}

#[test]
fn cases() {
    // As Wine's conformance tests have it of Windows: the low byte decides, and a capital is one of the code page.
    assert_eq!(
        (tolower(0x41), tolower(0xC4), tolower(0x141), tolower(-1)),
        (0x61, 0xC4, 0x161, -1)
    );
    assert_eq!(
        (toupper(0x61), toupper(0xE4), toupper(0xFF), toupper(-1)),
        (0x41, 0xC4, 0x9F, 0x9F)
    );
    assert_eq!((toupper(0x161), toupper(0x142)), (0x41, 0x42));
    for unit in 0..=u16::MAX {
        let small = match unit {
            0x41..=0x5A | 0xC0..=0xD6 | 0xD8..=0xDE => unit + 32,
            _ => unit,
        };
        assert_eq!((towlower(unit), towupper(unit)), (small, upcase(unit)));
    }
}

#[test]
fn all_bits_of_a_unit() {
    // As Wine's conformance tests have it of Windows.
    for (first, last, bits) in [
        (0x00, 0x08, 0x20),
        (0x09, 0x09, 0x68),
        (0x0A, 0x0D, 0x28),
        (0x0E, 0x1F, 0x20),
        (0x20, 0x20, 0x48),
        (0x21, 0x2F, 0x10),
        (0x30, 0x39, 0x84),
        (0x3A, 0x40, 0x10),
        (0x41, 0x46, 0x181),
        (0x47, 0x5A, 0x101),
        (0x5B, 0x60, 0x10),
        (0x61, 0x66, 0x182),
        (0x67, 0x7A, 0x102),
        (0x7B, 0x7E, 0x10),
        (0x7F, 0x9F, 0x20),
        (0xA0, 0xA0, 0x48),
        (0xA1, 0xB1, 0x10),
        (0xB2, 0xB3, 0x14),
        (0xB4, 0xB8, 0x10),
        (0xB9, 0xB9, 0x14),
        (0xBA, 0xBF, 0x10),
        (0xC0, 0xD6, 0x101),
        (0xD7, 0xD7, 0x10),
        (0xD8, 0xDE, 0x101),
        (0xDF, 0xF6, 0x102),
        (0xF7, 0xF7, 0x10),
        (0xF8, 0xFF, 0x102),
        (0x100, 0xFFFF, 0),
    ] {
        for unit in first..=last {
            assert_eq!(iswctype(unit, 0xFFFF), bits, "{unit:#x}");
        }
    }
}
