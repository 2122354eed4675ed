//! Full paths, and their names in NT's namespace.

use super::{BACKSLASH, COLON, DOT, Kind, SPACE, device, is_separator, kind};
use crate::utf16::upcase;
use crate::{NoMemory, Utf16Str, Utf16String, utf16};

/// What a process knows of current directories.
pub trait CurrentDirectories {
    /// The process's current directory, a full path with or without a separator at its end.
    fn current(&self) -> Utf16Str<'_>;

    /// The current directory of a drive, if the process has one there; the letter is a capital.
    fn of_drive(&self, letter: u16) -> Option<Utf16Str<'_>>;
}

/// A path that was worked out.
#[derive(PartialEq, Eq, Debug)]
pub struct DosPath {
    /// The path.
    pub path: Utf16String,
    /// Where its last component begins, in units; `None`: it ends with a separator, or is no more than a server.
    pub file_part: Option<usize>,
}

/// A path in the making: a root, which nothing takes away, and components.
struct Builder {
    path: Utf16String,
    root: usize,
    /// How many components the root still lacks: a server's path has two there.
    lacking: u32,
}

impl Builder {
    fn new() -> Self {
        Self {
            path: Utf16String::new(),
            root: 0,
            lacking: 0,
        }
    }

    fn units(&self) -> &[u16] {
        self.path.as_str().units()
    }

    fn push(&mut self, text: &[u16]) -> Result<(), NoMemory> {
        self.path.push(Utf16Str::new(text))
    }

    /// Begins with what no component can take away.
    fn begin(&mut self, root: &[u16], lacking: u32) -> Result<(), NoMemory> {
        self.push(root)?;
        self.root = self.path.len();
        self.lacking = lacking;
        Ok(())
    }

    /// Takes the last component away, and leaves the separator before it.
    fn pop(&mut self) {
        let units = self.units();
        let kept = units.strip_suffix(&[BACKSLASH]).unwrap_or(units);
        let end = kept
            .iter()
            .rposition(|unit| *unit == BACKSLASH)
            .map_or(0, |at| at + 1);
        if end >= self.root {
            self.path.truncate(end);
        }
    }

    /// Takes the separator at the end away, unless it belongs to the root.
    fn drop_separator(&mut self) {
        if self.path.len() > self.root && self.units().last() == Some(&BACKSLASH) {
            self.path.truncate(self.path.len() - 1);
        }
    }

    /// Adds a component, which is the last one if nothing follows it.
    fn component(&mut self, component: &[u16], is_last: bool) -> Result<(), NoMemory> {
        if self.lacking > 0 {
            // Of a server's and a share's name every dot counts.
            self.push(component)?;
            if !is_last {
                self.push(&[BACKSLASH])?;
            }
            self.lacking -= 1;
            self.root = self.path.len();
            return Ok(());
        }
        match component {
            [DOT] if is_last => self.drop_separator(),
            [DOT] => {}
            [DOT, DOT] => {
                self.pop();
                if is_last {
                    self.drop_separator();
                }
            }
            _ => {
                let kept = match component {
                    [rest @ .., before, DOT] if !is_last && *before != DOT => {
                        &component[..=rest.len()]
                    }
                    _ => component,
                };
                self.push(kept)?;
                if !is_last {
                    self.push(&[BACKSLASH])?;
                }
            }
        }
        Ok(())
    }

    /// Adds all components of text.
    fn components(&mut self, text: &[u16]) -> Result<(), NoMemory> {
        let mut rest = text;
        loop {
            let start = rest
                .iter()
                .position(|unit| !is_separator(*unit))
                .unwrap_or(rest.len());
            rest = &rest[start..];
            if rest.is_empty() {
                return Ok(());
            }
            let end = rest
                .iter()
                .position(|unit| is_separator(*unit))
                .unwrap_or(rest.len());
            self.component(&rest[..end], end == rest.len())?;
            rest = &rest[end..];
        }
    }

    /// Begins with another full path, as a directory.
    fn begin_at(&mut self, directory: Utf16Str<'_>) -> Result<(), NoMemory> {
        self.begin_root(directory.units())?;
        self.components(rest_of(directory.units()))?;
        if self.units().last() != Some(&BACKSLASH) {
            self.push(&[BACKSLASH])?;
            if self.path.len() == self.root + 1 {
                self.root += 1;
            }
        }
        Ok(())
    }

    /// Begins with the root of a full path.
    fn begin_root(&mut self, path: &[u16]) -> Result<(), NoMemory> {
        match kind(path) {
            Kind::Unc => self.begin(&[BACKSLASH, BACKSLASH], 2),
            Kind::Device | Kind::DeviceRoot => {
                self.begin(&[BACKSLASH, BACKSLASH, path[2], BACKSLASH], 0)
            }
            _ => match path {
                [letter, COLON, ..] => self.begin(&[*letter, COLON, BACKSLASH], 0),
                _ => self.begin(&[BACKSLASH], 0),
            },
        }
    }

