//! What formats come to, for bytes and for units.

extern crate std;

use std::string::{String, ToString};
use std::vec::Vec;

use c_interface::Ptr;

use super::exports::*;
use crate::strings::testing::{Room, ansi, narrow, unicode, wide};

/// An argument.
#[derive(Clone, Copy)]
pub(crate) enum Arg {
    Word(usize),
    Long(u64),
    Real(f64),
}

impl From<i32> for Arg {
    fn from(value: i32) -> Self {
        // The upper part of a slot is anything.
        Self::Word(value.cast_unsigned() as usize | (usize::MAX << 16 << 16))
    }
}

impl<T> From<Ptr<T>> for Arg {
    fn from(value: Ptr<T>) -> Self {
        Self::Word(value.address())
    }
}

/// A `va_list` of arguments.
pub(crate) fn list(arguments: &[Arg]) -> Room<u8> {
    let mut bytes = Vec::new();
    for argument in arguments {
        match argument {
            Arg::Word(word) => bytes.extend(word.to_ne_bytes()),
            Arg::Long(long) => bytes.extend(long.to_ne_bytes()),
            Arg::Real(real) => bytes.extend(real.to_bits().to_ne_bytes()),
        }
    }
    Room::new(&bytes)
}

fn narrow_of(format: &str, arguments: &[Arg]) -> (i32, String) {
    let to = Room::filled(b'~', 2000);
    let length = _vsnprintf(to.ptr(), 1999, narrow(format).ptr(), list(arguments).ptr());
    (length, to.text())
}

fn wide_of(format: &str, arguments: &[Arg]) -> (i32, String) {
    let to = Room::filled(u16::from(b'~'), 2000);
    let length = _vsnwprintf(to.ptr(), 1999, wide(format).ptr(), list(arguments).ptr());
    (length, to.text())
}

/// Both kinds write the same.
fn both(format: &str, arguments: &[Arg], expected: &str) {
    let length = i32::try_from(expected.chars().count()).unwrap();
    assert_eq!(
        narrow_of(format, arguments),
        (length, expected.to_string()),
        "{format}"
    );
    assert_eq!(
        wide_of(format, arguments),
        (length, expected.to_string()),
        "{format}, wide"
    );
}

#[test]
fn whole_numbers() {
    // What Wine's ntdll writes, except where it says otherwise.
    let n = |value: i32| Arg::from(value);
    both("%d", &[n(-5)], "-5");
    both("%5d|%-5d|%05d", &[n(42), n(42), n(42)], "   42|42   |00042");
    both("%+d % d %+05d", &[n(7), n(7), n(7)], "+7  7 +0007");
    both("%i %u", &[n(-1), n(-1)], "-1 4294967295");
    both(
        "%x %X %#x %#X",
        &[n(255), n(255), n(255), n(255)],
        "ff FF 0xff 0XFF",
    );
    both("%#o %o %#x %#o", &[n(8), n(8), n(0), n(0)], "010 10 0 0");
    both("%.0d|%.0x|", &[n(0), n(0)], "||");
    both(
        "%.5d|%8.5d|%-8.5d|",
        &[n(12), n(12), n(12)],
        "00012|   00012|00012   |",
    );
    both("%+x % x %+u", &[n(5), n(5), n(5)], "5 5 5");
    both(
        "%#5x|%#-8x|%#08x|",
        &[n(255), n(255), n(255)],
        " 0xff|0xff    |0x0000ff|",
    );
    both(
        "%+.3d|% .3d|% +d|%+ d",
        &[n(5), n(5), n(5), n(5)],
        "+005| 005|+5|+5",
    );
    both(
        "%-05d|%0-5d|%-+5d|",
        &[n(42), n(42), n(5)],
        "42   |42   |+5   |",
    );
    both("%.50d", &[n(1)], &std::format!("{:050}", 1));
    both("%60d", &[n(1)], &std::format!("{:60}", 1));
    // C: a precision leaves no field to fill with zeros.
    both("%08.5d|", &[n(12)], "   00012|");
}

