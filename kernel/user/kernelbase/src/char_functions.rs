//! Single characters: their case, what they are, which comes next.

use rtl::utf16::{downcase, upcase};

use crate::characters::{self, first};
use crate::wide;
use crate::win::*;

/// Whether an argument is one character, not an address.
fn single(argument: usize) -> Option<u16> {
    u16::try_from(argument).ok()
}

/// A byte of the ANSI code page through its unit.
fn through_unit(byte: u8, change: fn(u16) -> u16) -> u8 {
    let page = &rtl::code_page::WINDOWS_1252;
    page.byte(change(page.unit(byte)))
}

fn change_units(place: Ptr<u16>, count: usize, change: fn(u16) -> u16) {
    for at in 0..count {
        let unit = place.add(at);
        unit.write(change(unit.read()));
    }
}

fn change_bytes(place: Ptr<u8>, count: usize, change: fn(u16) -> u16) {
    for at in 0..count {
        let byte = place.add(at);
        byte.write(through_unit(byte.read(), change));
    }
}

/// A string or a single character, changed.
fn changed_units(argument: Ptr<u16>, change: fn(u16) -> u16) -> Ptr<u16> {
    if let Some(unit) = single(argument.address()) {
        return Ptr::new(usize::from(change(unit)));
    }
    change_units(argument, wide::length(argument), change);
    argument
}

fn changed_bytes(argument: Ptr<u8>, change: fn(u16) -> u16) -> Ptr<u8> {
    if let Some(unit) = single(argument.address()) {
        let byte = unit.to_le_bytes()[0];
        return Ptr::new(usize::from(through_unit(byte, change)));
    }
    change_bytes(argument, wide::byte_length(argument), change);
    argument
}

/// Whether a unit is one of a kind (`C1_*`).
fn has(unit: u16, bits: u16) -> Bool {
    Bool::from(characters::class(unit) & bits != 0)
}

/// The same of a byte of the ANSI code page.
fn byte_has(byte: u8, bits: u16) -> Bool {
    has(rtl::code_page::WINDOWS_1252.unit(byte), bits)
}

exports! {
    /// Makes capitals of a string in place, or of one character.
    fn CharUpperW(text: Ptr<u16>) -> Ptr<u16> {
        changed_units(text, upcase)
    }

    /// Makes capitals of a string in place, or of one character.
    fn CharUpperA(text: Ptr<u8>) -> Ptr<u8> {
        changed_bytes(text, upcase)
    }

    /// Makes small letters of a string in place, or of one character.
    fn CharLowerW(text: Ptr<u16>) -> Ptr<u16> {
        changed_units(text, downcase)
    }

    /// Makes small letters of a string in place, or of one character.
    fn CharLowerA(text: Ptr<u8>) -> Ptr<u8> {
        changed_bytes(text, downcase)
    }

    /// Makes capitals in place; gives how many characters it looked at.
    fn CharUpperBuffW(text: Ptr<u16>, count: u32) -> u32 {
        change_units(text, count as usize, upcase);
        count
    }

    /// Makes capitals in place; gives how many characters it looked at.
    fn CharUpperBuffA(text: Ptr<u8>, count: u32) -> u32 {
        change_bytes(text, count as usize, upcase);
        count
    }

    /// Makes small letters in place; gives how many characters it looked at.
    fn CharLowerBuffW(text: Ptr<u16>, count: u32) -> u32 {
        change_units(text, count as usize, downcase);
        count
    }

    /// Makes small letters in place; gives how many characters it looked at.
    fn CharLowerBuffA(text: Ptr<u8>, count: u32) -> u32 {
        change_bytes(text, count as usize, downcase);
        count
    }

    /// The next character of a string, or its end.
    fn CharNextW(text: Ptr<u16>) -> Ptr<u16> {
        if text.read() == 0 { text } else { text.add(1) }
    }

    /// The next character of a string, or its end.
    fn CharNextA(text: Ptr<u8>) -> Ptr<u8> {
        if text.read() == 0 { text } else { text.add(1) }
    }

    /// The next character of a string of a code page, or its end.
    fn CharNextExA(_page: u16, text: Ptr<u8>, _flags: u32) -> Ptr<u8> {
        CharNextA(text)
    }

    /// The character before one of a string, or its beginning.
    fn CharPrevW(start: Ptr<u16>, text: Ptr<u16>) -> Ptr<u16> {
        if text > start { text.byte_sub(2) } else { start }
    }

    /// The character before one of a string, or its beginning.
    fn CharPrevA(start: Ptr<u8>, text: Ptr<u8>) -> Ptr<u8> {
        if text > start { text.byte_sub(1) } else { start }
    }

    /// The character before one of a string of a code page, or its beginning.
    fn CharPrevExA(_page: u16, start: Ptr<u8>, text: Ptr<u8>, _flags: u32) -> Ptr<u8> {
        CharPrevA(start, text)
    }

    /// Whether a character is a letter.
    fn IsCharAlphaW(unit: u16) -> Bool {
        has(unit, first::ALPHA)
    }

    /// Whether a character is a letter.
    fn IsCharAlphaA(byte: u8) -> Bool {
        byte_has(byte, first::ALPHA)
    }

    /// Whether a character is a letter or a digit.
    fn IsCharAlphaNumericW(unit: u16) -> Bool {
        has(unit, first::ALPHA | first::DIGIT)
    }

    /// Whether a character is a letter or a digit.
    fn IsCharAlphaNumericA(byte: u8) -> Bool {
        byte_has(byte, first::ALPHA | first::DIGIT)
    }

    /// Whether a character is a capital.
    fn IsCharUpperW(unit: u16) -> Bool {
        has(unit, first::UPPER)
    }

    /// Whether a character is a capital.
    fn IsCharUpperA(byte: u8) -> Bool {
        byte_has(byte, first::UPPER)
    }

    /// Whether a character is a small letter.
    fn IsCharLowerW(unit: u16) -> Bool {
        has(unit, first::LOWER)
    }

    /// Whether a character is a small letter.
    fn IsCharLowerA(byte: u8) -> Bool {
        byte_has(byte, first::LOWER)
    }

    /// Whether a character is a blank.
    fn IsCharBlankW(unit: u16) -> Bool {
        has(unit, first::BLANK)
    }

    /// Whether a character is a control character.
    fn IsCharCntrlW(unit: u16) -> Bool {
        has(unit, first::CNTRL)
    }

    /// Whether a character is a digit.
    fn IsCharDigitW(unit: u16) -> Bool {
        has(unit, first::DIGIT)
    }

    /// Whether a character is punctuation.
    fn IsCharPunctW(unit: u16) -> Bool {
        has(unit, first::PUNCT)
    }

    /// Whether a character is white space.
    fn IsCharSpaceW(unit: u16) -> Bool {
        has(unit, first::SPACE)
    }

    /// Whether a character is white space.
    fn IsCharSpaceA(byte: u8) -> Bool {
        byte_has(byte, first::SPACE)
    }

    /// Whether a character is a hexadecimal digit.
    fn IsCharXDigitW(unit: u16) -> Bool {
        has(unit, first::XDIGIT)
    }
}
