//! Files searched in the directories of a path.

use c_interface::{Ptr, exports};
use nt_abi::NtStatus;
use nt_abi::native::UnicodeString;
use rtl::dos_path::{DosPath, Kind, kind};
use rtl::{NoMemory, Utf16Str, Utf16String};

use super::full_paths::{Targets, answer, full};
use super::{files, terminated};
use crate::strings::units;

const SEPARATOR: u16 = b'\\' as u16;

/// Whether a name says where it is: then it is not searched.
fn has_place(name: &[u16]) -> bool {
    let dots = name
        .iter()
        .take_while(|unit| **unit == u16::from(b'.'))
        .count();
    let is_separator = |unit: Option<&u16>| matches!(unit, Some(0x2F | 0x5C));
    kind(name) != Kind::Relative || matches!(dots, 1 | 2) && is_separator(name.get(dots))
}

/// Whether a name has an extension already.
fn has_extension(name: &[u16]) -> bool {
    let last = name
        .iter()
        .rposition(|unit| matches!(*unit, 0x2E | 0x2F | 0x5C));
    last.is_some_and(|at| name[at] == u16::from(b'.'))
}

fn joined(directory: &[u16], name: &[u16], extension: &[u16]) -> Result<Utf16String, NoMemory> {
    let mut path = Utf16String::new();
    path.push(Utf16Str::new(directory))?;
    if directory
        .last()
        .is_some_and(|last| !matches!(*last, 0x2F | 0x5C))
    {
        path.push_unit(SEPARATOR)?;
    }
    path.push(Utf16Str::new(name))?;
    path.push(Utf16Str::new(extension))?;
    Ok(path)
}

/// The full path of a file in the first directory that has it.
fn search(directories: &[u16], name: &[u16], extension: &[u16]) -> Result<DosPath, NtStatus> {
    let found = |path: Result<Utf16String, NoMemory>| {
        let path = path.map_err(|_| NtStatus::NO_MEMORY)?;
        let units = path.as_str();
        if files::exists(units.units()) {
            full(units.units()).map(Some)
        } else {
            Ok(None)
        }
    };
    if has_place(name) {
        // As it is, and then with the extension.
        for extension in [&[], extension] {
            if let Some(path) = found(joined(&[], name, extension))? {
                return Ok(path);
            }
        }
        return Err(NtStatus::NO_SUCH_FILE);
    }
    let extension = if has_extension(name) { &[] } else { extension };
    for directory in directories.split(|unit| *unit == u16::from(b';')) {
        if directory.is_empty() {
            continue;
        }
        if let Some(path) = found(joined(directory, name, extension))? {
            return Ok(path);
        }
    }
    Err(NtStatus::NO_SUCH_FILE)
}