#[test]
fn sizes_of_whole_numbers() {
    let n = |value: i32| Arg::from(value);
    let minus_five = Arg::Long((-5_i64).cast_unsigned());
    both(
        "%I64d %I64x",
        &[minus_five, Arg::Long(0x0123_4567_89AB_CDEF)],
        "-5 123456789abcdef",
    );
    both(
        "%lld|%20I64d|%020I64d",
        &[minus_five; 3],
        "-5|                  -5|-0000000000000000005",
    );
    both(
        "%I64u %llx",
        &[Arg::Long(u64::MAX), Arg::Long(u64::MAX)],
        "18446744073709551615 ffffffffffffffff",
    );
    both(
        "%I32d %ld %hd %hhd",
        &[n(-7), n(-6), n(0x12345), n(0x1FF)],
        "-7 -6 9029 511",
    );
    both(
        "%hu %hx %lx",
        &[n(0x12345), n(0x1234_5678), n(0x1234_5678)],
        "9029 5678 12345678",
    );
    both("%jd", &[Arg::Long(0x1_0000_0005)], "4294967301");
    both(
        "%Id %zd %td",
        &[
            Arg::Word(usize::MAX - 7),
            Arg::Word(usize::MAX),
            Arg::Word(7),
        ],
        "-8 -1 7",
    );
    both(
        "%Ix",
        &[Arg::Word(usize::MAX)],
        &std::format!("{:x}", usize::MAX),
    );
    both("%wd", &[n(5)], "5");
    let digits = size_of::<usize>() * 2;
    both(
        "%p",
        &[Arg::Word(0x12AB)],
        &std::format!("{:0digits$X}", 0x12AB),
    );
    both(
        "%24p|",
        &[Arg::Word(0x12AB)],
        &std::format!("{:>24}|", std::format!("{:0digits$X}", 0x12AB)),
    );
    both(
        "%#p",
        &[Arg::Word(0x12AB)],
        &std::format!("0X{:0digits$X}", 0x12AB),
    );
}

#[test]
fn several_sizes_at_once() {
    // As Wine's conformance tests have it of Windows.
    let long = Arg::Long;
    let n = |value: i32| Arg::from(value);
    for (format, argument, expected) in [
        ("%qu", n(10), "qu"),
        ("%lllllllu", long(10), "10"),
        ("%#lllx", long(0x10_0000_0000), "0x1000000000"),
        ("%hlu", n(65537), "1"),
        ("%hllx", long(0x1_0000_0010), "100000010"),
        ("%llhx", long(0x1_0000_0010), "100000010"),
        ("%lhu", n(65537), "1"),
        ("%hwu", n(65537), "1"),
        ("%whu", n(65537), "1"),
        ("%##lhllwlx", long(0x10_0000_0010), "0x1000000010"),
        ("%##lhlwlx", n(0x10), "0x10"),
        ("%04lhlwllx", long(0x10_0000_0010), "1000000010"),
        ("%llI64u", long(10), "10"),
        ("%I64llu", long(10), "10"),
        ("%q%u", n(10), "q10"),
        ("%lhw%u", n(10), "%u"),
        ("%u% ", n(10), "10"),
        ("%u% %u", n(10), "10%u"),
        ("%  ll u", n(10), " u"),
        ("% llu", long(10), "10"),
        ("%  #llx", long(10), "0xa"),
    ] {
        both(
            &[format, "|"].concat(),
            &[argument],
            &[expected, "|"].concat(),
        );
    }
    // Text: what bytes and what units the two kinds of functions take.
    let (bytes, units) = (narrow("str"), wide("str"));
    let (b, u) = (Arg::from(bytes.ptr()), Arg::from(units.ptr()));
    for (format, narrow_argument, wide_argument) in [
        ("%s", b, u),
        ("%S", u, b),
        ("%ls", u, u),
        ("%lls", b, u),
        ("%llS", u, b),
        ("%llls", u, u),
        ("%lllS", u, u),
        ("%lllls", b, u),
        ("%hhs", b, b),
        ("%hhS", b, b),
        ("%wws", u, u),
        ("%hws", u, b),
        ("%hwS", u, b),
        ("%whs", u, b),
        ("%hwls", u, b),
        ("%hwllS", u, b),
        ("%lhws", u, b),
        ("%llhwS", u, b),
        ("%I64s", b, u),
        ("%Ls", b, u),
    ] {
        assert_eq!(narrow_of(format, &[narrow_argument]).1, "str", "{format}");
        assert_eq!(wide_of(format, &[wide_argument]).1, "str", "{format}, wide");
    }
    for (format, byte, unit) in [
        ("%c", '\u{C8}', '\u{95C8}'),
        ("%lc", '?', '\u{95C8}'),
        ("%llc", '\u{C8}', '\u{95C8}'),
        ("%C", '?', '\u{C8}'),
        ("%lllC", '?', '\u{95C8}'),
        ("%hhhc", '\u{C8}', '\u{C8}'),
        ("%wC", '?', '\u{95C8}'),
        ("%hwc", '?', '\u{C8}'),
        ("%whC", '?', '\u{C8}'),
    ] {
        assert_eq!(
            narrow_of(format, &[n(0x95C8)]).1,
            byte.to_string(),
            "{format}"
        );
        assert_eq!(
            wide_of(format, &[n(0x95C8)]).1,
            unit.to_string(),
            "{format}, wide"
        );
    }
}

