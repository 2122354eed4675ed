//! Floating-point numbers read from text.
//!
//! The digits are gathered, as many as can decide how a number is rounded, and the standard library makes the nearest number
//! of them. What comes behind those digits only matters by not being zero.

use c_interface::{Ptr, exports};

use super::errno::Errno;
use super::numbers::spaces;
use super::text::at;
use crate::printf::Unit;

/// More digits than this decide nothing, but whether there are more.
const MOST_DIGITS: usize = 780;

/// A number that was read, and how many units it has; none: there was no number.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Real {
    pub(super) value: f64,
    pub(super) length: usize,
}

/// Digits of a number, without zeros in front, and where its point is.
struct Digits {
    text: [u8; MOST_DIGITS + 1 + 12],
    length: usize,
    /// Power of ten of the last digit.
    power: i64,
    /// Whether there were any, zeros as well.
    seen: bool,
}

impl Digits {
    fn push(&mut self, digit: u8, behind_point: bool) {
        self.seen = true;
        let leading = self.length == 0 && digit == b'0';
        if !leading && self.length < MOST_DIGITS {
            self.text[self.length] = digit;
            self.length += 1;
        } else if !leading {
            // One digit more stands for all that are dropped, if one of them counts.
            if digit != b'0' {
                self.text[MOST_DIGITS - 1] |= 1;
            }
            self.power += 1;
        }
        self.power -= i64::from(behind_point);
    }

    /// The number, of these digits and a further power of ten.
    fn value(mut self, exponent: i64) -> f64 {
        if self.length == 0 {
            return 0.0;
        }
        // Far beyond what a number can have, either way.
        let power = self.power.saturating_add(exponent).clamp(-9999, 9999);
        self.text[self.length] = b'e';
        self.length += 1;
        if power < 0 {
            self.text[self.length] = b'-';
            self.length += 1;
        }
        let digits =
            rtl::numerals::Digits::new(power.unsigned_abs(), 10, rtl::numerals::Letters::Small);
        for digit in digits.as_bytes() {
            self.text[self.length] = *digit;
            self.length += 1;
        }
        let text = core::str::from_utf8(&self.text[..self.length]);
        text.ok().and_then(|text| text.parse().ok()).unwrap_or(0.0)
    }
}

/// Reads a number of no more than so many units, with no spaces before it.
pub(super) fn read<U: Unit>(text: Ptr<U>, most: usize) -> Real {
    let unit = |index: usize| if index < most { at(text, index) } else { 0 };
    let mut index = 0;
    let negative = unit(0) == u16::from(b'-');
    if negative || unit(0) == u16::from(b'+') {
        index = 1;
    }
    let signed = |value: f64| if negative { -value } else { value };
    for (word, value) in [
        (&b"infinity"[..], f64::INFINITY),
        (b"inf", f64::INFINITY),
        (b"nan", f64::NAN),
    ] {
        if word
            .iter()
            .enumerate()
            .all(|(place, letter)| unit(index + place) | 0x20 == u16::from(*letter))
        {
            return Real {
                value: signed(value),
                length: index + word.len(),
            };
        }
    }
    let mut digits = Digits {
        text: [0; MOST_DIGITS + 13],
        length: 0,
        power: 0,
        seen: false,
    };
    let mut behind_point = false;
    loop {
        match unit(index) {
            digit @ 0x30..=0x39 => digits.push(digit.to_le_bytes()[0], behind_point),
            0x2E if !behind_point => behind_point = true,
            _ => break,
        }
        index += 1;
    }
    if !digits.seen {
        return Real {
            value: 0.0,
            length: 0,
        };
    }
    let (exponent, length) = read_exponent(unit, index);
    Real {
        value: signed(digits.value(exponent)),
        length,
    }
}

/// Reads `e+05` at a place, if it is there; gives the power, and where the number ends.
fn read_exponent(unit: impl Fn(usize) -> u16, start: usize) -> (i64, usize) {
    if unit(start) | 0x20 != u16::from(b'e') {
        return (0, start);
    }
    let sign = unit(start + 1);
    let mut index = start + 1;
    if sign == u16::from(b'-') || sign == u16::from(b'+') {
        index += 1;
    }
    let first = index;
    let mut power = 0_i64;
    while let digit @ 0x30..=0x39 = unit(index) {
        power = power
            .saturating_mul(10)
            .saturating_add(i64::from(digit - 0x30));
        index += 1;
    }
    if index == first {
        return (0, start);
    }
    (
        if sign == u16::from(b'-') {
            -power
        } else {
            power
        },
        index,
    )
}

