//! The MADT: processors and interrupt controllers.
//!
//! The table is a run of entries that each say their own length. An entry of a kind
//! that is not of interest is passed over by that length; a length that is too
//! small for its kind, or that leads out of the table, makes the whole table
//! unbelievable and is an error.
//!
//! ACPI 6.5, 5.2.12.

use arrayvec::ArrayVec;

use super::table::Table;
use crate::discovery_error::DiscoveryError;
use crate::loader_block::{
    EnableMethod, InterruptController, InterruptOverride, IoApic, PHYSICAL_ADDRESS_LIMIT,
    ProcessorDescription,
};
use crate::processor_list::ProcessorList;

/// Where the entries begin.
const ENTRIES: u32 = 44;

const LOCAL_APIC: u8 = 0;
const IO_APIC: u8 = 1;
const INTERRUPT_OVERRIDE: u8 = 2;
const LOCAL_APIC_ADDRESS: u8 = 5;
const LOCAL_X2APIC: u8 = 9;

/// What the MADT says.
pub(super) struct Madt {
    pub(super) processors: ProcessorList,
    local_apic: u64,
    io_apics: ArrayVec<IoApic, 8>,
    overrides: ArrayVec<InterruptOverride, 16>,
    has_8259: bool,
}

impl Madt {
    /// Reads the table on the processor with the local APIC id `boot_processor`.
    pub(super) fn read(table: &Table<'_>, boot_processor: u64) -> Result<Self, DiscoveryError> {
        let mut madt = Self {
            processors: ProcessorList::new(boot_processor),
            local_apic: u64::from(table.u32(36)?),
            io_apics: ArrayVec::new(),
            overrides: ArrayVec::new(),
            has_8259: table.u32(40)? & 1 != 0,
        };
        let mut offset = ENTRIES;
        while offset < table.length() {
            let [kind, length] = table.array(offset)?;
            let least = match kind {
                LOCAL_APIC => 8,
                IO_APIC | LOCAL_APIC_ADDRESS => 12,
                INTERRUPT_OVERRIDE => 10,
                LOCAL_X2APIC => 16,
                _ => 2,
            };
            let end = offset.saturating_add(u32::from(length));
            if length < least {
                return Err(table.damaged("an entry is shorter than its kind"));
            }
            if end > table.length() {
                return Err(table.damaged("an entry runs past its end"));
            }
            madt.entry(table, kind, offset)?;
            offset = end;
        }
        if madt.local_apic >= PHYSICAL_ADDRESS_LIMIT {
            return Err(table.damaged("the local APIC lies beyond physical addresses"));
        }
        Ok(madt)
    }

    /// Takes the entry of this kind at `offset`, which is as long as its kind.
    fn entry(&mut self, table: &Table<'_>, kind: u8, offset: u32) -> Result<(), DiscoveryError> {
        let at = |field: u32| offset.saturating_add(field);
        match kind {
            LOCAL_APIC => {
                let id = table.u8(at(3))?;
                if id != u8::MAX {
                    let firmware_id = u32::from(table.u8(at(2))?);
                    self.processor(u32::from(id), firmware_id, table.u32(at(4))?);
                }
            }
            LOCAL_X2APIC => {
                let id = table.u32(at(4))?;
                if id != u32::MAX {
                    self.processor(id, table.u32(at(12))?, table.u32(at(8))?);
                }
            }
            IO_APIC => {
                let io_apic = IoApic {
                    id: table.u8(at(2))?,
                    address: u64::from(table.u32(at(4))?),
                    first_gsi: table.u32(at(8))?,
                };
                let limit = self.io_apics.capacity();
                self.io_apics
                    .try_push(io_apic)
                    .map_err(|_| DiscoveryError::TooMany {
                        what: "I/O APICs",
                        limit,
                    })?;
            }
            INTERRUPT_OVERRIDE => self.interrupt_override(table, offset)?,
            LOCAL_APIC_ADDRESS => self.local_apic = table.u64(at(4))?,
            _ => {}
        }
        Ok(())
    }

    /// Adds a processor. Of the flags, 1 is "enabled": it is there and may be started
    /// now. 2, "online capable", is a socket that may be filled later, which Tarn
    /// leaves alone. The two kinds of entry may name the same processor twice.
    fn processor(&mut self, id: u32, firmware_id: u32, flags: u32) {
        let hardware_id = u64::from(id);
        let is_boot = self.processors.is_boot(hardware_id);
        if (flags & 1 == 0 && !is_boot) || self.processors.has(hardware_id) {
            return;
        }
        let enable_method = if is_boot {
            EnableMethod::Boot
        } else {
            EnableMethod::InitSipi
        };
        self.processors.add(ProcessorDescription {
            hardware_id,
            firmware_id,
            enable_method,
        });
    }

    /// Takes an override (5.2.12.5). An ISA interrupt is edge triggered and active
    /// high where the flags say that it conforms to its bus.
    fn interrupt_override(&mut self, table: &Table<'_>, offset: u32) -> Result<(), DiscoveryError> {
        let isa = table.u8(offset.saturating_add(3))?;
        let flags = table.u16(offset.saturating_add(8))?;
        if isa > 15 {
            return Err(table.damaged("an override is for an ISA interrupt above 15"));
        }
        if self.overrides.iter().any(|known| known.isa == isa) {
            return Err(table.damaged("two overrides are for the same ISA interrupt"));
        }
        // One for each of 16 interrupts: there is room.
        self.overrides.push(InterruptOverride {
            isa,
            gsi: table.u32(offset.saturating_add(4))?,
            active_low: flags & 3 == 3,
            level: flags >> 2 & 3 == 3,
        });
        Ok(())
    }

    /// The global system interrupt that an ISA interrupt reaches.
    pub(super) fn gsi(&self, isa: u8) -> u32 {
        self.overrides
            .iter()
            .find(|known| known.isa == isa)
            .map_or(u32::from(isa), |known| known.gsi)
    }

    /// The interrupt controllers, or `None` if there is no I/O APIC.
    pub(super) fn interrupt_controller(&self) -> Option<InterruptController> {
        (!self.io_apics.is_empty()).then(|| InterruptController::Apic {
            local_apic: self.local_apic,
            io_apics: self.io_apics.clone(),
            overrides: self.overrides.clone(),
            has_8259: self.has_8259,
        })
    }
}
