//! Text between UTF-16 and the code pages that are built in.
//!
//! They are 1252 (what "ANSI" means here), 437 (what "OEM" means), UTF-8, ASCII and ISO 8859-1. Other pages are files of
//! Windows, which are not there: whoever asks for one is told that it is no code page, which a C library takes as it takes
//! a Windows without that language. UTF-7 is told the same.
//!
//! # NT
//! "`MultiByteToWideChar`" and "`WideCharToMultiByte`", Microsoft Learn.

use rtl::code_page::{CodePage, DEFAULT_BYTE, OEM_437, WINDOWS_1252};
use rtl::utf8::{Piece, utf8_pieces, utf16_pieces};

use crate::error::{Error, Win};

/// What "ANSI" means (`CP_ACP`).
pub const ANSI: u32 = 1252;
/// What "OEM" means (`CP_OEMCP`).
pub const OEM: u32 = 437;
/// UTF-8 (`CP_UTF8`).
pub const UTF8: u32 = 65001;
/// ASCII.
const ASCII: u32 = 20127;
/// ISO 8859-1.
const LATIN_1: u32 = 28591;

/// All that are here.
pub const ALL: [u32; 5] = [OEM, ANSI, ASCII, LATIN_1, UTF8];

/// `MB_*`: how bytes are read.
pub mod reading {
    /// Characters with accents are one unit.
    pub const PRECOMPOSED: u32 = 1;
    /// Characters with accents are two units.
    pub const COMPOSITE: u32 = 2;
    /// Control characters are pictures.
    pub const USE_GLYPH_CHARS: u32 = 4;
    /// What is no character is an error.
    pub const ERR_INVALID_CHARS: u32 = 8;
    /// All of them.
    pub const ALL: u32 = PRECOMPOSED | COMPOSITE | USE_GLYPH_CHARS | ERR_INVALID_CHARS;
}

/// `WC_*`: how units are written.
pub mod writing {
    /// Accents without a character of their own are dropped.
    pub const DISCARDNS: u32 = 0x10;
    /// They stand by themselves.
    pub const SEPCHARS: u32 = 0x20;
    /// They become the default character.
    pub const DEFAULTCHAR: u32 = 0x40;
    /// What is no character is an error.
    pub const ERR_INVALID_CHARS: u32 = 0x80;
    /// Letters and accents are put together first.
    pub const COMPOSITECHECK: u32 = 0x200;
    /// What is only near is not there.
    pub const NO_BEST_FIT_CHARS: u32 = 0x400;
    /// All that pages of bytes know.
    pub const OF_BYTES: u32 =
        DISCARDNS | SEPCHARS | DEFAULTCHAR | ERR_INVALID_CHARS | COMPOSITECHECK | NO_BEST_FIT_CHARS;
}

/// How text is written in bytes.
#[derive(Clone, Copy, Debug)]
pub enum Encoding {
    /// A page of one byte a character.
    Page(&'static CodePage),
    /// ASCII, or with the second bit of 256 bytes set ISO 8859-1: bytes are the units below a limit.
    Below(u16),
    /// UTF-8.
    Utf8,
}

/// The page that a number stands for, those with a meaning put in the place of their names (`CP_ACP`, `CP_OEMCP`, `CP_THREAD_ACP`,
/// `CP_MACCP`).
pub const fn number(page: u32) -> u32 {
    match page {
        0 | 3 => ANSI,
        1 => OEM,
        2 => 10000,
        other => other,
    }
}

/// The encoding of a code page; `None`: it is not here.
pub fn encoding(page: u32) -> Option<Encoding> {
    match number(page) {
        ANSI => Some(Encoding::Page(&WINDOWS_1252)),
        OEM => Some(Encoding::Page(&OEM_437)),
        UTF8 => Some(Encoding::Utf8),
        ASCII => Some(Encoding::Below(0x80)),
        LATIN_1 => Some(Encoding::Below(0x100)),
        _ => None,
    }
}

/// Where units or bytes go: a place that may be too small, or none, when they are only counted.
struct Sink<'a, T> {
    room: &'a mut [T],
    count: usize,
}

impl<T> Sink<'_, T> {
    #[inline]
    fn put(&mut self, value: T) {
        if let Some(place) = self.room.get_mut(self.count) {
            *place = value;
        }
        self.count += 1;
    }

    /// How many came; an error if they found no room.
    fn end(self) -> Win<usize> {
        if !self.room.is_empty() && self.count > self.room.len() {
            return Err(Error::INSUFFICIENT_BUFFER);
        }
        Ok(self.count)
    }
}

