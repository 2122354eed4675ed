//! Paths and what Windows makes of them, as Wine's conformance tests record it.

extern crate std;

use std::string::String;
use std::vec::Vec;

use super::*;
use crate::{Random, Utf16Str};

/// A process in `C:\windows`, or elsewhere.
struct Process {
    current: Vec<u16>,
    drives: Vec<(u16, Vec<u16>)>,
}

impl CurrentDirectories for Process {
    fn current(&self) -> Utf16Str<'_> {
        Utf16Str::new(&self.current)
    }

    fn of_drive(&self, letter: u16) -> Option<Utf16Str<'_>> {
        let drive = self.drives.iter().find(|drive| drive.0 == letter)?;
        Some(Utf16Str::new(&drive.1))
    }
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn text(units: Utf16Str<'_>) -> String {
    String::from_utf16(units.units()).unwrap()
}

fn process(current: &str) -> Process {
    Process {
        current: units(current),
        drives: std::vec![(u16::from(b'D'), units(r"D:\games\doom"))],
    }
}

fn full(current: &str, path: &str) -> Option<(String, Option<String>)> {
    let full = full_path(&units(path), &process(current)).unwrap()?;
    let file = full
        .file_part
        .map(|start| text(Utf16Str::new(&full.path.as_str().units()[start..])));
    Some((text(full.path.as_str()), file))
}

#[test]
fn kinds() {
    for (path, expected) in [
        (r"\\foo", 1),
        ("//foo", 1),
        (r"\/foo", 1),
        (r"\\", 1),
        (r"c:\foo", 2),
        ("c://foo", 2),
        ("c:/", 2),
        ("c:foo", 3),
        (r"c:f\oo", 3),
        (r"\foo", 4),
        ("/", 4),
        ("foo", 5),
        ("", 5),
        (r"\\.\foo", 6),
        (r"/\./foo", 6),
        (r"\\.foo", 1),
        (r"\\.", 7),
        ("//?/foo", 6),
        (r"\\?foo", 1),
        ("//?", 7),
        ("CONIN$", 5),
        (r"\\.\CONOUT$", 6),
    ] {
        assert_eq!(kind(&units(path)) as u32, expected, "{path}");
    }
}

