//! Strings copied and duplicated.

use c_interface::{Ptr, blocks, exports, field};
use nt_abi::NtStatus;
use nt_abi::native::{AnsiString, UnicodeString};

use super::{set, set_length, string_length};

/// `RTL_DUPLICATE_UNICODE_STRING_NULL_TERMINATE`.
const NULL_TERMINATE: u32 = 1;
/// `RTL_DUPLICATE_UNICODE_STRING_ALLOCATE_NULL_STRING`: an empty string gets a buffer too.
const ALLOCATE_NULL_STRING: u32 = 2;

/// Moves what fits into a string's buffer; gives how many bytes, and how many the buffer has.
fn copy(to: Ptr<UnicodeString>, from: Ptr<UnicodeString>) -> (u16, u16) {
    let maximum = field!(to, UnicodeString, maximum_length).read();
    let Some(from) = from.read_optional() else {
        set_length(to, 0);
        return (0, maximum);
    };
    let length = from.length.min(maximum);
    let buffer = Ptr::<u8>::at(field!(to, UnicodeString, buffer).read());
    if length > 0 {
        buffer.copy_from(Ptr::at(from.buffer), usize::from(length));
    }
    set_length(to, length);
    (length, maximum)
}

exports! {
    /// Copies as much of a string as the buffer takes; no source makes it empty.
    fn RtlCopyString(to: Ptr<AnsiString>, from: Ptr<AnsiString>) {
        copy(to.cast(), from.cast());
    }

    /// Copies as much of a string as the buffer takes, and a zero behind it if that fits too; no source makes it empty.
    fn RtlCopyUnicodeString(to: Ptr<UnicodeString>, from: Ptr<UnicodeString>) {
        let (length, maximum) = copy(to, from);
        if !from.is_null() && maximum.saturating_sub(length) >= 2 {
            let buffer = Ptr::<u8>::at(field!(to, UnicodeString, buffer).read());
            buffer.byte_add(usize::from(length)).cast::<u16>().write(0);
        }
    }

    /// Makes a copy with a buffer of its own.
    ///
    /// Bit 0 of the flags asks for a zero behind the text; with bit 1 too, an empty string gets a buffer for its zero.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: other flags, bit 1 alone, or a string whose fields contradict each other. `NAME_TOO_LONG`: with
    /// its zero the string would be too long. `NO_MEMORY`.
    fn RtlDuplicateUnicodeString(flags: u32, from: Ptr<UnicodeString>, to: Ptr<UnicodeString>) -> NtStatus {
        let Some(source) = from.read_optional() else {
            return NtStatus::INVALID_PARAMETER;
        };
        let consistent = source.length.is_multiple_of(2)
            && source.length <= source.maximum_length
            && (source.buffer != 0 || source.maximum_length == 0);
        let known = flags <= NULL_TERMINATE | ALLOCATE_NULL_STRING && flags != ALLOCATE_NULL_STRING;
        if to.is_null() || !consistent || !known {
            return NtStatus::INVALID_PARAMETER;
        }
        if source.length == 0 && flags & ALLOCATE_NULL_STRING == 0 {
            to.write(UnicodeString::default());
            return NtStatus::SUCCESS;
        }
        let zero = if flags & NULL_TERMINATE == 0 { 0 } else { 2 };
        let length = usize::from(source.length);
        if length + zero > usize::from(u16::MAX) {
            return NtStatus::NAME_TOO_LONG;
        }
        let Some(buffer) = blocks::allocate(length + zero) else {
            return NtStatus::NO_MEMORY;
        };
        buffer.copy_from(Ptr::at(source.buffer), length);
        if zero != 0 {
            buffer.byte_add(length).cast::<u16>().write(0);
        }
        set(to, source.length, string_length(length + zero), buffer);
        NtStatus::SUCCESS
    }

    /// Whether a string's fields can be those of one. The flags must be 0; no string is a string.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: flags, half a unit, more text than buffer, or no buffer.
    fn RtlValidateUnicodeString(flags: u32, string: Ptr<UnicodeString>) -> NtStatus {
        let Some(string) = string.read_optional() else {
            return if flags == 0 { NtStatus::SUCCESS } else { NtStatus::INVALID_PARAMETER };
        };
        let valid = flags == 0
            && string.length.is_multiple_of(2)
            && string.maximum_length.is_multiple_of(2)
            && string.length <= string.maximum_length
            && (string.buffer != 0 || string.maximum_length == 0);
        if valid { NtStatus::SUCCESS } else { NtStatus::INVALID_PARAMETER }
    }
}

