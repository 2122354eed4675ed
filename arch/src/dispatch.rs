//! The machine-independent half of taking an interrupt.
//!
//! While an interrupt is in service the controller itself holds back those of
//! the same and lower levels (the GIC's running priority, the local APIC's PPR),
//! so entering a level only records it. The mask is written only when code in
//! between raised or lowered the level across [`Irql::masks_hardware`] and left
//! the mask other than the interrupted code needs it. Each machine keeps a
//! shadow of what it last wrote, so the common path touches no controller
//! register but acknowledge and end.

use crate::contract::{Irql, Kernel, Processor};
use crate::{Machine, kernel};

/// What a machine gives this module.
pub(crate) trait Levels {
    /// Records the level without touching the controller.
    fn record_level(level: Irql);

    /// Makes the controller's mask what `level` needs, if the shadow says that it is not.
    fn settle_mask(level: Irql);
}

/// Takes an interrupt of `level`: called by the vector with interrupts disabled, after the acknowledge.
///
/// `handle` runs at `level` with interrupts enabled; `end` tells the controller that the interrupt is over.
pub(crate) fn take_interrupt(level: Irql, handle: impl FnOnce(&dyn Kernel), end: impl FnOnce()) {
    let interrupted = Machine::irql();
    Machine::record_level(level);
    Machine::restore_interrupts(true);
    if let Some(kernel) = kernel() {
        handle(kernel);
    }
    Machine::disable_interrupts();
    end();
    Machine::record_level(interrupted);
    Machine::settle_mask(interrupted);
    if let Some(kernel) = kernel() {
        kernel.leave_interrupt(interrupted);
    }
}
