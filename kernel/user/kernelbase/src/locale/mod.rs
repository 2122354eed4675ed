//! Locales: English in the United States, and the invariant one.
//!
//! Other locales are a file of Windows that is not there; whoever asks for one is told that it is no locale.
//!
//! # NT
//! "National Language Support", Microsoft Learn.

mod data;
pub mod dates;
pub mod numbers;

use crate::error::{Error, Win};

/// `LOCALE_INVARIANT`.
const INVARIANT: u32 = 0x7F;
/// English in the United States.
pub const EN_US: u32 = 0x409;
/// English.
const EN: u32 = 0x09;
/// `LOCALE_USER_DEFAULT`.
const USER_DEFAULT: u32 = 0x400;
/// `LOCALE_SYSTEM_DEFAULT`.
const SYSTEM_DEFAULT: u32 = 0x800;
/// The identifiers of languages and sorts.
const LCID_MASK: u32 = 0xF_FFFF;

/// `LCTYPE`: numbers whose texts are used here.
pub mod kind {
    /// `LOCALE_SDECIMAL`.
    pub const DECIMAL: u32 = 0x0E;
    /// `LOCALE_STHOUSAND`.
    pub const THOUSAND: u32 = 0x0F;
    /// `LOCALE_SCURRENCY`.
    pub const CURRENCY: u32 = 0x14;
    /// `LOCALE_SSHORTDATE`.
    pub const SHORT_DATE: u32 = 0x1F;
    /// `LOCALE_SLONGDATE`.
    pub const LONG_DATE: u32 = 0x20;
    /// `LOCALE_S1159`.
    pub const BEFORE_NOON: u32 = 0x28;
    /// `LOCALE_S2359`.
    pub const AFTER_NOON: u32 = 0x29;
    /// `LOCALE_SDAYNAME1`: Monday.
    pub const FIRST_DAY_NAME: u32 = 0x2A;
    /// `LOCALE_SABBREVDAYNAME1`.
    pub const FIRST_SHORT_DAY_NAME: u32 = 0x31;
    /// `LOCALE_SMONTHNAME1`.
    pub const FIRST_MONTH_NAME: u32 = 0x38;
    /// `LOCALE_SABBREVMONTHNAME1`.
    pub const FIRST_SHORT_MONTH_NAME: u32 = 0x44;
    /// `LOCALE_FONTSIGNATURE`.
    pub const FONT_SIGNATURE: u32 = 0x58;
    /// `LOCALE_SNAME`.
    pub const NAME: u32 = 0x5C;
    /// `LOCALE_SMONTHDAY`.
    pub const MONTH_DAY: u32 = 0x78;
    /// `LOCALE_STIMEFORMAT`.
    pub const TIME_FORMAT: u32 = 0x1003;
    /// `LOCALE_SYEARMONTH`.
    pub const YEAR_MONTH: u32 = 0x1006;
    /// `LOCALE_RETURN_NUMBER`.
    pub const RETURN_NUMBER: u32 = 0x2000_0000;
    /// `LOCALE_RETURN_GENITIVE_NAMES`, `LOCALE_USE_CP_ACP`, `LOCALE_NOUSEROVERRIDE`, `LOCALE_ALLOW_NEUTRAL_NAMES`: they make no
    /// difference here.
    pub const MODIFIERS: u32 = 0xD800_0000;
}

/// `LOCALE_FONTSIGNATURE` of both locales: Unicode ranges and code pages of Latin text.
static FONT_SIGNATURE: [u16; 16] = [
    3, 0, 0, 0, 0, 0, 0, 0x8000, 1, 0, 0, 0x8000, 0x019F, 0, 0, 0xDFD7,
];

/// A locale.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Locale {
    /// English in the United States: the user's and the system's.
    EnUs,
    /// Nobody's.
    Invariant,
}

/// A letter of ASCII without its case.
fn small(unit: u16) -> u16 {
    match unit {
        0x41..=0x5A => unit + 0x20,
        _ => unit,
    }
}

/// Whether units are a text of ASCII, whatever its case.
fn is(units: &[u16], text: &str) -> bool {
    units
        .iter()
        .map(|unit| small(*unit))
        .eq(text.bytes().map(u16::from))
}

impl Locale {
    /// The locale of an identifier; `None`: it is not here.
    pub fn of_id(id: u32) -> Option<Self> {
        match id & LCID_MASK {
            0 | EN | EN_US | USER_DEFAULT | SYSTEM_DEFAULT => Some(Self::EnUs),
            INVARIANT => Some(Self::Invariant),
            _ => None,
        }
    }

    /// The locale of a name; `None`: it is not here. No name at all is the user's, an empty one the invariant locale's.
    pub fn of_name(name: Option<&[u16]>) -> Option<Self> {
        let Some(name) = name else {
            return Some(Self::EnUs);
        };
        if name.is_empty() {
            return Some(Self::Invariant);
        }
        let known = is(name, "en-us") || is(name, "en") || is(name, "!x-sys-default-locale");
        known.then_some(Self::EnUs)
    }

    /// Whether an identifier is a locale's own.
    pub const fn is_id(id: u32) -> bool {
        matches!(id, EN | EN_US | INVARIANT)
    }

