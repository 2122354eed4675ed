//! The first Rust code: in the upper half, on the boot stack, with the static tables.
//!
//! It looks at what the firmware left in `x0` and calls the kernel. A device tree
//! must have its magic number and a plausible length; `x0` may also be 0, the
//! address of ATAGS (QEMU's `raspi4b` without `-dtb`) or nonsense, so even the
//! first load is one that may fail.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};

use aarch64_cpu::registers::{ID_AA64MMFR1_EL1, ID_AA64PFR0_EL1, MPIDR_EL1, Readable};

use super::per_processor::{self, BLOCKS};
use super::{Machine, fixup, translation, window};
use crate::contract::{
    BootInfo, EntryLevel, Firmware, PAGE_SIZE, PhysAddr, ProcessorNumber, Translation, VirtAddr,
};

/// The affinity bits of MPIDR_EL1.
pub(super) const AFFINITY: u64 = 0xFF_00FF_FFFF;
const DEVICE_TREE_MAGIC: u32 = 0xD00D_FEED;
/// The boot protocol's limit.
const DEVICE_TREE_LIMIT: u64 = 2 << 20;

static PHYSICAL_BASE: AtomicU64 = AtomicU64::new(0);

unsafe extern "Rust" {
    fn tarn_kernel_main(boot: BootInfo) -> !;
}

/// Where the image's first byte is.
pub(super) fn physical_base() -> PhysAddr {
    PhysAddr(PHYSICAL_BASE.load(Ordering::Relaxed))
}

/// The physical address of something in the image.
pub(super) fn image_to_physical(address: VirtAddr) -> PhysAddr {
    PhysAddr(address.0 - crate::memory::layout::IMAGE.0 + physical_base().0)
}

/// Where the entry code arrives.
pub(super) extern "C" fn boot_entry(
    device_tree: u64,
    entry_level: u64,
    counter: u64,
    base: u64,
) -> ! {
    PHYSICAL_BASE.store(base, Ordering::Relaxed);
    let hardware_id = MPIDR_EL1.get() & AFFINITY;
    let emergency_stack_top = Machine::image().boot_emergency_stack.end;
    BLOCKS[0].prepare(ProcessorNumber::BOOT, hardware_id, emergency_stack_top);
    per_processor::initialize_this_processor();
    translation::drop_lower_half();
    let boot = BootInfo {
        firmware: find_device_tree(PhysAddr(device_tree)),
        boot_processor: hardware_id,
        entry_level: if entry_level == 2 {
            EntryLevel::El2
        } else {
            EntryLevel::El1
        },
        counter_at_entry: counter,
    };
    // SAFETY: `kernel_entry!` defines the function with this signature.
    unsafe { tarn_kernel_main(boot) }
}

/// With PAN, the kernel cannot touch user pages but where it says so; exceptions set it (SCTLR_EL1.SPAN is 0 then).
pub(super) fn enable_privileged_access_never() {
    if ID_AA64MMFR1_EL1.matches_all(ID_AA64MMFR1_EL1::PAN::Supported) {
        // SAFETY: MSR PAN, #1, by its encoding, since the target's baseline does not have the name; the feature is there.
        unsafe { asm!(".inst 0xD500419F", options(nostack, preserves_flags)) };
    }
}

/// Whether the processor has the GIC's system registers.
pub(super) fn has_gic_system_registers() -> bool {
    ID_AA64PFR0_EL1.get() >> 24 & 0xF != 0
}

fn find_device_tree(address: PhysAddr) -> Firmware {
    match device_tree_bytes(address) {
        Ok(bytes) => Firmware::DeviceTree { address, bytes },
        Err(found) => Firmware::Nothing { found },
    }
}

/// The device tree's bytes, or what was found in their place: the first word at the address, big-endian, or the address if
/// none can be read there.
fn device_tree_bytes(address: PhysAddr) -> Result<&'static [u8], u64> {
    if address.0 == 0 || !address.0.is_multiple_of(4) {
        return Err(address.0);
    }
    let header = window::map_device_tree(address, 8).ok_or(address.0)?;
    // SAFETY: reading memory, or whatever a wild pointer hits, at a multiple of four.
    let magic = unsafe { fixup::checked_load(header) }.ok_or(address.0)?;
    if u32::from_be(magic) != DEVICE_TREE_MAGIC {
        return Err(u64::from(u32::from_be(magic)));
    }
    // SAFETY: as above. The header may end on the page behind, which is then mapped, being part of the eight bytes.
    let length = unsafe { fixup::checked_load(VirtAddr(header.0 + 4)) }.ok_or(address.0)?;
    let length = u64::from(u32::from_be(length));
    if !(8..=DEVICE_TREE_LIMIT).contains(&length) {
        return Err(u64::from(u32::from_be(magic)));
    }
    let start = window::map_device_tree(address, length).ok_or(address.0)?;
    // From the start of its first page, so that the last is reached wherever in a page it begins.
    for page in (start.0 / PAGE_SIZE * PAGE_SIZE..start.0 + length).step_by(4096) {
        // SAFETY: as above. The length is a claim: each page must be there.
        unsafe { fixup::checked_load(VirtAddr(page)) }.ok_or(address.0)?;
    }
    let length = usize::try_from(length).map_err(|_| address.0)?;
    // SAFETY: mapped a line above, for good, read-only; the firmware left the memory to us and nothing writes to it.
    Ok(unsafe { core::slice::from_raw_parts(start.0 as *const u8, length) })
}
