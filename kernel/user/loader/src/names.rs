//! Names of DLLs: without a path and with one.
//!
//! Import tables name DLLs by bytes, mostly `KERNEL32.dll`; forwarders leave the extension out. Both become UTF-16 here in a
//! buffer on the stack, since a process start looks up hundreds of them.
//!
//! # Differs
//! Bytes above 127 are taken as Latin-1, not in the system's code page: nothing else names a DLL so.

use nt_abi::{NtResult, NtStatus};
use rtl::{Case, Utf16Str, Utf16String, utf16};

/// The longest name without a path: what a file system can hold, with room for an extension.
const LONGEST: usize = 260;

const BACKSLASH: u16 = b'\\' as u16;
const SLASH: u16 = b'/' as u16;
const COLON: u16 = b':' as u16;
const DOT: u16 = b'.' as u16;

/// A name on the stack.
pub(crate) struct NameBuffer {
    units: [u16; LONGEST],
    length: usize,
}

impl NameBuffer {
    pub(crate) const fn new() -> Self {
        Self {
            units: [0; LONGEST],
            length: 0,
        }
    }

    pub(crate) fn as_str(&self) -> Utf16Str<'_> {
        Utf16Str::new(self.units.get(..self.length).unwrap_or_default())
    }

    fn push(&mut self, unit: u16) -> NtResult {
        *self
            .units
            .get_mut(self.length)
            .ok_or(NtStatus::NAME_TOO_LONG)? = unit;
        self.length += 1;
        Ok(())
    }

    /// Appends text.
    pub(crate) fn append(&mut self, text: Utf16Str<'_>) -> NtResult {
        text.units().iter().try_for_each(|unit| self.push(*unit))
    }

    /// Makes it the name that an import table says, with an extension.
    ///
    /// # Errors
    /// `NAME_TOO_LONG`.
    pub(crate) fn set_import(&mut self, name: &[u8]) -> NtResult {
        self.set_bytes(name)?;
        self.complete()
    }

    /// Makes it the name that a forwarder says: its extension is always left out, and dots belong to the name.
    ///
    /// # Errors
    /// `NAME_TOO_LONG`.
    pub(crate) fn set_forwarder(&mut self, name: &[u8]) -> NtResult {
        self.set_bytes(name)?;
        self.append(EXTENSION)
    }

    /// Makes it a name as somebody gave it, with an extension.
    ///
    /// # Errors
    /// `NAME_TOO_LONG`.
    pub(crate) fn set_text(&mut self, name: Utf16Str<'_>) -> NtResult {
        self.length = 0;
        self.append(name)?;
        self.complete()
    }

    /// Makes it other units.
    ///
    /// # Errors
    /// `NAME_TOO_LONG`.
    pub(crate) fn set_units(&mut self, units: impl Iterator<Item = u16>) -> NtResult {
        self.length = 0;
        for unit in units {
            self.push(unit)?;
        }
        Ok(())
    }

    fn set_bytes(&mut self, name: &[u8]) -> NtResult {
        self.length = 0;
        let room = self
            .units
            .get_mut(..name.len())
            .ok_or(NtStatus::NAME_TOO_LONG)?;
        for (to, from) in room.iter_mut().zip(name) {
            *to = u16::from(*from);
        }
        self.length = name.len();
        Ok(())
    }

    fn complete(&mut self) -> NtResult {
        match extension_of(self.as_str()) {
            Extension::Missing => self.append(EXTENSION),
            Extension::TrailingDot => {
                self.length -= 1;
                Ok(())
            }
            Extension::Given => Ok(()),
        }
    }
}

/// What is appended to a name without an extension.
pub(crate) const EXTENSION: Utf16Str<'static> = utf16!(".dll");

/// What the end of a name says about its extension.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Extension {
    /// There is none: `.dll` is meant.
    Missing,
    /// A dot at the end: none is meant.
    TrailingDot,
    /// There is one.
    Given,
}

