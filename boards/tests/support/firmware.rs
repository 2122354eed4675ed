//! Physical memory in pieces, as a firmware leaves it, and a PVH machine built by hand.

use std::cell::Cell;

use boards::PhysicalMemory;

/// Physical memory of which only some pieces are readable.
#[derive(Clone, Default)]
pub(crate) struct Pieces {
    pub(crate) pieces: Vec<(u64, Vec<u8>)>,
    /// How many reads there were.
    pub(crate) reads: Cell<usize>,
}

impl PhysicalMemory for Pieces {
    fn read(&self, address: u64, into: &mut [u8]) -> bool {
        self.reads.set(self.reads.get() + 1);
        for (start, bytes) in &self.pieces {
            let offset = address
                .checked_sub(*start)
                .and_then(|offset| usize::try_from(offset).ok());
            let rest = offset
                .and_then(|offset| bytes.get(offset..))
                .unwrap_or_default();
            if let Some(found) = rest.get(..into.len()) {
                into.copy_from_slice(found);
                return true;
            }
        }
        false
    }
}

impl Pieces {
    /// Reads a dump: pieces of address (8 bytes), length (4 bytes), bytes, all
    /// little-endian. One that is cut short ends with what there is of it.
    pub(crate) fn from_dump(dump: &[u8]) -> Self {
        let mut pieces = Vec::new();
        let mut rest = dump;
        while let Some((head, tail)) = rest.split_at_checked(12) {
            let address = u64::from_le_bytes(head[..8].try_into().unwrap());
            let length = u32::from_le_bytes(head[8..].try_into().unwrap());
            let length = usize::try_from(length).unwrap().min(tail.len());
            pieces.push((address, tail[..length].to_vec()));
            rest = &tail[length..];
        }
        Self {
            pieces,
            reads: Cell::new(0),
        }
    }

    /// The dump of these pieces.
    pub(crate) fn to_dump(&self) -> Vec<u8> {
        let mut dump = Vec::new();
        for (address, bytes) in &self.pieces {
            dump.extend(address.to_le_bytes());
            dump.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
            dump.extend(bytes);
        }
        dump
    }

    /// Where the PVH start-of-day structure is: the piece that begins with its magic.
    pub(crate) fn start_info(&self) -> u64 {
        let magic = 0x336e_c578_u32.to_le_bytes();
        self.pieces
            .iter()
            .find(|(_, bytes)| bytes.starts_with(&magic))
            .map_or(0, |piece| piece.0)
    }

    /// The piece that begins with `signature`.
    pub(crate) fn piece(&mut self, signature: &str) -> &mut Vec<u8> {
        let piece = self
            .pieces
            .iter_mut()
            .find(|(_, bytes)| bytes.starts_with(signature.as_bytes()));
        &mut piece.unwrap_or_else(|| panic!("no {signature}")).1
    }

    /// Makes the checksums of all tables right, so that damage is found where it is.
    pub(crate) fn fix_checksums(&mut self) {
        for (_, bytes) in &mut self.pieces {
            if bytes.starts_with(b"RSD PTR ") && bytes.len() >= 20 {
                fix(&mut bytes[..20], 8);
                if bytes.len() >= 36 {
                    fix(&mut bytes[..36], 32);
                }
            } else if bytes.len() >= 36 && bytes[..4].iter().all(u8::is_ascii_uppercase) {
                let length = u32::from_le_bytes(bytes[4..8].try_into().unwrap());
                let length = usize::try_from(length).unwrap();
                if (36..=bytes.len()).contains(&length) {
                    fix(&mut bytes[..length], 9);
                }
            }
        }
    }
}

fn fix(bytes: &mut [u8], place: usize) {
    bytes[place] = 0;
    let sum = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    bytes[place] = sum.wrapping_neg();
}

/// An ACPI table with right length and checksum.
pub(crate) fn table(signature: &str, body: &[u8]) -> Vec<u8> {
    let mut table = signature.as_bytes().to_vec();
    table.extend(u32::try_from(36 + body.len()).unwrap().to_le_bytes());
    table.extend([1, 0]);
    table.extend(b"TARN\0\0TEST\0\0\0\0");
    table.resize(36, 0);
    table.extend(body);
    fix(&mut table, 9);
    table
}

/// The body of a MADT with these entries.
pub(crate) fn madt(entries: &[&[u8]]) -> Vec<u8> {
    let mut body = 0xFEE0_0000_u32.to_le_bytes().to_vec();
    body.extend(1_u32.to_le_bytes());
    for entry in entries {
        body.extend(*entry);
    }
    body
}

/// A MADT entry for a processor.
pub(crate) fn local_apic(uid: u8, id: u8, flags: u8) -> [u8; 8] {
    [0, 8, uid, id, flags, 0, 0, 0]
}

/// A MADT entry for a processor with a wide id.
pub(crate) fn x2apic(uid: u32, id: u32, flags: u32) -> Vec<u8> {
    let mut entry = vec![9, 16, 0, 0];
    for field in [id, flags, uid] {
        entry.extend(field.to_le_bytes());
    }
    entry
}

/// A MADT entry for an I/O APIC at the usual address.
pub(crate) const IO_APIC: [u8; 12] = [1, 12, 7, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0];

/// A machine of ACPI 2 and later (root pointer with an XSDT) with these tables, one
/// processor's worth of start information and 128 MiB of memory.
pub(crate) fn machine(tables: &[Vec<u8>]) -> Pieces {
    const TABLES: u64 = 0x7F0_0000;
    let mut pieces = Vec::new();
    let mut list = Vec::new();
    let mut address = TABLES;
    for bytes in tables {
        list.extend(address.to_le_bytes());
        pieces.push((address, bytes.clone()));
        address += 0x1_0000;
    }
    pieces.push((address, table("XSDT", &list)));
    let mut root = b"RSD PTR \0TARN  \x02\0\0\0\0\x24\0\0\0".to_vec();
    root.extend(address.to_le_bytes());
    root.extend([0; 4]);
    pieces.push((0xE_1230, root));
    pieces.push((0x4000, b"quiet\0".to_vec()));
    let mut map = Vec::new();
    for (start, length, kind) in [
        (0_u64, 0x9_FC00_u64, 1_u32),
        (0x9_FC00, 0x400, 2),
        (0x10_0000, 0x7E0_0000, 1),
    ] {
        map.extend(start.to_le_bytes());
        map.extend(length.to_le_bytes());
        map.extend(kind.to_le_bytes());
        map.extend([0; 4]);
    }
    pieces.push((0x5000, map));
    let mut info = Vec::new();
    for field in [0x336e_c578_u32, 1, 0, 0] {
        info.extend(field.to_le_bytes());
    }
    for field in [0_u64, 0x4000, 0xE_1230, 0x5000] {
        info.extend(field.to_le_bytes());
    }
    info.extend(3_u32.to_le_bytes());
    info.extend([0; 4]);
    pieces.push((0x3000, info));
    let mut machine = Pieces {
        pieces,
        reads: Cell::new(0),
    };
    machine.fix_checksums();
    machine
}

/// A FADT of ACPI 1: nothing in it but the port that switches off.
pub(crate) fn old_fadt() -> Vec<u8> {
    let mut body = [0; 80];
    body[28..30].copy_from_slice(&0x604_u16.to_le_bytes());
    table("FACP", &body)
}