/// Reads bytes as units. With no room it counts them.
///
/// # Errors
/// `INVALID_FLAGS`; `NO_UNICODE_TRANSLATION`: something is no character, and the flags forbid it; `INSUFFICIENT_BUFFER`: the room
/// is full, as far as it goes with the right units.
pub fn decode(encoding: Encoding, flags: u32, bytes: &[u8], room: &mut [u16]) -> Win<usize> {
    let allowed = match encoding {
        Encoding::Utf8 => reading::ERR_INVALID_CHARS,
        _ => reading::ALL,
    };
    let both = reading::PRECOMPOSED | reading::COMPOSITE;
    if flags & !allowed != 0 || flags & both == both {
        return Err(Error::INVALID_FLAGS);
    }
    let strict = flags & reading::ERR_INVALID_CHARS != 0;
    let mut sink = Sink { room, count: 0 };
    match encoding {
        Encoding::Page(page) => {
            for &byte in bytes {
                sink.put(page.unit(byte));
            }
        }
        Encoding::Below(limit) => {
            for &byte in bytes {
                let unit = u16::from(byte);
                if unit >= limit && strict {
                    return Err(Error::NO_UNICODE_TRANSLATION);
                }
                // ASCII in a byte of eight bits: Windows drops the highest.
                sink.put(unit & (limit - 1));
            }
        }
        Encoding::Utf8 => decode_utf8(bytes, strict, &mut sink)?,
    }
    sink.end()
}

fn decode_utf8(bytes: &[u8], strict: bool, sink: &mut Sink<'_, u16>) -> Win {
    let mut rest = bytes;
    loop {
        // Most text is ASCII, which needs no state.
        let ascii = rest.iter().take_while(|&&byte| byte < 0x80).count();
        for &byte in &rest[..ascii] {
            sink.put(u16::from(byte));
        }
        rest = &rest[ascii..];
        let end = rest
            .iter()
            .position(|&byte| byte < 0x80)
            .unwrap_or(rest.len());
        if end == 0 {
            return Ok(());
        }
        for piece in utf8_pieces(&rest[..end]) {
            if strict && piece == Piece::Malformed {
                return Err(Error::NO_UNICODE_TRANSLATION);
            }
            for unit in piece.character().encode_utf16(&mut [0; 2]) {
                sink.put(*unit);
            }
        }
        rest = &rest[end..];
    }
}

/// How a page without a character for something goes on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fallback<'a> {
    /// What stands for what is missing; `?` if the caller names nothing.
    pub default: Option<&'a [u8]>,
    /// Whether something was missing.
    pub used: bool,
}

/// Writes units as bytes. With no room it counts them.
///
/// # Errors
/// `INVALID_FLAGS`; `NO_UNICODE_TRANSLATION`: something is no character, and the flags forbid it; `INSUFFICIENT_BUFFER`: the room
/// is full, as far as it goes with the right bytes.
pub fn encode(
    encoding: Encoding,
    flags: u32,
    units: &[u16],
    room: &mut [u8],
    fallback: &mut Fallback<'_>,
) -> Win<usize> {
    let mut sink = Sink { room, count: 0 };
    if let Encoding::Utf8 = encoding {
        if flags & !writing::ERR_INVALID_CHARS != 0 {
            return Err(Error::INVALID_FLAGS);
        }
        encode_utf8(units, flags != 0, &mut sink)?;
        return sink.end();
    }
    if flags & !writing::OF_BYTES != 0 {
        return Err(Error::INVALID_FLAGS);
    }
    let exact = flags & writing::NO_BEST_FIT_CHARS != 0;
    let default = fallback.default.unwrap_or(&[DEFAULT_BYTE]);
    let mut rest = units;
    while let Some((&unit, after)) = rest.split_first() {
        rest = after;
        if let Some(byte) = byte_of(encoding, unit, exact) {
            sink.put(byte);
            continue;
        }
        fallback.used = true;
        for &byte in default {
            sink.put(byte);
        }
    }
    sink.end()
}

/// The byte of a unit; `None`: there is none.
fn byte_of(encoding: Encoding, unit: u16, exact: bool) -> Option<u8> {
    match encoding {
        Encoding::Page(page) => {
            let byte = page.byte(unit);
            let same = page.unit(byte) == unit;
            let near = byte != DEFAULT_BYTE && !exact;
            (same || near).then_some(byte)
        }
        Encoding::Below(limit) => {
            if unit < limit {
                return u8::try_from(unit).ok();
            }
            // What 1252 has near ASCII is near here too.
            let near = WINDOWS_1252.byte(unit);
            (!exact && near < 0x80 && near != DEFAULT_BYTE).then_some(near)
        }
        Encoding::Utf8 => None,
    }
}

