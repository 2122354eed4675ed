//! The bytes of a DLL, section by section.

use super::{
    Built, CALLBACKS, Dll, ENTRY, Export, FUNCTIONS, Import, NT_OFFSET, PAGE, POINTER, TEXT, WIDE,
};

struct Section {
    name: &'static [u8],
    rva: u32,
    bytes: Vec<u8>,
    characteristics: u32,
}

impl Section {
    fn here(&self) -> u32 {
        self.rva + u32::try_from(self.bytes.len()).unwrap()
    }

    fn align(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
    }

    fn put(&mut self, bytes: &[u8]) -> u32 {
        let at = self.here();
        self.bytes.extend_from_slice(bytes);
        at
    }

    fn string(&mut self, text: &str) -> u32 {
        let at = self.put(text.as_bytes());
        self.bytes.push(0);
        at
    }

    fn u16(&mut self, value: u16) -> u32 {
        self.put(&value.to_le_bytes())
    }

    fn u32(&mut self, value: u32) -> u32 {
        self.put(&value.to_le_bytes())
    }

    fn pointer(&mut self, value: u64) -> u32 {
        self.put(&value.to_le_bytes()[..POINTER])
    }
}

pub(super) struct Writer<'a> {
    dll: &'a Dll,
    /// Bytes for `.rdata`.
    room: u32,
    tables: Section,
    data: Section,
    directories: [(u32, u32); 16],
    /// Where addresses are.
    addresses: Vec<u32>,
    slots: Vec<u32>,
    delayed_slots: Vec<(u32, u32)>,
    tls_index: u32,
    cookie: u32,
}

impl<'a> Writer<'a> {
    pub(super) fn new(dll: &'a Dll, room: u32) -> Self {
        let functions = dll.exports.len() * 16 + 0x1000;
        let text_end = TEXT + u32::try_from((0x1000 + functions).next_multiple_of(PAGE)).unwrap();
        Self {
            dll,
            room,
            tables: Section {
                name: b".rdata",
                rva: text_end,
                bytes: Vec::new(),
                characteristics: 0x4000_0040,
            },
            // Placed when the tables are written.
            data: Section {
                name: b".data",
                rva: 0,
                bytes: Vec::new(),
                characteristics: 0xC000_0040,
            },
            directories: [(0, 0); 16],
            addresses: Vec::new(),
            slots: Vec::new(),
            delayed_slots: Vec::new(),
            tls_index: 0,
            cookie: 0,
        }
    }

    fn address(&mut self, rva: u32) -> u32 {
        let at = self.tables.pointer(self.dll.base + u64::from(rva));
        self.addresses.push(at);
        at
    }

    /// The file; `None` if there is too little room for the tables.
    pub(super) fn build(mut self) -> Option<Built> {
        self.reserve_data();
        self.write_imports();
        self.write_delayed();
        self.write_exports();
        self.write_tls();
        self.write_load_config();
        self.write_functions();
        self.write_resources();
        (self.tables.bytes.len() <= self.room as usize).then(|| self.finish())
    }

    /// What is in `.data` has fixed places: the section comes behind the room for the tables.
    fn reserve_data(&mut self) {
        self.data.rva = self.tables.rva + self.room;
        self.tls_index = self.data.u32(0xFFFF_FFFF);
        self.data.u32(0);
        self.cookie = self.data.pointer(self.dll.cookie.unwrap_or_default());
        self.data.put(&[0xAB; 64]);
    }

    /// The entries of a lookup table.
    fn thunks(&mut self, wanted: &[Import]) -> Vec<u64> {
        let mut out = Vec::new();
        for import in wanted {
            out.push(match import {
                Import::Ordinal(number) => 1 << (8 * POINTER - 1) | u64::from(*number),
                Import::Name(name, hint) => {
                    self.tables.align(2);
                    let at = self.tables.u16(*hint);
                    self.tables.string(name);
                    u64::from(at)
                }
            });
        }
        out.push(0);
        out
    }

    fn table(&mut self, thunks: &[u64]) -> u32 {
        self.tables.align(8);
        let at = self.tables.here();
        for thunk in thunks {
            self.tables.pointer(*thunk);
        }
        at
    }

    fn write_imports(&mut self) {
        if self.dll.imports.is_empty() {
            return;
        }
        let dll = self.dll;
        let mut rows = Vec::new();
        for (module, wanted) in &dll.imports {
            let name = self.tables.string(module);
            let thunks = self.thunks(wanted);
            let lookup = if dll.lookup_table {
                self.table(&thunks)
            } else {
                0
            };
            rows.push((name, thunks, lookup));
        }
        self.tables.align(16);
        let first = self.tables.here();
        for (_, thunks, _) in &rows {
            let mut slots = thunks.clone();
            if dll.bound != 0 {
                // Where things were when somebody bound them.
                slots
                    .iter_mut()
                    .filter(|slot| **slot != 0)
                    .for_each(|slot| *slot = 0x7FFE_1000);
            }
            let at = self.table(&slots);
            self.slots.push(at);
        }
        if dll.address_table {
            self.directories[12] = (first, self.tables.here() - first);
        }
        self.tables.align(4);
        let at = self.tables.here();
        for ((name, _, lookup), slots) in rows.into_iter().zip(self.slots.clone()) {
            let stamp = dll.bound;
            for value in [lookup, stamp, stamp, name, slots] {
                self.tables.u32(value);
            }
        }
        self.tables.put(&[0; 20]);
        self.directories[1] = (at, self.tables.here() - at);
    }

