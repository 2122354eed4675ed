//! Many DLLs out of one, which import from each other: what a loader has to show is how it does with hundreds.
//!
//! A template `STEM_s00.dll` is compiled and linked once; it is no file of its own. Where its bytes have the name `STEM_s00`,
//! a copy has its own, `STEM_017`; where they have `STEM_a00` to `STEM_f00`, it has those of others. So a copy costs
//! a few replaced bytes, and a program learns the graph from texts in the copies.
//!
//! The copies are in groups of [`GROUP`]:
//!
//! | name | leads to |
//! |---|---|
//! | a, b | later ones of the group, or the last copy of all |
//! | c | the same; for one in four an earlier one of the group, so that there are circles |
//! | d, e | copies of later groups, or the last of all |
//! | f | any copy |

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use rtl::Random;

/// How many copies are a group.
const GROUP: usize = 25;
/// How far ahead an import leads.
const AHEAD: usize = 6;
/// What a template's name ends with.
const TEMPLATE: &str = "_s00";
/// Names are replaced by names of the same length: three digits.
const MOST: u32 = 1000;

/// Makes the copies of a template, beside it; gives their paths.
pub(super) fn make(template: &Path, count: u32) -> Result<Vec<PathBuf>> {
    let name = template.file_stem().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(TEMPLATE).with_context(|| {
        format!("{name} has copies and does not end with {TEMPLATE}: name it STEM{TEMPLATE}.dll")
    })?;
    ensure!(count <= MOST, "{name}: there can be {MOST} copies");
    let bytes =
        fs::read(template).with_context(|| format!("{} cannot be read", template.display()))?;
    let count = count as usize;
    (0..count)
        .map(|number| {
            let path = template.with_file_name(format!("{stem}_{number:03}.dll"));
            let copy = copy(&bytes, stem, number, count);
            fs::write(&path, copy)
                .with_context(|| format!("{} cannot be written", path.display()))?;
            Ok(path)
        })
        .collect()
}

/// The bytes of one copy.
fn copy(template: &[u8], stem: &str, number: usize, count: usize) -> Vec<u8> {
    let mut bytes = template.to_vec();
    let names = names(number, count);
    let mut replace = |letter: char, target: usize| {
        let (from, to) = (format!("{stem}_{letter}00"), format!("{stem}_{target:03}"));
        let places: Vec<usize> = bytes
            .windows(from.len())
            .enumerate()
            .filter_map(|(at, window)| (window == from.as_bytes()).then_some(at))
            .collect();
        for at in places {
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
    };
    replace('s', number);
    for (letter, target) in ('a'..='f').zip(names) {
        replace(letter, target);
    }
    bytes
}

/// Where the names a to f of a copy lead.
fn names(number: usize, count: usize) -> [usize; 6] {
    let mut random = Random::new(number as u64);
    let last = count - 1;
    let group = number / GROUP * GROUP;
    let end = (group + GROUP).min(count);
    let mut ahead = || {
        let target = number + 1 + random.index(AHEAD);
        if target < end { target } else { last }
    };
    let (a, b, forward) = (ahead(), ahead(), ahead());
    let c = if random.index(4) == 0 && number != last {
        group + random.index(number - group + 1)
    } else {
        forward
    };
    let mut later = || {
        if end < count {
            end + random.index(count - end)
        } else {
            last
        }
    };
    let (d, e) = (later(), later());
    [a, b, c, d, e, random.index(count)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_and_nothing_else() {
        let copy = copy(b"<m_s00.dll m_a00 m_g00 m_s01>", "m", 7, 200);
        let text = String::from_utf8(copy).unwrap();
        let a = names(7, 200)[0];
        assert_eq!(text, format!("<m_007.dll m_{a:03} m_g00 m_s01>"));
    }

    #[test]
    fn there_are_circles_and_the_last_needs_nobody() {
        let graph: Vec<[usize; 6]> = (0..200).map(|number| names(number, 200)).collect();
        let back = graph
            .iter()
            .enumerate()
            .filter(|(number, to)| to[2] < *number);
        assert!(back.count() > 20);
        assert_eq!(graph[199][..5], [199; 5]);
        for (number, to) in graph.iter().enumerate() {
            let stays = |target: &usize| *target == 199 || target / GROUP == number / GROUP;
            assert!(to[..3].iter().all(stays), "{number}: {to:?}");
            assert!(to.iter().all(|target| *target < 200));
        }
    }
}
