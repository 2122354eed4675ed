//! Texts of messages with inserts: `%1` stands for the first argument, `%2!08x!` for the second one as `printf` writes it.
//!
//! Other letters behind a percent sign are marks for lines and spaces. A width breaks lines at the last space before it, and
//! then line ends of the text itself are spaces; what an insert brings is not broken.
//!
//! Arguments are an array, or a `va_list`. In a list, an insert whose width or precision is an argument too (`%1!*s!`) moves
//! all later numbers by one, as Microsoft's examples show: that is how the function has always counted.
//!
//! # NT
//! `RtlFormatMessage`, `RtlFormatMessageEx`; described for `FormatMessage`.

use c_interface::{Arguments, Ptr, exports};
use nt_abi::NtStatus;

use crate::printf;
use crate::printf::Output;
use crate::strings::units_before_zero;

/// `FORMAT_MESSAGE_MAX_WIDTH_MASK`: no line is broken, but line ends of the text are spaces.
const NO_WIDTH: u32 = 0xFF;
/// As many arguments as a message can name.
const MOST_ARGUMENTS: usize = 99;
/// As long as the format of one insert can be.
const LONGEST_FORMAT: usize = 32;

const PERCENT: u16 = b'%' as u16;
const SPACE: u16 = b' ' as u16;
const RETURN: u16 = b'\r' as u16;
const LINE_FEED: u16 = b'\n' as u16;
const EXCLAMATION: u16 = b'!' as u16;

/// Where the arguments are.
#[allow(clippy::large_enum_variant, reason = "there is one, on the stack")]
enum Source {
    /// One after another, at an address.
    Array(Ptr<usize>),
    /// To be walked over; those that were read are kept.
    List {
        rest: Arguments,
        read: [usize; MOST_ARGUMENTS + 2],
        count: usize,
    },
    None,
}

impl Source {
    /// An argument by its place, counted from 0.
    fn argument(&mut self, index: usize) -> usize {
        match self {
            Self::Array(array) => array.add(index).read(),
            Self::List { rest, read, count } => {
                while *count <= index && *count < read.len() {
                    read[*count] = rest.next_word();
                    *count += 1;
                }
                read.get(index).copied().unwrap_or(0)
            }
            Self::None => 0,
        }
    }
}

/// The text in the making.
struct Text {
    to: Ptr<u16>,
    room: usize,
    length: usize,
    /// Of a line; 0: lines are not broken.
    width: usize,
    /// Whether line ends of the text are spaces.
    joins_lines: bool,
    /// How long the line is.
    line: usize,
    /// Where the line's last space is, if it can be broken there.
    space: Option<usize>,
}

impl Text {
    fn put(&mut self, unit: u16) -> Result<(), NtStatus> {
        if self.length >= self.room {
            return Err(NtStatus::BUFFER_OVERFLOW);
        }
        self.to.add(self.length).write(unit);
        self.length += 1;
        Ok(())
    }

    /// Ends the line.
    fn end_line(&mut self) -> Result<(), NtStatus> {
        self.put(RETURN)?;
        self.put(LINE_FEED)?;
        self.line = 0;
        self.space = None;
        Ok(())
    }

    /// Breaks the line, if it is too long: at its last space, or here.
    fn wrap(&mut self) -> Result<(), NtStatus> {
        if self.width == 0 || self.line < self.width {
            return Ok(());
        }
        let Some(space) = self.space else {
            return self.end_line();
        };
        // A line end is two units, the space was one.
        let rest = self.length - space - 1;
        self.put(0)?;
        let behind = self.to.add(space + 1);
        behind
            .add(1)
            .cast::<u8>()
            .copy_from(behind.cast(), rest * 2);
        self.to.add(space).write(RETURN);
        behind.write(LINE_FEED);
        self.line = rest;
        self.space = None;
        Ok(())
    }

    /// Adds a unit of the text, which may end a line that is full.
    fn add(&mut self, unit: u16) -> Result<(), NtStatus> {
        if unit == SPACE {
            self.space = Some(self.length);
        }
        self.add_unbroken(&[unit])
    }

