//! Starting the other processors: INIT, then a start-up interrupt, or two.
//!
//! The sequence is that of the SDM, volume 3, 9.4.4, with the waits that processors
//! since 2003 need: none after INIT (family 15 of Intel: 10 ms), and the second
//! start-up only if the first had no effect within 200 microseconds. A processor
//! that does not come up within two seconds is sent back by another INIT, so that
//! it can never run what is then no longer meant for it.

extern crate alloc;

use alloc::alloc::{alloc, dealloc};
use core::alloc::Layout;
use core::sync::atomic::{AtomicU64, Ordering};

use boards::EnableMethod;

use super::apic::{self, Message};
use super::descriptors::{SMALL_STACK, Stacks};
use super::entry;
use super::features::{Features, features};
use super::per_processor;
use super::timer::read_counter;
use super::trampoline::Trampoline;
use super::translation::kernel_root;
use crate::Machine;
use crate::contract::{
    Clock, PhysAddr, Processor, ProcessorNumber, ProcessorSet, ProcessorStart, StartError,
};
use crate::lock::FloorLock;
use crate::memory;

/// Microseconds after INIT, where any are needed.
const INIT_WAIT: u64 = 10_000;
/// Microseconds after which a start-up interrupt is repeated.
const REPEAT_AFTER: u64 = 200;
/// Microseconds after which a processor is given up. Generous: an emulator's host may be busy.
const PATIENCE: u64 = 2_000_000;

/// The page that processors start from. The lock is the right to start one.
static PAGE: FloorLock<Option<PhysAddr>> = FloorLock::new(None);
/// Processors that came as far as Rust.
static ARRIVED: AtomicU64 = AtomicU64::new(0);

/// Claims the page that processors start from, while memory below 1 MiB is not yet used for something else. Without one
/// they stay off, and `start_processor` says so.
pub(super) fn claim_page() {
    *PAGE.acquire() = memory::claim_low_frame();
}

/// See `Processor::start_processor`.
pub(super) fn start_processor(start: &ProcessorStart) -> Result<(), StartError> {
    if start.enable_method != EnableMethod::InitSipi {
        return Err(StartError::MethodNotKnown);
    }
    let apic_id = u32::try_from(start.hardware_id).map_err(|_| StartError::BadHardwareId)?;
    let block = per_processor::block(start.number).ok_or(StartError::BadHardwareId)?;
    if !apic::can_address(apic_id) {
        return Err(StartError::BadHardwareId);
    }
    let root = kernel_root().ok_or(StartError::NoMemory)?;
    // Before the lock, and by the order of declaration given back after it: the heap wants interrupts as they were.
    let small = SmallStacks::allocate()?;
    let claimed = PAGE.acquire();
    let page = claimed.ok_or(StartError::NoMemory)?;
    per_processor::prepare(block, apic_id, &small.stacks(start));
    // SAFETY: the page is ours for good, and the lock keeps it to one processor at a time; one that was given up before
    // was sent back by INIT.
    let trampoline = unsafe {
        Trampoline::offer(
            page,
            entry::boot_root_address(),
            root.0,
            start.stack_top.address().0,
            start.number.0,
        )
    };
    // A page below 1 MiB has an 8-bit number.
    let message = Message::StartUp(u8::try_from(page.0 >> 12).map_err(|_| StartError::NoMemory)?);
    if bring_up(apic_id, start.number, message)
        || (!trampoline.withdraw() && wait_for(start.number, PATIENCE))
    {
        core::mem::forget(small);
        return Ok(());
    }
    apic::send(apic_id, Message::Init);
    Err(StartError::NoAnswer)
}

/// The sequence; true if the processor arrived.
fn bring_up(apic_id: u32, number: ProcessorNumber, start_up: Message) -> bool {
    apic::send(apic_id, Message::Init);
    if features().contains(Features::SLOW_INIT) {
        wait_for(number, INIT_WAIT);
    }
    apic::send(apic_id, start_up);
    if wait_for(number, REPEAT_AFTER) {
        return true;
    }
    apic::send(apic_id, start_up);
    wait_for(number, PATIENCE)
}

/// Waits until the processor arrived; false if it does not within that many microseconds.
fn wait_for(number: ProcessorNumber, microseconds: u64) -> bool {
    /// For a counter that was not calibrated: as fast as they come, so the wait is long rather than short.
    const FASTEST: u64 = 6_000_000_000;
    let frequency = match Machine::counter_frequency() {
        0 => FASTEST,
        frequency => frequency,
    };
    let start = read_counter();
    let ticks = frequency / 1_000_000 * microseconds;
    // Acquire: pairs with `arrive`.
    while !ProcessorSet(ARRIVED.load(Ordering::Acquire)).contains(number) {
        if read_counter().wrapping_sub(start) > ticks {
            return false;
        }
        Machine::relax();
    }
    true
}

/// Called by the trampoline: on the processor's own stack, in the kernel's tables.
pub(super) extern "C" fn arrive(number: u32) -> ! {
    let number = ProcessorNumber(number);
    entry::adopt(number);
    // Release: who sees the bit sees the processor set up.
    ARRIVED.fetch_or(ProcessorSet::only(number).0, Ordering::Release);
    match crate::kernel() {
        Some(kernel) => kernel.processor_started(number),
        None => Machine::stop(),
    }
}

/// Memory for the stacks of NMI, machine check and debug trap.
struct SmallStacks(*mut u8);

impl SmallStacks {
    /// Size and alignment are constants that fit.
    const LAYOUT: Layout = match Layout::from_size_align(3 * SMALL_STACK, 16) {
        Ok(layout) => layout,
        Err(_) => Layout::new::<u8>(),
    };

    fn allocate() -> Result<Self, StartError> {
        // SAFETY: the layout has a size.
        let memory = unsafe { alloc(Self::LAYOUT) };
        if memory.is_null() {
            Err(StartError::NoMemory)
        } else {
            Ok(Self(memory))
        }
    }

    fn stacks(&self, start: &ProcessorStart) -> Stacks {
        let base = self.0 as u64;
        let stack = SMALL_STACK as u64;
        Stacks {
            emergency: start.emergency_stack_top.address().0,
            nmi: base + stack,
            machine_check: base + 2 * stack,
            debug: base + 3 * stack,
        }
    }
}

impl Drop for SmallStacks {
    /// Only for a processor that never ran.
    fn drop(&mut self) {
        // SAFETY: allocated above with this layout.
        unsafe { dealloc(self.0, Self::LAYOUT) };
    }
}
