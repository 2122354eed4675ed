//! Numbers and amounts of money as text: digits in groups, with signs.
//!
//! # NT
//! "`GetNumberFormatEx`", "`GetCurrencyFormatEx`", "`NUMBERFMT`", "`CURRENCYFMT`", Microsoft Learn.

use alloc::vec::Vec;

use crate::error::{Error, Win};

/// How a number is shown: `NUMBERFMT`, and what `CURRENCYFMT` has besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// Digits behind the point.
    pub digits: u32,
    /// Whether a zero stands before the point of what is less than one.
    pub leading_zero: bool,
    /// How many digits a group has, from the right, as decimal digits of a number: 3 for all, 32 for a group of three and
    /// then of two.
    pub grouping: u32,
    /// The point.
    pub decimal: Vec<u16>,
    /// What stands between groups.
    pub thousand: Vec<u16>,
    /// How what is negative looks: 0 to 4, of money 0 to 15.
    pub negative: u32,
    /// How an amount looks that is not negative, 0 to 3, and the currency.
    pub currency: Option<(u32, Vec<u16>)>,
}

/// Where the parts of a negative number stand: `n` the number, `-` the sign, the others themselves.
static NEGATIVE_NUMBERS: [&str; 5] = ["(n)", "-n", "- n", "n-", "n -"];
/// The same of money, `$` being the currency.
static NEGATIVE_AMOUNTS: [&str; 16] = [
    "($n)", "-$n", "$-n", "$n-", "(n$)", "-n$", "n-$", "n$-", "-n $", "-$ n", "n $-", "$ n-",
    "$ -n", "n- $", "($ n)", "(n $)",
];
/// The same of amounts that are not negative.
static AMOUNTS: [&str; 4] = ["$n", "n$", "$ n", "n $"];

/// A number as text has it: a sign, digits, a point, digits.
struct Number<'a> {
    negative: bool,
    whole: &'a [u16],
    fraction: &'a [u16],
}

fn is_digit(unit: &u16) -> bool {
    (u16::from(b'0')..=u16::from(b'9')).contains(unit)
}

fn read(text: &[u16]) -> Win<Number<'_>> {
    let (negative, text) = match text.split_first() {
        Some((&0x2D, rest)) => (true, rest),
        _ => (false, text),
    };
    let point = text.iter().position(|&unit| unit == u16::from(b'.'));
    let (whole, fraction) = match point {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &text[text.len()..]),
    };
    let digits = |part: &[u16]| part.iter().all(is_digit);
    if !digits(whole) || !digits(fraction) || whole.is_empty() && fraction.is_empty() {
        return Err(Error::INVALID_PARAMETER);
    }
    let zeros = whole
        .iter()
        .take_while(|&&digit| digit == u16::from(b'0'))
        .count();
    Ok(Number {
        negative,
        whole: &whole[zeros..],
        fraction,
    })
}

/// The digits of a number rounded to so many behind the point, and how many of them stand before it.
fn rounded(number: &Number<'_>, digits: usize) -> (Vec<u16>, usize) {
    let zero = u16::from(b'0');
    let mut all: Vec<u16> = number.whole.to_vec();
    all.extend(
        number
            .fraction
            .iter()
            .copied()
            .chain(core::iter::repeat(zero))
            .take(digits),
    );
    let mut before = number.whole.len();
    let up = number
        .fraction
        .get(digits)
        .is_some_and(|&digit| digit >= u16::from(b'5'));
    if up {
        let mut at = all.len();
        loop {
            let Some(previous) = at.checked_sub(1) else {
                all.insert(0, u16::from(b'1'));
                before += 1;
                break;
            };
            at = previous;
            if all[at] == u16::from(b'9') {
                all[at] = zero;
            } else {
                all[at] += 1;
                break;
            }
        }
    }
    (all, before)
}

/// The places in a whole part of so many digits before which a separator stands, counted from the right.
fn separators(grouping: u32, digits: usize) -> Vec<usize> {
    let mut sizes = Vec::new();
    let mut rest = grouping;
    while rest > 0 {
        sizes.push((rest % 10) as usize);
        rest /= 10;
    }
    sizes.reverse();
    // A zero at the end: the last group is not repeated.
    let repeats = sizes.last() != Some(&0);
    let mut places = Vec::new();
    let mut place = 0;
    for index in 0.. {
        let size = match sizes.get(index) {
            Some(0) => break,
            Some(&size) => size,
            None if repeats && !sizes.is_empty() => sizes[sizes.len() - 1],
            None => break,
        };
        place += size;
        if place >= digits {
            break;
        }
        places.push(place);
    }
    places
}

