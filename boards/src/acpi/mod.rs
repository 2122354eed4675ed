//! The machine as ACPI's static tables describe it (x86-64).
//!
//! Three tables are enough to start: the MADT for processors and interrupt
//! controllers, the FADT for power, the HPET's for a clock to calibrate against.
//! They are plain data. What ACPI says in its byte code is not read here.

mod madt;
mod root;
mod table;

use arrayvec::ArrayString;

use self::madt::Madt;
use self::root::Root;
use self::table::Table;
use crate::discovery_error::{Device, DiscoveryError, tail};
use crate::loader_block::{
    InterruptController, PHYSICAL_ADDRESS_LIMIT, PowerControl, TimerDescription,
};
use crate::physical_memory::PhysicalMemory;
use crate::processor_list::Processors;

/// Address spaces of a generic address (ACPI 6.5, 5.2.3.2).
const MEMORY_SPACE: u8 = 0;
const IO_SPACE: u8 = 1;

/// What ACPI says of a machine.
pub(crate) struct AcpiMachine {
    pub(crate) machine: ArrayString<96>,
    pub(crate) processors: Processors,
    pub(crate) processors_left_out: u32,
    pub(crate) interrupt_controller: InterruptController,
    pub(crate) timer: TimerDescription,
    pub(crate) power: PowerControl,
    /// The global system interrupt of ISA interrupt 4, which is the first serial port's.
    pub(crate) serial_interrupt: u32,
}

/// Reads the tables that the root pointer at `root_pointer` leads to, or the one that
/// is found by search if it is 0, on the processor with local APIC id `boot_processor`.
pub(crate) fn read(
    memory: &dyn PhysicalMemory,
    root_pointer: u64,
    boot_processor: u64,
) -> Result<AcpiMachine, DiscoveryError> {
    let root = Root::open(memory, root_pointer)?;
    let machine = root.machine()?;
    let madt = Madt::read(&root.required("APIC")?, boot_processor)?;
    let power = power_control(&root.required("FACP")?)?;
    let hpet = match root.table("HPET")? {
        Some(table) => hpet(&table)?,
        None => None,
    };
    let interrupt_controller = madt
        .interrupt_controller()
        .ok_or(DiscoveryError::NoDriver {
            machine: tail(&machine),
            device: Device::InterruptController,
        })?;
    let serial_interrupt = madt.gsi(4);
    let (processors, processors_left_out) = madt.processors.finish()?;
    Ok(AcpiMachine {
        machine,
        processors,
        processors_left_out,
        interrupt_controller,
        timer: TimerDescription::LocalApic { hpet },
        power,
        serial_interrupt,
    })
}

/// Reads the FADT (5.2.9): the port that switches off, the port that resets.
///
/// Fields that came with later versions are absent from shorter tables, and then
/// mean nothing. Registers in memory are as good as none: Tarn has no use for them
/// on the machines it runs on.
fn power_control(fadt: &Table<'_>) -> Result<PowerControl, DiscoveryError> {
    const FLAGS: u32 = 112;
    const HAS_RESET: u32 = 1 << 10;
    let mut pm1a_control = u16::try_from(fadt.u32(64)?).unwrap_or_default();
    // The wider field, if there is one and it is set, goes before the older.
    if fadt.length() >= 172 + 12
        && let Some(port) = io_port(fadt, 172)?
    {
        pm1a_control = port;
    }
    let flags = if fadt.length() >= FLAGS + 4 {
        fadt.u32(FLAGS)?
    } else {
        0
    };
    let (mut reset_port, mut reset_value) = (0, 0);
    if flags & HAS_RESET != 0
        && let Some(port) = io_port(fadt, 116)?
    {
        reset_port = port;
        reset_value = fadt.u8(128)?;
    }
    Ok(PowerControl::Acpi {
        pm1a_control,
        reset_port,
        reset_value,
    })
}

/// The I/O port of the generic address at `offset`, if it is one and not 0.
fn io_port(table: &Table<'_>, offset: u32) -> Result<Option<u16>, DiscoveryError> {
    let space = table.u8(offset)?;
    let address = table.u64(offset.saturating_add(4))?;
    Ok(u16::try_from(address)
        .ok()
        .filter(|&port| space == IO_SPACE && port != 0))
}

/// Reads the HPET's table (IA-PC HPET Specification 1.0a, 3.2.4): its registers.
fn hpet(table: &Table<'_>) -> Result<Option<u64>, DiscoveryError> {
    let address = table.u64(44)?;
    if table.u8(40)? != MEMORY_SPACE || address == 0 {
        return Ok(None);
    }
    if address >= PHYSICAL_ADDRESS_LIMIT {
        return Err(table.damaged("its registers lie beyond physical addresses"));
    }
    Ok(Some(address))
}
