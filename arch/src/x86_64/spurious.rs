//! Spurious interrupts of the local APIC: how many came, and one raised as a machine raises it, for the self-test.
//!
//! The local APIC gives its spurious vector to a processor that was told of an interrupt and asks which one it is when
//! the only ones that wait are held back by then (Intel's manual, volume 3, "Spurious Interrupt"). To get there:
//!
//! 1. With everything maskable held back by the task priority, the processor sends itself an interrupt, which waits.
//! 2. The old interrupt controller, whose line into the local APIC is open for a moment, tells the processor of the
//!    interval timer's interrupt, which no priority holds back. The timer runs since the machine was switched on.
//! 3. The line is closed before the processor asks. Now there is nothing to give but what is held back.
//!
//! An emulated processor asks when it is done with what it does. One of hardware asks at once: there is no third step then,
//! and the self-test fails.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};

use super::apic::{self, LINE_0, MASKED};
use super::per_processor;
use super::registers::IoPort;
use crate::Machine;
use crate::contract::{Interrupts, Irql, Processor, ProcessorSet};

/// In an entry of the local vector table: the old controller names the vector.
const DELIVER_EXTERNAL: u32 = 7 << 8;
/// How often it is tried: an interrupt that another processor sends in between makes the local APIC look again.
const TRIES: u32 = 100;
/// How often the old controller is asked for the timer's interrupt, which comes 18 times a second and stays.
const LOOKS: u32 = 10_000_000;

/// How often the spurious vector came, on all processors: other vectors that nobody asked for are not among them.
static CAME: AtomicU64 = AtomicU64::new(0);

/// The spurious vector came.
pub(super) fn note() {
    // Relaxed: a count.
    CAME.fetch_add(1, Ordering::Relaxed);
}

/// The first of the old controllers: its commands, and what it masks one port further on.
fn first_8259() -> IoPort {
    // SAFETY: the 8259 is at this port on every PC that has it; it writes no memory.
    unsafe { IoPort::new(0x20) }
}

/// The old controller tells this processor of the timer's interrupt, and is shut up before the processor asks for it. False if
/// the timer does not run: then there is nothing to tell.
fn tell_and_take_back() -> bool {
    const READ_REQUESTS: u8 = 0x0A;
    const TIMER: u8 = 1;
    let controller = first_8259();
    controller.write8(READ_REQUESTS);
    if (0..LOOKS).all(|_| controller.read8() & TIMER == 0) {
        return false;
    }
    apic::write(LINE_0, DELIVER_EXTERNAL);
    controller.offset(1).write8(!TIMER);
    apic::write(LINE_0, MASKED);
    controller.offset(1).write8(0xFF);
    true
}

/// Has the local APIC give its spurious vector, on a machine with the old controller; false if it did not come.
pub(super) fn provoke() -> bool {
    let enabled = Machine::disable_interrupts();
    let mask = per_processor::mask();
    let before = CAME.load(Ordering::Relaxed);
    per_processor::set_mask(Irql::Ipi.level());
    Machine::send_ipi(ProcessorSet::only(Machine::number()));
    for _ in 0..TRIES {
        if !tell_and_take_back() {
            break;
        }
        // SAFETY: nothing but the spurious vector and NMIs can come, which the stubs take.
        unsafe { asm!("sti", "nop", "cli", options(nostack)) };
        if CAME.load(Ordering::Relaxed) != before {
            break;
        }
    }
    per_processor::set_mask(mask);
    // What this processor has sent itself comes now, and finds nothing to do.
    Machine::restore_interrupts(enabled);
    CAME.load(Ordering::Relaxed) != before
}