    /// Adds units that belong together.
    fn add_unbroken(&mut self, units: &[u16]) -> Result<(), NtStatus> {
        for unit in units {
            self.put(*unit)?;
        }
        self.line += units.len();
        self.wrap()
    }
}

/// A message as it is formatted.
struct Message<'a> {
    format: &'a [u16],
    ignores_inserts: bool,
    ansi: bool,
    source: Source,
    /// Where the last insert with arguments of its own was, and by how much later ones are moved.
    moved: (usize, usize),
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
            0x74 => {
                self.text.space = Some(self.text.length);
                self.text.add_unbroken(&[u16::from(b'\t')])?;
            }
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
        self.print(number, format)?;
        Ok(rest)
    }

    /// Where the argument of a number is, counted from 0.
    fn index(&self, number: usize) -> usize {
        let (behind, by) = self.moved;
        let by = match self.source {
            Source::List { .. } if number > behind => by,
            _ => 0,
        };
        number - 1 + by
    }

    /// Writes an argument, or several, as one directive of `printf` has it.
    fn print(&mut self, number: usize, format: &[u16]) -> Result<(), NtStatus> {
        let Some(letter) = format.last().copied() else {
            return Ok(());
        };
        // The directive, with the size that text of the arguments' kind has.
        let mut directive = [0_u16; LONGEST_FORMAT + 3];
        let sized = matches!(
            format.len().checked_sub(2).map(|at| format[at]),
            Some(0x68 | 0x6C | 0x77)
        );
        let size = match letter {
            0x73 | 0x63 if self.ansi && !sized => Some(b'h'),
            0x53 | 0x43 if self.ansi && !sized => Some(b'w'),
            _ => None,
        };
        if format.len() > LONGEST_FORMAT {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        directive[0] = PERCENT;
        let (front, last) = format.split_at(format.len() - 1);
        directive[1..=front.len()].copy_from_slice(front);
        let mut end = 1 + front.len();
        if let Some(size) = size {
            directive[end] = u16::from(size);
            end += 1;
        }
        directive[end] = last[0];

        let stars = format
            .iter()
            .filter(|unit| **unit == u16::from(b'*'))
            .count()
            .min(2);
        let first = self.index(number);
        let mut slots = [0_usize; 4];
        for (place, slot) in slots.iter_mut().enumerate() {
            // What has 64 bits may take two arguments.
            let wanted =
                place <= stars || size_of::<usize>() < 8 && place == stars + 1 && is_64(format);
            *slot = if wanted {
                self.source.argument(first + place)
            } else {
                0
            };
        }
        if stars > 0 {
            self.moved = (number, self.moved.1 + 1);
        }
        let room = self.text.room - self.text.length;
        let mut output = Output::new(self.text.to.add(self.text.length), room);
        let written = printf::format(
            &mut output,
            Ptr::of(&mut directive).cast(),
            &mut Arguments::new(Ptr::of(&mut slots).cast()),
        );
        let written = written
            .filter(|length| *length <= room)
            .ok_or(NtStatus::BUFFER_OVERFLOW)?;
        self.text.length += written;
        self.text.line += written;
        self.text.wrap()
    }
}

/// Whether a directive's number has 64 bits.
fn is_64(format: &[u16]) -> bool {
    let has = |part: [u8; 2]| {
        format
            .windows(2)
            .any(|window| window == part.map(u16::from))
    };
    has(*b"ll") || has(*b"64")
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
    let source = match (wanted.arguments.non_null(), wanted.array) {
        (None, _) => Source::None,
        // A list is handed over by its address.
        (Some(list), 0) => Source::List {
            rest: Arguments::new(Ptr::new(list.read())),
            read: [0; MOST_ARGUMENTS + 2],
            count: 0,
        },
        (Some(array), _) => Source::Array(array),
    };
    let mut message = Message {
        format: wanted.format.slice(units_before_zero(wanted.format)),
        ignores_inserts: wanted.ignores_inserts != 0,
        ansi: wanted.ansi != 0,
        source,
        moved: (0, 0),
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
    /// `BUFFER_OVERFLOW`: it does not fit. `INVALID_PARAMETER`: the message ends in the middle of a mark.
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
#[path = "messages_tests.rs"]
mod tests;
