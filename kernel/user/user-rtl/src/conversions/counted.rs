//! Counted strings from one encoding to another.
//!
//! The new string ends with a zero that is not counted, except where the name says "counted".

use c_interface::{Ptr, blocks, exports, field};
use nt_abi::NtStatus;
use nt_abi::native::{AnsiString, UnicodeString};

use super::page::{self, Page};
use crate::strings::{bytes, set, set_length, string_length, units};

/// Whether the caller brings a buffer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Buffer {
    Callers,
    New,
}

const fn buffer(allocate: u8) -> Buffer {
    match allocate {
        0 => Buffer::Callers,
        _ => Buffer::New,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Letters {
    AsTheyAre,
    Capitals,
}

/// Makes a string of units from one of bytes.
fn to_unicode(
    page: &Page,
    to: Ptr<UnicodeString>,
    from: Ptr<AnsiString>,
    buffer: Buffer,
) -> NtStatus {
    let from = bytes(from);
    let length = page.units_of(from) * 2;
    let total = length + 2;
    if total > usize::from(u16::MAX) {
        return NtStatus::INVALID_PARAMETER_2;
    }
    set_length(to, string_length(length));
    let place = match buffer {
        Buffer::New => match blocks::allocate(total) {
            Some(block) => {
                set(to, string_length(length), string_length(total), block);
                block
            }
            None => return NtStatus::NO_MEMORY,
        },
        Buffer::Callers => {
            let string = to.read();
            if total > usize::from(string.maximum_length) {
                return NtStatus::BUFFER_OVERFLOW;
            }
            Ptr::at(string.buffer)
        }
    };
    page.decode(from, place.cast(), length / 2);
    place.byte_add(length).cast::<u16>().write(0);
    NtStatus::SUCCESS
}

/// Makes a string of bytes from one of units, with so many bytes for a zero.
fn to_bytes(
    page: &Page,
    to: Ptr<AnsiString>,
    from: Ptr<UnicodeString>,
    buffer: Buffer,
    letters: Letters,
    zero: usize,
) -> NtStatus {
    let from = units(from);
    let total = page.bytes_of(from) + zero;
    if total > usize::from(u16::MAX) {
        return NtStatus::INVALID_PARAMETER_2;
    }
    let mut length = total - zero;
    let mut status = NtStatus::SUCCESS;
    let place = match buffer {
        Buffer::New => match blocks::allocate(total) {
            Some(block) => {
                set(to.cast(), 0, string_length(total), block);
                block
            }
            None => return NtStatus::NO_MEMORY,
        },
        Buffer::Callers => {
            let string = to.read();
            if usize::from(string.maximum_length) < total {
                // As much as fits is converted all the same.
                let Some(room) = usize::from(string.maximum_length).checked_sub(zero.max(1)) else {
                    field!(to, AnsiString, length).write(string_length(length));
                    return NtStatus::BUFFER_OVERFLOW;
                };
                length = if zero == 0 { room + 1 } else { room };
                status = NtStatus::BUFFER_OVERFLOW;
            }
            Ptr::at(string.buffer)
        }
    };
    let written = match letters {
        Letters::AsTheyAre => page.encode(from, place, length),
        Letters::Capitals => page.encode_capitals(from, place, length),
    };
    field!(to, AnsiString, length).write(string_length(written));
    if zero != 0 {
        place.byte_add(written).write(0);
    }
    status
}

fn size_in_units(page: &Page, string: Ptr<AnsiString>) -> u32 {
    u32::try_from(page.units_of(bytes(string)) * 2 + 2).unwrap_or(u32::MAX)
}

fn size_in_bytes(page: &Page, string: Ptr<UnicodeString>) -> u32 {
    u32::try_from(page.bytes_of(units(string)) + 1).unwrap_or(u32::MAX)
}

exports! {
    /// A string from the process's code page.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_2`: it would be too long. `BUFFER_OVERFLOW`: the caller's buffer is too small; only the length was
    /// written. `NO_MEMORY`.
    fn RtlAnsiStringToUnicodeString(to: Ptr<UnicodeString>, from: Ptr<AnsiString>, allocate: u8) -> NtStatus {
        to_unicode(&page::ansi(), to, from, buffer(allocate))
    }

    /// As `RtlAnsiStringToUnicodeString`, from the OEM code page.
    fn RtlOemStringToUnicodeString(to: Ptr<UnicodeString>, from: Ptr<AnsiString>, allocate: u8) -> NtStatus {
        to_unicode(&page::oem(), to, from, buffer(allocate))
    }

    /// As `RtlAnsiStringToUnicodeString`, from UTF-8.
    fn RtlUTF8StringToUnicodeString(to: Ptr<UnicodeString>, from: Ptr<AnsiString>, allocate: u8) -> NtStatus {
        to_unicode(&Page::Utf8, to, from, buffer(allocate))
    }

    /// A string in the process's code page.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_2`: it would be too long. `BUFFER_OVERFLOW`: the caller's buffer is too small, and has what fits.
    /// `NO_MEMORY`.
    fn RtlUnicodeStringToAnsiString(to: Ptr<AnsiString>, from: Ptr<UnicodeString>, allocate: u8) -> NtStatus {
        to_bytes(&page::ansi(), to, from, buffer(allocate), Letters::AsTheyAre, 1)
    }

    /// As `RtlUnicodeStringToAnsiString`, in the OEM code page.
    fn RtlUnicodeStringToOemString(to: Ptr<AnsiString>, from: Ptr<UnicodeString>, allocate: u8) -> NtStatus {
        to_bytes(&page::oem(), to, from, buffer(allocate), Letters::AsTheyAre, 1)
    }

    /// As `RtlUnicodeStringToAnsiString`, in UTF-8.
    fn RtlUnicodeStringToUTF8String(to: Ptr<AnsiString>, from: Ptr<UnicodeString>, allocate: u8) -> NtStatus {
        to_bytes(&Page::Utf8, to, from, buffer(allocate), Letters::AsTheyAre, 1)
    }

    /// As `RtlUnicodeStringToOemString`, without a zero.
    fn RtlUnicodeStringToCountedOemString(to: Ptr<AnsiString>, from: Ptr<UnicodeString>, allocate: u8) -> NtStatus {
        to_bytes(&page::oem(), to, from, buffer(allocate), Letters::AsTheyAre, 0)
    }

    /// As `RtlUnicodeStringToAnsiString`, in capitals.
    fn RtlUpcaseUnicodeStringToAnsiString(to: Ptr<AnsiString>, from: Ptr<UnicodeString>, allocate: u8) -> NtStatus {
        to_bytes(&page::ansi(), to, from, buffer(allocate), Letters::Capitals, 1)
    }

    /// As `RtlUnicodeStringToOemString`, in capitals.
    fn RtlUpcaseUnicodeStringToOemString(to: Ptr<AnsiString>, from: Ptr<UnicodeString>, allocate: u8) -> NtStatus {
        to_bytes(&page::oem(), to, from, buffer(allocate), Letters::Capitals, 1)
    }

    /// As `RtlUpcaseUnicodeStringToOemString`, without a zero.
    fn RtlUpcaseUnicodeStringToCountedOemString(to: Ptr<AnsiString>, from: Ptr<UnicodeString>, allocate: u8) -> NtStatus {
        to_bytes(&page::oem(), to, from, buffer(allocate), Letters::Capitals, 0)
    }

    /// How many bytes a string in the process's code page needs in UTF-16, with its zero.
    fn RtlAnsiStringToUnicodeSize(string: Ptr<AnsiString>) -> u32 {
        size_in_units(&page::ansi(), string)
    }

    /// As `RtlAnsiStringToUnicodeSize`.
    fn RtlxAnsiStringToUnicodeSize(string: Ptr<AnsiString>) -> u32 {
        size_in_units(&page::ansi(), string)
    }

    /// As `RtlAnsiStringToUnicodeSize`, for the OEM code page.
    fn RtlOemStringToUnicodeSize(string: Ptr<AnsiString>) -> u32 {
        size_in_units(&page::oem(), string)
    }

    /// As `RtlOemStringToUnicodeSize`.
    fn RtlxOemStringToUnicodeSize(string: Ptr<AnsiString>) -> u32 {
        size_in_units(&page::oem(), string)
    }

    /// How many bytes a string needs in the process's code page, with its zero.
    fn RtlUnicodeStringToAnsiSize(string: Ptr<UnicodeString>) -> u32 {
        size_in_bytes(&page::ansi(), string)
    }

    /// As `RtlUnicodeStringToAnsiSize`.
    fn RtlxUnicodeStringToAnsiSize(string: Ptr<UnicodeString>) -> u32 {
        size_in_bytes(&page::ansi(), string)
    }

    /// As `RtlUnicodeStringToAnsiSize`, for the OEM code page.
    fn RtlUnicodeStringToOemSize(string: Ptr<UnicodeString>) -> u32 {
        size_in_bytes(&page::oem(), string)
    }

    /// As `RtlUnicodeStringToOemSize`.
    fn RtlxUnicodeStringToOemSize(string: Ptr<UnicodeString>) -> u32 {
        size_in_bytes(&page::oem(), string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strings::making::{RtlFreeAnsiString, RtlFreeUnicodeString};
    use crate::strings::testing::{ansi, ansi_contents, contents, unicode};

    #[test]
    fn new_buffers_end_with_a_zero() {
        let mut to = UnicodeString::default();
        let from = ansi("Gr\u{FC}\u{DF}e", 5);
        assert_eq!(
            RtlAnsiStringToUnicodeString(Ptr::of(&mut to), from.ptr(), 1),
            NtStatus::SUCCESS
        );
        assert_eq!((to.length, to.maximum_length), (10, 12));
        assert_eq!(contents(&to), "Grüße");
        assert_eq!(Ptr::<u16>::at(to.buffer).add(5).read(), 0);
        RtlFreeUnicodeString(Ptr::of(&mut to));

        let mut to = AnsiString::default();
        let from = unicode("Grüße", 10);
        assert_eq!(
            RtlUpcaseUnicodeStringToOemString(Ptr::of(&mut to), from.ptr(), 1),
            NtStatus::SUCCESS
        );
        assert_eq!((to.length, to.maximum_length), (5, 6));
        assert_eq!(ansi_contents(&to), "GR\u{9A}\u{E1}E");
        assert_eq!(Ptr::<u8>::at(to.buffer).add(5).read(), 0);
        RtlFreeAnsiString(Ptr::of(&mut to));

        assert_eq!(
            RtlUpcaseUnicodeStringToCountedOemString(Ptr::of(&mut to), from.ptr(), 1),
            NtStatus::SUCCESS
        );
        assert_eq!((to.length, to.maximum_length), (5, 5));
        RtlFreeAnsiString(Ptr::of(&mut to));
    }

    #[test]
    fn the_callers_buffer_may_be_too_small() {
        let from = ansi("abcdef", 6);
        let to = unicode("", 12);
        assert_eq!(
            RtlAnsiStringToUnicodeString(to.ptr(), from.ptr(), 0),
            NtStatus::BUFFER_OVERFLOW
        );
        assert_eq!((to.get().length, to.whole()[0]), (12, 0x2D));

        // Values of RtlUnicodeStringToAnsiString on Windows, as Wine's conformance tests record them.
        let from = unicode("This is a string", 34);
        let rows = [
            (22, NtStatus::SUCCESS, 16, "This is a string"),
            (17, NtStatus::SUCCESS, 16, "This is a string"),
            (16, NtStatus::BUFFER_OVERFLOW, 15, "This is a strin"),
            (10, NtStatus::BUFFER_OVERFLOW, 9, "This is a"),
            (1, NtStatus::BUFFER_OVERFLOW, 0, ""),
        ];
        for (maximum, status, length, text) in rows {
            let to = ansi("", maximum);
            assert_eq!(
                RtlUnicodeStringToAnsiString(to.ptr(), from.ptr(), 0),
                status
            );
            assert_eq!(
                (to.get().length, ansi_contents(&to.get()).as_str()),
                (length, text)
            );
            assert_eq!(to.whole()[usize::from(length)], 0);
        }
        let to = ansi("", 0);
        assert_eq!(
            RtlUnicodeStringToAnsiString(to.ptr(), from.ptr(), 0),
            NtStatus::BUFFER_OVERFLOW
        );
        let to = ansi("", 3);
        assert_eq!(
            RtlUnicodeStringToCountedOemString(to.ptr(), from.ptr(), 0),
            NtStatus::BUFFER_OVERFLOW
        );
        assert_eq!(to.whole(), b"Thi");
    }

    #[test]
    fn sizes_count_the_zero() {
        let from = ansi("ab\u{E9}", 3);
        assert_eq!(RtlAnsiStringToUnicodeSize(from.ptr()), 8);
        assert_eq!(RtlxOemStringToUnicodeSize(from.ptr()), 8);
        let from = unicode("abé", 6);
        assert_eq!(RtlUnicodeStringToAnsiSize(from.ptr()), 4);
        assert_eq!(RtlxUnicodeStringToOemSize(from.ptr()), 4);
    }

    #[test]
    fn utf8_both_ways() {
        let mut to = AnsiString::default();
        let from = unicode("a😀é", 8);
        assert_eq!(
            RtlUnicodeStringToUTF8String(Ptr::of(&mut to), from.ptr(), 1),
            NtStatus::SUCCESS
        );
        assert_eq!(Ptr::<u8>::at(to.buffer).slice(7), "a😀é".as_bytes());
        let mut back = UnicodeString::default();
        assert_eq!(
            RtlUTF8StringToUnicodeString(Ptr::of(&mut back), Ptr::of(&mut to), 1),
            NtStatus::SUCCESS
        );
        assert_eq!(contents(&back), "a😀é");
        RtlFreeUnicodeString(Ptr::of(&mut back));
        RtlFreeAnsiString(Ptr::of(&mut to));
    }
}
