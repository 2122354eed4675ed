//! The symbol table that is linked into the kernel, so that a bug check names functions.
//!
//! The build tool makes it from the linked kernel. All numbers are little endian:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `TARNSYM1` |
//! | 4 | number of symbols |
//! | 4 | bytes of names |
//! | 16 each | address (8), size (4), offset of the name (4); ascending by address |
//! | rest | names: length (2), UTF-8 |
//!
//! The reader trusts none of it: a bug check that faulted would report nothing.

const MAGIC: &[u8; 8] = b"TARNSYM1";
const HEADER: usize = 16;
const RECORD: usize = 16;

/// A symbol table, found to have its parts in place.
#[derive(Clone, Copy)]
pub struct Symbols<'a> {
    records: &'a [u8],
    names: &'a [u8],
}

/// A function that covers an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Symbol<'a> {
    /// Its name.
    pub name: &'a str,
    /// Bytes from its start to the address.
    pub offset: u64,
    /// Its length in bytes; 0 if the linker did not say.
    pub size: u32,
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_le_bytes(
        bytes.get(offset..offset.checked_add(2)?)?.try_into().ok()?,
    ))
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(
        bytes.get(offset..offset.checked_add(4)?)?.try_into().ok()?,
    ))
}

fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_le_bytes(
        bytes.get(offset..offset.checked_add(8)?)?.try_into().ok()?,
    ))
}

impl<'a> Symbols<'a> {
    /// Reads a table; `None` if it is none (an empty one is the table of a kernel that is built the first time).
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        if bytes.get(..8)? != MAGIC {
            return None;
        }
        let records_length = usize::try_from(u32_at(bytes, 8)?)
            .ok()?
            .checked_mul(RECORD)?;
        let names_length = usize::try_from(u32_at(bytes, 12)?).ok()?;
        let names_start = HEADER.checked_add(records_length)?;
        let records = bytes.get(HEADER..names_start)?;
        let names = bytes.get(names_start..names_start.checked_add(names_length)?)?;
        Some(Self { records, names })
    }

    /// The number of symbols.
    pub fn count(&self) -> usize {
        self.records.len() / RECORD
    }

    fn address(&self, index: usize) -> Option<u64> {
        u64_at(self.records, index * RECORD)
    }

    /// The function that covers `address`: the last one that starts at or before it, if the address is within its size.
    pub fn find(&self, address: u64) -> Option<Symbol<'a>> {
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.address(middle)? <= address {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let index = low.checked_sub(1)?;
        let offset = address - self.address(index)?;
        let size = u32_at(self.records, index * RECORD + 8)?;
        if size != 0 && offset >= u64::from(size) {
            return None;
        }
        let name_at = usize::try_from(u32_at(self.records, index * RECORD + 12)?).ok()?;
        let length = usize::from(u16_at(self.names, name_at)?);
        let start = name_at.checked_add(2)?;
        let name = core::str::from_utf8(self.names.get(start..start.checked_add(length)?)?).ok()?;
        Some(Symbol { name, offset, size })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    /// Two functions at 0x1000 (16 bytes) and 0x1040 (size not known), written by hand from the format's table.
    fn table() -> Vec<u8> {
        let mut bytes = Vec::from(*b"TARNSYM1\x02\0\0\0\x0b\0\0\0");
        bytes.extend(b"\0\x10\0\0\0\0\0\0\x10\0\0\0\0\0\0\0");
        bytes.extend(b"\x40\x10\0\0\0\0\0\0\0\0\0\0\x05\0\0\0");
        bytes.extend(b"\x03\0one\x04\0deux");
        bytes
    }

    #[test]
    fn finds_the_function_that_covers_an_address() {
        let bytes = table();
        let symbols = Symbols::parse(&bytes).expect("the table is good");
        let named = |address| {
            symbols
                .find(address)
                .map(|found| (found.name, found.offset))
        };
        assert_eq!(named(0xFFF), None);
        assert_eq!(named(0x1000), Some(("one", 0)));
        assert_eq!(named(0x100F), Some(("one", 15)));
        assert_eq!(named(0x1010), None, "one has 16 bytes");
        assert_eq!(
            named(0x2000),
            Some(("deux", 0xFC0)),
            "without a size it reaches to the next"
        );
    }

    #[test]
    fn a_damaged_table_finds_nothing_and_never_panics() {
        let good = table();
        for length in 0..good.len() {
            assert!(Symbols::parse(&good[..length]).is_none(), "cut at {length}");
        }
        for position in 0..good.len() {
            for value in [0, 1, 0x7F, 0xFF] {
                let mut bad = good.clone();
                bad[position] = value;
                if let Some(symbols) = Symbols::parse(&bad) {
                    for address in [0, 0x1000, 0x1040, u64::MAX] {
                        let _ = symbols.find(address);
                    }
                }
            }
        }
    }
}
