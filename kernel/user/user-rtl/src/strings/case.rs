//! Strings in capitals and in small letters.

use c_interface::{Ptr, blocks, exports};
use nt_abi::NtStatus;
use nt_abi::native::{AnsiString, UnicodeString};
use rtl::utf16::{downcase, upcase};

use super::{set, set_length};

/// Writes each unit of a string changed into another, which may be the same one.
fn change(
    to: Ptr<UnicodeString>,
    from: Ptr<UnicodeString>,
    allocate: u8,
    change: impl Fn(u16) -> u16,
) -> NtStatus {
    let from = from.read();
    let length = from.length & !1;
    let buffer = if allocate == 0 {
        let string = to.read();
        if length > string.maximum_length {
            return NtStatus::BUFFER_OVERFLOW;
        }
        Ptr::at(string.buffer)
    } else {
        let Some(block) = blocks::allocate(usize::from(length)) else {
            return NtStatus::NO_MEMORY;
        };
        set(to, length, length, block);
        block
    };
    let (source, target) = (Ptr::<u16>::at(from.buffer), buffer.cast::<u16>());
    for index in 0..usize::from(length / 2) {
        target.add(index).write(change(source.add(index).read()));
    }
    set_length(to, length);
    NtStatus::SUCCESS
}

exports! {
    /// A string in capitals.
    ///
    /// # Errors
    /// `BUFFER_OVERFLOW`: the caller's buffer is too small; nothing was written. `NO_MEMORY`.
    fn RtlUpcaseUnicodeString(to: Ptr<UnicodeString>, from: Ptr<UnicodeString>, allocate: u8) -> NtStatus {
        change(to, from, allocate, upcase)
    }

    /// A string in small letters.
    ///
    /// # Errors
    /// As of `RtlUpcaseUnicodeString`.
    fn RtlDowncaseUnicodeString(to: Ptr<UnicodeString>, from: Ptr<UnicodeString>, allocate: u8) -> NtStatus {
        change(to, from, allocate, downcase)
    }

    /// A string of bytes with ASCII's capitals, as much of it as fits.
    fn RtlUpperString(to: Ptr<AnsiString>, from: Ptr<AnsiString>) {
        let from = from.read();
        let string = to.read();
        let length = from.length.min(string.maximum_length);
        let (source, target) = (Ptr::<u8>::at(from.buffer), Ptr::<u8>::at(string.buffer));
        for index in 0..usize::from(length) {
            target.byte_add(index).write(source.byte_add(index).read().to_ascii_uppercase());
        }
        set_length(to.cast(), length);
    }
}

#[cfg(test)]
mod tests {
    use super::super::making::RtlFreeUnicodeString;
    use super::super::testing::{ansi, ansi_contents, contents, unicode};
    use super::*;

    #[test]
    fn letters_change_and_lengths_do_not() {
        let from = unicode("Straße Ÿÿ İ 9", 26);
        let mut to = UnicodeString::default();
        assert_eq!(
            RtlUpcaseUnicodeString(Ptr::of(&mut to), from.ptr(), 1),
            NtStatus::SUCCESS
        );
        assert_eq!(contents(&to), "STRAßE ŸŸ İ 9");
        assert_eq!((to.length, to.maximum_length), (26, 26));
        RtlFreeUnicodeString(Ptr::of(&mut to));
        let to = unicode("", 30);
        assert_eq!(
            RtlDowncaseUnicodeString(to.ptr(), from.ptr(), 0),
            NtStatus::SUCCESS
        );
        assert_eq!(contents(&to.get()), "straße ÿÿ İ 9");
        let to = unicode("", 24);
        assert_eq!(
            RtlUpcaseUnicodeString(to.ptr(), from.ptr(), 0),
            NtStatus::BUFFER_OVERFLOW
        );
        assert_eq!((to.get().length, to.whole()[0]), (0, 0x2D));
    }

    #[test]
    fn in_place() {
        let string = unicode("abc", 6);
        assert_eq!(
            RtlUpcaseUnicodeString(string.ptr(), string.ptr(), 0),
            NtStatus::SUCCESS
        );
        assert_eq!(contents(&string.get()), "ABC");
    }

    #[test]
    fn of_bytes_only_ascii_changes() {
        let to = ansi("", 4);
        RtlUpperString(to.ptr(), ansi("a\u{E4}\u{FF}\u{F7}z", 5).ptr());
        assert_eq!(ansi_contents(&to.get()), "A\u{E4}\u{FF}\u{F7}");
    }
}
