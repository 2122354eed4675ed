//! From the root pointer to the tables.
//!
//! The root pointer is handed over by the boot loader or, on a machine with a BIOS,
//! found by its signature in two small areas below 1 MiB. It leads to one list of
//! table addresses, and the list leads to tables that lead nowhere further: there
//! is no chain, so there can be no cycle.
//!
//! ACPI 6.5, 5.2.5 to 5.2.8.

use arrayvec::ArrayString;

use super::table::{HEADER_LENGTH, Table, sum_of};
use crate::discovery_error::{DiscoveryError, push_fitting};
use crate::physical_memory::{PhysicalMemory, le_u16, le_u32, le_u64, read_array};

const SIGNATURE: &[u8] = b"RSD PTR ";
/// The part of the root pointer that ACPI 1.0 defines and its checksum covers.
const FIRST_PART: usize = 20;
/// The whole of it since ACPI 2.0.
const WHOLE: usize = 36;
/// Where a BIOS leaves the segment of its extended data area.
const EBDA_SEGMENT: u64 = 0x40E;

/// The list of tables: RSDT or XSDT.
pub(super) struct Root<'m> {
    memory: &'m dyn PhysicalMemory,
    list: Table<'m>,
    /// Bytes of one address in the list.
    entry: u32,
}

impl<'m> Root<'m> {
    /// Follows the root pointer at `address`, or the one that a search finds if it is 0.
    pub(super) fn open(
        memory: &'m dyn PhysicalMemory,
        address: u64,
    ) -> Result<Self, DiscoveryError> {
        let address = if address == 0 { find(memory)? } else { address };
        let damaged = |what| DiscoveryError::DamagedTable {
            table: "RSDP",
            address,
            what,
        };
        let first: [u8; FIRST_PART] =
            read_array(memory, address).ok_or(damaged("it is not in memory that can be read"))?;
        if !first.starts_with(SIGNATURE) {
            return Err(damaged("there is another signature"));
        }
        if sum_of(&first) != 0 {
            return Err(damaged("its checksum is wrong"));
        }
        let [.., revision, _, _, _, _] = first;
        if revision >= 2 {
            let whole: [u8; WHOLE] =
                read_array(memory, address).ok_or(damaged("it is cut short"))?;
            if le_u32(&whole, 20).map(usize::try_from) != Some(Ok(WHOLE)) {
                return Err(damaged("its length is not 36"));
            }
            if sum_of(&whole) != 0 {
                return Err(damaged("its extended checksum is wrong"));
            }
            let xsdt = le_u64(&whole, 24).unwrap_or_default();
            if xsdt != 0 {
                return Ok(Self {
                    memory,
                    list: Table::open(memory, "XSDT", xsdt)?,
                    entry: 8,
                });
            }
        }
        let rsdt = u64::from(le_u32(&first, 16).unwrap_or_default());
        Ok(Self {
            memory,
            list: Table::open(memory, "RSDT", rsdt)?,
            entry: 4,
        })
    }

    /// The firmware's name for the machine: OEM id and OEM table id.
    pub(super) fn machine(&self) -> Result<ArrayString<96>, DiscoveryError> {
        let mut machine = ArrayString::new();
        let maker: [u8; 6] = self.list.array(10)?;
        let model: [u8; 8] = self.list.array(16)?;
        for name in [&maker[..], &model[..]] {
            if !machine.is_empty() {
                push_fitting(&mut machine, " ");
            }
            let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
            for &byte in name.trim_ascii() {
                let character = if byte.is_ascii_graphic() || byte == b' ' {
                    char::from(byte)
                } else {
                    '?'
                };
                push_fitting(&mut machine, character.encode_utf8(&mut [0; 4]));
            }
        }
        let kept = machine.trim_end().len();
        machine.truncate(kept);
        Ok(machine)
    }

    /// Opens the first table of this signature, or `None` if the list has none.
    ///
    /// # Errors
    ///
    /// [`DiscoveryError::DamagedTable`] if it is there but damaged, or the list is.
    pub(super) fn table(
        &self,
        signature: &'static str,
    ) -> Result<Option<Table<'m>>, DiscoveryError> {
        let mut offset = HEADER_LENGTH;
        while offset.saturating_add(self.entry) <= self.list.length() {
            let address = match self.entry {
                8 => self.list.u64(offset)?,
                _ => u64::from(self.list.u32(offset)?),
            };
            // An entry that leads nowhere is not the table that is looked for.
            if address != 0
                && read_array::<4>(self.memory, address)
                    .is_some_and(|found| found == signature.as_bytes())
            {
                return Table::open(self.memory, signature, address).map(Some);
            }
            offset = offset.saturating_add(self.entry);
        }
        Ok(None)
    }

    /// Opens the first table of this signature.
    ///
    /// # Errors
    ///
    /// As [`Self::table`], and [`DiscoveryError::TableAbsent`].
    pub(super) fn required(&self, signature: &'static str) -> Result<Table<'m>, DiscoveryError> {
        self.table(signature)?
            .ok_or(DiscoveryError::TableAbsent { table: signature })
    }
}

/// Finds the root pointer as a BIOS leaves it: on a boundary of 16 bytes in the
/// first KiB of the extended BIOS data area, or in the BIOS's read-only memory.
fn find(memory: &dyn PhysicalMemory) -> Result<u64, DiscoveryError> {
    let segment = read_array::<2>(memory, EBDA_SEGMENT).and_then(|bytes| le_u16(&bytes, 0));
    let ebda = u64::from(segment.unwrap_or_default()) << 4;
    // Below that lie the interrupt vectors and the BIOS data area.
    let ebda = if ebda > EBDA_SEGMENT {
        ebda..ebda.saturating_add(0x400)
    } else {
        0..0
    };
    ebda.step_by(16)
        .chain((0xE_0000..0x10_0000).step_by(16))
        .find(|&address| {
            read_array::<FIRST_PART>(memory, address)
                .is_some_and(|bytes| bytes.starts_with(SIGNATURE) && sum_of(&bytes) == 0)
        })
        .ok_or(DiscoveryError::NoAcpi {
            what: "the boot loader passed none, and the BIOS area has none",
        })
}