    fn write_delayed(&mut self) {
        if self.dll.delayed.is_empty() {
            return;
        }
        let mut rows = Vec::new();
        for (module, wanted) in &self.dll.delayed {
            let name = self.tables.string(module);
            let thunks = self.thunks(wanted);
            let lookup = self.table(&thunks);
            self.data.align(8);
            let handle = self.data.pointer(0);
            let slots = self.data.here();
            // A slot leads to code that resolves it when it is first called.
            for (number, thunk) in thunks.iter().enumerate() {
                let stub = u64::from(TEXT) + 0x400 + 16 * u64::try_from(number).unwrap();
                let at = self
                    .data
                    .pointer(if *thunk == 0 { 0 } else { self.dll.base + stub });
                if *thunk != 0 {
                    self.addresses.push(at);
                }
            }
            self.delayed_slots.push((slots, handle));
            rows.push([1, name, handle, slots, lookup, 0, 0, 0]);
        }
        self.tables.align(4);
        let at = self.tables.here();
        for value in rows.into_iter().flatten() {
            self.tables.u32(value);
        }
        self.tables.put(&[0; 32]);
        self.directories[13] = (at, self.tables.here() - at);
    }

    fn write_exports(&mut self) {
        let dll = self.dll;
        if dll.exports.is_empty() {
            return;
        }
        self.tables.align(4);
        let start = self.tables.put(&[0; 40]);
        let module = self.tables.string(&dll.name);
        let mut addresses = Vec::new();
        for (number, (_, export)) in (0..).zip(&dll.exports) {
            addresses.push(match export {
                Export::Code => FUNCTIONS + 16 * number,
                Export::Forward(to) => self.tables.string(to),
                Export::Empty => 0,
            });
        }
        let mut names: Vec<(&str, u16)> = dll
            .exports
            .iter()
            .zip(0..)
            .filter(|((name, _), _)| !name.is_empty())
            .map(|((name, _), number)| (name.as_str(), number))
            .collect();
        names.sort_unstable();
        let strings: Vec<u32> = names
            .iter()
            .map(|(name, _)| self.tables.string(name))
            .collect();
        self.tables.align(4);
        let functions = self.tables.here();
        for rva in &addresses {
            self.tables.u32(*rva);
        }
        let name_table = self.tables.here();
        for rva in &strings {
            self.tables.u32(*rva);
        }
        let ordinals = self.tables.here();
        for (_, number) in &names {
            self.tables.u16(*number);
        }
        let count = |length: usize| u32::try_from(length).unwrap();
        let header = [
            0,
            dll.time_date_stamp,
            0,
            module,
            dll.ordinal_base,
            count(addresses.len()),
            count(names.len()),
            functions,
            name_table,
            ordinals,
        ];
        let at = usize::try_from(start - self.tables.rva).unwrap();
        for (field, value) in header.iter().enumerate() {
            self.tables.bytes[at + 4 * field..][..4].copy_from_slice(&value.to_le_bytes());
        }
        self.directories[0] = (start, self.tables.here() - start);
    }

    fn write_tls(&mut self) {
        let Some(tls) = self.dll.tls.clone() else {
            return;
        };
        self.tables.align(64);
        let start = self.tables.put(&tls.template);
        let end = self.tables.here();
        self.tables.align(8);
        let list = self.tables.here();
        for number in 0..tls.callbacks {
            self.address(CALLBACKS + 16 * number);
        }
        self.tables.pointer(0);
        let at = self.address(start);
        self.address(end);
        self.address(self.tls_index);
        self.address(list);
        self.tables.u32(tls.zero_fill);
        self.tables.u32(tls.alignment_bits << 20);
        self.directories[9] = (at, if WIDE { 40 } else { 24 });
    }

    fn write_load_config(&mut self) {
        if self.dll.cookie.is_none() {
            return;
        }
        self.tables.align(8);
        let (size, cookie_at) = if WIDE { (0x70, 0x58) } else { (0x48, 0x3C) };
        let at = self.tables.u32(size);
        self.tables.put(&vec![0; cookie_at - 4]);
        self.address(self.cookie);
        self.tables
            .put(&vec![0; size as usize - cookie_at - POINTER]);
        self.directories[10] = (at, size);
    }

    fn write_functions(&mut self) {
        if self.dll.functions.is_empty() {
            return;
        }
        self.tables.align(4);
        let at = self.tables.here();
        for (begin, end, unwind) in &self.dll.functions {
            for value in [*begin, *end, *unwind] {
                self.tables.u32(value);
            }
        }
        self.directories[3] = (at, self.tables.here() - at);
    }

