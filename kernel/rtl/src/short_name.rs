//! Names of files as DOS had them: eight characters, a dot, three more.
//!
//! A longer name gets a second, short one: its first letters, a tilde and a number. When four names that begin alike have
//! used up the small numbers, two letters and a hash of the whole name take their place, so that a directory of many such
//! names does not have to be searched for each.
//!
//! # NT
//! `RtlIsNameLegalDOS8Dot3`, `RtlGenerate8dot3Name`. The way of naming is described in Microsoft's "How Windows generates 8.3
//! file names from long file names"; the hash is what others found Windows to use, and nothing depends on it but the names.

use crate::numerals::{Digits, Letters};
use crate::utf16::upcase;

/// As many letters as come before the tilde.
const STEM: usize = 6;
/// As many letters as come before the hash.
const SHORT_STEM: usize = 2;
/// With what number the hash is put in.
const LAST_SMALL_INDEX: u32 = 4;
/// The largest number that leaves a letter.
const LAST_INDEX: u32 = 999_999;

/// Whether a byte of the OEM code page can be in a short name, beside the one dot.
const fn is_legal(byte: u8) -> bool {
    !matches!(
        byte,
        0..0x20
            | b'"'
            | b'*'
            | b'+'
            | b','
            | b'/'
            | b':'
            | b';'
            | b'<'
            | b'='
            | b'>'
            | b'?'
            | b'['
            | b'\\'
            | b']'
            | b'|'
    )
}

/// Whether bytes of the OEM code page are a short name, and whether it has spaces; `None`: it is none.
pub fn check(name: &[u8]) -> Option<bool> {
    if matches!(name, [b'.'] | [b'.', b'.']) {
        return Some(false);
    }
    let mut parts = name.split(|byte| *byte == b'.');
    let stem = parts.next()?;
    let extension = parts.next();
    let sizes = matches!(stem.len(), 1..=8)
        && extension.is_none_or(|extension| matches!(extension.len(), 1..=3));
    let at_edges =
        name.first() == Some(&b' ') || name.last() == Some(&b' ') || stem.last() == Some(&b' ');
    let legal = name.iter().all(|byte| *byte == b'.' || is_legal(*byte));
    (sizes && parts.next().is_none() && !at_edges && legal).then(|| name.contains(&b' '))
}

/// Where looking for a short name has come to: each call of [`next`](Self::next) gives another name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShortNames {
    /// The hash, once it is needed.
    pub checksum: u16,
    /// Whether the stem has the hash.
    pub checksum_inserted: bool,
    /// The letters before the tilde.
    pub stem: [u16; 8],
    /// How many there are.
    pub stem_length: usize,
    /// The dot and the extension.
    pub extension: [u16; 4],
    /// How many units that are; 0: there is no extension.
    pub extension_length: usize,
    /// The last number given.
    pub index: u32,
}

/// A short name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortName {
    units: [u16; 12],
    length: usize,
}

impl ShortName {
    /// Its units.
    pub fn units(&self) -> &[u16] {
        &self.units[..self.length]
    }

    fn push(&mut self, unit: u16) {
        self.units[self.length] = unit;
        self.length += 1;
    }
}

/// A hash of a whole name.
fn hash(name: &[u16]) -> u16 {
    const FACTOR: u32 = 314_159_269;
    const PRIME: i64 = 1_000_000_007;
    const INVERSE: i64 = 1_152_921_497;
    let sum = name.iter().fold(0_u16, |sum, unit| {
        sum.wrapping_mul(0x25).wrapping_add(*unit)
    });
    let product = i64::from(u32::from(sum).wrapping_mul(FACTOR).cast_signed()).abs();
    let rest = product - ((product * INVERSE) >> 60) * PRIME;
    let [low, high, ..] = rest.to_le_bytes();
    // The four digits the other way round.
    u16::from_be_bytes([low.rotate_left(4), high.rotate_left(4)])
}

impl ShortNames {
    /// Whether nothing was looked for yet.
    pub const fn is_new(&self) -> bool {
        self.index == 0 && self.stem_length == 0
    }

    /// The first letters of a name. What a short name cannot have becomes an underscore: `keep` says which units it can have
    /// beside ASCII's.
    pub fn begin(&mut self, name: &[u16], keep: impl Fn(u16) -> bool) {
        let letter = |unit: u16| match u8::try_from(unit) {
            Ok(byte) if byte < 0x80 => {
                if is_legal(byte) {
                    upcase(unit)
                } else {
                    u16::from(b'_')
                }
            }
            _ if keep(unit) => upcase(unit),
            _ => u16::from(b'_'),
        };
        let is_left_out = |unit: &u16| matches!(*unit, 0x20 | 0x2E);
        // Dots in front begin no extension.
        let front = name.iter().take_while(|unit| **unit == 0x2E).count();
        let dot = name
            .iter()
            .rposition(|unit| *unit == 0x2E)
            .filter(|dot| *dot >= front);
        let (stem, extension) = name.split_at(dot.unwrap_or(name.len()));
        for unit in stem.iter().filter(|unit| !is_left_out(unit)).take(STEM) {
            self.stem[self.stem_length] = letter(*unit);
            self.stem_length += 1;
        }
        for unit in extension.iter().filter(|unit| !is_left_out(unit)).take(3) {
            if self.extension_length == 0 {
                self.extension[0] = u16::from(b'.');
                self.extension_length = 1;
            }
            self.extension[self.extension_length] = letter(*unit);
            self.extension_length += 1;
        }
        if self.stem_length <= SHORT_STEM {
            self.insert_hash(name);
        }
    }

