//! An image in memory, as a loader would put it there.

fn u16_at(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap()))
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

/// Where the optional header is.
fn header(bytes: &[u8]) -> usize {
    u32_at(bytes, 0x3C) + 0x18
}

/// The base that the image was linked for.
pub(crate) fn preferred_base(bytes: &[u8]) -> u64 {
    let at = header(bytes) + 0x18;
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// An image at an address of this process, with its addresses put right.
pub(crate) struct Mapped {
    words: Vec<u64>,
}

impl Mapped {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let optional = header(bytes);
        let size = u32_at(bytes, optional + 0x38);
        let mut mapped = Self {
            words: vec![0; size.div_ceil(8)],
        };
        let sections = optional + u16_at(bytes, optional - 4);
        for number in 0..u16_at(bytes, optional - 0x12) {
            let section = sections + number * 0x28;
            let (to, from) = (u32_at(bytes, section + 12), u32_at(bytes, section + 20));
            let count = u32_at(bytes, section + 16).min(u32_at(bytes, section + 8));
            mapped.write(to, &bytes[from..from + count]);
        }
        let delta = (mapped.base() as u64).wrapping_sub(preferred_base(bytes));
        mapped.relocate(
            u32_at(bytes, optional + 0x98),
            u32_at(bytes, optional + 0x9C),
            delta,
        );
        mapped
    }

    fn bytes(&self) -> Vec<u8> {
        self.words
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect()
    }

    fn write(&mut self, at: usize, bytes: &[u8]) {
        let mut all = self.bytes();
        all[at..at + bytes.len()].copy_from_slice(bytes);
        for (word, bytes) in self.words.iter_mut().zip(all.chunks(8)) {
            *word = u64::from_le_bytes(bytes.try_into().unwrap());
        }
    }

    /// Moves every address of the base relocations: type 10 is the only one of these machines.
    fn relocate(&mut self, table: usize, length: usize, delta: u64) {
        let all = self.bytes();
        let mut block = table;
        while block < table + length {
            let (page, size) = (u32_at(&all, block), u32_at(&all, block + 4));
            for at in (block + 8..block + size).step_by(2) {
                let entry = u16_at(&all, at);
                if entry >> 12 == 10 {
                    let place = page + (entry & 0xFFF);
                    let old = u64::from_le_bytes(all[place..place + 8].try_into().unwrap());
                    self.write(place, &old.wrapping_add(delta).to_le_bytes());
                }
            }
            block += size;
        }
    }

    /// Where it is.
    pub(crate) fn base(&self) -> usize {
        self.words.as_ptr().expose_provenance()
    }
}
