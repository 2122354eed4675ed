//! One value, written as a format of `printf` says.

use alloc::vec::Vec;

use rtl::numerals::{Digits, Letters};

use crate::error::{Error, Win};

/// The values that inserts stand for.
pub trait Values {
    /// The value of a number, from 1, as wide as a pointer.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: there is none.
    fn word(&mut self, number: usize) -> Win<usize>;

    /// The value of a number, of 64 bits.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: there is none.
    fn wide(&mut self, number: usize) -> Win<u64>;

    /// The text at an address: terminated, or at most so many elements.
    ///
    /// # Errors
    /// `NOT_ENOUGH_MEMORY`.
    fn text(&self, at: usize, kind: Text, most: Option<usize>) -> Win<Vec<u16>>;
}

/// How text is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Text {
    /// As the function takes text: units for the one whose name ends in `W`, bytes for the other.
    Own,
    /// As the other one takes it.
    Other,
    /// Bytes.
    Bytes,
    /// Units.
    Units,
}

/// How wide a number is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Length {
    Int,
    Short,
    Byte,
    Wide,
    Pointer,
}

/// A format, without its percent sign.
struct Format {
    left: bool,
    plus: bool,
    blank: bool,
    prefix: bool,
    zeros: bool,
    width: usize,
    precision: Option<usize>,
    length: Length,
    /// `h`, `l` or `w` before a letter of text.
    text: Option<Text>,
    letter: u8,
}

/// No width or precision may be larger: nobody reads more.
const MOST: usize = 0x1_0000;

/// Reads units of ASCII, one by one.
struct Reader<'a>(&'a [u16]);

impl Reader<'_> {
    fn peek(&self) -> u8 {
        self.0
            .first()
            .and_then(|&unit| u8::try_from(unit).ok())
            .unwrap_or(0)
    }

    fn take(&mut self, wanted: &[u8]) -> bool {
        let matches = self.0.len() >= wanted.len()
            && self
                .0
                .iter()
                .zip(wanted)
                .all(|(unit, byte)| *unit == u16::from(*byte));
        if matches {
            self.0 = &self.0[wanted.len()..];
        }
        matches
    }

    fn number(&mut self) -> usize {
        let mut number = 0;
        while self.peek().is_ascii_digit() {
            number = (number * 10 + usize::from(self.peek() - b'0')).min(MOST);
            self.0 = &self.0[1..];
        }
        number
    }
}

/// A number in a place where `*` may stand for one of the values.
fn number(reader: &mut Reader<'_>, next: &mut usize, values: &mut dyn Values) -> Win<usize> {
    if !reader.take(b"*") {
        return Ok(reader.number());
    }
    let value = values.word(*next)?;
    *next += 1;
    Ok(value.min(MOST))
}

/// Reads a format; `next` becomes the number of the value itself.
fn read(format: &[u16], next: &mut usize, values: &mut dyn Values) -> Win<Format> {
    let mut reader = Reader(format);
    let mut found = Format {
        left: false,
        plus: false,
        blank: false,
        prefix: false,
        zeros: false,
        width: 0,
        precision: None,
        length: Length::Int,
        text: None,
        letter: 0,
    };
    loop {
        match reader.peek() {
            b'-' => found.left = true,
            b'+' => found.plus = true,
            b' ' => found.blank = true,
            b'#' => found.prefix = true,
            b'0' => found.zeros = true,
            _ => break,
        }
        reader.0 = &reader.0[1..];
    }
    found.width = number(&mut reader, next, values)?;
    if reader.take(b".") {
        found.precision = Some(number(&mut reader, next, values)?);
    }
    let lengths: [(&[u8], Length, Option<Text>); 9] = [
        (b"I64", Length::Wide, None),
        (b"I32", Length::Int, None),
        (b"I", Length::Pointer, None),
        (b"hh", Length::Byte, Some(Text::Bytes)),
        (b"h", Length::Short, Some(Text::Bytes)),
        (b"ll", Length::Wide, Some(Text::Units)),
        (b"l", Length::Int, Some(Text::Units)),
        (b"w", Length::Int, Some(Text::Units)),
        (b"z", Length::Pointer, None),
    ];
    for (prefix, length, text) in lengths {
        if reader.take(prefix) {
            (found.length, found.text) = (length, text);
            break;
        }
    }
    found.letter = reader.peek();
    Ok(found)
}