    fn write_resources(&mut self) {
        if !self.dll.resources.is_empty() {
            self.tables.align(8);
            let at = self.tables.put(&self.dll.resources.clone());
            self.directories[2] = (at, self.tables.here() - at);
        }
    }

    /// Blocks of relocations for all addresses.
    fn relocations(&mut self, rva: u32) -> Section {
        let mut section = Section {
            name: b".reloc",
            rva,
            bytes: Vec::new(),
            characteristics: 0x4200_0040,
        };
        self.addresses.sort_unstable();
        for block in self.addresses.chunk_by(|a, b| a / 0x1000 == b / 0x1000) {
            let mut entries: Vec<u16> = block
                .iter()
                .map(|rva| if WIDE { 0xA000 } else { 0x3000 } | (rva & 0xFFF) as u16)
                .collect();
            if entries.len() % 2 == 1 {
                entries.push(0);
            }
            section.u32(block[0] & !0xFFF);
            section.u32(8 + 2 * entries.len() as u32);
            for entry in &entries {
                section.u16(*entry);
            }
        }
        if section.bytes.is_empty() {
            // An empty block, so that there is a table.
            section.u32(0x1000);
            section.u32(8);
        }
        self.directories[5] = (rva, section.bytes.len() as u32);
        section
    }

    fn finish(mut self) -> Built {
        let dll = self.dll;
        let text = Section {
            name: b".text",
            rva: TEXT,
            bytes: vec![0xC3; (self.tables.rva - TEXT) as usize],
            characteristics: 0x6000_0020,
        };
        // The sections must touch each other, so the tables' reaches to the data's.
        let reloc_rva = self.data.rva + (self.data.bytes.len().next_multiple_of(PAGE)) as u32;
        let relocations = self.relocations(reloc_rva);
        let end = relocations.rva + relocations.bytes.len().next_multiple_of(PAGE) as u32;
        let delay_directory = self.directories[13].0;
        let gap = (self.data.rva - self.tables.rva) as usize;
        let built = (self.slots, self.delayed_slots, self.tls_index, self.cookie);
        let sections = [
            (text, None),
            (self.tables, Some(gap)),
            (self.data, None),
            (relocations, None),
        ];
        let mut file = headers(dll, &self.directories, end, sections.len() as u16);
        let mut offset = 0x400_u32;
        for (section, size) in &sections {
            let mut name = [0; 8];
            name[..section.name.len()].copy_from_slice(section.name);
            let raw = section.bytes.len().next_multiple_of(0x200) as u32;
            let in_memory = size.unwrap_or(section.bytes.len()) as u32;
            file.extend_from_slice(&name);
            for value in [
                in_memory,
                section.rva,
                raw,
                offset,
                0,
                0,
                0,
                section.characteristics,
            ] {
                file.extend_from_slice(&value.to_le_bytes());
            }
            offset += raw;
        }
        for (section, _) in &sections {
            file.resize(file.len().max(0x400).next_multiple_of(0x200), 0);
            file.extend_from_slice(&section.bytes);
        }
        file.resize(file.len().next_multiple_of(0x200), 0);
        let (slots, delayed_slots, tls_index, cookie) = built;
        Built {
            file,
            slots,
            delay_directory,
            delayed_slots,
            tls_index,
            cookie,
        }
    }
}

fn headers(dll: &Dll, directories: &[(u32, u32); 16], end: u32, sections: u16) -> Vec<u8> {
    let mut out = Section {
        name: b"",
        rva: 0,
        bytes: Vec::new(),
        characteristics: 0,
    };
    out.put(b"MZ");
    out.bytes.resize(0x3C, 0);
    out.u32(NT_OFFSET as u32);
    out.bytes.resize(NT_OFFSET, 0);
    out.put(b"PE\0\0");
    out.u16(dll.machine);
    out.u16(sections);
    out.u32(dll.time_date_stamp);
    out.put(&[0; 8]);
    out.u16(if WIDE { 240 } else { 224 });
    let stripped = u16::from(!dll.relocatable);
    let kind = if dll.is_dll { 0x2000 } else { 0 };
    out.u16(if WIDE { 0x0022 } else { 0x0102 } | stripped | kind);
    out.u16(if WIDE { 0x20B } else { 0x10B });
    out.put(&[14, 0]);
    out.u32(0x1000);
    out.put(&[0; 8]);
    out.u32(if dll.entry { ENTRY } else { 0 });
    out.u32(TEXT);
    if !WIDE {
        out.u32(TEXT);
    }
    out.pointer(dll.base);
    for value in [0x1000_u32, 0x200, 6, 0, 6, 0, end, 0x400, 0] {
        out.u32(value);
    }
    out.u16(dll.subsystem);
    out.u16(0x0160);
    for value in [0x10_0000_u64, 0x1000, 0x10_0000, 0x1000] {
        out.pointer(value);
    }
    out.u32(0);
    out.u32(16);
    for (rva, size) in directories {
        out.u32(*rva);
        out.u32(*size);
    }
    out.bytes
}