fn encode_utf8(units: &[u16], strict: bool, sink: &mut Sink<'_, u8>) -> Win {
    let mut rest = units;
    loop {
        let ascii = rest.iter().take_while(|&&unit| unit < 0x80).count();
        for &unit in &rest[..ascii] {
            sink.put(unit.to_le_bytes()[0]);
        }
        rest = &rest[ascii..];
        let end = rest
            .iter()
            .position(|&unit| unit < 0x80)
            .unwrap_or(rest.len());
        if end == 0 {
            return Ok(());
        }
        for piece in utf16_pieces(&rest[..end]) {
            if strict && piece == Piece::Malformed {
                return Err(Error::NO_UNICODE_TRANSLATION);
            }
            for &byte in piece.character().encode_utf8(&mut [0; 4]).as_bytes() {
                sink.put(byte);
            }
        }
        rest = &rest[end..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(page: u32, flags: u32, bytes: &[u8]) -> Win<Vec<u16>> {
        let mut room = [0; 64];
        let count = decode(encoding(page).unwrap(), flags, bytes, &mut room)?;
        assert_eq!(
            decode(encoding(page).unwrap(), flags, bytes, &mut []),
            Ok(count)
        );
        Ok(room[..count].to_vec())
    }

    fn encoded(page: u32, flags: u32, text: &[u16]) -> (Win<Vec<u8>>, bool) {
        let mut room = [0; 64];
        let mut fallback = Fallback::default();
        let count = encode(
            encoding(page).unwrap(),
            flags,
            text,
            &mut room,
            &mut fallback,
        );
        (count.map(|count| room[..count].to_vec()), fallback.used)
    }

    fn utf16(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn names_of_pages_stand_for_numbers() {
        assert!(matches!(encoding(0), Some(Encoding::Page(page)) if page.number() == 1252));
        assert!(matches!(encoding(1), Some(Encoding::Page(page)) if page.number() == 437));
        assert!(matches!(encoding(3), Some(Encoding::Page(page)) if page.number() == 1252));
        assert!(encoding(65000).is_none(), "UTF-7");
        assert!(encoding(932).is_none());
    }

    #[test]
    fn utf8_goes_both_ways() {
        let text = "a€😀ß\u{0}z";
        assert_eq!(decoded(UTF8, 0, text.as_bytes()), Ok(utf16(text)));
        assert_eq!(
            encoded(UTF8, 0, &utf16(text)),
            (Ok(text.as_bytes().to_vec()), false)
        );
    }

    #[test]
    fn malformed_text_is_replaced_or_refused() {
        // "Note that this change means that MultiByteToWideChar emits U+FFFD", Microsoft Learn.
        assert_eq!(decoded(UTF8, 0, b"a\xC3("), Ok(utf16("a\u{FFFD}(")));
        assert_eq!(
            decoded(UTF8, reading::ERR_INVALID_CHARS, b"a\xC3("),
            Err(Error::NO_UNICODE_TRANSLATION)
        );
        assert_eq!(
            encoded(UTF8, 0, &[0x61, 0xD800]).0,
            Ok(b"a\xEF\xBF\xBD".to_vec())
        );
        assert_eq!(
            encoded(UTF8, writing::ERR_INVALID_CHARS, &[0x61, 0xD800]).0,
            Err(Error::NO_UNICODE_TRANSLATION)
        );
    }

    #[test]
    fn what_a_page_lacks_is_near_or_the_default() {
        assert_eq!(
            encoded(1252, 0, &utf16("Āx")),
            (Ok(b"Ax".to_vec()), false),
            "near"
        );
        assert_eq!(
            encoded(1252, writing::NO_BEST_FIT_CHARS, &utf16("Āx")),
            (Ok(b"?x".to_vec()), true)
        );
        assert_eq!(encoded(437, 0, &utf16("一?")), (Ok(b"??".to_vec()), true));
        assert_eq!(encoded(437, 0, &utf16("?")), (Ok(b"?".to_vec()), false));
    }

    #[test]
    fn flags_of_another_page_are_refused() {
        assert_eq!(
            decoded(UTF8, reading::PRECOMPOSED, b"a"),
            Err(Error::INVALID_FLAGS)
        );
        assert_eq!(decoded(1252, 0x10, b"a"), Err(Error::INVALID_FLAGS));
        assert_eq!(
            decoded(1252, reading::PRECOMPOSED | reading::COMPOSITE, b"a"),
            Err(Error::INVALID_FLAGS)
        );
        assert_eq!(
            encoded(UTF8, writing::NO_BEST_FIT_CHARS, &[0x61]).0,
            Err(Error::INVALID_FLAGS)
        );
    }

    #[test]
    fn a_room_that_is_too_small_is_filled() {
        let mut room = [0; 2];
        assert_eq!(
            decode(Encoding::Utf8, 0, b"abc", &mut room),
            Err(Error::INSUFFICIENT_BUFFER)
        );
        assert_eq!(room, [0x61, 0x62]);
    }
}