#[test]
fn widths_and_precisions_from_arguments() {
    let n = |value: i32| Arg::from(value);
    both("%*d|%*d|", &[n(5), n(42), n(-5), n(42)], "   42|42   |");
    both("%.*d|%.*d|", &[n(5), n(42), n(-5), n(42)], "00042|42|");
    both(
        "%*.*d|%-*d|%0*d|",
        &[n(8), n(5), n(42), n(5), n(42), n(5), n(42)],
        "   00042|42   |00042|",
    );
}

#[test]
fn characters_and_strings() {
    let n = |value: u8| Arg::from(i32::from(value));
    let (bytes, units) = (narrow("abc"), wide("abc"));
    let (b, u) = (Arg::from(bytes.ptr()), Arg::from(units.ptr()));
    both(
        "%c%c|%5c|%-5c|%05c|",
        &[n(b'a'), n(b'b'), n(b'c'), n(b'd'), n(b'x')],
        "ab|    c|d    |0000x|",
    );
    both(
        "%C|%hc|%lc|%wc|%hC|%lC|",
        &[n(b'a'), n(b'b'), n(b'c'), n(b'd'), n(b'e'), n(b'f')],
        "a|b|c|d|e|f|",
    );
    both(
        "%hs|%5hs|%-5hs|%.2hs|%5.1hs|",
        &[b; 5],
        "abc|  abc|abc  |ab|    a|",
    );
    both(
        "%ls|%ws|%5ls|%.2ls|%lS|%hS|",
        &[u, u, u, u, u, b],
        "abc|abc|  abc|ab|abc|abc|",
    );
    both("%05hs|%.10hs|", &[b, b], "00abc|abc|");
    let null = Arg::from(Ptr::<u8>::NULL);
    both(
        "%hs|%ls|%.3hs|%10hs|",
        &[null; 4],
        "(null)|(null)|(nu|    (null)|",
    );
    // A precision keeps it from looking for a zero.
    let open = Room::new(b"ab");
    both("%.2hs", &[Arg::from(open.ptr())], "ab");

    assert_eq!(narrow_of("%s %S", &[b, u]).1, "abc abc");
    assert_eq!(wide_of("%s %S", &[u, b]).1, "abc abc");
    let euro = wide("€一");
    assert_eq!(
        narrow_of("%ls|%3ls|", &[Arg::from(euro.ptr()); 2]).1,
        "\u{80}?| \u{80}?|"
    );
    assert_eq!(
        wide_of("%hs", &[Arg::from(narrow("\u{80}\u{FF}").ptr())]).1,
        "€ÿ"
    );
    assert_eq!(wide_of("%lc", &[Arg::from(0x20AC)]).1, "€");
    let (_, text) = narrow_of("%c|", &[n(0)]);
    assert_eq!(
        text, "",
        "a zero is a character, and the text goes on behind it"
    );
}

