//! Processors: who am I, at what level, how to wait, how to start another.

use core::sync::atomic::AtomicU32;

use boards::{EnableMethod, PsciConduit};

use super::{Irql, Registers, VirtAddr};
use crate::memory::StackTop;

/// The kernel's number for a processor: 0 is the one that booted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProcessorNumber(pub u32);

impl ProcessorNumber {
    /// The processor that booted.
    pub const BOOT: Self = Self(0);

    /// As an index into a table with an entry for each processor.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A set of processors (at most 64).
///
/// # NT
/// `KAFFINITY`, of one processor group.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ProcessorSet(pub u64);

impl ProcessorSet {
    /// No processor.
    pub const EMPTY: Self = Self(0);

    /// That processor alone.
    pub const fn only(number: ProcessorNumber) -> Self {
        Self(1 << number.0)
    }

    /// Whether the processor is in the set.
    pub const fn contains(self, number: ProcessorNumber) -> bool {
        self.0 & (1 << number.0) != 0
    }

    /// The set with that processor too.
    #[must_use]
    pub const fn with(self, number: ProcessorNumber) -> Self {
        Self(self.0 | 1 << number.0)
    }

    /// The set without that processor.
    #[must_use]
    pub const fn without(self, number: ProcessorNumber) -> Self {
        Self(self.0 & !(1 << number.0))
    }

    /// Whether no processor is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many processors are in it.
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Its processors, lowest number first.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = ProcessorNumber> + Clone {
        let mut rest = self.0;
        // Bit by bit that is set: most sets have few, and it is gone through whenever a page ends.
        core::iter::from_fn(move || {
            let lowest = rest.trailing_zeros();
            (rest != 0).then(|| {
                rest &= rest - 1;
                ProcessorNumber(lowest)
            })
        })
    }
}

/// What the floor needs to start a processor.
#[derive(Debug)]
pub struct ProcessorStart {
    /// The number that it gets.
    pub number: ProcessorNumber,
    /// Its MPIDR affinity bits, or APIC id.
    pub hardware_id: u64,
    /// How the firmware says that it is started.
    pub enable_method: EnableMethod,
    /// PSCI's conduit, where there is PSCI.
    pub psci: Option<PsciConduit>,
    /// The stack that it runs on.
    pub stack_top: StackTop,
    /// The stack on which it reports that the first one overflowed.
    pub emergency_stack_top: StackTop,
}

/// Why a processor did not start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StartError {
    /// The firmware refused, with this status.
    Firmware(i64),
    /// The machine has no such way of starting one.
    MethodNotKnown,
    /// The hardware id cannot be addressed on this machine.
    BadHardwareId,
    /// No memory that the processor could start from.
    NoMemory,
    /// It was told to start and did not come up in time.
    NoAnswer,
}

/// The processor that this code runs on, and the others.
pub trait Processor {
    /// The machine's saved registers.
    type TrapFrame: Registers;
    /// The machine's SIMD and floating-point registers.
    type SimdState: Default;

    /// The number of the processor that this runs on. Stable only at [`Irql::Dispatch`] and above, once threads move.
    fn number() -> ProcessorNumber;

    /// The present level. One load.
    fn irql() -> Irql;

    /// Sets the level and, across [`Irql::masks_hardware`], the controller's mask.
    ///
    /// The caller above is `ke`, which delivers what became deliverable; nobody else calls this.
    /// When raising, the mask is in force before this returns. When lowering, the recorded level falls first.
    fn set_irql(level: Irql);

    /// Sets the level between levels that mask nothing in the controller: `level` and the present one are at most Dispatch.
    ///
    /// As [`set_irql`](Self::set_irql), whose caller it shares; on a machine it is one store.
    fn set_software_irql(level: Irql) {
        Self::set_irql(level);
    }

    /// A word of each processor's in which the kernel above keeps what that processor is to do.
    fn work_word(number: ProcessorNumber) -> &'static AtomicU32;

    /// Whether this processor's own [`work_word`](Self::work_word) is not 0. One load, so that a thread that is moved meanwhile
    /// gets the answer of a processor that it was on. It orders nothing.
    fn has_work() -> bool;

    /// Stops every maskable interrupt on this processor; returns whether they were enabled.
    fn disable_interrupts() -> bool;

    /// Lets interrupts in again, if `enabled` (what [`disable_interrupts`](Self::disable_interrupts) returned).
    fn restore_interrupts(enabled: bool);

    /// Waits for the next interrupt, unless `work_is_there` says otherwise, checked so that no interrupt can slip in between.
    ///
    /// Called with interrupts enabled, at [`Irql::Passive`] to [`Irql::Dispatch`]; returns after some interrupt, or at once.
    fn halt_unless(work_is_there: impl FnOnce() -> bool);

    /// Tells the processor that this is a spinning wait.
    fn relax();

    /// Starts a processor; it comes up in [`Kernel::processor_started`](super::Kernel::processor_started).
    ///
    /// # Errors
    /// Says what the firmware or the machine refused; the processor then stays off.
    fn start_processor(start: ProcessorStart) -> Result<(), StartError>;

    /// Stops processors that do not answer an interrupt, for a bug check; false where the machine has no way to.
    ///
    /// The way is a non-maskable interrupt, so it reaches a processor with interrupts disabled.
    fn stop_by_force(targets: ProcessorSet) -> bool;

    /// Stops this processor for good, with interrupts off.
    fn stop() -> !;

    /// Calls `visit` with return addresses, innermost first, until it returns false or the stack ends; starts at
    /// `frame`, or at the caller. Reads only memory that is mapped, and at most 1024 frames.
    fn walk_stack(frame: Option<&Self::TrapFrame>, visit: &mut dyn FnMut(VirtAddr) -> bool);

    /// Stores this processor's SIMD and floating-point registers.
    ///
    /// The kernel is compiled without SIMD, so a trap leaves these registers alone; who uses them in between
    /// (a thread switch, a kernel routine with SIMD code) saves and restores them.
    fn save_simd(into: &mut Self::SimdState);

    /// Loads them again.
    fn restore_simd(from: &Self::SimdState);
}
