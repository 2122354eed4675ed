//! The section table.

use crate::bytes::{Fields, index};
use crate::flags::SectionCharacteristics;

/// Length of an entry.
pub(crate) const ENTRY: usize = 40;

/// A section, as the table has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Section {
    /// Its name, filled up with zeros.
    pub name: [u8; 8],
    /// Its bytes in memory; 0 means as many as in the file.
    pub virtual_size: u32,
    /// Where it is in memory.
    pub rva: u32,
    /// Its bytes in the file.
    pub raw_size: u32,
    /// Where it is in the file.
    pub raw_offset: u32,
    /// What it is.
    pub characteristics: SectionCharacteristics,
}

impl Section {
    fn read(entry: &[u8]) -> Self {
        let mut name = [0; 8];
        for (to, from) in name.iter_mut().zip(entry) {
            *to = *from;
        }
        let mut fields = Fields::new(entry);
        fields.skip(8);
        let (virtual_size, rva) = (fields.u32(), fields.u32());
        let (raw_size, raw_offset) = (fields.u32(), fields.u32());
        fields.skip(12);
        Self {
            name,
            virtual_size,
            rva,
            raw_size,
            raw_offset,
            characteristics: SectionCharacteristics::from_bits_retain(fields.u32()),
        }
    }

    /// Its name without the zeros behind.
    pub fn short_name(&self) -> &[u8] {
        let length = self.name.iter().position(|byte| *byte == 0);
        self.name
            .get(..length.unwrap_or(self.name.len()))
            .unwrap_or(&[])
    }

    /// Its bytes in memory, as NT counts them.
    pub fn size_in_memory(&self) -> u32 {
        if self.virtual_size == 0 {
            self.raw_size
        } else {
            self.virtual_size
        }
    }

    /// Whether any of its bytes come from the file.
    pub(crate) fn has_file_bytes(&self) -> bool {
        self.raw_offset != 0 && self.raw_size != 0
    }
}

/// All sections, in the table's order, which is that of addresses.
#[derive(Clone, Copy, Debug)]
pub struct Sections<'a> {
    table: &'a [u8],
}

impl<'a> Sections<'a> {
    /// The table of `count` entries at `offset`; `None` if the bytes end before it does.
    pub(crate) fn find(bytes: &'a [u8], offset: u32, count: u16) -> Option<Self> {
        let length = usize::from(count) * ENTRY;
        let table = bytes.get(index(offset)..)?.get(..length)?;
        Some(Self { table })
    }

    /// The number of sections.
    pub fn count(&self) -> usize {
        self.table.len() / ENTRY
    }

    /// The section with a number, from 0.
    pub fn get(&self, number: usize) -> Option<Section> {
        let entry = self.table.get(number.checked_mul(ENTRY)?..)?.get(..ENTRY)?;
        Some(Section::read(entry))
    }

    /// Each section.
    pub fn iter(&self) -> impl Iterator<Item = Section> + use<'a> {
        self.table.chunks_exact(ENTRY).map(Section::read)
    }

    /// The last section that starts at or before an address.
    pub(crate) fn last_before(&self, rva: u32) -> Option<(usize, Section)> {
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle)?.rva <= rva {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let number = low.checked_sub(1)?;
        Some((number, self.get(number)?))
    }
}
