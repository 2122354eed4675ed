//! The archive reader against archives that other programs made, and against damaged ones.

use rtl::Random;
use rtl::cpio::{Archive, Damage, Entry, Error, Kind};

const GNU: &[u8] = include_bytes!("data/gnu-newc.cpio");
const GNU_WITH_SUMS: &[u8] = include_bytes!("data/gnu-crc.cpio");
const BSD: &[u8] = include_bytes!("data/bsdtar-newc.cpio");

/// The tree that all three were made of: name, mode, bytes.
const TREE: [(&str, u32, &[u8]); 7] = [
    ("Windows", 0o040_755, b""),
    ("Windows/System32", 0o040_755, b""),
    ("Windows/System32/ntdll.dll", 0o100_644, b"MZ\0\x01\x02"),
    ("Windows/bin.dat", 0o100_644, b"\xFF\0\x7F"),
    ("a", 0o100_644, b"four"),
    ("empty", 0o100_644, b""),
    ("link", 0o120_777, b"Windows/bin.dat"),
];

/// 27 July 1993, 12:00: Windows NT 3.1 went to be made.
const MODIFIED: u32 = 743_774_400;

/// What the reader promises for all bytes whatever: it ends, entries lie one after another inside the archive, an
/// error is inside it or at its end and is the last that is said, and all ways to read agree.
fn check_promises(bytes: &[u8]) -> Result<usize, Error> {
    let archive = Archive::new(bytes);
    let range = bytes.as_ptr_range();
    let mut from = range.start;
    let mut count = 0;
    let mut ended = Ok(());
    for entry in archive.entries() {
        assert_eq!(ended, Ok(()), "nothing follows an error");
        match entry {
            Ok(Entry { name, data, .. }) => {
                count += 1;
                assert!(!name.is_empty());
                for part in [name, data] {
                    let part = part.as_ptr_range();
                    assert!(from <= part.start && part.end <= range.end);
                    from = part.end;
                }
                let found = archive.find(name).expect("it was read up to here");
                assert!(found.is_some_and(|found| found.name == name));
            }
            Err(error) => {
                assert!(error.offset <= bytes.len().next_multiple_of(4), "{error}");
                ended = Err(error);
            }
        }
        assert!(
            count * 112 <= bytes.len(),
            "each entry has a header and a name"
        );
    }
    let checked = archive.check();
    assert_eq!(checked, ended.map(|()| count));
    checked
}

#[test]
fn all_makers_archives_have_the_same_tree() {
    for bytes in [GNU, GNU_WITH_SUMS, BSD] {
        assert_eq!(check_promises(bytes), Ok(TREE.len()));
        let entries = Archive::new(bytes)
            .entries()
            .map(|entry| entry.expect("it is whole"));
        for (entry, (name, mode, data)) in entries.zip(TREE) {
            let name = name.as_bytes();
            let modified = MODIFIED;
            assert_eq!(
                entry,
                Entry {
                    name,
                    mode,
                    modified,
                    data
                }
            );
        }
    }
}

#[test]
fn entries_are_found_by_name() {
    let archive = Archive::new(BSD);
    let find = |name: &str| archive.find(name.as_bytes()).expect("it is whole");
    let kind = |name| find(name).map(|entry| entry.kind());
    assert_eq!(kind("Windows/System32/ntdll.dll"), Some(Kind::File));
    assert_eq!(kind("Windows"), Some(Kind::Directory));
    assert_eq!(kind("link"), Some(Kind::Link));
    assert_eq!(kind("windows"), None);
    assert_eq!(kind("TRAILER!!!"), None);
    assert_eq!(kind(""), None);
}

#[test]
fn a_cut_archive_says_where_it_ends() {
    let trailer = GNU
        .windows(10)
        .position(|part| part == b"TRAILER!!!")
        .expect("it has one");
    for length in 0..trailer + 11 {
        let error = check_promises(&GNU[..length]).expect_err("the trailer is not whole");
        assert_eq!(error.what, Damage::Truncated, "cut at {length}");
    }
    assert_eq!(check_promises(&GNU[..trailer + 11]), Ok(TREE.len()));
}

#[test]
fn each_damage_is_named_where_it_is() {
    let damaged = |bytes: &[u8], offset: usize, with: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes[offset..offset + with.len()].copy_from_slice(with);
        let error = check_promises(&bytes).expect_err("it is damaged");
        (error.offset, error.what)
    };
    assert_eq!(damaged(GNU, 5, b"7"), (0, Damage::Magic));
    assert_eq!(damaged(GNU, 0x78, b"GARBAGE"), (0x78, Damage::Magic));
    assert_eq!(damaged(GNU, 20, b"g"), (14, Damage::Number));
    assert_eq!(damaged(GNU, 54, b"+"), (54, Damage::Number), "no sign");
    assert_eq!(damaged(GNU, 94, b"00000000"), (110, Damage::Name));
    assert_eq!(damaged(GNU, 94, b"00000001"), (110, Damage::Name));
    assert_eq!(damaged(GNU, 94, b"FFFFFFFF"), (110, Damage::Truncated));
    assert_eq!(
        damaged(GNU, 112, b"\0"),
        (110, Damage::Name),
        "a NUL too early"
    );
    assert_eq!(damaged(GNU, 54, b"FFFFFFFF"), (120, Damage::Truncated));
    let data = GNU_WITH_SUMS
        .windows(2)
        .position(|part| part == b"MZ")
        .expect("it has one");
    assert_eq!(damaged(GNU_WITH_SUMS, data, b"N"), (data, Damage::Sum));
    let empty = check_promises(b"").expect_err("there is no trailer");
    assert_eq!(
        empty.to_string(),
        "the archive is damaged at byte 0: it ends too early"
    );
}

/// 20,000 archives with a few bytes changed, cut or moved, the same each time.
#[test]
fn damaged_archives_break_no_promise() {
    const DIGITS: &[u8; 18] = b"0123456789abcdefF\0";
    let mut random = Random::new(0xC910);
    let mut whole = 0;
    for round in 0..20_000 {
        let mut bytes = [GNU, GNU_WITH_SUMS, BSD][round % 3].to_vec();
        for _ in 0..=random.index(4) {
            let at = random.index(bytes.len());
            match random.below(8) {
                0 => bytes.truncate(at + 1),
                1 => bytes.rotate_left(at),
                2 | 3 => bytes[at] = random.next_u64().to_le_bytes()[0],
                _ => bytes[at] = DIGITS[random.index(DIGITS.len())],
            }
        }
        whole += usize::from(check_promises(&bytes).is_ok());
    }
    assert!((2_000..18_000).contains(&whole), "{whole}: both were tried");
}
