//! UTF-8 from and to UTF-16, with a word on what could not be converted.

use c_interface::{Ptr, exports};
use nt_abi::NtStatus;
use rtl::utf8::{Piece, utf8_pieces, utf16_pieces};

/// A conversion in progress.
struct Target {
    to: Ptr<u8>,
    /// In bytes.
    room: usize,
    written: usize,
    malformed: bool,
}

impl Target {
    /// Without a buffer there is nothing to write, and room for anything.
    fn new(to: Ptr<u8>, room: u32) -> Self {
        Self {
            to,
            room: if to.is_null() {
                usize::MAX
            } else {
                room as usize
            },
            written: 0,
            malformed: false,
        }
    }

    /// Writes bytes that belong together; `None`: they do not fit.
    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        if bytes.len() > self.room - self.written {
            return None;
        }
        if !self.to.is_null() {
            self.to.byte_add(self.written).write_array(bytes);
        }
        self.written += bytes.len();
        Some(())
    }

    /// Writes a piece's character as UTF-8, whole or not at all.
    fn put_utf8(&mut self, piece: Piece) -> Option<()> {
        self.malformed |= piece == Piece::Malformed;
        let mut bytes = [0; 4];
        self.put(piece.character().encode_utf8(&mut bytes).as_bytes())
    }

    /// Writes a piece's character as UTF-16, of which half a pair may fit.
    fn put_utf16(&mut self, piece: Piece) -> Option<()> {
        self.malformed |= piece == Piece::Malformed;
        let mut units = [0; 2];
        piece
            .character()
            .encode_utf16(&mut units)
            .iter()
            .try_for_each(|unit| self.put(&unit.to_ne_bytes()))
    }

    /// Says what it came to.
    fn finish(&self, written: Ptr<u32>, outcome: Option<()>) -> NtStatus {
        written.write(u32::try_from(self.written).unwrap_or(u32::MAX));
        match outcome {
            None => NtStatus::BUFFER_TOO_SMALL,
            Some(()) if self.malformed => NtStatus::SOME_NOT_MAPPED,
            Some(()) => NtStatus::SUCCESS,
        }
    }
}

exports! {
    /// UTF-16 as UTF-8; lengths are in bytes. Without a buffer it says how long it must be.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_4`: no source. `INVALID_PARAMETER`: nowhere to put the length. `INVALID_PARAMETER_5`: half a unit
    /// for a buffer. `BUFFER_TOO_SMALL`: the buffer has what fits. `SOME_NOT_MAPPED`, a success: what was no character has
    /// become U+FFFD.
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
        let mut target = Target::new(to, room);
        let mut pieces = utf16_pieces(from.slice(length as usize / 2));
        let outcome = pieces.try_for_each(|piece| target.put_utf8(piece));
        target.finish(written, outcome)
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
        let mut target = Target::new(to.cast(), room);
        let mut pieces = utf8_pieces(from.slice(length as usize));
        let outcome = pieces.try_for_each(|piece| target.put_utf16(piece));
        target.finish(written, outcome)
    }
}

#[cfg(test)]
mod tests {
    //! Answers of Windows, as Wine's conformance tests record them.

    extern crate std;

    use super::*;
    use crate::strings::testing::Room;

    #[test]
    fn units_to_bytes() {
        let from = Room::new(&[0x58_u16, 0x80, 0xD800, 0]);
        let expected = b"X\xC2\x80\xEF\xBF\xBD\0";
        // A character is written whole.
        for (room, length) in [0, 1, 1, 3, 3, 3, 6].into_iter().enumerate() {
            let to = Room::filled(0x55_u8, 8);
            let mut written = 99;
            let room = u32::try_from(room).unwrap();
            let status = RtlUnicodeToUTF8N(to.ptr(), room, Ptr::of(&mut written), from.ptr(), 8);
            assert_eq!((status, written), (NtStatus::BUFFER_TOO_SMALL, length));
            let length = usize::try_from(length).unwrap();
            assert_eq!(to.now()[..length], expected[..length]);
            assert!(to.now()[length..].iter().all(|byte| *byte == 0x55));
        }
        for (units, length, status) in [
            (0, 0, NtStatus::SUCCESS),
            (1, 1, NtStatus::SUCCESS),
            (2, 3, NtStatus::SUCCESS),
            (3, 6, NtStatus::SOME_NOT_MAPPED),
            (4, 7, NtStatus::SOME_NOT_MAPPED),
        ] {
            let mut written = 99;
            let got = RtlUnicodeToUTF8N(Ptr::NULL, 0, Ptr::of(&mut written), from.ptr(), units * 2);
            assert_eq!((got, written), (status, length));
        }
    }