/// Looks at the last part of a path.
pub(crate) fn extension_of(name: Utf16Str<'_>) -> Extension {
    let last = base_of(name).units();
    match last.iter().rposition(|unit| *unit == DOT) {
        None => Extension::Missing,
        Some(at) if at + 1 == last.len() => Extension::TrailingDot,
        Some(_) => Extension::Given,
    }
}

/// Whether a unit ends a part of a path.
pub(crate) fn is_separator(unit: u16) -> bool {
    unit == BACKSLASH || unit == SLASH
}

/// The last part of a path.
pub(crate) fn base_of(path: Utf16Str<'_>) -> Utf16Str<'_> {
    let units = path.units();
    let start = units
        .iter()
        .rposition(|unit| is_separator(*unit) || *unit == COLON)
        .map_or(0, |at| at + 1);
    Utf16Str::new(units.get(start..).unwrap_or_default())
}

/// What is before the last part of a path, without the separator.
pub(crate) fn directory_of(path: Utf16Str<'_>) -> Utf16Str<'_> {
    let units = path.units();
    let end = units
        .iter()
        .rposition(|unit| is_separator(*unit))
        .unwrap_or(0);
    Utf16Str::new(units.get(..end).unwrap_or_default())
}

/// What a path begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PathKind {
    /// A name alone.
    Name,
    /// `a\b`: relative to whatever is searched.
    Relative,
    /// `.\b`, `..\b`: relative to the current directory.
    Current,
    /// `C:\b`, `\\server\share\b`, `\\?\C:\b`.
    Absolute,
    /// `\b`: on the current drive.
    Rooted,
    /// `C:b`.
    DriveRelative,
}

/// Tells the kinds of paths apart.
pub(crate) fn kind_of(path: Utf16Str<'_>) -> PathKind {
    let units = path.units();
    let separator = |at: usize| units.get(at).copied().is_some_and(is_separator);
    if separator(0) {
        return if separator(1) {
            PathKind::Absolute
        } else {
            PathKind::Rooted
        };
    }
    if units.get(1) == Some(&COLON) {
        return if separator(2) {
            PathKind::Absolute
        } else {
            PathKind::DriveRelative
        };
    }
    let dots = units.iter().take_while(|unit| **unit == DOT).count();
    if (1..=2).contains(&dots) && separator(dots) {
        return PathKind::Current;
    }
    if units.iter().copied().any(is_separator) {
        PathKind::Relative
    } else {
        PathKind::Name
    }
}

/// Appends a relative path to a directory and takes `.`, `..` and doubled separators out.
///
/// # Errors
/// `NO_MEMORY`.
pub(crate) fn join(directory: Utf16Str<'_>, relative: Utf16Str<'_>) -> NtResult<Utf16String> {
    let mut path = Utf16String::new();
    let root = root_length(directory);
    let units = directory.units();
    path.push(Utf16Str::new(units.get(..root).unwrap_or_default()))
        .map_err(|_| NtStatus::NO_MEMORY)?;
    let rest = units.get(root..).unwrap_or_default();
    for part in rest
        .split(|unit| is_separator(*unit))
        .chain(relative.units().split(|unit| is_separator(*unit)))
    {
        match part {
            [] | [DOT] => {}
            [DOT, DOT] => {
                let kept = directory_of(path.as_str()).len().max(root);
                path.truncate(kept);
            }
            part => {
                let needs = !path
                    .as_str()
                    .units()
                    .last()
                    .copied()
                    .is_some_and(is_separator);
                if needs && !path.is_empty() {
                    path.push_unit(BACKSLASH).map_err(|_| NtStatus::NO_MEMORY)?;
                }
                path.push(Utf16Str::new(part))
                    .map_err(|_| NtStatus::NO_MEMORY)?;
            }
        }
    }
    Ok(path)
}

/// How much of an absolute path is its root: `C:\`, `\\server\share`, `\\?\C:\`.
pub(crate) fn root_length(path: Utf16Str<'_>) -> usize {
    let units = path.units();
    let separator = |at: usize| units.get(at).copied().is_some_and(is_separator);
    if units.get(1) == Some(&COLON) {
        return if separator(2) { 3 } else { 2 };
    }
    if !(separator(0) && separator(1)) {
        return usize::from(separator(0));
    }
    if separator(3) && units.get(5) == Some(&COLON) && separator(6) {
        return 7;
    }
    // Server and share.
    let ends = |from: usize| {
        let rest = units.get(from..).unwrap_or_default();
        from + rest
            .iter()
            .position(|unit| is_separator(*unit))
            .unwrap_or(rest.len())
    };
    let server = ends(2);
    if server >= units.len() {
        return units.len();
    }
    ends(server + 1)
}

/// Whether a name says an API set.
pub(crate) fn is_api_set(name: Utf16Str<'_>) -> bool {
    name.starts_with(utf16!("api-"), Case::Insensitive)
        || name.starts_with(utf16!("ext-"), Case::Insensitive)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    fn text(text: &str) -> Utf16String {
        Utf16String::try_from_str(text).expect("memory")
    }

    #[test]
    fn extensions_are_completed() {
        let rows = [
            ("kernel32", "kernel32.dll"),
            ("KERNEL32.dll", "KERNEL32.dll"),
            ("a.drv", "a.drv"),
            ("noext.", "noext"),
            ("a.b.", "a.b"),
            ("", ".dll"),
        ];
        for (given, expected) in rows {
            let mut name = NameBuffer::new();
            name.set_import(given.as_bytes()).expect("short");
            assert_eq!(name.as_str().to_string(), expected);
        }
        let mut forwarded = NameBuffer::new();
        forwarded.set_forwarder(b"my.lib").expect("short");
        assert_eq!(forwarded.as_str().to_string(), "my.lib.dll");
        assert_eq!(
            forwarded.set_import(&[b'a'; 300]),
            Err(NtStatus::NAME_TOO_LONG)
        );
        assert_eq!(extension_of(text(r"c:\a.b\c").as_str()), Extension::Missing);
    }

    #[test]
    fn paths_are_of_kinds() {
        let rows = [
            ("a.dll", PathKind::Name),
            ("..dll", PathKind::Name),
            (r"a\b", PathKind::Relative),
            ("a/b", PathKind::Relative),
            (r".\b", PathKind::Current),
            (r"..\b", PathKind::Current),
            (r"...\b", PathKind::Relative),
            (r"C:\b", PathKind::Absolute),
            ("C:/b", PathKind::Absolute),
            (r"\\server\share\b", PathKind::Absolute),
            (r"\\?\C:\b", PathKind::Absolute),
            (r"\b", PathKind::Rooted),
            ("C:b", PathKind::DriveRelative),
        ];
        for (path, expected) in rows {
            assert_eq!(kind_of(text(path).as_str()), expected, "{path}");
        }
    }

    #[test]
    fn paths_join() {
        let rows = [
            (r"C:\a", "b.dll", r"C:\a\b.dll"),
            (r"C:\a\", "b.dll", r"C:\a\b.dll"),
            (r"C:\", r"..\..\b", r"C:\b"),
            (r"C:\a\b", r"..\.\c/d", r"C:\a\c\d"),
            (r"\\s\sh\x", r"..\..\..\b", r"\\s\sh\b"),
            (r"\\?\C:\x", r"..\b", r"\\?\C:\b"),
            (r"C:/w//q", "b", r"C:/w\q\b"),
        ];
        for (directory, relative, expected) in rows {
            let (directory, relative) = (text(directory), text(relative));
            let joined = join(directory.as_str(), relative.as_str()).expect("memory");
            // The root is kept as it was given.
            assert_eq!(joined.to_string(), expected);
        }
    }
}