#[test]
fn counted_strings() {
    let (bytes, units) = (ansi("ansi", 6), unicode("uni", 8));
    let (b, u) = (Arg::from(bytes.ptr()), Arg::from(units.ptr()));
    both("%Z|%hZ|%wZ|%lZ|", &[b, b, u, u], "ansi|ansi|uni|uni|");
    both(
        "%10Z|%-10wZ|%.2Z|%.2wZ|",
        &[b, u, b, u],
        "      ansi|uni       |an|un|",
    );
    let empty = unicode("", 0);
    empty.change(|string| string.buffer = 0);
    both(
        "%Z|%wZ|%wZ|",
        &[Arg::Word(0), Arg::Word(0), Arg::from(empty.ptr())],
        "(null)|(null)|(null)|",
    );
}

#[test]
fn what_is_no_directive() {
    let n = |value: i32| Arg::from(value);
    both("abc%", &[], "abc");
    both("%%|%y|", &[n(5)], "%|y|");
    both("%k %d", &[n(5)], "k 5");
    both("%l", &[], "");
    both("%I", &[], "I");
    both("%.", &[], "");
    both("%5", &[], "");
    both("%..3d|%.-3d|%'d", &[], ".3d|-3d|'d");
    both("%5y|", &[], "y|");
}

#[test]
fn the_length_is_stored() {
    let place = Room::filled(u32::MAX, 2);
    both("abc%n|", &[Arg::from(place.ptr())], "abc|");
    assert_eq!(place.now(), [3, u32::MAX]);
    both("abcd%hn", &[Arg::from(place.ptr().add(1))], "abcd");
    assert_eq!(place.now()[1].to_ne_bytes()[2..], [0xFF, 0xFF]);
}

#[test]
fn floating_point_numbers_are_what_other_libraries_write() {
    // Bits, format, text: the decimal ones by Python, which rounds correctly, the hexadecimal ones by glibc.
    let mut rows = 0;
    for row in include_str!("reals.golden.txt").lines() {
        let mut fields = row.split('\t');
        let bits = u64::from_str_radix(fields.next().unwrap(), 16).unwrap();
        let (format, expected) = (fields.next().unwrap(), fields.next().unwrap());
        both(format, &[Arg::Real(f64::from_bits(bits))], expected);
        rows += 1;
    }
    assert!(rows > 700);
}

#[test]
fn floating_point_numbers_in_windows_own_way() {
    both(
        "%f %E",
        &[Arg::Real(f64::INFINITY), Arg::Real(f64::NEG_INFINITY)],
        "inf -INF",
    );
    both(
        "%6g|%-+6f|%06f|",
        &[
            Arg::Real(f64::NAN),
            Arg::Real(f64::INFINITY),
            Arg::Real(f64::INFINITY),
        ],
        "   nan|+inf  |   inf|",
    );
    both("%a", &[Arg::Real(1.5)], "0x1.8000000000000p+0");
    both("%Lf", &[Arg::Real(1.5)], "1.500000");
    // Further digits than a number has are zeros, however many.
    let (length, text) = narrow_of("%.1500f", &[Arg::Real(0.5)]);
    assert_eq!((length, text.len()), (1502, 1502));
    assert!(text.starts_with("0.5000") && text.ends_with('0'));
}

