//! Runs of bytes and of units, with their lengths beside them.
//!
//! Lengths are in bytes throughout. What does not fit into the buffer is left out, without an error.

use c_interface::{Ptr, exports};
use nt_abi::NtStatus;
use rtl::utf16::upcase;

use super::page::{self, CpTableInfo, Page};

/// A length in bytes as C code has it.
fn long(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// A length from C code. All of our targets' addresses have at least its width.
const fn size(length: u32) -> usize {
    length as usize
}

/// Which letters come out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Letters {
    AsTheyAre,
    Capitals,
}

fn decode(
    page: &Page,
    to: Ptr<u16>,
    room: u32,
    written: Ptr<u32>,
    from: Ptr<u8>,
    length: u32,
) -> NtStatus {
    let units = page.decode(from.slice(size(length)), to, size(room) / 2);
    written.write_optional(long(units * 2));
    NtStatus::SUCCESS
}

fn encode(
    page: &Page,
    (to, room): (Ptr<u8>, u32),
    written: Ptr<u32>,
    (from, length): (Ptr<u16>, u32),
    letters: Letters,
) -> NtStatus {
    let units = from.slice(size(length) / 2);
    let bytes = match letters {
        Letters::AsTheyAre => page.encode(units, to, size(room)),
        Letters::Capitals => page.encode_capitals(units, to, size(room)),
    };
    written.write_optional(long(bytes));
    NtStatus::SUCCESS
}

