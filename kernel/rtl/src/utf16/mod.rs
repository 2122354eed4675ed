//! Text as NT has it: counted runs of 16-bit units, compared by capitals.
//!
//! NT never looks whether a name is well-formed UTF-16, and neither does this module: half of a surrogate pair in a
//! file's name is a file's name, and must come out as it went in. Only what is shown to people is made well-formed.
//!
//! [`Utf16Str`] borrows, [`Utf16String`] owns and grows fallibly. Neither ends with a NUL nor looks for one, and
//! neither knows the 32,767 units that a `UNICODE_STRING` can count: whoever writes one to a program checks.
//!
//! # NT
//! `UNICODE_STRING` and its routines.

mod path;
mod upcase;

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt::{self, Write};

use crate::NoMemory;
pub use path::{Components, SEPARATOR};
pub use upcase::{downcase, upcase};

/// Whether capitals differ from small letters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Case {
    /// They do: units are compared as they are.
    Sensitive,
    /// They do not: the capitals of units are compared (`OBJ_CASE_INSENSITIVE`).
    Insensitive,
}

impl Case {
    const fn fold(self, unit: u16) -> u16 {
        match self {
            Self::Sensitive => unit,
            Self::Insensitive => upcase(unit),
        }
    }
}

/// Borrowed text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Utf16Str<'a>(&'a [u16]);

impl<'a> Utf16Str<'a> {
    /// Any units are text.
    pub const fn new(units: &'a [u16]) -> Self {
        Self(units)
    }

    /// The units.
    pub const fn units(self) -> &'a [u16] {
        self.0
    }

    /// How many units; the length in bytes is twice that.
    pub const fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Whether both are the same text.
    #[doc(alias = "RtlEqualUnicodeString")]
    pub fn equals(self, other: Utf16Str<'_>, case: Case) -> bool {
        self.len() == other.len() && self.starts_with(other, case)
    }

    /// Which text comes first: by the first unit that differs, or else the shorter one. Units are numbers here: a pair
    /// of surrogates comes before U+E000.
    #[doc(alias = "RtlCompareUnicodeString")]
    pub fn compare(self, other: Utf16Str<'_>, case: Case) -> Ordering {
        self.folded(case).cmp(other.folded(case))
    }

    /// Whether the text begins with `prefix`.
    #[doc(alias = "RtlPrefixUnicodeString")]
    pub fn starts_with(self, prefix: Utf16Str<'_>, case: Case) -> bool {
        prefix.len() <= self.len()
            && self
                .folded(case)
                .zip(prefix.folded(case))
                .all(|(own, other)| own == other)
    }

    /// The hash that NT calls x65599: what was there times 65,599, plus the next unit.
    #[doc(alias = "RtlHashUnicodeString")]
    pub fn hash_x65599(self, case: Case) -> u32 {
        self.folded(case).fold(0u32, |hash, unit| {
            hash.wrapping_mul(65_599).wrapping_add(u32::from(unit))
        })
    }

    /// The text in capitals.
    ///
    /// # Errors
    /// [`NoMemory`].
    #[doc(alias = "RtlUpcaseUnicodeString")]
    pub fn upcase(self) -> Result<Utf16String, NoMemory> {
        let mut text = self.try_to_owned()?;
        text.units.iter_mut().for_each(|unit| *unit = upcase(*unit));
        Ok(text)
    }

    /// A copy with memory of its own.
    ///
    /// # Errors
    /// [`NoMemory`].
    pub fn try_to_owned(self) -> Result<Utf16String, NoMemory> {
        let mut text = Utf16String::new();
        text.push(self)?;
        Ok(text)
    }

    fn folded(self, case: Case) -> impl Iterator<Item = u16> {
        self.0.iter().map(move |unit| case.fold(*unit))
    }
}

/// Same text, capitals differ from small letters.
impl PartialEq<str> for Utf16Str<'_> {
    fn eq(&self, other: &str) -> bool {
        other.encode_utf16().eq(self.0.iter().copied())
    }
}