#[test]
fn limits() {
    let five = [Arg::from(12345)];
    for (room, length, expected) in [
        (0, -1, "~~~~~~~"),
        (1, -1, "1~~~~~~"),
        (4, -1, "1234~~~"),
        (5, 5, "12345~~"),
        (6, 5, "12345\0~"),
    ] {
        let to = Room::filled(b'~', 7);
        let got = _vsnprintf(to.ptr(), room, narrow("%d").ptr(), list(&five).ptr());
        assert_eq!((got, to.now()), (length, expected.as_bytes().to_vec()));
        let to = Room::filled(u16::from(b'~'), 7);
        let got = _vsnwprintf(to.ptr(), room, wide("%d").ptr(), list(&five).ptr());
        assert_eq!((got, to.now()), (length, expected.encode_utf16().collect()));
    }
    assert_eq!(
        _vsnprintf(Ptr::NULL, 0, narrow("abc%d").ptr(), list(&five).ptr()),
        8
    );
    assert_eq!(_vscprintf(narrow("abc%d").ptr(), list(&five).ptr()), 8);
    assert_eq!(_vscwprintf(wide("abc%d").ptr(), list(&five).ptr()), 8);
    // Longer than a length can be, which takes no time.
    assert_eq!(
        _vscprintf(narrow("%2147483647d|").ptr(), list(&five).ptr()),
        -1
    );
    assert_eq!(
        _vscprintf(narrow("%2147483647d").ptr(), list(&five).ptr()),
        i32::MAX
    );
    let to = Room::filled(b'~', 7);
    assert_eq!(vsprintf(to.ptr(), narrow("%d").ptr(), list(&five).ptr()), 5);
    assert_eq!(to.now(), b"12345\0~");
}

#[test]
fn secure_forms() {
    let five = [Arg::from(12345)];
    // Room, most, length, what is in the buffer: Wine's ntdll, and Microsoft's documentation for as much as fits.
    for (room, most, length, expected) in [
        (1, 0, -1, "\0~~~~~~"),
        (1, 1, -1, "\0~~~~~~"),
        (3, 2, -1, "12\0~~~~"),
        (3, 1, -1, "1\0~~~~~"),
        (6, 5, 5, "12345\0~"),
        (6, 4, -1, "1234\0~~"),
        (7, 9, 5, "12345\0~"),
        (6, usize::MAX, 5, "12345\0~"),
        (5, usize::MAX, -1, "1234\0~~"),
        (1, usize::MAX, -1, "\0~~~~~~"),
    ] {
        let to = Room::filled(b'~', 7);
        let got = _vsnprintf_s(to.ptr(), room, most, narrow("%d").ptr(), list(&five).ptr());
        assert_eq!(
            (got, to.now()),
            (length, expected.as_bytes().to_vec()),
            "{room} {most}"
        );
        let to = Room::filled(u16::from(b'~'), 7);
        let got = _vsnwprintf_s(to.ptr(), room, most, wide("%d").ptr(), list(&five).ptr());
        assert_eq!((got, to.now()), (length, expected.encode_utf16().collect()));
    }
    for (room, most) in [(2, 2), (5, 5), (5, 9)] {
        let to = Room::filled(b'~', 7);
        let got = _vsnprintf_s(to.ptr(), room, most, narrow("%d").ptr(), list(&five).ptr());
        assert_eq!((got, to.now()[0]), (-1, 0), "{room} {most}");
    }
    let to = Room::filled(b'~', 7);
    assert_eq!(
        vsprintf_s(to.ptr(), 6, narrow("%d").ptr(), list(&five).ptr()),
        5
    );
    assert_eq!(
        vsprintf_s(to.ptr(), 5, narrow("%d").ptr(), list(&five).ptr()),
        -1
    );
    assert_eq!(to.now()[0], 0);
    assert_eq!(
        vsprintf_s(to.ptr(), 0, narrow("%d").ptr(), list(&five).ptr()),
        -1
    );
    let to = Room::filled(0x7E_u16, 7);
    assert_eq!(
        vswprintf_s(to.ptr(), 5, wide("%d").ptr(), list(&five).ptr()),
        -1
    );
    assert_eq!(_vswprintf(to.ptr(), wide("%d").ptr(), list(&five).ptr()), 5);
    assert_eq!(to.text(), "12345");
}