/// A number as a format shows it.
///
/// # Errors
/// `INVALID_PARAMETER`: the text is no number, or the format none.
pub fn format(text: &[u16], format: &Format) -> Win<Vec<u16>> {
    let number = read(text)?;
    let digits = usize::try_from(format.digits).unwrap_or(usize::MAX);
    if digits > 9 || format.grouping > 9999 {
        return Err(Error::INVALID_PARAMETER);
    }
    let (all, before) = rounded(&number, digits);
    let (whole, fraction) = all.split_at(before);
    let places = separators(format.grouping, whole.len());
    let mut shown = Vec::new();
    for (index, digit) in whole.iter().enumerate() {
        let to_the_right = whole.len() - index;
        if index > 0 && places.contains(&to_the_right) {
            shown.extend_from_slice(&format.thousand);
        }
        shown.push(*digit);
    }
    if whole.is_empty() && format.leading_zero {
        shown.push(u16::from(b'0'));
    }
    if digits > 0 {
        shown.extend_from_slice(&format.decimal);
        shown.extend_from_slice(fraction);
    }
    let is_zero = all.iter().all(|&digit| digit == u16::from(b'0'));
    let negative = number.negative && !is_zero;
    let place = |table: &[&'static str], at: u32| {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        table.get(at).copied().ok_or(Error::INVALID_PARAMETER)
    };
    let pattern = match (&format.currency, negative) {
        (None, false) => "n",
        (None, true) => place(&NEGATIVE_NUMBERS, format.negative)?,
        (Some((order, _)), false) => place(&AMOUNTS, *order)?,
        (Some(_), true) => place(&NEGATIVE_AMOUNTS, format.negative)?,
    };
    let mut whole = Vec::new();
    for letter in pattern.bytes() {
        match letter {
            b'n' => whole.extend_from_slice(&shown),
            b'$' => whole.extend(format.currency.iter().flat_map(|(_, currency)| currency)),
            other => whole.push(u16::from(other)),
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn plain() -> Format {
        Format {
            digits: 2,
            leading_zero: true,
            grouping: 3,
            decimal: utf16("."),
            thousand: utf16(","),
            negative: 1,
            currency: None,
        }
    }

    fn shown(text: &str, how: &Format) -> Win<String> {
        format(&utf16(text), how).map(|units| String::from_utf16(&units).unwrap())
    }

    #[test]
    fn numbers_have_groups_and_are_rounded() {
        for (text, expected) in [
            ("12345", "12,345.00"),
            ("-353", "-353.00"),
            ("2353.1", "2,353.10"),
            ("1234567.899", "1,234,567.90"),
            ("0.999", "1.00"),
            ("99.999", "100.00"),
            (".5", "0.50"),
            ("-0.001", "0.00"),
            ("007", "7.00"),
        ] {
            assert_eq!(shown(text, &plain()), Ok(expected.into()), "{text}");
        }
        assert_eq!(shown("1,2", &plain()), Err(Error::INVALID_PARAMETER));
        assert_eq!(shown("", &plain()), Err(Error::INVALID_PARAMETER));
        assert_eq!(shown("--1", &plain()), Err(Error::INVALID_PARAMETER));
    }

    #[test]
    fn groups_are_as_they_are_said_to_be() {
        // "LOCALE_SGROUPING": 3;2;0 is 12,34,56,789, and as NUMBERFMT has it 32.
        let how = |grouping| Format {
            digits: 0,
            grouping,
            ..plain()
        };
        assert_eq!(shown("123456789", &how(32)), Ok("12,34,56,789".into()));
        assert_eq!(shown("123456789", &how(30)), Ok("123456,789".into()));
        assert_eq!(shown("123456789", &how(0)), Ok("123456789".into()));
    }

    #[test]
    fn signs_and_currencies_have_their_places() {
        let money = |negative, positive| Format {
            negative,
            currency: Some((positive, utf16("$"))),
            ..plain()
        };
        assert_eq!(shown("5", &money(0, 0)), Ok("$5.00".into()));
        assert_eq!(shown("-5", &money(0, 0)), Ok("($5.00)".into()));
        assert_eq!(shown("5", &money(0, 3)), Ok("5.00 $".into()));
        assert_eq!(shown("-5", &money(8, 0)), Ok("-5.00 $".into()));
        assert_eq!(
            shown(
                "-5",
                &Format {
                    negative: 0,
                    ..plain()
                }
            ),
            Ok("(5.00)".into())
        );
        assert_eq!(shown("-5", &money(16, 0)), Err(Error::INVALID_PARAMETER));
    }
}
