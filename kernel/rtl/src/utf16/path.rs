//! NT paths, as far as text goes: components between backslashes.
//!
//! A leading backslash says that the path starts at the root, and a trailing one that a directory is meant; neither
//! makes a component. Two in a row make an empty one, so that the caller sees it and refuses the name. A dot has no
//! meaning here.

use super::{Case, Utf16Str};

/// What separates the components of a path.
pub const SEPARATOR: u16 = b'\\' as u16;

impl<'a> Utf16Str<'a> {
    /// Whether the path starts at the root.
    pub fn is_absolute(self) -> bool {
        self.units().first() == Some(&SEPARATOR)
    }

    /// Whether the path ends with a backslash.
    pub fn has_trailing_separator(self) -> bool {
        self.units().last() == Some(&SEPARATOR)
    }

    /// The path's components; none for the root and for an empty path.
    pub fn components(self) -> Components<'a> {
        let units = self.units();
        let units = units.strip_prefix(&[SEPARATOR]).unwrap_or(units);
        let rest = if units.is_empty() {
            None
        } else {
            Some(units.strip_suffix(&[SEPARATOR]).unwrap_or(units))
        };
        Components { rest }
    }

    /// Splits off the first component; the rest has no leading backslash of its own.
    ///
    /// # NT
    /// `FsRtlDissectName`, but a second backslash is an empty component and not skipped.
    pub fn split_first(self) -> (Utf16Str<'a>, Utf16Str<'a>) {
        let units = self.units();
        let units = units.strip_prefix(&[SEPARATOR]).unwrap_or(units);
        let (first, rest) = split(units);
        (Utf16Str::new(first), Utf16Str::new(rest.unwrap_or(&[])))
    }

    /// Splits off the last component: `\a\b` is `\a` and `b`. A path without a backslash is all last component; the
    /// parent of `\a` is `\`.
    pub fn split_last(self) -> (Utf16Str<'a>, Utf16Str<'a>) {
        let units = self.units();
        let Some(at) = units.iter().rposition(|unit| *unit == SEPARATOR) else {
            return (Utf16Str::new(&[]), self);
        };
        let parent = &units[..at.max(1)];
        (Utf16Str::new(parent), Utf16Str::new(&units[at + 1..]))
    }

    /// Whether the path is `prefix` or below it: `\Device\Disk0` is below `\Device`, but not below `\Dev`. Every path
    /// is below the empty one.
    ///
    /// # NT
    /// `FsRtlIsNameInPrefix` of the prefix table, `RtlPrefixUnicodeString` and a look at what follows.
    pub fn is_at_or_below(self, prefix: Utf16Str<'_>, case: Case) -> bool {
        self.starts_with(prefix, case)
            && (prefix.is_empty()
                || prefix.has_trailing_separator()
                || matches!(self.units().get(prefix.len()), None | Some(&SEPARATOR)))
    }
}

fn split(units: &[u16]) -> (&[u16], Option<&[u16]>) {
    match units.iter().position(|unit| *unit == SEPARATOR) {
        Some(at) => (&units[..at], Some(&units[at + 1..])),
        None => (units, None),
    }
}

/// The components of a path, first to last.
#[derive(Clone, Debug)]
pub struct Components<'a> {
    rest: Option<&'a [u16]>,
}

impl<'a> Components<'a> {
    /// What has not been given yet, without a leading backslash.
    pub fn rest(&self) -> Utf16Str<'a> {
        Utf16Str::new(self.rest.unwrap_or(&[]))
    }
}

impl<'a> Iterator for Components<'a> {
    type Item = Utf16Str<'a>;

    fn next(&mut self) -> Option<Utf16Str<'a>> {
        let (first, rest) = split(self.rest?);
        self.rest = rest;
        Some(Utf16Str::new(first))
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::{String, ToString};
    use std::vec::Vec;

    use super::super::Utf16String;
    use super::*;

    fn text(text: &str) -> Utf16String {
        Utf16String::try_from_str(text).expect("memory")
    }

    #[test]
    fn components_are_between_backslashes() {
        let rows: [(&str, &[&str]); 9] = [
            ("", &[]),
            (r"\", &[]),
            (r"\Device\Disk0\x.txt", &["Device", "Disk0", "x.txt"]),
            (r"Device", &["Device"]),
            (r"a\b\", &["a", "b"]),
            (r"\\", &[""]),
            (r"\a\\b", &["a", "", "b"]),
            (r"a\\", &["a", ""]),
            (r"\.\..", &[".", ".."]),
        ];
        for (path, expected) in rows {
            let path = text(path);
            let components: Vec<String> = path
                .as_str()
                .components()
                .map(|component| component.to_string())
                .collect();
            assert_eq!(components, expected, "{path}");
        }
    }

    #[test]
    fn a_path_splits_at_either_end() {
        let rows = [
            (r"\a\b\c", "a", r"b\c", r"\a\b", "c"),
            (r"\a", "a", "", r"\", "a"),
            (r"a", "a", "", "", "a"),
            (r"a\b", "a", "b", "a", "b"),
            (r"\", "", "", r"\", ""),
            (r"\a\", "a", "", r"\a", ""),
            (r"\\a", "", "a", r"\", "a"),
            ("", "", "", "", ""),
        ];
        for (path, first, rest, parent, last) in rows {
            let path = text(path);
            let (begin, end) = path.as_str().split_first();
            assert!(begin == *first && end == *rest, "{path}: {begin} {end}");
            let (begin, end) = path.as_str().split_last();
            assert!(begin == *parent && end == *last, "{path}: {begin} {end}");
        }
    }

    #[test]
    fn below_is_by_whole_components() {
        let path = text(r"\Device\Disk0");
        let rows = [
            (r"\device", true),
            (r"\Device\", true),
            (r"\DEVICE\DISK0", true),
            (r"\Dev", false),
            (r"\Device\Disk0\x", false),
            (r"\Device\Disk", false),
            ("", true),
            (r"\", true),
        ];
        for (prefix, expected) in rows {
            let prefix = text(prefix);
            let below = |case| path.as_str().is_at_or_below(prefix.as_str(), case);
            assert_eq!(below(Case::Insensitive), expected, "{prefix}");
        }
        assert!(
            !path
                .as_str()
                .is_at_or_below(text(r"\device").as_str(), Case::Sensitive)
        );
    }
}
