//! Strings of C code: where they end, and from one encoding into another.

use alloc::vec::Vec;

use nt_abi::native::UnicodeString;

use crate::code_pages::{self, Encoding, Fallback};
use crate::win::*;

/// Units before the terminator.
pub(crate) fn length(string: Ptr<u16>) -> usize {
    let mut count = 0;
    while string.add(count).read() != 0 {
        count += 1;
    }
    count
}

/// Bytes before the terminator.
pub(crate) fn byte_length(string: Ptr<u8>) -> usize {
    let mut count = 0;
    while string.add(count).read() != 0 {
        count += 1;
    }
    count
}

/// The units of a terminated string, for as long as its owner leaves it alone; none of a null pointer.
pub(crate) fn units<'a>(string: Ptr<u16>) -> &'a [u16] {
    string
        .non_null()
        .map_or(&[], |string| string.slice(length(string)))
}

/// The bytes of a terminated string, for as long as its owner leaves it alone; none of a null pointer.
pub(crate) fn bytes<'a>(string: Ptr<u8>) -> &'a [u8] {
    string
        .non_null()
        .map_or(&[], |string| string.slice(byte_length(string)))
}

/// Units as a counted string.
///
/// # Errors
/// `FILENAME_EXCED_RANGE`: there are more than one can count.
pub(crate) fn counted(units: &[u16]) -> Win<UnicodeString> {
    let bytes = u16::try_from(size_of_val(units)).map_err(|_| Error::FILENAME_EXCED_RANGE)?;
    Ok(UnicodeString {
        length: bytes,
        maximum_length: bytes,
        buffer: Ptr::<u16>::new(units.as_ptr().expose_provenance()).raw(),
        ..UnicodeString::default()
    })
}

/// A terminated string as a counted one.
///
/// # Errors
/// `FILENAME_EXCED_RANGE`: it is too long.
pub(crate) fn string(of: Ptr<u16>) -> Win<UnicodeString> {
    counted(units(of))
}

/// Memory for so many elements, all zero.
///
/// # Errors
/// `NOT_ENOUGH_MEMORY`.
pub(crate) fn room<T: Copy + Default>(count: usize) -> Win<Vec<T>> {
    let mut room = Vec::new();
    room.try_reserve_exact(count)
        .map_err(|_| Error::NOT_ENOUGH_MEMORY)?;
    room.resize(count, T::default());
    Ok(room)
}

/// Where a vector's elements are, for C code.
pub(crate) fn place<T>(of: &mut [T]) -> Ptr<T> {
    Ptr::new(of.as_mut_ptr().expose_provenance())
}

/// A terminated string of our own.
#[derive(Debug, Default)]
pub struct Wide {
    /// With the terminator; empty: there is no string.
    units: Vec<u16>,
}

impl Wide {
    /// The text of a string of the ANSI code page; none of a null pointer.
    ///
    /// # Errors
    /// `NOT_ENOUGH_MEMORY`.
    pub(crate) fn from_ansi(string: Ptr<u8>) -> Win<Self> {
        let Some(string) = string.non_null() else {
            return Ok(Self::default());
        };
        Self::from_bytes(ansi(), bytes(string))
    }

    /// The text of bytes.
    ///
    /// # Errors
    /// `NOT_ENOUGH_MEMORY`.
    pub(crate) fn from_bytes(encoding: Encoding, bytes: &[u8]) -> Win<Self> {
        // No byte becomes more than one unit.
        let mut units = room(bytes.len() + 1)?;
        let count = code_pages::decode(encoding, 0, bytes, &mut units)?;
        units.truncate(count + 1);
        units[count] = 0;
        Ok(Self { units })
    }

    /// The same units, terminated.
    ///
    /// # Errors
    /// `NOT_ENOUGH_MEMORY`.
    pub(crate) fn from_units(units: &[u16]) -> Win<Self> {
        let mut own = room(units.len() + 1)?;
        own[..units.len()].copy_from_slice(units);
        Ok(Self { units: own })
    }

    /// Where it is; null if there is none.
    pub(crate) fn ptr(&self) -> Ptr<u16> {
        if self.units.is_empty() {
            return Ptr::NULL;
        }
        Ptr::new(self.units.as_ptr().expose_provenance())
    }

    /// Its units, without the terminator.
    pub(crate) fn units(&self) -> &[u16] {
        self.units
            .split_last()
            .map_or(&[], |(_terminator, units)| units)
    }
}

/// The encoding of functions whose names end in `A`.
pub(crate) fn ansi() -> Encoding {
    Encoding::Page(&rtl::code_page::WINDOWS_1252)
}

/// How many bytes units are in the ANSI code page.
pub(crate) fn ansi_length(units: &[u16]) -> usize {
    code_pages::encode(ansi(), 0, units, &mut [], &mut Fallback::default()).unwrap_or(0)
}

/// Writes units in the ANSI code page; gives how many bytes they are.
///
/// # Errors
/// `INSUFFICIENT_BUFFER`: the room is too small, and holds what fits.
pub(crate) fn to_ansi(units: &[u16], room: &mut [u8]) -> Win<usize> {
    if room.is_empty() && !units.is_empty() {
        return Err(Error::INSUFFICIENT_BUFFER);
    }
    code_pages::encode(ansi(), 0, units, room, &mut Fallback::default())
}

/// Puts units and a terminator into a caller's room, as most functions of Win32 with a buffer do: gives the number of units
/// without the terminator if they fit, otherwise what would be needed with it, and writes nothing.
pub(crate) fn give(units: &[u16], into: Ptr<u16>, capacity: u32) -> u32 {
    let needed = u32::try_from(units.len() + 1).unwrap_or(u32::MAX);
    if into.is_null() || needed > capacity {
        return needed;
    }
    into.write_array(units);
    into.add(units.len()).write(0);
    needed - 1
}

/// As [`give`], in bytes of the ANSI code page.
pub(crate) fn give_ansi(units: &[u16], into: Ptr<u8>, capacity: u32) -> u32 {
    let count = ansi_length(units);
    let needed = u32::try_from(count + 1).unwrap_or(u32::MAX);
    if into.is_null() || needed > capacity {
        return needed;
    }
    let _fits = to_ansi(units, into.slice_mut(count));
    into.add(count).write(0);
    needed - 1
}

/// Text of ASCII as units.
pub(crate) fn ascii(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}
