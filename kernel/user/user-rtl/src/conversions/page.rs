//! The process's two code pages, and any other one that comes as a table.
//!
//! The pages of the process are built in, until somebody brings tables of others. A table is a file of the system's that is
//! mapped, in the form that `CPTABLEINFO` describes; its characters have one byte or two. UTF-8 can be a code page too, and
//! has no table.

use core::sync::atomic::{AtomicUsize, Ordering};

use c_interface::{Ptr, blocks};
use nt_abi::native::{Only64, Pointer};
use rtl::code_page::{CodePage, OEM_437, WINDOWS_1252};
use rtl::utf8::{Piece, utf8_pieces, utf16_pieces};
use rtl::utf16::upcase;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// UTF-8's number as a code page.
pub(crate) const CP_UTF8: u16 = 65001;

/// `CPTABLEINFO`: where the parts of a code page's table are.
///
/// # NT
/// Described in `ntnls.h` of the driver kit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct CpTableInfo {
    /// The page's number.
    pub code_page: u16,
    /// Bytes of a character, at most.
    pub maximum_character_size: u16,
    /// What stands for a unit that the page has nothing for: one byte, or two with the first one above.
    pub default_char: u16,
    /// What stands for bytes that are no character.
    pub uni_default_char: u16,
    /// The unit of `default_char`.
    pub trans_default_char: u16,
    /// The character of `uni_default_char`.
    pub trans_uni_default_char: u16,
    /// Not 0: there are characters of two bytes.
    pub dbcs_code_page: u16,
    /// Ranges of bytes that begin characters of two bytes, ended by zeros.
    pub lead_byte: [u8; 12],
    /// Padding.
    pub reserved0: u16,
    /// Padding.
    pub reserved1: Only64<u32>,
    /// 256 units: of characters of one byte.
    pub multi_byte_table: Pointer,
    /// 65,536 bytes, or pairs of bytes: of each unit.
    pub wide_char_table: Pointer,
    /// How many ranges, and they.
    pub dbcs_ranges: Pointer,
    /// For each first byte where its 256 units are, counted in units from here; 0: it is no first byte.
    pub dbcs_offsets: Pointer,
}

const _: () =
    assert!(size_of::<CpTableInfo>() == if size_of::<usize>() == 8 { 0x40 } else { 0x2c });

static ANSI: AtomicUsize = AtomicUsize::new(0);
static OEM: AtomicUsize = AtomicUsize::new(0);

/// The code page of programs without Unicode.
pub(crate) fn ansi() -> Page {
    current(&ANSI, &WINDOWS_1252)
}

/// The code page of consoles and old file systems.
pub(crate) fn oem() -> Page {
    current(&OEM, &OEM_437)
}

fn current(place: &AtomicUsize, built_in: &'static CodePage) -> Page {
    match Ptr::new(place.load(Ordering::Acquire)).non_null() {
        Some(table) => Page::of_table(table),
        None => Page::BuiltIn(built_in),
    }
}

/// Makes other pages the process's. Copies the descriptions; the tables behind them must stay. Nothing changes if there is
/// no memory.
pub(crate) fn set(ansi: Ptr<CpTableInfo>, oem: Ptr<CpTableInfo>) {
    for (place, table) in [(&ANSI, ansi), (&OEM, oem)] {
        if let Some(block) = blocks::allocate(size_of::<CpTableInfo>()) {
            // The old description stays: another thread may be reading it.
            block.cast().write(table.read());
            place.store(block.address(), Ordering::Release);
        }
    }
}

/// A code page.
pub(crate) enum Page {
    /// One of ours.
    BuiltIn(&'static CodePage),
    /// UTF-8.
    Utf8,
    /// One whose table is in memory.
    Table(CpTableInfo),
}

impl Page {
    /// The page that a description describes.
    pub(crate) fn of_table(table: Ptr<CpTableInfo>) -> Self {
        let table = table.read();
        if table.code_page == CP_UTF8 {
            Self::Utf8
        } else {
            Self::Table(table)
        }
    }

    /// How many units bytes become.
    pub(crate) fn units_of(&self, bytes: &[u8]) -> usize {
        match self {
            Self::BuiltIn(_) => bytes.len(),
            Self::Utf8 => utf8_pieces(bytes)
                .map(|piece| piece.character().len_utf16())
                .sum(),
            Self::Table(table) => table.characters(bytes).count(),
        }
    }

    /// Writes the units of bytes, as many as there is room for; gives how many.
    pub(crate) fn decode(&self, bytes: &[u8], to: Ptr<u16>, room: usize) -> usize {
        match self {
            Self::BuiltIn(page) => write_units(bytes.iter().map(|byte| page.unit(*byte)), to, room),
            Self::Utf8 => write_units(utf16_of_utf8(bytes), to, room),
            Self::Table(table) => write_units(table.characters(bytes), to, room),
        }
    }

    /// How many bytes units become.
    pub(crate) fn bytes_of(&self, units: &[u16]) -> usize {
        match self {
            Self::BuiltIn(_) => units.len(),
            Self::Utf8 => utf16_pieces(units)
                .map(|piece| piece.character().len_utf8())
                .sum(),
            Self::Table(table) => units.iter().map(|unit| table.character(*unit).1).sum(),
        }
    }

    /// Writes the bytes of units, of as many characters as there is room for; gives how many bytes.
    pub(crate) fn encode(&self, units: &[u16], to: Ptr<u8>, room: usize) -> usize {
        match self {
            Self::BuiltIn(page) => write_characters(
                units.iter().map(|unit| (u16::from(page.byte(*unit)), 1)),
                to,
                room,
            ),
            Self::Utf8 => encode_utf8(utf16_pieces(units), to, room),
            Self::Table(table) => {
                write_characters(units.iter().map(|unit| table.character(*unit)), to, room)
            }
        }
    }