exports! {
    /// Writes the full path of a file in the first of several directories that has it, which are separated by semicolons. The
    /// extension is added to names without one. Room and result are as of `RtlGetFullPathName_U`; 0: no directory has it.
    fn RtlDosSearchPath_U(
        directories: Ptr<u16>,
        name: Ptr<u16>,
        extension: Ptr<u16>,
        room: u32,
        to: Ptr<u16>,
        file_part: Ptr<Ptr<u16>>,
    ) -> u32 {
        match search(terminated(directories), terminated(name), terminated(extension)) {
            Ok(path) => answer(&path, room, to, file_part),
            Err(_) => 0,
        }
    }

    /// As `RtlDosSearchPath_U`, into the caller's string or one with a buffer of its own.
    ///
    /// # Errors
    /// `NO_SUCH_FILE`: no directory has it. `BUFFER_TOO_SMALL`, `NAME_TOO_LONG`, `NO_MEMORY`.
    ///
    /// # Differs
    /// No flag changes anything.
    fn RtlDosSearchPath_Ustr(
        _flags: u32,
        directories: Ptr<UnicodeString>,
        name: Ptr<UnicodeString>,
        extension: Ptr<UnicodeString>,
        own: Ptr<UnicodeString>,
        dynamic: Ptr<UnicodeString>,
        used: Ptr<Ptr<UnicodeString>>,
        prefix_length: Ptr<usize>,
        needed: Ptr<usize>,
    ) -> NtStatus {
        let extension = extension.non_null().map_or(&[][..], units);
        match search(units(directories), units(name), extension) {
            Ok(path) => Targets { own, dynamic, used, prefix_length, needed }.put(&path),
            Err(status) => status,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::RtlDoesFileExists_U;
    use super::super::testing::begin;
    use super::*;
    use crate::strings::testing::{Room, contents, unicode, wide};

    #[test]
    fn the_first_directory_that_has_it() {
        let files = begin("C:\\windows\\");
        files.add(r"\??\C:\windows\system32\kernel32.dll");
        files.add(r"\??\C:\other\kernel32.dll");
        files.add(r"\??\C:\windows\x.exe");
        let to = Room::filled(0_u16, 60);
        let mut file = Ptr::NULL;
        let mut search = |directories: &str, name: &str, extension: &str| {
            let (directories, name, extension) = (wide(directories), wide(name), wide(extension));
            let length = RtlDosSearchPath_U(
                directories.ptr(),
                name.ptr(),
                extension.ptr(),
                120,
                to.ptr(),
                Ptr::of(&mut file),
            );
            (length != 0).then(|| (length, to.text()))
        };
        let system = Some((64, r"C:\windows\system32\kernel32.dll".into()));
        assert_eq!(
            search(r"C:\;C:\windows\system32;;x", "kernel32", ".dll"),
            system
        );
        assert_eq!(
            search(r"C:\windows\system32\;C:\other", "KERNEL32.DLL", ".exe").map(|found| found.0),
            Some(64)
        );
        assert_eq!(
            search("C:\\windows", r"system32\kernel32.dll", "").map(|found| found.0),
            Some(64)
        );
        assert_eq!(search("C:\\", "kernel32", ".dll"), None);
        assert_eq!(
            search("", r"c:\other\kernel32", ".dll").map(|found| found.0),
            Some(42)
        );
        assert_eq!(
            search("", r".\x", ".exe"),
            Some((32, r"C:\windows\x.exe".into()))
        );
        assert_eq!(
            search("C:\\other", r".\kernel32.dll", ""),
            None,
            "a place is not searched"
        );
        assert_eq!(RtlDoesFileExists_U(wide("x.exe").ptr()), 1);
        assert_eq!(RtlDoesFileExists_U(wide("y.exe").ptr()), 0);
        assert_eq!(RtlDoesFileExists_U(wide("").ptr()), 0);
    }

    #[test]
    fn strings_say_what_is_needed() {
        let files = begin("C:\\windows\\");
        files.add(r"\??\C:\other\a.dll");
        let own = unicode("", 8);
        let (mut prefix, mut needed, mut dynamic, mut used) =
            (0, 0, UnicodeString::default(), Ptr::NULL);
        let mut search = |name: &str, dynamic: Ptr<UnicodeString>| {
            RtlDosSearchPath_Ustr(
                0,
                unicode(r"C:\x;C:\other", 26).ptr(),
                unicode(name, 20).ptr(),
                unicode(".dll", 8).ptr(),
                own.ptr(),
                dynamic,
                Ptr::of(&mut used),
                Ptr::of(&mut prefix),
                Ptr::of(&mut needed),
            )
        };
        assert_eq!(search("a", Ptr::NULL), NtStatus::BUFFER_TOO_SMALL);
        assert_eq!(search("a", Ptr::of(&mut dynamic)), NtStatus::SUCCESS);
        assert_eq!(search("b", Ptr::NULL), NtStatus::NO_SUCH_FILE);
        assert_eq!((prefix, needed), (9, 30));
        assert_eq!(contents(&dynamic), r"C:\other\a.dll");
        crate::strings::making::RtlFreeUnicodeString(Ptr::of(&mut dynamic));
    }
}
