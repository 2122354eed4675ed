//! What the floor asks of the kernel above it.

use super::{Access, Exception, InterruptLine, Irql, ProcessorNumber, VirtAddr};
use crate::TrapFrame;

/// What the kernel gives the machine: called by the floor's vectors.
///
/// The three interrupt methods are called at the interrupt's own level, with
/// interrupts of higher levels enabled, on the interrupted stack.
pub trait Kernel: Sync {
    /// The clock ticked on this processor, while it was in user mode or not; at [`Irql::Clock`].
    fn clock_interrupt(&self, in_user_mode: bool);

    /// Another processor called; at [`Irql::Ipi`].
    fn interprocessor_interrupt(&self);

    /// A connected line interrupted, at the level that it was connected with.
    fn device_interrupt(&self, line: InterruptLine);

    /// The interrupt is ended and the level is `interrupted` again; interrupts are disabled.
    ///
    /// Here the kernel runs DPCs if `interrupted` is below [`Irql::Dispatch`]: it raises the level,
    /// enables interrupts, and returns with both as they were.
    fn leave_interrupt(&self, interrupted: Irql);

    /// An exception in kernel mode (those of user mode are what `run_user` returns with). To return is to resume at `frame`, which may have been changed. Interrupts are disabled.
    fn exception(&self, exception: &Exception, frame: &mut TrapFrame);

    /// A copy from or to user memory met a page fault; true if the access can be tried again.
    ///
    /// Interrupts are as the copying code had them, and so is the level, which is below [`Irql::Dispatch`]: from there on
    /// such a fault is an exception.
    fn user_page_fault(&self, address: VirtAddr, access: Access) -> bool;

    /// A processor that [`Processor::start_processor`](super::Processor::start_processor) started is up: on its own
    /// stack, in the kernel's tables, interrupts disabled, level [`Irql::High`].
    fn processor_started(&self, number: ProcessorNumber) -> !;
}
