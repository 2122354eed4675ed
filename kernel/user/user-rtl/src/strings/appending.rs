//! Text put behind a string's text.

use c_interface::{Ptr, exports};
use nt_abi::NtStatus;
use nt_abi::native::{AnsiString, UnicodeString};

use super::{bytes_before_zero, set_length, string_length, units_before_zero};

/// Puts bytes behind a string's, if they fit; gives the room that is left.
fn append(to: Ptr<UnicodeString>, from: Ptr<u8>, count: usize) -> Result<usize, NtStatus> {
    let string = to.read();
    let length = usize::from(string.length);
    let room = usize::from(string.maximum_length)
        .checked_sub(length)
        .and_then(|room| room.checked_sub(count))
        .ok_or(NtStatus::BUFFER_TOO_SMALL)?;
    Ptr::<u8>::at(string.buffer)
        .byte_add(length)
        .copy_from(from, count);
    set_length(to, string_length(length + count));
    Ok(room)
}

fn append_bytes(to: Ptr<AnsiString>, from: Ptr<u8>, count: usize) -> NtStatus {
    match append(to.cast(), from, count) {
        Ok(_) => NtStatus::SUCCESS,
        Err(status) => status,
    }
}

fn append_units(to: Ptr<UnicodeString>, from: Ptr<u8>, count: usize) -> NtStatus {
    match append(to, from, count) {
        Ok(0 | 1) => NtStatus::SUCCESS,
        Ok(_) => {
            let string = to.read();
            let end = Ptr::<u8>::at(string.buffer).byte_add(usize::from(string.length));
            end.cast::<u16>().write(0);
            NtStatus::SUCCESS
        }
        Err(status) => status,
    }
}

exports! {
    /// Puts text that ends with a zero behind a string's; no text is nothing to do.
    ///
    /// # Errors
    /// `BUFFER_TOO_SMALL`: it does not fit; nothing was written.
    fn RtlAppendAsciizToString(to: Ptr<AnsiString>, text: Ptr<u8>) -> NtStatus {
        match text.non_null() {
            Some(text) => append_bytes(to, text, bytes_before_zero(text)),
            None => NtStatus::SUCCESS,
        }
    }

    /// Puts one string's text behind another's.
    ///
    /// # Errors
    /// `BUFFER_TOO_SMALL`: it does not fit; nothing was written.
    fn RtlAppendStringToString(to: Ptr<AnsiString>, from: Ptr<AnsiString>) -> NtStatus {
        let from = from.read();
        match from.length {
            0 => NtStatus::SUCCESS,
            length => append_bytes(to, Ptr::at(from.buffer), usize::from(length)),
        }
    }

    /// Puts text that ends with a zero behind a string's, and the zero too if it fits; no text is nothing to do.
    ///
    /// # Errors
    /// `BUFFER_TOO_SMALL`: it does not fit; nothing was written.
    fn RtlAppendUnicodeToString(to: Ptr<UnicodeString>, text: Ptr<u16>) -> NtStatus {
        match text.non_null() {
            Some(text) => append_units(to, text.cast(), units_before_zero(text).saturating_mul(2)),
            None => NtStatus::SUCCESS,
        }
    }

    /// Puts one string's text behind another's, and a zero if it fits; an empty string is nothing to do.
    ///
    /// # Errors
    /// `BUFFER_TOO_SMALL`: it does not fit; nothing was written.
    fn RtlAppendUnicodeStringToString(to: Ptr<UnicodeString>, from: Ptr<UnicodeString>) -> NtStatus {
        let from = from.read();
        match from.length {
            0 => NtStatus::SUCCESS,
            length => append_units(to, Ptr::at(from.buffer), usize::from(length)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ansi, contents, narrow, unicode, wide};
    use super::*;

    #[test]
    fn text_is_put_behind_with_a_zero_that_is_not_counted() {
        let to = unicode("ab", 12);
        to.change(|_| ());
        assert_eq!(
            RtlAppendUnicodeToString(to.ptr(), wide("cd").ptr()),
            NtStatus::SUCCESS
        );
        assert_eq!(contents(&to.get()), "abcd");
        assert_eq!(to.whole()[4..], [0, 0x2D]);
        assert_eq!(
            RtlAppendUnicodeStringToString(to.ptr(), unicode("ef", 4).ptr()),
            NtStatus::SUCCESS
        );
        assert_eq!(contents(&to.get()), "abcdef");
        assert_eq!(
            RtlAppendUnicodeStringToString(to.ptr(), unicode("g", 2).ptr()),
            NtStatus::BUFFER_TOO_SMALL
        );
        assert_eq!(
            RtlAppendUnicodeToString(to.ptr(), Ptr::NULL),
            NtStatus::SUCCESS
        );
        assert_eq!(contents(&to.get()), "abcdef");
    }

    #[test]
    fn bytes_are_put_behind_without_a_zero() {
        let to = ansi("ab", 5);
        assert_eq!(
            RtlAppendAsciizToString(to.ptr(), narrow("cd").ptr()),
            NtStatus::SUCCESS
        );
        assert_eq!(to.whole(), b"abcd-");
        assert_eq!(to.get().length, 4);
        assert_eq!(
            RtlAppendStringToString(to.ptr(), ansi("ef", 2).ptr()),
            NtStatus::BUFFER_TOO_SMALL
        );
        assert_eq!(to.whole(), b"abcd-");
        assert_eq!(
            RtlAppendAsciizToString(to.ptr(), Ptr::NULL),
            NtStatus::SUCCESS
        );
    }

    #[test]
    fn a_string_can_be_put_behind_itself() {
        let to = unicode("xy", 8);
        assert_eq!(
            RtlAppendUnicodeStringToString(to.ptr(), to.ptr()),
            NtStatus::SUCCESS
        );
        assert_eq!(contents(&to.get()), "xyxy");
    }
}
