//! Runs of bytes: searched, compared, copied with a limit.
//!
//! `memcpy`, `memmove`, `memset` and `memcmp` themselves come with Rust's library; ntdll only has to export them.

use c_interface::{Ptr, exports};

use super::errno::Errno;
use super::fold;

exports! {
    /// The first such byte; null: there is none.
    cdecl fn memchr(bytes: Ptr<u8>, byte: i32, count: usize) -> Ptr<u8> {
        // C hands a byte over as a number, of which the low part counts.
        let [wanted, ..] = byte.to_le_bytes();
        // Byte by byte: the caller may count further than the memory goes, if the byte is there.
        (0..count)
            .map(|index| bytes.byte_add(index))
            .find(|place| place.read() == wanted)
            .unwrap_or(Ptr::NULL)
    }

    /// Copies up to such a byte, with it; gives what is behind its copy, or null if there was none.
    cdecl fn _memccpy(to: Ptr<u8>, from: Ptr<u8>, byte: i32, count: usize) -> Ptr<u8> {
        let [last, ..] = byte.to_le_bytes();
        for index in 0..count {
            let copied = from.byte_add(index).read();
            to.byte_add(index).write(copied);
            if copied == last {
                return to.byte_add(index + 1);
            }
        }
        Ptr::NULL
    }

    /// Compares without regard to ASCII's case.
    cdecl fn _memicmp(left: Ptr<u8>, right: Ptr<u8>, count: usize) -> i32 {
        (0..count)
            .map(|index| {
                let side = |bytes: Ptr<u8>| i32::from(fold(u16::from(bytes.byte_add(index).read())));
                side(left) - side(right)
            })
            .find(|difference| *difference != 0)
            .unwrap_or(0)
    }

    /// Copies bytes, if there is room for them.
    ///
    /// # Errors
    /// `EINVAL`: no memory; what there is to write to is zeros then. `ERANGE`: no room, likewise.
    cdecl fn memcpy_s(to: Ptr<u8>, room: usize, from: Ptr<u8>, count: usize) -> i32 {
        copy_checked(to, room, from, count)
    }

    /// As `memcpy_s`; the places may overlap.
    ///
    /// # Errors
    /// As of `memcpy_s`, but what there is to write to stays as it is.
    cdecl fn memmove_s(to: Ptr<u8>, room: usize, from: Ptr<u8>, count: usize) -> i32 {
        if count == 0 {
            return 0;
        }
        if to.is_null() || from.is_null() {
            return Errno::Invalid.report();
        }
        if room < count {
            return Errno::Range.report();
        }
        to.copy_from(from, count);
        0
    }
}

fn copy_checked(to: Ptr<u8>, room: usize, from: Ptr<u8>, count: usize) -> i32 {
    if count == 0 {
        return 0;
    }
    if to.is_null() {
        return Errno::Invalid.report();
    }
    if from.is_null() || room < count {
        to.fill(0, room);
        let errno = if from.is_null() {
            Errno::Invalid
        } else {
            Errno::Range
        };
        return errno.report();
    }
    to.copy_from(from, count);
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strings::testing::{Room, narrow};

    #[test]
    fn bytes_are_found_and_compared() {
        let text = narrow("abcabc");
        assert_eq!(
            memchr(text.ptr(), i32::from(b'c') | 0x100, 7),
            text.ptr().byte_add(2)
        );
        assert_eq!(memchr(text.ptr(), i32::from(b'c'), 2), Ptr::NULL);
        let compare =
            |left: &str, right: &str| _memicmp(narrow(left).ptr(), narrow(right).ptr(), left.len());
        assert_eq!(compare("aBc", "AbC"), 0);
        assert_eq!(compare("_", "A"), 0x5F - 0x61);
    }

    #[test]
    fn copies_stop_where_they_should() {
        let to = Room::filled(b'~', 6);
        let from = narrow("abcd");
        assert_eq!(
            _memccpy(to.ptr(), from.ptr(), i32::from(b'b'), 4),
            to.ptr().byte_add(2)
        );
        assert_eq!(to.now(), b"ab~~~~");
        assert_eq!(
            _memccpy(to.ptr(), from.ptr(), i32::from(b'z'), 3),
            Ptr::NULL
        );
        assert_eq!(to.now(), b"abc~~~");
        assert_eq!(memcpy_s(to.ptr(), 6, from.ptr(), 4), 0);
        assert_eq!(memmove_s(to.ptr(), 3, from.ptr(), 4), 34);
        assert_eq!(to.now(), b"abcd~~");
        assert_eq!(memcpy_s(to.ptr(), 3, from.ptr(), 4), 34);
        assert_eq!(to.now(), b"\0\0\0d~~");
        assert_eq!(memcpy_s(to.ptr(), 4, Ptr::NULL, 4), 22);
        assert_eq!(memmove_s(to.ptr().byte_add(1), 5, to.ptr(), 5), 0);
        assert_eq!(to.now(), b"\0\0\0\0\0~");
    }
}
