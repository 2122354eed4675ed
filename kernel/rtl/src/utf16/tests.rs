//! Text that must stay text, capitals against the standard library's data, paths.

extern crate std;

use std::format;
use std::string::ToString;
use std::vec::Vec;

use super::*;
use crate::Random;

fn text(text: &str) -> Utf16String {
    Utf16String::try_from_str(text).expect("memory")
}

#[test]
fn what_is_not_a_character_is_kept_and_shown_as_its_stand_in() {
    let units = [0x61, 0xD83D, 0x62, 0xD83D, 0xDE00, 0xDC00, 0x0A];
    let odd = Utf16Str::new(&units);
    assert_eq!(odd.to_string(), "a\u{FFFD}b😀\u{FFFD}\n");
    assert_eq!(format!("{odd:?}"), r#""a\u{d83d}b😀\u{dc00}\n""#);
    assert_eq!(odd.try_to_owned().expect("memory").as_str().units(), units);
}

#[test]
fn text_comes_from_utf8_and_from_formatting() {
    let mut own = text("naïve 😀");
    assert_eq!(own.len(), 8);
    assert!(own.as_str() == *"naïve 😀");
    assert!(own.as_str() != *"naive 😀");
    own.truncate(5);
    write!(own, "_{}", 42).expect("memory");
    own.push_unit(0x21).expect("memory");
    assert_eq!(own.to_string(), "naïve_42!");
    assert!(text("").is_empty() && Utf16Str::default().is_empty());
}

#[test]
fn a_literal_is_a_constant() {
    const DEVICE: Utf16Str<'static> = utf16!(r"\Device");
    assert!(DEVICE == *r"\Device");
    assert_eq!(utf16!(""), Utf16Str::default());
}

#[test]
fn capitals_decide_when_case_does_not_count() {
    let rows = [
        ("Straße", "STRASSE", false),
        ("straße", "STRAßE", true),
        ("ΣΊΣΥΦΟΣ", "σίσυφοσ", true),
        ("ΣΊΣΥΦΟΣ", "σίσυφος", false),
        ("ntdll.dll", "NTDLL.DLL", true),
        ("ntdll.dll", "NTDLL.DL", false),
        ("I", "ı", false),
        ("", "", true),
    ];
    for (left, right, same) in rows {
        let (left, right) = (text(left), text(right));
        let (left, right) = (left.as_str(), right.as_str());
        assert_eq!(
            left.equals(right, Case::Insensitive),
            same,
            "{left} {right}"
        );
        assert_eq!(left.equals(right, Case::Sensitive), left == right);
    }
}

#[test]
fn order_is_by_capitals_then_by_length() {
    let rows = [
        ("a", "B", Ordering::Less, Ordering::Greater),
        ("abc", "ABD", Ordering::Less, Ordering::Greater),
        ("ab", "ABC", Ordering::Less, Ordering::Greater),
        ("_", "a", Ordering::Greater, Ordering::Less),
        ("", "a", Ordering::Less, Ordering::Less),
        ("\u{FF21}", "😀", Ordering::Greater, Ordering::Greater),
    ];
    for (left, right, insensitive, sensitive) in rows {
        let (left, right) = (text(left), text(right));
        let (left, right) = (left.as_str(), right.as_str());
        assert_eq!(left.compare(right, Case::Insensitive), insensitive);
        assert_eq!(
            right.compare(left, Case::Insensitive),
            insensitive.reverse()
        );
        assert_eq!(left.compare(right, Case::Sensitive), sensitive);
    }
}

#[test]
fn prefixes() {
    let path = text(r"\SystemRoot\System32");
    let begins = |prefix: &str, case| path.as_str().starts_with(text(prefix).as_str(), case);
    assert!(begins(r"\SYSTEMROOT", Case::Insensitive));
    assert!(!begins(r"\SYSTEMROOT", Case::Sensitive));
    assert!(begins(r"\SystemRoot\System32", Case::Sensitive));
    assert!(!begins(r"\SystemRoot\System32\", Case::Sensitive));
    assert!(begins("", Case::Sensitive));
}

#[test]
fn the_hash_is_a_polynomial_in_65599() {
    let hash = |name: &str, case| text(name).as_str().hash_x65599(case);
    assert_eq!(hash("", Case::Sensitive), 0);
    assert_eq!(hash("T", Case::Sensitive), 0x54);
    let power = |exponent| 65_599u32.wrapping_pow(exponent);
    let expected = (0x54 * power(1)).wrapping_add(0x65);
    assert_eq!(hash("Te", Case::Sensitive), expected);
    let expected = u32::from(b'A')
        .wrapping_mul(power(2))
        .wrapping_add(u32::from(b'B').wrapping_mul(power(1)))
        .wrapping_add(u32::from(b'C'));
    assert_eq!(hash("abc", Case::Insensitive), expected);
    assert_ne!(hash("abc", Case::Sensitive), expected);
}

/// Random names of few letters, so that many are equal: all routines say the same about each pair.
#[test]
fn the_routines_agree_with_each_other() {
    const LETTERS: [u16; 8] = [0x61, 0x41, 0xE9, 0xC9, 0x131, 0x3C3, 0x3C2, 0xD800];
    let mut random = Random::new(5);
    let mut some = || -> Vec<u16> {
        let length = random.index(4);
        core::iter::repeat_with(|| LETTERS[random.index(LETTERS.len())])
            .take(length)
            .collect()
    };
    for _ in 0..20_000 {
        let (left, right) = (some(), some());
        let (left, right) = (Utf16Str::new(&left), Utf16Str::new(&right));
        let capitals = |text: Utf16Str<'_>| text.upcase().expect("memory");
        let same = left.equals(right, Case::Insensitive);
        assert_eq!(same, capitals(left) == capitals(right));
        assert_eq!(
            left.compare(right, Case::Insensitive),
            capitals(left).cmp(&capitals(right))
        );
        if same {
            let hash = |text: Utf16Str<'_>| text.hash_x65599(Case::Insensitive);
            assert_eq!(hash(left), hash(right));
        }
        assert_eq!(
            left.starts_with(right, Case::Insensitive),
            capitals(left)
                .as_str()
                .units()
                .starts_with(capitals(right).as_str().units())
        );
    }
}
