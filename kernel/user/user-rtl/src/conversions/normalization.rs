//! Normal forms of Unicode, and names of hosts beyond ASCII.
//!
//! # Differs
//! The system has no tables of normal forms yet. ASCII is in every normal form as it is, and that much is answered; for
//! other text the answer is `NOT_SUPPORTED`, rather than a wrong one.

use c_interface::{Ptr, exports};
use nt_abi::NtStatus;

use crate::strings::units_before_zero;

/// The forms C, D, KC and KD.
const FORMS: [u32; 4] = [1, 2, 5, 6];

/// Text whose length is given in units, or -1 if it ends with a zero, which then counts.
fn text<'a>(text: Ptr<u16>, length: i32) -> Option<&'a [u16]> {
    match (text.non_null()?, length) {
        (text, -1) => Some(text.slice(units_before_zero(text) + 1)),
        (text, length) => Some(text.slice(usize::try_from(length).ok()?)),
    }
}

fn is_ascii(units: &[u16]) -> bool {
    units.iter().all(|unit| *unit < 0x80)
}

/// Copies text that is as it should be; with no room it says how much there must be.
fn copy(from: &[u16], to: Ptr<u16>, room: Ptr<i32>) -> NtStatus {
    let length = i32::try_from(from.len()).unwrap_or(i32::MAX);
    match room.read() {
        0 => {}
        room if room < length => return NtStatus::BUFFER_TOO_SMALL,
        _ => to.write_array(from),
    }
    room.write(length);
    NtStatus::SUCCESS
}

fn convert(from: Ptr<u16>, length: i32, to: Ptr<u16>, room: Ptr<i32>) -> NtStatus {
    match text(from, length) {
        Some(units) if is_ascii(units) => copy(units, to, room),
        Some(_) => NtStatus::NOT_SUPPORTED,
        None => NtStatus::INVALID_PARAMETER,
    }
}

exports! {
    /// Text in a normal form.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND`: there is no such form. `INVALID_PARAMETER`: no text. `BUFFER_TOO_SMALL`. `NOT_SUPPORTED`:
    /// the text is not ASCII.
    fn RtlNormalizeString(form: u32, from: Ptr<u16>, length: i32, to: Ptr<u16>, room: Ptr<i32>) -> NtStatus {
        if !FORMS.contains(&form) {
            return NtStatus::OBJECT_NAME_NOT_FOUND;
        }
        convert(from, length, to, room)
    }

    /// Whether text is in a normal form.
    ///
    /// # Errors
    /// As of `RtlNormalizeString`.
    fn RtlIsNormalizedString(form: u32, from: Ptr<u16>, length: i32, normalized: Ptr<u8>) -> NtStatus {
        if !FORMS.contains(&form) {
            return NtStatus::OBJECT_NAME_NOT_FOUND;
        }
        match text(from, length) {
            Some(units) if is_ascii(units) => {
                normalized.write(1);
                NtStatus::SUCCESS
            }
            Some(_) => NtStatus::NOT_SUPPORTED,
            None => NtStatus::INVALID_PARAMETER,
        }
    }

    /// A host's name as DNS has it.
    ///
    /// # Errors
    /// `NOT_SUPPORTED`: the name is not ASCII. `INVALID_PARAMETER`, `BUFFER_TOO_SMALL`.
    fn RtlIdnToAscii(_flags: u32, from: Ptr<u16>, length: i32, to: Ptr<u16>, room: Ptr<i32>) -> NtStatus {
        convert(from, length, to, room)
    }

    /// As `RtlIdnToAscii`: the name before DNS' letters are made of it.
    fn RtlIdnToNameprepUnicode(_flags: u32, from: Ptr<u16>, length: i32, to: Ptr<u16>, room: Ptr<i32>) -> NtStatus {
        convert(from, length, to, room)
    }

    /// As `RtlIdnToAscii`, the way back.
    fn RtlIdnToUnicode(_flags: u32, from: Ptr<u16>, length: i32, to: Ptr<u16>, room: Ptr<i32>) -> NtStatus {
        // A label that begins so stands for another one.
        const PREFIX: [u8; 4] = *b"xn--";
        let encoded = text(from, length).is_some_and(|units| {
            units
                .windows(PREFIX.len())
                .any(|window| window.iter().zip(PREFIX).all(|(unit, byte)| *unit | 0x20 == u16::from(byte | 0x20)))
        });
        if encoded {
            return NtStatus::NOT_SUPPORTED;
        }
        convert(from, length, to, room)
    }
}
