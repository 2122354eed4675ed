//! Digests: SHA-1 (FIPS 180-4), MD5 (RFC 1321) and MD4 (RFC 1320).
//!
//! None of them keeps secrets any more. They are names for bytes: SHA-1 makes a service's SID from its name, the two others
//! are in old formats. All take blocks of 64 bytes; [`Blocks`] gathers them.

/// Bytes in a block.
const BLOCK: usize = 64;

/// What takes whole blocks.
pub trait Compress {
    /// The state before the first block.
    const INITIAL: Self;
    /// Whether numbers are stored with the high byte first.
    const BIG_ENDIAN: bool;

    /// Takes a block of 16 numbers.
    fn compress(&mut self, block: &[u32; 16]);
}

/// Bytes on their way into blocks.
#[derive(Clone, Copy, Debug)]
pub struct Blocks<S> {
    /// The state after all whole blocks.
    pub state: S,
    /// How many bytes were given.
    pub length: u64,
    /// Those that are no whole block yet.
    pub rest: [u8; BLOCK],
}

impl<S: Compress> Blocks<S> {
    /// Nothing was given yet.
    pub fn new() -> Self {
        Self {
            state: S::INITIAL,
            length: 0,
            rest: [0; BLOCK],
        }
    }

    /// Takes bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let filled = usize::from(self.length.to_le_bytes()[0]) % BLOCK;
            let count = bytes.len().min(BLOCK - filled);
            let (now, later) = bytes.split_at(count);
            self.rest[filled..filled + count].copy_from_slice(now);
            self.length = self.length.wrapping_add(count as u64);
            if filled + count == BLOCK {
                let mut numbers = [0; 16];
                for (number, four) in numbers.iter_mut().zip(self.rest.chunks_exact(4)) {
                    let four = [four[0], four[1], four[2], four[3]];
                    *number = if S::BIG_ENDIAN {
                        u32::from_be_bytes(four)
                    } else {
                        u32::from_le_bytes(four)
                    };
                }
                self.state.compress(&numbers);
            }
            bytes = later;
        }
    }

    /// Ends the bytes: a bit that is set, zeros, and how many bits there were.
    pub fn finish(mut self) -> S {
        let bits = self.length.wrapping_mul(8);
        self.update(&[0x80]);
        while self.length % BLOCK as u64 != 56 {
            self.update(&[0]);
        }
        self.update(&if S::BIG_ENDIAN {
            bits.to_be_bytes()
        } else {
            bits.to_le_bytes()
        });
        self.state
    }
}

impl<S: Compress> Default for Blocks<S> {
    fn default() -> Self {
        Self::new()
    }
}

/// The state of SHA-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sha1(pub [u32; 5]);

impl Sha1 {
    /// The digest of bytes.
    pub fn of(bytes: &[u8]) -> [u8; 20] {
        let mut blocks = Blocks::<Self>::new();
        blocks.update(bytes);
        blocks.finish().bytes()
    }

    /// The digest.
    pub fn bytes(self) -> [u8; 20] {
        let mut bytes = [0; 20];
        for (four, number) in bytes.chunks_exact_mut(4).zip(self.0) {
            four.copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }
}

impl Compress for Sha1 {
    const INITIAL: Self = Self([
        0x6745_2301,
        0xEFCD_AB89,
        0x98BA_DCFE,
        0x1032_5476,
        0xC3D2_E1F0,
    ]);
    const BIG_ENDIAN: bool = true;

