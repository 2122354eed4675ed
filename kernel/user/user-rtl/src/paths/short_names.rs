//! Short names of files.

use c_interface::{Ptr, exports};
use nt_abi::NtStatus;
use nt_abi::native::{AnsiString, UnicodeString};
use rtl::short_name::{ShortNames, check};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::conversions::page::{self, Page};
use crate::strings::{set_length, string_length, units};

/// `GENERATE_NAME_CONTEXT`: where looking for a short name has come to. Callers begin with zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct GenerateNameContext {
    /// The hash.
    pub checksum: u16,
    /// Whether the letters include it.
    pub checksum_inserted: u8,
    /// How many letters there are.
    pub name_length: u8,
    /// The letters before the tilde.
    pub name_buffer: [u16; 8],
    /// How many units the dot and the extension are.
    pub extension_length: u32,
    /// The dot and the extension.
    pub extension_buffer: [u16; 4],
    /// The last number given.
    pub last_index_value: u32,
}

const _: () = assert!(size_of::<GenerateNameContext>() == 0x24);

impl GenerateNameContext {
    fn state(&self) -> ShortNames {
        ShortNames {
            checksum: self.checksum,
            checksum_inserted: self.checksum_inserted != 0,
            stem: self.name_buffer,
            stem_length: usize::from(self.name_length).min(self.name_buffer.len()),
            extension: self.extension_buffer,
            extension_length: (self.extension_length as usize).min(self.extension_buffer.len()),
            index: self.last_index_value,
        }
    }

    fn of(state: &ShortNames) -> Self {
        Self {
            checksum: state.checksum,
            checksum_inserted: u8::from(state.checksum_inserted),
            // At most eight, and at most four.
            name_length: u8::try_from(state.stem_length).unwrap_or(8),
            name_buffer: state.stem,
            extension_length: u32::try_from(state.extension_length).unwrap_or(4),
            extension_buffer: state.extension,
            last_index_value: state.index,
        }
    }
}

/// The longest short name, in bytes of the OEM code page.
const LONGEST: usize = 12;

/// Whether the OEM code page has a unit as one byte.
fn is_in_page(oem: &Page, unit: u16) -> bool {
    let mut bytes = [0_u8; 4];
    let written = oem.encode(&[unit], Ptr::of(&mut bytes).cast(), bytes.len());
    let mut back = 0_u16;
    written == 1 && oem.decode(&bytes[..1], Ptr::of(&mut back), 1) == 1 && back == unit
}

exports! {
    /// Whether a name is a short one, and whether it has spaces. Where the caller wants it, the name in capitals of the OEM
    /// code page goes into a string without a zero.
    fn RtlIsNameLegalDOS8Dot3(name: Ptr<UnicodeString>, oem_name: Ptr<AnsiString>, has_spaces: Ptr<u8>) -> u8 {
        let name = units(name);
        let oem = page::oem();
        if name.len() > LONGEST || oem.bytes_of(name) > LONGEST {
            return 0;
        }
        let mut room = [0_u8; LONGEST];
        let length = oem.encode_capitals(name, Ptr::of(&mut room).cast(), room.len());
        let bytes = &room[..length];
        if let Some(string) = oem_name.read_optional() {
            if usize::from(string.maximum_length) < length {
                return 0;
            }
            Ptr::at(string.buffer).write_array(bytes);
            set_length(oem_name.cast(), string_length(length));
        }
        match check(bytes) {
            Some(spaces) => {
                has_spaces.write_optional(u8::from(spaces));
                1
            }
            None => 0,
        }
    }

    /// Writes another short name for a name, which a caller asks for until he finds one that is free. Letters beyond ASCII
    /// are kept if the caller allows it and the OEM code page has them.
    ///
    /// # Errors
    /// `BUFFER_OVERFLOW`: the string has no room for twelve units. `FILE_SYSTEM_LIMITATION`: there are no more names.
    fn RtlGenerate8dot3Name(
        name: Ptr<UnicodeString>,
        allow_extended: u8,
        context: Ptr<GenerateNameContext>,
        short_name: Ptr<UnicodeString>,
    ) -> NtStatus {
        let name = units(name);
        let string = short_name.read();
        if usize::from(string.maximum_length) < LONGEST * 2 {
            return NtStatus::BUFFER_OVERFLOW;
        }
        let mut state = context.read().state();
        if state.is_new() {
            let oem = page::oem();
            state.begin(name, |unit| allow_extended != 0 && is_in_page(&oem, unit));
        }
        let short = state.next(name);
        context.write(GenerateNameContext::of(&state));
        let Some(short) = short else {
            return NtStatus::FILE_SYSTEM_LIMITATION;
        };
        Ptr::at(string.buffer).write_array(short.units());
        set_length(short_name, string_length(short.units().len() * 2));
        NtStatus::SUCCESS
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::strings::testing::{ansi, ansi_contents, contents, unicode};

    #[test]
    fn a_legal_name_is_given_in_capitals() {
        let oem = ansi("", 12);
        let mut spaces = 2;
        let mut legal = |name: &str| {
            let got =
                RtlIsNameLegalDOS8Dot3(unicode(name, 60).ptr(), oem.ptr(), Ptr::of(&mut spaces));
            (got, std::mem::replace(&mut spaces, 2))
        };
        assert_eq!(legal("a c.txt"), (1, 1));
        assert_eq!(ansi_contents(&oem.get()), "A C.TXT");
        assert_eq!(legal("büro.doc"), (1, 0));
        assert_eq!(ansi_contents(&oem.get()), "B\u{9A}RO.DOC");
        assert_eq!(legal("123456789.a"), (0, 2));
        assert_eq!(
            ansi_contents(&oem.get()),
            "123456789.A",
            "even if it is not"
        );
        assert_eq!(legal("一.txt"), (0, 2), "the page has nothing for it");
        assert_eq!(legal("1234567890123"), (0, 2));
    }

    #[test]
    fn names_are_asked_for_one_by_one() {
        let mut context = GenerateNameContext::default();
        let name = unicode("Ärger mit Namen.text", 50);
        let short = unicode("", 24);
        let mut next = |extended| {
            let place = Ptr::of(&mut context);
            let status = RtlGenerate8dot3Name(name.ptr(), extended, place, short.ptr());
            (status, contents(&short.get()))
        };
        assert_eq!(next(1), (NtStatus::SUCCESS, "ÄRGERM~1.TEX".into()));
        assert_eq!(next(1), (NtStatus::SUCCESS, "ÄRGERM~2.TEX".into()));
        assert_eq!(
            (
                context.name_length,
                context.extension_length,
                context.last_index_value
            ),
            (6, 4, 2)
        );
        context = GenerateNameContext::default();
        let mut again = |extended| {
            let place = Ptr::of(&mut context);
            (
                RtlGenerate8dot3Name(name.ptr(), extended, place, short.ptr()),
                contents(&short.get()),
            )
        };
        assert_eq!(again(0), (NtStatus::SUCCESS, "_RGERM~1.TEX".into()));
        let narrow = unicode("", 22);
        context.last_index_value = 999_999;
        assert_eq!(
            RtlGenerate8dot3Name(name.ptr(), 0, Ptr::of(&mut context), narrow.ptr()),
            NtStatus::BUFFER_OVERFLOW
        );
        context.checksum_inserted = 1;
        assert_eq!(
            RtlGenerate8dot3Name(name.ptr(), 0, Ptr::of(&mut context), short.ptr()),
            NtStatus::FILE_SYSTEM_LIMITATION
        );
    }
}
