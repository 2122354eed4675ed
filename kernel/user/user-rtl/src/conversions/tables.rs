//! Tables of code pages and capitals that somebody mapped: found in their files, made the process's.
//!
//! A code page's file begins with a header of 13 words: its own length, then the fields of [`CpTableInfo`] up to the first
//! bytes. Behind it come a word that says how far the table of units is from there, the 256 units of single bytes, a word
//! that says whether 256 more follow (for screens), and the ranges of first bytes, with the units of second bytes behind them.

use c_interface::{Ptr, exports, field};
use nt_abi::native::Pointer;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::page::{self, CP_UTF8, CpTableInfo};

/// `NLSTABLEINFO`: the tables of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct NlsTableInfo {
    /// The OEM code page.
    pub oem: CpTableInfo,
    /// The code page of programs without Unicode.
    pub ansi: CpTableInfo,
    /// Capitals of units.
    pub upper_case_table: Pointer,
    /// Small letters of units.
    pub lower_case_table: Pointer,
}

const _: () =
    assert!(size_of::<NlsTableInfo>() == if size_of::<usize>() == 8 { 0x90 } else { 0x60 });

/// How many units stand for single bytes.
const SINGLE_BYTES: usize = 256;

/// Describes a table.
fn describe(file: Ptr<u16>) -> CpTableInfo {
    let word = |index| file.add(index).read();
    let mut info = CpTableInfo {
        code_page: word(1),
        maximum_character_size: word(2),
        default_char: word(3),
        uni_default_char: word(4),
        trans_default_char: word(5),
        trans_uni_default_char: word(6),
        ..CpTableInfo::default()
    };
    if info.code_page == CP_UTF8 {
        return info;
    }
    file.add(7).cast().read_array(&mut info.lead_byte);
    let distance = file.add(usize::from(word(0)));
    let units = distance.add(1);
    let for_screens = units.add(SINGLE_BYTES);
    let more = if for_screens.read() == 0 {
        0
    } else {
        SINGLE_BYTES
    };
    let ranges = for_screens.add(1 + more);
    info.wide_char_table = units.add(usize::from(distance.read())).raw();
    info.multi_byte_table = units.raw();
    info.dbcs_ranges = ranges.raw();
    if ranges.read() != 0 {
        info.dbcs_code_page = 1;
        info.dbcs_offsets = ranges.add(1).raw();
    }
    info
}