#[cfg(test)]
mod tests {
    use super::super::making::RtlFreeUnicodeString;
    use super::super::testing::{ansi, contents, unicode};
    use super::*;

    #[test]
    fn a_copy_is_cut_to_its_buffer() {
        let from = unicode("abcdef", 12);
        let to = unicode("", 8);
        RtlCopyUnicodeString(to.ptr(), from.ptr());
        assert_eq!(contents(&to.get()), "abcd");
        let to = unicode("", 16);
        to.fill(0xFFFF);
        RtlCopyUnicodeString(to.ptr(), from.ptr());
        assert_eq!(contents(&to.get()), "abcdef");
        assert_eq!(to.whole()[6..8], [0, 0xFFFF], "one zero, no more");
        RtlCopyUnicodeString(to.ptr(), Ptr::NULL);
        assert_eq!(to.get().length, 0);

        let from = ansi("abcdef", 6);
        let to = ansi("xxxxxxxxx", 9);
        RtlCopyString(to.ptr(), from.ptr());
        assert_eq!(to.get().length, 6);
        assert_eq!(to.whole(), b"abcdefxxx");
    }

    #[test]
    fn duplicates_end_with_a_zero_where_asked() {
        let from = unicode("This is a string", 34);
        for (flags, maximum) in [(0, 32), (1, 34), (3, 34)] {
            let mut to = UnicodeString::default();
            assert_eq!(
                RtlDuplicateUnicodeString(flags, from.ptr(), Ptr::of(&mut to)),
                NtStatus::SUCCESS
            );
            assert_eq!((to.length, to.maximum_length), (32, maximum));
            assert_eq!(contents(&to), "This is a string");
            if flags & 1 != 0 {
                assert_eq!(Ptr::<u16>::at(to.buffer).add(16).read(), 0);
            }
            RtlFreeUnicodeString(Ptr::of(&mut to));
        }
    }

    #[test]
    fn an_empty_string_has_a_buffer_only_where_asked() {
        let from = unicode("", 4);
        let mut to = UnicodeString::default();
        for flags in [0, 1] {
            to.length = 7;
            assert_eq!(
                RtlDuplicateUnicodeString(flags, from.ptr(), Ptr::of(&mut to)),
                NtStatus::SUCCESS
            );
            assert_eq!(to, UnicodeString::default());
        }
        assert_eq!(
            RtlDuplicateUnicodeString(3, from.ptr(), Ptr::of(&mut to)),
            NtStatus::SUCCESS
        );
        assert_eq!((to.length, to.maximum_length), (0, 2));
        RtlFreeUnicodeString(Ptr::of(&mut to));
    }

    #[test]
    fn contradicting_strings_are_refused() {
        let from = unicode("This is a string", 34);
        let mut to = UnicodeString::default();
        for flags in [2, 4, 5, u32::MAX] {
            assert_eq!(
                RtlDuplicateUnicodeString(flags, from.ptr(), Ptr::of(&mut to)),
                NtStatus::INVALID_PARAMETER
            );
        }
        from.change(|string| string.maximum_length = 30);
        assert_eq!(
            RtlDuplicateUnicodeString(0, from.ptr(), Ptr::of(&mut to)),
            NtStatus::INVALID_PARAMETER
        );
        assert_eq!(
            RtlValidateUnicodeString(0, from.ptr()),
            NtStatus::INVALID_PARAMETER
        );
        from.change(|string| string.maximum_length = 34);
        assert_eq!(RtlValidateUnicodeString(0, from.ptr()), NtStatus::SUCCESS);
        assert_eq!(
            RtlValidateUnicodeString(1, from.ptr()),
            NtStatus::INVALID_PARAMETER
        );
        from.change(|string| string.length = 31);
        assert_eq!(
            RtlValidateUnicodeString(0, from.ptr()),
            NtStatus::INVALID_PARAMETER
        );
        assert_eq!(RtlValidateUnicodeString(0, Ptr::NULL), NtStatus::SUCCESS);
    }
}
