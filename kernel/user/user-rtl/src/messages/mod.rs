//! Texts of messages with inserts: `%1` stands for the first argument, `%2!08x!` for the second one as `printf` writes it.
//!
//! Other letters behind a percent sign are marks for lines and spaces. A width breaks lines at the last space before it, and
//! then line ends of the text itself are spaces; what an insert brings is not broken.
//!
//! Arguments are an array, or a `va_list`. An insert whose width or precision is an argument too (`%1!*.*s!`) takes the one
//! of its number and then the next that nobody has read. In a list, the last of two such counts for later numbers, and the
//! first does not: that is how the function has always counted, and what Microsoft's examples show.
//!
//! # NT
//! `RtlFormatMessage`, `RtlFormatMessageEx`; described for `FormatMessage`.

mod inserts;
mod lines;

use c_interface::{Arguments, Ptr, exports};
use nt_abi::NtStatus;

use crate::printf;
use crate::printf::Output;
use crate::strings::units_before_zero;
use inserts::{Inserts, Slots, Source, directive_of};
use lines::Text;

/// `FORMAT_MESSAGE_MAX_WIDTH_MASK`: no line is broken, but line ends of the text are spaces.
const NO_WIDTH: u32 = 0xFF;
/// As long as the format of one insert can be.
const LONGEST_FORMAT: usize = 30;

const PERCENT: u16 = b'%' as u16;
const SPACE: u16 = b' ' as u16;
const RETURN: u16 = b'\r' as u16;
const LINE_FEED: u16 = b'\n' as u16;
const TAB: u16 = b'\t' as u16;
const EXCLAMATION: u16 = b'!' as u16;

/// A message as it is formatted.
struct Message<'a> {
    format: &'a [u16],
    ignores_inserts: bool,
    ansi: bool,
    /// `None`: there are no arguments.
    inserts: Option<Inserts>,
    text: Text,
}

impl Message<'_> {
    fn write(&mut self) -> Result<(), NtStatus> {
        let format = self.format;
        let mut rest = format;
        while let Some((&unit, behind)) = rest.split_first() {
            rest = behind;
            match unit {
                RETURN | LINE_FEED => {
                    if unit == RETURN && rest.first() == Some(&LINE_FEED) {
                        rest = &rest[1..];
                    }
                    if self.text.joins_lines {
                        self.text.add(SPACE)?;
                    } else {
                        self.text.end_line()?;
                    }
                }
                PERCENT => {
                    let Some((&mark, behind)) = rest.split_first() else {
                        return Err(NtStatus::INVALID_PARAMETER);
                    };
                    if mark == u16::from(b'0') {
                        break;
                    }
                    rest = self.mark(mark, behind)?;
                }
                _ => self.text.add(unit)?,
            }
        }
        self.text.put(0)
    }

    /// Does what a letter behind a percent sign asks for; gives what is behind that.
    fn mark<'f>(&mut self, mark: u16, behind: &'f [u16]) -> Result<&'f [u16], NtStatus> {
        match mark {
            0x6E => self.text.end_line()?,
            0x72 => {
                self.text.put(RETURN)?;
                self.text.line = 0;
                self.text.space = None;
            }
            // With a width, a tab ends a line.
            0x74 if self.text.joins_lines => self.text.end_line()?,
            0x74 => self.text.add_unbroken(&[TAB])?,
            _ if self.ignores_inserts => self.text.add_unbroken(&[PERCENT, mark])?,
            0x62 => self.text.add(SPACE)?,
            digit @ 0x31..=0x39 => return self.insert(digit, behind),
            _ => self.text.add_unbroken(&[mark])?,
        }
        Ok(behind)
    }

    /// Writes an insert, whose number begins with this digit.
    fn insert<'f>(&mut self, digit: u16, behind: &'f [u16]) -> Result<&'f [u16], NtStatus> {
        let mut number = usize::from(digit - 0x30);
        let mut rest = behind;
        if let Some((&second @ 0x30..=0x39, behind)) = rest.split_first() {
            number = number * 10 + usize::from(second - 0x30);
            rest = behind;
        }
        let mut format: &[u16] = &[0x73];
        if let Some(behind) = rest.strip_prefix(&[EXCLAMATION]) {
            let end = behind.iter().position(|unit| *unit == EXCLAMATION);
            let end = end.ok_or(NtStatus::INVALID_PARAMETER)?;
            format = &behind[..end];
            rest = &behind[end + 1..];
        }
        if !format.is_empty() {
            self.print(number, format)?;
        }
        Ok(rest)
    }

    /// Writes an argument, or several, as one directive of `printf` has it.
    fn print(&mut self, number: usize, format: &[u16]) -> Result<(), NtStatus> {
        let inserts = self.inserts.as_mut().ok_or(NtStatus::INVALID_PARAMETER)?;
        let stars = format
            .iter()
            .filter(|unit| **unit == u16::from(b'*'))
            .count();
        if format.len() > LONGEST_FORMAT || stars > 2 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let is_64 = format
            .windows(3)
            .any(|window| window == b"I64".map(u16::from));
        let mut slots = Slots::default();
        let first = inserts.numbered(number, is_64, stars > 0)?;
        slots.push(first, is_64 && stars == 0);
        for star in 0..stars {
            let is_value = star + 1 == stars;
            let value = inserts.next(is_64 && is_value, star == 1)?;
            slots.push(value, is_64 && is_value);
        }
        let mut directive = directive_of(format, self.ansi);
        let room = self.text.room - self.text.length;
        let mut output = Output::new(self.text.to.add(self.text.length), room);
        let written = printf::format(
            &mut output,
            Ptr::of(&mut directive).cast(),
            &mut Arguments::new(Ptr::of(&mut slots.words).cast()),
        );
        let written = written
            .filter(|length| *length <= room)
            .ok_or(NtStatus::BUFFER_OVERFLOW)?;
        self.text.length += written;
        self.text.line += written;
        self.text.wrap()
    }
}