    /// As [`encode`](Self::encode), each character in capitals after it was converted.
    pub(crate) fn encode_capitals(&self, units: &[u16], to: Ptr<u8>, room: usize) -> usize {
        match self {
            Self::BuiltIn(page) => {
                let bytes = units
                    .iter()
                    .map(|unit| (u16::from(page.upcase(page.byte(*unit))), 1));
                write_characters(bytes, to, room)
            }
            Self::Utf8 => {
                let capitals = utf16_pieces(units).map(|piece| match piece {
                    Piece::Character(character) => Piece::Character(upcase_character(character)),
                    Piece::Malformed => piece,
                });
                encode_utf8(capitals, to, room)
            }
            Self::Table(table) => {
                let characters = units
                    .iter()
                    .map(|unit| table.character(upcase(table.unit_after(*unit))));
                write_characters(characters, to, room)
            }
        }
    }

    /// The capital of a character of one byte.
    pub(crate) fn upcase_byte(&self, byte: u8) -> u8 {
        match self {
            Self::BuiltIn(page) => page.upcase(byte),
            Self::Utf8 => byte.to_ascii_uppercase(),
            Self::Table(table) => match table.character(upcase(table.unit(byte))) {
                // A character of one byte.
                (character, 1) => character.to_le_bytes()[0],
                _ => byte,
            },
        }
    }

    /// A number for the capital of a unit, as far as the page tells capitals apart.
    pub(crate) fn upcase_character(&self, unit: u16) -> u16 {
        match self {
            Self::BuiltIn(page) => u16::from(page.upcase(page.byte(unit))),
            Self::Utf8 => upcase(unit),
            Self::Table(table) => table.character(upcase(table.unit_after(unit))).0,
        }
    }

    /// Whether a byte is the first of several that make a character.
    pub(crate) fn is_lead_byte(&self, byte: u8) -> bool {
        match self {
            Self::BuiltIn(_) => false,
            Self::Utf8 => byte >= 0xC2,
            Self::Table(table) => table.second_bytes(byte).is_some(),
        }
    }
}

impl CpTableInfo {
    fn unit(&self, byte: u8) -> u16 {
        Ptr::<u16>::at(self.multi_byte_table)
            .add(usize::from(byte))
            .read()
    }

    /// Where the units are that a first byte leads to.
    fn second_bytes(&self, byte: u8) -> Option<Ptr<u16>> {
        if self.dbcs_code_page == 0 {
            return None;
        }
        let offsets = Ptr::<u16>::at(self.dbcs_offsets);
        match offsets.add(usize::from(byte)).read() {
            0 => None,
            offset => Some(offsets.add(usize::from(offset))),
        }
    }

    /// The units of bytes; a first byte at the end is no character.
    fn characters<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = u16> + 'a {
        let mut rest = bytes.iter();
        core::iter::from_fn(move || {
            let byte = *rest.next()?;
            let Some(second_bytes) = self.second_bytes(byte) else {
                return Some(self.unit(byte));
            };
            let second = rest.next().copied().unwrap_or(0);
            Some(match second {
                0 => self.uni_default_char,
                _ => second_bytes.add(usize::from(second)).read(),
            })
        })
    }

    /// The character of a unit, and how many bytes it has; the first byte of two is above the second.
    fn character(&self, unit: u16) -> (u16, usize) {
        let index = usize::from(unit);
        if self.dbcs_code_page == 0 {
            return (
                u16::from(Ptr::<u8>::at(self.wide_char_table).add(index).read()),
                1,
            );
        }
        let character = Ptr::<u16>::at(self.wide_char_table).add(index).read();
        (character, if character > 0xFF { 2 } else { 1 })
    }

    /// The unit that a unit becomes by way of the page.
    fn unit_after(&self, unit: u16) -> u16 {
        let [low, high] = self.character(unit).0.to_le_bytes();
        if high == 0 {
            return self.unit(low);
        }
        let second_bytes = self.second_bytes(high);
        second_bytes.map_or(unit, |units| units.add(usize::from(low)).read())
    }
}

fn utf16_of_utf8(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    utf8_pieces(bytes).flat_map(|piece| {
        let mut pair = [0; 2];
        let count = piece.character().encode_utf16(&mut pair).len();
        pair.into_iter().take(count)
    })
}

fn upcase_character(character: char) -> char {
    let mut pair = [0; 2];
    match character.encode_utf16(&mut pair) {
        [unit] => char::from_u32(u32::from(upcase(*unit))).unwrap_or(character),
        _ => character,
    }
}

fn write_units(units: impl Iterator<Item = u16>, to: Ptr<u16>, room: usize) -> usize {
    let mut count = 0;
    for unit in units.take(room) {
        to.add(count).write(unit);
        count += 1;
    }
    count
}

fn write_characters(
    characters: impl Iterator<Item = (u16, usize)>,
    to: Ptr<u8>,
    room: usize,
) -> usize {
    let mut count = 0;
    for (character, size) in characters {
        if size > room - count {
            break;
        }
        let [low, high] = character.to_le_bytes();
        if size == 2 {
            to.byte_add(count).write(high);
        }
        to.byte_add(count + size - 1).write(low);
        count += size;
    }
    count
}

fn encode_utf8(pieces: impl Iterator<Item = Piece>, to: Ptr<u8>, room: usize) -> usize {
    let mut count = 0;
    for piece in pieces {
        let mut bytes = [0; 4];
        let bytes = piece.character().encode_utf8(&mut bytes).as_bytes();
        if bytes.len() > room - count {
            break;
        }
        to.byte_add(count).write_array(bytes);
        count += bytes.len();
    }
    count
}
