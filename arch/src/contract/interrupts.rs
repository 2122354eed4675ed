//! Interrupt lines, interrupts between processors, the clock.

use super::{Irql, ProcessorNumber, ProcessorSet};
use boards::LoaderBlock;

/// A device's interrupt: an INTID of the GIC (32 and up), or a global system interrupt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct InterruptLine(pub u32);

/// How a line signals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trigger {
    /// By being held.
    Level,
    /// By an edge.
    Edge,
}

/// Why a line could not be connected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineError {
    /// The controller has no such line.
    NoSuchLine,
    /// The line is the floor's own (clock, interrupts between processors) or is connected already.
    InUse,
    /// The level is none of a device's, or no vector of that level is free.
    NoVector,
}

/// The interrupt controller. [`initialize`](Interrupts::initialize) and [`initialize_processor`](Interrupts::initialize_processor) come first.
pub trait Interrupts {
    /// Sets the controller up, masked, once, on the processor that booted, after `memory::initialize`.
    ///
    /// # Errors
    /// One sentence: what is not as the firmware said.
    fn initialize(loader: &LoaderBlock) -> Result<(), &'static str>;

    /// Sets up what each processor has of the controller, on that processor.
    ///
    /// # Errors
    /// One sentence: what of the controller does not answer, or is not as it must be.
    fn initialize_processor() -> Result<(), &'static str>;

    /// One line for people: which controller, how many lines.
    ///
    /// # Errors
    /// What `out` gives.
    fn describe(out: &mut dyn core::fmt::Write) -> core::fmt::Result;

    /// Routes a line to a processor at a device level and enables it; it arrives in `Kernel::device_interrupt`.
    ///
    /// # Errors
    /// See [`LineError`].
    fn connect_line(
        line: InterruptLine,
        level: Irql,
        trigger: Trigger,
        target: ProcessorNumber,
    ) -> Result<(), LineError>;

    /// Disables a line. Afterwards no new interrupt of it starts; one that runs on another processor may still be running.
    fn disconnect_line(line: InterruptLine);

    /// Interrupts those processors at [`Irql::Ipi`]; each gets `Kernel::interprocessor_interrupt`.
    ///
    /// What was written before this call is visible to the processor that takes the interrupt.
    fn send_ipi(targets: ProcessorSet);

    /// How many spurious interrupts were seen and dropped, on all processors.
    fn spurious_count() -> u64;
}

/// Time: a counter that never stops, and an interrupt at a steady rate on each processor.
pub trait Clock {
    /// Finds the timer's rates, calibrating where needed; once, on the processor that booted.
    ///
    /// # Errors
    /// One sentence: what is not as the firmware said.
    fn initialize_clock(loader: &LoaderBlock) -> Result<(), &'static str>;

    /// The counter now. Never runs backwards on one processor. Also usable before initialisation.
    fn counter() -> u64;

    /// The counter's rate in hertz; 0 before initialisation where it must be calibrated.
    fn counter_frequency() -> u64;

    /// Starts this processor's clock interrupt, each `period` counter ticks, without drift; it arrives in `Kernel::clock_interrupt`.
    fn start_clock(period: u64);

    /// Stops this processor's clock interrupt.
    fn stop_clock();

    /// One line for people: which timer, its rate.
    ///
    /// # Errors
    /// What `out` gives.
    fn describe_clock(out: &mut dyn core::fmt::Write) -> core::fmt::Result;
}
