//! Names against expressions with wildcards, as file systems and the loader compare them.
//!
//! Beside `*` and `?` there are three that the Win32 layer puts in for those of DOS, whose names always had a dot and an
//! extension: `<` is a star that stops before the last dot, `>` is any unit, but nothing before a dot or at the end, `"` is a
//! dot, or nothing at the end.
//!
//! The whole expression is walked at once: a set has those places of it that the name read so far can have come to. So
//! no expression takes longer than its length times the name's.
//!
//! # NT
//! `FsRtlIsNameInExpression`, `RtlIsNameInExpression`, whose documentation describes the wildcards.

use alloc::vec::Vec;

use crate::utf16::{Case, upcase};
use crate::{NoMemory, Utf16Str};

const STAR: u16 = b'*' as u16;
const QUESTION: u16 = b'?' as u16;
const DOS_STAR: u16 = b'<' as u16;
const DOS_QUESTION: u16 = b'>' as u16;
const DOS_DOT: u16 = b'"' as u16;
const DOT: u16 = b'.' as u16;

/// Places in an expression.
struct Places {
    words: Vec<u64>,
}

const WORD: usize = u64::BITS as usize;

impl Places {
    /// None of so many.
    fn none(count: usize) -> Result<Self, NoMemory> {
        let mut words = Vec::new();
        words.try_reserve_exact(count.div_ceil(WORD))?;
        words.resize(count.div_ceil(WORD), 0);
        Ok(Self { words })
    }

    fn has(&self, place: usize) -> bool {
        self.words[place / WORD] & 1 << (place % WORD) != 0
    }

    fn add(&mut self, place: usize) {
        self.words[place / WORD] |= 1 << (place % WORD);
    }

    fn clear(&mut self) {
        self.words.fill(0);
    }

    fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }
}

/// Whether text has wildcards.
#[doc(alias = "FsRtlDoesNameContainWildCards")]
pub fn has_wildcards(text: Utf16Str<'_>) -> bool {
    text.units()
        .iter()
        .any(|unit| matches!(*unit, STAR | QUESTION | DOS_STAR | DOS_QUESTION | DOS_DOT))
}

/// Whether a name is one of those that an expression describes.
///
/// # Errors
/// [`NoMemory`].
pub fn matches(expression: Utf16Str<'_>, name: Utf16Str<'_>, case: Case) -> Result<bool, NoMemory> {
    let (expression, name) = (expression.units(), name.units());
    if expression.is_empty() || name.is_empty() {
        return Ok(expression.is_empty() && name.is_empty());
    }
    if expression == [STAR] {
        return Ok(true);
    }
    if let Some(tail) = plain_tail(expression) {
        // A star and what a name ends with: the commonest expression there is.
        let tail = Utf16Str::new(tail);
        let end = name
            .len()
            .checked_sub(tail.len())
            .map(|start| Utf16Str::new(&name[start..]));
        return Ok(end.is_some_and(|end| end.equals(tail, case)));
    }
    walk(expression, name, case)
}

/// What is behind a star in front, if there is no other wildcard.
fn plain_tail(expression: &[u16]) -> Option<&[u16]> {
    let tail = expression.strip_prefix(&[STAR])?;
    (!has_wildcards(Utf16Str::new(tail))).then_some(tail)
}

