//! Blocks of environment variables: `NAME=value` in UTF-16, each ended by a zero, the last one by another.
//!
//! Names are compared without regard to case. A name may begin with an equals sign, as the names of drives' current
//! directories do (`=C:`), but has none behind that. Blocks are kept in the order of their names, but what is found is found
//! without that order: programs make blocks of their own.

use core::ops::Range;

use crate::{Case, Utf16Str};

const EQUALS: u16 = b'=' as u16;
const PERCENT: u16 = b'%' as u16;

/// A variable of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Variable<'a> {
    /// Where its text begins in the block, in units.
    pub start: usize,
    /// Its name.
    pub name: &'a [u16],
    /// Its value; `None`: the text has no equals sign.
    pub value: Option<&'a [u16]>,
    /// Its text, without the zero.
    text: &'a [u16],
}

impl<'a> Variable<'a> {
    fn new(start: usize, text: &'a [u16]) -> Self {
        let sign = text
            .iter()
            .skip(1)
            .position(|unit| *unit == EQUALS)
            .map(|index| index + 1);
        Self {
            start,
            name: &text[..sign.unwrap_or(text.len())],
            value: sign.map(|sign| &text[sign + 1..]),
            text,
        }
    }

    /// Where its text and its zero are in the block.
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.text.len() + 1
    }
}

/// The variables of a block, whose last zero need not be there.
pub fn variables(block: &[u16]) -> impl Iterator<Item = Variable<'_>> {
    let mut start = 0;
    core::iter::from_fn(move || {
        let rest = block.get(start..)?;
        let end = rest
            .iter()
            .position(|unit| *unit == 0)
            .unwrap_or(rest.len());
        if end == 0 {
            return None;
        }
        let variable = Variable::new(start, &rest[..end]);
        start += end + 1;
        Some(variable)
    })
}

/// The value of a variable.
///
/// A name with an equals sign is found where text happens to begin so: as in Windows, the name ends where the caller says.
pub fn find<'a>(block: &'a [u16], name: &[u16]) -> Option<&'a [u16]> {
    let wanted = Utf16Str::new(name);
    variables(block).find_map(|variable| {
        let rest = variable.text.get(name.len()..)?;
        let value = rest.strip_prefix(&[EQUALS])?;
        let same = Utf16Str::new(variable.text).starts_with(wanted, Case::Insensitive);
        (same && !name.is_empty()).then_some(value)
    })
}

/// Whether a variable can have this name.
pub fn is_name(name: &[u16]) -> bool {
    !name.is_empty() && !name[1..].contains(&EQUALS)
}

/// Which part of a block a variable takes, in units: the variable of that name with its zero, or nothing where it belongs.
pub fn place(block: &[u16], name: &[u16]) -> Range<usize> {
    let wanted = Utf16Str::new(name);
    let mut behind = None;
    let mut end = 0;
    for variable in variables(block) {
        let own = Utf16Str::new(variable.name);
        if variable.value.is_some() && own.equals(wanted, Case::Insensitive) {
            return variable.range();
        }
        if behind.is_none() && own.compare(wanted, Case::Insensitive).is_gt() {
            behind = Some(variable.start);
        }
        end = variable.range().end;
    }
    let start = behind.unwrap_or(end);
    start..start
}

/// Hands over text piece by piece, with the values of variables in place of their names between percent signs. What names no
/// variable stays as it is.
pub fn expand<'a>(block: &'a [u16], text: &'a [u16], mut put: impl FnMut(&'a [u16])) {
    let mut rest = text;
    while let Some(first) = rest.iter().position(|unit| *unit == PERCENT) {
        put(&rest[..first]);
        rest = &rest[first..];
        let Some(length) = rest[1..].iter().position(|unit| *unit == PERCENT) else {
            break;
        };
        let whole = length + 2;
        put(find(block, &rest[1..=length]).unwrap_or(&rest[..whole]));
        rest = &rest[whole..];
    }
    put(rest);
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::String;
    use std::vec::Vec;

    use super::*;

    fn units(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn text(units: &[u16]) -> String {
        String::from_utf16(units).unwrap()
    }

    const BLOCK: &str = "foo=toto\0fo=titi\0fooo=tutu\0sr=an=ouo\0=oOH=III\0nul=\0none\0";

    #[test]
    fn values_are_found_by_name() {
        let block = units(BLOCK);
        let value = |name: &str| find(&block, &units(name)).map(text);
        // Of Windows, as Wine's conformance tests record it.
        for (name, expected) in [
            ("foo", Some("toto")),
            ("FoO", Some("toto")),
            ("foo=", None),
            ("foo ", None),
            ("fooo", Some("tutu")),
            ("f", None),
            ("sr=an", Some("ouo")),
            ("sr", Some("an=ouo")),
            ("=oOH", Some("III")),
            ("", None),
            ("nul", Some("")),
            ("none", None),
        ] {
            assert_eq!(value(name).as_deref(), expected, "{name}");
        }
        assert_eq!(variables(&block).count(), 7);
        assert_eq!(variables(&[]).count(), 0);
        assert_eq!(variables(&[0]).count(), 0);
    }

    #[test]
    fn variables_have_their_place_in_the_order_of_names() {
        let block = units("=C:=C:\\x\0abc=1\0Def=2\0ghi=3\0");
        let place = |name: &str| place(&block, &units(name));
        assert_eq!(place("def"), 15..21);
        assert_eq!(place("=c:"), 0..9);
        assert_eq!(place("=A:"), 0..0);
        assert_eq!(place("abb"), 9..9);
        assert_eq!(place("dea"), 15..15);
        assert_eq!(place("zzz"), 27..27);
        assert_eq!(super::place(&[], &units("x")), 0..0);
    }

    #[test]
    fn names() {
        assert!(is_name(&units("a")) && is_name(&units("=C:")) && is_name(&units("=")));
        assert!(!is_name(&units("")) && !is_name(&units("a=")) && !is_name(&units("==")));
    }

    #[test]
    fn expanding_leaves_what_names_nothing() {
        let block = units(BLOCK);
        for (source, expected) in [
            ("hello%foo%world", "hellototoworld"),
            ("hello%=oOH%world", "helloIIIworld"),
            ("hello%foo", "hello%foo"),
            ("hello%bar%world", "hello%bar%world"),
            ("hello%foo%world%=oOH%eeck", "hellototoworldIIIeeck"),
            ("%nul%", ""),
            ("%%", "%%"),
            ("", ""),
        ] {
            let mut expanded = Vec::new();
            let source = units(source);
            expand(&block, &source, |piece| expanded.extend_from_slice(piece));
            assert_eq!(text(&expanded), expected);
        }
    }
}
