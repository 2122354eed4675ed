//! Strings of bytes that end with a zero.

use core::sync::atomic::{AtomicUsize, Ordering};

use c_interface::{Ptr, exports};

use super::text::{self, as_wide_as_addresses, fold};
use crate::conversions::page;
use crate::strings::units_before_zero;

/// Where `strtok` goes on.
static REST: AtomicUsize = AtomicUsize::new(0);

/// A byte as C hands it over: the low part of a number.
fn byte(number: i32) -> u16 {
    u16::from(number.to_le_bytes()[0])
}

fn same(unit: u16) -> u16 {
    unit
}

exports! {
    /// How many bytes there are before the zero.
    cdecl fn strlen(string: Ptr<u8>) -> usize {
        text::length(string)
    }

    /// The same, but no more than so many.
    cdecl fn strnlen(string: Ptr<u8>, most: usize) -> usize {
        text::length_up_to(string, most)
    }

    /// Copies a string.
    cdecl fn strcpy(to: Ptr<u8>, from: Ptr<u8>) -> Ptr<u8> {
        text::copy(to, from, text::length(from));
        to
    }

    /// Copies no more than so many bytes, and fills up with zeros. A longer string has no zero then.
    cdecl fn strncpy(to: Ptr<u8>, from: Ptr<u8>, count: usize) -> Ptr<u8> {
        text::copy_filled(to, from, count);
        to
    }

    /// Puts one string behind another.
    cdecl fn strcat(to: Ptr<u8>, from: Ptr<u8>) -> Ptr<u8> {
        text::copy(to.byte_add(text::length(to)), from, text::length(from));
        to
    }

    /// Puts no more than so many bytes behind a string, and a zero.
    cdecl fn strncat(to: Ptr<u8>, from: Ptr<u8>, count: usize) -> Ptr<u8> {
        text::copy(to.byte_add(text::length(to)), from, text::length_up_to(from, count));
        to
    }

    /// Compares strings by their bytes.
    cdecl fn strcmp(left: Ptr<u8>, right: Ptr<u8>) -> i32 {
        text::compare(left, right, usize::MAX, same).signum()
    }

    /// Compares no more than so many bytes.
    cdecl fn strncmp(left: Ptr<u8>, right: Ptr<u8>, count: usize) -> i32 {
        text::compare(left, right, count, same)
    }

    /// Compares without regard to ASCII's case.
    cdecl fn _stricmp(left: Ptr<u8>, right: Ptr<u8>) -> i32 {
        as_wide_as_addresses(text::compare(left, right, usize::MAX, fold))
    }

    /// As `_stricmp`.
    cdecl fn _strcmpi(left: Ptr<u8>, right: Ptr<u8>) -> i32 {
        as_wide_as_addresses(text::compare(left, right, usize::MAX, fold))
    }

    /// Compares no more than so many bytes, without regard to ASCII's case.
    cdecl fn _strnicmp(left: Ptr<u8>, right: Ptr<u8>, count: usize) -> i32 {
        as_wide_as_addresses(text::compare(left, right, count, fold))
    }

    /// The first such byte; null: there is none.
    cdecl fn strchr(string: Ptr<u8>, wanted: i32) -> Ptr<u8> {
        text::find(string, byte(wanted))
    }

    /// The last such byte; null: there is none.
    cdecl fn strrchr(string: Ptr<u8>, wanted: i32) -> Ptr<u8> {
        text::find_last(string, byte(wanted))
    }

    /// How many bytes from the beginning on are among a set.
    cdecl fn strspn(string: Ptr<u8>, set: Ptr<u8>) -> usize {
        text::span(string, set, true)
    }

    /// How many bytes from the beginning on are not among a set.
    cdecl fn strcspn(string: Ptr<u8>, set: Ptr<u8>) -> usize {
        text::span(string, set, false)
    }

    /// The first byte that is among a set; null: there is none.
    cdecl fn strpbrk(string: Ptr<u8>, set: Ptr<u8>) -> Ptr<u8> {
        text::find_any(string, set)
    }

    /// Where one string is in another; null: it is not.
    cdecl fn strstr(string: Ptr<u8>, wanted: Ptr<u8>) -> Ptr<u8> {
        text::find_text(string, wanted)
    }

    /// The next word of a string, from where the last call in the process stopped if none is given.
    cdecl fn strtok(string: Ptr<u8>, set: Ptr<u8>) -> Ptr<u8> {
        let mut rest = Ptr::new(REST.load(Ordering::Relaxed));
        let word = text::token(string, set, Ptr::of(&mut rest));
        REST.store(rest.address(), Ordering::Relaxed);
        word
    }

    /// The next word of a string, from where the last call with this place stopped if none is given.
    cdecl fn strtok_s(string: Ptr<u8>, set: Ptr<u8>, rest: Ptr<Ptr<u8>>) -> Ptr<u8> {
        text::token(string, set, rest)
    }

    /// Makes ASCII's capitals small letters.
    cdecl fn _strlwr(string: Ptr<u8>) -> Ptr<u8> {
        text::change(string, |byte| byte.to_ascii_lowercase());
        string
    }

    /// Makes ASCII's small letters capitals.
    cdecl fn _strupr(string: Ptr<u8>) -> Ptr<u8> {
        text::change(string, |byte| byte.to_ascii_uppercase());
        string
    }

    /// Writes units in the process's code page, no more than so many bytes, with the zero if it fits. Gives how many without
    /// the zero; without a buffer, how many there would be.
    cdecl fn wcstombs(to: Ptr<u8>, from: Ptr<u16>, room: usize) -> usize {
        let page = page::ansi();
        let units = from.slice(units_before_zero(from));
        if to.is_null() {
            return page.bytes_of(units);
        }
        let written = page.encode(units, to, room);
        if written < room {
            text::end(to.byte_add(written));
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strings::testing::{Room, narrow, wide};

    #[test]
    fn lengths_and_copies() {
        let text = narrow("abc");
        assert_eq!(
            (
                strlen(text.ptr()),
                strnlen(text.ptr(), 2),
                strnlen(text.ptr(), 9)
            ),
            (3, 2, 3)
        );
        let to = Room::filled(b'~', 10);
        assert_eq!(strcpy(to.ptr(), text.ptr()), to.ptr());
        strcat(to.ptr(), narrow("de").ptr());
        assert_eq!(to.now(), b"abcde\0~~~~");
        strncat(to.ptr(), text.ptr(), 2);
        assert_eq!(to.now(), b"abcdeab\0~~");
        strncpy(to.ptr(), text.ptr(), 2);
        assert_eq!(to.now(), b"abcdeab\0~~");
        strncpy(to.ptr(), narrow("x").ptr(), 5);
        assert_eq!(to.now(), b"x\0\0\0\0ab\0~~");
    }

    #[test]
    fn comparisons_are_those_of_ntdll() {
        // strcmp, strncmp, and _stricmp, whose answer has another width in each ntdll, as Wine's conformance tests have it of
        // Windows.
        for (left, right, expected) in [
            ("a", "b", [-1, -1, -1]),
            ("a", "c", [-1, -2, -2]),
            ("a", "", [1, 97, 97]),
            ("A", "a", [-1, -32, 0]),
            ("a", "B", [1, 31, -1]),
            ("a", "C", [1, 30, -2]),
            ("\u{80}", "a", [1, 31, 31]),
            ("\u{E4}", "\u{C4}", [1, 32, 32]),
            ("_", "A", [1, 30, -2]),
            ("abc", "abC", [1, 32, 0]),
            ("abc", "abc", [0, 0, 0]),
        ] {
            let (own, other) = (narrow(left), narrow(right));
            let (own, other) = (own.ptr(), other.ptr());
            let [whole, limited, folded] = expected;
            let folded = if size_of::<usize>() == 8 {
                folded
            } else {
                i32::signum(folded)
            };
            let got = [
                strcmp(own, other),
                strncmp(own, other, 3),
                _stricmp(own, other),
                _strnicmp(own, other, 3),
            ];
            assert_eq!(got, [whole, limited, folded, folded], "{left} {right}");
        }
        assert_eq!(strncmp(narrow("abc").ptr(), narrow("abd").ptr(), 2), 0);
        assert_eq!(strncmp(narrow("a").ptr(), narrow("b").ptr(), 0), 0);
    }

    #[test]
    fn searches() {
        let text = narrow("hello world");
        let at = |index| text.ptr().byte_add(index);
        assert_eq!(
            strchr(text.ptr(), i32::from(b'o') - 0x100),
            at(4),
            "the low part counts"
        );
        assert_eq!(strrchr(text.ptr(), i32::from(b'o')), at(7));
        assert_eq!(
            (strchr(text.ptr(), 0), strrchr(text.ptr(), 0)),
            (at(11), at(11))
        );
        assert_eq!(
            (strchr(text.ptr(), 0x7A), strrchr(text.ptr(), 0x7A)),
            (Ptr::NULL, Ptr::NULL)
        );
        assert_eq!(strspn(text.ptr(), narrow("ehl").ptr()), 4);
        assert_eq!(strcspn(text.ptr(), narrow("ow").ptr()), 4);
        assert_eq!(strcspn(text.ptr(), narrow("xyz").ptr()), 11);
        assert_eq!(strpbrk(text.ptr(), narrow("wr").ptr()), at(6));
        assert_eq!(strpbrk(text.ptr(), narrow("xyz").ptr()), Ptr::NULL);
        assert_eq!(strstr(text.ptr(), narrow("lo w").ptr()), at(3));
        assert_eq!(strstr(text.ptr(), narrow("").ptr()), at(0));
        assert_eq!(strstr(text.ptr(), narrow("lox").ptr()), Ptr::NULL);
        assert_eq!(strstr(narrow("aab").ptr(), narrow("aabb").ptr()), Ptr::NULL);
    }

    #[test]
    fn words() {
        for own_place in [false, true] {
            let text = narrow(",one,,two,");
            let comma = narrow(",");
            let mut rest = Ptr::NULL;
            let mut next = |string| match own_place {
                true => strtok_s(string, comma.ptr(), Ptr::of(&mut rest)),
                false => strtok(string, comma.ptr()),
            };
            let first = next(text.ptr());
            assert_eq!(first, text.ptr().byte_add(1));
            assert_eq!(first.slice(4), b"one\0");
            assert_eq!(next(Ptr::NULL).slice(4), b"two\0");
            assert_eq!(next(Ptr::NULL), Ptr::NULL);
            assert_eq!(next(Ptr::NULL), Ptr::NULL);
        }
    }

    #[test]
    fn cases_and_conversions() {
        let text = narrow("aB\u{E4}Z");
        _strupr(text.ptr());
        assert_eq!(text.text(), "AB\u{E4}Z");
        _strlwr(text.ptr());
        assert_eq!(text.text(), "ab\u{E4}z");
        let to = Room::filled(b'~', 6);
        let from = wide("a€c");
        assert_eq!(wcstombs(Ptr::NULL, from.ptr(), 0), 3);
        assert_eq!(wcstombs(to.ptr(), from.ptr(), 2), 2);
        assert_eq!(to.now(), b"a\x80~~~~");
        assert_eq!(wcstombs(to.ptr(), from.ptr(), 6), 3);
        assert_eq!(to.now(), b"a\x80c\0~~");
    }
}
