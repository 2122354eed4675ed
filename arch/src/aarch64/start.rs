//! Starting the other processors, by PSCI or from a spin table.
//!
//! A processor wakes with its MMU off, so what it is told must be in memory, not
//! in a cache: the slot in [`START_SLOTS`](super::per_processor::START_SLOTS) that
//! bears its hardware id, with its stack, its block and the root of the tables.
//!
//! The exchange, in order: we write the slot, its id last; clean it to the point
//! of coherency; DSB, so that it is in memory; then CPU_ON, or the release word,
//! cleaned likewise, and SEV. The other side reads with the MMU off (so from
//! memory, not speculatively) after it was woken by that, hence after the clean.
//! It reads the rest of the slot only if the id matches, by an address that it
//! gets through a conditional branch; Device-nGnRnE loads stay in program order.
//! A slot has cache lines of its own, and only this side ever writes it.
//!
//! What the started processor must see besides (its block, the kernel's data) it
//! reads with MMU and caches on, in the same coherency domain, after the ISB that
//! turned them on; our DSB before the wake-up ordered our stores before that.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};

use boards::EnableMethod;

use super::per_processor::{self, BLOCKS, START_SLOTS};
use super::{Machine, boot, psci, translation, window};
use crate::contract::{MemoryType, PhysAddr, Processor, ProcessorStart, StartError, VirtAddr};

/// The bit that marks a slot as filled; an MPIDR's affinity may be 0.
const FILLED: u64 = 1 << 63;

/// What a processor finds when it comes up. `entry` knows the layout. Alone in its cache lines, whatever their size (the
/// largest that implementations have is 256 bytes).
#[repr(C, align(256))]
pub(super) struct StartSlot {
    hardware_id: AtomicU64,
    stack_top: AtomicU64,
    block: AtomicU64,
    root: AtomicU64,
}

impl StartSlot {
    pub(super) const fn new() -> Self {
        Self {
            hardware_id: AtomicU64::new(0),
            stack_top: AtomicU64::new(0),
            block: AtomicU64::new(0),
            root: AtomicU64::new(0),
        }
    }
}

unsafe extern "C" {
    fn tarn_secondary_entry();
}

/// Cleans the cache line of `address` to the point of coherency and waits until it is in memory.
fn clean_to_memory(address: u64) {
    // SAFETY: writes back what is in the cache; the memory's contents stay the same to everyone.
    unsafe {
        asm!("dsb ish", "dc civac, {}", "dsb sy", in(reg) address, options(nostack, preserves_flags))
    };
}

/// See `Processor::start_processor`.
pub(super) fn start_processor(start: &ProcessorStart) -> Result<(), StartError> {
    let method_known = match start.enable_method {
        EnableMethod::Psci => start.psci.is_some(),
        EnableMethod::SpinTable { .. } => true,
        EnableMethod::Boot | EnableMethod::InitSipi => false,
    };
    if !method_known {
        return Err(StartError::MethodNotKnown);
    }
    if start.hardware_id & !boot::AFFINITY != 0 {
        return Err(StartError::BadHardwareId);
    }
    let number = start.number.index();
    let (block, slot) = BLOCKS
        .get(number)
        .zip(START_SLOTS.get(number))
        .ok_or(StartError::BadHardwareId)?;
    let root = translation::present_root().ok_or(StartError::NoMemory)?;
    block.prepare(
        start.number,
        start.hardware_id,
        start.emergency_stack_top.address(),
    );
    slot.stack_top
        .store(start.stack_top.address().0, Ordering::Relaxed);
    slot.block
        .store(core::ptr::from_ref(block).addr() as u64, Ordering::Relaxed);
    slot.root.store(root.0, Ordering::Relaxed);
    slot.hardware_id
        .store(start.hardware_id | FILLED, Ordering::Release);
    clean_to_memory(core::ptr::from_ref(slot).addr() as u64);

    let entry =
        boot::image_to_physical(VirtAddr(tarn_secondary_entry as *const () as usize as u64)).0;
    match (start.enable_method, start.psci) {
        (EnableMethod::Psci, Some(conduit)) => {
            match psci::call(conduit, psci::CPU_ON, [start.hardware_id, entry, 0]) {
                0 => Ok(()),
                status => {
                    slot.hardware_id.store(0, Ordering::Release);
                    Err(StartError::Firmware(status))
                }
            }
        }
        (EnableMethod::SpinTable { release_address }, _) => {
            release(PhysAddr(release_address), entry)
        }
        _ => Err(StartError::MethodNotKnown),
    }
}

/// Writes the word that a processor in the firmware's spin table polls.
fn release(address: PhysAddr, entry: u64) -> Result<(), StartError> {
    // The page of the word is reserved, so no frame is there; the image is the one thing left that must not be hit.
    if !address.0.is_multiple_of(8) || window::meets_image(address.0, address.0 + 8) {
        return Err(StartError::NoMemory);
    }
    let release = |word: VirtAddr| {
        // SAFETY: the firmware gave the word to us for this one store; the window shows it.
        unsafe { (word.0 as *mut u64).write_volatile(entry) };
        clean_to_memory(word.0);
    };
    window::with_page(address, MemoryType::Normal, release).ok_or(StartError::NoMemory)?;
    // SAFETY: an event; whoever waits for none looks again.
    unsafe { asm!("sev", options(nomem, nostack, preserves_flags)) };
    Ok(())
}

/// Where a started processor arrives, in the upper half, on its stack, with `x18` set.
pub(super) extern "C" fn secondary_main() -> ! {
    per_processor::initialize_this_processor();
    translation::drop_lower_half();
    if let Some(kernel) = crate::kernel() {
        kernel.processor_started(Machine::number());
    }
    Machine::stop()
}
