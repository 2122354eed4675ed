//! What the floor calls: the kernel's side of `arch::contract::Kernel`.

use core::sync::atomic::Ordering;

use arch::TrapFrame;
use arch::contract::{Access, Exception, InterruptLine, Irql, Kernel, ProcessorNumber, VirtAddr};

use crate::{clock, exception, interrupt, ipi, processor, software};

struct Ke;

impl Kernel for Ke {
    fn clock_interrupt(&self, in_user_mode: bool) {
        clock::tick(in_user_mode);
    }

    fn interprocessor_interrupt(&self) {
        ipi::receive(processor::current());
    }

    fn device_interrupt(&self, line: InterruptLine) {
        let depth = &processor::current().in_interrupts;
        depth.fetch_add(1, Ordering::Relaxed);
        interrupt::serve(line);
        depth.fetch_sub(1, Ordering::Relaxed);
    }

    fn leave_interrupt(&self, interrupted: Irql) {
        if interrupted < Irql::Dispatch && software::is_pending() {
            software::deliver(interrupted);
        }
    }

    fn exception(&self, exception: &Exception, frame: &mut TrapFrame) {
        exception::dispatch(exception, frame);
    }

    fn user_page_fault(&self, address: VirtAddr, access: Access) -> bool {
        exception::user_page_fault(address, access)
    }

    fn processor_started(&self, number: ProcessorNumber) -> ! {
        processor::run_started(number)
    }
}

/// This crate's side of the contract, for who puts itself between the floor and it.
pub fn upcalls() -> &'static dyn Kernel {
    &Ke
}

/// Makes this crate the one that the floor calls. Before it, an exception ends in the floor's own short report.
pub fn register() {
    arch::set_kernel(upcalls());
}
