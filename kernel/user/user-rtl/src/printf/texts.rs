//! Characters and strings in formatted output.

use c_interface::{Arguments, Ptr};
use nt_abi::native::{AnsiString, UnicodeString};

use super::Unit;
use super::directive::{Directive, Kind};
use super::output::Output;

/// What stands for no string.
const NULL: &[u8] = b"(null)";

/// Text of either kind.
enum Text<'a> {
    Bytes(&'a [u8]),
    Units(&'a [u16]),
}

/// Writes text in its field.
fn put<U: Unit>(output: &mut Output<U>, directive: &Directive, text: &Text<'_>) {
    match *text {
        Text::Bytes(bytes) => output.put_field(
            directive,
            b"",
            Output::<U>::length_of_bytes(bytes),
            |output| {
                output.put_bytes(bytes);
            },
        ),
        Text::Units(units) => output.put_field(
            directive,
            b"",
            Output::<U>::length_of_units(units),
            |output| {
                output.put_units(units);
            },
        ),
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "a character is the lower part of its argument"
)]
pub(super) fn print_character<U: Unit>(
    output: &mut Output<U>,
    directive: &Directive,
    arguments: &mut Arguments,
) {
    let argument = arguments.next_word();
    if directive.kind == (Kind::Character { wide: true }) {
        put(output, directive, &Text::Units(&[argument as u16]));
    } else {
        put(output, directive, &Text::Bytes(&[argument as u8]));
    }
}

pub(super) fn print_text<U: Unit>(
    output: &mut Output<U>,
    directive: &Directive,
    arguments: &mut Arguments,
) {
    let address: Ptr<u8> = arguments.next_ptr();
    let most = directive.precision.unwrap_or(usize::MAX);
    let text = match (address.non_null(), directive.kind) {
        (None, _) => Text::Bytes(&NULL[..NULL.len().min(most)]),
        (Some(bytes), Kind::Text { wide: false }) => Text::Bytes(up_to_zero(bytes, most)),
        (Some(units), _) => Text::Units(up_to_zero(units.cast::<u16>(), most)),
    };
    put(output, directive, &text);
}

pub(super) fn print_counted<U: Unit>(
    output: &mut Output<U>,
    directive: &Directive,
    arguments: &mut Arguments,
) {
    let address: Ptr<AnsiString> = arguments.next_ptr();
    let most = directive.precision.unwrap_or(usize::MAX);
    let null = Text::Bytes(&NULL[..NULL.len().min(most)]);
    let text = match address.non_null() {
        None => null,
        Some(string) if string.read().buffer == 0 => null,
        Some(string) if directive.counted_is_wide() => {
            let units = crate::strings::units(string.cast::<UnicodeString>());
            Text::Units(&units[..units.len().min(most)])
        }
        Some(string) => {
            let bytes = crate::strings::bytes(string);
            Text::Bytes(&bytes[..bytes.len().min(most)])
        }
    };
    put(output, directive, &text);
}

/// Text up to its zero, but no more than so much: what is behind that is not looked at.
fn up_to_zero<'a, U: Unit>(text: Ptr<U>, most: usize) -> &'a [U] {
    let mut length = 0;
    while length < most && text.add(length).read().into() != 0 {
        length += 1;
    }
    text.slice(length)
}