    fn insert_hash(&mut self, name: &[u16]) {
        self.checksum = hash(name);
        self.checksum_inserted = true;
        self.stem_length = self.stem_length.min(SHORT_STEM);
        for shift in [12, 8, 4, 0] {
            let digit = Digits::new(
                u64::from(self.checksum >> shift & 0xF),
                16,
                Letters::Capital,
            );
            self.stem[self.stem_length] = u16::from(digit.as_bytes()[0]);
            self.stem_length += 1;
        }
    }

    /// The next short name for a name; `None`: there are no more.
    pub fn next(&mut self, name: &[u16]) -> Option<ShortName> {
        self.index += 1;
        if self.index > LAST_SMALL_INDEX && !self.checksum_inserted {
            self.index = 1;
            self.insert_hash(name);
        }
        if self.index > LAST_INDEX {
            return None;
        }
        let digits = Digits::new(u64::from(self.index), 10, Letters::Capital);
        let digits = digits.as_bytes();
        let mut short = ShortName {
            units: [0; 12],
            length: 0,
        };
        let kept = self.stem_length.min(8 - 1 - digits.len());
        for unit in &self.stem[..kept] {
            short.push(*unit);
        }
        short.push(u16::from(b'~'));
        for digit in digits {
            short.push(u16::from(*digit));
        }
        for unit in &self.extension[..self.extension_length] {
            short.push(*unit);
        }
        Some(short)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::String;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn legal_names() {
        // Of Windows, as Wine's conformance tests record it: whether it is a name, and whether it has spaces.
        for (name, expected) in [
            ("12345678", Some(false)),
            ("123 5678", Some(true)),
            ("12345678.", None),
            ("12345678.a", Some(false)),
            ("12345678.a ", None),
            ("12345678.a c", Some(true)),
            (" 2345678.a ", None),
            ("1 345678.abc", Some(true)),
            ("1      8.a c", Some(true)),
            ("1 3 5 7 .abc", None),
            ("12345678.  c", Some(true)),
            ("123456789.a", None),
            ("12345.abcd", None),
            (".abc", None),
            ("12.abc.d", None),
            (".", Some(false)),
            ("..", Some(false)),
            ("...", None),
            ("", None),
            ("a*b", None),
            ("a+b", None),
            ("a\u{1}", None),
            ("a~1_-$%'`@{}!#()&^", None),
            ("$%'`@{}!", Some(false)),
        ] {
            assert_eq!(check(name.as_bytes()), expected, "{name}");
        }
    }

    fn names(name: &str, count: usize) -> Vec<String> {
        let units: Vec<u16> = name.encode_utf16().collect();
        let mut state = ShortNames::default();
        assert!(state.is_new());
        state.begin(&units, |_| false);
        (0..count)
            .map(|_| String::from_utf16(state.next(&units).unwrap().units()).unwrap())
            .collect()
    }

    #[test]
    fn names_are_made_as_the_article_describes() {
        assert_eq!(
            names("TextFile.Mine.txt", 2),
            ["TEXTFI~1.TXT", "TEXTFI~2.TXT"]
        );
        assert_eq!(names("ver +1.2.text", 1), ["VER_12~1.TEX"]);
        assert_eq!(names(".profile", 1), ["PROFIL~1"]);
        assert_eq!(names("long name without", 1), ["LONGNA~1"]);
        assert_eq!(names("ärger im büro.doc", 1), ["_RGERI~1.DOC"]);
        let fifth = &names("TextFile.txt", 6)[4..];
        assert!(fifth[0].starts_with("TE") && fifth[0].ends_with("~1.TXT") && fifth[0].len() == 12);
        assert!(fifth[1].ends_with("~2.TXT") && fifth[1][..6] == fifth[0][..6]);
        // Names that begin with little get the hash at once.
        let short = &names("a b c.x.y", 1)[0];
        assert!(short.starts_with("ABCX~1"), "{short}");
        let short = &names("é.html", 1)[0];
        assert!(
            short.starts_with('_') && short.ends_with("~1.HTM") && short.len() == 11,
            "{short}"
        );
    }

    #[test]
    fn numbers_push_letters_out_until_there_are_no_more() {
        let units: Vec<u16> = "TextFile".encode_utf16().collect();
        let mut state = ShortNames::default();
        state.begin(&units, |_| false);
        state.checksum_inserted = true;
        state.index = 98_764;
        assert_eq!(
            String::from_utf16(state.next(&units).unwrap().units()).unwrap(),
            "TE~98765"
        );
        state.index = LAST_INDEX;
        assert_eq!(state.next(&units), None);
    }

    #[test]
    fn every_short_name_is_legal() {
        for name in [
            "TextFile.Mine.txt",
            "ver +1.2.text",
            "...",
            "[x];=,.[y]",
            " . . ",
        ] {
            for short in names(name, 20) {
                assert_eq!(check(short.as_bytes()), Some(false), "{name} {short}");
            }
        }
    }
}
