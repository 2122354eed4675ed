//! UTF-8 from and to UTF-16, with a word on what could not be converted.

use c_interface::{Ptr, exports};
use nt_abi::NtStatus;
use rtl::utf8::{Piece, utf8_pieces, utf16_pieces};

/// What a conversion came to.
struct Outcome {
    /// In bytes.
    written: usize,
    malformed: bool,
    full: bool,
}

impl Outcome {
    fn status(&self) -> NtStatus {
        if self.full {
            NtStatus::BUFFER_TOO_SMALL
        } else if self.malformed {
            NtStatus::SOME_NOT_MAPPED
        } else {
            NtStatus::SUCCESS
        }
    }
}

/// Writes pieces, until one does not fit.
fn write(
    pieces: impl Iterator<Item = Piece>,
    room: usize,
    mut put: impl FnMut(usize, char) -> usize,
) -> Outcome {
    let mut outcome = Outcome {
        written: 0,
        malformed: false,
        full: false,
    };
    for piece in pieces {
        let length = put(usize::MAX, piece.character());
        if length > room - outcome.written {
            outcome.full = true;
            break;
        }
        put(outcome.written, piece.character());
        outcome.malformed |= piece == Piece::Malformed;
        outcome.written += length;
    }
    outcome
}

/// Writes a character at a place of the buffer, or nothing for `usize::MAX`; gives its length in bytes.
fn put_utf8(to: Ptr<u8>) -> impl FnMut(usize, char) -> usize {
    move |at, character| {
        let mut bytes = [0; 4];
        let bytes = character.encode_utf8(&mut bytes).as_bytes();
        if at != usize::MAX && !to.is_null() {
            to.byte_add(at).write_array(bytes);
        }
        bytes.len()
    }
}

fn put_utf16(to: Ptr<u16>) -> impl FnMut(usize, char) -> usize {
    move |at, character| {
        let mut units = [0; 2];
        let units = character.encode_utf16(&mut units);
        if at != usize::MAX && !to.is_null() {
            to.byte_add(at).write_array(units);
        }
        units.len() * 2
    }
}

fn long(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

exports! {
    /// UTF-16 as UTF-8; lengths are in bytes. Without a buffer it says how long it must be.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_4`: no source. `INVALID_PARAMETER`: neither a buffer nor a place for the length.
    /// `INVALID_PARAMETER_5`: half a unit. `BUFFER_TOO_SMALL`: the buffer has what fits. `SOME_NOT_MAPPED`, a success: what
    /// was no character has become U+FFFD.
    fn RtlUnicodeToUTF8N(to: Ptr<u8>, room: u32, written: Ptr<u32>, from: Ptr<u16>, length: u32) -> NtStatus {
        if from.is_null() {
            return NtStatus::INVALID_PARAMETER_4;
        }
        if written.is_null() {
            return NtStatus::INVALID_PARAMETER;
        }
        if !to.is_null() && !length.is_multiple_of(2) {
            return NtStatus::INVALID_PARAMETER_5;
        }
        let room = if to.is_null() { usize::MAX } else { room as usize };
        let outcome = write(utf16_pieces(from.slice(length as usize / 2)), room, put_utf8(to));
        written.write(long(outcome.written));
        outcome.status()
    }

    /// UTF-8 as UTF-16; lengths are in bytes. Without a buffer it says how long it must be.
    ///
    /// # Errors
    /// As of `RtlUnicodeToUTF8N`.
    fn RtlUTF8ToUnicodeN(to: Ptr<u16>, room: u32, written: Ptr<u32>, from: Ptr<u8>, length: u32) -> NtStatus {
        if from.is_null() {
            return NtStatus::INVALID_PARAMETER_4;
        }
        if written.is_null() {
            return NtStatus::INVALID_PARAMETER;
        }
        let room = if to.is_null() { usize::MAX } else { room as usize };
        let outcome = write(utf8_pieces(from.slice(length as usize)), room, put_utf16(to));
        written.write(long(outcome.written));
        outcome.status()
    }
}
