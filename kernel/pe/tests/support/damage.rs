//! Damage, done to good images by a generator whose every run is the same.

/// A xorshift generator (Marsaglia, 2003).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `limit`; 0 if that is 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

/// Numbers at which readers go wrong: 0 and its neighbours, ends of pages, signs, tops.
const EDGES: [u32; 20] = [
    0,
    1,
    2,
    3,
    7,
    8,
    0xF,
    0x3F,
    0xFF,
    0xFFF,
    0x1000,
    0x1FFF,
    0xFFFF,
    0x7700_0000,
    0x7FFF_FFFF,
    0x8000_0000,
    0x8000_0001,
    0xFFFF_F000,
    0xFFFF_FFFC,
    0xFFFF_FFFF,
];

/// Damages `bytes` in one to four places. The places are among those that are not zero, or next to one: most of a small
/// image is padding, and damage to that shows nothing.
pub(crate) fn damage(chance: &mut Chance, bytes: &mut Vec<u8>) {
    for _ in 0..=chance.below(4) {
        let Some(at) = interesting(chance, bytes) else {
            return;
        };
        match chance.below(10) {
            0 => bytes[at] = chance.next().to_le_bytes()[0],
            1 => bytes[at] ^= 1 << chance.below(8),
            2 | 3 => {
                let value = EDGES[chance.below(EDGES.len())].to_le_bytes();
                put(bytes, at & !3, &value);
            }
            4 => {
                let value = chance.next().to_le_bytes();
                put(bytes, at & !1, &value[..2]);
            }
            5 => {
                // An address of the image, so that something is found there.
                let value = u32::try_from(chance.below(0xC000)).unwrap().to_le_bytes();
                put(bytes, at & !3, &value);
            }
            6 => {
                let from = interesting(chance, bytes).unwrap_or_default();
                let count = chance.below(64).min(bytes.len() - at.max(from));
                bytes.copy_within(from..from + count, at);
            }
            7 => {
                let value = bytes[at].wrapping_add(chance.next().to_le_bytes()[0] % 9);
                bytes[at] = value.wrapping_sub(4);
            }
            8 => bytes[at] = u8::MAX,
            _ if chance.below(16) == 0 => bytes.truncate(at),
            _ => bytes[at] = 0,
        }
    }
}

fn interesting(chance: &mut Chance, bytes: &[u8]) -> Option<usize> {
    let start = chance.below(bytes.len());
    let found = bytes.iter().skip(start).position(|byte| *byte != 0);
    let at = start + found.unwrap_or_default();
    (at + 8 < bytes.len()).then_some(at + chance.below(4))
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    for (to, from) in bytes.iter_mut().skip(at).zip(value) {
        *to = *from;
    }
}
