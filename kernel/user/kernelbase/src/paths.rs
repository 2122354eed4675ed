//! Paths: the current directory, full names, where the system and its temporary files are, searching.

use alloc::vec::Vec;

use nt_abi::native::UnicodeString;
use nt_abi::user_shared_data::KuserSharedData;
use ntdll_imports::{
    LdrGetDllDirectory, LdrSetDllDirectory, RtlGetCurrentDirectory_U, RtlGetFullPathName_U,
    RtlSetCurrentDirectory_U,
};

use crate::files;
use crate::modules;
use crate::startup;
use crate::wide::{self, Wide};
use crate::win::*;

/// `MAX_PATH`.
pub(crate) const MAX_PATH: usize = 260;
/// The most units that a path can have.
const LONGEST: usize = 0x7FFF;
const BACKSLASH: u16 = b'\\' as u16;
const SLASH: u16 = b'/' as u16;
const COLON: u16 = b':' as u16;
const DOT: u16 = b'.' as u16;

/// Appends a text of ASCII.
fn append(path: &mut Vec<u16>, text: &str) {
    path.extend(text.encode_utf16());
}

/// The Windows directory.
pub(crate) fn windows_directory() -> Vec<u16> {
    let place = field!(shared_data(), KuserSharedData, nt_system_root).cast::<u16>();
    wide::units(place).to_vec()
}

/// The system directory.
pub(crate) fn system_directory() -> Vec<u16> {
    let mut path = windows_directory();
    append(&mut path, r"\system32");
    path
}

/// The current directory, with a backslash at its end only if it is a root.
fn current_directory() -> Win<Vec<u16>> {
    let mut room = wide::room::<u16>(MAX_PATH)?;
    loop {
        let capacity = u32::try_from(room.len() * 2).unwrap_or(u32::MAX);
        let bytes = RtlGetCurrentDirectory_U(capacity, wide::place(&mut room)) as usize;
        if bytes < room.len() * 2 {
            room.truncate(bytes / 2);
            return Ok(room);
        }
        room = wide::room(bytes / 2 + 1)?;
    }
}

/// The full path of a name.
pub(crate) fn full_path(name: &Wide) -> Win<Vec<u16>> {
    let mut room = wide::room::<u16>(MAX_PATH)?;
    loop {
        let capacity = u32::try_from(room.len() * 2).unwrap_or(u32::MAX);
        let bytes =
            RtlGetFullPathName_U(name.ptr(), capacity, wide::place(&mut room), Ptr::NULL) as usize;
        if bytes == 0 {
            return Err(Error::INVALID_NAME);
        }
        if bytes < room.len() * 2 {
            room.truncate(bytes / 2);
            return Ok(room);
        }
        room = wide::room(bytes / 2 + 1)?;
    }
}

const fn is_separator(unit: u16) -> bool {
    unit == BACKSLASH || unit == SLASH
}

/// Where the last part of a path begins; `None`: it ends in a backslash.
fn last_part(path: &[u16]) -> Option<usize> {
    let at = path
        .iter()
        .rposition(|&unit| unit == BACKSLASH)
        .map_or(0, |at| at + 1);
    (at < path.len()).then_some(at)
}

/// Whether a name says itself where it is: with a drive, a separator, or a dot and a separator at its beginning.
fn has_place(name: &[u16]) -> bool {
    let dots = name.iter().take_while(|&&unit| unit == DOT).count();
    let relative =
        (1..=2).contains(&dots) && name.get(dots).is_some_and(|&unit| is_separator(unit));
    let drive = name.get(1) == Some(&COLON);
    let rooted = name.first().is_some_and(|&unit| is_separator(unit));
    relative || drive || rooted
}

/// Whether the last part of a name has an extension.
fn has_extension(name: &[u16]) -> bool {
    name.iter()
        .rev()
        .take_while(|&&unit| !is_separator(unit))
        .any(|&unit| unit == DOT)
}

/// The directories in which a program or a file is searched: the program's own, the current one, the system's, those of `PATH`.
pub(crate) fn search_path() -> Win<Vec<u16>> {
    let separator = u16::from(b';');
    let mut path = Vec::new();
    modules::with_path(Ptr::NULL, |program| {
        let end = program
            .iter()
            .rposition(|&unit| unit == BACKSLASH)
            .unwrap_or(0);
        path.extend_from_slice(&program[..end]);
    })?;
    append(&mut path, ";.;");
    path.extend(system_directory());
    path.push(separator);
    let windows = windows_directory();
    path.extend_from_slice(&windows);
    append(&mut path, r"\system;");
    path.extend_from_slice(&windows);
    if let Ok(further) = startup::whole_variable(&wide::ascii("PATH")) {
        path.push(separator);
        path.extend(further);
    }
    Ok(path)
}

