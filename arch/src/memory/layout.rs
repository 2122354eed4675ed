//! The address space: user mode's lower half, the kernel's upper half, the same on every machine.
//!
//! | from | what |
//! |---|---|
//! | `00000000'00010000` | user mode, up to `00007fff'ffff0000`; a process's own |
//! | `ffff8000'00000000` | the physical map: all RAM but the image's code and constants, read-write, never executable |
//! | `ffffb000'00000000` | kernel stacks, each between two pages that stay unmapped |
//! | `ffffc000'00000000` | device windows |
//! | `ffffd000'00000000` | the pools' memory |
//! | `ffffe000'00000000` | what a machine needs before there are tables to extend (its console's early window) |
//! | `ffffffff'80000000` | the kernel image |

use crate::contract::{PAGE_SIZE, PhysAddr, VirtAddr, VirtRange};

/// What user mode may map: all but the lowest and the highest 64 KiB of the lower 128 TiB.
///
/// # NT
/// `MmLowestUserAddress` to `MmHighestUserAddress`.
pub const USER: VirtRange = VirtRange {
    start: VirtAddr(0x0000_0000_0001_0000),
    end: VirtAddr(0x0000_7FFF_FFFF_0000),
};
/// Where the physical map starts.
pub const PHYSICAL_MAP: VirtAddr = VirtAddr(0xFFFF_8000_0000_0000);
/// Bytes of physical address space that the physical map can show: 32 TiB.
pub const PHYSICAL_MAP_LENGTH: u64 = 0x2000_0000_0000;
/// Kernel stacks.
pub const STACKS: VirtRange = VirtRange {
    start: VirtAddr(0xFFFF_B000_0000_0000),
    end: VirtAddr(0xFFFF_B100_0000_0000),
};
/// Device windows.
pub const DEVICES: VirtRange = VirtRange {
    start: VirtAddr(0xFFFF_C000_0000_0000),
    end: VirtAddr(0xFFFF_C100_0000_0000),
};
/// The pools' memory.
pub const POOL: VirtRange = VirtRange {
    start: VirtAddr(0xFFFF_D000_0000_0000),
    end: VirtAddr(0xFFFF_D100_0000_0000),
};
/// The machine's early window: the slot of the root table that starts here is the machine's own.
pub const EARLY_WINDOW: VirtAddr = VirtAddr(0xFFFF_E000_0000_0000);
/// Where the kernel image is linked.
pub const IMAGE: VirtAddr = VirtAddr(0xFFFF_FFFF_8000_0000);

/// The physical map's address of `address`. The result is usable only for RAM that is mapped there.
pub const fn physical_map(address: PhysAddr) -> VirtAddr {
    VirtAddr(PHYSICAL_MAP.0 + address.0)
}

/// Whether a mapping that comes and goes may be there: stacks, devices, pools.
pub const fn is_dynamic(range: VirtRange) -> bool {
    (within(range, STACKS) || within(range, DEVICES) || within(range, POOL))
        && range.start.0.is_multiple_of(PAGE_SIZE)
        && range.end.0.is_multiple_of(PAGE_SIZE)
}

const fn within(inner: VirtRange, outer: VirtRange) -> bool {
    outer.start.0 <= inner.start.0 && inner.start.0 <= inner.end.0 && inner.end.0 <= outer.end.0
}
