//! What characters are: letters, digits, signs; in which direction they are written.
//!
//! # NT
//! "`GetStringTypeW`", Microsoft Learn. C libraries make their tables of letters and digits of this.
//!
//! # Differs
//! Of the third kind of answer (`CT_CTYPE3`) only what Unicode's categories say: letters, signs, marks, kana, ideographs.

mod runs;

use runs::RUNS;

/// What Unicode says of a character, as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kind(u8);

impl Kind {
    const CAPITAL: Self = Self(0);
    const SMALL: Self = Self(1);
    const TITLE: Self = Self(2);
    const LETTER: Self = Self(3);
    const LETTER_NUMBER: Self = Self(4);
    const DIGIT: Self = Self(5);
    const MARK: Self = Self(7);
    const PUNCTUATION: Self = Self(9);
    const SPACE: Self = Self(10);
    const CONTROL: Self = Self(11);
    const FORMAT: Self = Self(12);
    const UNKNOWN: Self = Self(15);
    const SIGN: Self = Self(16);
}

/// `C1_*`.
pub mod first {
    /// Capital.
    pub const UPPER: u16 = 0x001;
    /// Small letter.
    pub const LOWER: u16 = 0x002;
    /// Decimal digit.
    pub const DIGIT: u16 = 0x004;
    /// White space.
    pub const SPACE: u16 = 0x008;
    /// Punctuation.
    pub const PUNCT: u16 = 0x010;
    /// Control.
    pub const CNTRL: u16 = 0x020;
    /// Blank.
    pub const BLANK: u16 = 0x040;
    /// Hexadecimal digit.
    pub const XDIGIT: u16 = 0x080;
    /// Letter.
    pub const ALPHA: u16 = 0x100;
    /// A character at all.
    pub const DEFINED: u16 = 0x200;
}

/// `C3_*`.
pub mod third {
    /// A mark that takes no room.
    pub const NONSPACING: u16 = 0x0001;
    /// A sign.
    pub const SYMBOL: u16 = 0x0008;
    /// Katakana.
    pub const KATAKANA: u16 = 0x0010;
    /// Hiragana.
    pub const HIRAGANA: u16 = 0x0020;
    /// A narrow form.
    pub const HALFWIDTH: u16 = 0x0040;
    /// A wide form.
    pub const FULLWIDTH: u16 = 0x0080;
    /// An ideograph.
    pub const IDEOGRAPH: u16 = 0x0100;
    /// The first half of a pair.
    pub const HIGH_SURROGATE: u16 = 0x0800;
    /// The second half of a pair.
    pub const LOW_SURROGATE: u16 = 0x1000;
    /// A letter.
    pub const ALPHA: u16 = 0x8000;
}

/// The kind of a unit, and its direction.
fn look_up(unit: u16) -> (Kind, u8) {
    let behind = RUNS.partition_point(|(start, ..)| *start <= unit);
    // The first run begins at 0.
    let (_, kind, direction) = RUNS[behind.saturating_sub(1)];
    (Kind(kind), direction)
}

/// Letters, digits, spaces (`CT_CTYPE1`).
pub fn class(unit: u16) -> u16 {
    use first::*;
    let (kind, _) = look_up(unit);
    let bits = match kind {
        Kind::UNKNOWN => return 0,
        Kind::CAPITAL => UPPER | ALPHA,
        Kind::SMALL => LOWER | ALPHA,
        Kind::TITLE => UPPER | LOWER | ALPHA,
        Kind::LETTER | Kind::LETTER_NUMBER => ALPHA,
        Kind::DIGIT => DIGIT,
        Kind::PUNCTUATION => PUNCT,
        // Signs are punctuation in the first 256 characters, where programs of old look for it.
        Kind::SIGN if unit < 0x100 => PUNCT,
        Kind::SPACE => SPACE,
        Kind::CONTROL | Kind::FORMAT => CNTRL,
        _ => 0,
    };
    DEFINED | bits | further(unit)
}

/// What single characters are besides.
const fn further(unit: u16) -> u16 {
    use first::*;
    let narrow = match unit {
        0xFF01..=0xFF5E => unit - 0xFEE0,
        other => other,
    };
    match narrow {
        0x30..=0x39 | 0x41..=0x46 | 0x61..=0x66 => XDIGIT,
        0x09 => SPACE | BLANK,
        0x0A..=0x0D | 0x85 => SPACE,
        0x20 | 0xA0 | 0x3000 | 0xFEFF => BLANK,
        // Superscripts and fractions of the first 256 characters.
        0xB2 | 0xB3 | 0xB9 => PUNCT | DIGIT,
        0xBC..=0xBE | 0xAD => PUNCT,
        // Letters that are raised, and the micro sign.
        0xAA | 0xBA | 0xB5 => PUNCT | LOWER,
        0x2071 | 0x207F => LOWER,
        _ => 0,
    }
}

