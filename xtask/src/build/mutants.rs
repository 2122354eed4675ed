//! Damaged copies of a DLL: the same ones each time, for programs that try to load them.
//!
//! What is damaged is what a kernel and a loader read: headers, and words that are neither zero nor far from other such words.
//! The entry point stays as it is, since a damaged file may do anything as soon as its code runs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rtl::Random;

/// Words at which readers go wrong.
const EDGES: [u32; 12] = [
    0,
    1,
    7,
    0xFFF,
    0x1000,
    0xFFFF,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_F000,
    0xFFFF_FFF8,
    0xFFFF_FFFE,
    0xFFFF_FFFF,
];
/// One mutant in so many is damaged in its headers.
const IN_HEADERS: usize = 3;
/// Where headers end, in the file.
const HEADERS: usize = 0x200;
/// Where the place of the NT headers stands, and of the entry point in them.
const NT_HEADERS: usize = 0x3C;
const ENTRY_POINT: usize = 0x28;

/// Makes the mutants of a DLL, beside it; gives their paths.
pub(super) fn make(whole: &Path, count: u32) -> Result<Vec<PathBuf>> {
    let stem = whole.file_stem().unwrap_or_default().to_string_lossy();
    let bytes = fs::read(whole).with_context(|| format!("{} cannot be read", whole.display()))?;
    (0..count)
        .map(|number| {
            let path = whole.with_file_name(format!("{stem}_{number:03}.dll"));
            fs::write(&path, mutant(&bytes, number.into()))
                .with_context(|| format!("{} cannot be written", path.display()))?;
            Ok(path)
        })
        .collect()
}

/// The bytes of one mutant.
fn mutant(whole: &[u8], seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut bytes = whole.to_vec();
    let end = if random.index(IN_HEADERS) == 0 {
        HEADERS.min(whole.len())
    } else {
        whole.len()
    };
    let places: Vec<usize> = (0..end.saturating_sub(4))
        .filter(|at| whole[*at] != 0)
        .collect();
    for _ in 0..=random.index(3) {
        let at = places[random.index(places.len())];
        let word = at & !3;
        let value = match random.index(6) {
            0 => EDGES[random.index(EDGES.len())],
            // An address of the image, so that something is there.
            1 => u32::try_from(random.index(0x6000)).unwrap_or(0),
            2 => {
                let from = places[random.index(places.len())];
                let taken = whole
                    .get(from..from + 4)
                    .and_then(|taken| taken.try_into().ok());
                taken.map_or(0, u32::from_le_bytes)
            }
            3 => {
                bytes[at] ^= 1 << random.index(8);
                continue;
            }
            4 => {
                bytes[at] = random.next_u64().to_le_bytes()[0];
                continue;
            }
            _ => {
                bytes[at] = bytes[at].wrapping_add(1);
                continue;
            }
        };
        bytes[word..word + 4].copy_from_slice(&value.to_le_bytes());
    }
    // Wherever the headers are now.
    for image in [whole, &bytes.clone()] {
        if let Some(at) = entry_point(image)
            && let (Some(to), Some(from)) = (bytes.get_mut(at..at + 4), whole.get(at..at + 4))
        {
            to.copy_from_slice(from);
        }
    }
    bytes
}

/// Where a file says where its entry point is.
fn entry_point(file: &[u8]) -> Option<usize> {
    let at = file.get(NT_HEADERS..NT_HEADERS + 4)?;
    let at = u32::from_le_bytes(at.try_into().ok()?);
    usize::try_from(at).ok()?.checked_add(ENTRY_POINT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutants_differ_and_are_the_same_each_time() {
        let mut whole: Vec<u8> = (0..2048)
            .map(|at| u8::try_from(at % 251).unwrap())
            .collect();
        whole[NT_HEADERS..NT_HEADERS + 4].copy_from_slice(&0x80u32.to_le_bytes());
        let mutants: Vec<Vec<u8>> = (0..100).map(|seed| mutant(&whole, seed)).collect();
        let changed = mutants.iter().filter(|mutant| **mutant != whole).count();
        assert!(changed > 90, "{changed}");
        for (seed, known) in (0..).zip(&mutants) {
            assert_eq!(mutant(&whole, seed), *known);
            assert_eq!(known.len(), whole.len());
        }
    }
}
