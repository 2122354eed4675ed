//! Which part of a command line names the program.
//!
//! # NT
//! "`CreateProcessW`", `lpCommandLine`, Microsoft Learn: a name in quotes ends at the next quote; without quotes it may have
//! blanks, and each part up to a blank is tried, the shortest one first.

use alloc::vec::Vec;

const QUOTE: u16 = b'"' as u16;
const BLANK: u16 = b' ' as u16;
const TAB: u16 = b'\t' as u16;

fn is_blank(unit: u16) -> bool {
    unit == BLANK || unit == TAB
}

/// The names that the program may have, in the order in which they are tried.
pub fn candidates(line: &[u16]) -> Vec<&[u16]> {
    if let Some((&QUOTE, rest)) = line.split_first() {
        let end = rest.iter().position(|&unit| unit == QUOTE);
        return alloc::vec![&rest[..end.unwrap_or(rest.len())]];
    }
    let start = line.iter().take_while(|&&unit| is_blank(unit)).count();
    let line = &line[start..];
    let mut found = Vec::new();
    for at in 1..=line.len() {
        let ends = line.get(at).is_none_or(|&unit| is_blank(unit));
        if ends && !is_blank(line[at - 1]) {
            found.push(&line[..at]);
        }
    }
    found
}

/// Arguments of a command line, as C's start-up and `CommandLineToArgvW` split it.
///
/// # NT
/// "Parsing C command-line arguments" and "`CommandLineToArgvW`", Microsoft Learn: the first is the program's name, which
/// knows no backslashes; in the others backslashes before a quote count in pairs, and two quotes in a quotation are one.
pub fn arguments(line: &[u16]) -> Vec<Vec<u16>> {
    let mut found = Vec::new();
    let mut rest = line;
    if let Some((&first, after)) = rest.split_first() {
        let ends: fn(u16) -> bool = if first == QUOTE {
            rest = after;
            |unit| unit == QUOTE
        } else {
            is_blank
        };
        let end = rest
            .iter()
            .position(|&unit| ends(unit))
            .unwrap_or(rest.len());
        found.push(rest[..end].to_vec());
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    while let Some(start) = rest.iter().position(|&unit| !is_blank(unit)) {
        rest = &rest[start..];
        let mut argument = Vec::new();
        rest = argument_into(rest, &mut argument);
        found.push(argument);
    }
    found
}

/// Reads one argument; gives what follows it.
fn argument_into<'l>(line: &'l [u16], argument: &mut Vec<u16>) -> &'l [u16] {
    const BACKSLASH: u16 = b'\\' as u16;
    let mut rest = line;
    let mut quoted = false;
    loop {
        let slashes = rest.iter().take_while(|&&unit| unit == BACKSLASH).count();
        let next = rest.get(slashes).copied();
        let before_quote = next == Some(QUOTE);
        let written = if before_quote { slashes / 2 } else { slashes };
        argument.extend(core::iter::repeat_n(BACKSLASH, written));
        rest = &rest[slashes..];
        match next {
            None => return rest,
            Some(QUOTE) if slashes % 2 == 1 => argument.push(QUOTE),
            Some(QUOTE) if quoted && rest.get(1) == Some(&QUOTE) => {
                argument.push(QUOTE);
                rest = &rest[1..];
            }
            Some(QUOTE) => quoted = !quoted,
            Some(unit) if is_blank(unit) && !quoted => return rest,
            Some(unit) => argument.push(unit),
        }
        rest = &rest[1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn tried(line: &str) -> Vec<String> {
        let line = utf16(line);
        let names = candidates(&line);
        names
            .iter()
            .map(|name| String::from_utf16(name).unwrap())
            .collect()
    }

    fn split(line: &str) -> Vec<String> {
        let split = arguments(&utf16(line));
        split
            .iter()
            .map(|argument| String::from_utf16(argument).unwrap())
            .collect()
    }

    #[test]
    fn names_with_blanks_are_tried_from_the_shortest() {
        // The example of the documentation of CreateProcess.
        assert_eq!(
            tried(r"c:\program files\sub dir\program name"),
            [
                r"c:\program",
                r"c:\program files\sub",
                r"c:\program files\sub dir\program",
                r"c:\program files\sub dir\program name",
            ]
        );
        assert_eq!(tried(r#""c:\a b" "c d""#), [r"c:\a b"]);
        assert_eq!(tried("prog  x"), ["prog", "prog  x"]);
        assert_eq!(tried(r#""open"#), ["open"]);
        assert!(tried("").is_empty());
    }

    #[test]
    fn arguments_as_the_documentation_has_them() {
        // "Parsing C command-line arguments", the table of results.
        for (line, expected) in [
            (r#"p "a b c" d e"#, vec!["p", "a b c", "d", "e"]),
            (r#"p "ab\"c" "\\" d"#, vec!["p", r#"ab"c"#, r"\", "d"]),
            (r#"p a\\\b d"e f"g h"#, vec!["p", r"a\\\b", "de fg", "h"]),
            (r#"p a\\\"b c d"#, vec!["p", r#"a\"b"#, "c", "d"]),
            (r#"p a\\\\"b c" d e"#, vec!["p", r"a\\b c", "d", "e"]),
            (r#"p a"b"" c d"#, vec!["p", r#"ab" c d"#]),
            (r#""my prog" x"#, vec!["my prog", "x"]),
        ] {
            assert_eq!(split(line), expected, "{line}");
        }
    }
}
