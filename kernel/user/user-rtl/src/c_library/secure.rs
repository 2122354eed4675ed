//! Strings copied and changed with a size: what does not fit is an error, and never an open end.
//!
//! # Errors
//! Throughout: `EINVAL` for no string, no room, or text without a zero in its room; `ERANGE` for text that does not fit;
//! `STRUNCATE` for text that was cut because the caller asked for as much as fits. After an error the text is empty.

use c_interface::{Ptr, exports};

use super::errno::Errno;
use super::text::{self, capital, fold};
use crate::printf::Unit;

/// `_TRUNCATE`: as much as fits.
const TRUNCATE: usize = usize::MAX;

/// Writes text at a place in a buffer, which has so much room from there on. The whole buffer is emptied if it does not fit.
fn put<U: Unit>(whole: Ptr<U>, place: Ptr<U>, room: usize, from: Ptr<U>, most: usize) -> i32 {
    let length = text::length_up_to(from, most.min(room));
    if length < room {
        text::copy(place, from, length);
        return 0;
    }
    if most == TRUNCATE {
        // There is room for one unit at least.
        text::copy(place, from, room - 1);
        return Errno::Truncated as i32;
    }
    fail(whole, Errno::Range)
}

/// Empties a buffer after an error.
fn fail<U: Unit>(whole: Ptr<U>, errno: Errno) -> i32 {
    text::end(whole);
    errno.report()
}

fn copy<U: Unit>(to: Ptr<U>, room: usize, from: Ptr<U>, most: usize) -> i32 {
    if most == 0 && to.is_null() && room == 0 {
        return 0;
    }
    if to.is_null() || room == 0 {
        return Errno::Invalid.report();
    }
    if most == 0 {
        text::end(to);
        return 0;
    }
    if from.is_null() {
        return fail(to, Errno::Invalid);
    }
    put(to, to, room, from, most)
}

fn append<U: Unit>(to: Ptr<U>, room: usize, from: Ptr<U>, most: usize) -> i32 {
    if most == 0 && to.is_null() && room == 0 {
        return 0;
    }
    if to.is_null() || room == 0 {
        return Errno::Invalid.report();
    }
    let length = text::length_up_to(to, room);
    if length == room {
        return fail(to, Errno::Invalid);
    }
    if from.is_null() && most != 0 {
        return fail(to, Errno::Invalid);
    }
    if most == 0 {
        return 0;
    }
    put(to, to.add(length), room - length, from, most)
}

/// Changes the units of a text, no more than so many.
fn change<U: Unit>(string: Ptr<U>, room: usize, most: usize, change: impl Fn(U) -> U) -> i32 {
    if string.is_null() || room == 0 {
        return Errno::Invalid.report();
    }
    let length = text::length_up_to(string, room);
    if length == room {
        return fail(string, Errno::Invalid);
    }
    for index in 0..length.min(most) {
        let place = string.add(index);
        place.write(change(place.read()));
    }
    0
}