    fn compress(&mut self, block: &[u32; 16]) {
        let mut schedule = [0u32; 80];
        schedule[..16].copy_from_slice(block);
        for round in 16..80 {
            let mixed = schedule[round - 3]
                ^ schedule[round - 8]
                ^ schedule[round - 14]
                ^ schedule[round - 16];
            schedule[round] = mixed.rotate_left(1);
        }
        let [mut a, mut b, mut c, mut d, mut e] = self.0;
        for (round, word) in schedule.iter().enumerate() {
            let (mixed, constant) = match round {
                0..20 => (b & c | !b & d, 0x5A82_7999),
                20..40 => (b ^ c ^ d, 0x6ED9_EBA1),
                40..60 => (b & c | b & d | c & d, 0x8F1B_BCDC),
                _ => (b ^ c ^ d, 0xCA62_C1D6u32),
            };
            let next = a
                .rotate_left(5)
                .wrapping_add(mixed)
                .wrapping_add(e)
                .wrapping_add(constant)
                .wrapping_add(*word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (number, more) in self.0.iter_mut().zip([a, b, c, d, e]) {
            *number = number.wrapping_add(more);
        }
    }
}

/// The state of MD5 or MD4: four numbers.
fn digest_of_four(numbers: [u32; 4]) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (four, number) in bytes.chunks_exact_mut(4).zip(numbers) {
        four.copy_from_slice(&number.to_le_bytes());
    }
    bytes
}

/// Where both begin.
const INITIAL_FOUR: [u32; 4] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476];

/// The state of MD5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Md5(pub [u32; 4]);

/// The constants of MD5: the parts behind the point of the sines of 1 to 64, times 2^32.
const SINES: [u32; 64] = [
    0xD76A_A478,
    0xE8C7_B756,
    0x2420_70DB,
    0xC1BD_CEEE,
    0xF57C_0FAF,
    0x4787_C62A,
    0xA830_4613,
    0xFD46_9501,
    0x6980_98D8,
    0x8B44_F7AF,
    0xFFFF_5BB1,
    0x895C_D7BE,
    0x6B90_1122,
    0xFD98_7193,
    0xA679_438E,
    0x49B4_0821,
    0xF61E_2562,
    0xC040_B340,
    0x265E_5A51,
    0xE9B6_C7AA,
    0xD62F_105D,
    0x0244_1453,
    0xD8A1_E681,
    0xE7D3_FBC8,
    0x21E1_CDE6,
    0xC337_07D6,
    0xF4D5_0D87,
    0x455A_14ED,
    0xA9E3_E905,
    0xFCEF_A3F8,
    0x676F_02D9,
    0x8D2A_4C8A,
    0xFFFA_3942,
    0x8771_F681,
    0x6D9D_6122,
    0xFDE5_380C,
    0xA4BE_EA44,
    0x4BDE_CFA9,
    0xF6BB_4B60,
    0xBEBF_BC70,
    0x289B_7EC6,
    0xEAA1_27FA,
    0xD4EF_3085,
    0x0488_1D05,
    0xD9D4_D039,
    0xE6DB_99E5,
    0x1FA2_7CF8,
    0xC4AC_5665,
    0xF429_2244,
    0x432A_FF97,
    0xAB94_23A7,
    0xFC93_A039,
    0x655B_59C3,
    0x8F0C_CC92,
    0xFFEF_F47D,
    0x8584_5DD1,
    0x6FA8_7E4F,
    0xFE2C_E6E0,
    0xA301_4314,
    0x4E08_11A1,
    0xF753_7E82,
    0xBD3A_F235,
    0x2AD7_D2BB,
    0xEB86_D391,
];

impl Md5 {
    /// The digest.
    pub fn bytes(self) -> [u8; 16] {
        digest_of_four(self.0)
    }
}

impl Compress for Md5 {
    const INITIAL: Self = Self(INITIAL_FOUR);
    const BIG_ENDIAN: bool = false;

