//! Text for tests: words, noise and repetitions, the same for the same seed. The programs that other implementations were
//! asked with make the same.

extern crate std;

use std::vec::Vec;

/// Knuth's generator.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    pub(super) fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).expect("less than a usize")
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.below(256).to_le_bytes()[0]
    }
}

const WORDS: [&[u8]; 12] = [
    b"the ", b"kernel ", b"of ", b"a ", b"system ", b"page ", b"walks ", b"list ", b"lock ",
    b"ring ", b"and ", b"gives ",
];

pub(super) fn text(seed: u64, size: usize) -> Vec<u8> {
    let mut numbers = Numbers(seed);
    let mut out = Vec::new();
    while out.len() < size {
        match numbers.below(20) {
            0..14 => out.extend_from_slice(WORDS[numbers.index(12)]),
            14..17 => out.push(numbers.byte()),
            17..19 => out.resize(out.len() + 1 + numbers.index(40), b'.'),
            _ => out.resize(out.len() + 1 + numbers.index(700), b'x'),
        }
    }
    out.truncate(size);
    out
}
