//! Messages with inserts: what `FormatMessage` makes of a text and arguments.
//!
//! An insert is `%1` to `%99`, with the format of `printf` between exclamation marks if it is no string: `%1!u!`. `%n` breaks
//! a line, `%r` returns to its beginning, `%0` ends the message, and a percent sign before anything else stands for that.
//! Line breaks of the text itself stay, or become blanks when lines have a greatest width.
//!
//! # NT
//! "`FormatMessage`", Microsoft Learn.

use alloc::vec::Vec;

use crate::error::{Error, Win};

mod printf;
pub mod system;
#[cfg(test)]
mod tests;

pub use printf::{Text, Values};

/// How lines are broken: the low byte of the flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Width {
    /// As the text says.
    AsWritten,
    /// Nowhere but at `%n`.
    None,
    /// At blanks, before a line has more units than this.
    Most(usize),
}

impl Width {
    /// The width that flags say.
    pub const fn of(flags: u32) -> Self {
        match flags & 0xFF {
            0 => Self::AsWritten,
            0xFF => Self::None,
            most => Self::Most(most as usize),
        }
    }
}

const PERCENT: u16 = b'%' as u16;
const BLANK: u16 = b' ' as u16;
const RETURN: u16 = b'\r' as u16;
const FEED: u16 = b'\n' as u16;
const MARK: u16 = b'!' as u16;

/// What comes out, line by line.
struct Output {
    units: Vec<u16>,
    width: Width,
    /// Where the line begins.
    line: usize,
    /// Behind the last blank of the line.
    blank: Option<usize>,
}

impl Output {
    fn put(&mut self, unit: u16) -> Win {
        self.units
            .try_reserve(1)
            .map_err(|_| Error::NOT_ENOUGH_MEMORY)?;
        self.units.push(unit);
        if unit == BLANK {
            self.blank = Some(self.units.len());
        }
        let Width::Most(most) = self.width else {
            return Ok(());
        };
        if self.units.len() - self.line > most
            && let Some(blank) = self.blank
        {
            self.break_at(blank)?;
        }
        Ok(())
    }

    /// Puts a line break for the blank that ends at a place.
    fn break_at(&mut self, blank: usize) -> Win {
        self.units
            .try_reserve(1)
            .map_err(|_| Error::NOT_ENOUGH_MEMORY)?;
        if let Some(place) = self.units.get_mut(blank - 1) {
            *place = RETURN;
        }
        self.units.insert(blank, FEED);
        self.line = blank + 1;
        self.blank = None;
        Ok(())
    }

    fn new_line(&mut self) -> Win {
        self.put(RETURN)?;
        self.put(FEED)?;
        self.line = self.units.len();
        self.blank = None;
        Ok(())
    }
}

/// The text with its inserts put in; with `values` none, inserts stay as they are written.
///
/// # Errors
/// `NOT_ENOUGH_MEMORY`; `INVALID_PARAMETER`: an insert is not as it should be, or there is no value for it.
pub fn format(text: &[u16], width: Width, mut values: Option<&mut dyn Values>) -> Win<Vec<u16>> {
    let mut output = Output {
        units: Vec::new(),
        width,
        line: 0,
        blank: None,
    };
    let mut rest = text;
    while let Some((&unit, after)) = rest.split_first() {
        rest = after;
        match unit {
            RETURN | FEED => {
                if unit == RETURN && rest.first() == Some(&FEED) {
                    rest = &rest[1..];
                }
                match width {
                    Width::AsWritten => output.new_line()?,
                    _ => output.put(BLANK)?,
                }
            }
            PERCENT => match escape(rest, &mut output, &mut values)? {
                Some(after) => rest = after,
                None => break,
            },
            _ => output.put(unit)?,
        }
    }
    Ok(output.units)
}

/// What a percent sign begins; gives what follows it, `None`: the message ends.
fn escape<'t>(
    rest: &'t [u16],
    output: &mut Output,
    values: &mut Option<&mut dyn Values>,
) -> Win<Option<&'t [u16]>> {
    let (&unit, after) = rest.split_first().ok_or(Error::INVALID_PARAMETER)?;
    match u8::try_from(unit).unwrap_or(0) {
        b'0' => return Ok(None),
        b'n' => output.new_line()?,
        b'r' => output.put(RETURN)?,
        b't' => output.put(u16::from(b'\t'))?,
        digit @ b'1'..=b'9' => {
            let Some(values) = values else {
                output.put(PERCENT)?;
                output.put(unit)?;
                return Ok(Some(after));
            };
            return insert(usize::from(digit - b'0'), after, output, *values).map(Some);
        }
        _ => {
            if values.is_none() {
                output.put(PERCENT)?;
            }
            output.put(unit)?;
        }
    }
    Ok(Some(after))
}

/// Puts a value in; gives what follows.
fn insert<'t>(
    mut number: usize,
    rest: &'t [u16],
    output: &mut Output,
    values: &mut dyn Values,
) -> Win<&'t [u16]> {
    let mut rest = rest;
    if let Some((&unit, after)) = rest.split_first()
        && (u16::from(b'0')..=u16::from(b'9')).contains(&unit)
    {
        number = number * 10 + usize::from(unit - u16::from(b'0'));
        rest = after;
    }
    let mut format: &[u16] = &[b's' as u16];
    if let Some((&MARK, after)) = rest.split_first() {
        let end = after.iter().position(|&unit| unit == MARK);
        let end = end.ok_or(Error::INVALID_PARAMETER)?;
        format = &after[..end];
        rest = &after[end + 1..];
    }
    printf::write(format, number, values, &mut |unit| output.put(unit))?;
    Ok(rest)
}
