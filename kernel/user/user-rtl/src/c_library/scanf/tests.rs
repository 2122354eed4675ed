//! Input and what is stored of it.

extern crate std;

use super::*;
use crate::printf::tests::{Arg, list};
use crate::strings::testing::{Room, narrow, wide};

/// Reads bytes and units with the same arguments; both say the same.
fn both(input: &str, format: &str, arguments: &[Arg]) -> i32 {
    let result = vsscanf(
        narrow(input).ptr(),
        narrow(format).ptr(),
        list(arguments).ptr(),
    );
    let wide_result = vswscanf(wide(input).ptr(), wide(format).ptr(), list(arguments).ptr());
    assert_eq!(result, wide_result, "{format} of {input}");
    result
}

#[test]
fn whole_numbers() {
    let rooms = [(); 3].map(|()| Room::filled(0xAAAA_AAAA_u32, 3));
    let to: std::vec::Vec<Arg> = rooms.iter().map(|room| Arg::from(room.ptr())).collect();
    let stored = || [0, 1, 2].map(|index: usize| rooms[index].now()[0]);
    assert_eq!(both("12 -5\t0x1F", "%d %d %x", &to), 3);
    assert_eq!(stored(), [12, 0xFFFF_FFFB, 0x1F]);
    assert_eq!(both("010 0x10 10", "%i%i%i", &to), 3);
    assert_eq!(stored(), [8, 16, 10]);
    assert_eq!(both("12345", "%2d%1d%d", &to), 3);
    assert_eq!(stored(), [12, 3, 45]);
    assert_eq!(both("1,2;3", "%d,%d,%d", &to), 2);
    assert_eq!(both("7 8", "%*d%u", &to), 1);
    assert_eq!(stored()[0], 8);
    assert_eq!(both("x", "%d", &to), 0);
    assert_eq!(both("", "%d", &to), -1);
    assert_eq!(both("  ", "%d", &to), -1);
    assert_eq!(both("5", "%d%d", &to), 1);
    assert_eq!(both("777 zz", "%o%d", &to), 1);
    assert_eq!(stored()[0], 0o777);
}

#[test]
fn sizes() {
    let room = Room::filled(u64::MAX, 2);
    let to = [Arg::from(room.ptr())];
    let stored = || {
        let now = room.now()[0];
        room.ptr().write(u64::MAX);
        now
    };
    both("1", "%hhd", &to);
    assert_eq!(
        stored().to_ne_bytes(),
        [1, 255, 255, 255, 255, 255, 255, 255]
    );
    both("1", "%hd", &to);
    assert_eq!(stored().to_ne_bytes()[..3], [1, 0, 255]);
    both("1", "%ld", &to);
    assert_eq!(stored().to_ne_bytes()[..5], [1, 0, 0, 0, 255]);
    both("123456789012", "%I64d", &to);
    assert_eq!(stored(), 123_456_789_012);
    both("-1", "%lld", &to);
    assert_eq!(stored(), u64::MAX);
    both("1F", "%p", &to);
    assert_eq!(room.ptr().cast::<usize>().read(), 0x1F);
}

#[test]
fn floating_point_numbers() {
    let room = Room::filled(0_u64, 2);
    let to = [Arg::from(room.ptr()), Arg::from(room.ptr().add(1))];
    assert_eq!(both("1.5e2 -.25", "%lf%f", &to), 2);
    assert_eq!(room.now()[0], 150.0_f64.to_bits());
    assert_eq!(
        room.ptr().add(1).cast::<u32>().read(),
        (-0.25_f32).to_bits()
    );
    assert_eq!(both("3.14159", "%3lf%lf", &to), 2);
    assert_eq!(room.now(), [3.1_f64.to_bits(), 4159_f64.to_bits()]);
}