#[test]
fn devices() {
    // Where the name begins and how long it is, in bytes.
    for (path, start, length) in [
        (r"\\.\CON", 8, 6),
        (r"\\.\con", 8, 6),
        (r"\\.\CON2", 0, 0),
        (r"\\.\CONIN$", 0, 0),
        ("", 0, 0),
        (r"\\foo\nul", 0, 0),
        (r"c:\nul:", 6, 6),
        (r"c:\nul\", 0, 0),
        (r"c:\nul\foo", 0, 0),
        (r"c:\nul::", 6, 6),
        (r"c:\nul::::::", 6, 6),
        ("c:prn     ", 4, 6),
        ("c:prn.......", 4, 6),
        ("c:prn... ...", 4, 6),
        ("c:NUL  ....  ", 4, 6),
        ("c: . . .", 0, 0),
        ("c:", 0, 0),
        (" . . . :", 0, 0),
        (":", 0, 0),
        ("c:nul. . . :", 4, 6),
        ("c:nul . . :", 4, 6),
        ("c:nul0", 0, 0),
        ("c:prn:aaa", 4, 6),
        ("c:PRN:.txt", 4, 6),
        ("c:aux:.txt...", 4, 6),
        ("c:prn:.txt:", 4, 6),
        ("con:", 0, 6),
        ("lpt1:", 0, 8),
        ("c:com5:", 4, 8),
        ("CoM4:", 0, 8),
        ("lpt9:", 0, 8),
        (r"c:\lpt0.txt", 0, 0),
        ("CONIN$", 0, 12),
        ("CONOUT$", 0, 14),
        ("CONERR$", 0, 0),
        ("CON", 0, 6),
        ("PIPE", 0, 0),
        (r"\??\CONIN$", 8, 12),
        (r"\??\CON", 8, 6),
    ] {
        let found =
            device(&units(path)).map_or((0, 0), |device| (device.start * 2, device.length * 2));
        assert_eq!(found, (start, length), "{path}");
    }
}

#[test]
fn full_paths() {
    for (path, expected, file) in [
        ("c:/test", r"c:\test", Some("test")),
        ("c:/test/", r"c:\test\", None),
        ("c:/test     ", r"c:\test", Some("test")),
        ("c:/test.", r"c:\test", Some("test")),
        ("c:/test  ....   ..   ", r"c:\test", Some("test")),
        ("c:/test/  ....   ..   ", r"c:\test\", None),
        ("c:/test/..", r"c:\", None),
        ("c:/test/.. ", r"c:\test\", None),
        ("c:/test/file", r"c:\test\file", Some("file")),
        ("c:/test./file", r"c:\test\file", Some("file")),
        ("c:/test.. /file", r"c:\test.. \file", Some("file")),
        ("c:/test/././file", r"c:\test\file", Some("file")),
        (r"c:/test/\.\.\file", r"c:\test\file", Some("file")),
        (r"c:/test\test1\..\.\file", r"c:\test\file", Some("file")),
        (r"c:///test\.\.\file//", r"c:\test\file\", None),
        (r"c:///test\..\file\..\//", r"c:\", None),
        // Since Vista; before, one dot went.
        ("c:/test../file", r"c:\test..\file", Some("file")),
        ("c:/", r"c:\", None),
        ("c:.", r"C:\windows", Some("windows")),
        ("c:foo", r"C:\windows\foo", Some("foo")),
        ("c:foo/bar", r"C:\windows\foo\bar", Some("bar")),
        ("c:./foo", r"C:\windows\foo", Some("foo")),
        (r"\foo", r"C:\foo", Some("foo")),
        ("foo", r"C:\windows\foo", Some("foo")),
        (".", r"C:\windows", Some("windows")),
        ("..", r"C:\", None),
        ("...", r"C:\windows\", None),
        ("./foo", r"C:\windows\foo", Some("foo")),
        ("./", r"C:\windows\", None),
        ("foo/..", r"C:\windows", Some("windows")),
        (r"\windows\nul", r"\\.\nul", None),
        (r"C:\nonexistent\nul", r"\\.\nul", None),
        ("C:NUL.", r"\\.\NUL", None),
        ("COM1", r"\\.\COM1", None),
        (r#"?<>*"|:"#, r#"C:\windows\?<>*"|:"#, Some(r#"?<>*"|:"#)),
        ("?:", r"?:\", None),
        (r"\\foo", r"\\foo", None),
        (r"\/foo", r"\\foo", None),
        ("//", r"\\", None),
        ("//foo/", r"\\foo\", None),
        ("//.", r"\\.\", None),
        ("//./", r"\\.\", None),
        ("//.//", r"\\.\", None),
        ("//./foo", r"\\.\foo", Some("foo")),
        ("//./foo/", r"\\.\foo\", None),
        ("//./foo/bar", r"\\.\foo\bar", Some("bar")),
        ("//./foo/.", r"\\.\foo", Some("foo")),
        ("//./foo/..", r"\\.\", None),
        ("//?/foo/bar", r"\\?\foo\bar", Some("bar")),
        ("//?/foo/..", r"\\?\", None),
        ("CONIN$", r"\\.\CONIN$", None),
        (r"\??\foo", r"C:\??\foo", Some("foo")),
    ] {
        let got = full(r"C:\windows\", path).unwrap();
        assert_eq!(
            (got.0.as_str(), got.1.as_deref()),
            (expected, file),
            "{path}"
        );
        assert_eq!(full(r"C:\windows", path).unwrap(), got, "{path}");
    }
    assert_eq!(full(r"C:\", ""), None);
    assert_eq!(full(r"C:\", "  "), None);
}

#[test]
fn other_beginnings() {
    for (current, path, expected) in [
        (r"\\server\share\dir", r"\x", r"\\server\share\x"),
        (r"\\server\share\dir", r"..\..\..\x", r"\\server\share\x"),
        (r"\\server\share\dir", "..", r"\\server\share\"),
        (r"\\server\share", "x", r"\\server\share\x"),
        (r"\\server\share", ".", r"\\server\share\"),
        (r"C:\windows", r"\\server\share\..", r"\\server\share\"),
        (r"C:\windows", r"\\server\share", r"\\server\share"),
        (r"C:\windows", r"\\server\..\x", r"\\server\..\x"),
        (r"C:\windows", r"\\foo.\bar.\x.\y", r"\\foo.\bar.\x\y"),
        (r"C:\windows", r"\\foo\bar. ", r"\\foo\bar. "),
        (r"C:\windows", r"c:\a. \b", r"c:\a. \b"),
        (r"C:\windows", r"c:\a .\b", r"c:\a \b"),
        (r"C:\windows", r"c:\.a\b.", r"c:\.a\b"),
        (r"C:\windows", " x ", r"C:\windows\ x"),
        (r"C:\windows", r"c:\ \x", r"c:\ \x"),
        (r"C:\", "x", r"C:\x"),
        (r"C:\windows", "d:x", r"D:\games\doom\x"),
        (r"C:\windows", "d:", r"D:\games\doom\"),
        (r"C:\windows", "e:x", r"e:\x"),
        (
            r"C:\windows",
            r"\\server\share\a\..\..\b",
            r"\\server\share\b",
        ),
        (r"\\?\C:\deep", "x", r"\\?\C:\deep\x"),
    ] {
        assert_eq!(full(current, path).unwrap().0, expected, "{current} {path}");
    }
}

#[test]
fn names_in_nts_namespace() {
    for (path, expected, file) in [
        (r"c:\", r"\??\c:\", None),
        ("c:/foo", r"\??\c:\foo", Some(7)),
        ("c:/foo . .", r"\??\c:\foo", Some(7)),
        ("c:/foo*a", r"\??\c:\foo*a", Some(7)),
        ("c:/foo//", r"\??\c:\foo\", None),
        ("C:/foo/bar", r"\??\C:\foo\bar", Some(11)),
        ("c:/..", r"\??\c:\", None),
        ("c:/foo/../bar", r"\??\c:\bar", Some(7)),
        ("foo", r"\??\C:\windows\foo", Some(15)),
        (r"\windows\nul", r"\??\nul", None),
        ("AUX", r"\??\AUX", None),
        ("?:", r"\??\?:\", None),
        (r"\\foo", r"\??\UNC\foo", None),
        ("//", r"\??\UNC\", None),
        ("//foo/", r"\??\UNC\foo\", None),
        (r"\\server\share\x", r"\??\UNC\server\share\x", Some(21)),
        ("//.", r"\??\", None),
        ("//.//", r"\??\", None),
        ("//./foo", r"\??\foo", Some(4)),
        ("//./foo/bar", r"\??\foo\bar", Some(8)),
        ("//./foo. . ", r"\??\foo", Some(4)),
        ("//?", r"\??\", None),
        ("//?/foo/.", r"\??\foo", Some(4)),
        (r"\\.\foo/bar", r"\??\foo\bar", Some(8)),
        (r"\\.\CON", r"\??\CON", None),
        (r"\\.\CONIN$", r"\??\CONIN$", Some(4)),
        (r"\\?", r"\??\", None),
        (r"\\?\", r"\??\", None),
        (r"\\?\/", r"\??\/", Some(4)),
        (r"\\?\foo/bar", r"\??\foo/bar", Some(4)),
        (r"\\?\foo/..", r"\??\foo/..", Some(4)),
        (r"\\?\\", r"\??\\", None),
        (r"\\?\foo\.", r"\??\foo\.", Some(8)),
        (r"\\?\foo. . ", r"\??\foo. . ", Some(4)),
        (r"\??", r"\??\C:\??", Some(7)),
        (r"\??\", r"\??\C:\??\", None),
        (r"\??\foo/bar", r"\??\foo/bar", Some(4)),
        (r"\??\foo\bar", r"\??\foo\bar", Some(8)),
        (r"\??\\", r"\??\\", None),
        ("cOnOuT$", r"\??\cOnOuT$", None),
        ("CONERR$", r"\??\C:\windows\CONERR$", Some(15)),
    ] {
        let got = nt_path(&units(path), &process(r"C:\windows\"))
            .unwrap()
            .unwrap();
        // Windows gives no file part for a device's name, and its own tests differ on the console's.
        let file_part = if path == r"\\.\CON" {
            None
        } else {
            got.file_part
        };
        assert_eq!(
            (text(got.path.as_str()).as_str(), file_part),
            (expected, file),
            "{path}"
        );
    }
    assert_eq!(nt_path(&units(" "), &process("C:\\")).unwrap(), None);
}

#[test]
fn a_full_path_stays_as_it_is() {
    let mut random = Random::new(23);
    let letters = units("aB.. \\\\/:?c");
    let mut paths = 0;
    for _ in 0..50_000 {
        let path: Vec<u16> = (0..random.index(12))
            .map(|_| letters[random.index(letters.len())])
            .collect();
        let here = process(r"C:\windows");
        let Some(once) = full_path(&path, &here).unwrap() else {
            continue;
        };
        let full = once.path.as_str();
        if kind(&path) == Kind::Unc {
            // Of more separators than two, what is left may be a device's name.
            continue;
        }
        let twice = full_path(full.units(), &here)
            .unwrap()
            .expect("it has text");
        assert_eq!(
            text(twice.path.as_str()),
            text(full),
            "{}",
            text(Utf16Str::new(&path))
        );
        // No component is left that says to go elsewhere, beyond a server's name.
        if kind(full.units()) == Kind::Drive {
            let dots = full
                .units()
                .split(|unit| *unit == BACKSLASH)
                .any(|part| matches!(part, [DOT] | [DOT, DOT]));
            assert!(!dots, "{}", text(full));
        }
        assert!(nt_path(&path, &here).unwrap().is_some());
        paths += 1;
    }
    assert!(paths > 30_000, "{paths}");
}
