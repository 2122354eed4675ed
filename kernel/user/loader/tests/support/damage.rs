//! Files that are damaged at random, the same way each time.

use rtl::Random;

/// Numbers at which readers go wrong.
const EDGES: [u32; 14] = [
    0,
    1,
    7,
    0xFF,
    0xFFF,
    0x1000,
    0xFFFF,
    0x7FFF_FFFF,
    0x8000_0000,
    0x8000_0001,
    0xFFFF_F000,
    0xFFFF_FFF8,
    0xFFFF_FFFE,
    0xFFFF_FFFF,
];

/// Where something is in a file that is neither zero nor code.
pub(crate) fn places(file: &[u8]) -> Vec<usize> {
    (0..file.len() - 64)
        .filter(|at| file[*at] != 0 && file[*at] != 0xC3)
        .collect()
}

/// Damages a file in one to three of these places.
pub(crate) fn damage(random: &mut Random, places: &[usize], file: &mut [u8]) {
    for _ in 0..=random.index(3) {
        let at = places[random.index(places.len())];
        match random.index(7) {
            0 => file[at] = random.next_u64().to_le_bytes()[0],
            1 => file[at] ^= 1 << random.index(8),
            2 | 3 => {
                let value = EDGES[random.index(EDGES.len())];
                file[at & !3..][..4].copy_from_slice(&value.to_le_bytes());
            }
            4 => {
                // An address of the image, so that something is there.
                let value = u32::try_from(random.index(0x8000)).unwrap();
                file[at & !3..][..4].copy_from_slice(&value.to_le_bytes());
            }
            5 => {
                let from = random.index(file.len() - 64);
                let count = random.index(48).min(file.len() - at);
                file.copy_within(from..from + count, at);
            }
            _ => {
                file[at] = file[at]
                    .wrapping_add(u8::try_from(random.index(5)).unwrap())
                    .wrapping_sub(2)
            }
        }
    }
}