/// Reads a number behind spaces and says where it ends.
fn convert<U: Unit>(text: Ptr<U>, end: Ptr<Ptr<U>>) -> f64 {
    let start = spaces(text);
    let real = read(text.add(start), usize::MAX);
    let length = if real.length == 0 {
        0
    } else {
        start + real.length
    };
    end.cast::<usize>()
        .write_optional(text.add(length).address());
    let infinite_word = at(text.add(start), real.length.saturating_sub(1)) > u16::from(b'9');
    if real.value.is_infinite() && !infinite_word {
        Errno::Range.report();
    }
    real.value
}

exports! {
    /// Reads a number, and says where it ends.
    ///
    /// # Errors
    /// `ERANGE`: it is too large; infinity stands for it.
    ///
    /// # Differs
    /// Hexadecimal numbers are not read beyond their zero.
    cdecl fn strtod(text: Ptr<u8>, end: Ptr<Ptr<u8>>) -> f64 {
        convert(text, end)
    }

    /// As `strtod`.
    cdecl fn wcstod(text: Ptr<u16>, end: Ptr<Ptr<u16>>) -> f64 {
        convert(text, end)
    }

    /// Reads a number.
    cdecl fn atof(text: Ptr<u8>) -> f64 {
        convert(text, Ptr::NULL)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::format;
    use std::string::String;

    use rtl::Random;

    use super::*;
    use crate::strings::testing::{narrow, wide};

    fn read_both(text: &str) -> (f64, usize) {
        let (bytes, units) = (narrow(text), wide(text));
        let mut end = Ptr::NULL;
        let value = strtod(bytes.ptr(), Ptr::of(&mut end));
        let length = end.address() - bytes.ptr().address();
        let mut wide_end = Ptr::NULL;
        let wide_value = wcstod(units.ptr(), Ptr::of(&mut wide_end));
        assert_eq!(wide_value.to_bits(), value.to_bits());
        assert_eq!((wide_end.address() - units.ptr().address()) / 2, length);
        (value, length)
    }

    #[test]
    fn numbers_end_where_they_end() {
        for (text, value, length) in [
            ("1.5", 1.5, 3),
            (" \t-2.5e3x", -2500.0, 8),
            ("1e", 1.0, 1),
            ("1e+", 1.0, 1),
            ("1e+2", 100.0, 4),
            (".5", 0.5, 2),
            ("5.", 5.0, 2),
            (".", 0.0, 0),
            ("-.e5", 0.0, 0),
            ("1.2.3", 1.2, 3),
            ("0x10", 0.0, 1),
            ("abc", 0.0, 0),
            ("-0", -0.0, 2),
            ("1E-400", 0.0, 6),
            ("00012.500", 12.5, 9),
        ] {
            let (got, end) = read_both(text);
            assert_eq!(
                (got.to_bits(), end),
                (f64::to_bits(value), length),
                "{text}"
            );
        }
        assert_eq!(read_both("-inFinity+"), (f64::NEG_INFINITY, 9));
        assert_eq!(read_both("infin"), (f64::INFINITY, 3));
        assert!(read_both("nan").0.is_nan());
        assert_eq!(read_both("1e999").0, f64::INFINITY);
        assert_eq!(super::super::errno::_errno().read(), 34);
    }

    #[test]
    fn every_number_comes_back() {
        let mut random = Random::new(5);
        for _ in 0..5_000 {
            let value = f64::from_bits(random.next_u64());
            if value.is_finite() {
                assert_eq!(
                    atof(narrow(&format!("{value:e}")).ptr()).to_bits(),
                    value.to_bits()
                );
                assert_eq!(
                    atof(narrow(&format!("{value}")).ptr()).to_bits(),
                    value.to_bits()
                );
            }
        }
    }

    #[test]
    fn digits_beyond_the_last_that_counts_decide_a_tie() {
        // Halfway between 2^53 and the next number: to even. A digit far behind makes it more than half.
        let tie = "9007199254740993";
        let zeros: String = "0".repeat(900);
        assert_eq!(read_both(tie).0, 9_007_199_254_740_992.0);
        assert_eq!(
            read_both(&format!("{tie}.{zeros}")).0,
            9_007_199_254_740_992.0
        );
        assert_eq!(
            read_both(&format!("{tie}.{zeros}1")).0,
            9_007_199_254_740_994.0
        );
        assert_eq!(
            read_both(&format!("{zeros}{tie}{zeros}e-900")).0,
            9_007_199_254_740_992.0
        );
        assert_eq!(read_both(&format!("0.{zeros}5e901")).0, 5.0);
    }
}