exports! {
    /// Describes a code page whose file is in memory.
    fn RtlInitCodePageTable(file: Ptr<u16>, into: Ptr<CpTableInfo>) {
        into.write(describe(file));
    }

    /// Describes the tables of a process, whose files are in memory.
    fn RtlInitNlsTables(ansi: Ptr<u16>, oem: Ptr<u16>, letters: Ptr<u16>, into: Ptr<NlsTableInfo>) {
        // A word that says how many there are, and they, for capitals and again for small letters.
        let capitals = letters.add(1);
        into.write(NlsTableInfo {
            oem: describe(oem),
            ansi: describe(ansi),
            upper_case_table: capitals.add(1).raw(),
            lower_case_table: capitals.add(usize::from(capitals.read()) + 1).raw(),
        });
    }

    /// Makes code pages the process's. The files must stay in memory.
    ///
    /// # Differs
    /// Capitals stay those of this library: names are compared by them, and the kernel has the same ones.
    fn RtlResetRtlTranslations(tables: Ptr<NlsTableInfo>) {
        page::set(field!(tables, NlsTableInfo, ansi), field!(tables, NlsTableInfo, oem));
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;
    use crate::conversions::multi_byte::{
        RtlCustomCPToUnicodeN, RtlUnicodeToCustomCPN, RtlUpcaseUnicodeToCustomCPN,
    };
    use crate::strings::testing::{Room, narrow, wide};

    /// A page of two bytes with three characters beside ASCII: 81 40 is U+4E00, 81 41 is ä, 81 42 is Ä.
    fn file() -> Room<u16> {
        let mut words: Vec<u16> = std::vec![13, 9999, 2, 0x3F, 0xFFFD, 0x3F, 0x3F];
        words.extend([0x8181, 0, 0, 0, 0, 0]);
        let distance = words.len();
        words.push(0);
        words.extend((0..256).map(|byte| if byte < 0x80 { byte } else { 0xFFFD }));
        words.push(0);
        words.push(1);
        let offsets = words.len();
        words.extend([0; 256]);
        words[offsets + 0x81] = 256;
        let mut second: Vec<u16> = std::vec![0xFFFD; 256];
        second[0x40..0x43].copy_from_slice(&[0x4E00, 0xE4, 0xC4]);
        words.extend(second);
        words[distance] = u16::try_from(words.len() - distance - 1).unwrap();
        let mut characters: Vec<u16> = std::vec![0x3F; 0x1_0000];
        for byte in 0..0x80 {
            characters[usize::from(byte)] = byte;
        }
        characters[0x4E00] = 0x8140;
        characters[0xE4] = 0x8141;
        characters[0xC4] = 0x8142;
        words.extend(characters);
        Room::new(&words)
    }

    #[test]
    fn characters_of_two_bytes() {
        let file = file();
        let mut info = CpTableInfo::default();
        let table = Ptr::of(&mut info);
        RtlInitCodePageTable(file.ptr(), table);
        assert_eq!((info.code_page, info.dbcs_code_page), (9999, 1));
        assert_eq!(info.lead_byte[..3], [0x81, 0x81, 0]);

        let to = Room::filled(0xFFFF_u16, 8);
        let mut written = 0;
        let from = narrow("a\u{81}\u{40}\u{81}Ab\u{81}");
        RtlCustomCPToUnicodeN(table, to.ptr(), 16, Ptr::of(&mut written), from.ptr(), 7);
        assert_eq!(written, 10);
        assert_eq!(to.now()[..6], [0x61, 0x4E00, 0xE4, 0x62, 0xFFFD, 0xFFFF]);

        let to = Room::filled(b'-', 8);
        let from = wide("一ä日c");
        RtlUnicodeToCustomCPN(table, to.ptr(), 8, Ptr::of(&mut written), from.ptr(), 8);
        assert_eq!((written, to.now()), (6, b"\x81\x40\x81\x41?c--".to_vec()));
        RtlUpcaseUnicodeToCustomCPN(table, to.ptr(), 8, Ptr::of(&mut written), from.ptr(), 8);
        assert_eq!((written, to.now()), (6, b"\x81\x40\x81\x42?C--".to_vec()));
        // A character that does not fit is not begun.
        let to = Room::filled(b'-', 8);
        RtlUnicodeToCustomCPN(table, to.ptr(), 3, Ptr::of(&mut written), from.ptr(), 8);
        assert_eq!((written, to.now()), (2, b"\x81\x40------".to_vec()));
    }

    #[test]
    fn utf8_is_a_page_without_a_table() {
        let mut words = std::vec![0_u16; 13];
        words[..3].copy_from_slice(&[13, CP_UTF8, 4]);
        let file = Room::new(&words);
        let mut info = CpTableInfo::default();
        let table = Ptr::of(&mut info);
        RtlInitCodePageTable(file.ptr(), table);
        let to = Room::filled(b'-', 8);
        let mut written = 0;
        RtlUpcaseUnicodeToCustomCPN(
            table,
            to.ptr(),
            8,
            Ptr::of(&mut written),
            wide("é€").ptr(),
            4,
        );
        assert_eq!(to.now(), "É€---".as_bytes());
        let units = Room::filled(0_u16, 8);
        RtlCustomCPToUnicodeN(table, units.ptr(), 14, Ptr::of(&mut written), to.ptr(), 5);
        assert_eq!((written, units.text().as_str()), (4, "É€"));
    }
}
