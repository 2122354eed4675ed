//! Whole numbers and pointers in formatted output.

use c_interface::Arguments;
use rtl::numerals::{Digits, Letters};

use super::Unit;
use super::directive::{Directive, Kind, Sizes};
use super::output::Output;

/// A number to print.
struct Number {
    negative: bool,
    magnitude: u64,
}

/// The next argument, in the directive's size.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "the upper part of an argument's slot is anything, and the directive says what the number's sign is"
)]
fn next(directive: &Directive, arguments: &mut Arguments) -> Number {
    let signed = directive.kind == Kind::Decimal;
    let sizes = directive.sizes;
    let value = if sizes.long64 {
        arguments.next_u64() as i64
    } else {
        let word = arguments.next_word();
        match (sizes.pointer, sizes.short, signed) {
            (true, _, true) => word as isize as i64,
            (true, _, false) => word as u64 as i64,
            (_, true, true) => i64::from(word as i16),
            (_, true, false) => i64::from(word as u16),
            (_, _, true) => i64::from(word as i32),
            (_, _, false) => i64::from(word as u32),
        }
    };
    Number {
        negative: signed && value < 0,
        magnitude: if signed {
            value.unsigned_abs()
        } else {
            value as u64
        },
    }
}

pub(super) fn print<U: Unit>(
    output: &mut Output<U>,
    directive: &Directive,
    arguments: &mut Arguments,
) {
    let mut directive = *directive;
    let number = if directive.kind == Kind::Pointer {
        directive.sizes = Sizes {
            pointer: true,
            ..Sizes::default()
        };
        directive.precision = Some(size_of::<usize>() * 2);
        directive.plus = None;
        next(&directive, arguments)
    } else {
        next(&directive, arguments)
    };
    let (base, capital) = match directive.kind {
        Kind::Unsigned { base, capital } => (base, capital),
        Kind::Pointer => (16, true),
        _ => (10, false),
    };
    let letters = if capital {
        Letters::Capital
    } else {
        Letters::Small
    };
    let digits = Digits::new(number.magnitude, base, letters);
    let mut digits = digits.as_bytes();
    if number.magnitude == 0 && directive.precision == Some(0) {
        digits = &[];
    }
    let prefix: &[u8] = match (base, directive.alternate && number.magnitude != 0) {
        (16, true) if capital => b"0X",
        (16, true) => b"0x",
        (10, _) => sign(&number, &directive),
        _ => b"",
    };
    let octal =
        base == 8 && directive.alternate && digits.first().is_some_and(|digit| *digit != b'0');
    let least = directive
        .precision
        .unwrap_or(0)
        .max(digits.len() + usize::from(octal));
    if directive.precision.is_some() {
        // A precision says how many zeros there are.
        directive.zeros = false;
    }
    output.put_field(&directive, prefix, least, |output| {
        output.fill(b'0', least - digits.len());
        output.put_all(digits);
    });
}

/// What stands before a decimal number.
fn sign(number: &Number, directive: &Directive) -> &'static [u8] {
    match directive.plus {
        _ if directive.kind != Kind::Decimal => b"",
        _ if number.negative => b"-",
        Some(b'+') => b"+",
        Some(_) => b" ",
        None => b"",
    }
}