    #[test]
    fn bytes_to_units() {
        let from = Room::new(b"X\xC2\x80\xF0\x90\x80\x80\0");
        let expected = [0x58_u16, 0x80, 0xD800, 0xDC00, 0];
        // Half of a pair may be written.
        for room in 0..=10 {
            let to = Room::filled(0x5555_u16, 6);
            let mut written = 99;
            let status = RtlUTF8ToUnicodeN(to.ptr(), room, Ptr::of(&mut written), from.ptr(), 8);
            let full = if room < 10 {
                NtStatus::BUFFER_TOO_SMALL
            } else {
                NtStatus::SUCCESS
            };
            assert_eq!((status, written), (full, room / 2 * 2));
            let units = usize::try_from(room / 2).unwrap();
            assert_eq!(to.now()[..units], expected[..units]);
            assert_eq!(to.now()[units], 0x5555);
        }
        for (bytes, units, status) in [
            (0, 0, NtStatus::SUCCESS),
            (1, 1, NtStatus::SUCCESS),
            (2, 2, NtStatus::SOME_NOT_MAPPED),
            (3, 2, NtStatus::SUCCESS),
            (4, 3, NtStatus::SOME_NOT_MAPPED),
            (5, 3, NtStatus::SOME_NOT_MAPPED),
            (6, 3, NtStatus::SOME_NOT_MAPPED),
            (7, 4, NtStatus::SUCCESS),
            (8, 5, NtStatus::SUCCESS),
        ] {
            let mut written = 99;
            let got = RtlUTF8ToUnicodeN(Ptr::NULL, 0, Ptr::of(&mut written), from.ptr(), bytes);
            assert_eq!((got, written), (status, units * 2));
        }
    }

    #[test]
    fn what_is_missing_is_told_by_its_number() {
        let (bytes, units) = (Room::filled(0x41_u8, 4), Room::filled(0x41_u16, 4));
        let mut written = 99;
        let none = Ptr::NULL;
        assert_eq!(
            RtlUnicodeToUTF8N(none, 0, none.cast(), none.cast(), 0),
            NtStatus::INVALID_PARAMETER_4
        );
        assert_eq!(
            RtlUnicodeToUTF8N(none, 0, none.cast(), units.ptr(), 0),
            NtStatus::INVALID_PARAMETER
        );
        let place = Ptr::of(&mut written);
        assert_eq!(
            RtlUnicodeToUTF8N(bytes.ptr(), 4, place, units.ptr(), 1),
            NtStatus::INVALID_PARAMETER_5
        );
        assert_eq!(place.read(), 99);
        assert_eq!(
            RtlUnicodeToUTF8N(none, 0, place, units.ptr(), 1),
            NtStatus::SUCCESS
        );
        assert_eq!(place.read(), 0);
        assert_eq!(
            RtlUTF8ToUnicodeN(none.cast(), 0, none.cast(), none, 0),
            NtStatus::INVALID_PARAMETER_4
        );
        assert_eq!(
            RtlUTF8ToUnicodeN(none.cast(), 0, none.cast(), bytes.ptr(), 0),
            NtStatus::INVALID_PARAMETER
        );
        // With no length nobody looks.
        assert_eq!(
            RtlUTF8ToUnicodeN(none.cast(), 0, place, Ptr::new(8), 0),
            NtStatus::SUCCESS
        );
    }
}
