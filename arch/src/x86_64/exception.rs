//! The machine's exceptions in the contract's words, and the path of last resort.
//!
//! A kernel stack that runs into its guard page shows itself in one of two ways.
//! Usually RSP itself is in the guard page (a call or a stack probe got there), so
//! the processor cannot push the page fault's frame either: that is a double fault,
//! which has a stack of its own, with CR2 = the address of the failed push. If RSP
//! is still above the page, the page fault arrives normally, on the last bytes of
//! the stack; the report is then moved to the emergency stack before anything that
//! needs room runs. "In the guard page" means: CR2 is within a page of RSP, its page
//! is not mapped and the page above it is. No list of stacks is needed, and a wild
//! pointer would have to land next to RSP to be mistaken.
//!
//! While a processor reports from its emergency stack a further fault there means
//! that the report itself is broken. It ends with one line straight to the serial
//! port and the processor's halt; nothing loops, nothing triple-faults.

use core::arch::asm;
use core::fmt::Write;
use core::sync::atomic::Ordering;

use super::trap::TrapFrame;
use super::{console, interrupts, per_processor, power, user_copy};
use crate::Machine;
use crate::contract::{
    Access, Exception, ExceptionClass, ExitCode, FaultReason, FloatingPointTrap, PAGE_SIZE, Power,
    Processor, Translation, VirtAddr,
};

const DEBUG: u64 = 1;
const NMI: u64 = 2;
const BREAKPOINT: u64 = 3;
const DOUBLE_FAULT: u64 = 8;
const PAGE_FAULT: u64 = 14;

/// An exception, with interrupts disabled.
pub(super) fn take(frame: &mut TrapFrame) {
    match frame.vector {
        NMI if interrupts::is_freezing() => Machine::stop(),
        DOUBLE_FAULT => frame.cr2 = cr2(),
        PAGE_FAULT => {
            frame.cr2 = cr2();
            if user_copy::resume(frame, access(frame.error)) {
                return;
            }
        }
        vector if acknowledge(vector) => {
            frame.rip = frame.rip.wrapping_sub(1);
            frame.chain = frame.rip;
        }
        _ => {}
    }
    let exception = decode(frame);
    let reports_overflow = matches!(
        exception.class,
        ExceptionClass::StackOverflow | ExceptionClass::DoubleFault
    );
    if exception.from_user || !(reports_overflow || is_in_emergency()) {
        report(&exception, frame);
        return;
    }
    let block = per_processor::current();
    if block.in_emergency.swap(true, Ordering::Relaxed) {
        last_words(&exception, frame);
    }
    if frame.vector == DOUBLE_FAULT {
        // Already there: the task state switched stacks.
        report(&exception, frame);
    } else {
        report_on_stack(&exception, frame, block.descriptors.emergency_stack_top());
    }
    block.in_emergency.store(false, Ordering::Relaxed);
}

/// Makes the processor ready for the next exception of that vector. True if RIP is behind the one-byte INT3: then it is
/// wound back, as NT does, so that the registers and the report agree.
pub(super) fn acknowledge(vector: u64) -> bool {
    if vector == DEBUG {
        clear_debug_status();
    }
    vector == BREAKPOINT
}

/// An exception of user mode, with interrupts still disabled.
pub(super) fn of_user_mode(vector: u64, error: u64, rip: u64) -> Exception {
    Exception {
        class: class(vector, error),
        pc: VirtAddr(rip),
        address: (vector == PAGE_FAULT).then(|| VirtAddr(cr2())),
        syndrome: syndrome(vector, error),
        from_user: true,
    }
}

const fn syndrome(vector: u64, error: u64) -> u64 {
    vector << 32 | error & 0xFFFF_FFFF
}

fn is_in_emergency() -> bool {
    per_processor::current()
        .in_emergency
        .load(Ordering::Relaxed)
}

fn cr2() -> u64 {
    let address;
    // SAFETY: reads a control register.
    unsafe { asm!("mov {}, cr2", out(reg) address, options(nomem, nostack, preserves_flags)) };
    address
}

/// Clears DR6, which the processor only ever sets.
fn clear_debug_status() {
    // SAFETY: DR6 only reports.
    unsafe {
        asm!("mov dr6, {}", in(reg) 0xFFFF_0FF0_u64, options(nomem, nostack, preserves_flags))
    };
}

