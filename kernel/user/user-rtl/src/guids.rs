//! GUIDs as text: `{01020304-0506-0708-090A-0B0C0D0E0F10}`.

use c_interface::{Ptr, blocks, exports, field};
use nt_abi::native::UnicodeString;
use nt_abi::security::Guid;
use nt_abi::{NtResult, NtStatus};

/// The units of a GUID's text.
const LENGTH: usize = 38;
/// The bytes of a GUID's text.
const BYTES: u16 = 76;
/// The bytes of a GUID's text with what terminates it.
const TERMINATED: u16 = BYTES + 2;

/// Which bytes of the GUID the text's pairs of digits are, with the marks between them.
const PLACES: [Place; 20] = {
    use Place::{Byte, Dash};
    [
        Byte(3),
        Byte(2),
        Byte(1),
        Byte(0),
        Dash,
        Byte(5),
        Byte(4),
        Dash,
        Byte(7),
        Byte(6),
        Dash,
        Byte(8),
        Byte(9),
        Dash,
        Byte(10),
        Byte(11),
        Byte(12),
        Byte(13),
        Byte(14),
        Byte(15),
    ]
};

/// A place in the text.
#[derive(Clone, Copy)]
enum Place {
    /// Two digits.
    Byte(usize),
    /// A dash.
    Dash,
}

/// The 16 bytes as the machine stores a GUID.
fn to_bytes(guid: Guid) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&guid.data1.to_le_bytes());
    bytes[4..6].copy_from_slice(&guid.data2.to_le_bytes());
    bytes[6..8].copy_from_slice(&guid.data3.to_le_bytes());
    bytes[8..].copy_from_slice(&guid.data4);
    bytes
}

fn from_bytes(bytes: [u8; 16]) -> Guid {
    let [a, b, c, d, e, f, g, h, data4 @ ..] = bytes;
    Guid {
        data1: u32::from_le_bytes([a, b, c, d]),
        data2: u16::from_le_bytes([e, f]),
        data3: u16::from_le_bytes([g, h]),
        data4,
    }
}

/// A GUID's text.
fn format(guid: Guid) -> [u16; LENGTH] {
    let bytes = to_bytes(guid);
    let digit = |value: u8| u16::from(b"0123456789ABCDEF"[usize::from(value & 0xF)]);
    let mut text = [0; LENGTH];
    text[0] = u16::from(b'{');
    text[LENGTH - 1] = u16::from(b'}');
    let mut at = 1;
    for place in PLACES {
        match place {
            Place::Byte(index) => {
                text[at] = digit(bytes[index] >> 4);
                text[at + 1] = digit(bytes[index]);
                at += 2;
            }
            Place::Dash => {
                text[at] = u16::from(b'-');
                at += 1;
            }
        }
    }
    text
}

/// The GUID that a text begins with.
fn parse(text: &[u16; LENGTH]) -> Option<Guid> {
    let byte = |at: usize| u8::try_from(text[at]).ok();
    let digit = |at: usize| {
        let value = char::from(byte(at)?).to_digit(16)?;
        u8::try_from(value).ok()
    };
    if byte(0)? != b'{' || byte(LENGTH - 1)? != b'}' {
        return None;
    }
    let mut bytes = [0; 16];
    let mut at = 1;
    for place in PLACES {
        match place {
            Place::Byte(index) => {
                bytes[index] = digit(at)? << 4 | digit(at + 1)?;
                at += 2;
            }
            Place::Dash if byte(at)? == b'-' => at += 1,
            Place::Dash => return None,
        }
    }
    Some(from_bytes(bytes))
}

