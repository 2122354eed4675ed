//! Damage, done to good input by a generator whose every run is the same.

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

/// In which order the bytes of a number stand in the input.
#[derive(Clone, Copy)]
pub(crate) enum Order {
    Big,
    Little,
}

/// Numbers at which readers go wrong.
const EDGES: [u64; 24] = [
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    8,
    9,
    12,
    16,
    35,
    36,
    0xFF,
    0xFFF,
    0x1000,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFC,
    0xFFFF_FFFF,
    0x1_0000_0000,
    0xF_FFFF_FFFF_F000,
    0x8000_0000_0000_0000,
    u64::MAX,
];

/// Damages `bytes` in one to four places.
pub(crate) fn damage(chance: &mut Chance, bytes: &mut Vec<u8>, order: Order) {
    for _ in 0..=chance.below(4) {
        let length = bytes.len();
        if length < 8 {
            return;
        }
        let at = chance.below(length);
        match chance.below(9) {
            0 => bytes[at] = chance.next().to_le_bytes()[0],
            1 => bytes[at] ^= 1 << chance.below(8),
            2 => {
                // Near the start is what the rest depends on.
                let at = chance.below(length.min(64));
                bytes[at] = chance.next().to_le_bytes()[0];
            }
            3 => put(chance, bytes, at & !3, 4, order),
            4 => put(chance, bytes, chance_of_header(at), 4, order),
            5 => put(chance, bytes, at & !3, 8, order),
            6 => {
                let (from, count) = (chance.below(length), chance.below(64));
                let count = count.min(length - at).min(length - from);
                bytes.copy_within(from..from + count, at);
            }
            7 => {
                let end = (at + 4 * chance.below(16)).min(length);
                bytes.drain(at..end);
            }
            _ if chance.below(4) == 0 => bytes.truncate(at),
            _ => {
                let piece = bytes[at..(at + 4 * chance.below(16)).min(length)].to_vec();
                let to = chance.below(length) & !3;
                bytes.splice(to..to, piece);
            }
        }
    }
}

fn chance_of_header(at: usize) -> usize {
    at % 14 * 4
}

/// Puts a number at which readers go wrong, or one near the length.
fn put(chance: &mut Chance, bytes: &mut [u8], at: usize, width: usize, order: Order) {
    let length = u64::try_from(bytes.len()).unwrap();
    let value = match chance.below(4) {
        0 => length.wrapping_add(chance.next() % 9).wrapping_sub(4),
        1 => chance.next() % length,
        _ => EDGES[chance.below(EDGES.len())],
    };
    let Some(place) = bytes.get_mut(at..at + width) else {
        return;
    };
    match order {
        Order::Big => place.copy_from_slice(&value.to_be_bytes()[8 - width..]),
        Order::Little => place.copy_from_slice(&value.to_le_bytes()[..width]),
    }
}
