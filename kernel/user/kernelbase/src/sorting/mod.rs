//! The order of text as people expect it: letters before their case and accents, words without their hyphens.
//!
//! Each character has a weight on several levels. Two strings are compared by the letters of all their characters first;
//! if these are equal by the accents, then by the case, and then by where hyphens and apostrophes stand, which words are
//! compared without ("word sort") unless the caller wants them to count as any sign does ("string sort"). A sort key is these
//! levels one after the other, as bytes that can be compared by themselves.
//!
//! # NT
//! "`CompareStringEx`", "`LCMapStringEx`" and "Handling Sorting in Your Applications", Microsoft Learn; [MS-UCODEREF] 3.1.5.2.
//!
//! # Differs
//! Latin, Greek and Cyrillic letters have Windows' weights. Other scripts sort behind them by their code points; kana and
//! widths are told apart, and letters that a language sorts in its own way are not.

mod weights;

use core::cmp::Ordering;

use weights::{RANGES, TWICE, WEIGHTS, Weights};

/// What does not count in a comparison (`NORM_*`, `SORT_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Capitals are as small letters.
    pub ignore_case: bool,
    /// Letters are as those without their accents.
    pub ignore_accents: bool,
    /// Signs are not there.
    pub ignore_symbols: bool,
    /// Hyphens and apostrophes count as other signs.
    pub string_sort: bool,
    /// Digits beside each other are a number.
    pub numbers: bool,
    /// Wide and narrow forms are the same.
    pub ignore_width: bool,
}

/// All flags that a comparison may have.
pub mod flags {
    /// `NORM_IGNORECASE`, `LINGUISTIC_IGNORECASE`.
    pub const IGNORE_CASE: u32 = 0x01 | 0x10;
    /// `NORM_IGNORENONSPACE`, `LINGUISTIC_IGNOREDIACRITIC`.
    pub const IGNORE_ACCENTS: u32 = 0x02 | 0x20;
    /// `NORM_IGNORESYMBOLS`.
    pub const IGNORE_SYMBOLS: u32 = 0x04;
    /// `SORT_DIGITSASNUMBERS`.
    pub const NUMBERS: u32 = 0x08;
    /// `SORT_STRINGSORT`.
    pub const STRING_SORT: u32 = 0x1000;
    /// `NORM_IGNOREKANATYPE`, which makes no difference here.
    pub const IGNORE_KANA: u32 = 0x1_0000;
    /// `NORM_IGNOREWIDTH`.
    pub const IGNORE_WIDTH: u32 = 0x2_0000;
    /// `NORM_LINGUISTIC_CASING`, which makes no difference here.
    pub const LINGUISTIC_CASING: u32 = 0x800_0000;
    /// All of them.
    pub const ALL: u32 = IGNORE_CASE
        | IGNORE_ACCENTS
        | IGNORE_SYMBOLS
        | NUMBERS
        | STRING_SORT
        | IGNORE_KANA
        | IGNORE_WIDTH
        | LINGUISTIC_CASING;
}

impl Options {
    /// What flags say; those that are none are the caller's to refuse.
    pub const fn of(bits: u32) -> Self {
        Self {
            ignore_case: bits & flags::IGNORE_CASE != 0,
            ignore_accents: bits & flags::IGNORE_ACCENTS != 0,
            ignore_symbols: bits & flags::IGNORE_SYMBOLS != 0,
            string_sort: bits & flags::STRING_SORT != 0,
            numbers: bits & flags::NUMBERS != 0,
            ignore_width: bits & flags::IGNORE_WIDTH != 0,
        }
    }
}

/// The least weight of an accent or a case: none.
const NONE: u8 = 2;
/// In the weight of a case: a capital.
const CAPITAL: u8 = 0x10;
/// The script of the signs that words are compared without.
const SIGNS: u8 = 6;
/// The scripts of other signs.
const SYMBOLS: core::ops::RangeInclusive<u8> = 7..=0x0C;
/// The script of digits.
const DIGITS: u8 = 0x0D;
/// The first byte of characters that have no weights of their own.
const OTHERS: u32 = 0xFE;

/// What a character is for the order of text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Element {
    /// A letter, a digit, another sign; 0 for an accent that stands by itself.
    Letter { primary: u32, accent: u8, case: u8 },
    /// A hyphen or its like: its weight.
    Sign(u8),
}