    fn compress(&mut self, block: &[u32; 16]) {
        const TURNS: [[u32; 4]; 4] = [
            [7, 12, 17, 22],
            [5, 9, 14, 20],
            [4, 11, 16, 23],
            [6, 10, 15, 21],
        ];
        let [mut a, mut b, mut c, mut d] = self.0;
        for (round, sine) in SINES.iter().enumerate() {
            let (mixed, index) = match round / 16 {
                0 => (b & c | !b & d, round),
                1 => (d & b | !d & c, 5 * round + 1),
                2 => (b ^ c ^ d, 3 * round + 5),
                _ => (c ^ (b | !d), 7 * round),
            };
            let sum = a
                .wrapping_add(mixed)
                .wrapping_add(block[index % 16])
                .wrapping_add(*sine);
            let next = b.wrapping_add(sum.rotate_left(TURNS[round / 16][round % 4]));
            (a, d, c, b) = (d, c, b, next);
        }
        for (number, more) in self.0.iter_mut().zip([a, b, c, d]) {
            *number = number.wrapping_add(more);
        }
    }
}

/// The state of MD4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Md4(pub [u32; 4]);

impl Md4 {
    /// The digest.
    pub fn bytes(self) -> [u8; 16] {
        digest_of_four(self.0)
    }
}

impl Compress for Md4 {
    const INITIAL: Self = Self(INITIAL_FOUR);
    const BIG_ENDIAN: bool = false;

    fn compress(&mut self, block: &[u32; 16]) {
        const TURNS: [[u32; 4]; 3] = [[3, 7, 11, 19], [3, 5, 9, 13], [3, 9, 11, 15]];
        const LAST_ORDER: [usize; 16] = [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15];
        let [mut a, mut b, mut c, mut d] = self.0;
        for round in 0..48 {
            let (mixed, index, constant) = match round / 16 {
                0 => (b & c | !b & d, round, 0),
                1 => (
                    b & c | b & d | c & d,
                    round % 4 * 4 + round % 16 / 4,
                    0x5A82_7999,
                ),
                _ => (b ^ c ^ d, LAST_ORDER[round % 16], 0x6ED9_EBA1u32),
            };
            let sum = a
                .wrapping_add(mixed)
                .wrapping_add(block[index])
                .wrapping_add(constant);
            let next = sum.rotate_left(TURNS[round / 16][round % 4]);
            (a, d, c, b) = (d, c, b, next);
        }
        for (number, more) in self.0.iter_mut().zip([a, b, c, d]) {
            *number = number.wrapping_add(more);
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::format;
    use std::string::String;
    use std::vec::Vec;

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn all<S: Compress>(bytes: &[u8]) -> S {
        let mut blocks = Blocks::<S>::new();
        blocks.update(bytes);
        blocks.finish()
    }

    #[test]
    fn the_examples_of_the_standards() {
        assert_eq!(
            hex(&Sha1::of(b"")),
            "da39a3ee5e6b4b0d3255bfef95601890afd80709"
        );
        assert_eq!(
            hex(&Sha1::of(b"abc")),
            "a9993e364706816aba3e25717850c26c9cd0d89d"
        );
        let long = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        assert_eq!(
            hex(&Sha1::of(long)),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
        );
        for (text, md5, md4) in [
            (
                "",
                "d41d8cd98f00b204e9800998ecf8427e",
                "31d6cfe0d16ae931b73c59d7e0c089c0",
            ),
            (
                "abc",
                "900150983cd24fb0d6963f7d28e17f72",
                "a448017aaf21d8525fc10ae87aa6729d",
            ),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a",
                "e33b4ddc9c38f2199c3e7b164fcc0536",
            ),
        ] {
            assert_eq!(hex(&all::<Md5>(text.as_bytes()).bytes()), md5);
            assert_eq!(hex(&all::<Md4>(text.as_bytes()).bytes()), md4);
        }
    }

    #[test]
    fn it_does_not_matter_how_bytes_are_cut() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let whole = Sha1::of(&bytes);
        for step in [1, 3, 63, 64, 65, 200] {
            let mut blocks = Blocks::<Sha1>::new();
            bytes.chunks(step).for_each(|piece| blocks.update(piece));
            assert_eq!(blocks.finish().bytes(), whole);
        }
    }
}
