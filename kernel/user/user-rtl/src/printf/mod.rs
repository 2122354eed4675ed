//! C's formatted output, as ntdll has it: `printf`'s directives with Windows' additions.
//!
//! One engine serves bytes and units. It is given a format, the arguments as a `va_list`, and a place to write to; it counts
//! all that it would write and writes what there is room for, so that a function which measures is one with no room.
//!
//! # NT
//! Documented with the C run-time library ("Format specification syntax: printf and wprintf functions"), and for drivers
//! `%Z` and `%wZ`, which print counted strings.
//!
//! # Differs
//! Windows' ntdll has no floating-point output; `%e`, `%f`, `%g` and `%a` are here, correctly rounded. `n` is written to
//! where `%n` asks for it.

mod directive;
pub mod exports;
mod numbers;
mod output;
mod reals;
#[cfg(test)]
pub(crate) mod tests;
mod texts;

use c_interface::{Arguments, Ptr};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use directive::{Directive, Kind};
pub(crate) use output::Output;

/// What text is made of: bytes, or units of UTF-16.
pub(crate) trait Unit:
    Copy + Into<u16> + From<u8> + FromBytes + IntoBytes + Immutable
{
    /// Whether it is a unit of UTF-16.
    const WIDE: bool;
}

impl Unit for u8 {
    const WIDE: bool = false;
}

impl Unit for u16 {
    const WIDE: bool = true;
}

/// The format, read unit by unit up to its zero.
#[derive(Clone, Copy)]
struct Cursor<U> {
    at: Ptr<U>,
}

impl<U: Unit> Cursor<U> {
    /// The next unit; 0 at the end, however often one asks.
    fn peek(&self) -> u16 {
        self.at.read().into()
    }

    /// Goes past a unit that is not the end.
    fn skip(&mut self) {
        self.at = self.at.add(1);
    }

    /// Goes past the next unit if it is this one.
    fn eat(&mut self, unit: u8) -> bool {
        let there = self.peek() == u16::from(unit);
        if there {
            self.skip();
        }
        there
    }
}

/// Writes what a format says. Gives how long it is, also beyond the room that there was; `None`: longer than C can say.
pub(crate) fn format<U: Unit>(
    output: &mut Output<U>,
    format: Ptr<U>,
    arguments: &mut Arguments,
) -> Option<usize> {
    let mut cursor = Cursor { at: format };
    loop {
        match cursor.peek() {
            0 => break,
            0x25 => {
                cursor.skip();
                if let Some(directive) = Directive::parse(&mut cursor, arguments) {
                    print(output, &directive, arguments);
                }
            }
            _ => {
                output.put(cursor.at.read());
                cursor.skip();
            }
        }
    }
    i32::try_from(output.length()).ok().map(|_| output.length())
}

/// Writes what one directive asks for.
fn print<U: Unit>(output: &mut Output<U>, directive: &Directive, arguments: &mut Arguments) {
    match directive.kind {
        Kind::Decimal | Kind::Unsigned { .. } | Kind::Pointer => {
            numbers::print(output, directive, arguments)
        }
        Kind::Real { .. } => reals::print(output, directive, arguments.next_f64()),
        Kind::Character { .. } => texts::print_character(output, directive, arguments),
        Kind::Text { .. } => texts::print_text(output, directive, arguments),
        Kind::Counted => texts::print_counted(output, directive, arguments),
        Kind::Literal(unit) => output.put_unit(unit),
        Kind::StoreLength => store_length(output, directive, arguments),
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "what does not fit where the caller wants it is lost there"
)]
fn store_length<U: Unit>(output: &Output<U>, directive: &Directive, arguments: &mut Arguments) {
    let place: Ptr<u8> = arguments.next_ptr();
    let length = output.length();
    if directive.sizes.long64 {
        place.cast().write(length as u64);
    } else if directive.sizes.short {
        place.cast().write(length as u16);
    } else {
        place.cast().write(length as u32);
    }
}