exports! {
    /// Units of bytes in the process's code page.
    fn RtlMultiByteToUnicodeN(to: Ptr<u16>, room: u32, written: Ptr<u32>, from: Ptr<u8>, length: u32) -> NtStatus {
        decode(&page::ansi(), to, room, written, from, length)
    }

    /// Units of bytes in the OEM code page.
    fn RtlOemToUnicodeN(to: Ptr<u16>, room: u32, written: Ptr<u32>, from: Ptr<u8>, length: u32) -> NtStatus {
        decode(&page::oem(), to, room, written, from, length)
    }

    /// Units of bytes in a code page of the caller's.
    fn RtlCustomCPToUnicodeN(
        table: Ptr<CpTableInfo>,
        to: Ptr<u16>,
        room: u32,
        written: Ptr<u32>,
        from: Ptr<u8>,
        length: u32,
    ) -> NtStatus {
        decode(&Page::of_table(table), to, room, written, from, length)
    }

    /// Units of bytes in the process's code page, for a console, and whether a control character is among them.
    fn RtlConsoleMultiByteToUnicodeN(
        to: Ptr<u16>,
        room: u32,
        written: Ptr<u32>,
        from: Ptr<u8>,
        length: u32,
        special: Ptr<u32>,
    ) -> NtStatus {
        let controls = from.slice(size(length)).iter().any(|byte| *byte < 0x20);
        special.write_optional(u32::from(controls));
        decode(&page::ansi(), to, room, written, from, length)
    }

    /// Bytes of units in the process's code page.
    fn RtlUnicodeToMultiByteN(to: Ptr<u8>, room: u32, written: Ptr<u32>, from: Ptr<u16>, length: u32) -> NtStatus {
        encode(&page::ansi(), (to, room), written, (from, length), Letters::AsTheyAre)
    }

    /// Bytes of units in the OEM code page.
    fn RtlUnicodeToOemN(to: Ptr<u8>, room: u32, written: Ptr<u32>, from: Ptr<u16>, length: u32) -> NtStatus {
        encode(&page::oem(), (to, room), written, (from, length), Letters::AsTheyAre)
    }

    /// Bytes of units in a code page of the caller's.
    fn RtlUnicodeToCustomCPN(
        table: Ptr<CpTableInfo>,
        to: Ptr<u8>,
        room: u32,
        written: Ptr<u32>,
        from: Ptr<u16>,
        length: u32,
    ) -> NtStatus {
        encode(&Page::of_table(table), (to, room), written, (from, length), Letters::AsTheyAre)
    }

    /// Bytes of units in the process's code page, in capitals.
    fn RtlUpcaseUnicodeToMultiByteN(to: Ptr<u8>, room: u32, written: Ptr<u32>, from: Ptr<u16>, length: u32) -> NtStatus {
        encode(&page::ansi(), (to, room), written, (from, length), Letters::Capitals)
    }

    /// Bytes of units in the OEM code page, in capitals.
    fn RtlUpcaseUnicodeToOemN(to: Ptr<u8>, room: u32, written: Ptr<u32>, from: Ptr<u16>, length: u32) -> NtStatus {
        encode(&page::oem(), (to, room), written, (from, length), Letters::Capitals)
    }

    /// Bytes of units in a code page of the caller's, in capitals.
    fn RtlUpcaseUnicodeToCustomCPN(
        table: Ptr<CpTableInfo>,
        to: Ptr<u8>,
        room: u32,
        written: Ptr<u32>,
        from: Ptr<u16>,
        length: u32,
    ) -> NtStatus {
        encode(&Page::of_table(table), (to, room), written, (from, length), Letters::Capitals)
    }

    /// How many bytes the units of text in the process's code page have.
    fn RtlMultiByteToUnicodeSize(bytes: Ptr<u32>, from: Ptr<u8>, length: u32) -> NtStatus {
        bytes.write(long(page::ansi().units_of(from.slice(size(length))) * 2));
        NtStatus::SUCCESS
    }

    /// How many bytes units have in the process's code page.
    fn RtlUnicodeToMultiByteSize(bytes: Ptr<u32>, from: Ptr<u16>, length: u32) -> NtStatus {
        bytes.write(long(page::ansi().bytes_of(from.slice(size(length) / 2))));
        NtStatus::SUCCESS
    }

    /// The unit of the next character in the process's code page, and moves the pointer behind it.
    fn RtlAnsiCharToUnicodeChar(text: Ptr<Ptr<u8>>) -> u16 {
        let place = text.cast::<usize>();
        let at = Ptr::<u8>::new(place.read());
        let page = page::ansi();
        let length = if page.is_lead_byte(at.read()) { 2 } else { 1 };
        place.write(at.byte_add(length).address());
        let mut unit = u16::from(b' ');
        page.decode(at.slice(length), Ptr::of(&mut unit), 1);
        unit
    }

    /// The capital of a unit.
    fn RtlUpcaseUnicodeChar(unit: u16) -> u16 {
        upcase(unit)
    }

    /// The small letter of a unit.
    fn RtlDowncaseUnicodeChar(unit: u16) -> u16 {
        rtl::utf16::downcase(unit)
    }

    /// The capital of an ASCII letter; other bytes stay.
    fn RtlUpperChar(byte: u8) -> u8 {
        byte.to_ascii_uppercase()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::strings::testing::{Room, narrow, wide};

    #[test]
    fn what_does_not_fit_is_left_out() {
        let from = narrow("Gr\u{FC}\u{DF}e");
        let to = Room::filled(0xFFFF_u16, 6);
        let mut written = 0;
        // Five bytes of room are two units.
        RtlMultiByteToUnicodeN(to.ptr(), 5, Ptr::of(&mut written), from.ptr(), 5);
        assert_eq!(
            (written, to.now()),
            (4, std::vec![0x47, 0x72, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF])
        );
        RtlMultiByteToUnicodeN(to.ptr(), 12, Ptr::NULL, from.ptr(), 6);
        assert_eq!(to.text(), "Grüße");

        let from = wide("Grüße");
        let to = Room::filled(b'-', 6);
        RtlUnicodeToMultiByteN(to.ptr(), 3, Ptr::of(&mut written), from.ptr(), 10);
        assert_eq!((written, to.now()), (3, b"Gr\xFC---".to_vec()));
        RtlUnicodeToOemN(to.ptr(), 6, Ptr::of(&mut written), from.ptr(), 12);
        assert_eq!((written, to.now()), (6, b"Gr\x81\xE1e\0".to_vec()));
        RtlUpcaseUnicodeToOemN(to.ptr(), 6, Ptr::of(&mut written), from.ptr(), 12);
        assert_eq!(to.now(), b"GR\x9A\xE1E\0");
        RtlUpcaseUnicodeToMultiByteN(to.ptr(), 6, Ptr::of(&mut written), from.ptr(), 12);
        assert_eq!(to.now(), b"GR\xDC\xDFE\0");
    }

    #[test]
    fn sizes_are_in_bytes() {
        let mut size = 0;
        RtlMultiByteToUnicodeSize(Ptr::of(&mut size), narrow("abc").ptr(), 3);
        assert_eq!(size, 6);
        RtlUnicodeToMultiByteSize(Ptr::of(&mut size), wide("abc").ptr(), 6);
        assert_eq!(size, 3);
    }

    #[test]
    fn single_characters() {
        let text = narrow("\u{80}x");
        let mut at = text.ptr();
        assert_eq!(RtlAnsiCharToUnicodeChar(Ptr::of(&mut at)), 0x20AC);
        assert_eq!(RtlAnsiCharToUnicodeChar(Ptr::of(&mut at)), 0x78);
        assert_eq!(at, text.ptr().byte_add(2));
        // As Wine's conformance tests have it of Windows.
        assert_eq!((RtlUpperChar(b'z'), RtlUpperChar(0xE4)), (b'Z', 0xE4));
        assert_eq!(RtlUpcaseUnicodeChar(0xE4), 0xC4);
        assert_eq!(RtlDowncaseUnicodeChar(0xC4), 0xE4);
    }

    #[test]
    fn consoles_hear_of_control_characters() {
        let to = Room::filled(0_u16, 4);
        let mut special = 7;
        RtlConsoleMultiByteToUnicodeN(
            to.ptr(),
            8,
            Ptr::NULL,
            narrow("ab").ptr(),
            2,
            Ptr::of(&mut special),
        );
        assert_eq!(special, 0);
        RtlConsoleMultiByteToUnicodeN(
            to.ptr(),
            8,
            Ptr::NULL,
            narrow("a\r").ptr(),
            2,
            Ptr::of(&mut special),
        );
        assert_eq!((special, to.now()[1]), (1, 13));
    }
}
