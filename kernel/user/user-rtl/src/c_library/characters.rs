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
mod tests;
