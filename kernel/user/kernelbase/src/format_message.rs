//! `FormatMessage`: texts of the system, of modules and of programs, with inserts.

use alloc::vec::Vec;

use c_interface::{Arguments, blocks};
use ntdll_imports::RtlFindMessage;

use crate::messages::{self, Text, Values, Width, system};
use crate::modules;
use crate::wide::{self, Wide};
use crate::win::*;

/// `FORMAT_MESSAGE_*`.
const ALLOCATE_BUFFER: u32 = 0x100;
const IGNORE_INSERTS: u32 = 0x200;
const FROM_STRING: u32 = 0x400;
const FROM_HMODULE: u32 = 0x800;
const FROM_SYSTEM: u32 = 0x1000;
const ARGUMENT_ARRAY: u32 = 0x2000;

/// `RT_MESSAGETABLE`.
const MESSAGE_TABLE: u32 = 11;
/// `MESSAGE_RESOURCE_UNICODE`.
const UNICODE: u16 = 1;
/// Bytes of `MESSAGE_RESOURCE_ENTRY` before its text.
const ENTRY_HEADER: usize = 4;
/// The most units or bytes that a caller's room may have.
const MOST: usize = 0x1_0000;
/// The most values that inserts can name.
const VALUES: usize = 100;

/// Values that a caller gives: an array of words, or a list of arguments of C.
struct Given {
    array: bool,
    place: Ptr<usize>,
    /// Of a list, which can be read only once: what was read.
    read: Vec<usize>,
    list: Option<Arguments>,
    /// The function whose name ends in `A`.
    bytes: bool,
}

impl Given {
    fn new(flags: u32, place: Ptr<usize>, bytes: bool) -> Self {
        let array = flags & ARGUMENT_ARRAY != 0;
        // What is handed over is the address of the list.
        let list = place
            .non_null()
            .filter(|_| !array)
            .map(|list| Arguments::new(Ptr::new(list.read())));
        Self {
            array,
            place,
            read: Vec::new(),
            list,
            bytes,
        }
    }
}

impl Values for Given {
    fn word(&mut self, number: usize) -> Win<usize> {
        let at = number.checked_sub(1).ok_or(Error::INVALID_PARAMETER)?;
        if self.place.is_null() || at >= VALUES {
            return Err(Error::INVALID_PARAMETER);
        }
        if self.array {
            return Ok(self.place.add(at).read());
        }
        let list = self.list.as_mut().ok_or(Error::INVALID_PARAMETER)?;
        while self.read.len() <= at {
            self.read
                .try_reserve(1)
                .map_err(|_| Error::NOT_ENOUGH_MEMORY)?;
            self.read.push(list.next_word());
        }
        Ok(self.read[at])
    }

    fn wide(&mut self, number: usize) -> Win<u64> {
        if size_of::<usize>() == size_of::<u64>() || self.array {
            return self.word(number).map(|word| word as u64);
        }
        let before = number.checked_sub(1).ok_or(Error::INVALID_PARAMETER)?;
        if before > 0 {
            self.word(before)?;
        }
        let list = self.list.as_mut().ok_or(Error::INVALID_PARAMETER)?;
        Ok(list.next_u64())
    }

    fn text(&self, at: usize, kind: Text, most: Option<usize>) -> Win<Vec<u16>> {
        let most = most.unwrap_or(usize::MAX);
        let is_bytes = match kind {
            Text::Own => self.bytes,
            Text::Other => !self.bytes,
            Text::Bytes => true,
            Text::Units => false,
        };
        let Some(place) = Ptr::<u8>::new(at).non_null() else {
            return copied(&[]).map(|mut text| {
                text.extend("(null)".encode_utf16().take(most));
                text
            });
        };
        if is_bytes {
            let length = (0..most)
                .take_while(|&at| place.add(at).read() != 0)
                .count();
            let text = Wide::from_bytes(wide::ansi(), place.slice(length))?;
            return copied(text.units());
        }
        let place = place.cast::<u16>();
        let length = (0..most)
            .take_while(|&at| place.add(at).read() != 0)
            .count();
        copied(place.slice(length))
    }
}

fn copied(units: &[u16]) -> Win<Vec<u16>> {
    let mut copy = Vec::new();
    copy.try_reserve(units.len().max(6))
        .map_err(|_| Error::NOT_ENOUGH_MEMORY)?;
    copy.extend_from_slice(units);
    Ok(copy)
}

/// The text of a message in a module.
fn text_of_module(module: Ptr<u8>, message: u32, language: u32) -> Win<Vec<u16>> {
    let mut entry = 0_usize;
    check(RtlFindMessage(
        modules::base_of(module),
        MESSAGE_TABLE,
        language,
        message,
        Ptr::of(&mut entry),
    ))?;
    let entry = Ptr::<u16>::new(entry);
    let length = usize::from(entry.read()).saturating_sub(ENTRY_HEADER);
    let text = entry.cast::<u8>().byte_add(ENTRY_HEADER);
    if entry.add(1).read() & UNICODE != 0 {
        let units = text.cast::<u16>().slice(length / 2);
        let end = units.iter().position(|&unit| unit == 0);
        return copied(&units[..end.unwrap_or(units.len())]);
    }
    let bytes = text.slice(length);
    let end = bytes.iter().position(|&byte| byte == 0);
    let text = Wide::from_bytes(wide::ansi(), &bytes[..end.unwrap_or(length)])?;
    copied(text.units())
}

