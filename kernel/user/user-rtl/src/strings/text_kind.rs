//! Whether bytes of unknown origin are UTF-16: a guess, made of several tests.
//!
//! # NT
//! `RtlIsTextUnicode`; documented as `IsTextUnicode`. The statistics are those that made Notepad take a short English
//! sentence for Chinese: how much low bytes differ from one to the next against how much high bytes do.

use c_interface::{Ptr, exports};

const ASCII16: u32 = 0x0001;
const STATISTICS: u32 = 0x0002;
const CONTROLS: u32 = 0x0004;
const SIGNATURE: u32 = 0x0008;
const UNICODE_MASK: u32 = 0x000F;
const REVERSE_ASCII16: u32 = 0x0010;
const REVERSE_STATISTICS: u32 = 0x0020;
const REVERSE_CONTROLS: u32 = 0x0040;
const REVERSE_SIGNATURE: u32 = 0x0080;
const REVERSE_MASK: u32 = 0x00F0;
const ILLEGAL_CHARS: u32 = 0x0100;
const ODD_LENGTH: u32 = 0x0200;
const NOT_UNICODE_MASK: u32 = 0x0F00;
const NULL_BYTES: u32 = 0x1000;

/// How many units the statistics look at.
const SAMPLE: usize = 256;
/// Zero-extended ASCII whose bytes differ by less than this in all is told as such: a few letters at most. The other way
/// round there is no limit.
const ASCII_DIFFERENCE: u32 = 127;
/// How many times more one kind of byte must differ than the other.
const FACTOR: u32 = 3;

/// A line's end, a tab, a space, a wide space.
const CONTROL_UNITS: [u16; 5] = [0x000D, 0x000A, 0x0009, 0x0020, 0x3000];
/// A signature the wrong way round, a zero, a line's end of two bytes, no character.
const ILLEGAL_UNITS: [u16; 4] = [0xFFFE, 0x0000, 0x0A0D, 0xFFFF];

fn signature(units: impl Iterator<Item = u16>) -> u32 {
    match units.into_iter().next() {
        Some(0xFEFF) => SIGNATURE,
        Some(0xFFFE) => REVERSE_SIGNATURE,
        _ => 0,
    }
}

fn flag(flag: u32, holds: bool) -> u32 {
    if holds { flag } else { 0 }
}

fn statistics(units: impl Iterator<Item = u16>) -> u32 {
    let (mut low, mut high) = (0, 0);
    let mut before = [0, 0];
    for unit in units.take(SAMPLE) {
        let bytes = unit.to_le_bytes();
        low += u32::from(bytes[0].abs_diff(before[0]));
        high += u32::from(bytes[1].abs_diff(before[1]));
        before = bytes;
    }
    flag(STATISTICS, FACTOR * high < low)
        | flag(REVERSE_STATISTICS, FACTOR * low < high)
        | flag(ASCII16, high == 0 && low < ASCII_DIFFERENCE)
        | flag(REVERSE_ASCII16, low == 0 && high > 0)
}

/// All that the tests find.
fn findings(bytes: &[u8]) -> u32 {
    let units = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    // A zero at the end ends the text, of units or of bytes.
    let last = units.clone().count().saturating_sub(1);
    let is_illegal =
        |(index, unit): (usize, u16)| ILLEGAL_UNITS.contains(&unit) && (unit != 0 || index != last);
    let any = |test: fn(u16) -> bool| units.clone().any(test);
    signature(units.clone())
        | statistics(units.clone())
        | flag(CONTROLS, any(|unit| CONTROL_UNITS.contains(&unit)))
        | flag(
            REVERSE_CONTROLS,
            any(|unit| CONTROL_UNITS.contains(&unit.swap_bytes())),
        )
        | flag(ILLEGAL_CHARS, units.clone().enumerate().any(is_illegal))
        | flag(NULL_BYTES, bytes[..bytes.len() - 1].contains(&0))
        | flag(ODD_LENGTH, !bytes.len().is_multiple_of(2))
}

