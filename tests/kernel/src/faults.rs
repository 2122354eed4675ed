//! Faults on purpose: each must end in the bug check that Windows has for it. The dialogue of the test looks at the report;
//! to come back here is to fail.

use arch::Machine;
use arch::contract::{Fault, Irql, SelfTest};
use ke::{info, irql};

/// Provokes the fault that a test's name asks for.
pub(crate) fn provoke(name: &str) -> Result<(), &'static str> {
    // Touching what is not mapped at a raised level has a code of its own.
    if name == "fault-read-at-dispatch" {
        let _dispatch = irql::raise(Irql::Dispatch);
        return refused(Machine::provoke(Fault::ReadUnmapped));
    }
    if name == "panic" {
        panic!("a panic on purpose");
    }
    let fault = match name {
        "fault-read-unmapped" => Fault::ReadUnmapped,
        "fault-write-unmapped" => Fault::WriteUnmapped,
        "fault-write-text" => Fault::WriteText,
        "fault-write-read-only" => Fault::WriteReadOnly,
        "fault-execute-data" => Fault::ExecuteData,
        "fault-illegal-instruction" => Fault::IllegalInstruction,
        "fault-general-protection" => Fault::GeneralProtection,
        "fault-divide-by-zero" => Fault::DivideByZero,
        "fault-breakpoint" => Fault::Breakpoint,
        "fault-misaligned" => Fault::Misaligned,
        "fault-misaligned-pc" => Fault::MisalignedPc,
        "fault-misaligned-stack" => Fault::MisalignedStack,
        "fault-stack-overflow" => Fault::StackOverflow,
        "fault-double-fault" => Fault::DoubleFault,
        "fault-bus-error" => Fault::BusError,
        "fault-floating-point-unavailable" => Fault::FloatingPointUnavailable,
        _ => return Err("there is no test of that name"),
    };
    refused(Machine::provoke(fault))
}

fn refused<E>(outcome: Result<(), E>) -> Result<(), &'static str> {
    info!("the machine went on after the fault");
    match outcome {
        Ok(()) => Err("the fault was provoked and nothing stopped"),
        Err(_) => Err("this machine has no such fault"),
    }
}
