//! Archives in cpio's "newc" format: the RAM disk that the boot loader brings along.
//!
//! The format is as plain as one can be: for each file a header of ASCII digits, the name, the bytes, each padded to
//! four. There is no directory, so finding is reading; nothing is copied, entries borrow from the archive.
//!
//! | bytes | what |
//! |---|---|
//! | 6 | `070701`, or `070702` with a checksum |
//! | 13 times 8 | hexadecimal numbers: file number, mode, user, group, links, time, size, four of device numbers, length of the name with its NUL, sum of a file's bytes |
//! | | name, NUL, zeroes up to a multiple of 4 from the archive's start |
//! | | the file's bytes, zeroes up to a multiple of 4 |
//!
//! An entry named `TRAILER!!!` ends the archive; what comes after is not looked at.
//!
//! Whoever made the archive may have made it wrong: every length is checked against what is there, each step moves
//! forward by a header at least, and the first mistake ends the reading with its offset.

use core::fmt;

const HEADER: usize = 110;
const MAGIC: &[u8] = b"070701";
const MAGIC_WITH_SUM: &[u8] = b"070702";
const TRAILER: &[u8] = b"TRAILER!!!";

/// Where in the header's numbers each stands.
mod field {
    pub(super) const MODE: usize = 1;
    pub(super) const MODIFIED: usize = 5;
    pub(super) const SIZE: usize = 6;
    pub(super) const NAME_LENGTH: usize = 11;
    pub(super) const SUM: usize = 12;
}

/// What is wrong with an archive, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Error {
    /// Bytes from the archive's start to the header, number, name or data.
    pub offset: usize,
    /// What is wrong there.
    pub what: Damage,
}

/// What can be wrong with an archive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Damage {
    /// It ends inside a header, a name or a file, or without a trailer.
    Truncated,
    /// No header is where one should be.
    Magic,
    /// A number has another character than a hexadecimal digit.
    Number,
    /// A name is empty, has no NUL at its end or one before it.
    Name,
    /// A file's bytes do not add up to the checksum.
    Sum,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            Damage::Truncated => "it ends too early",
            Damage::Magic => "there is no header",
            Damage::Number => "a number has a wrong digit",
            Damage::Name => "a name is malformed",
            Damage::Sum => "the checksum is wrong",
        };
        write!(f, "the archive is damaged at byte {}: {what}", self.offset)
    }
}

/// What an entry is, by its mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A file. Of those that are one file under several names, only the last has the bytes.
    File,
    /// A directory.
    Directory,
    /// A symbolic link; its bytes are the target's name.
    Link,
    /// A device, pipe or socket.
    Other,
}

/// A file, directory or link of an archive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry<'a> {
    /// The name with `/` between its components, without a leading `/` or `./`. It may be anything but empty.
    pub name: &'a [u8],
    /// Unix' type and permissions.
    pub mode: u32,
    /// When it was written last, in seconds since 1970.
    pub modified: u32,
    /// The bytes.
    pub data: &'a [u8],
}

impl Entry<'_> {
    /// What it is.
    pub const fn kind(&self) -> Kind {
        match self.mode & 0o170_000 {
            0o100_000 => Kind::File,
            0o040_000 => Kind::Directory,
            0o120_000 => Kind::Link,
            _ => Kind::Other,
        }
    }
}

/// An archive in memory. It is read anew each time; [`check`](Self::check) says whether all of it is sound.
#[derive(Clone, Copy)]
pub struct Archive<'a> {
    bytes: &'a [u8],
}

impl<'a> Archive<'a> {
    /// Takes the bytes, and looks at none of them yet.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The entries in the archive's order; after an error there is no more.
    pub const fn entries(&self) -> Entries<'a> {
        Entries {
            bytes: self.bytes,
            next: Some(0),
        }
    }

    /// The first entry of this name, written as in [`Entry::name`].
    ///
    /// # Errors
    /// [`Error`], if the archive is damaged before the entry.
    pub fn find(&self, name: &[u8]) -> Result<Option<Entry<'a>>, Error> {
        self.entries()
            .find(|entry| entry.as_ref().map_or(true, |entry| entry.name == name))
            .transpose()
    }

    /// Reads everything; gives the number of entries.
    ///
    /// # Errors
    /// [`Error`], the first one.
    pub fn check(&self) -> Result<usize, Error> {
        self.entries()
            .try_fold(0, |count, entry| entry.map(|_| count + 1))
    }

    /// The entry whose header is at `offset`, and where the next header is; `None` for the trailer.
    fn entry(&self, offset: usize) -> Result<Option<(Entry<'a>, usize)>, Error> {
        let header = self.part(offset, HEADER)?;
        let magic = &header[..MAGIC.len()];
        if magic != MAGIC && magic != MAGIC_WITH_SUM {
            let what = Damage::Magic;
            return Err(Error { offset, what });
        }
        let mut numbers = [0; 13];
        let digits = header[MAGIC.len()..].chunks_exact(8);
        for (index, (number, digits)) in numbers.iter_mut().zip(digits).enumerate() {
            *number = hexadecimal(digits).ok_or(Error {
                offset: offset + MAGIC.len() + index * 8,
                what: Damage::Number,
            })?;
        }
        // The offset is less than the archive's length, and lengths have 32 bits: nothing here overflows 64.
        let name_start = offset + HEADER;
        let name_length = numbers[field::NAME_LENGTH] as usize;
        let name = self.part(name_start, name_length)?;
        let name = match name.split_last() {
            Some((0, name)) if !name.is_empty() && !name.contains(&0) => name,
            _ => {
                return Err(Error {
                    offset: name_start,
                    what: Damage::Name,
                });
            }
        };
        if name == TRAILER {
            return Ok(None);
        }
        let data_start = (name_start + name_length).next_multiple_of(4);
        let size = numbers[field::SIZE] as usize;
        let data = self.part(data_start, size)?;
        let entry = Entry {
            name: relative(name),
            mode: numbers[field::MODE],
            modified: numbers[field::MODIFIED],
            data,
        };
        // Links have bytes, but no sum.
        let summed = magic == MAGIC_WITH_SUM && entry.kind() == Kind::File;
        if summed && numbers[field::SUM] != sum(data) {
            return Err(Error {
                offset: data_start,
                what: Damage::Sum,
            });
        }
        Ok(Some((entry, (data_start + size).next_multiple_of(4))))
    }

    fn part(&self, offset: usize, length: usize) -> Result<&'a [u8], Error> {
        let rest = self.bytes.get(offset..).and_then(|rest| rest.get(..length));
        rest.ok_or(Error {
            offset,
            what: Damage::Truncated,
        })
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| {
        Some(number << 4 | char::from(*digit).to_digit(16)?)
    })
}

fn sum(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |sum, byte| sum.wrapping_add(u32::from(*byte)))
}

/// The name without what says "from here" or "from the root"; as it is if nothing would be left.
fn relative(name: &[u8]) -> &[u8] {
    let mut rest = name;
    while let Some(shorter) = rest.strip_prefix(b"./").or(rest.strip_prefix(b"/")) {
        rest = shorter;
    }
    if rest.is_empty() { name } else { rest }
}

/// The entries of an archive.
#[derive(Clone)]
pub struct Entries<'a> {
    bytes: &'a [u8],
    next: Option<usize>,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let offset = self.next.take()?;
        match Archive::new(self.bytes).entry(offset) {
            Ok(None) => None,
            Ok(Some((entry, next))) => {
                self.next = Some(next);
                Some(Ok(entry))
            }
            Err(error) => Some(Err(error)),
        }
    }
}
