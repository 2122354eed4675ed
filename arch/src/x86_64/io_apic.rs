//! I/O APICs: from a device's line to a vector on a processor.
//!
//! Two registers show an array: an index is written to the first, the value read or
//! written through the second. Each line has a redirection entry of two words.

use arrayvec::ArrayVec;
use boards::{InterruptController, InterruptOverride, IoApic};

use crate::contract::{PhysAddr, Trigger};
use crate::memory::DeviceWindow;

const VERSION: u32 = 1;
const FIRST_ENTRY: u32 = 0x10;
const MASKED: u32 = 1 << 16;
const LEVEL_TRIGGERED: u32 = 1 << 15;
const ACTIVE_LOW: u32 = 1 << 13;
/// ISA's lines, which are edge triggered and active high unless an override says otherwise.
const ISA_LINES: u32 = 16;

/// One I/O APIC.
struct Unit {
    window: DeviceWindow,
    first_line: u32,
    lines: u32,
}

impl Unit {
    fn map(described: &IoApic) -> Result<Self, &'static str> {
        let window = DeviceWindow::map(PhysAddr(described.address), 0x20).map_err(
            |_| "an I/O APIC's registers, where the MADT says they are, cannot be mapped",
        )?;
        let mut unit = Self {
            window,
            first_line: described.first_gsi,
            lines: 0,
        };
        let version = unit.read(VERSION);
        if version == u32::MAX || version & 0xFF == 0 {
            return Err("there is no I/O APIC where the MADT says one is");
        }
        unit.lines = (version >> 16 & 0xFF) + 1;
        Ok(unit)
    }

    fn read(&self, index: u32) -> u32 {
        self.window.write32(0, index);
        self.window.read32(0x10)
    }

    fn write(&self, index: u32, value: u32) {
        self.window.write32(0, index);
        self.window.write32(0x10, value);
    }

    fn entry(&self, line: u32) -> Option<u32> {
        let offset = line.checked_sub(self.first_line)?;
        (offset < self.lines).then_some(FIRST_ENTRY + 2 * offset)
    }
}

/// All I/O APICs of the machine.
pub(super) struct IoApics {
    units: ArrayVec<Unit, 8>,
    overrides: ArrayVec<InterruptOverride, 16>,
}

impl IoApics {
    pub(super) const fn new() -> Self {
        Self {
            units: ArrayVec::new_const(),
            overrides: ArrayVec::new_const(),
        }
    }

    /// Maps those that the firmware describes and masks every line.
    pub(super) fn initialize(
        &mut self,
        controller: &InterruptController,
    ) -> Result<(), &'static str> {
        let InterruptController::Apic {
            io_apics,
            overrides,
            ..
        } = controller
        else {
            return Err("the firmware describes no I/O APIC");
        };
        for described in io_apics {
            let unit = Unit::map(described)?;
            for line in 0..unit.lines {
                unit.write(FIRST_ENTRY + 2 * line, MASKED);
                unit.write(FIRST_ENTRY + 2 * line + 1, 0);
            }
            // As many places as the loader block has.
            let _ = self.units.try_push(unit);
        }
        self.overrides.clone_from(overrides);
        Ok(())
    }

    /// How many I/O APICs, and how many lines.
    pub(super) fn counts(&self) -> (usize, u32) {
        (
            self.units.len(),
            self.units.iter().map(|unit| unit.lines).sum(),
        )
    }

    /// Whether one of them has the line.
    pub(super) fn has_line(&self, line: u32) -> bool {
        self.find(line).is_some()
    }

    /// Lets the line through as `vector` to the processor with that APIC id.
    pub(super) fn connect(&self, line: u32, vector: u8, trigger: Trigger, apic_id: u8) {
        let Some((unit, entry)) = self.find(line) else {
            return;
        };
        let (level, active_low) = self.signalling(line, trigger);
        let mut low = u32::from(vector);
        if level {
            low |= LEVEL_TRIGGERED;
        }
        if active_low {
            low |= ACTIVE_LOW;
        }
        // The target first, while the entry is masked.
        unit.write(entry, low | MASKED);
        unit.write(entry + 1, u32::from(apic_id) << 24);
        unit.write(entry, low);
    }

    /// Masks the line.
    pub(super) fn disconnect(&self, line: u32) {
        if let Some((unit, entry)) = self.find(line) {
            unit.write(entry, unit.read(entry) | MASKED);
        }
    }

    /// (level triggered, active low): what the firmware says of an ISA line, else ISA's and PCI's own rules.
    fn signalling(&self, line: u32, trigger: Trigger) -> (bool, bool) {
        if let Some(wired) = self.overrides.iter().find(|wired| wired.gsi == line) {
            return (wired.level, wired.active_low);
        }
        let level = trigger == Trigger::Level;
        (level, level && line >= ISA_LINES)
    }

    fn find(&self, line: u32) -> Option<(&Unit, u32)> {
        self.units
            .iter()
            .find_map(|unit| Some((unit, unit.entry(line)?)))
    }
}