/// Writes a value; gives each unit to `put`.
///
/// # Errors
/// `INVALID_PARAMETER`: there is no such value or no such format; those of `put`.
pub(super) fn write(
    format: &[u16],
    number: usize,
    values: &mut dyn Values,
    put: &mut dyn FnMut(u16) -> Win,
) -> Win {
    let mut next = number;
    let format = read(format, &mut next, values)?;
    match format.letter {
        b'd' | b'i' | b'u' | b'x' | b'X' | b'o' | b'p' => write_number(&format, next, values, put),
        b'c' | b'C' => {
            let unit = u16::try_from(values.word(next)? & 0xFFFF).unwrap_or_default();
            padded(&format, &[unit], put)
        }
        b's' | b'S' | 0 => {
            let kind = format.text.unwrap_or(if format.letter == b'S' {
                Text::Other
            } else {
                Text::Own
            });
            let at = values.word(next)?;
            let text = values.text(at, kind, format.precision)?;
            padded(&format, &text, put)
        }
        _ => Err(Error::INVALID_PARAMETER),
    }
}

fn padded(format: &Format, text: &[u16], put: &mut dyn FnMut(u16) -> Win) -> Win {
    let padding = format.width.saturating_sub(text.len());
    let fill = if format.zeros && !format.left {
        b'0'
    } else {
        b' '
    };
    if !format.left {
        (0..padding).try_for_each(|_| put(u16::from(fill)))?;
    }
    text.iter().try_for_each(|&unit| put(unit))?;
    if format.left {
        (0..padding).try_for_each(|_| put(u16::from(b' ')))?;
    }
    Ok(())
}

fn write_number(
    format: &Format,
    number: usize,
    values: &mut dyn Values,
    put: &mut dyn FnMut(u16) -> Win,
) -> Win {
    let (base, letters) = match format.letter {
        b'x' => (16, Letters::Small),
        b'X' | b'p' => (16, Letters::Capital),
        b'o' => (8, Letters::Small),
        _ => (10, Letters::Small),
    };
    let signed = matches!(format.letter, b'd' | b'i');
    let (value, negative) = value(format, number, signed, values)?;
    let digits = Digits::new(value, base, letters);
    let digits = digits.as_bytes();
    let pointer_digits = 2 * size_of::<usize>();
    let least = if format.letter == b'p' {
        pointer_digits
    } else {
        format.precision.unwrap_or(1)
    };
    // With a precision of 0 nothing is written for 0.
    let digits = if value == 0 && least == 0 {
        &[]
    } else {
        digits
    };
    let sign: &[u8] = match (negative, format.plus, format.blank) {
        (true, ..) => b"-",
        (_, true, _) if signed => b"+",
        (_, _, true) if signed => b" ",
        _ => b"",
    };
    let prefix: &[u8] = match format.letter {
        b'x' if format.prefix && value != 0 => b"0x",
        b'X' if format.prefix && value != 0 => b"0X",
        b'o' if format.prefix && digits.first() != Some(&b'0') => b"0",
        _ => b"",
    };
    let mut zeros = least.saturating_sub(digits.len());
    let written = sign.len() + prefix.len() + zeros + digits.len();
    let padding = format.width.saturating_sub(written);
    let with_zeros = format.zeros && !format.left && format.precision.is_none();
    if with_zeros {
        zeros += padding;
    } else if !format.left {
        (0..padding).try_for_each(|_| put(u16::from(b' ')))?;
    }
    sign.iter()
        .chain(prefix)
        .try_for_each(|&byte| put(u16::from(byte)))?;
    (0..zeros).try_for_each(|_| put(u16::from(b'0')))?;
    digits.iter().try_for_each(|&byte| put(u16::from(byte)))?;
    if format.left {
        (0..padding).try_for_each(|_| put(u16::from(b' ')))?;
    }
    Ok(())
}

/// The value as its width says: without its sign, and whether it has one.
fn value(
    format: &Format,
    number: usize,
    signed: bool,
    values: &mut dyn Values,
) -> Win<(u64, bool)> {
    let length = if format.letter == b'p' {
        Length::Pointer
    } else {
        format.length
    };
    let raw = match length {
        Length::Wide => values.wide(number)?,
        _ => values.word(number)? as u64,
    };
    let bits = match length {
        Length::Wide => 64,
        Length::Pointer => usize::BITS,
        Length::Int => 32,
        Length::Short => 16,
        Length::Byte => 8,
    };
    let high = raw << (64 - bits);
    if signed {
        let value = high.cast_signed() >> (64 - bits);
        return Ok((value.unsigned_abs(), value < 0));
    }
    Ok((high >> (64 - bits), false))
}
