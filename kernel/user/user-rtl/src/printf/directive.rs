//! A directive of a format: what stands between a percent sign and the letter that ends it.

use c_interface::Arguments;

use super::{Cursor, Unit};

/// What the letter asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// `d`, `i`.
    Decimal,
    /// `u`, `o`, `x`, `X`.
    Unsigned { base: u32, capital: bool },
    /// `p`.
    Pointer,
    /// `e`, `f`, `g`, `a` and their capitals.
    Real { letter: u8, capital: bool },
    /// `c`, `C`.
    Character { wide: bool },
    /// `s`, `S`.
    Text { wide: bool },
    /// `Z`.
    Counted,
    /// `n`.
    StoreLength,
    /// No letter of a directive: it is printed itself.
    Literal(u16),
}

/// The sizes that stand before the letter, several of which may be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Sizes {
    /// `h`: 16 bits; text of bytes.
    pub(super) short: bool,
    /// `l`: text of units.
    pub(super) long: bool,
    /// `w`: text of units.
    pub(super) wide: bool,
    /// `ll`, `I64`, `j`: 64 bits.
    pub(super) long64: bool,
    /// `I`, `z`, `t`: as a pointer.
    pub(super) pointer: bool,
}

impl Sizes {
    /// Whether text has units, if a small letter means text as that of the format and a capital the other kind.
    fn is_wide<U: Unit>(self, capital: bool) -> bool {
        // Which of two sizes is stronger depends on the kind of function.
        match (self.short, self.long || self.wide) {
            (true, true) => !U::WIDE,
            (true, false) => false,
            (false, true) => true,
            (false, false) => U::WIDE != capital,
        }
    }
}

/// A directive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Directive {
    /// `-`: the text is on the left of its field.
    pub(super) left: bool,
    /// `+` or a space: what stands before numbers that are not negative.
    pub(super) plus: Option<u8>,
    /// `#`.
    pub(super) alternate: bool,
    /// `0`: the field is filled with zeros.
    pub(super) zeros: bool,
    /// Of the field.
    pub(super) width: usize,
    pub(super) precision: Option<usize>,
    pub(super) sizes: Sizes,
    pub(super) kind: Kind,
}

impl Directive {
    /// Reads a directive behind its percent sign; `None`: the format ended in it.
    pub(super) fn parse<U: Unit>(
        format: &mut Cursor<U>,
        arguments: &mut Arguments,
    ) -> Option<Self> {
        let mut directive = Self {
            left: false,
            plus: None,
            alternate: false,
            zeros: false,
            width: 0,
            precision: None,
            sizes: Sizes::default(),
            kind: Kind::Decimal,
        };
        directive.parse_flags(format);
        directive.parse_width(format, arguments);
        if format.eat(b'.') {
            directive.precision = parse_precision(format, arguments);
        }
        directive.sizes = parse_sizes(format);
        let letter = format.peek();
        if letter == 0 {
            return None;
        }
        format.skip();
        directive.kind = directive.kind_of::<U>(letter);
        Some(directive)
    }

    fn parse_flags<U: Unit>(&mut self, format: &mut Cursor<U>) {
        loop {
            if format.eat(b'-') {
                self.left = true;
            } else if format.eat(b'+') {
                self.plus = Some(b'+');
            } else if format.eat(b' ') {
                // A plus sign is stronger.
                self.plus = self.plus.or(Some(b' '));
            } else if format.eat(b'#') {
                self.alternate = true;
            } else if format.eat(b'0') {
                self.zeros = true;
            } else {
                return;
            }
        }
    }

    fn parse_width<U: Unit>(&mut self, format: &mut Cursor<U>, arguments: &mut Arguments) {
        if format.eat(b'*') {
            let width = next_int(arguments);
            self.left |= width < 0;
            self.width = width.unsigned_abs() as usize;
        } else {
            self.width = parse_number(format);
        }
    }

