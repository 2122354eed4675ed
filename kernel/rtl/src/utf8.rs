//! UTF-8 and UTF-16, with what is not well formed in either replaced by U+FFFD.
//!
//! Bytes that are no UTF-8 are replaced as Windows does since Vista: one replacement for each longest run that could have
//! been the beginning of a character, as Unicode recommends, but a second byte that cannot follow its first one goes with it
//! (`ED A0` is one replacement, where Unicode has two). Half of a surrogate pair is one replacement too.
//!
//! # NT
//! `RtlUTF8ToUnicodeN`, `RtlUnicodeToUTF8N`.

/// The character that stands for what is none.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// What text is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece {
    /// A character.
    Character(char),
    /// Something that is none, to be shown as U+FFFD.
    Malformed,
}

impl Piece {
    /// The character to write for it.
    pub const fn character(self) -> char {
        match self {
            Self::Character(character) => character,
            Self::Malformed => REPLACEMENT,
        }
    }
}

/// The pieces of UTF-8.
#[derive(Clone, Debug)]
pub struct Utf8Pieces<'a> {
    bytes: &'a [u8],
}

/// The pieces of bytes that should be UTF-8.
pub const fn utf8_pieces(bytes: &[u8]) -> Utf8Pieces<'_> {
    Utf8Pieces { bytes }
}

/// How many bytes follow a first one, its own bits, and which values the second byte may have.
const fn lead(byte: u8) -> Option<(usize, u32, u8, u8)> {
    let (following, bits, low, high) = match byte {
        0xC2..=0xDF => (1, byte & 0x1F, 0x80, 0xBF),
        0xE0 => (2, 0, 0xA0, 0xBF),
        0xED => (2, 0x0D, 0x80, 0x9F),
        0xE1..=0xEF => (2, byte & 0x0F, 0x80, 0xBF),
        0xF0 => (3, 0, 0x90, 0xBF),
        0xF1..=0xF3 => (3, byte & 0x07, 0x80, 0xBF),
        0xF4 => (3, 4, 0x80, 0x8F),
        _ => return None,
    };
    Some((following, bits as u32, low, high))
}

impl Iterator for Utf8Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let (&first, mut rest) = self.bytes.split_first()?;
        if first < 0x80 {
            self.bytes = rest;
            return Some(Piece::Character(char::from(first)));
        }
        let Some((following, mut value, mut low, mut high)) = lead(first) else {
            self.bytes = rest;
            return Some(Piece::Malformed);
        };
        for _ in 0..following {
            match rest.split_first() {
                Some((&byte, after)) if (low..=high).contains(&byte) => {
                    value = value << 6 | u32::from(byte & 0x3F);
                    rest = after;
                    (low, high) = (0x80, 0xBF);
                }
                // Only of a second byte can the range be narrower.
                Some((0x80..=0xBF, after)) => {
                    self.bytes = after;
                    return Some(Piece::Malformed);
                }
                _ => {
                    self.bytes = rest;
                    return Some(Piece::Malformed);
                }
            }
        }
        self.bytes = rest;
        Some(char::from_u32(value).map_or(Piece::Malformed, Piece::Character))
    }
}

/// The pieces of units that should be UTF-16.
pub fn utf16_pieces(units: &[u16]) -> impl Iterator<Item = Piece> + Clone {
    char::decode_utf16(units.iter().copied())
        .map(|character| character.map_or(Piece::Malformed, Piece::Character))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::String;
    use std::vec::Vec;

    use super::*;
    use crate::Random;

    fn text(bytes: &[u8]) -> String {
        utf8_pieces(bytes).map(Piece::character).collect()
    }

    #[test]
    fn malformed_bytes_are_replaced_as_windows_does() {
        // How many replacements Windows makes of what is between two dashes, as Wine's conformance tests record it.
        let rows: [(&[u8], usize); 20] = [
            (b"\xED\xA0\x80", 2),
            (b"\xED\xAF\xBF\xED\xBF\xBF", 4),
            (b"\xF4\x90\x80\x80", 3),
            (b"\xF7\xBF\xBF\xBF", 4),
            (b"\xFA\x80\x80\x80\x80", 5),
            (b"\xFD\xBF\xBF\xBF\xBF\xBF", 6),
            (b"\xC0\xAD", 2),
            (b"\xC1\xBF", 2),
            (b"\xE0\x80\xAD", 2),
            (b"\xE0\x9F\xBF", 2),
            (b"\xF0\x80\x80\xAD", 3),
            (b"\xF0\x8F\xBF\xBF", 3),
            (b"\xFE", 1),
            (b"\xFF\xBF\xBF\xBF", 4),
            (b"\x80\x80", 2),
            (b"\xBF", 1),
            (b"\xC2", 1),
            (b"\xE0\xA0", 1),
            (b"\xF0\x90\x80", 1),
            (b"\xF4\x8F\xBF", 1),
        ];
        for (bytes, replacements) in rows {
            let whole = [b"-", bytes, b"-"].concat();
            let expected: String = ["-", &"\u{FFFD}".repeat(replacements), "-"].concat();
            assert_eq!(text(&whole), expected, "{bytes:x?}");
        }
        assert_eq!(text(b"\xE0\xA0\x80\x80-"), "\u{800}\u{FFFD}-");
        assert_eq!(text(b"X\xF0\x90\x80"), "X\u{FFFD}");
    }

    #[test]
    fn all_else_is_as_the_standard_library_has_it() {
        // The standard library's `from_utf8_lossy` follows Unicode's recommendation, with code of its own.
        let mut random = Random::new(7);
        let interesting = [
            0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0,
            0xE1, 0xED, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
        ];
        let mut compared = 0;
        for _ in 0..30_000 {
            let length = random.index(9);
            let bytes: Vec<u8> = (0..length)
                .map(|_| interesting[random.index(interesting.len())])
                .collect();
            let narrow = |pair: &[u8]| {
                matches!(
                    pair,
                    [0xE0, 0x80..=0x9F]
                        | [0xED, 0xA0..=0xBF]
                        | [0xF0, 0x80..=0x8F]
                        | [0xF4, 0x90..=0xBF]
                )
            };
            if !bytes.windows(2).any(narrow) {
                assert_eq!(text(&bytes), String::from_utf8_lossy(&bytes), "{bytes:x?}");
                compared += 1;
            }
        }
        assert!(compared > 20_000);
    }

    #[test]
    fn halves_of_pairs_are_malformed() {
        let pieces: Vec<Piece> = utf16_pieces(&[0xD83D, 0xDE00, 0xD83D, 0x41, 0xDE00]).collect();
        assert_eq!(
            pieces,
            [
                Piece::Character('😀'),
                Piece::Malformed,
                Piece::Character('A'),
                Piece::Malformed,
            ]
        );
    }
}