/// The exception in the contract's words.
fn decode(frame: &TrapFrame) -> Exception {
    let class = match frame.vector {
        DOUBLE_FAULT if hit_guard_page(frame) => ExceptionClass::StackOverflow,
        PAGE_FAULT if hit_guard_page(frame) => ExceptionClass::StackOverflow,
        vector => class(vector, frame.error),
    };
    let has_address = matches!(class, ExceptionClass::StackOverflow) || frame.vector == PAGE_FAULT;
    Exception {
        class,
        pc: VirtAddr(frame.rip),
        address: has_address.then_some(VirtAddr(frame.cr2)),
        syndrome: syndrome(frame.vector, frame.error),
        from_user: frame.is_from_user(),
    }
}

/// What a vector is, but for stack overflows.
fn class(vector: u64, error: u64) -> ExceptionClass {
    match vector {
        0 => ExceptionClass::IntegerDivide,
        DEBUG => ExceptionClass::DebugTrap,
        NMI => ExceptionClass::NonMaskableInterrupt,
        BREAKPOINT => ExceptionClass::Breakpoint,
        4 => ExceptionClass::IntegerOverflow,
        5 => ExceptionClass::BoundRangeExceeded,
        6 => ExceptionClass::IllegalInstruction,
        7 => ExceptionClass::FloatingPointUnavailable,
        DOUBLE_FAULT => ExceptionClass::DoubleFault,
        13 => ExceptionClass::PrivilegedInstruction,
        PAGE_FAULT => page_fault(error),
        16 | 19 => ExceptionClass::FloatingPoint(FloatingPointTrap::Unknown),
        17 => ExceptionClass::Misaligned,
        18 => ExceptionClass::MachineCheck,
        // #TS, #NP, #SS, #CP, #VE and the reserved ones: segments and modes that this kernel does not use.
        _ => ExceptionClass::Other,
    }
}

/// SDM volume 3, 5.7: P (bit 0), W/R (bit 1), U/S (bit 2), reserved bit set (bit 3), I/D (bit 4).
const fn access(error: u64) -> Access {
    if error & 1 << 4 != 0 {
        Access::Execute
    } else if error & 1 << 1 != 0 {
        Access::Write
    } else {
        Access::Read
    }
}

/// See [`access`].
const fn page_fault(error: u64) -> ExceptionClass {
    let reason = if error & 1 != 0 {
        FaultReason::Permission
    } else {
        FaultReason::NotMapped
    };
    ExceptionClass::PageFault {
        access: access(error),
        reason,
    }
}

/// Whether CR2 is in an unmapped page next to RSP and right below a mapped one.
fn hit_guard_page(frame: &TrapFrame) -> bool {
    let page = frame.cr2 & !(PAGE_SIZE - 1);
    frame.cr2.abs_diff(frame.rsp) <= PAGE_SIZE
        && !Machine::probe_kernel(VirtAddr(page))
        && Machine::probe_kernel(VirtAddr(page.wrapping_add(PAGE_SIZE)))
}

/// Tells the kernel, or, before there is one, the person.
fn report(exception: &Exception, frame: &mut TrapFrame) {
    if let Some(kernel) = crate::kernel() {
        kernel.exception(exception, frame);
        return;
    }
    let mut out = console::LastResort;
    // The console cannot refuse.
    let _ = writeln!(
        out,
        "\ntarn: exception before the kernel was ready: {:?} at {:#018x}, address {:#018x}, vector {}, error {:#x}, \
         rsp {:#018x}",
        exception.class, frame.rip, frame.cr2, frame.vector, frame.error, frame.rsp
    );
    Machine::give_up(ExitCode::BugCheck)
}

/// The same on another stack: `frame` stays where it is, on the exhausted one.
fn report_on_stack(exception: &Exception, frame: &mut TrapFrame, top: u64) {
    extern "C" fn continue_there(exception: &Exception, frame: &mut TrapFrame) {
        report(exception, frame);
    }
    // SAFETY: `top` is the top of this processor's emergency stack, which nobody uses: in_emergency was clear. The
    // called function keeps R12, which remembers the present stack.
    unsafe {
        asm!(
            "mov r12, rsp",
            "mov rsp, {top}",
            "call {function}",
            "mov rsp, r12",
            top = in(reg) top,
            function = sym continue_there,
            in("rdi") exception,
            in("rsi") frame,
            out("r12") _,
            clobber_abi("C"),
        );
    }
}

/// The report is broken: says so past every lock and formatter that it might have used, and ends.
fn last_words(exception: &Exception, frame: &TrapFrame) -> ! {
    power::freeze_others();
    let mut out = console::LastResort;
    // The console cannot refuse.
    let _ = writeln!(
        out,
        "\n*** tarn: a second fault while the first was reported: {:?}, vector {}, rip {:#018x}, address {:#018x}, \
         rsp {:#018x}",
        exception.class, frame.vector, frame.rip, frame.cr2, frame.rsp
    );
    Machine::give_up(ExitCode::BugCheck)
}