fn read(string: Ptr<UnicodeString>) -> NtResult<Guid> {
    let string = string.read();
    if string.length < BYTES {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let units = Ptr::<u16>::at(string.buffer);
    let mut text = [0; LENGTH];
    units.read_array(&mut text);
    parse(&text).ok_or(NtStatus::INVALID_PARAMETER)
}

fn write(guid: Guid, to: Ptr<UnicodeString>, allocate: bool) -> NtResult {
    if allocate {
        let block = blocks::allocate(usize::from(TERMINATED)).ok_or(NtStatus::NO_MEMORY)?;
        to.write(UnicodeString {
            maximum_length: TERMINATED,
            buffer: block.raw(),
            ..UnicodeString::default()
        });
    } else if field!(to, UnicodeString, maximum_length).read() < TERMINATED {
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    let buffer = Ptr::<u16>::at(field!(to, UnicodeString, buffer).read());
    buffer.write_array(&format(guid));
    buffer.add(LENGTH).write(0);
    field!(to, UnicodeString, length).write(BYTES);
    Ok(())
}

exports! {
    /// The GUID that a text begins with.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for what is none.
    fn RtlGUIDFromString(string: Ptr<UnicodeString>, guid: Ptr<Guid>) -> NtStatus {
        match read(string) {
            Ok(found) => {
                guid.write(found);
                NtStatus::SUCCESS
            }
            Err(status) => status,
        }
    }

    /// A GUID as text, in upper case and terminated, in a block for `RtlFreeUnicodeString`.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    fn RtlStringFromGUID(guid: Ptr<Guid>, to: Ptr<UnicodeString>) -> NtStatus {
        RtlStringFromGUIDEx(guid, to, 1)
    }

    /// A GUID as text, in upper case and terminated, in a block for `RtlFreeUnicodeString` if asked, else in the caller's.
    ///
    /// # Errors
    /// `NO_MEMORY`, `BUFFER_TOO_SMALL`.
    fn RtlStringFromGUIDEx(guid: Ptr<Guid>, to: Ptr<UnicodeString>, allocate: u8) -> NtStatus {
        match write(guid.read(), to, allocate != 0) {
            Ok(()) => NtStatus::SUCCESS,
            Err(status) => status,
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::String;
    use std::vec::Vec;

    use super::*;

    fn parse_text(text: &str) -> Result<Guid, NtStatus> {
        let mut units: Vec<u16> = text.encode_utf16().collect();
        let mut string = UnicodeString {
            length: u16::try_from(2 * units.len()).expect("short"),
            buffer: units.first_mut().map_or(0, |first| Ptr::of(first).raw()),
            ..UnicodeString::default()
        };
        let mut guid = from_bytes([0xCC; 16]);
        match RtlGUIDFromString(Ptr::of(&mut string), Ptr::of(&mut guid)) {
            NtStatus::SUCCESS => Ok(guid),
            status => {
                assert_eq!(to_bytes(guid), [0xCC; 16], "not written");
                Err(status)
            }
        }
    }

    #[test]
    fn texts_of_guids() {
        // What Wine says of each.
        let bytes = [4, 3, 2, 1, 6, 5, 8, 7, 9, 10, 11, 12, 13, 14, 15, 16];
        let expected = Ok(from_bytes(bytes));
        assert_eq!(
            parse_text("{01020304-0506-0708-090A-0B0C0D0E0F10}"),
            expected
        );
        assert_eq!(
            parse_text("{01020304-0506-0708-090a-0b0c0d0e0f10}"),
            expected
        );
        assert_eq!(
            parse_text("{01020304-0506-0708-090A-0B0C0D0E0F10}x"),
            expected
        );
        for text in [
            "",
            "01020304-0506-0708-090A-0B0C0D0E0F10",
            "{01020304-0506-0708-090A0B0C0D0E0F10}",
            "{0102030g-0506-0708-090A-0B0C0D0E0F10}",
            "{01020304-0506-0708-090A-0B0C0D0E0F10",
            "{01020304-0506-0708-090A-0B0C0D0E0F10)",
            "{0102030\u{134}-0506-0708-090A-0B0C0D0E0F10}",
        ] {
            assert_eq!(parse_text(text), Err(NtStatus::INVALID_PARAMETER), "{text}");
        }
    }

    #[test]
    fn guids_become_text() {
        let mut guid = Guid {
            data1: 0xABCD_EF01,
            data2: 0xABCD,
            data3: 0xEF01,
            data4: [0xAB, 0xCD, 0xEF, 1, 2, 3, 4, 0xFF],
        };
        let mut string = UnicodeString::default();
        assert_eq!(
            RtlStringFromGUID(Ptr::of(&mut guid), Ptr::of(&mut string)),
            NtStatus::SUCCESS
        );
        assert_eq!((string.length, string.maximum_length), (76, 78));
        let units = Ptr::<u16>::at(string.buffer).slice(39);
        let text = String::from_utf16(&units[..38]).expect("text");
        assert_eq!(
            (text.as_str(), units[38]),
            ("{ABCDEF01-ABCD-EF01-ABCD-EF01020304FF}", 0)
        );
        assert_eq!(parse_text(&text), Ok(guid));
        string.maximum_length = 77;
        let status = RtlStringFromGUIDEx(Ptr::of(&mut guid), Ptr::of(&mut string), 0);
        assert_eq!(status, NtStatus::BUFFER_TOO_SMALL);
        string.maximum_length = 78;
        let status = RtlStringFromGUIDEx(Ptr::of(&mut guid), Ptr::of(&mut string), 0);
        assert_eq!(status, NtStatus::SUCCESS);
        blocks::free(Ptr::at(string.buffer));
    }
}
