//! Network addresses as text: IPv4, IPv6, Ethernet, each in bytes and in UTF-16.
//!
//! Text is read up to where an address ends, which the caller learns; the `Ex` forms want nothing behind it but a port or
//! a scope. Text that is written is lower case but for Ethernet's.

mod exports;
mod read;
mod write;

pub use exports::*;

use c_interface::Ptr;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// A unit of text, of either kind.
pub trait Unit: FromBytes + IntoBytes + Immutable + Copy {
    /// The ASCII character that it is; one that nothing looks for if it is none.
    fn ascii(self) -> u8;
    /// The unit of an ASCII character.
    fn of(ascii: u8) -> Self;
}

impl Unit for u8 {
    fn ascii(self) -> u8 {
        self
    }

    fn of(ascii: u8) -> Self {
        ascii
    }
}

impl Unit for u16 {
    fn ascii(self) -> u8 {
        u8::try_from(self).unwrap_or(u8::MAX)
    }

    fn of(ascii: u8) -> Self {
        Self::from(ascii)
    }
}

/// Terminated text that is read.
struct Text<U> {
    at: Ptr<U>,
}

impl<U: Unit> Text<U> {
    /// The character at a place; 0 at the end. Whoever reads on behind that has a defect.
    fn char(&self, place: usize) -> u8 {
        self.at.add(place).read().ascii()
    }

    /// The value of a digit.
    fn digit(&self, place: usize, base: u32) -> Option<u32> {
        char::from(self.char(place)).to_digit(base)
    }

    /// Whether the text ends there.
    fn ends(&self, place: usize) -> bool {
        self.char(place) == 0
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wine;