/// The weights of a unit; `None`: it has none of its own.
fn weights(unit: u16) -> Option<Weights> {
    let (first, _, at) = RANGES
        .iter()
        .find(|(first, last, _)| (*first..=*last).contains(&unit))?;
    WEIGHTS.get(at + usize::from(unit - first)).copied()
}

/// The elements of text.
#[derive(Clone)]
struct Elements<'a> {
    rest: &'a [u16],
    options: Options,
    /// The second half of a character that counts as two.
    second: Option<Weights>,
    /// How many digits follow that belong to a number whose length was told, and how many zeros it began with.
    number: Option<(usize, usize)>,
}

impl<'a> Elements<'a> {
    const fn new(text: &'a [u16], options: Options) -> Self {
        Self {
            rest: text,
            options,
            second: None,
            number: None,
        }
    }

    /// The accents that follow, added up.
    fn accents(&mut self) -> u8 {
        let mut sum = 0_u8;
        while let Some((&unit, after)) = self.rest.split_first()
            && let Some([0, 0, accent, _]) = weights(unit)
        {
            sum = sum.wrapping_add(accent);
            self.rest = after;
        }
        sum
    }

    fn letter(&self, primary: u32, accent: u8, case: u8) -> Element {
        Element::Letter {
            primary,
            accent: if self.options.ignore_accents {
                NONE
            } else {
                accent
            },
            case: if self.options.ignore_case {
                case & !CAPITAL
            } else {
                case
            },
        }
    }

    fn weighed(&mut self, [script, letter, accent, case]: Weights) -> Element {
        let accent = accent.wrapping_add(self.accents());
        self.letter(u32::from(script) << 8 | u32::from(letter), accent, case)
    }

    /// The length of a number whose first digit is next, without the zeros that it begins with.
    fn number(&mut self) -> Option<Element> {
        let is_digit = |unit: &u16| (u16::from(b'0')..=u16::from(b'9')).contains(unit);
        let count = self.rest.iter().take_while(|unit| is_digit(unit)).count();
        if count == 0 {
            return None;
        }
        let zeros = self.rest[..count]
            .iter()
            .take_while(|unit| **unit == u16::from(b'0'))
            .count();
        self.rest = &self.rest[zeros..];
        self.number = Some((count - zeros, zeros));
        let length = u32::try_from((count - zeros).min(0xFD)).unwrap_or(0xFD) + 2;
        Some(self.letter(u32::from(DIGITS) << 16 | 2 << 8 | length, NONE, NONE))
    }
}

/// A wide form of ASCII as the narrow one.
const fn narrow(unit: u16) -> Option<u16> {
    match unit {
        0xFF01..=0xFF5E => Some(unit - 0xFEE0),
        0x3000 => Some(0x20),
        _ => None,
    }
}

impl Iterator for Elements<'_> {
    type Item = Element;

    fn next(&mut self) -> Option<Element> {
        if let Some(second) = self.second.take() {
            return Some(self.weighed(second));
        }
        loop {
            match self.number {
                Some((0, zeros)) => {
                    // The number with fewer zeros before it comes later.
                    self.number = None;
                    let zeros = u32::try_from(zeros.min(0xF0)).unwrap_or(0xF0);
                    return Some(self.letter(OTHERS - zeros, NONE, NONE));
                }
                Some((digits, zeros)) => self.number = Some((digits - 1, zeros)),
                None if self.options.numbers => {
                    if let Some(number) = self.number() {
                        return Some(number);
                    }
                }
                None => {}
            }
            let (&unit, after) = self.rest.split_first()?;
            self.rest = after;
            let (unit, wide) = narrow(unit).map_or((unit, false), |narrow| (narrow, true));
            let Some(found) = weights(unit) else {
                // In the order of code points, in bytes that are never as small as a separator.
                let primary = OTHERS << 16 | u32::from(unit);
                return Some(self.letter(primary, NONE, NONE));
            };
            return Some(match found {
                [0, 0, 0, _] => continue,
                [0, 0, accent, _] => self.letter(0, accent, NONE),
                [1, ..] => {
                    let at = TWICE
                        .binary_search_by_key(&unit, |(known, _)| *known)
                        .ok()?;
                    let [first, second] = TWICE[at].1;
                    self.second = Some(second);
                    let [script, letter, accent, case] = first;
                    self.letter(u32::from(script) << 8 | u32::from(letter), accent, case)
                }
                [SIGNS, weight, ..] if !self.options.string_sort => {
                    if self.options.ignore_symbols {
                        continue;
                    }
                    Element::Sign(weight)
                }
                [script, ..]
                    if self.options.ignore_symbols
                        && (script == SIGNS || SYMBOLS.contains(&script)) =>
                {
                    continue;
                }
                [script, letter, accent, case] => {
                    let wider = u8::from(wide && !self.options.ignore_width);
                    self.weighed([script, letter, accent, case + wider])
                }
            });
        }
    }
}

