//! Strings compared: order, equality, beginnings, hashes.

use c_interface::{Ptr, exports};
use nt_abi::NtStatus;
use nt_abi::native::{AnsiString, UnicodeString};
use rtl::utf16::upcase;

use super::{bytes, case, text, units};
use crate::conversions::page::{self, Page};

/// `HASH_STRING_ALGORITHM_DEFAULT`, and the only one there is.
const HASH_DEFAULT: u32 = 0;
/// `HASH_STRING_ALGORITHM_X65599`.
const HASH_X65599: u32 = 1;

/// How far the first units that differ are from each other; where none does, how far the lengths are, in bytes.
fn difference<T: Copy + PartialEq>(left: &[T], right: &[T], value: impl Fn(T) -> u16) -> i32 {
    for (left, right) in left.iter().zip(right) {
        let (left, right) = (i32::from(value(*left)), i32::from(value(*right)));
        if left != right {
            return left - right;
        }
    }
    let length = |items: &[T]| i32::try_from(size_of_val(items)).unwrap_or(i32::MAX);
    length(left).wrapping_sub(length(right))
}

fn compare_units(left: &[u16], right: &[u16], insensitive: u8) -> i32 {
    match insensitive {
        0 => difference(left, right, |unit| unit),
        _ => difference(left, right, upcase),
    }
}

fn compare_bytes(left: &[u8], right: &[u8], insensitive: u8) -> i32 {
    match insensitive {
        0 => difference(left, right, u16::from),
        _ => difference(left, right, |byte: u8| u16::from(byte.to_ascii_uppercase())),
    }
}

/// Whether two names are the same once each is in capitals of the OEM code page.
fn equal_in_oem(left: Ptr<UnicodeString>, right: Ptr<UnicodeString>) -> u8 {
    let oem = page::oem();
    let (left, right) = (oem_capitals(&oem, left), oem_capitals(&oem, right));
    u8::from(left.eq(right))
}

fn oem_capitals<'a>(oem: &'a Page, string: Ptr<UnicodeString>) -> impl Iterator<Item = u16> + 'a {
    units(string).iter().map(|unit| oem.upcase_character(*unit))
}