/// Finds a file in directories between semicolons; gives its full path.
pub(crate) fn search(path: &[u16], name: &[u16], extension: &[u16]) -> Win<Vec<u16>> {
    let with_extension = |base: &[u16]| {
        let mut whole = base.to_vec();
        whole.extend_from_slice(name);
        if !has_extension(name) {
            whole.extend_from_slice(extension);
        }
        whole
    };
    let try_one = |candidate: &[u16]| -> Win<Option<Vec<u16>>> {
        let candidate = Wide::from_units(candidate)?;
        if files::exists(candidate.ptr()) {
            return full_path(&candidate).map(Some);
        }
        Ok(None)
    };
    if has_place(name) {
        let found = match try_one(name)? {
            Some(found) => Some(found),
            None => try_one(&with_extension(&[]))?,
        };
        return found.ok_or(Error::FILE_NOT_FOUND);
    }
    for directory in path.split(|&unit| unit == u16::from(b';')) {
        let directory: Vec<u16> = directory
            .iter()
            .copied()
            .filter(|&unit| unit != u16::from(b'"'))
            .collect();
        let Some(&last) = directory.last() else {
            continue;
        };
        let mut base = directory;
        if !is_separator(last) {
            base.push(BACKSLASH);
        }
        if let Some(found) = try_one(&with_extension(&base))? {
            return Ok(found);
        }
    }
    Err(Error::FILE_NOT_FOUND)
}

/// The directory of temporary files, with a backslash at its end.
fn temporary_directory() -> Vec<u16> {
    let named = ["TMP", "TEMP", "USERPROFILE"].into_iter().find_map(|name| {
        startup::whole_variable(&wide::ascii(name))
            .ok()
            .filter(|value| !value.is_empty())
    });
    let mut path = named.unwrap_or_else(windows_directory);
    if let Ok(full) = Wide::from_units(&path).and_then(|name| full_path(&name)) {
        path = full;
    }
    if path.last() != Some(&BACKSLASH) {
        path.push(BACKSLASH);
    }
    path
}

/// A name of a temporary file: a directory, up to three letters, a number in hexadecimal, `.tmp`.
fn temporary_name(directory: &[u16], prefix: &[u16], number: u16) -> Vec<u16> {
    let mut path = directory.to_vec();
    if path.last().is_some_and(|&unit| !is_separator(unit)) {
        path.push(BACKSLASH);
    }
    path.extend(prefix.iter().take(3));
    let digits = rtl::numerals::Digits::new(u64::from(number), 16, rtl::numerals::Letters::Capital);
    path.extend(digits.as_bytes().iter().map(|&digit| u16::from(digit)));
    append(&mut path, ".tmp");
    path
}

/// Makes a file of a temporary name, or with a number only the name.
fn temporary_file(directory: &[u16], prefix: &[u16], number: u32) -> Win<(u16, Vec<u16>)> {
    let [a, b, ..] = number.to_le_bytes();
    let number = u16::from_le_bytes([a, b]);
    if number != 0 {
        return Ok((number, temporary_name(directory, prefix, number)));
    }
    let [a, b, ..] = crate::time::GetTickCount().to_le_bytes();
    let mut number = u16::from_le_bytes([a, b]);
    for _ in 0..=u16::MAX {
        number = number.wrapping_add(1).max(1);
        let path = temporary_name(directory, prefix, number);
        let name = Wide::from_units(&path)?;
        match files::create_new(name.ptr()) {
            Ok(()) => return Ok((number, path)),
            Err(Error::FILE_EXISTS | Error::ALREADY_EXISTS | Error::ACCESS_DENIED) => {}
            Err(Error::PATH_NOT_FOUND) => return Err(Error::DIRECTORY),
            Err(error) => return Err(error),
        }
    }
    Err(Error::FILE_EXISTS)
}

/// Gives a path, and where its last part begins in it.
fn give_full(path: &[u16], into: Ptr<u16>, capacity: u32, part: Ptr<usize>) -> u32 {
    let told = wide::give(path, into, capacity);
    if !part.is_null() {
        let fits = (told as usize) == path.len() && !into.is_null();
        let at = last_part(path).filter(|_| fits);
        part.write(at.map_or(0, |at| into.add(at).address()));
    }
    told
}

fn give_full_ansi(path: &[u16], into: Ptr<u8>, capacity: u32, part: Ptr<usize>) -> u32 {
    let told = wide::give_ansi(path, into, capacity);
    if !part.is_null() {
        let fits = told < capacity && !into.is_null();
        let at = last_part(path).filter(|_| fits);
        part.write(at.map_or(0, |at| into.add(wide::ansi_length(&path[..at])).address()));
    }
    told
}

