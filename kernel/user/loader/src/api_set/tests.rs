//! A map written by hand, field by field, and names that are looked up in it.

extern crate std;

use std::string::{String, ToString};
use std::vec::Vec;

use rtl::{Random, Utf16String};

use super::*;

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Sets, each with values: importer (none for all) and host.
type Sets<'a> = &'a [(&'a str, &'a [(&'a str, &'a str)])];

/// Writes a map of schema version 6, from the published description of the format.
fn map(sets: Sets<'_>) -> Vec<u8> {
    let header = 0x1C;
    let entries = header;
    let hashes = entries + 0x18 * sets.len();
    let mut values = hashes + 8 * sets.len();
    let value_count: usize = sets.iter().map(|(_, values)| values.len()).sum();
    let mut strings = values + 0x14 * value_count;
    let mut out = std::vec![0_u8; strings];
    let put = |out: &mut Vec<u8>, at: usize, value: usize| {
        let value = u32::try_from(value).expect("small").to_le_bytes();
        out[at..at + 4].copy_from_slice(&value);
    };
    let mut string = |out: &mut Vec<u8>, text: &str| -> (usize, usize) {
        let bytes = wide(text);
        let at = strings;
        out.extend_from_slice(&bytes);
        strings += bytes.len();
        (at, bytes.len())
    };
    let factor = 31;
    let mut sums = Vec::new();
    for (number, (name, hosts)) in sets.iter().enumerate() {
        let at = entries + 0x18 * number;
        let hashed = name.rfind('-').expect("a version");
        let (offset, length) = string(&mut out, name);
        for (field, value) in [
            (4, offset),
            (8, length),
            (12, hashed * 2),
            (16, values),
            (20, hosts.len()),
        ] {
            put(&mut out, at + field, value);
        }
        for (importer, host) in *hosts {
            let (name, value) = (string(&mut out, importer), string(&mut out, host));
            for (field, value) in [(4, name.0), (8, name.1), (12, value.0), (16, value.1)] {
                put(&mut out, values + field, value);
            }
            values += 0x14;
        }
        let sum = name[..hashed].bytes().fold(0_u32, |sum, byte| {
            sum.wrapping_mul(31)
                .wrapping_add(u32::from(byte.to_ascii_lowercase()))
        });
        sums.push((sum, number));
    }
    sums.sort_unstable();
    for (place, (sum, number)) in sums.iter().enumerate() {
        out[hashes + 8 * place..][..4].copy_from_slice(&sum.to_le_bytes());
        put(&mut out, hashes + 8 * place + 4, *number);
    }
    let size = out.len();
    for (field, value) in [
        (0, 6),
        (4, size),
        (12, sets.len()),
        (16, entries),
        (20, hashes),
        (24, factor),
    ] {
        put(&mut out, field, value);
    }
    out
}

fn ask(map: Option<&[u8]>, name: &str, importer: Option<&str>) -> String {
    let name = Utf16String::try_from_str(name).expect("memory");
    let importer = importer.map(|importer| Utf16String::try_from_str(importer).expect("memory"));
    match resolve(
        map,
        name.as_str(),
        importer.as_ref().map(Utf16String::as_str),
    ) {
        Resolution::NotASet => String::from("no set"),
        Resolution::Nobody => String::from("nobody"),
        Resolution::Host(host) => {
            let units: Vec<u16> = host.units().collect();
            Utf16Str::new(&units).to_string()
        }
    }
}