    /// Its identifier.
    pub const fn id(self) -> u32 {
        match self {
            Self::EnUs => EN_US,
            Self::Invariant => INVARIANT,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EnUs => "en-US",
            Self::Invariant => "",
        }
    }

    /// What it says by a number of `LCTYPE`; `None`: nothing has this number.
    pub fn text(self, kind: u32) -> Option<&'static str> {
        let kind = u16::try_from(kind).ok()?;
        let own = match self {
            Self::EnUs => data::EN_US,
            Self::Invariant => data::INVARIANT,
        };
        [own, data::COMMON].into_iter().find_map(|table| {
            let at = table
                .binary_search_by_key(&kind, |(known, _)| *known)
                .ok()?;
            Some(table[at].1)
        })
    }

    /// The same, where it is known to be there.
    pub(crate) fn known(self, kind: u32) -> &'static str {
        self.text(kind).unwrap_or_default()
    }

    /// A number that it says; those of languages are hexadecimal.
    ///
    /// # Errors
    /// `INVALID_FLAGS`: what it says is no number.
    pub fn number(self, kind: u32) -> Win<u32> {
        /// `LOCALE_ILANGUAGE`, `LOCALE_IDEFAULTLANGUAGE`.
        const HEXADECIMAL: [u32; 2] = [1, 9];
        let text = self.text(kind).ok_or(Error::INVALID_FLAGS)?;
        let base = if HEXADECIMAL.contains(&kind) { 16 } else { 10 };
        u32::from_str_radix(text, base).map_err(|_| Error::INVALID_FLAGS)
    }

    /// What it says, in units, with the terminator that texts have: what `GetLocaleInfo` gives.
    ///
    /// # Errors
    /// `INVALID_FLAGS`: nothing has this number, or what has it is no number and one is wanted.
    pub fn answer(self, kind: u32, mut put: impl FnMut(u16)) -> Win {
        let plain = kind & !kind::MODIFIERS;
        if plain & kind::RETURN_NUMBER != 0 {
            let number = self.number(plain & !kind::RETURN_NUMBER)?;
            let [a, b, c, d] = number.to_le_bytes();
            put(u16::from_le_bytes([a, b]));
            put(u16::from_le_bytes([c, d]));
            return Ok(());
        }
        if plain == kind::FONT_SIGNATURE {
            FONT_SIGNATURE.into_iter().for_each(put);
            return Ok(());
        }
        let text = self.text(plain).ok_or(Error::INVALID_FLAGS)?;
        text.encode_utf16().chain([0]).for_each(put);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn tables_ascend() {
        for table in [data::COMMON, data::EN_US, data::INVARIANT] {
            assert!(table.is_sorted_by_key(|(kind, _)| *kind));
        }
    }

    #[test]
    fn locales_have_identifiers_and_names() {
        assert_eq!(Locale::of_id(0x409), Some(Locale::EnUs));
        assert_eq!(Locale::of_id(0x400), Some(Locale::EnUs));
        assert_eq!(Locale::of_id(0x7F), Some(Locale::Invariant));
        assert_eq!(Locale::of_id(0x407), None, "German");
        assert_eq!(Locale::of_name(Some(&utf16("EN-us"))), Some(Locale::EnUs));
        assert_eq!(Locale::of_name(Some(&[])), Some(Locale::Invariant));
        assert_eq!(Locale::of_name(None), Some(Locale::EnUs));
        assert_eq!(Locale::of_name(Some(&utf16("de-DE"))), None);
    }

    #[test]
    fn what_the_documentation_says_of_en_us() {
        // "Locale Information Constants", Microsoft Learn.
        assert_eq!(Locale::EnUs.text(kind::DECIMAL), Some("."));
        assert_eq!(Locale::EnUs.text(kind::SHORT_DATE), Some("M/d/yyyy"));
        assert_eq!(
            Locale::EnUs.text(kind::LONG_DATE),
            Some("dddd, MMMM d, yyyy")
        );
        assert_eq!(Locale::EnUs.text(0x59), Some("en"));
        assert_eq!(Locale::EnUs.number(1), Ok(0x409));
        assert_eq!(Locale::EnUs.number(0x1004), Ok(1252));
        assert_eq!(
            Locale::EnUs.number(kind::DECIMAL),
            Err(Error::INVALID_FLAGS)
        );
        assert_eq!(Locale::EnUs.text(0x5F), None);
    }

    #[test]
    fn answers_are_texts_or_numbers() {
        let answer = |kind| {
            let mut units = Vec::new();
            let outcome = Locale::EnUs.answer(kind, |unit| units.push(unit));
            outcome.map(|()| units)
        };
        assert_eq!(answer(0x59), Ok(utf16("en\0")));
        assert_eq!(answer(0x8000_0059), Ok(utf16("en\0")));
        assert_eq!(answer(0x2000_1004), Ok(vec![1252, 0]));
        assert_eq!(
            answer(kind::FONT_SIGNATURE).map(|units| units.len()),
            Ok(16)
        );
        assert_eq!(answer(0x999), Err(Error::INVALID_FLAGS));
    }
}