    fn finish(mut self) -> DosPath {
        let end = self.units()[self.root..]
            .iter()
            .rposition(|unit| !matches!(*unit, DOT | SPACE))
            .map_or(self.root, |last| self.root + last + 1);
        self.path.truncate(end);
        let last = self.units().iter().rposition(|unit| *unit == BACKSLASH);
        let file_part = last
            .filter(|separator| *separator >= 2)
            .map(|separator| separator + 1)
            .filter(|start| *start < self.path.len());
        DosPath {
            path: self.path,
            file_part,
        }
    }
}

/// What is behind the root of a full path.
fn rest_of(path: &[u16]) -> &[u16] {
    match kind(path) {
        Kind::Unc | Kind::DriveRelative => &path[2..],
        Kind::Drive | Kind::DeviceRoot => &path[3..],
        Kind::Device => &path[4..],
        Kind::Rooted | Kind::Relative => path,
    }
}

/// A path from its beginning on; `None`: it has no text, or only spaces.
///
/// # Errors
/// [`NoMemory`].
pub fn full_path(
    path: &[u16],
    directories: &impl CurrentDirectories,
) -> Result<Option<DosPath>, NoMemory> {
    if path.iter().all(|unit| *unit == SPACE) {
        return Ok(None);
    }
    let mut full = Builder::new();
    if let Some(device) = device(path) {
        full.begin(utf16!(r"\\.\").units(), 0)?;
        full.push(&path[device.start..device.start + device.length])?;
        return Ok(Some(DosPath {
            path: full.path,
            file_part: None,
        }));
    }
    match kind(path) {
        Kind::Relative => full.begin_at(directories.current())?,
        Kind::DriveRelative => begin_drive(&mut full, path[0], directories)?,
        Kind::Rooted => {
            let current = directories.current();
            full.begin_root(current.units())?;
            if full.lacking > 0 {
                // The server and the share are the root.
                let server = rest_of(current.units());
                let mut parts = server
                    .split(|unit| is_separator(*unit))
                    .filter(|part| !part.is_empty());
                for _ in 0..2 {
                    full.component(parts.next().unwrap_or(&[]), false)?;
                }
            }
        }
        _ => full.begin_root(path)?,
    }
    full.components(rest_of(path))?;
    Ok(Some(full.finish()))
}

/// Begins with the current directory of a drive.
fn begin_drive(
    full: &mut Builder,
    letter: u16,
    directories: &impl CurrentDirectories,
) -> Result<(), NoMemory> {
    let current = directories.current();
    let is_current = match current.units() {
        [own, COLON, ..] => upcase(*own) == upcase(letter),
        _ => false,
    };
    if is_current {
        return full.begin_at(current);
    }
    match directories.of_drive(upcase(letter)) {
        Some(directory) => full.begin_at(directory),
        None => full.begin(&[letter, COLON, BACKSLASH], 0),
    }
}

/// The name of a path in NT's namespace; `None`: it has no text, or only spaces.
///
/// What begins with `\\?\` or `\??\`, in these very units, is taken as it is.
///
/// # Errors
/// [`NoMemory`].
pub fn nt_path(
    path: &[u16],
    directories: &impl CurrentDirectories,
) -> Result<Option<DosPath>, NoMemory> {
    let prefix = utf16!(r"\??\");
    let literal = utf16!(r"\\?\").units();
    let mut nt = Utf16String::new();
    nt.push(prefix)?;
    // Of the second one nothing but a directory is left if nothing follows.
    let named = path
        .strip_prefix(prefix.units())
        .filter(|rest| !rest.is_empty());
    if let Some(rest) = path.strip_prefix(literal).or(named) {
        nt.push(Utf16Str::new(rest))?;
        let last = rest.iter().rposition(|unit| *unit == BACKSLASH);
        let start = last.map_or(0, |separator| separator + 1);
        return Ok(Some(DosPath {
            path: nt,
            file_part: (start < rest.len()).then_some(prefix.len() + start),
        }));
    }
    let Some(full) = full_path(path, directories)? else {
        return Ok(None);
    };
    let units = full.path.as_str().units();
    // How much of the full path is the same in NT's name.
    let skipped = match kind(units) {
        Kind::Unc => {
            nt.push(utf16!(r"UNC\"))?;
            2
        }
        Kind::Device | Kind::DeviceRoot => 4,
        _ => 0,
    };
    let added = nt.len();
    nt.push(Utf16Str::new(units.get(skipped..).unwrap_or(&[])))?;
    Ok(Some(DosPath {
        path: nt,
        file_part: full.file_part.map(|start| start - skipped + added),
    }))
}
