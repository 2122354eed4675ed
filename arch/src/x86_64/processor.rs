//! The contract's `Processor`: level, interrupts, waiting, stopping.
//!
//! The local APIC compares the upper digit of a vector with CR8 and takes only what
//! is above. Levels up to DISPATCH concern software alone, so they need CR8 = 0; a
//! higher level needs its own number there.
//!
//! The order in `set_irql` is "record, then mask", in both directions. An interrupt
//! between the two restores the mask for the *recorded* level when it returns, so
//! what it leaves is what is wanted anyway. Recording last, an interrupt in between
//! would, when raising, put the old mask back under the new level. CR8 and its shadow
//! change together with interrupts off: seen apart, a handler that raises to the very
//! level that the shadow already shows would run with a mask that is not in force.

use core::arch::asm;
use core::sync::atomic::AtomicU32;

use super::per_processor::{mask, record_level, set_mask};
use super::{Machine, backtrace, per_processor, power, shootdown, simd, start};
use crate::contract::{
    Irql, Processor, ProcessorNumber, ProcessorSet, ProcessorStart, StartError, VirtAddr,
};
use crate::dispatch::Levels;

/// EFLAGS.IF.
const INTERRUPTS: u64 = 1 << 9;

#[cold]
fn write_mask(wanted: u8) {
    let enabled = Machine::disable_interrupts();
    set_mask(wanted);
    Machine::restore_interrupts(enabled);
}

impl Levels for Machine {
    #[inline]
    fn record_level(level: Irql) {
        record_level(level);
    }

    #[inline]
    fn settle_mask(level: Irql) {
        let wanted = if level.masks_hardware() {
            level.level()
        } else {
            0
        };
        // Below DISPATCH the thread may be moved after this look, but then the shadow is 0 there as here.
        if mask() != wanted {
            write_mask(wanted);
        }
    }
}

impl Processor for Machine {
    type TrapFrame = super::TrapFrame;
    type SimdState = super::SimdState;

    #[inline]
    fn number() -> ProcessorNumber {
        per_processor::number()
    }

    #[inline]
    fn irql() -> Irql {
        per_processor::level()
    }

    #[inline]
    fn set_irql(level: Irql) {
        record_level(level);
        Self::settle_mask(level);
    }

    #[inline]
    fn set_software_irql(level: Irql) {
        record_level(level);
    }

    #[inline]
    fn work_word(number: ProcessorNumber) -> &'static AtomicU32 {
        per_processor::work(number)
    }

    #[inline]
    fn has_work() -> bool {
        per_processor::has_work()
    }

    #[inline]
    fn disable_interrupts() -> bool {
        let flags: u64;
        // SAFETY: clears the interrupt flag. Not `nomem`: what is protected must not be moved out by the compiler.
        unsafe { asm!("pushfq", "pop {}", "cli", out(reg) flags) };
        flags & INTERRUPTS != 0
    }

    #[inline]
    fn restore_interrupts(enabled: bool) {
        if enabled {
            // SAFETY: sets the interrupt flag; the tables and stacks for interrupts are there from the first Rust code on.
            unsafe { asm!("sti", options(nostack)) };
        }
    }

    fn halt_unless(work_is_there: impl FnOnce() -> bool) {
        Self::disable_interrupts();
        if work_is_there() {
            Self::restore_interrupts(true);
            return;
        }
        // SAFETY: STI takes effect behind the next instruction: an interrupt that arrived since the look ends the HLT.
        unsafe { asm!("sti", "hlt", options(nostack)) };
    }

    #[inline]
    fn relax() {
        core::hint::spin_loop();
    }

    fn start_processor(start: ProcessorStart) -> Result<(), StartError> {
        start::start_processor(&start)
    }

    fn stop_by_force(targets: ProcessorSet) -> bool {
        power::freeze(targets)
    }

    fn stop() -> ! {
        Self::disable_interrupts();
        shootdown::leave();
        super::power::halt()
    }

    fn walk_stack(frame: Option<&Self::TrapFrame>, visit: &mut dyn FnMut(VirtAddr) -> bool) {
        backtrace::walk(frame, visit);
    }

    fn save_simd(into: &mut Self::SimdState) {
        simd::save(into);
    }

    fn restore_simd(from: &Self::SimdState) {
        simd::restore(from);
    }
}
