//! Function tables as they lie in memory: which entry covers an address.
//!
//! A table is sorted by address, so the search is binary. It trusts nothing: a table that is not sorted finds the wrong
//! entry or none, and whoever undoes the function with it finds out that it makes no sense.

use pe::{ImageBytes, unwind_arm64, unwind_x64};

use crate::machine::{Amd64, Arm64, Machine};

/// A machine whose function tables can be searched.
pub trait Tables: Machine {
    /// Bytes of an entry.
    const ENTRY: usize;

    /// The function's first byte and, of an entry that can be read, the function.
    fn read(entry: &[u8]) -> Option<(u32, Self::Function)>;

    /// Whether a function that begins at or before an address covers it.
    fn covers<'a>(function: &Self::Function, rva: u32, image: &impl ImageBytes<'a>) -> bool;
}

/// The entry of a table that covers an address, and its number.
pub fn find_function<'a, M: Tables>(
    table: &[u8],
    rva: u32,
    image: &impl ImageBytes<'a>,
) -> Option<(usize, M::Function)> {
    let begin = |number: usize| {
        let entry = table.get(number * M::ENTRY..)?;
        Some(u32::from_le_bytes(*entry.first_chunk()?))
    };
    let (mut low, mut high) = (0, table.len() / M::ENTRY);
    while low < high {
        let middle = low + (high - low) / 2;
        if begin(middle)? <= rva {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let number = low.checked_sub(1)?;
    let (_, function) = M::read(table.get(number * M::ENTRY..)?)?;
    M::covers(&function, rva, image).then_some((number, function))
}

impl Tables for Amd64 {
    const ENTRY: usize = 12;

    fn read(entry: &[u8]) -> Option<(u32, Self::Function)> {
        let function = unwind_x64::RuntimeFunction::read(entry.first_chunk()?);
        Some((function.begin_rva, function))
    }

    fn covers<'a>(function: &Self::Function, rva: u32, _image: &impl ImageBytes<'a>) -> bool {
        (function.begin_rva..function.end_rva).contains(&rva)
    }
}

impl Tables for Arm64 {
    const ENTRY: usize = 8;

    fn read(entry: &[u8]) -> Option<(u32, Self::Function)> {
        let (begin, rest) = entry.split_first_chunk()?;
        let begin = u32::from_le_bytes(*begin);
        let word = u32::from_le_bytes(*rest.first_chunk()?);
        let function = unwind_arm64::RuntimeFunction::read(begin, word).ok()?;
        Some((begin, function))
    }

    fn covers<'a>(function: &Self::Function, rva: u32, image: &impl ImageBytes<'a>) -> bool {
        /// Of a record's first word: the function's length in instructions.
        const LENGTH: u32 = 0x3FFFF;
        let length = match function.unwind {
            unwind_arm64::UnwindData::Packed(packed) => packed.length,
            unwind_arm64::UnwindData::Record(record) => {
                let word = image
                    .bytes_at(record, 4)
                    .and_then(|bytes| bytes.first_chunk().copied());
                word.map_or(0, |word| (u32::from_le_bytes(word) & LENGTH) * 4)
            }
        };
        rva.wrapping_sub(function.begin_rva) < length
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;

    use super::*;

    struct Image<'a>(&'a [u8]);

    impl<'a> ImageBytes<'a> for Image<'a> {
        fn bytes_at(&self, rva: u32, length: usize) -> Option<&'a [u8]> {
            self.0.get(rva as usize..)?.get(..length)
        }
    }

    fn bytes(words: &[u32]) -> alloc::vec::Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn functions_of_x64_have_ends() {
        let table = bytes(&[0x1000, 0x1010, 0, 0x1020, 0x1030, 0, 0x1030, 0x1031, 0]);
        let find = |rva| find_function::<Amd64>(&table, rva, &Image(&[])).map(|found| found.0);
        assert_eq!(
            [0xFFF, 0x1000, 0x100F, 0x1010, 0x102F, 0x1030, 0x1031].map(find),
            [None, Some(0), Some(0), None, Some(1), Some(2), None]
        );
    }

    #[test]
    fn functions_of_arm64_have_lengths() {
        // The second's record is at 0: three instructions.
        let packed = 1 | 4 << 2;
        let table = bytes(&[0x1000, packed, 0x1020, 0, 0x1040, packed]);
        let records = bytes(&[3]);
        let find = |rva| find_function::<Arm64>(&table, rva, &Image(&records)).map(|found| found.0);
        assert_eq!(
            [
                0xFFC, 0x1000, 0x100C, 0x1010, 0x1020, 0x1028, 0x102C, 0x1040
            ]
            .map(find),
            [
                None,
                Some(0),
                Some(0),
                None,
                Some(1),
                Some(1),
                None,
                Some(2)
            ]
        );
    }
}