/// What a caller wants.
struct Wanted {
    format: Ptr<u16>,
    width: u32,
    ignores_inserts: u8,
    ansi: u8,
    array: u8,
    arguments: Ptr<usize>,
    to: Ptr<u16>,
    /// In bytes.
    room: u32,
    length: Ptr<u32>,
}

fn run(wanted: &Wanted) -> NtStatus {
    let inserts = wanted.arguments.non_null().map(|arguments| {
        Inserts::new(match wanted.array {
            // A list is handed over by its address.
            0 => Source::List(Arguments::new(Ptr::new(arguments.read()))),
            _ => Source::Array(arguments),
        })
    });
    let mut message = Message {
        format: wanted.format.slice(units_before_zero(wanted.format)),
        ignores_inserts: wanted.ignores_inserts != 0,
        ansi: wanted.ansi != 0,
        inserts,
        text: Text {
            to: wanted.to,
            room: wanted.room as usize / 2,
            length: 0,
            width: if wanted.width == NO_WIDTH {
                0
            } else {
                wanted.width as usize
            },
            joins_lines: wanted.width != 0,
            line: 0,
            space: None,
        },
    };
    match message.write() {
        Ok(()) => {
            // No longer than the room.
            let bytes = u32::try_from(message.text.length * 2).unwrap_or(wanted.room);
            wanted.length.write_optional(bytes);
            NtStatus::SUCCESS
        }
        Err(status) => status,
    }
}

exports! {
    /// Writes a message with its inserts, and a zero, which counts. Room and length are in bytes.
    ///
    /// # Errors
    /// `BUFFER_OVERFLOW`: it does not fit. `INVALID_PARAMETER`: the message ends in the middle of a mark, an insert's format is
    /// longer than 30 units or has three stars, or there are no arguments.
    fn RtlFormatMessage(
        format: Ptr<u16>,
        width: u32,
        ignores_inserts: u8,
        ansi: u8,
        array: u8,
        arguments: Ptr<usize>,
        to: Ptr<u16>,
        room: u32,
        length: Ptr<u32>,
    ) -> NtStatus {
        run(&Wanted { format, width, ignores_inserts, ansi, array, arguments, to, room, length })
    }

    /// As `RtlFormatMessage`. What has been parsed is not kept for another call.
    ///
    /// # Errors
    /// As of `RtlFormatMessage`.
    fn RtlFormatMessageEx(
        format: Ptr<u16>,
        width: u32,
        ignores_inserts: u8,
        ansi: u8,
        array: u8,
        arguments: Ptr<usize>,
        to: Ptr<u16>,
        room: u32,
        length: Ptr<u32>,
        _context: Ptr<u8>,
    ) -> NtStatus {
        run(&Wanted { format, width, ignores_inserts, ansi, array, arguments, to, room, length })
    }
}

#[cfg(test)]
mod tests;