/// What is no character is shown as U+FFFD.
impl fmt::Display for Utf16Str<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        char::decode_utf16(self.0.iter().copied()).try_for_each(|character| {
            f.write_char(character.unwrap_or(char::REPLACEMENT_CHARACTER))
        })
    }
}

/// In quotes, and what is not to be seen escaped; half of a pair as its number.
impl fmt::Debug for Utf16Str<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in char::decode_utf16(self.0.iter().copied()) {
            match character {
                Ok(character) => write!(f, "{}", character.escape_debug())?,
                Err(half) => write!(f, "\\u{{{:x}}}", half.unpaired_surrogate())?,
            }
        }
        f.write_char('"')
    }
}

/// Text with memory of its own. `write!` appends to it; its only error is want of memory.
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Utf16String {
    units: Vec<u16>,
}

impl Utf16String {
    /// No text, and no memory yet.
    pub const fn new() -> Self {
        Self { units: Vec::new() }
    }

    /// Text of units that are there already.
    pub const fn from_units(units: Vec<u16>) -> Self {
        Self { units }
    }

    /// Text from UTF-8.
    ///
    /// # Errors
    /// [`NoMemory`].
    pub fn try_from_str(text: &str) -> Result<Self, NoMemory> {
        let mut own = Self::new();
        own.push_str(text)?;
        Ok(own)
    }

    /// The text, borrowed.
    pub fn as_str(&self) -> Utf16Str<'_> {
        Utf16Str(&self.units)
    }

    /// How many units.
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// Makes sure that `additional` more units fit.
    ///
    /// # Errors
    /// [`NoMemory`].
    pub fn reserve(&mut self, additional: usize) -> Result<(), NoMemory> {
        Ok(self.units.try_reserve(additional)?)
    }

    /// Appends text.
    ///
    /// # Errors
    /// [`NoMemory`]; the text is then as it was.
    #[doc(alias = "RtlAppendUnicodeStringToString")]
    pub fn push(&mut self, text: Utf16Str<'_>) -> Result<(), NoMemory> {
        self.reserve(text.len())?;
        self.units.extend_from_slice(text.0);
        Ok(())
    }

    /// Appends one unit.
    ///
    /// # Errors
    /// [`NoMemory`]; the text is then as it was.
    pub fn push_unit(&mut self, unit: u16) -> Result<(), NoMemory> {
        self.push(Utf16Str(&[unit]))
    }

    /// Appends text from UTF-8.
    ///
    /// # Errors
    /// [`NoMemory`]; the text is then as it was.
    pub fn push_str(&mut self, text: &str) -> Result<(), NoMemory> {
        self.reserve(text.encode_utf16().count())?;
        self.units.extend(text.encode_utf16());
        Ok(())
    }

    /// Cuts the text to `length` units, if it is longer.
    pub fn truncate(&mut self, length: usize) {
        self.units.truncate(length);
    }
}

impl Write for Utf16String {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text).map_err(|NoMemory| fmt::Error)
    }
}

impl fmt::Display for Utf16String {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Debug for Utf16String {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_str(), f)
    }
}

/// The UTF-16 units of an ASCII literal; what is not ASCII does not compile. For [`utf16!`](crate::utf16!).
///
/// # Panics
/// While compiling, if the text is not ASCII or has not `N` bytes.
#[doc(hidden)]
pub const fn ascii_units<const N: usize>(text: &str) -> [u16; N] {
    let bytes = text.as_bytes();
    assert!(bytes.len() == N && text.is_ascii(), "utf16! takes ASCII");
    let mut units = [0; N];
    let mut at = 0;
    while at < N {
        units[at] = bytes[at] as u16;
        at += 1;
    }
    units
}

/// An ASCII literal as a constant [`Utf16Str`]: `utf16!(r"\Device")`.
#[macro_export]
macro_rules! utf16 {
    ($text:literal) => {
        $crate::Utf16Str::new(const { &$crate::utf16::ascii_units::<{ $text.len() }>($text) })
    };
}

#[cfg(test)]
mod tests;