exports! {
    /// `strcpy` with a size.
    cdecl fn strcpy_s(to: Ptr<u8>, room: usize, from: Ptr<u8>) -> i32 {
        copy(to, room, from, TRUNCATE - 1)
    }

    /// `wcscpy` with a size.
    cdecl fn wcscpy_s(to: Ptr<u16>, room: usize, from: Ptr<u16>) -> i32 {
        copy(to, room, from, TRUNCATE - 1)
    }

    /// Copies no more than so many bytes, and a zero.
    cdecl fn strncpy_s(to: Ptr<u8>, room: usize, from: Ptr<u8>, most: usize) -> i32 {
        copy(to, room, from, most)
    }

    /// Copies no more than so many units, and a zero.
    cdecl fn wcsncpy_s(to: Ptr<u16>, room: usize, from: Ptr<u16>, most: usize) -> i32 {
        copy(to, room, from, most)
    }

    /// `strcat` with a size.
    cdecl fn strcat_s(to: Ptr<u8>, room: usize, from: Ptr<u8>) -> i32 {
        append(to, room, from, TRUNCATE - 1)
    }

    /// `wcscat` with a size.
    cdecl fn wcscat_s(to: Ptr<u16>, room: usize, from: Ptr<u16>) -> i32 {
        append(to, room, from, TRUNCATE - 1)
    }

    /// `strncat` with a size.
    cdecl fn strncat_s(to: Ptr<u8>, room: usize, from: Ptr<u8>, most: usize) -> i32 {
        append(to, room, from, most)
    }

    /// `wcsncat` with a size.
    cdecl fn wcsncat_s(to: Ptr<u16>, room: usize, from: Ptr<u16>, most: usize) -> i32 {
        append(to, room, from, most)
    }

    /// `_strlwr` with a size.
    cdecl fn _strlwr_s(string: Ptr<u8>, room: usize) -> i32 {
        change(string, room, usize::MAX, |byte| byte.to_ascii_lowercase())
    }

    /// `_strupr` with a size.
    cdecl fn _strupr_s(string: Ptr<u8>, room: usize) -> i32 {
        change(string, room, usize::MAX, |byte| byte.to_ascii_uppercase())
    }

    /// `_wcslwr` with a size.
    cdecl fn _wcslwr_s(string: Ptr<u16>, room: usize) -> i32 {
        change(string, room, usize::MAX, fold)
    }

    /// `_wcsupr` with a size.
    cdecl fn _wcsupr_s(string: Ptr<u16>, room: usize) -> i32 {
        change(string, room, usize::MAX, capital)
    }

    /// Overwrites all bytes of a string with one.
    cdecl fn _strset_s(string: Ptr<u8>, room: usize, byte: i32) -> i32 {
        change(string, room, usize::MAX, |_| byte.to_le_bytes()[0])
    }

    /// Overwrites no more than so many bytes of a string with one.
    cdecl fn _strnset_s(string: Ptr<u8>, room: usize, byte: i32, most: usize) -> i32 {
        change(string, room, most, |_| byte.to_le_bytes()[0])
    }

    /// Overwrites all units of a string with one.
    cdecl fn _wcsset_s(string: Ptr<u16>, room: usize, unit: u16) -> i32 {
        change(string, room, usize::MAX, |_| unit)
    }

    /// Overwrites no more than so many units of a string with one.
    cdecl fn _wcsnset_s(string: Ptr<u16>, room: usize, unit: u16, most: usize) -> i32 {
        change(string, room, most, |_| unit)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::String;

    use super::*;
    use crate::strings::testing::{Room, narrow, wide};

    /// What both kinds of a function make of a buffer of eight.
    fn buffer(
        before: &str,
        narrow_form: impl Fn(Ptr<u8>) -> i32,
        wide_form: impl Fn(Ptr<u16>) -> i32,
    ) -> (i32, String) {
        let text = narrow(before);
        let mut bytes = text.now();
        bytes.resize(9, b'~');
        let bytes = Room::new(&bytes);
        let result = narrow_form(bytes.ptr());
        let units: std::vec::Vec<u16> = before.encode_utf16().chain([0]).collect();
        let mut units = units;
        units.resize(9, 0x7E);
        let units = Room::new(&units);
        assert_eq!(wide_form(units.ptr()), result);
        let after: String = bytes.now().iter().map(|byte| char::from(*byte)).collect();
        assert_eq!(String::from_utf16(&units.now()).unwrap(), after);
        (result, after)
    }

    #[test]
    fn copies_fit_or_fail() {
        let copied = |room, from: &str, most: usize| {
            let (n, w) = (narrow(from), wide(from));
            buffer(
                "",
                |to| strncpy_s(to, room, n.ptr(), most),
                |to| wcsncpy_s(to, room, w.ptr(), most),
            )
        };
        assert_eq!(copied(8, "abc", 5), (0, "abc\0~~~~~".into()));
        assert_eq!(copied(8, "abc", 2), (0, "ab\0~~~~~~".into()));
        assert_eq!(copied(3, "abc", 2), (0, "ab\0~~~~~~".into()));
        assert_eq!(copied(3, "abc", 3).0, 34);
        assert_eq!(copied(3, "abc", TRUNCATE), (80, "ab\0~~~~~~".into()));
        assert_eq!(copied(4, "abc", TRUNCATE), (0, "abc\0~~~~~".into()));
        assert_eq!(copied(8, "abc", 0), (0, "\0~~~~~~~~".into()));
        assert_eq!(copied(0, "abc", 2).0, 22);
        let from = narrow("abc");
        let to = narrow("x~~");
        assert_eq!((strcpy_s(to.ptr(), 3, from.ptr()), to.now()[0]), (34, 0));
        assert_eq!(
            (strcpy_s(to.ptr(), 4, from.ptr()), to.text()),
            (0, "abc".into())
        );
        assert_eq!((strcpy_s(to.ptr(), 4, Ptr::NULL), to.now()[0]), (22, 0));
        assert_eq!(strcpy_s(Ptr::NULL, 4, from.ptr()), 22);
        assert_eq!(strncpy_s(Ptr::NULL, 0, Ptr::NULL, 0), 0);
        assert_eq!(wcscpy_s(Ptr::NULL, 4, wide("x").ptr()), 22);
    }

    #[test]
    fn appending_fits_or_fails() {
        let appended = |room, from: &str, most: usize| {
            let (n, w) = (narrow(from), wide(from));
            buffer(
                "xy",
                |to| strncat_s(to, room, n.ptr(), most),
                |to| wcsncat_s(to, room, w.ptr(), most),
            )
        };
        assert_eq!(appended(8, "abc", 9), (0, "xyabc\0~~~".into()));
        assert_eq!(appended(8, "abc", 1), (0, "xya\0~~~~~".into()));
        assert_eq!(appended(5, "abc", 3).0, 34);
        assert_eq!(appended(5, "abc", TRUNCATE), (80, "xyab\0~~~~".into()));
        assert_eq!(appended(2, "abc", 1).0, 22);
        let whole = |room| {
            let (n, w) = (narrow("abc"), wide("abc"));
            buffer(
                "xy",
                |to| strcat_s(to, room, n.ptr()),
                |to| wcscat_s(to, room, w.ptr()),
            )
        };
        assert_eq!(whole(6), (0, "xyabc\0~~~".into()));
        assert_eq!((whole(5).0, whole(5).1.starts_with('\0')), (34, true));
    }

    #[test]
    fn units_are_changed_in_place() {
        assert_eq!(
            buffer("aB", |s| _strupr_s(s, 8), |s| _wcsupr_s(s, 8)),
            (0, "AB\0~~~~~~".into())
        );
        assert_eq!(
            buffer("aB", |s| _strlwr_s(s, 3), |s| _wcslwr_s(s, 3)),
            (0, "ab\0~~~~~~".into())
        );
        assert_eq!(buffer("aB", |s| _strlwr_s(s, 2), |s| _wcslwr_s(s, 2)).0, 22);
        assert_eq!(
            buffer("abc", |s| _strset_s(s, 8, 0x7A), |s| _wcsset_s(s, 8, 0x7A)),
            (0, "zzz\0~~~~~".into())
        );
        assert_eq!(
            buffer(
                "abc",
                |s| _strnset_s(s, 8, 0x7A, 2),
                |s| _wcsnset_s(s, 8, 0x7A, 2)
            ),
            (0, "zzc\0~~~~~".into())
        );
    }
}
