//! ntdll's functions of formatted output, in the forms that take a `va_list`.
//!
//! The forms with an ellipsis cannot be written in Rust: they are a few instructions of the machine each, which make a
//! `va_list` of their arguments and go on here.

use c_interface::{Arguments, Ptr, exports};

use super::output::Output;
use super::{Unit, format};
use crate::c_library::errno::Errno;

/// `_TRUNCATE`: as much as fits.
const TRUNCATE: usize = usize::MAX;

/// A length as C has it; -1: there is none.
fn result(length: Option<usize>) -> i32 {
    length
        .and_then(|length| i32::try_from(length).ok())
        .unwrap_or(-1)
}

/// Writes as much as there is room for, and a zero if there is room for that too. Gives the length; without a buffer that
/// of what would be written; -1: the text was cut.
fn print_limited<U: Unit>(to: Ptr<U>, room: usize, text: Ptr<U>, arguments: Ptr<u8>) -> i32 {
    if to.is_null() {
        return measure(text, arguments);
    }
    let mut output = Output::new(to, room);
    match format(&mut output, text, &mut Arguments::new(arguments)) {
        Some(length) if length < room => {
            to.add(length).write(U::from(0));
            result(Some(length))
        }
        Some(length) if length == room => result(Some(length)),
        _ => -1,
    }
}

/// Writes all of it, and a zero.
fn print_all<U: Unit>(to: Ptr<U>, text: Ptr<U>, arguments: Ptr<u8>) -> i32 {
    let mut output = Output::new(to, usize::MAX);
    let length = format(&mut output, text, &mut Arguments::new(arguments));
    to.add(output.length()).write(U::from(0));
    result(length)
}

/// How long the text would be.
fn measure<U: Unit>(text: Ptr<U>, arguments: Ptr<u8>) -> i32 {
    let mut output = Output::new(Ptr::NULL, 0);
    result(format(&mut output, text, &mut Arguments::new(arguments)))
}

/// Says that an argument is not valid.
fn invalid() -> i32 {
    Errno::Invalid.report();
    -1
}

/// Writes no more than so many units, and always a zero. Text that is longer than allowed is cut there, and -1 says so; one
/// that is longer than the buffer is an error that leaves an empty text, unless the caller asked for as much as fits.
fn print_secure<U: Unit>(
    to: Ptr<U>,
    room: usize,
    most: usize,
    text: Ptr<U>,
    arguments: Ptr<u8>,
) -> i32 {
    if text.is_null() {
        return invalid();
    }
    if to.is_null() && room == 0 && most == 0 {
        return 0;
    }
    let Some(last) = room.checked_sub(1).filter(|_| !to.is_null()) else {
        return invalid();
    };
    let kept = last.min(most);
    let mut output = Output::new(to, kept);
    let length = format(&mut output, text, &mut Arguments::new(arguments));
    let end = |at: usize| to.add(at).write(U::from(0));
    match length {
        Some(length) if length <= kept => {
            end(length);
            result(Some(length))
        }
        // What the caller asked for fits, though the whole does not.
        Some(_) if most == TRUNCATE || most < room => {
            end(kept);
            -1
        }
        _ => {
            end(0);
            Errno::Range.report();
            -1
        }
    }
}

exports! {
    /// `sprintf` of a list.
    cdecl fn vsprintf(to: Ptr<u8>, format: Ptr<u8>, arguments: Ptr<u8>) -> i32 {
        print_all(to, format, arguments)
    }

    /// `_snprintf` of a list.
    cdecl fn _vsnprintf(to: Ptr<u8>, room: usize, format: Ptr<u8>, arguments: Ptr<u8>) -> i32 {
        print_limited(to, room, format, arguments)
    }

    /// How many bytes `vsprintf` would write, without the zero.
    cdecl fn _vscprintf(format: Ptr<u8>, arguments: Ptr<u8>) -> i32 {
        measure(format, arguments)
    }

    /// `sprintf_s` of a list: text that does not fit is an error.
    cdecl fn vsprintf_s(to: Ptr<u8>, room: usize, format: Ptr<u8>, arguments: Ptr<u8>) -> i32 {
        print_secure(to, room, room, format, arguments)
    }

    /// `_snprintf_s` of a list.
    cdecl fn _vsnprintf_s(to: Ptr<u8>, room: usize, most: usize, format: Ptr<u8>, arguments: Ptr<u8>) -> i32 {
        print_secure(to, room, most, format, arguments)
    }

    /// `swprintf` of a list, which in ntdll takes no room.
    cdecl fn _vswprintf(to: Ptr<u16>, format: Ptr<u16>, arguments: Ptr<u8>) -> i32 {
        print_all(to, format, arguments)
    }

    /// `_snwprintf` of a list.
    cdecl fn _vsnwprintf(to: Ptr<u16>, room: usize, format: Ptr<u16>, arguments: Ptr<u8>) -> i32 {
        print_limited(to, room, format, arguments)
    }

    /// How many units `_vswprintf` would write, without the zero.
    cdecl fn _vscwprintf(format: Ptr<u16>, arguments: Ptr<u8>) -> i32 {
        measure(format, arguments)
    }

    /// `swprintf_s` of a list: text that does not fit is an error.
    cdecl fn vswprintf_s(to: Ptr<u16>, room: usize, format: Ptr<u16>, arguments: Ptr<u8>) -> i32 {
        print_secure(to, room, room, format, arguments)
    }

    /// `_snwprintf_s` of a list.
    cdecl fn _vsnwprintf_s(to: Ptr<u16>, room: usize, most: usize, format: Ptr<u16>, arguments: Ptr<u8>) -> i32 {
        print_secure(to, room, most, format, arguments)
    }
}
