//! Strings of units that end with a zero.

use core::sync::atomic::{AtomicUsize, Ordering};

use c_interface::{Ptr, exports};

use super::text::{self, capital, fold};
use crate::conversions::page;
use crate::strings::bytes_before_zero;

/// Where `wcstok` goes on.
static REST: AtomicUsize = AtomicUsize::new(0);

fn same(unit: u16) -> u16 {
    unit
}

exports! {
    /// How many units there are before the zero.
    cdecl fn wcslen(string: Ptr<u16>) -> usize {
        text::length(string)
    }

    /// The same, but no more than so many.
    cdecl fn wcsnlen(string: Ptr<u16>, most: usize) -> usize {
        text::length_up_to(string, most)
    }

    /// Copies a string.
    cdecl fn wcscpy(to: Ptr<u16>, from: Ptr<u16>) -> Ptr<u16> {
        text::copy(to, from, text::length(from));
        to
    }

    /// Copies no more than so many units, and fills up with zeros. A longer string has no zero then.
    cdecl fn wcsncpy(to: Ptr<u16>, from: Ptr<u16>, count: usize) -> Ptr<u16> {
        text::copy_filled(to, from, count);
        to
    }

    /// Puts one string behind another.
    cdecl fn wcscat(to: Ptr<u16>, from: Ptr<u16>) -> Ptr<u16> {
        text::copy(to.add(text::length(to)), from, text::length(from));
        to
    }

    /// Puts no more than so many units behind a string, and a zero.
    cdecl fn wcsncat(to: Ptr<u16>, from: Ptr<u16>, count: usize) -> Ptr<u16> {
        text::copy(to.add(text::length(to)), from, text::length_up_to(from, count));
        to
    }

    /// Compares strings by their units.
    cdecl fn wcscmp(left: Ptr<u16>, right: Ptr<u16>) -> i32 {
        text::compare(left, right, usize::MAX, same)
    }

    /// Compares no more than so many units.
    cdecl fn wcsncmp(left: Ptr<u16>, right: Ptr<u16>, count: usize) -> i32 {
        text::compare(left, right, count, same)
    }

    /// Compares without regard to ASCII's case.
    cdecl fn _wcsicmp(left: Ptr<u16>, right: Ptr<u16>) -> i32 {
        text::compare(left, right, usize::MAX, fold)
    }

    /// Compares no more than so many units, without regard to ASCII's case.
    cdecl fn _wcsnicmp(left: Ptr<u16>, right: Ptr<u16>, count: usize) -> i32 {
        text::compare(left, right, count, fold)
    }

    /// The first such unit; null: there is none.
    cdecl fn wcschr(string: Ptr<u16>, wanted: u16) -> Ptr<u16> {
        text::find(string, wanted)
    }

    /// The last such unit; null: there is none.
    cdecl fn wcsrchr(string: Ptr<u16>, wanted: u16) -> Ptr<u16> {
        text::find_last(string, wanted)
    }

    /// How many units from the beginning on are among a set.
    cdecl fn wcsspn(string: Ptr<u16>, set: Ptr<u16>) -> usize {
        text::span(string, set, true)
    }

    /// How many units from the beginning on are not among a set.
    cdecl fn wcscspn(string: Ptr<u16>, set: Ptr<u16>) -> usize {
        text::span(string, set, false)
    }

    /// The first unit that is among a set; null: there is none.
    cdecl fn wcspbrk(string: Ptr<u16>, set: Ptr<u16>) -> Ptr<u16> {
        text::find_any(string, set)
    }

    /// Where one string is in another; null: it is not.
    cdecl fn wcsstr(string: Ptr<u16>, wanted: Ptr<u16>) -> Ptr<u16> {
        text::find_text(string, wanted)
    }

    /// The next word of a string, from where the last call in the process stopped if none is given.
    cdecl fn wcstok(string: Ptr<u16>, set: Ptr<u16>) -> Ptr<u16> {
        let mut rest = Ptr::new(REST.load(Ordering::Relaxed));
        let word = text::token(string, set, Ptr::of(&mut rest));
        REST.store(rest.address(), Ordering::Relaxed);
        word
    }

    /// The next word of a string, from where the last call with this place stopped if none is given.
    cdecl fn wcstok_s(string: Ptr<u16>, set: Ptr<u16>, rest: Ptr<Ptr<u16>>) -> Ptr<u16> {
        text::token(string, set, rest)
    }

    /// Makes ASCII's capitals small letters.
    cdecl fn _wcslwr(string: Ptr<u16>) -> Ptr<u16> {
        text::change(string, fold);
        string
    }

    /// Makes ASCII's small letters capitals.
    cdecl fn _wcsupr(string: Ptr<u16>) -> Ptr<u16> {
        text::change(string, capital);
        string
    }

    /// Writes the units of bytes in the process's code page, no more than so many, with the zero if it fits. Gives how many
    /// without the zero; without a buffer, how many there would be.
    cdecl fn mbstowcs(to: Ptr<u16>, from: Ptr<u8>, room: usize) -> usize {
        let page = page::ansi();
        let bytes = from.slice(bytes_before_zero(from));
        if to.is_null() {
            return page.units_of(bytes);
        }
        let written = page.decode(bytes, to, room);
        if written < room {
            text::end(to.add(written));
        }
        written
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::strings::testing::{Room, narrow, wide};

    #[test]
    fn lengths_and_copies() {
        let text = wide("äbc");
        assert_eq!(
            (
                wcslen(text.ptr()),
                wcsnlen(text.ptr(), 2),
                wcsnlen(text.ptr(), 9)
            ),
            (3, 2, 3)
        );
        let to = Room::filled(0x7E_u16, 10);
        assert_eq!(wcscpy(to.ptr(), text.ptr()), to.ptr());
        wcscat(to.ptr(), wide("de").ptr());
        assert_eq!((to.text().as_str(), to.now()[6]), ("äbcde", 0x7E));
        wcsncat(to.ptr(), text.ptr(), 2);
        assert_eq!((to.text().as_str(), to.now()[8]), ("äbcdeäb", 0x7E));
        wcsncpy(to.ptr(), wide("x").ptr(), 5);
        assert_eq!(to.now()[..7], [0x78, 0, 0, 0, 0, 0xE4, 0x62]);
    }

    #[test]
    fn comparisons_are_those_of_ntdll() {
        // wcscmp, wcsncmp, _wcsicmp, _wcsnicmp of Wine's ntdll.
        for (left, right, expected) in [
            ("a", "b", [-1, -1, -1, -1]),
            ("a", "c", [-2, -2, -2, -2]),
            ("a", "", [97, 97, 97, 97]),
            ("A", "a", [-32, -32, 0, 0]),
            ("a", "B", [31, 31, -1, -1]),
            ("\u{E4}", "\u{C4}", [32, 32, 32, 32]),
            ("_", "A", [30, 30, -2, -2]),
            ("abc", "abC", [32, 32, 0, 0]),
        ] {
            let (own, other) = (wide(left), wide(right));
            let (own, other) = (own.ptr(), other.ptr());
            let got = [
                wcscmp(own, other),
                wcsncmp(own, other, 3),
                _wcsicmp(own, other),
                _wcsnicmp(own, other, 3),
            ];
            assert_eq!(got, expected, "{left} {right}");
        }
    }

    #[test]
    fn searches_and_words() {
        let text = wide("hello world");
        let at = |index| text.ptr().add(index);
        assert_eq!(
            (wcschr(text.ptr(), 0x6F), wcsrchr(text.ptr(), 0x6F)),
            (at(4), at(7))
        );
        assert_eq!(
            (wcschr(text.ptr(), 0), wcschr(text.ptr(), 0x16F)),
            (at(11), Ptr::NULL)
        );
        assert_eq!(wcsspn(text.ptr(), wide("ehl").ptr()), 4);
        assert_eq!(wcscspn(text.ptr(), wide("ow").ptr()), 4);
        assert_eq!(wcspbrk(text.ptr(), wide("wr").ptr()), at(6));
        assert_eq!(wcsstr(text.ptr(), wide("lo w").ptr()), at(3));
        let mut rest = Ptr::NULL;
        let space = wide(" ");
        assert_eq!(wcstok_s(text.ptr(), space.ptr(), Ptr::of(&mut rest)), at(0));
        assert_eq!(wcstok_s(Ptr::NULL, space.ptr(), Ptr::of(&mut rest)), at(6));
        assert_eq!(
            wcstok_s(Ptr::NULL, space.ptr(), Ptr::of(&mut rest)),
            Ptr::NULL
        );
        let text = wide("a b");
        assert_eq!(wcstok(text.ptr(), space.ptr()), text.ptr());
        assert_eq!(wcstok(Ptr::NULL, space.ptr()), text.ptr().add(2));
    }

    #[test]
    fn cases_and_conversions() {
        let text = wide("aÄāĀ");
        _wcsupr(text.ptr());
        // ASCII alone, as Wine's conformance tests have it of Windows.
        assert_eq!(text.text(), "AÄāĀ");
        _wcslwr(text.ptr());
        assert_eq!(text.text(), "aÄāĀ");
        let to = Room::filled(0x7E_u16, 4);
        let from = narrow("a\u{80}c");
        assert_eq!(mbstowcs(Ptr::NULL, from.ptr(), 0), 3);
        assert_eq!(mbstowcs(to.ptr(), from.ptr(), 2), 2);
        assert_eq!(to.now(), [0x61, 0x20AC, 0x7E, 0x7E]);
        assert_eq!(mbstowcs(to.ptr(), from.ptr(), 4), 3);
        assert_eq!(to.text(), "a€c");
    }
}
