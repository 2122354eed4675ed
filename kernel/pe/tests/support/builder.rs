//! Writes PE files whose every field a test can set.

use pe::{Machine, Width};

const NT_OFFSET: usize = 0x40;

/// A section to write.
#[derive(Clone)]
pub(crate) struct NewSection {
    pub(crate) name: &'static str,
    pub(crate) rva: u32,
    pub(crate) virtual_size: u32,
    /// Where it says it is in the file. The bytes are put there.
    pub(crate) raw_offset: u32,
    /// How long it says it is in the file; the bytes' length if `None`.
    pub(crate) raw_size: Option<u32>,
    pub(crate) characteristics: u32,
    pub(crate) bytes: Vec<u8>,
}

/// A file to write. [`NewImage::new`] gives a good one with one section at 0x1000, 0x200 in the file.
#[derive(Clone)]
pub(crate) struct NewImage {
    pub(crate) magic: [u8; 2],
    pub(crate) nt_offset: u32,
    pub(crate) signature: [u8; 4],
    pub(crate) machine: u16,
    pub(crate) characteristics: u16,
    pub(crate) section_count: Option<u16>,
    pub(crate) optional_size: Option<u16>,
    pub(crate) optional_magic: u16,
    pub(crate) entry_point: u32,
    pub(crate) image_base: u64,
    pub(crate) section_alignment: u32,
    pub(crate) file_alignment: u32,
    pub(crate) size_of_image: u32,
    pub(crate) size_of_headers: u32,
    pub(crate) subsystem: u16,
    pub(crate) dll_characteristics: u16,
    pub(crate) directory_count: u32,
    pub(crate) directories: [(u32, u32); 16],
    pub(crate) sections: Vec<NewSection>,
    /// Zeros are written up to this length.
    pub(crate) shortest: usize,
}

impl NewImage {
    pub(crate) fn new(machine: Machine) -> Self {
        let optional_magic = match machine.width() {
            Some(Width::Pe32Plus) => 0x20B,
            _ => 0x10B,
        };
        Self {
            magic: *b"MZ",
            nt_offset: u32::try_from(NT_OFFSET).unwrap(),
            signature: *b"PE\0\0",
            machine: machine.0,
            characteristics: 0x0002,
            section_count: None,
            optional_size: None,
            optional_magic,
            entry_point: 0x1000,
            image_base: 0x40_0000,
            section_alignment: 0x1000,
            file_alignment: 0x200,
            size_of_image: 0x2000,
            size_of_headers: 0x200,
            subsystem: 3,
            dll_characteristics: 0x0140,
            directory_count: 16,
            directories: [(0, 0); 16],
            sections: vec![Self::section(0x1000, 0x200, vec![0x90; 0x200])],
            shortest: 0x200,
        }
    }

    pub(crate) fn section(rva: u32, raw_offset: u32, bytes: Vec<u8>) -> NewSection {
        NewSection {
            name: ".test",
            rva,
            virtual_size: u32::try_from(bytes.len()).unwrap(),
            raw_offset,
            raw_size: None,
            characteristics: 0x4000_0040,
            bytes,
        }
    }

    fn wide(&self) -> bool {
        self.optional_magic == 0x20B
    }

    fn optional_header(&self) -> Vec<u8> {
        let mut out = Writer(Vec::new());
        out.u16(self.optional_magic)
            .zeros(14)
            .u32(self.entry_point)
            .zeros(4);
        if self.wide() {
            out.bytes(&self.image_base.to_le_bytes());
        } else {
            let base = u32::try_from(self.image_base).unwrap();
            out.zeros(4).u32(base);
        }
        out.u32(self.section_alignment).u32(self.file_alignment);
        out.u16(4).u16(0).u16(1).u16(2).u16(4).u16(0).zeros(4);
        out.u32(self.size_of_image)
            .u32(self.size_of_headers)
            .zeros(4);
        out.u16(self.subsystem).u16(self.dll_characteristics);
        let pointer = if self.wide() { 8 } else { 4 };
        for value in [0x10_0000_u64, 0x1000, 0x20_0000, 0x2000] {
            out.bytes(&value.to_le_bytes()[..pointer]);
        }
        out.zeros(4).u32(self.directory_count);
        for (rva, size) in self.directories {
            out.u32(rva).u32(size);
        }
        out.0
    }

    /// The file.
    pub(crate) fn build(&self) -> Vec<u8> {
        let optional = self.optional_header();
        let count = u16::try_from(self.sections.len()).unwrap();
        let length = u16::try_from(optional.len()).unwrap();
        let mut out = Writer(Vec::new());
        out.bytes(&self.magic).zeros(0x3A).u32(self.nt_offset);
        out.bytes(&self.signature).u16(self.machine);
        out.u16(self.section_count.unwrap_or(count)).zeros(12);
        out.u16(self.optional_size.unwrap_or(length))
            .u16(self.characteristics);
        out.bytes(&optional);
        for section in &self.sections {
            let mut name = [0; 8];
            name[..section.name.len()].copy_from_slice(section.name.as_bytes());
            let raw_size = u32::try_from(section.bytes.len()).unwrap();
            out.bytes(&name).u32(section.virtual_size).u32(section.rva);
            out.u32(section.raw_size.unwrap_or(raw_size))
                .u32(section.raw_offset);
            out.zeros(12).u32(section.characteristics);
        }
        let mut file = out.0;
        file.resize(file.len().max(self.shortest), 0);
        for section in &self.sections {
            let start = usize::try_from(section.raw_offset).unwrap();
            let end = start + section.bytes.len();
            if !section.bytes.is_empty() {
                file.resize(file.len().max(end), 0);
                file[start..end].copy_from_slice(&section.bytes);
            }
        }
        file
    }
}

/// Little-endian bytes, one after the other.
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn zeros(&mut self, count: usize) -> &mut Self {
        self.0.resize(self.0.len() + count, 0);
        self
    }

    pub(crate) fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(crate) fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(crate) fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }
}