exports! {
    /// Whether bytes are probably UTF-16. The flags say which tests to make, and on return which held; none is all.
    fn RtlIsTextUnicode(bytes: Ptr<u8>, length: i32, flags: Ptr<u32>) -> u8 {
        let length = usize::try_from(length).unwrap_or(0);
        if length < 2 {
            flags.write_optional(0);
            return 0;
        }
        let wanted = flags.read_optional().unwrap_or(u32::MAX);
        let found = findings(bytes.slice(length)) & wanted;
        flags.write_optional(found);
        let unlikely = found & (REVERSE_MASK | NOT_UNICODE_MASK) != 0;
        let likely = found & (UNICODE_MASK | NULL_BYTES) != 0;
        // A signature settles it.
        u8::from(found & SIGNATURE != 0 && found & NOT_UNICODE_MASK == 0 || likely && !unlikely)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::super::testing::Room;
    use super::*;

    fn guess(bytes: &[u8], flags: u32) -> (u8, u32) {
        let room = Room::new(bytes);
        let mut flags = flags;
        let guess = RtlIsTextUnicode(
            room.ptr(),
            i32::try_from(bytes.len()).unwrap(),
            Ptr::of(&mut flags),
        );
        (guess, flags)
    }

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn reversed(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_be_bytes).collect()
    }

    #[test]
    fn text_of_each_kind() {
        // Answers of Windows, as Wine's conformance tests record them: which tests to make, the guess, what held.
        let text = "A Unicode string\0";
        let plain = "AUnicodestring\0";
        let mixed: Vec<u8> = [9_u16, 0x9000, 0x0D00, 0x000A, 0]
            .iter()
            .flat_map(|unit| unit.to_le_bytes())
            .collect();
        for (bytes, wanted, is, found) in [
            (wide(text), UNICODE_MASK, 1, STATISTICS | CONTROLS),
            (wide(text), REVERSE_MASK, 0, 0),
            (
                reversed(text),
                REVERSE_MASK,
                0,
                REVERSE_ASCII16 | REVERSE_STATISTICS | REVERSE_CONTROLS,
            ),
            (
                reversed(&std::format!("\u{FEFF}{text}")),
                REVERSE_MASK,
                0,
                REVERSE_CONTROLS | REVERSE_SIGNATURE,
            ),
            (wide(plain), CONTROLS, 0, 0),
            (reversed(plain), CONTROLS, 0, 0),
            (wide(text), CONTROLS, 1, CONTROLS),
            (reversed(plain), REVERSE_CONTROLS, 0, 0),
            (wide(text), REVERSE_CONTROLS, 0, 0),
            (mixed.clone(), CONTROLS, 1, CONTROLS),
            (mixed.clone(), REVERSE_CONTROLS, 0, REVERSE_CONTROLS),
            (
                mixed,
                CONTROLS | REVERSE_CONTROLS,
                0,
                CONTROLS | REVERSE_CONTROLS,
            ),
            (b"\x41\x0A\x0D\x1D".to_vec(), STATISTICS, 1, STATISTICS),
        ] {
            assert_eq!(guess(&bytes, wanted), (is, found), "{bytes:x?}");
        }
        for (bytes, is) in [
            (b"A simple string\0".to_vec(), 0),
            (wide(text), 1),
            (wide(text)[..wide(text).len() - 1].to_vec(), 0),
            (reversed(text), 0),
            (b"\x0A\x0D".to_vec(), 0),
            (wide("\u{FEFF}日本"), 1),
        ] {
            let room = Room::new(&bytes);
            let length = i32::try_from(bytes.len()).unwrap();
            assert_eq!(
                RtlIsTextUnicode(room.ptr(), length, Ptr::NULL),
                is,
                "{bytes:x?}"
            );
        }
        assert_eq!(guess(&wide("@A"), ASCII16), (1, ASCII16));
        assert_eq!(
            guess(&wide("A simple\0string"), u32::MAX).0,
            0,
            "a zero in the middle"
        );
        let (is, found) = guess(&wide("\u{FFFE}ab"), REVERSE_SIGNATURE | ILLEGAL_CHARS);
        assert_eq!((is, found), (0, REVERSE_SIGNATURE | ILLEGAL_CHARS));
    }

    #[test]
    fn the_sentence_that_fooled_notepad() {
        let (is, found) = guess(b"Bush hid the facts", u32::MAX);
        assert_eq!((is, found & UNICODE_MASK), (1, STATISTICS));
    }

    #[test]
    fn only_what_was_asked_for() {
        let text = wide("a b");
        assert_eq!(guess(&text, SIGNATURE), (0, 0));
        assert_eq!(guess(&text, CONTROLS), (1, CONTROLS));
        assert_eq!(guess(&text, NULL_BYTES), (1, NULL_BYTES));
        let mut odd = text.clone();
        odd.push(b'x');
        assert_eq!(
            guess(&odd, ODD_LENGTH | CONTROLS),
            (0, ODD_LENGTH | CONTROLS)
        );
        assert_eq!(guess(b"x", u32::MAX), (0, 0));
    }
}
