//! What the vectors call: an interruption, with the registers saved, to whom it concerns.
//!
//! Interrupts go to the GIC, exceptions to the kernel above; what comes from user
//! mode goes to `user` and never arrives here. Before that, a few addresses are looked up for which the floor itself expects
//! an exception (`fixup`). While no kernel has announced itself an exception is
//! reported here, in a few lines, and ends the machine.

use core::fmt::{self, Write};
use core::sync::atomic::Ordering;

use super::vectors::{FAST_INTERRUPT, INTERRUPT, KIND_MASK, NO_STACK, SYNCHRONOUS};
use super::{Machine, fixup, interrupts, per_processor, syndrome};
use crate::contract::{
    Console, Exception, ExceptionClass, ExitCode, PAGE_SIZE, Power, Processor, Registers,
    Translation, VirtAddr,
};

/// The registers of interrupted code, as the vectors lay them out.
#[derive(Debug)]
#[repr(C)]
pub struct TrapFrame {
    /// x0 to x30. Of code at EL1, x18 is only for reports: it is the processor's, not the code's.
    pub(super) x: [u64; 31],
    /// SP of the level that was interrupted.
    pub(super) sp: u64,
    /// Where it was interrupted.
    pub(super) elr: u64,
    /// PSTATE as it was.
    pub(super) spsr: u64,
    /// The syndrome; means nothing for an interrupt.
    pub(super) esr: u64,
    /// The fault address; means nothing but for the exceptions that set it.
    pub(super) far: u64,
    /// A frame record, {x29, ELR}, for walks over the stack. Not read on return.
    pub(super) record: [u64; 2],
}

const _: () = assert!(size_of::<TrapFrame>() == 304 && size_of::<TrapFrame>().is_multiple_of(16));

const NAMES: [&str; 31] = [
    "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
    "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27",
    "x28", "fp", "lr",
];

impl TrapFrame {
    /// Whether interrupts were enabled in the interrupted code.
    pub(super) fn interrupts_enabled(&self) -> bool {
        self.spsr & 1 << 7 == 0
    }
}

impl Registers for TrapFrame {
    fn pc(&self) -> VirtAddr {
        VirtAddr(self.elr)
    }

    fn sp(&self) -> VirtAddr {
        VirtAddr(self.sp)
    }

    fn link(&self) -> Option<VirtAddr> {
        Some(VirtAddr(self.x[30]))
    }

    fn for_each(&self, visit: &mut dyn FnMut(&'static str, u64)) {
        for (name, value) in NAMES.iter().zip(self.x) {
            visit(name, value);
        }
        visit("sp", self.sp);
        visit("pc", self.elr);
        visit("spsr", self.spsr);
        visit("esr", self.esr);
        visit("far", self.far);
    }
}

/// Every interruption comes here, with D, A, I and F masked. `kind` is put together in `vectors`.
pub(super) extern "C" fn handle(frame: &mut TrapFrame, kind: u64) {
    match kind & KIND_MASK {
        INTERRUPT if kind & NO_STACK == 0 => interrupts::take(false),
        SYNCHRONOUS if fixup::resume(frame) => {}
        _ => exception(frame, kind),
    }
    if kind & NO_STACK != 0 {
        per_processor::current()
            .emergency_depth
            .store(0, Ordering::Relaxed);
    }
}

fn exception(frame: &mut TrapFrame, kind: u64) {
    let class = match kind & KIND_MASK {
        SYNCHRONOUS => syndrome::class(frame.esr),
        INTERRUPT | FAST_INTERRUPT => ExceptionClass::Other,
        _ => ExceptionClass::MachineCheck,
    };
    let synchronous = kind & KIND_MASK == SYNCHRONOUS;
    let interrupt = matches!(kind & KIND_MASK, INTERRUPT | FAST_INTERRUPT);
    let exception = Exception {
        class: if kind & NO_STACK != 0 {
            class_without_stack(frame.sp, class)
        } else {
            class
        },
        pc: VirtAddr(frame.elr),
        address: (synchronous && syndrome::has_address(frame.esr)).then_some(VirtAddr(frame.far)),
        syndrome: if interrupt { 0 } else { frame.esr },
        from_user: false,
    };
    match crate::kernel() {
        Some(kernel) => kernel.exception(&exception, frame),
        None => report_and_give_up(&exception, frame),
    }
}

/// What an exception is that found no stack to be delivered on: SP just below a stack's end is an overflow; a misaligned SP
/// is what the syndrome says; any other SP is the counterpart of a double fault.
fn class_without_stack(sp: u64, class: ExceptionClass) -> ExceptionClass {
    let near_a_stack = [0, PAGE_SIZE]
        .iter()
        .any(|above| Machine::probe_kernel(VirtAddr(sp.wrapping_add(*above))));
    if !sp.is_multiple_of(16) {
        class
    } else if near_a_stack {
        ExceptionClass::StackOverflow
    } else {
        ExceptionClass::DoubleFault
    }
}

/// The console as a place for formatted text.
pub(super) struct ConsoleWriter;

impl Write for ConsoleWriter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        Machine::write_bytes(text.as_bytes());
        Ok(())
    }
}

fn report_and_give_up(exception: &Exception, frame: &TrapFrame) -> ! {
    // The console's writer cannot fail.
    let _ = writeln!(
        ConsoleWriter,
        "tarn: exception before the kernel was ready: {exception:x?}"
    );
    frame.for_each(&mut |name, value| {
        let _ = writeln!(ConsoleWriter, "  {name:5} {value:016x}");
    });
    Machine::walk_stack(Some(frame), &mut |address| {
        let _ = writeln!(ConsoleWriter, "  called from {address}");
        true
    });
    Machine::give_up(ExitCode::BugCheck)
}

/// An exception while the emergency stack was in use and could not take another frame: the last words.
pub(super) extern "C" fn last_resort(elr: u64, esr: u64, far: u64, sp: u64) -> ! {
    let _ = writeln!(
        ConsoleWriter,
        "\ntarn: exception on the emergency stack: pc {elr:016x} esr {esr:x} far {far:016x} sp {sp:016x}"
    );
    Machine::give_up(ExitCode::BugCheck)
}
