//! Masks for names of files: what a program writes, as file systems want it.
//!
//! In masks of DOS a question mark also stands for nothing at the end of a name's part, and `*.*` for names without a dot.
//! File systems know such wildcards by characters of their own: `<` for `*` before a dot, `>` for `?`, `"` for a dot before a
//! wildcard.
//!
//! # NT
//! [MS-FSA] 2.1.4.4.

use alloc::vec::Vec;

const STAR: u16 = b'*' as u16;
const QUESTION: u16 = b'?' as u16;
const DOT: u16 = b'.' as u16;

/// The mask as file systems want it.
pub fn of_dos(mask: &[u16]) -> Vec<u16> {
    if mask == [STAR, DOT, STAR] {
        return alloc::vec![STAR];
    }
    let mut made = mask.to_vec();
    for (index, unit) in made.iter_mut().enumerate() {
        let next = mask.get(index + 1).copied();
        match *unit {
            QUESTION => *unit = u16::from(b'>'),
            DOT if next == Some(QUESTION) || next == Some(STAR) => *unit = u16::from(b'"'),
            STAR if next == Some(DOT) => *unit = u16::from(b'<'),
            _ => {}
        }
    }
    // A mask for names without an extension: what ends in `*.` means no dot at all.
    if mask.ends_with(&[STAR, DOT]) {
        made.truncate(made.len() - 1);
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(mask: &str) -> String {
        let units: Vec<u16> = mask.encode_utf16().collect();
        String::from_utf16(&of_dos(&units)).unwrap()
    }

    #[test]
    fn wildcards_of_dos_are_those_of_file_systems() {
        assert_eq!(made("*.*"), "*");
        assert_eq!(made("*"), "*");
        assert_eq!(made("name.txt"), "name.txt");
        assert_eq!(made("a?.t?t"), "a>.t>t");
        assert_eq!(made("*.txt"), "<.txt");
        assert_eq!(made("a.*"), "a\"*");
        assert_eq!(made("a.?x"), "a\">x");
        assert_eq!(made("*."), "<");
    }
}