#[test]
fn text() {
    let rooms = [(); 2].map(|()| Room::filled(b'~', 12));
    let to: std::vec::Vec<Arg> = rooms.iter().map(|room| Arg::from(room.ptr())).collect();
    let stored = || (rooms[0].text(), rooms[1].text());
    assert_eq!(both(" one  two ", "%hs%hs", &to), 2);
    assert_eq!(stored(), ("one".into(), "two".into()));
    assert_eq!(both("abcdef", "%3hs%hs", &to), 2);
    assert_eq!(stored(), ("abc".into(), "def".into()));
    assert_eq!(both("key=dash;x", "%h[^=]=%h[a-u]", &to), 2);
    assert_eq!(stored(), ("key".into(), "dash".into()));
    assert_eq!(
        both("key=value;x", "%h[^=]=%h[a-u]", &to),
        1,
        "v is beyond u"
    );
}

#[test]
fn sets_and_characters() {
    let rooms = [(); 2].map(|()| Room::filled(b'~', 12));
    let to: std::vec::Vec<Arg> = rooms.iter().map(|room| Arg::from(room.ptr())).collect();
    assert_eq!(both("]a-b", "%h[]a]%h[-b]", &to), 2);
    assert_eq!(
        (rooms[0].text(), rooms[1].text()),
        ("]a".into(), "-b".into())
    );
    assert_eq!(both("abc", "%hc", &to), 1);
    assert_eq!(rooms[0].now()[..2], [b'a', b'a'], "no zero behind it");
    assert_eq!(both("a bc", "%3hc", &to), 1);
    assert_eq!(rooms[0].now()[..3], *b"a b");
    assert_eq!(both("ab", "%3hc", &to), -1);
    // Text of the other kind.
    let units = Room::filled(0x7E_u16, 6);
    assert_eq!(
        vsscanf(
            narrow("\u{80}x").ptr(),
            narrow("%S").ptr(),
            list(&[Arg::from(units.ptr())]).ptr()
        ),
        1
    );
    assert_eq!(units.text(), "€x");
    let bytes = Room::filled(b'~', 6);
    assert_eq!(
        vswscanf(
            wide("€x").ptr(),
            wide("%S").ptr(),
            list(&[Arg::from(bytes.ptr())]).ptr()
        ),
        1
    );
    assert_eq!(bytes.text(), "\u{80}x");
}

#[test]
fn what_else_a_format_has() {
    let room = Room::filled(0_u32, 2);
    let to = [Arg::from(room.ptr()), Arg::from(room.ptr().add(1))];
    assert_eq!(both("  10%  abc", " %d%% abc%n", &to), 1);
    assert_eq!(room.now(), [10, 10]);
    assert_eq!(both("abc", "abd", &to), 0);
    assert_eq!(both("ab", "abc", &to), -1);
}

#[test]
fn rooms_are_kept() {
    let room = Room::filled(b'~', 8);
    let number = Room::filled(0_u32, 1);
    let scan = |room_given: i32| {
        let arguments = list(&[
            Arg::from(room.ptr()),
            Arg::from(room_given),
            Arg::from(number.ptr()),
        ]);
        vsscanf_s(
            narrow("abcd 5").ptr(),
            narrow("%s%d").ptr(),
            arguments.ptr(),
        )
    };
    assert_eq!(
        (scan(5), room.text(), number.now()[0]),
        (2, "abcd".into(), 5)
    );
    assert_eq!((scan(4), room.now()[..2].to_vec()), (0, b"\0b".to_vec()));
    let arguments = list(&[Arg::from(number.ptr())]);
    assert_eq!(
        _vsnscanf_s(
            narrow("12345").ptr(),
            2,
            narrow("%d").ptr(),
            arguments.ptr()
        ),
        1
    );
    assert_eq!(number.now(), [12]);
    assert_eq!(
        _vsnwscanf_s(wide("12345").ptr(), 3, wide("%d").ptr(), arguments.ptr()),
        1
    );
    assert_eq!(number.now(), [123]);
}