#[test]
fn a_map_answers() {
    let map = map(&[
        ("api-ms-win-core-file-l1-2-2", &[("", "kernelbase.dll")]),
        ("api-ms-win-core-file-l2-1-0", &[("", "file2.dll")]),
        ("ext-ms-win-empty-l1-1-0", &[("", "")]),
        ("ext-ms-win-none-l1-1-0", &[]),
        (
            "api-ms-win-core-localregistry-l1-1-0",
            &[("", "kernel32.dll"), ("kernel32.dll", "kernelbase.dll")],
        ),
    ]);
    let map = Some(&map[..]);
    let rows = [
        ("api-ms-win-core-file-l1-2-2.dll", None, "kernelbase.dll"),
        // Any revision, any case, with or without the extension.
        ("API-MS-WIN-CORE-FILE-L1-2-0.DLL", None, "kernelbase.dll"),
        ("api-ms-win-core-file-l1-2-99", None, "kernelbase.dll"),
        ("api-ms-win-core-file-l2-1-7", None, "file2.dll"),
        // Another minor version is another set.
        ("api-ms-win-core-file-l1-3-0.dll", None, "no set"),
        ("ext-ms-win-empty-l1-1-0.dll", None, "nobody"),
        ("ext-ms-win-none-l1-1-0.dll", None, "nobody"),
        ("kernel32.dll", None, "no set"),
        ("apix-ms.dll", None, "no set"),
        ("api-", None, "no set"),
        (
            "api-ms-win-core-localregistry-l1-1-0.dll",
            Some("user32.dll"),
            "kernel32.dll",
        ),
        (
            "api-ms-win-core-localregistry-l1-1-0.dll",
            Some("KERNEL32.dll"),
            "kernelbase.dll",
        ),
    ];
    for (name, importer, expected) in rows {
        assert_eq!(
            ask(map, name, importer),
            expected,
            "{name} for {importer:?}"
        );
    }
}

#[test]
fn the_table_answers_without_a_map() {
    let rows = [
        (
            "api-ms-win-core-processthreads-l1-1-3.dll",
            "kernelbase.dll",
        ),
        ("api-ms-win-core-rtlsupport-l1-1-0.dll", "ntdll.dll"),
        ("api-ms-win-crt-stdio-l1-1-0.dll", "ucrtbase.dll"),
        ("api-ms-win-core-com-l1-1-0.dll", "combase.dll"),
        ("api-ms-win-eventing-provider-l1-1-0", "kernelbase.dll"),
        ("ext-ms-win-unknown-thing-l1-1-0.dll", "no set"),
        ("user32.dll", "no set"),
    ];
    for (name, expected) in rows {
        assert_eq!(ask(None, name, None), expected, "{name}");
    }
    // A map of another version is not read.
    let mut other = map(&[("api-ms-win-core-file-l1-1-0", &[("", "x.dll")])]);
    other[0] = 4;
    assert_eq!(
        ask(Some(&other), "api-ms-win-core-file-l1-1-0", None),
        "kernelbase.dll"
    );
}

#[test]
fn longer_beginnings_come_first() {
    for table in [built_in::CORE, built_in::OTHERS] {
        for (number, (early, _)) in table.iter().enumerate() {
            for (late, _) in &table[number + 1..] {
                assert!(
                    !late.starts_with(*early, Case::Insensitive),
                    "{late} is never reached"
                );
            }
        }
    }
}

#[test]
fn damaged_maps_are_survived() {
    let good = map(&[
        ("api-ms-win-core-file-l1-2-2", &[("", "kernelbase.dll")]),
        (
            "api-ms-win-core-x-l1-1-0",
            &[("", "a.dll"), ("b.dll", "c.dll")],
        ),
    ]);
    let mut random = Random::new(3);
    for _ in 0..20_000 {
        let mut bad = good.clone();
        for _ in 0..=random.index(4) {
            let at = random.index(bad.len());
            bad[at] = [0, 1, 0x7F, 0x80, 0xFF, random.next_u64().to_le_bytes()[0]][random.index(6)];
        }
        bad.truncate(random.index(4 * good.len()).max(4));
        bad[..4].copy_from_slice(&6_u32.to_le_bytes());
        for name in [
            "api-ms-win-core-file-l1-2-2.dll",
            "api-ms-win-core-x-l1-1-0",
        ] {
            let _ = ask(Some(&bad), name, Some("b.dll"));
        }
    }
}
