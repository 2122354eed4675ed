//! The register file across interrupts.
//!
//! The test kernel puts itself between the floor and `ke`: it is called first for every interrupt, so each clock interrupt
//! can do to the SIMD registers what a thread switch would.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arch::contract::{
    Access, Clock, Exception, InterruptLine, Irql, Kernel, Processor, ProcessorNumber, SelfTest,
    VirtAddr,
};
use arch::{Machine, SimdState, TrapFrame};
use ke::{error, info};

use crate::user_threads;

const INTERRUPTS: u64 = 100_000;
/// Clock interrupts a second while the registers are held.
const RATE: u64 = 50_000;

static HOLDING: AtomicBool = AtomicBool::new(false);
static TAKEN: AtomicU64 = AtomicU64::new(0);

struct Scrambler;

impl Kernel for Scrambler {
    fn clock_interrupt(&self, in_user_mode: bool) {
        if HOLDING.load(Ordering::Relaxed) && Machine::number() == ProcessorNumber::BOOT {
            let mut simd = SimdState::default();
            Machine::save_simd(&mut simd);
            Machine::scramble_simd(TAKEN.load(Ordering::Relaxed));
            Machine::restore_simd(&simd);
            TAKEN.fetch_add(1, Ordering::Release);
        }
        user_threads::clock_interrupt();
        ke::upcalls().clock_interrupt(in_user_mode);
    }

    fn interprocessor_interrupt(&self) {
        ke::upcalls().interprocessor_interrupt();
    }

    fn device_interrupt(&self, line: InterruptLine) {
        ke::upcalls().device_interrupt(line);
    }

    fn leave_interrupt(&self, interrupted: Irql) {
        ke::upcalls().leave_interrupt(interrupted);
    }

    fn exception(&self, exception: &Exception, frame: &mut TrapFrame) {
        ke::upcalls().exception(exception, frame);
    }

    fn user_page_fault(&self, address: VirtAddr, access: Access) -> bool {
        ke::upcalls().user_page_fault(address, access)
    }

    fn processor_started(&self, number: ProcessorNumber) -> ! {
        ke::upcalls().processor_started(number)
    }
}

/// Puts this module between the floor and `ke`; before `ke` announces itself.
pub(crate) fn interpose() {
    arch::set_kernel(&Scrambler);
}

/// Every general and SIMD register keeps its value across 100 000 clock interrupts, each of which saves the SIMD registers,
/// overwrites every one, and loads them again.
pub(crate) fn survive_interrupts() -> Result<(), &'static str> {
    let usual = Machine::counter_frequency() / ke::clock::TICKS_PER_SECOND;
    HOLDING.store(true, Ordering::Relaxed);
    Machine::start_clock(Machine::counter_frequency() / RATE);
    let held = Machine::hold_registers(&TAKEN, INTERRUPTS, 0x0123_4567_89AB_CDEF);
    HOLDING.store(false, Ordering::Relaxed);
    Machine::start_clock(usual);
    let (count, size) = Machine::simd_shape();
    info!(
        "{} clock interrupts; {count} SIMD registers of {size} bytes",
        TAKEN.load(Ordering::Relaxed)
    );
    held.map_err(|changed| {
        error!(
            "{} was {:#x} and is {:#x}",
            changed.name, changed.expected, changed.found
        );
        "a register did not keep its value"
    })
}
