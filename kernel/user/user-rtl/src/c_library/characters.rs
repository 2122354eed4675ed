//! Kinds of characters, and their other case.
//!
//! Bytes are as in C's own locale: from 0x80 on they are of no kind. Units up to U+00FF are as Unicode has them, all others
//! of no kind.
//!
//! # NT
//! The bits are those of `iswctype`, and a function answers with those that hold.

use c_interface::{Ptr, exports};
use rtl::utf16::{downcase, upcase};

use crate::conversions::page::{self, Page};

const UPPER: u16 = 0x001;
const LOWER: u16 = 0x002;
const DIGIT: u16 = 0x004;
const SPACE: u16 = 0x008;
const PUNCTUATION: u16 = 0x010;
const CONTROL: u16 = 0x020;
const BLANK: u16 = 0x040;
const HEXADECIMAL: u16 = 0x080;
/// Letters in either case; units alone have this bit.
const ALPHABETIC: u16 = 0x100;

/// The bits of an ASCII character.
const fn ascii(byte: u8) -> u16 {
    match byte {
        0x09..=0x0D => CONTROL | SPACE,
        0..0x09 | 0x0E..0x20 | 0x7F => CONTROL,
        b' ' => SPACE | BLANK,
        b'0'..=b'9' => DIGIT | HEXADECIMAL,
        b'A'..=b'F' => UPPER | HEXADECIMAL,
        b'a'..=b'f' => LOWER | HEXADECIMAL,
        b'G'..=b'Z' => UPPER,
        b'g'..=b'z' => LOWER,
        0x21..=0x2F | 0x3A..=0x40 | 0x5B..=0x60 | 0x7B..=0x7E => PUNCTUATION,
        _ => 0,
    }
}

/// The bits of a unit.
const fn latin(unit: u16) -> u16 {
    match unit {
        // Unlike the byte, it is blank.
        0x09 => CONTROL | SPACE | BLANK,
        0..0x80 => {
            let bits = ascii(unit.to_le_bytes()[0]);
            if bits & (UPPER | LOWER) == 0 {
                bits
            } else {
                bits | ALPHABETIC
            }
        }
        0x80..=0x9F => CONTROL,
        0xA0 => SPACE | BLANK,
        0xB2 | 0xB3 | 0xB9 => DIGIT | PUNCTUATION,
        0xA1..=0xBF | 0xD7 | 0xF7 => PUNCTUATION,
        0xC0..=0xDE => UPPER | ALPHABETIC,
        0xDF..=0xFF => LOWER | ALPHABETIC,
        _ => 0,
    }
}

/// Which of these bits a character has, as C hands it over: what is no byte is of no kind.
fn of_byte(character: i32, bits: u16) -> i32 {
    u8::try_from(character).map_or(0, |byte| i32::from(ascii(byte) & bits))
}

/// Which of these bits a unit has.
fn of_unit(unit: u16, bits: u16) -> i32 {
    i32::from(latin(unit) & bits)
}

/// Whether a unit counts as a space before numbers.
pub(crate) const fn is_wide_space(unit: u16) -> bool {
    latin(unit) & SPACE != 0
}

/// Whether a byte counts as a space before numbers.
pub(crate) const fn is_space(byte: u8) -> bool {
    ascii(byte) & SPACE != 0
}

/// The capital of a character that has more bytes than one; the first one is high in the result.
fn capital_of_pair(page: &Page, first: u8, second: u8) -> i32 {
    let mut unit = 0_u16;
    page.decode(&[first, second], Ptr::of(&mut unit), 1);
    let mut bytes = [0_u8; 4];
    match page.encode(&[upcase(unit)], Ptr::of(&mut bytes).cast(), bytes.len()) {
        1 => i32::from(bytes[0]),
        2 => i32::from(u16::from_be_bytes([bytes[0], bytes[1]])),
        _ => i32::from(u16::from_le_bytes([first, second])),
    }
}

