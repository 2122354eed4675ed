//! What every vector calls: the trap frame, and which vector is what.
//!
//! | vectors | what |
//! |---|---|
//! | 0x00 - 0x1F | exceptions |
//! | 0x2E | INT 0x2E, a system call; from user mode alone |
//! | 0x30 - 0xBF | devices: the upper digit is the level, which is what the local APIC compares with CR8 |
//! | 0xD1 | the clock, level 13 |
//! | 0xE1, 0xE2 | the kernel's interrupt between processors and the floor's own, level 14 |
//! | 0xFF | the local APIC's spurious vector |
//!
//! A vector that nobody asked for is counted with the spurious ones and forgotten.

use super::{apic, exception, interrupts, shootdown, spurious, timer};
use crate::contract::{Irql, Registers, VirtAddr};
use crate::dispatch::take_interrupt;

/// First and last vector of device levels.
pub(super) const FIRST_DEVICE_VECTOR: u8 = 0x30;
/// See [`FIRST_DEVICE_VECTOR`].
pub(super) const LAST_DEVICE_VECTOR: u8 = 0xBF;
/// The clock interrupt.
pub(super) const CLOCK_VECTOR: u8 = 0xD1;
/// The kernel's interrupt between processors.
pub(super) const IPI_VECTOR: u8 = 0xE1;
/// The floor's interrupt between processors: forget translations.
pub(super) const SHOOTDOWN_VECTOR: u8 = 0xE2;
/// What the local APIC delivers when the interrupt went away in between.
pub(super) const SPURIOUS_VECTOR: u8 = 0xFF;

/// The interrupted code's general registers, in the order that the stubs push them.
///
/// SIMD registers are not here: the kernel is compiled without them, so they keep their values through a trap.
#[repr(C)]
#[derive(Clone, Debug, Default)]
pub struct TrapFrame {
    pub(super) r15: u64,
    pub(super) r14: u64,
    pub(super) r13: u64,
    pub(super) r12: u64,
    pub(super) r11: u64,
    pub(super) r10: u64,
    pub(super) r9: u64,
    pub(super) r8: u64,
    pub(super) rdi: u64,
    pub(super) rsi: u64,
    pub(super) rdx: u64,
    pub(super) rcx: u64,
    pub(super) rbx: u64,
    pub(super) rax: u64,
    pub(super) rbp: u64,
    /// RIP again: with RBP below, what a called function's frame looks like.
    pub(super) chain: u64,
    /// The address that a page fault was about.
    pub(super) cr2: u64,
    pub(super) vector: u64,
    pub(super) error: u64,
    pub(super) rip: u64,
    pub(super) cs: u64,
    pub(super) rflags: u64,
    pub(super) rsp: u64,
    pub(super) ss: u64,
}

// The stubs rely on it: 24 words keep RSP a multiple of 16 at the call.
const _: () = assert!(size_of::<TrapFrame>() == 192);

impl TrapFrame {
    /// Whether user mode was interrupted.
    pub(super) fn is_from_user(&self) -> bool {
        self.cs & 3 == 3
    }

    /// Whether interrupts were enabled in the interrupted code.
    pub(super) fn interrupts_enabled(&self) -> bool {
        self.rflags & 1 << 9 != 0
    }
}

impl Registers for TrapFrame {
    fn pc(&self) -> VirtAddr {
        VirtAddr(self.rip)
    }

    fn sp(&self) -> VirtAddr {
        VirtAddr(self.rsp)
    }

    fn for_each(&self, visit: &mut dyn FnMut(&'static str, u64)) {
        let registers = [
            ("rax", self.rax),
            ("rbx", self.rbx),
            ("rcx", self.rcx),
            ("rdx", self.rdx),
            ("rsi", self.rsi),
            ("rdi", self.rdi),
            ("rbp", self.rbp),
            ("rsp", self.rsp),
            ("r8", self.r8),
            ("r9", self.r9),
            ("r10", self.r10),
            ("r11", self.r11),
            ("r12", self.r12),
            ("r13", self.r13),
            ("r14", self.r14),
            ("r15", self.r15),
            ("rip", self.rip),
            ("rflags", self.rflags),
            ("cs", self.cs),
            ("ss", self.ss),
            ("cr2", self.cr2),
            ("vector", self.vector),
            ("error", self.error),
        ];
        for (name, value) in registers {
            visit(name, value);
        }
    }
}

/// Called by the stubs for what interrupted kernel mode, and for NMI and machine check from anywhere, with interrupts disabled; returns in the same state.
pub(super) extern "C" fn trap(frame: &mut TrapFrame) {
    // The stubs push an 8-bit vector.
    let vector = (frame.vector & 0xFF) as u8;
    match vector {
        0..=0x1F => exception::take(frame),
        _ => interrupt(vector, false),
    }
}

/// A vector that is no exception, in kernel mode or in user mode; with interrupts disabled, returns in the same state.
pub(super) fn interrupt(vector: u8, in_user_mode: bool) {
    match vector {
        FIRST_DEVICE_VECTOR..=LAST_DEVICE_VECTOR => interrupts::take_device(vector),
        CLOCK_VECTOR => {
            timer::rearm();
            take_interrupt(
                Irql::Clock,
                |kernel| kernel.clock_interrupt(in_user_mode),
                apic::end_of_interrupt,
            );
        }
        IPI_VECTOR => {
            take_interrupt(
                Irql::Ipi,
                |kernel| kernel.interprocessor_interrupt(),
                apic::end_of_interrupt,
            );
        }
        SHOOTDOWN_VECTOR => {
            // Nothing above the floor runs, so no level is entered and no DPC can have become due.
            shootdown::serve();
            apic::end_of_interrupt();
        }
        // It wants no end of interrupt.
        SPURIOUS_VECTOR => {
            spurious::note();
            interrupts::count_spurious();
        }
        // Nothing else comes from the local APIC.
        _ => interrupts::count_spurious(),
    }
}