/// Which of two strings comes first.
pub fn compare(first: &[u16], second: &[u16], options: Options) -> Ordering {
    if first == second {
        return Ordering::Equal;
    }
    let first = Elements::new(first, options);
    let second = Elements::new(second, options);
    primaries(&first)
        .cmp(primaries(&second))
        .then_with(|| accents(&first).cmp(accents(&second)))
        .then_with(|| cases(&first).cmp(cases(&second)))
        .then_with(|| signs(&first).cmp(signs(&second)))
}

/// The letters' weights, in a form in which their order is that of their bytes.
fn primaries<'a>(elements: &Elements<'a>) -> impl Iterator<Item = [u8; 4]> + use<'a> {
    elements.clone().filter_map(|element| match element {
        Element::Letter { primary: 0, .. } | Element::Sign(_) => None,
        Element::Letter { primary, .. } => {
            let aligned = primary << (primary.leading_zeros() & !7);
            Some(aligned.to_be_bytes())
        }
    })
}

fn accents<'a>(elements: &Elements<'a>) -> impl Iterator<Item = u8> + use<'a> {
    elements.clone().filter_map(|element| match element {
        Element::Letter { accent, .. } => Some(accent),
        Element::Sign(_) => None,
    })
}

fn cases<'a>(elements: &Elements<'a>) -> impl Iterator<Item = u8> + use<'a> {
    elements.clone().filter_map(|element| match element {
        Element::Letter { case, .. } => Some(case),
        Element::Sign(_) => None,
    })
}

/// Where signs stand, counted down from the letters before them, and their weights.
fn signs<'a>(elements: &Elements<'a>) -> impl Iterator<Item = (u16, u8)> + use<'a> {
    elements
        .clone()
        .scan(u16::MAX, |place, element| {
            Some(match element {
                Element::Letter { .. } => {
                    *place = place.saturating_sub(1).max(0x0202);
                    None
                }
                Element::Sign(weight) => Some((*place, weight)),
            })
        })
        .flatten()
}

/// Between the levels of a sort key.
const SEPARATOR: u8 = 1;
/// What stands in a sort key behind the weight of a sign.
const BEHIND_SIGN: u8 = 0x12;

/// Gives the bytes of a sort key, with its terminator.
pub fn sort_key(text: &[u16], options: Options, mut put: impl FnMut(u8)) {
    let elements = Elements::new(text, options);
    for primary in primaries(&elements) {
        if primary[0] == 0xFE {
            // A code point, in bytes above the separator.
            let [_, high, low, _] = primary;
            let code = u16::from_be_bytes([high, low]);
            put(0xFE);
            for shift in [10, 5, 0] {
                put(u8::try_from(code >> shift & 0x1F).unwrap_or_default() + 2);
            }
            continue;
        }
        primary
            .iter()
            .filter(|byte| **byte != 0)
            .for_each(|byte| put(*byte));
    }
    put(SEPARATOR);
    put_trimmed(accents(&elements), &mut put);
    put(SEPARATOR);
    put_trimmed(cases(&elements), &mut put);
    put(SEPARATOR);
    put(SEPARATOR);
    for (place, weight) in signs(&elements) {
        let [high, low] = place.to_be_bytes();
        [high, low, weight, BEHIND_SIGN]
            .into_iter()
            .for_each(&mut put);
    }
    put(0);
}

/// Gives the weights of a level without those at its end that are the least.
fn put_trimmed(level: impl Iterator<Item = u8>, mut put: impl FnMut(u8)) {
    let mut least = 0;
    for weight in level {
        if weight == NONE {
            least += 1;
            continue;
        }
        (0..core::mem::take(&mut least)).for_each(|_| put(NONE));
        put(weight);
    }
}

#[cfg(test)]
mod tests;
