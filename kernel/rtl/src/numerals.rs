//! Whole numbers as digits, in any base up to 36.

/// As many digits as a number can have: in base 2.
pub const MOST_DIGITS: usize = 64;

/// Capitals or small letters for the digits from ten on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Letters {
    /// `A` to `Z`.
    Capital,
    /// `a` to `z`.
    Small,
}

/// A number's digits, ASCII, at least one.
#[derive(Clone, Copy, Debug)]
pub struct Digits {
    text: [u8; MOST_DIGITS],
    start: usize,
}

impl Digits {
    /// The digits of a number.
    ///
    /// # Panics
    /// If the base is less than 2: a mistake of the caller's. More than 36 is taken for 36.
    pub fn new(mut value: u64, base: u32, letters: Letters) -> Self {
        assert!(base >= 2, "a number has no digits in base {base}");
        let base = u64::from(base.min(36));
        let ten = match letters {
            Letters::Capital => b'A',
            Letters::Small => b'a',
        };
        let mut digits = Self {
            text: [0; MOST_DIGITS],
            start: MOST_DIGITS,
        };
        loop {
            // Below 36.
            let digit = u8::try_from(value % base).unwrap_or(0);
            value /= base;
            digits.start -= 1;
            digits.text[digits.start] = if digit < 10 {
                b'0' + digit
            } else {
                ten + (digit - 10)
            };
            if value == 0 {
                return digits;
            }
        }
    }

    /// The digits, the first one first.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[self.start..]
    }
}

/// What a letter or figure counts as a digit; 36 and more: it is none.
#[inline]
pub const fn digit(unit: u16) -> u32 {
    let value = match unit {
        0x30..=0x39 => unit - 0x30,
        0x41..=0x5A => unit - 0x41 + 10,
        0x61..=0x7A => unit - 0x61 + 10,
        _ => 36,
    };
    value as u32
}

/// A number that was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Numeral {
    /// Its value; what does not fit is lost from above.
    pub value: u64,
    /// How many digits it has; none: there was no number.
    pub digits: usize,
    /// Whether something was lost.
    pub overflowed: bool,
}

/// Reads digits, up to the first unit that is none in this base.
pub fn read(units: impl Iterator<Item = u16>, base: u32) -> Numeral {
    let mut number = Numeral::default();
    for value in units.map(digit).take_while(|value| *value < base) {
        let (product, over) = number.value.overflowing_mul(u64::from(base));
        let (sum, over_again) = product.overflowing_add(u64::from(value));
        number.value = sum;
        number.digits += 1;
        number.overflowed |= over | over_again;
    }
    number
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::format;
    use std::string::String;

    use super::*;
    use crate::Random;

    fn text(value: u64, base: u32) -> String {
        String::from_utf8(Digits::new(value, base, Letters::Small).as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn digits_are_those_of_the_standard_library() {
        let mut random = Random::new(3);
        for _ in 0..2_000 {
            let shift = u32::try_from(random.below(64)).unwrap();
            let value = random.next_u64() >> shift;
            assert_eq!(text(value, 10), format!("{value}"));
            assert_eq!(text(value, 2), format!("{value:b}"));
            assert_eq!(text(value, 8), format!("{value:o}"));
            assert_eq!(text(value, 16), format!("{value:x}"));
        }
        assert_eq!(text(0, 2), "0");
        assert_eq!(text(u64::MAX, 36), "3w5e11264sgsf");
        let capital = Digits::new(0xABC, 16, Letters::Capital);
        assert_eq!(capital.as_bytes(), b"ABC");
    }

    #[test]
    fn reading_stops_where_the_number_ends() {
        let number = read("12a9".encode_utf16(), 10);
        assert_eq!((number.value, number.digits), (12, 2));
        assert_eq!(read("zZ".encode_utf16(), 36).value, 35 * 37);
        assert_eq!(read("8".encode_utf16(), 8).digits, 0);
        let largest = read("18446744073709551615".encode_utf16(), 10);
        assert_eq!((largest.value, largest.overflowed), (u64::MAX, false));
        let larger = read("18446744073709551616".encode_utf16(), 10);
        assert_eq!((larger.value, larger.overflowed), (0, true));
        assert_eq!(read("ö".encode_utf16(), 36).digits, 0);
    }
}
