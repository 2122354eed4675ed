//! What is where in a string.

use c_interface::{Ptr, exports};
use nt_abi::NtStatus;
use nt_abi::native::UnicodeString;
use rtl::utf16::upcase;

use super::{case, string_length, text, units};

/// `RTL_FIND_CHAR_IN_UNICODE_STRING_START_AT_END`.
const START_AT_END: u32 = 1;
/// `RTL_FIND_CHAR_IN_UNICODE_STRING_COMPLEMENT_CHAR_SET`.
const COMPLEMENT: u32 = 2;
/// `RTL_FIND_CHAR_IN_UNICODE_STRING_CASE_INSENSITIVE`.
const CASE_INSENSITIVE: u32 = 4;

exports! {
    /// Finds the first unit that is one of several, or with bit 1 the first that is none of them; with bit 0 the last one.
    /// Bit 2 compares capitals.
    ///
    /// The position is in bytes: of what follows the unit, or with bit 0 of the unit itself; 0 if there is none.
    ///
    /// # Errors
    /// `NOT_FOUND`. `INVALID_PARAMETER`: other flags.
    fn RtlFindCharInUnicodeString(
        flags: u32,
        string: Ptr<UnicodeString>,
        wanted: Ptr<UnicodeString>,
        position: Ptr<u16>,
    ) -> NtStatus {
        position.write(0);
        if flags & !(START_AT_END | COMPLEMENT | CASE_INSENSITIVE) != 0 {
            return NtStatus::INVALID_PARAMETER;
        }
        let (string, wanted) = (units(string), units(wanted));
        let matches = |unit: &u16| {
            let among = match flags & CASE_INSENSITIVE {
                0 => wanted.contains(unit),
                _ => wanted.iter().any(|other| upcase(*other) == upcase(*unit)),
            };
            among == (flags & COMPLEMENT == 0)
        };
        let found = match flags & START_AT_END {
            0 => string.iter().position(matches).map(|index| index + 1),
            _ => string.iter().rposition(matches),
        };
        let Some(found) = found else {
            return NtStatus::NOT_FOUND;
        };
        position.write(string_length(found * 2));
        NtStatus::SUCCESS
    }

    /// Where one string's text is in another's; null if it is not.
    fn RtlFindUnicodeSubstring(string: Ptr<UnicodeString>, wanted: Ptr<UnicodeString>, insensitive: u8) -> Ptr<u16> {
        let (whole, wanted, case) = (text(string), text(wanted), case(insensitive));
        let Some(last) = whole.len().checked_sub(wanted.len()) else {
            return Ptr::NULL;
        };
        let found = (0..=last).find(|start| {
            rtl::Utf16Str::new(&whole.units()[*start..]).starts_with(wanted, case)
        });
        found.map_or(Ptr::NULL, |start| Ptr::at(string.read().buffer).add(start))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::unicode;
    use super::*;

    #[test]
    fn positions_are_behind_or_at_the_unit() {
        // Values of Windows, as Wine's conformance tests record them.
        let rows = [
            (0, "Some Wild String", "S", NtStatus::SUCCESS, 2),
            (0, "This is a String", "String", NtStatus::SUCCESS, 6),
            (1, "This is a String", "String", NtStatus::SUCCESS, 30),
            (2, "This is a String", "Wild", NtStatus::SUCCESS, 2),
            (3, "This is a String", "Wild", NtStatus::SUCCESS, 30),
            (0, "This is a String", "ABC", NtStatus::NOT_FOUND, 0),
            (0, "This is a String", "", NtStatus::NOT_FOUND, 0),
            (2, "This is a String", "", NtStatus::SUCCESS, 2),
            (3, "This is a String", "", NtStatus::SUCCESS, 30),
            (0, "", "abc", NtStatus::NOT_FOUND, 0),
            (4, "Hello", "LO", NtStatus::SUCCESS, 6),
            (5, "Hello", "L", NtStatus::SUCCESS, 6),
            (8, "Hello", "l", NtStatus::INVALID_PARAMETER, 0),
        ];
        for (flags, string, wanted, status, expected) in rows {
            let mut position = 12345;
            let (string, wanted) = (unicode(string, 40), unicode(wanted, 40));
            let found = RtlFindCharInUnicodeString(
                flags,
                string.ptr(),
                wanted.ptr(),
                Ptr::of(&mut position),
            );
            assert_eq!((found, position), (status, expected), "{flags}");
        }
    }

    #[test]
    fn substrings() {
        let string = unicode("one two Two", 22);
        let start = Ptr::<u16>::at(string.get().buffer);
        let find = |wanted: &str, insensitive| {
            RtlFindUnicodeSubstring(string.ptr(), unicode(wanted, 30).ptr(), insensitive)
        };
        assert_eq!(find("Two", 0), start.add(8));
        assert_eq!(find("Two", 1), start.add(4));
        assert_eq!(find("", 0), start);
        assert_eq!(find("three", 1), Ptr::NULL);
        assert_eq!(find("one two Two x", 1), Ptr::NULL);
    }
}
