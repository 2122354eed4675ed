//! The contract's `Interrupts`, over local and I/O APICs.
//!
//! A device's vector is chosen so that its upper digit is the level: the local APIC
//! then orders interrupts as the levels do. Sixteen lines fit into a level.

use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use boards::LoaderBlock;

use super::apic::{self, Message};
use super::io_apic::IoApics;
use super::trap::{FIRST_DEVICE_VECTOR, IPI_VECTOR, LAST_DEVICE_VECTOR};
use super::{per_processor, shootdown, start};
use crate::Machine;
use crate::contract::{
    InterruptLine, Interrupts, Irql, LineError, Processor, ProcessorNumber, ProcessorSet, Trigger,
};
use crate::dispatch::take_interrupt;
use crate::lock::FloorLock;

const DEVICE_VECTORS: usize = (LAST_DEVICE_VECTOR - FIRST_DEVICE_VECTOR) as usize + 1;
const NO_LINE: u32 = u32::MAX;

/// Which line a device vector belongs to. Written under the lock of IO_APICS, read by the vector.
static LINES: [AtomicU32; DEVICE_VECTORS] = [const { AtomicU32::new(NO_LINE) }; DEVICE_VECTORS];
static IO_APICS: FloorLock<IoApics> = FloorLock::new(IoApics::new());
static SPURIOUS: AtomicU64 = AtomicU64::new(0);
static FREEZING: AtomicBool = AtomicBool::new(false);

/// Counts an interrupt that nobody asked for.
pub(super) fn count_spurious() {
    // Relaxed: a count, for people.
    SPURIOUS.fetch_add(1, Ordering::Relaxed);
}

/// Whether an NMI means "stop".
pub(super) fn is_freezing() -> bool {
    FREEZING.load(Ordering::Acquire)
}

/// Makes NMIs mean "stop" from now on.
pub(super) fn begin_freezing() {
    FREEZING.store(true, Ordering::Release);
}

/// A device's vector arrived.
pub(super) fn take_device(vector: u8) {
    // Acquire: pairs with `connect_line`; the line's entry was written behind this value.
    let line = slot(vector).load(Ordering::Acquire);
    match Irql::from_level(vector >> 4) {
        Some(level) if line != NO_LINE => {
            take_interrupt(
                level,
                |kernel| kernel.device_interrupt(InterruptLine(line)),
                apic::end_of_interrupt,
            );
        }
        _ => {
            // Disconnected while it was on its way.
            count_spurious();
            apic::end_of_interrupt();
        }
    }
}

/// Where the line of a device vector is kept.
fn slot(vector: u8) -> &'static AtomicU32 {
    &LINES[usize::from(vector - FIRST_DEVICE_VECTOR)]
}

/// A free vector of a device level. The caller holds the lock of IO_APICS.
fn free_vector(level: Irql) -> Option<u8> {
    let first = level.level() << 4;
    (first..=first | 0xF).find(|&vector| slot(vector).load(Ordering::Relaxed) == NO_LINE)
}

impl Interrupts for Machine {
    fn initialize(loader: &LoaderBlock) -> Result<(), &'static str> {
        apic::initialize(&loader.interrupt_controller)?;
        if loader.processors.len() > 1 {
            start::claim_page();
        }
        IO_APICS.acquire().initialize(&loader.interrupt_controller)
    }

    fn initialize_processor() -> Result<(), &'static str> {
        let enabled = Self::disable_interrupts();
        let result = apic::enable_on_this_processor();
        if result.is_ok() {
            shootdown::join();
        }
        Self::restore_interrupts(enabled);
        result
    }

    fn describe(out: &mut dyn fmt::Write) -> fmt::Result {
        let (units, lines) = IO_APICS.acquire().counts();
        let local = if apic::is_x2apic() { "x2APIC" } else { "xAPIC" };
        write!(
            out,
            "{local}, {units} I/O APIC{}, {lines} lines",
            if units == 1 { "" } else { "s" }
        )
    }

    fn connect_line(
        line: InterruptLine,
        level: Irql,
        trigger: Trigger,
        target: ProcessorNumber,
    ) -> Result<(), LineError> {
        if !(Irql::Device3..=Irql::Device11).contains(&level) {
            return Err(LineError::NoVector);
        }
        let io_apics = IO_APICS.acquire();
        if !io_apics.has_line(line.0) {
            return Err(LineError::NoSuchLine);
        }
        if LINES
            .iter()
            .any(|connected| connected.load(Ordering::Relaxed) == line.0)
        {
            return Err(LineError::InUse);
        }
        // An entry has room for 8 bits of APIC id; 255 would mean all processors.
        let apic_id = per_processor::apic_id(target)
            .and_then(|id| u8::try_from(id).ok())
            .filter(|id| *id != u8::MAX)
            .ok_or(LineError::NoVector)?;
        let vector = free_vector(level).ok_or(LineError::NoVector)?;
        // Release: whoever takes the vector finds the line.
        slot(vector).store(line.0, Ordering::Release);
        io_apics.connect(line.0, vector, trigger, apic_id);
        Ok(())
    }

    fn disconnect_line(line: InterruptLine) {
        let io_apics = IO_APICS.acquire();
        if let Some(slot) = LINES
            .iter()
            .find(|connected| connected.load(Ordering::Relaxed) == line.0)
        {
            io_apics.disconnect(line.0);
            slot.store(NO_LINE, Ordering::Release);
        }
    }

    fn send_ipi(targets: ProcessorSet) {
        for number in targets.iter() {
            send(number, Message::Vector(IPI_VECTOR));
        }
    }

    fn spurious_count() -> u64 {
        SPURIOUS.load(Ordering::Relaxed)
    }
}

/// Sends to a processor, if it was ever started.
pub(super) fn send(number: ProcessorNumber, message: Message) {
    if let Some(id) = per_processor::apic_id(number) {
        apic::send(id, message);
    }
}
