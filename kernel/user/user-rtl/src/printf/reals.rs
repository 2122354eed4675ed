//! Floating-point numbers in formatted output.
//!
//! Digits come from the standard library, which gives any number of them exactly and rounds halves to even. What is left is
//! the notation: C's exponents, trailing zeros, hexadecimal.
//!
//! # NT
//! As the universal C run-time library writes them: exponents have two digits at least, `inf` and `nan` are words.

use core::fmt::Write;

use super::Unit;
use super::directive::{Directive, Kind};
use super::output::Output;

/// As many digits behind the point as a number can have that are not zero; further ones are only filled in.
const MOST_DECIMALS: usize = 1074;
/// Room for all digits of the largest number, and so many decimals behind it.
const ROOM: usize = 309 + 1 + MOST_DECIMALS + 8;

/// Text of limited length; what does not fit is a mistake of this file's.
struct Text {
    bytes: [u8; ROOM],
    length: usize,
}

impl Text {
    const fn new() -> Self {
        Self {
            bytes: [0; ROOM],
            length: 0,
        }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let end = self.length + text.len();
        let place = self
            .bytes
            .get_mut(self.length..end)
            .ok_or(core::fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// A number's parts, as they are printed one behind the other.
struct Parts<'a> {
    /// Digits, and a point.
    mantissa: &'a [u8],
    /// Zeros behind them.
    zeros: usize,
    /// Whether a point comes behind all that, though nothing follows it.
    point: bool,
    /// `e+05`.
    exponent: &'a [u8],
}

pub(super) fn print<U: Unit>(output: &mut Output<U>, directive: &Directive, value: f64) {
    let Kind::Real { letter, capital } = directive.kind else {
        return;
    };
    let sign: &[u8] = match directive.plus {
        _ if value.is_sign_negative() => b"-",
        Some(b'+') => b"+",
        Some(_) => b" ",
        None => b"",
    };
    let magnitude = value.abs();
    if !magnitude.is_finite() {
        let word: &[u8] = match (magnitude.is_nan(), capital) {
            (true, false) => b"nan",
            (true, true) => b"NAN",
            (false, false) => b"inf",
            (false, true) => b"INF",
        };
        let spaced = Directive {
            zeros: false,
            ..*directive
        };
        output.put_field(&spaced, sign, word.len(), |output| output.put_all(word));
        return;
    }
    match letter {
        b'f' => put_fixed(
            output,
            directive,
            sign,
            magnitude,
            directive.precision.unwrap_or(6),
        ),
        b'e' => put_scientific(
            output,
            directive,
            sign,
            magnitude,
            directive.precision.unwrap_or(6),
        ),
        b'g' => put_shorter(output, directive, sign, magnitude),
        _ => put_hexadecimal(output, directive, sign, magnitude),
    }
}

fn put_parts<U: Unit>(
    output: &mut Output<U>,
    directive: &Directive,
    sign: &[u8],
    parts: &Parts<'_>,
) {
    let point = usize::from(parts.point);
    let length = parts.mantissa.len().saturating_add(parts.zeros) + point + parts.exponent.len();
    let capital = matches!(directive.kind, Kind::Real { capital: true, .. });
    output.put_field(directive, sign, length, |output| {
        for byte in parts.mantissa {
            output.put_ascii(if capital {
                byte.to_ascii_uppercase()
            } else {
                *byte
            });
        }
        output.fill(b'0', parts.zeros);
        output.fill(b'.', point);
        for byte in parts.exponent {
            output.put_ascii(if capital {
                byte.to_ascii_uppercase()
            } else {
                *byte
            });
        }
    });
}

fn put_fixed<U: Unit>(
    output: &mut Output<U>,
    directive: &Directive,
    sign: &[u8],
    magnitude: f64,
    decimals: usize,
) {
    let mut text = Text::new();
    let exact = decimals.min(MOST_DECIMALS);
    // The room is enough for any number.
    let _ = write!(text, "{magnitude:.exact$}");
    let parts = Parts {
        mantissa: text.as_bytes(),
        zeros: decimals - exact,
        point: decimals == 0 && directive.alternate,
        exponent: b"",
    };
    put_parts(output, directive, sign, &parts);
}

/// Digits with so many decimals, and the power of ten.
fn scientific(magnitude: f64, decimals: usize) -> (Text, usize, i32) {
    let mut text = Text::new();
    let _ = write!(text, "{magnitude:.decimals$e}");
    let mark = text
        .as_bytes()
        .iter()
        .position(|byte| *byte == b'e')
        .unwrap_or(text.length);
    let power = core::str::from_utf8(&text.as_bytes()[(mark + 1).min(text.length)..]);
    let power = power.ok().and_then(|power| power.parse().ok()).unwrap_or(0);
    (text, mark, power)
}

/// `e+05`: two digits, or three.
fn exponent(power: i32) -> ([u8; 5], usize) {
    let mut text = *b"e+000";
    if power < 0 {
        text[1] = b'-';
    }
    let digit = |value: u32| b'0' + u8::try_from(value % 10).unwrap_or(0);
    let power = power.unsigned_abs();
    if power < 100 {
        (text[2], text[3]) = (digit(power / 10), digit(power));
        return (text, 4);
    }
    (text[2], text[3], text[4]) = (digit(power / 100), digit(power / 10), digit(power));
    (text, 5)
}

fn put_scientific<U: Unit>(
    output: &mut Output<U>,
    directive: &Directive,
    sign: &[u8],
    magnitude: f64,
    decimals: usize,
) {
    let exact = decimals.min(MOST_DECIMALS);
    let (text, mark, power) = scientific(magnitude, exact);
    let (exponent, length) = exponent(power);
    let bare = decimals == 0 && directive.alternate;
    let mut mantissa = text;
    mantissa.length = mark;
    if bare {
        // The point comes before the exponent.
        let _ = mantissa.write_str(".");
    }
    let parts = Parts {
        mantissa: mantissa.as_bytes(),
        zeros: decimals - exact,
        point: false,
        exponent: &exponent[..length],
    };
    put_parts(output, directive, sign, &parts);
}

/// Whichever of the two notations suits the number, without trailing zeros.
fn put_shorter<U: Unit>(
    output: &mut Output<U>,
    directive: &Directive,
    sign: &[u8],
    magnitude: f64,
) {
    let digits = directive.precision.unwrap_or(6).max(1);
    let exact = (digits - 1).min(MOST_DECIMALS);
    let (_, _, power) = scientific(magnitude, exact);
    let fixed = power >= -4 && i64::from(power) < i64::try_from(digits).unwrap_or(i64::MAX);
    // Not negative: the power is less than the digits.
    let decimals = if fixed {
        usize::try_from(i64::try_from(digits).unwrap_or(i64::MAX) - 1 - i64::from(power))
            .unwrap_or(0)
    } else {
        digits - 1
    };
    if directive.alternate {
        if fixed {
            put_fixed(output, directive, sign, magnitude, decimals);
        } else {
            put_scientific(output, directive, sign, magnitude, decimals);
        }
        return;
    }
    let decimals = decimals.min(MOST_DECIMALS);
    let (mut text, mark, power) = if fixed {
        let mut text = Text::new();
        let _ = write!(text, "{magnitude:.decimals$}");
        let mark = text.length;
        (text, mark, None)
    } else {
        let (text, mark, power) = scientific(magnitude, decimals);
        (text, mark, Some(power))
    };
    text.length = mark;
    if text.as_bytes().contains(&b'.') {
        while text.as_bytes().last() == Some(&b'0') {
            text.length -= 1;
        }
        if text.as_bytes().last() == Some(&b'.') {
            text.length -= 1;
        }
    }
    let (exponent, length) = power.map_or((*b"e+000", 0), exponent);
    let parts = Parts {
        mantissa: text.as_bytes(),
        zeros: 0,
        point: false,
        exponent: &exponent[..length],
    };
    put_parts(output, directive, sign, &parts);
}

/// Bits of a number's fraction.
const FRACTION_BITS: u32 = 52;
/// Hexadecimal digits of it.
const FRACTION_DIGITS: usize = 13;

/// `0x1.8p+1`: all digits, unless a precision asks for fewer.
fn put_hexadecimal<U: Unit>(
    output: &mut Output<U>,
    directive: &Directive,
    sign: &[u8],
    magnitude: f64,
) {
    let bits = magnitude.to_bits();
    let biased = i32::try_from(bits >> FRACTION_BITS).unwrap_or(0);
    let fraction = bits & ((1 << FRACTION_BITS) - 1);
    let (mut whole, power) = match (biased, fraction) {
        (0, 0) => (0, 0),
        (0, _) => (0, -1022),
        _ => (1, biased - 1023),
    };
    let decimals = directive.precision.unwrap_or(FRACTION_DIGITS);
    let mut kept = fraction;
    if decimals < FRACTION_DIGITS {
        // At most 13 digits are dropped, each of four bits.
        let dropped = 4 * u32::try_from(FRACTION_DIGITS - decimals).unwrap_or(0);
        let unit = 1_u64 << dropped;
        let rest = kept & (unit - 1);
        kept -= rest;
        let odd = if dropped == FRACTION_BITS {
            whole == 1
        } else {
            kept & unit != 0
        };
        if rest > unit / 2 || rest == unit / 2 && odd {
            kept += unit;
        }
        whole += kept >> FRACTION_BITS;
        kept &= (1 << FRACTION_BITS) - 1;
    }
    let capital = matches!(directive.kind, Kind::Real { capital: true, .. });
    let mut prefix = Text::new();
    prefix.length = sign.len().min(1);
    prefix.bytes[..prefix.length].copy_from_slice(&sign[..prefix.length]);
    let _ = prefix.write_str(if capital { "0X" } else { "0x" });
    let mut text = Text::new();
    let _ = write!(text, "{whole}");
    if decimals > 0 || directive.alternate {
        let _ = text.write_str(".");
    }
    let shown = decimals.min(FRACTION_DIGITS);
    let point = text.length;
    let _ = write!(text, "{kept:0FRACTION_DIGITS$x}");
    text.length = point + shown;
    let mut exponent = Text::new();
    let _ = write!(exponent, "p{power:+}");
    let parts = Parts {
        mantissa: text.as_bytes(),
        zeros: decimals - shown,
        point: false,
        exponent: exponent.as_bytes(),
    };
    put_parts(output, directive, prefix.as_bytes(), &parts);
}
