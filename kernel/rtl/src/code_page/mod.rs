//! Code pages of one byte a character: text as programs had it before Unicode.
//!
//! Two are built in: what Windows calls ANSI, which is Windows-1252, and what it calls OEM, which is 437. Both hold ASCII in
//! their lower half. A unit that a page does not have becomes the byte that Microsoft's table calls its best fit (`Ā` becomes
//! `A`), and `?` if there is none.

mod tables;

use crate::utf16::upcase;

/// What stands for a unit that a page has nothing for.
pub const DEFAULT_BYTE: u8 = b'?';

/// A code page of one byte a character, with ASCII as its lower half.
#[derive(Debug)]
pub struct CodePage {
    number: u16,
    /// Of the bytes from 0x80 on.
    units: &'static [u16; 128],
    /// First unit, how many, byte of the first; ascending.
    bytes: &'static [(u16, u8, u8)],
}

/// Windows-1252: western European text of Windows.
pub static WINDOWS_1252: CodePage = CodePage {
    number: 1252,
    units: &tables::WINDOWS_1252_UNITS,
    bytes: &tables::WINDOWS_1252_BYTES,
};

/// 437: text of the first IBM PC.
pub static OEM_437: CodePage = CodePage {
    number: 437,
    units: &tables::OEM_437_UNITS,
    bytes: &tables::OEM_437_BYTES,
};

impl CodePage {
    /// Its number, as Windows counts code pages.
    pub const fn number(&self) -> u16 {
        self.number
    }

    /// The unit of a byte.
    #[inline]
    pub fn unit(&self, byte: u8) -> u16 {
        match byte {
            0..0x80 => u16::from(byte),
            _ => self.units[usize::from(byte - 0x80)],
        }
    }

    /// The byte of a unit, or the one that comes nearest.
    #[inline]
    pub fn byte(&self, unit: u16) -> u8 {
        match u8::try_from(unit) {
            Ok(byte) if byte < 0x80 => byte,
            _ => self.byte_beyond_ascii(unit),
        }
    }

    fn byte_beyond_ascii(&self, unit: u16) -> u8 {
        let after = self.bytes.partition_point(|run| run.0 <= unit);
        let Some(&(first, count, byte)) = after.checked_sub(1).map(|at| &self.bytes[at]) else {
            return DEFAULT_BYTE;
        };
        match u8::try_from(unit - first) {
            Ok(distance) if distance < count => byte + distance,
            _ => DEFAULT_BYTE,
        }
    }

    /// The byte of a byte's capital. Where the page lacks the capital, that is what comes nearest.
    #[inline]
    pub fn upcase(&self, byte: u8) -> u8 {
        match byte {
            b'a'..=b'z' => byte - 0x20,
            0..0x80 => byte,
            _ => self.byte(upcase(self.unit(byte))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text and its bytes as Python's codecs have them.
    fn holds(page: &CodePage, text: &str, bytes: &[u8]) {
        assert_eq!(text.encode_utf16().count(), bytes.len());
        for (unit, byte) in text.encode_utf16().zip(bytes) {
            assert_eq!(page.unit(*byte), unit, "unit of {byte:#x}");
            assert_eq!(page.byte(unit), *byte, "byte of {unit:#x}");
        }
    }

    #[test]
    fn bytes_are_characters_of_their_page() {
        holds(
            &WINDOWS_1252,
            "Grüße, €5 “œuvre” ÿ",
            b"Gr\xFC\xDFe, \x805 \x93\x9Cuvre\x94 \xFF",
        );
        holds(
            &OEM_437,
            "Grüße ╔═╗ αßΓ ½²\u{a0}",
            b"Gr\x81\xE1e \xC9\xCD\xBB \xE0\xE1\xE2 \xAB\xFD\xFF",
        );
    }

    #[test]
    fn every_byte_comes_back() {
        for page in [&WINDOWS_1252, &OEM_437] {
            for byte in 0..=0xFF {
                assert_eq!(
                    page.byte(page.unit(byte)),
                    byte,
                    "{} {byte:#x}",
                    page.number
                );
            }
        }
    }

    #[test]
    fn what_is_missing_becomes_what_is_near() {
        assert_eq!(WINDOWS_1252.byte(0x0100), b'A', "A with a line above");
        assert_eq!(WINDOWS_1252.byte(0xFF21), b'A', "a wide A");
        assert_eq!(WINDOWS_1252.byte(0x221E), b'8', "infinity");
        assert_eq!(OEM_437.byte(0x00A9), b'c', "copyright");
        assert_eq!(WINDOWS_1252.byte(0x4E00), b'?', "Chinese");
        assert_eq!(WINDOWS_1252.byte(0xD800), b'?', "half of a pair");
        assert_eq!(OEM_437.byte(0xFFFF), b'?');
    }

    #[test]
    fn capitals() {
        assert_eq!(WINDOWS_1252.upcase(b'z'), b'Z');
        assert_eq!(WINDOWS_1252.upcase(0xFC), 0xDC);
        assert_eq!(WINDOWS_1252.upcase(0xFF), 0x9F, "y with two dots");
        assert_eq!(WINDOWS_1252.upcase(0xDF), 0xDF, "sharp s has none");
        assert_eq!(WINDOWS_1252.upcase(0xF7), 0xF7, "the division sign");
        assert_eq!(OEM_437.upcase(0x81), 0x9A);
        assert_eq!(OEM_437.upcase(0xA0), b'A', "437 has no capital of it");
    }

    #[test]
    fn the_tables_ascend() {
        for page in [&WINDOWS_1252, &OEM_437] {
            for runs in page.bytes.windows(2) {
                assert!(runs[0].0 + u16::from(runs[0].1) <= runs[1].0);
            }
        }
    }
}