/// The direction in which a character is written (`CT_CTYPE2`).
pub fn direction(unit: u16) -> u16 {
    u16::from(look_up(unit).1)
}

/// What text processing wants to know (`CT_CTYPE3`).
pub fn processing(unit: u16) -> u16 {
    use third::*;
    let (kind, _) = look_up(unit);
    let of_kind = match kind {
        Kind::CAPITAL | Kind::SMALL | Kind::TITLE | Kind::LETTER | Kind::LETTER_NUMBER => ALPHA,
        Kind::MARK => NONSPACING,
        Kind::SIGN => SYMBOL,
        Kind::PUNCTUATION if unit < 0x80 => SYMBOL,
        _ => 0,
    };
    let of_place = match unit {
        0x20..=0x7E => HALFWIDTH,
        0x3041..=0x3096 => HIRAGANA | FULLWIDTH,
        0x30A1..=0x30FA => KATAKANA | FULLWIDTH,
        0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF => IDEOGRAPH,
        0xD800..=0xDBFF => HIGH_SURROGATE,
        0xDC00..=0xDFFF => LOW_SURROGATE,
        0xFF01..=0xFF5E => FULLWIDTH,
        0xFF66..=0xFF9D => KATAKANA | HALFWIDTH,
        _ => 0,
    };
    of_kind | of_place
}

/// The capital of a letter as languages have it, where Unicode has one of one unit.
pub fn capital(unit: u16) -> u16 {
    let Some(letter) = char::from_u32(u32::from(unit)) else {
        return unit;
    };
    let mut capitals = letter.to_uppercase();
    match (capitals.next(), capitals.next()) {
        (Some(capital), None) => u16::try_from(u32::from(capital)).unwrap_or(unit),
        _ => unit,
    }
}

/// Whether a unit is a letter.
pub fn is_alphabetic(unit: u16) -> bool {
    class(unit) & first::ALPHA != 0
}

/// Whether a unit is a decimal digit.
pub fn is_digit(unit: u16) -> bool {
    class(unit) & first::DIGIT != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Windows answers for ASCII, from the documentation of `GetStringTypeW` and the tables of C's `<ctype.h>`.
    #[test]
    fn ascii_is_as_c_has_it() {
        for unit in 0..0x80_u16 {
            let character = char::from(u8::try_from(unit).unwrap());
            let bits = class(unit);
            let has = |bit| bits & bit != 0;
            assert_eq!(
                has(first::UPPER),
                character.is_ascii_uppercase(),
                "{unit:#x}"
            );
            assert_eq!(
                has(first::LOWER),
                character.is_ascii_lowercase(),
                "{unit:#x}"
            );
            assert_eq!(has(first::DIGIT), character.is_ascii_digit(), "{unit:#x}");
            assert_eq!(
                has(first::XDIGIT),
                character.is_ascii_hexdigit(),
                "{unit:#x}"
            );
            assert_eq!(
                has(first::PUNCT),
                character.is_ascii_punctuation(),
                "{unit:#x}"
            );
            assert_eq!(has(first::CNTRL), character.is_ascii_control(), "{unit:#x}");
            assert_eq!(
                has(first::ALPHA),
                character.is_ascii_alphabetic(),
                "{unit:#x}"
            );
            let space = matches!(unit, 0x09..=0x0D | 0x20);
            assert_eq!(has(first::SPACE), space, "{unit:#x}");
            assert_eq!(has(first::BLANK), matches!(unit, 0x09 | 0x20), "{unit:#x}");
        }
    }

    #[test]
    fn other_characters() {
        // Recorded from Wine 8, whose tables are Unicode's with Windows' rules.
        for (unit, expected) in [
            (0x00C4, 0x301),
            (0x00E4, 0x302),
            (0x00B2, 0x214),
            (0x00AA, 0x312),
            (0x01C5, 0x303),
            (0x0416, 0x301),
            (0x0660, 0x204),
            (0x2003, 0x208),
            (0x20AC, 0x200),
            (0x3042, 0x300),
            (0x4E00, 0x300),
            (0xFEFF, 0x260),
            (0xFF11, 0x284),
            (0xFFFF, 0),
        ] {
            assert_eq!(class(unit), expected, "{unit:#x}");
        }
        assert_eq!(direction(u16::from(b'a')), 1);
        assert_eq!(direction(0x05D0), 2, "Hebrew");
        assert_eq!(direction(u16::from(b'1')), 3);
        assert_eq!(direction(u16::from(b' ')), 10);
        assert_eq!(processing(u16::from(b'a')), third::ALPHA | third::HALFWIDTH);
        assert_eq!(processing(0x4E00), third::ALPHA | third::IDEOGRAPH);
    }
}