/// The text of a message of the system, with the end of its line.
fn text_of_system(message: u32) -> Win<Vec<u16>> {
    let text = system::text(message).ok_or(Error::MR_MID_NOT_FOUND)?;
    let mut units = copied(&[])?;
    units
        .try_reserve(text.len() + 2)
        .map_err(|_| Error::NOT_ENOUGH_MEMORY)?;
    units.extend(text.encode_utf16().chain("\r\n".encode_utf16()));
    Ok(units)
}

/// What is asked for.
struct Asked {
    flags: u32,
    source: Ptr<u8>,
    message: u32,
    language: u32,
}

impl Asked {
    /// The text before its inserts are put in; `own` reads the caller's.
    fn text(&self, own: impl FnOnce(Ptr<u8>) -> Win<Vec<u16>>) -> Win<Vec<u16>> {
        if self.flags & FROM_STRING != 0 {
            if self.source.is_null() {
                return Err(Error::INVALID_PARAMETER);
            }
            return own(self.source);
        }
        let mut outcome = Err(Error::INVALID_PARAMETER);
        if self.flags & FROM_HMODULE != 0 {
            outcome = text_of_module(self.source, self.message, self.language);
        }
        if self.flags & FROM_SYSTEM != 0 && outcome.is_err() {
            outcome = text_of_system(self.message);
        }
        outcome
    }

    /// The whole message.
    fn message(&self, values: Ptr<usize>, bytes: bool) -> Win<Vec<u16>> {
        let text = self.text(|source| {
            if bytes {
                let text = Wide::from_ansi(source)?;
                return copied(text.units());
            }
            copied(wide::units(source.cast()))
        })?;
        let width = Width::of(self.flags);
        if self.flags & IGNORE_INSERTS != 0 {
            return messages::format(&text, width, None);
        }
        let mut values = Given::new(self.flags, values, bytes);
        messages::format(&text, width, Some(&mut values))
    }
}

/// A block for a message, which its caller frees with `LocalFree`: at least as large as he says.
fn block<T>(count: usize, least: u32) -> Win<Ptr<T>> {
    let count = (count + 1).max(least as usize);
    let block = blocks::allocate(count * size_of::<T>()).ok_or(Error::NOT_ENOUGH_MEMORY)?;
    Ok(block.cast())
}

/// What both functions return.
fn length(outcome: Win<usize>) -> u32 {
    let length = outcome.map(|length| u32::try_from(length).unwrap_or(u32::MAX));
    answer(length, 0)
}

exports! {
    /// Makes a message; its length in units, 0: it failed or is empty.
    fn FormatMessageW(flags: u32, source: Ptr<u8>, message: u32, language: u32, into: Ptr<u16>, capacity: u32, values: Ptr<usize>) -> u32 {
        if into.is_null() {
            return length(Err(Error::INVALID_PARAMETER));
        }
        let allocate = flags & ALLOCATE_BUFFER != 0;
        if allocate {
            into.cast::<usize>().write(0);
        }
        let asked = Asked { flags, source, message, language };
        length(asked.message(values, false).and_then(|text| {
            if text.is_empty() {
                return Err(Error::NO_WORK_DONE);
            }
            if !allocate && text.len() >= capacity as usize || text.len() >= MOST {
                // The room gets what fits.
                if let Some(last) = (capacity as usize).checked_sub(1).filter(|_| !allocate) {
                    let end = last.min(text.len());
                    into.write_array(&text[..end]);
                    into.add(end).write(0);
                }
                return Err(Error::INSUFFICIENT_BUFFER);
            }
            let place = if allocate { block(text.len(), capacity)? } else { into };
            place.write_array(&text);
            place.add(text.len()).write(0);
            if allocate {
                into.cast::<usize>().write(place.address());
            }
            Ok(text.len())
        }))
    }

    /// Makes a message in the ANSI code page; its length in bytes, 0: it failed or is empty.
    fn FormatMessageA(flags: u32, source: Ptr<u8>, message: u32, language: u32, into: Ptr<u8>, capacity: u32, values: Ptr<usize>) -> u32 {
        if into.is_null() {
            return length(Err(Error::INVALID_PARAMETER));
        }
        let allocate = flags & ALLOCATE_BUFFER != 0;
        if allocate {
            into.cast::<usize>().write(0);
        }
        let asked = Asked { flags, source, message, language };
        length(asked.message(values, true).and_then(|text| {
            let count = wide::ansi_length(&text);
            if count == 0 {
                return Err(Error::NO_WORK_DONE);
            }
            if !allocate && count >= capacity as usize || count >= MOST {
                return Err(Error::INSUFFICIENT_BUFFER);
            }
            let place = if allocate { block(count, capacity)? } else { into };
            let room = u32::try_from(count + 1).unwrap_or(u32::MAX);
            wide::give_ansi(&text, place, room);
            if allocate {
                into.cast::<usize>().write(place.address());
            }
            Ok(count)
        }))
    }
}