fn set_current(path: &[u16]) -> Win {
    let path = wide::counted(path)?;
    check(RtlSetCurrentDirectory_U(Ptr::of_shared(&path)))
}

/// The directory that is searched instead of the current one.
fn dll_directory() -> Win<Vec<u16>> {
    let mut room = wide::room::<u16>(LONGEST)?;
    let mut path = UnicodeString {
        length: 0,
        maximum_length: u16::MAX - 1,
        buffer: wide::place(&mut room).raw(),
        ..UnicodeString::default()
    };
    check(LdrGetDllDirectory(Ptr::of(&mut path)))?;
    room.truncate(usize::from(path.length / 2));
    Ok(room)
}

fn set_dll_directory(path: Option<&[u16]>) -> Win {
    let path = path.map(wide::counted).transpose()?;
    check(LdrSetDllDirectory(
        path.as_ref().map_or(Ptr::NULL, Ptr::of_shared),
    ))
}

/// What a function returns that gives a path.
fn told(path: Win<Vec<u16>>, give: impl FnOnce(&[u16]) -> u32) -> u32 {
    answer(path.map(|path| give(&path)), 0)
}

exports! {
    /// The current directory: its length, or the room it needs.
    fn GetCurrentDirectoryW(capacity: u32, into: Ptr<u16>) -> u32 {
        told(current_directory(), |path| wide::give(path, into, capacity))
    }

    /// The current directory: its length, or the room it needs.
    fn GetCurrentDirectoryA(capacity: u32, into: Ptr<u8>) -> u32 {
        told(current_directory(), |path| wide::give_ansi(path, into, capacity))
    }

    /// Sets the current directory.
    fn SetCurrentDirectoryW(path: Ptr<u16>) -> Bool {
        truth(set_current(wide::units(path)))
    }

    /// Sets the current directory.
    fn SetCurrentDirectoryA(path: Ptr<u8>) -> Bool {
        truth(Wide::from_ansi(path).and_then(|path| set_current(path.units())))
    }

    /// The full path of a name, and where its last part begins.
    fn GetFullPathNameW(name: Ptr<u16>, capacity: u32, into: Ptr<u16>, part: Ptr<usize>) -> u32 {
        let path = Wide::from_units(wide::units(name)).and_then(|name| full_path(&name));
        told(path, |path| give_full(path, into, capacity, part))
    }

    /// The full path of a name, and where its last part begins.
    fn GetFullPathNameA(name: Ptr<u8>, capacity: u32, into: Ptr<u8>, part: Ptr<usize>) -> u32 {
        let path = Wide::from_ansi(name).and_then(|name| full_path(&name));
        told(path, |path| give_full_ansi(path, into, capacity, part))
    }

    /// The system directory: its length, or the room it needs.
    fn GetSystemDirectoryW(into: Ptr<u16>, capacity: u32) -> u32 {
        wide::give(&system_directory(), into, capacity)
    }

    /// The system directory: its length, or the room it needs.
    fn GetSystemDirectoryA(into: Ptr<u8>, capacity: u32) -> u32 {
        wide::give_ansi(&system_directory(), into, capacity)
    }

    /// The Windows directory: its length, or the room it needs.
    fn GetWindowsDirectoryW(into: Ptr<u16>, capacity: u32) -> u32 {
        wide::give(&windows_directory(), into, capacity)
    }

    /// The Windows directory: its length, or the room it needs.
    fn GetWindowsDirectoryA(into: Ptr<u8>, capacity: u32) -> u32 {
        wide::give_ansi(&windows_directory(), into, capacity)
    }

    /// The Windows directory of the system: its length, or the room it needs.
    fn GetSystemWindowsDirectoryW(into: Ptr<u16>, capacity: u32) -> u32 {
        wide::give(&windows_directory(), into, capacity)
    }

    /// The Windows directory of the system: its length, or the room it needs.
    fn GetSystemWindowsDirectoryA(into: Ptr<u8>, capacity: u32) -> u32 {
        wide::give_ansi(&windows_directory(), into, capacity)
    }

    /// The directory of temporary files: its length, or the room it needs.
    fn GetTempPathW(capacity: u32, into: Ptr<u16>) -> u32 {
        wide::give(&temporary_directory(), into, capacity)
    }

    /// The directory of temporary files: its length, or the room it needs.
    fn GetTempPathA(capacity: u32, into: Ptr<u8>) -> u32 {
        wide::give_ansi(&temporary_directory(), into, capacity)
    }

    /// The directory of temporary files: its length, or the room it needs.
    fn GetTempPath2W(capacity: u32, into: Ptr<u16>) -> u32 {
        wide::give(&temporary_directory(), into, capacity)
    }

    /// The directory of temporary files: its length, or the room it needs.
    fn GetTempPath2A(capacity: u32, into: Ptr<u8>) -> u32 {
        wide::give_ansi(&temporary_directory(), into, capacity)
    }

    /// Makes a temporary file, or with a number of the caller's only its name; gives the number.
    fn GetTempFileNameW(directory: Ptr<u16>, prefix: Ptr<u16>, number: u32, into: Ptr<u16>) -> u32 {
        let made = temporary_file(wide::units(directory), wide::units(prefix), number);
        answer(made.map(|(number, path)| {
            into.write_array(&path);
            into.add(path.len()).write(0);
            u32::from(number)
        }), 0)
    }

    /// Makes a temporary file, or with a number of the caller's only its name; gives the number.
    fn GetTempFileNameA(directory: Ptr<u8>, prefix: Ptr<u8>, number: u32, into: Ptr<u8>) -> u32 {
        let made = Wide::from_ansi(directory).and_then(|directory| {
            let prefix = Wide::from_ansi(prefix)?;
            temporary_file(directory.units(), prefix.units(), number)
        });
        answer(made.map(|(number, path)| {
            wide::give_ansi(&path, into, u32::MAX);
            u32::from(number)
        }), 0)
    }

    /// Finds a file in directories, those of programs if none are named; gives its path and where its last part begins.
    fn SearchPathW(path: Ptr<u16>, name: Ptr<u16>, extension: Ptr<u16>, capacity: u32, into: Ptr<u16>, part: Ptr<usize>) -> u32 {
        let found = || {
            if name.is_null() || name.read() == 0 {
                return Err(Error::INVALID_PARAMETER);
            }
            let usual = if path.is_null() { search_path()? } else { Vec::new() };
            let path = path.non_null().map_or(usual.as_slice(), wide::units);
            search(path, wide::units(name), wide::units(extension))
        };
        told(found(), |path| give_full(path, into, capacity, part))
    }

    /// Finds a file in directories, those of programs if none are named; gives its path and where its last part begins.
    fn SearchPathA(path: Ptr<u8>, name: Ptr<u8>, extension: Ptr<u8>, capacity: u32, into: Ptr<u8>, part: Ptr<usize>) -> u32 {
        let found = || {
            let (wide_name, wide_extension) = (Wide::from_ansi(name)?, Wide::from_ansi(extension)?);
            if wide_name.units().is_empty() {
                return Err(Error::INVALID_PARAMETER);
            }
            let directories = if path.is_null() { search_path()? } else { Wide::from_ansi(path)?.units().to_vec() };
            search(&directories, wide_name.units(), wide_extension.units())
        };
        told(found(), |path| give_full_ansi(path, into, capacity, part))
    }

    /// Whether a program is searched in the current directory too.
    fn NeedCurrentDirectoryForExePathW(name: Ptr<u16>) -> Bool {
        let has_separator = wide::units(name).contains(&BACKSLASH);
        let forbidden = startup::whole_variable(&wide::ascii("NoDefaultCurrentDirectoryInExePath"));
        Bool::from(has_separator || forbidden.is_err())
    }

    /// Whether a program is searched in the current directory too.
    fn NeedCurrentDirectoryForExePathA(name: Ptr<u8>) -> Bool {
        let name = Wide::from_ansi(name).unwrap_or_default();
        NeedCurrentDirectoryForExePathW(name.ptr())
    }

    /// The directory that is searched for DLLs instead of the current one: its length, or the room it needs.
    fn GetDllDirectoryW(capacity: u32, into: Ptr<u16>) -> u32 {
        told(dll_directory(), |path| wide::give(path, into, capacity))
    }

    /// The directory that is searched for DLLs instead of the current one: its length, or the room it needs.
    fn GetDllDirectoryA(capacity: u32, into: Ptr<u8>) -> u32 {
        told(dll_directory(), |path| wide::give_ansi(path, into, capacity))
    }

    /// Sets the directory that is searched for DLLs instead of the current one.
    fn SetDllDirectoryW(path: Ptr<u16>) -> Bool {
        truth(set_dll_directory(path.non_null().map(wide::units)))
    }

    /// Sets the directory that is searched for DLLs instead of the current one.
    fn SetDllDirectoryA(path: Ptr<u8>) -> Bool {
        truth(Wide::from_ansi(path).and_then(|text| set_dll_directory(path.non_null().map(|_| text.units()))))
    }

    /// Whether and how safely paths are searched: it is the same for all.
    fn SetSearchPathMode(_flags: u32) -> Bool {
        TRUE
    }
}
