//! Directives of a format for input, and their sets of characters.

use c_interface::Ptr;

use crate::c_library::text::at;
use crate::printf::Unit;

/// How large what is stored is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    Default,
    Byte,
    Short,
    Long,
    Long64,
    Pointer,
}

/// A directive behind its percent sign.
pub(super) struct Directive {
    pub(super) stores: bool,
    /// As many units as it may read.
    pub(super) width: Option<usize>,
    pub(super) size: Size,
    pub(super) letter: u16,
}

/// The units between brackets.
pub(super) struct Set<U> {
    start: Ptr<U>,
    length: usize,
    excludes: bool,
}

impl<U: Unit> Set<U> {
    pub(super) fn contains(&self, unit: u16) -> bool {
        let mut index = 0;
        let mut found = false;
        while index < self.length {
            let first = at(self.start, index);
            let range = index + 2 < self.length && at(self.start, index + 1) == u16::from(b'-');
            let last = if range {
                at(self.start, index + 2)
            } else {
                first
            };
            // A range may be written from either end.
            found |= (first.min(last)..=first.max(last)).contains(&unit);
            index += if range { 3 } else { 1 };
        }
        found != self.excludes
    }
}

/// The next unit of the format, and goes past it.
fn next<U: Unit>(format: &mut Ptr<U>) -> u16 {
    let unit = at(*format, 0);
    if unit != 0 {
        *format = format.add(1);
    }
    unit
}

pub(super) fn parse<U: Unit>(format: &mut Ptr<U>) -> Directive {
    let mut directive = Directive {
        stores: true,
        width: None,
        size: Size::Default,
        letter: 0,
    };
    if at(*format, 0) == u16::from(b'*') {
        *format = format.add(1);
        directive.stores = false;
    }
    while let digit @ 0x30..=0x39 = at(*format, 0) {
        let width = directive.width.unwrap_or(0);
        directive.width = Some(
            width
                .saturating_mul(10)
                .saturating_add(usize::from(digit - 0x30)),
        );
        *format = format.add(1);
    }
    loop {
        let unit = next(format);
        directive.size = match (unit, directive.size) {
            (0x68, Size::Short) => Size::Byte,
            (0x68, _) => Size::Short,
            (0x6C, Size::Long) | (0x6A, _) => Size::Long64,
            // l, w, L
            (0x6C | 0x77 | 0x4C, _) => Size::Long,
            // z, t
            (0x7A | 0x74, _) => Size::Pointer,
            (0x49, _) => size_behind_i(format),
            _ => {
                directive.letter = unit;
                return directive;
            }
        };
    }
}

/// What follows an `I`.
fn size_behind_i<U: Unit>(format: &mut Ptr<U>) -> Size {
    let (first, second) = (
        at(*format, 0),
        if at(*format, 0) == 0 {
            0
        } else {
            at(*format, 1)
        },
    );
    let size = match (first, second) {
        (0x36, 0x34) => Size::Long64,
        (0x33, 0x32) => Size::Long,
        _ => return Size::Pointer,
    };
    *format = format.add(2);
    size
}

/// Goes past a set, which begins behind its bracket.
pub(super) fn parse_set<U: Unit>(format: &mut Ptr<U>) -> Set<U> {
    let excludes = at(*format, 0) == u16::from(b'^');
    if excludes {
        *format = format.add(1);
    }
    let start = *format;
    let mut length = 0;
    // A bracket in the first place is a member.
    while at(start, length) != 0 && (length == 0 || at(start, length) != u16::from(b']')) {
        length += 1;
    }
    *format = start.add(length);
    next(format);
    Set {
        start,
        length,
        excludes,
    }
}
