//! The structures behind pointers: counted strings, object attributes, security descriptors.

use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::w64::{ObjectAttributes, UnicodeString};
use zerocopy::{FromZeros as _, IntoBytes as _};

use super::Random;
use super::ground::{BEHIND, SLOT};
use super::values::{KERNEL, Maker, NOWHERE};
use crate::services::fill;
use crate::threads::{Context, full, set_pc};

/// Names of objects that are, may be, or cannot be.
const NAMES: [&str; 18] = [
    "\\BaseNamedObjects\\Fuzz0",
    "\\BaseNamedObjects\\Fuzz1",
    "\\BaseNamedObjects\\fuzz1",
    "\\BaseNamedObjects\\Fuzz2",
    "\\BaseNamedObjects",
    "\\BaseNamedObjects\\Fuzz3",
    "\\",
    "",
    "\\BaseNamedObjects\\",
    "\\BaseNamedObjects\\\\x",
    "Fuzz4",
    "\\BaseNamedObjects\\Fuzz0\\inside",
    "\\??\\C:\\x",
    "\\Device\\Nothing",
    "\\KnownDlls\\x",
    "\\KnownDlls\\nothing.exe",
    "\\??\\C:\\nothing.exe",
    "\\Sessions\\0\\x",
];
impl Maker<'_> {
    /// A counted string whose units are behind the slot's structure.
    pub(super) fn string(&mut self, slot: u64) -> UnicodeString {
        let units_at = slot + BEHIND + 0x40;
        let name = self.random.of(&NAMES);
        let mut units = [0u16; 40];
        let mut length = 0u16;
        for (place, unit) in units.iter_mut().zip(name.encode_utf16()) {
            *place = unit;
            length += 2;
        }
        if self.random.once_in(16) {
            units[usize::from(length / 2).min(39)] = self.random.next() as u16;
        }
        fill(units_at, units.as_bytes());
        let wrong = self.random.once_in(16);
        let length = if wrong {
            self.random
                .of(&[0, 1, 2, 3, 79, 80, 0x7FFE, 0xFFFE, 0xFFFF])
        } else {
            length
        };
        let buffer = if self.random.once_in(12) {
            self.random.of(&[0, KERNEL, NOWHERE, units_at + 1])
        } else {
            units_at
        };
        UnicodeString {
            length,
            maximum_length: self
                .random
                .of(&[length, length, length.wrapping_add(2), 0, 0xFFFF]),
            reserved: 0,
            buffer,
        }
    }

    /// Object attributes, mostly good ones.
    pub(super) fn fill_attributes(&mut self, slot: u64) {
        let string = self.string(slot);
        fill(slot + BEHIND, string.as_bytes());
        self.fill_descriptor(slot + BEHIND + 0x100);
        let mostly = |random: &mut Random, value: u64| {
            if random.once_in(12) {
                random.of(&[KERNEL, NOWHERE, 1, slot + SLOT - 1])
            } else {
                value
            }
        };
        let attributes = ObjectAttributes {
            length: if self.random.once_in(16) {
                self.random.of(&[0x18, 0, 0x31])
            } else {
                0x30
            },
            root_directory: if self.random.once_in(10) {
                self.handles.suited(self.random, "", "directory")
            } else {
                0
            },
            object_name: if self.random.once_in(2) {
                mostly(self.random, slot + BEHIND)
            } else {
                0
            },
            attributes: ObjectAttributeFlags::from_bits_retain(if self.random.once_in(16) {
                self.random.next() as u32
            } else {
                self.random
                    .of(&[0, 0, 0x40, 0x80, 0xC0, 0x10, 0x2, 0x20, 0x100])
            }),
            security_descriptor: if self.random.once_in(6) {
                mostly(self.random, slot + BEHIND + 0x100)
            } else {
                0
            },
            security_quality_of_service: if self.random.once_in(8) {
                mostly(self.random, slot + BEHIND + 0x200)
            } else {
                0
            },
            ..ObjectAttributes::new_zeroed()
        };
        fill(slot, attributes.as_bytes());
    }

    /// Registers: some of the victim's addresses, some of anything, of as many kinds as the machine has.
    pub(super) fn fill_context(&mut self, slot: u64) {
        let mut context = Context::new_zeroed();
        full(&mut context);
        if let Some(victim) = self.victim {
            set_pc(&mut context, victim.address(self.random));
        }
        let mut bytes = [0; size_of::<Context>()];
        bytes.copy_from_slice(context.as_bytes());
        let words = bytes.len() as u64 / 8;
        for _ in 0..self.random.below(32) {
            let place = 8 * self.random.below(words) as usize;
            let value = match (self.random.below(4), self.victim) {
                (0, _) => self.random.next(),
                (1, _) => self.random.below(64),
                (2, _) => u64::MAX << self.random.below(64),
                (_, Some(victim)) => victim.address(self.random),
                (_, None) => 0,
            };
            bytes[place..place + 8].copy_from_slice(&value.to_le_bytes());
        }
        fill(slot, &bytes);
    }

    /// Something like a self-relative security descriptor with an access list of one entry for everyone, often damaged.
    pub(super) fn fill_descriptor(&mut self, at: u64) {
        let mut bytes: [u8; 64] = [0; 64];
        let whole: [u8; 60] = [
            // Revision, padding, control (self-relative, access list present), owner, group, no audit list, access list.
            1, 0, 4, 0x80, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0, //
            // The owner: S-1-5-18.
            1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0, //
            // The list: 28 bytes, one entry; it allows everyone all.
            2, 0, 28, 0, 1, 0, 0, 0, 0, 0, 20, 0, 0xFF, 0xFF, 0x1F, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0,
            0, 0,
        ];
        bytes[..60].copy_from_slice(&whole);
        for _ in 0..self.random.below(3) {
            bytes[self.random.below(60) as usize] = self.random.next() as u8;
        }
        fill(at, &bytes);
    }
}