    fn kind_of<U: Unit>(&self, letter: u16) -> Kind {
        let Ok(byte) = u8::try_from(letter) else {
            return Kind::Literal(letter);
        };
        let capital = byte.is_ascii_uppercase();
        let wide = self.sizes.is_wide::<U>(capital);
        match byte {
            b'd' | b'i' => Kind::Decimal,
            b'u' => Kind::Unsigned { base: 10, capital },
            b'o' => Kind::Unsigned { base: 8, capital },
            b'x' | b'X' => Kind::Unsigned { base: 16, capital },
            b'p' => Kind::Pointer,
            b'e' | b'E' | b'f' | b'g' | b'G' | b'a' | b'A' => Kind::Real {
                letter: byte.to_ascii_lowercase(),
                capital,
            },
            b'c' | b'C' => Kind::Character { wide },
            b's' | b'S' => Kind::Text { wide },
            b'Z' => Kind::Counted,
            b'n' => Kind::StoreLength,
            _ => Kind::Literal(letter),
        }
    }

    /// Whether a counted string has units.
    pub(super) const fn counted_is_wide(&self) -> bool {
        self.sizes.long || self.sizes.wide
    }
}

/// The next argument as an `int`.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "the upper part of an argument's slot is anything"
)]
fn next_int(arguments: &mut Arguments) -> i32 {
    arguments.next_word() as u32 as i32
}

/// Reads digits; none are 0.
fn parse_number<U: Unit>(format: &mut Cursor<U>) -> usize {
    let mut number = 0_usize;
    while let digit @ 0x30..=0x39 = format.peek() {
        number = number
            .saturating_mul(10)
            .saturating_add(usize::from(digit - 0x30));
        format.skip();
    }
    number
}

/// Reads what is behind the dot; `None`: a negative one, which is none.
fn parse_precision<U: Unit>(format: &mut Cursor<U>, arguments: &mut Arguments) -> Option<usize> {
    if format.eat(b'*') {
        usize::try_from(next_int(arguments)).ok()
    } else {
        Some(parse_number(format))
    }
}

fn parse_sizes<U: Unit>(format: &mut Cursor<U>) -> Sizes {
    let mut sizes = Sizes::default();
    loop {
        match format.peek() {
            // h
            0x68 => sizes.short = true,
            // l, of which two are one.
            0x6C => {
                format.skip();
                if format.eat(b'l') {
                    sizes.long64 = true;
                } else {
                    sizes.long = true;
                }
                continue;
            }
            // w
            0x77 => sizes.wide = true,
            // j
            0x6A => sizes.long64 = true,
            // z, t
            0x7A | 0x74 => sizes.pointer = true,
            // L: numbers of `long double`, which is `double`; F and N: near and far once.
            0x4C | 0x46 | 0x4E => {}
            0x49 => match parse_size_i(format) {
                Some(SizeI::Long64) => sizes.long64 = true,
                Some(SizeI::Long) => {}
                Some(SizeI::Pointer) => sizes.pointer = true,
                None => return sizes,
            },
            _ => return sizes,
        }
        format.skip();
    }
}

/// What an `I` says.
#[derive(Clone, Copy)]
enum SizeI {
    Long64,
    Long,
    Pointer,
}

/// Reads `I64`, `I32` or `I`, up to its last unit; `None`: it is no size.
fn parse_size_i<U: Unit>(format: &mut Cursor<U>) -> Option<SizeI> {
    let mut rest = *format;
    rest.skip();
    for (digits, size) in [(b"64", SizeI::Long64), (b"32", SizeI::Long)] {
        let mut after = rest;
        if after.eat(digits[0]) && after.peek() == u16::from(digits[1]) {
            *format = after;
            return Some(size);
        }
    }
    // d, i, o, u, x, X
    let of_numbers = matches!(rest.peek(), 0x64 | 0x69 | 0x6F | 0x75 | 0x78 | 0x58);
    of_numbers.then_some(SizeI::Pointer)
}