exports! {
    /// Compares strings of bytes by their values, or those of ASCII's capitals: negative, zero, positive.
    fn RtlCompareString(left: Ptr<AnsiString>, right: Ptr<AnsiString>, insensitive: u8) -> i32 {
        compare_bytes(bytes(left), bytes(right), insensitive)
    }

    /// Compares strings by the values of their units, or of their capitals: negative, zero, positive.
    fn RtlCompareUnicodeString(left: Ptr<UnicodeString>, right: Ptr<UnicodeString>, insensitive: u8) -> i32 {
        compare_units(units(left), units(right), insensitive)
    }

    /// As `RtlCompareUnicodeString`; lengths are in units.
    fn RtlCompareUnicodeStrings(
        left: Ptr<u16>,
        left_length: usize,
        right: Ptr<u16>,
        right_length: usize,
        insensitive: u8,
    ) -> i32 {
        compare_units(left.slice(left_length), right.slice(right_length), insensitive)
    }

    /// Whether strings of bytes are the same.
    fn RtlEqualString(left: Ptr<AnsiString>, right: Ptr<AnsiString>, insensitive: u8) -> u8 {
        let (left, right) = (bytes(left), bytes(right));
        u8::from(left.len() == right.len() && compare_bytes(left, right, insensitive) == 0)
    }

    /// Whether strings are the same.
    fn RtlEqualUnicodeString(left: Ptr<UnicodeString>, right: Ptr<UnicodeString>, insensitive: u8) -> u8 {
        u8::from(text(left).equals(text(right), case(insensitive)))
    }

    /// Whether the second string begins with the first one.
    fn RtlPrefixString(prefix: Ptr<AnsiString>, string: Ptr<AnsiString>, insensitive: u8) -> u8 {
        let (prefix, string) = (bytes(prefix), bytes(string));
        let start = string.get(..prefix.len());
        u8::from(start.is_some_and(|start| compare_bytes(prefix, start, insensitive) == 0))
    }

    /// Whether the second string begins with the first one.
    fn RtlPrefixUnicodeString(prefix: Ptr<UnicodeString>, string: Ptr<UnicodeString>, insensitive: u8) -> u8 {
        u8::from(text(string).starts_with(text(prefix), case(insensitive)))
    }

    /// Whether two names mean the same computer: without regard to case, as far as the OEM code page tells them apart.
    fn RtlEqualComputerName(left: Ptr<UnicodeString>, right: Ptr<UnicodeString>) -> u8 {
        equal_in_oem(left, right)
    }

    /// As `RtlEqualComputerName`, for domains.
    fn RtlEqualDomainName(left: Ptr<UnicodeString>, right: Ptr<UnicodeString>) -> u8 {
        equal_in_oem(left, right)
    }

    /// A string's hash.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: no string, nowhere to put the hash, or another algorithm than 0 or 1, which are the same one.
    fn RtlHashUnicodeString(string: Ptr<UnicodeString>, insensitive: u8, algorithm: u32, hash: Ptr<u32>) -> NtStatus {
        let known = matches!(algorithm, HASH_DEFAULT | HASH_X65599);
        if string.is_null() || hash.is_null() || !known {
            return NtStatus::INVALID_PARAMETER;
        }
        hash.write(text(string).hash_x65599(case(insensitive)));
        NtStatus::SUCCESS
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ansi, unicode};
    use super::*;

    #[test]
    fn the_first_difference_decides_and_then_the_length() {
        let compare = |left: &str, right: &str, insensitive| {
            RtlCompareUnicodeString(
                unicode(left, 40).ptr(),
                unicode(right, 40).ptr(),
                insensitive,
            )
        };
        assert_eq!(compare("abc", "abd", 0), -1);
        assert_eq!(compare("b", "a", 0), 1);
        assert_eq!(compare("a", "B", 0), 31);
        assert_eq!(compare("a", "B", 1), -1);
        assert_eq!(compare("aé", "AÉ", 1), 0);
        assert_eq!(compare("abc", "a", 1), 4, "bytes, not units");
        assert_eq!(compare("", "a", 0), -2);

        let compare = |left: &str, right: &str, insensitive| {
            RtlCompareString(ansi(left, 40).ptr(), ansi(right, 40).ptr(), insensitive)
        };
        assert_eq!(compare("abc", "a", 0), 2);
        assert_eq!(
            compare("\u{E4}", "\u{C4}", 1),
            0x20,
            "ASCII's capitals alone"
        );
        assert_eq!(compare("\u{E4}", "a", 0), 0xE4 - 0x61, "bytes have no sign");
    }

    #[test]
    fn equality_and_beginnings() {
        let equal = |left: &str, right: &str, insensitive| {
            RtlEqualUnicodeString(
                unicode(left, 40).ptr(),
                unicode(right, 40).ptr(),
                insensitive,
            )
        };
        assert_eq!(equal("Straße", "STRAßE", 1), 1);
        assert_eq!(equal("Straße", "STRAßE", 0), 0);
        let prefix = |left: &str, right: &str, insensitive| {
            RtlPrefixUnicodeString(
                unicode(left, 40).ptr(),
                unicode(right, 40).ptr(),
                insensitive,
            )
        };
        assert_eq!(prefix("\\device", "\\Device\\Null", 1), 1);
        assert_eq!(prefix("\\device", "\\Device\\Null", 0), 0);
        assert_eq!(prefix("abc", "ab", 1), 0);
        assert_eq!(prefix("", "ab", 0), 1);
        assert_eq!(
            RtlPrefixString(ansi("AB", 2).ptr(), ansi("abc", 3).ptr(), 1),
            1
        );
        assert_eq!(
            RtlEqualString(ansi("ab", 2).ptr(), ansi("abc", 3).ptr(), 1),
            0
        );
        // Two units that one byte of the OEM page stands for.
        assert_eq!(
            RtlEqualComputerName(unicode("pcā", 6).ptr(), unicode("PCA", 6).ptr()),
            1
        );
        assert_eq!(
            RtlEqualDomainName(unicode("pcb", 6).ptr(), unicode("PCA", 6).ptr()),
            0
        );
    }

    #[test]
    fn hashes_are_those_of_windows() {
        // Values of RtlHashUnicodeString on Windows, as Wine's conformance tests record them.
        let rows = [
            ("T", 0, 0x0000_0054),
            ("Test", 0, 0x766B_B952),
            ("TeSt", 0, 0x764B_B172),
            ("test", 0, 0x4745_D132),
            ("test", 1, 0x6689_C132),
            ("TEST", 1, 0x6689_C132),
            ("TEST", 0, 0x6689_C132),
            ("t\u{E9}st", 0, 0x8845_CFB6),
            ("t\u{E9}st", 1, 0xA789_BFB6),
            ("T\u{C9}ST", 1, 0xA789_BFB6),
            ("T\u{C9}ST", 0, 0xA789_BFB6),
            ("abcdef", 0, 0x9713_18C3),
            ("Test\u{0}1", 0, 0x3280_3083),
            ("abcABC", 0, 0x85B3_F160),
            ("abcABC", 1, 0x71C1_D180),
        ];
        for (text, insensitive, expected) in rows {
            let mut hash = 0;
            for algorithm in [0, 1] {
                let status = RtlHashUnicodeString(
                    unicode(text, 40).ptr(),
                    insensitive,
                    algorithm,
                    Ptr::of(&mut hash),
                );
                assert_eq!((status, hash), (NtStatus::SUCCESS, expected), "{text}");
            }
        }
        let mut hash = 0;
        let string = unicode("T", 2);
        assert_eq!(
            RtlHashUnicodeString(string.ptr(), 0, 2, Ptr::of(&mut hash)),
            NtStatus::INVALID_PARAMETER
        );
        assert_eq!(
            RtlHashUnicodeString(string.ptr(), 0, 0, Ptr::NULL),
            NtStatus::INVALID_PARAMETER
        );
    }
}