fn walk(expression: &[u16], name: &[u16], case: Case) -> Result<bool, NoMemory> {
    let fold = |unit: u16| match case {
        Case::Sensitive => unit,
        Case::Insensitive => upcase(unit),
    };
    let end = expression.len();
    let last_dot = name.iter().rposition(|unit| *unit == DOT);
    let mut here = Places::none(end + 1)?;
    let mut next = Places::none(end + 1)?;
    here.add(0);
    for (index, &unit) in name.iter().enumerate() {
        next.clear();
        for (place, &wanted) in expression.iter().enumerate() {
            if !here.has(place) {
                continue;
            }
            match wanted {
                STAR => {
                    here.add(place + 1);
                    next.add(place);
                }
                DOS_STAR => {
                    here.add(place + 1);
                    if last_dot != Some(index) {
                        next.add(place);
                    }
                }
                DOS_QUESTION if unit == DOT => here.add(place + 1),
                DOS_QUESTION | QUESTION => next.add(place + 1),
                DOS_DOT if unit == DOT => next.add(place + 1),
                other if fold(other) == fold(unit) => next.add(place + 1),
                _ => {}
            }
        }
        if next.is_empty() {
            return Ok(false);
        }
        core::mem::swap(&mut here, &mut next);
    }
    // At the end of the name, what stands for nothing is passed over.
    for (place, wanted) in expression.iter().enumerate() {
        if here.has(place) && matches!(*wanted, STAR | DOS_STAR | DOS_QUESTION | DOS_DOT) {
            here.add(place + 1);
        }
    }
    Ok(here.has(end))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::String;
    use std::vec::Vec;

    use super::*;
    use crate::Random;

    fn is(expression: &str, name: &str) -> bool {
        let (expression, name): (Vec<u16>, Vec<u16>) = (
            expression.encode_utf16().collect(),
            name.encode_utf16().collect(),
        );
        matches(
            Utf16Str::new(&expression),
            Utf16Str::new(&name),
            Case::Insensitive,
        )
        .unwrap()
    }

    /// The documentation's sentences as a recursion, without any sets.
    fn model(expression: &[char], name: &[char], last_dot: Option<usize>) -> bool {
        let Some((&first, rest)) = expression.split_first() else {
            return name.is_empty();
        };
        let unit = name.first().copied();
        let behind = name.get(1..).unwrap_or(&[]);
        let shorter = last_dot.and_then(|dot| dot.checked_sub(1));
        let step = |expression: &[char]| unit.is_some() && model(expression, behind, shorter);
        match first {
            '*' => model(rest, name, last_dot) || step(expression),
            '<' => model(rest, name, last_dot) || last_dot != Some(0) && step(expression),
            '>' if matches!(unit, None | Some('.')) => model(rest, name, last_dot),
            '>' | '?' => step(rest),
            '"' if unit.is_none() => model(rest, name, last_dot),
            '"' => unit == Some('.') && step(rest),
            other => unit.is_some_and(|unit| unit.eq_ignore_ascii_case(&other)) && step(rest),
        }
    }

    #[test]
    fn wildcards_of_each_kind() {
        for (expression, name, expected) in [
            ("*", "a.b", true),
            ("*.TXT", "readme.txt", true),
            ("*.TXT", "readme.txt.old", false),
            ("A?C", "abc", true),
            ("A?C", "ac", false),
            ("A*C*E", "abcde", true),
            ("<.TXT", "a.b.txt", true),
            ("<", "a.b", false),
            ("<.B", "a.b", true),
            ("<\"*", "readme", true),
            ("<\"*", "a.b.c", true),
            ("A>>>", "a", true),
            ("A>>>.C", "ab.c", true),
            ("A>", "abc", false),
            ("A\"", "a", true),
            ("A\"", "a.", true),
            ("A\"B", "a.b", true),
            ("A\"B", "ab", false),
            ("ÄÖ", "äö", true),
        ] {
            assert_eq!(is(expression, name), expected, "{expression} {name}");
        }
        assert!(is("", "") && !is("*", "") && !is("", "a"));
        assert!(
            has_wildcards(Utf16Str::new(&[0x61, DOS_DOT]))
                && !has_wildcards(Utf16Str::new(&[0x61]))
        );
    }

    #[test]
    fn any_expression_means_what_the_documentation_says() {
        let mut random = Random::new(17);
        let mut text = |letters: &str| -> String {
            let letters: Vec<char> = letters.chars().collect();
            let length = 1 + random.index(6);
            (0..length)
                .map(|_| letters[random.index(letters.len())])
                .collect()
        };
        let mut hits = 0;
        for _ in 0..50_000 {
            let (expression, name) = (text("AB.*?<>\""), text("ab.."));
            let characters: Vec<char> = name.chars().collect();
            let last_dot = characters.iter().rposition(|character| *character == '.');
            let wanted: Vec<char> = expression.chars().collect();
            let expected = model(&wanted, &characters, last_dot);
            assert_eq!(is(&expression, &name), expected, "{expression} {name}");
            hits += u32::from(expected);
        }
        assert!(hits > 3_000);
    }

    #[test]
    fn long_expressions_take_no_time() {
        let expression: String = "A*".repeat(300) + "B";
        let name: String = "a".repeat(3_000);
        assert!(!is(&expression, &name));
        assert!(is(&expression, &(name + "b")));
    }
}
