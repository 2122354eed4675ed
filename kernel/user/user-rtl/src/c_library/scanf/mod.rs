//! C's formatted input.
//!
//! A format is walked through beside the input: spaces skip any spaces, other units must be there, and directives read what
//! their letter says and store it where the next argument points.
//!
//! # NT
//! Documented with the C run-time library ("Format specification fields: scanf and wscanf functions"). The functions that
//! end with `_s` take the room, in characters, behind each place for text.
//!
//! # Differs
//! Windows' ntdll reads no floating-point numbers; `%f` and its kin are here.

mod directive;
mod store;

use c_interface::{Arguments, Ptr, exports};
use rtl::numerals;

use super::characters::is_wide_space;
use super::errno::Errno;
use super::reals;
use super::text::at;
use crate::printf::Unit;
use directive::{Directive, Size};
use store::{end, put_text, store_number};

/// What functions give if the input ends before there was anything to store.
const END_OF_INPUT: i32 = -1;

/// Whether places for text come with their room.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rooms {
    Given,
    Unlimited,
}

/// Why reading stops.
enum Stop {
    /// The input is at its end.
    EndOfInput,
    /// The input is not as the format has it.
    Mismatch,
}

/// The input.
struct Input<U> {
    text: Ptr<U>,
    /// Units that are read already.
    read: usize,
    /// Where it ends, though no zero is there.
    limit: usize,
}

impl<U: Unit> Input<U> {
    /// The unit so many units ahead; 0 at the end.
    fn peek(&self, ahead: usize) -> u16 {
        let index = self.read.saturating_add(ahead);
        if index < self.limit {
            at(self.text, index)
        } else {
            0
        }
    }

    fn is_at_end(&self) -> bool {
        self.peek(0) == 0
    }

    fn skip_spaces(&mut self) {
        while is_space(self.peek(0)) {
            self.read += 1;
        }
    }

    /// How many units that hold are next, within so many.
    fn count(&self, most: usize, holds: impl Fn(u16) -> bool) -> usize {
        (0..most)
            .take_while(|ahead| self.peek(*ahead) != 0 && holds(self.peek(*ahead)))
            .count()
    }
}

/// Spaces are ASCII's here.
fn is_space(unit: u16) -> bool {
    unit < 0x80 && is_wide_space(unit)
}

/// Reads input by a format; gives how many things were stored.
fn scan<U: Unit>(
    input: Ptr<U>,
    limit: usize,
    format: Ptr<U>,
    arguments: Ptr<u8>,
    rooms: Rooms,
) -> i32 {
    if input.is_null() || format.is_null() {
        Errno::Invalid.report();
        return END_OF_INPUT;
    }
    let mut scanner = Scanner {
        input: Input {
            text: input,
            read: 0,
            limit,
        },
        format,
        arguments: Arguments::new(arguments),
        rooms,
        stored: 0,
        converted: false,
    };
    match scanner.run() {
        Err(Stop::EndOfInput) if !scanner.converted => END_OF_INPUT,
        _ => scanner.stored,
    }
}

/// The lower 32 bits.
#[allow(clippy::cast_possible_truncation, reason = "that is the point")]
const fn low_part(word: usize) -> usize {
    word as u32 as usize
}

struct Scanner<U> {
    input: Input<U>,
    format: Ptr<U>,
    arguments: Arguments,
    rooms: Rooms,
    stored: i32,
    /// Whether a directive read something, stored or not.
    converted: bool,
}

impl<U: Unit> Scanner<U> {
    fn run(&mut self) -> Result<(), Stop> {
        loop {
            match at(self.format, 0) {
                0 => return Ok(()),
                unit if is_space(unit) => {
                    self.format = self.format.add(1);
                    self.input.skip_spaces();
                }
                0x25 if at(self.format, 1) == 0x25 => {
                    self.format = self.format.add(2);
                    self.input.skip_spaces();
                    self.expect(0x25)?;
                }
                0x25 => {
                    self.format = self.format.add(1);
                    let directive = directive::parse(&mut self.format);
                    self.convert(&directive)?;
                }
                unit => {
                    self.format = self.format.add(1);
                    self.expect(unit)?;
                }
            }
        }
    }

    fn expect(&mut self, unit: u16) -> Result<(), Stop> {
        if self.input.is_at_end() {
            return Err(Stop::EndOfInput);
        }
        if self.input.peek(0) != unit {
            return Err(Stop::Mismatch);
        }
        self.input.read += 1;
        Ok(())
    }

    fn convert(&mut self, directive: &Directive) -> Result<(), Stop> {
        let letter = u8::try_from(directive.letter).unwrap_or(0);
        if !matches!(letter, b'c' | b'C' | b'[' | b'n') {
            self.input.skip_spaces();
        }
        if self.input.is_at_end() && letter != b'n' {
            return Err(Stop::EndOfInput);
        }
        match letter {
            b'd' | b'u' => self.convert_number(directive, 10),
            b'i' => self.convert_number(directive, 0),
            b'o' => self.convert_number(directive, 8),
            b'x' | b'X' => self.convert_number(directive, 16),
            b'p' => {
                let sized = Directive {
                    size: Size::Pointer,
                    ..*directive
                };
                self.convert_number(&sized, 16)
            }
            b'e' | b'E' | b'f' | b'g' | b'G' | b'a' | b'A' => self.convert_real(directive),
            b'c' | b'C' => {
                let count = directive.width.unwrap_or(1);
                let there = self.input.count(count, |_| true);
                if there < count {
                    return Err(Stop::EndOfInput);
                }
                self.store_text(directive, letter == b'C', count, false)
            }
            b's' | b'S' => {
                let most = directive.width.unwrap_or(usize::MAX);
                let count = self.input.count(most, |unit| !is_space(unit));
                self.store_text(directive, letter == b'S', count, true)
            }
            b'[' => {
                let set = directive::parse_set(&mut self.format);
                let most = directive.width.unwrap_or(usize::MAX);
                let count = self.input.count(most, |unit| set.contains(unit));
                if count == 0 {
                    return Err(Stop::Mismatch);
                }
                self.store_text(directive, false, count, true)
            }
            b'n' => {
                if directive.stores {
                    let place = self.arguments.next_ptr();
                    store_number(place, directive.size, self.input.read as u64);
                }
                Ok(())
            }
            // No directive: the letter itself must be there.
            _ => self.expect(directive.letter),
        }
    }

