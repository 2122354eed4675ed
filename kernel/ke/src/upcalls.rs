//! What the floor calls: the kernel's side of `arch::contract::Kernel`.

use arch::TrapFrame;
use arch::contract::{Exception, InterruptLine, Irql, Kernel, ProcessorNumber};

use crate::{clock, dpc, exception, interrupt, ipi, processor};

struct Ke;

impl Kernel for Ke {
    fn clock_interrupt(&self) {
        clock::tick();
    }

    fn interprocessor_interrupt(&self) {
        ipi::receive(processor::current());
    }

    fn device_interrupt(&self, line: InterruptLine) {
        interrupt::serve(line);
    }

    fn leave_interrupt(&self, interrupted: Irql) {
        if interrupted < Irql::Dispatch {
            dpc::deliver();
        }
    }

    fn exception(&self, exception: &Exception, frame: &mut TrapFrame) {
        exception::dispatch(exception, frame);
    }

    fn system_call(&self, frame: &mut TrapFrame) {
        exception::unexpected_system_call(frame);
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
