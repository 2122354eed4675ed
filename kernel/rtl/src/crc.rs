//! Cyclic redundancy checks: CRC-32 of Ethernet and ZIP, and the CRC-64 of NVMe.
//!
//! Both are reflected, begin with all bits set and end inverted. A check goes on from the result of the bytes before.
//! Eight bytes are taken at a time, through one table for each of their places (Kounavis and Berry, "Novel Table
//! Lookup-Based Algorithms for High-Performance CRC Generation", 2008, known as slicing by 8).

/// Bytes that are taken at a time.
const SLICES: usize = 8;

macro_rules! crc {
    ($(#[$doc:meta])* $name:ident: $number:ty, $polynomial:literal, $table:ident) => {
        #[allow(clippy::cast_possible_truncation, reason = "what is cast is less than 256")]
        static $table: [[$number; 256]; SLICES] = {
            let mut tables = [[0; 256]; SLICES];
            let mut byte = 0;
            while byte < 256 {
                let mut value = byte as $number;
                let mut bit = 0;
                while bit < 8 {
                    value = value >> 1 ^ if value & 1 == 0 { 0 } else { $polynomial };
                    bit += 1;
                }
                tables[0][byte] = value;
                byte += 1;
            }
            let mut slice = 1;
            while slice < SLICES {
                let mut byte = 0;
                while byte < 256 {
                    let before = tables[slice - 1][byte];
                    tables[slice][byte] = before >> 8 ^ tables[0][(before & 0xFF) as usize];
                    byte += 1;
                }
                slice += 1;
            }
            tables
        };

        $(#[$doc])*
        #[must_use]
        pub fn $name(before: $number, bytes: &[u8]) -> $number {
            const WIDTH: usize = size_of::<$number>();
            let mut value = !before;
            let (eights, rest) = bytes.as_chunks::<SLICES>();
            for eight in eights {
                let mixed = value.to_le_bytes();
                value = 0;
                for (place, byte) in eight.iter().enumerate() {
                    let of_value = if place < WIDTH { mixed[place] } else { 0 };
                    value ^= $table[SLICES - 1 - place][usize::from(byte ^ of_value)];
                }
            }
            for byte in rest {
                let index = usize::from(byte ^ value.to_le_bytes()[0]);
                value = value >> 8 ^ $table[0][index];
            }
            !value
        }
    };
}

crc! {
    /// The CRC-32 of bytes that follow those of which `before` is the CRC; 0 for none.
    crc32: u32, 0xEDB8_8320, CRC32
}

crc! {
    /// The CRC-64 of bytes that follow those of which `before` is the CRC; 0 for none.
    crc64: u64, 0x9A6C_9329_AC4B_C9B5, CRC64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_values_of_the_catalogue() {
        // Of "123456789": CRC-32/ISO-HDLC and CRC-64/NVME in Cook's "Catalogue of parametrised CRC algorithms".
        assert_eq!(crc32(0, b"123456789"), 0xCBF4_3926);
        assert_eq!(crc64(0, b"123456789"), 0xAE8B_1486_0A79_9888);
        // As Wine goes on from another value.
        assert_eq!(crc32(0x1234_5678, b"123456789"), 0x01F4_807B);
    }

    #[test]
    fn a_check_goes_on_wherever_it_stopped() {
        let bytes: [u8; 100] = core::array::from_fn(|index| (index * 37 % 251).to_le_bytes()[0]);
        for cut in 0..=bytes.len() {
            let (first, second) = bytes.split_at(cut);
            assert_eq!(crc32(crc32(0, first), second), crc32(0, &bytes));
            assert_eq!(crc64(crc64(0, first), second), crc64(0, &bytes));
        }
    }
}
