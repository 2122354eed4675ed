//! Where formatted text goes: as much as there is room for, and all of it counted.

use c_interface::Ptr;

use super::Unit;
use super::directive::Directive;
use crate::conversions::page::{self, Page};

/// A buffer with so much room, and how long the text in it would be.
pub(crate) struct Output<U> {
    to: Ptr<U>,
    room: usize,
    length: usize,
}

impl<U: Unit> Output<U> {
    /// A buffer with room for so many units.
    pub(crate) const fn new(to: Ptr<U>, room: usize) -> Self {
        Self {
            to,
            room,
            length: 0,
        }
    }

    /// How long the text is, with what there was no room for.
    pub(crate) const fn length(&self) -> usize {
        self.length
    }

    /// Writes one unit.
    #[inline]
    pub(super) fn put(&mut self, unit: U) {
        if self.length < self.room {
            self.to.add(self.length).write(unit);
        }
        self.length = self.length.saturating_add(1);
    }

    /// Writes an ASCII character.
    pub(super) fn put_ascii(&mut self, byte: u8) {
        self.put(U::from(byte));
    }

    /// Writes ASCII.
    pub(super) fn put_all(&mut self, text: &[u8]) {
        for byte in text {
            self.put_ascii(*byte);
        }
    }

    /// Writes one character many times; without room it takes no time.
    pub(super) fn fill(&mut self, byte: u8, count: usize) {
        let there_is_room = self.room.saturating_sub(self.length).min(count);
        for _ in 0..there_is_room {
            self.put_ascii(byte);
        }
        self.length = self.length.saturating_add(count - there_is_room);
    }

    /// Writes a unit that came from a format of the same kind.
    pub(super) fn put_unit(&mut self, unit: u16) {
        if U::WIDE {
            self.put_units(&[unit]);
        } else {
            self.put_ascii(unit.to_le_bytes()[0]);
        }
    }

    /// Writes a text of this length with its prefix, on the side of its field that the directive says.
    pub(super) fn put_field(
        &mut self,
        directive: &Directive,
        prefix: &[u8],
        length: usize,
        text: impl FnOnce(&mut Self),
    ) {
        let padding = directive
            .width
            .saturating_sub(prefix.len().saturating_add(length));
        if !directive.left && !directive.zeros {
            self.fill(b' ', padding);
        }
        self.put_all(prefix);
        if !directive.left && directive.zeros {
            self.fill(b'0', padding);
        }
        text(self);
        if directive.left {
            self.fill(b' ', padding);
        }
    }

    /// How long units are here.
    pub(super) fn length_of_units(units: &[u16]) -> usize {
        if U::WIDE {
            units.len()
        } else {
            page::ansi().bytes_of(units)
        }
    }

    /// How long bytes in the process's code page are here.
    pub(super) fn length_of_bytes(bytes: &[u8]) -> usize {
        if U::WIDE {
            page::ansi().units_of(bytes)
        } else {
            bytes.len()
        }
    }

    /// Writes units.
    pub(super) fn put_units(&mut self, units: &[u16]) {
        if U::WIDE {
            self.move_in(
                Ptr::<u16>::new(units.as_ptr().expose_provenance()).cast(),
                units.len(),
            );
            return;
        }
        let page = page::ansi();
        let mut rest = units;
        while !rest.is_empty() {
            let count = character_of_units(rest);
            let mut bytes = [0; 4];
            let written = page.encode(&rest[..count], Ptr::of(&mut bytes).cast(), bytes.len());
            self.put_all(&bytes[..written]);
            rest = &rest[count..];
        }
    }

    /// Writes bytes in the process's code page.
    pub(super) fn put_bytes(&mut self, bytes: &[u8]) {
        if !U::WIDE {
            self.move_in(
                Ptr::<u8>::new(bytes.as_ptr().expose_provenance()).cast(),
                bytes.len(),
            );
            return;
        }
        let page = page::ansi();
        let mut rest = bytes;
        while !rest.is_empty() {
            let count = character_of_bytes(&page, rest);
            let mut units = [0; 4];
            let written = page.decode(&rest[..count], Ptr::of(&mut units).cast(), units.len());
            self.put_units(&units[..written]);
            rest = &rest[count..];
        }
    }

    /// Writes text that is of this kind already.
    fn move_in(&mut self, from: Ptr<U>, count: usize) {
        let there_is_room = self.room.saturating_sub(self.length).min(count);
        let bytes = there_is_room * size_of::<U>();
        self.to
            .add(self.length)
            .cast::<u8>()
            .copy_from(from.cast(), bytes);
        self.length = self.length.saturating_add(count);
    }
}

/// How many units the first character has.
fn character_of_units(units: &[u16]) -> usize {
    match units {
        [0xD800..=0xDBFF, 0xDC00..=0xDFFF, ..] => 2,
        _ => 1,
    }
}

/// How many bytes the first character has.
fn character_of_bytes(page: &Page, bytes: &[u8]) -> usize {
    if !page.is_lead_byte(bytes[0]) {
        return 1;
    }
    match page {
        Page::Utf8 => {
            let followers = bytes[1..].iter().take(3);
            1 + followers.take_while(|byte| **byte & 0xC0 == 0x80).count()
        }
        _ => bytes.len().min(2),
    }
}