    fn convert_number(&mut self, directive: &Directive, base: u32) -> Result<(), Stop> {
        let most = directive.width.unwrap_or(usize::MAX);
        let unit = |ahead: usize| {
            if ahead < most {
                self.input.peek(ahead)
            } else {
                0
            }
        };
        let mut length = 0;
        let negative = unit(0) == u16::from(b'-');
        if negative || unit(0) == u16::from(b'+') {
            length = 1;
        }
        let zero = unit(length) == u16::from(b'0');
        let hexadecimal = zero && unit(length + 1) | 0x20 == u16::from(b'x');
        let base = match base {
            0 | 16 if hexadecimal => {
                length += 2;
                16
            }
            0 if zero => 8,
            0 => 10,
            base => base,
        };
        let number = numerals::read((length..).map(unit), base);
        if number.digits == 0 && !hexadecimal {
            return Err(Stop::Mismatch);
        }
        self.input.read += length + number.digits;
        let value = if negative {
            number.value.wrapping_neg()
        } else {
            number.value
        };
        self.converted = true;
        if directive.stores {
            store_number(self.arguments.next_ptr(), directive.size, value);
            self.stored += 1;
        }
        Ok(())
    }

    #[allow(clippy::cast_possible_truncation, reason = "the caller wants a float")]
    fn convert_real(&mut self, directive: &Directive) -> Result<(), Stop> {
        let most = directive
            .width
            .unwrap_or(usize::MAX)
            .min(self.input.limit - self.input.read);
        let real = reals::read(self.input.text.add(self.input.read), most);
        if real.length == 0 {
            return Err(Stop::Mismatch);
        }
        self.input.read += real.length;
        self.converted = true;
        if directive.stores {
            let place: Ptr<u8> = self.arguments.next_ptr();
            match directive.size {
                Size::Long | Size::Long64 => place.cast().write(real.value.to_bits()),
                _ => place.cast().write((real.value as f32).to_bits()),
            }
            self.stored += 1;
        }
        Ok(())
    }

    /// Stores the next so many units as text, with a zero if it is to end.
    fn store_text(
        &mut self,
        directive: &Directive,
        capital: bool,
        count: usize,
        ends: bool,
    ) -> Result<(), Stop> {
        let from = self.input.text.add(self.input.read);
        self.input.read += count;
        self.converted = true;
        if !directive.stores {
            return Ok(());
        }
        let to: Ptr<u8> = self.arguments.next_ptr();
        let room = match self.rooms {
            Rooms::Unlimited => usize::MAX,
            // An unsigned number, whose slot may have anything above it.
            Rooms::Given => low_part(self.arguments.next_word()),
        };
        let wide = match directive.size {
            Size::Short | Size::Byte => false,
            Size::Long => true,
            _ => U::WIDE != capital,
        };
        if count + usize::from(ends) > room {
            // No room for all: the text is empty, and reading is over.
            if room > 0 {
                end(to, 0, wide);
            }
            Errno::Range.report();
            return Err(Stop::Mismatch);
        }
        let length = put_text(from, count, to, wide);
        if ends {
            end(to, length, wide);
        }
        self.stored += 1;
        Ok(())
    }
}

exports! {
    /// `sscanf` of a list.
    cdecl fn vsscanf(input: Ptr<u8>, format: Ptr<u8>, arguments: Ptr<u8>) -> i32 {
        scan(input, usize::MAX, format, arguments, Rooms::Unlimited)
    }

    /// `sscanf_s` of a list.
    cdecl fn vsscanf_s(input: Ptr<u8>, format: Ptr<u8>, arguments: Ptr<u8>) -> i32 {
        scan(input, usize::MAX, format, arguments, Rooms::Given)
    }

    /// `_snscanf_s` of a list: reads no more than so many bytes.
    cdecl fn _vsnscanf_s(input: Ptr<u8>, length: usize, format: Ptr<u8>, arguments: Ptr<u8>) -> i32 {
        scan(input, length, format, arguments, Rooms::Given)
    }

    /// `swscanf` of a list.
    cdecl fn vswscanf(input: Ptr<u16>, format: Ptr<u16>, arguments: Ptr<u8>) -> i32 {
        scan(input, usize::MAX, format, arguments, Rooms::Unlimited)
    }

    /// `swscanf_s` of a list.
    cdecl fn vswscanf_s(input: Ptr<u16>, format: Ptr<u16>, arguments: Ptr<u8>) -> i32 {
        scan(input, usize::MAX, format, arguments, Rooms::Given)
    }

    /// `_snwscanf_s` of a list: reads no more than so many units.
    cdecl fn _vsnwscanf_s(input: Ptr<u16>, length: usize, format: Ptr<u16>, arguments: Ptr<u8>) -> i32 {
        scan(input, length, format, arguments, Rooms::Given)
    }
}

#[cfg(test)]
mod tests;