exports! {
    /// Whether it is a letter or a digit.
    cdecl fn isalnum(character: i32) -> i32 {
        of_byte(character, UPPER | LOWER | DIGIT)
    }

    /// Whether it is a letter.
    cdecl fn isalpha(character: i32) -> i32 {
        of_byte(character, UPPER | LOWER)
    }

    /// Whether it is a control character.
    cdecl fn iscntrl(character: i32) -> i32 {
        of_byte(character, CONTROL)
    }

    /// Whether it is a digit.
    cdecl fn isdigit(character: i32) -> i32 {
        of_byte(character, DIGIT)
    }

    /// Whether it is printed and no space.
    cdecl fn isgraph(character: i32) -> i32 {
        of_byte(character, UPPER | LOWER | DIGIT | PUNCTUATION)
    }

    /// Whether it is a small letter.
    cdecl fn islower(character: i32) -> i32 {
        of_byte(character, LOWER)
    }

    /// Whether it is printed.
    cdecl fn isprint(character: i32) -> i32 {
        of_byte(character, UPPER | LOWER | DIGIT | PUNCTUATION | BLANK)
    }

    /// Whether it is a punctuation mark.
    cdecl fn ispunct(character: i32) -> i32 {
        of_byte(character, PUNCTUATION)
    }

    /// Whether it is a space.
    cdecl fn isspace(character: i32) -> i32 {
        of_byte(character, SPACE)
    }

    /// Whether it is a capital.
    cdecl fn isupper(character: i32) -> i32 {
        of_byte(character, UPPER)
    }

    /// Whether it is a hexadecimal digit.
    cdecl fn isxdigit(character: i32) -> i32 {
        of_byte(character, HEXADECIMAL)
    }

    /// Whether it is ASCII.
    cdecl fn __isascii(character: i32) -> i32 {
        i32::from((0..0x80).contains(&character))
    }

    /// Whether it can be part of a name in C.
    cdecl fn __iscsym(character: i32) -> i32 {
        i32::from(character == 0x5F || of_byte(character, UPPER | LOWER | DIGIT) != 0)
    }

    /// Whether a name in C can begin with it.
    cdecl fn __iscsymf(character: i32) -> i32 {
        i32::from(character == 0x5F || of_byte(character, UPPER | LOWER) != 0)
    }

    /// Its seven low bits.
    cdecl fn __toascii(character: i32) -> i32 {
        character & 0x7F
    }

    /// The small letter of a capital, which the low part of a number decides.
    cdecl fn tolower(character: i32) -> i32 {
        match character.to_le_bytes()[0] {
            b'A'..=b'Z' => character + 0x20,
            _ => character,
        }
    }

    /// The capital of a character in the process's code page: of one byte, or of two with the first one low.
    cdecl fn toupper(character: i32) -> i32 {
        let [first, second, ..] = character.to_le_bytes();
        let page = page::ansi();
        if !page.is_lead_byte(first) {
            return i32::from(page.upcase_byte(first));
        }
        capital_of_pair(&page, first, second)
    }

    /// The small letter of what is a capital.
    cdecl fn _tolower(character: i32) -> i32 {
        character.wrapping_add(0x20)
    }

    /// The capital of what is a small letter.
    cdecl fn _toupper(character: i32) -> i32 {
        character.wrapping_sub(0x20)
    }

    /// Which of these bits a unit has.
    cdecl fn iswctype(unit: u16, bits: u16) -> i32 {
        of_unit(unit, bits)
    }

    /// Whether it is a letter or a digit.
    cdecl fn iswalnum(unit: u16) -> i32 {
        of_unit(unit, UPPER | LOWER | DIGIT | ALPHABETIC)
    }

    /// Whether it is a letter.
    cdecl fn iswalpha(unit: u16) -> i32 {
        of_unit(unit, UPPER | LOWER | ALPHABETIC)
    }

    /// Whether it is ASCII.
    cdecl fn iswascii(unit: u16) -> i32 {
        i32::from(unit < 0x80)
    }

    /// Whether it is a digit.
    cdecl fn iswdigit(unit: u16) -> i32 {
        of_unit(unit, DIGIT)
    }

    /// Whether it is printed and no space.
    cdecl fn iswgraph(unit: u16) -> i32 {
        of_unit(unit, UPPER | LOWER | DIGIT | PUNCTUATION | ALPHABETIC)
    }

    /// Whether it is a small letter.
    cdecl fn iswlower(unit: u16) -> i32 {
        of_unit(unit, LOWER)
    }

    /// Whether it is printed; unlike a byte, a tab is.
    cdecl fn iswprint(unit: u16) -> i32 {
        of_unit(unit, UPPER | LOWER | DIGIT | PUNCTUATION | BLANK | ALPHABETIC)
    }

    /// Whether it is a space.
    cdecl fn iswspace(unit: u16) -> i32 {
        of_unit(unit, SPACE)
    }

    /// Whether it is a hexadecimal digit.
    cdecl fn iswxdigit(unit: u16) -> i32 {
        of_unit(unit, HEXADECIMAL)
    }

    /// The small letter of a unit up to U+00FF.
    cdecl fn towlower(unit: u16) -> u16 {
        match unit {
            0..0x100 => downcase(unit),
            _ => unit,
        }
    }

    /// The capital of a unit.
    cdecl fn towupper(unit: u16) -> u16 {
        upcase(unit)
    }
}

#[cfg(test)]
mod tests {
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
}
