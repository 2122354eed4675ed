//! The page tables that exist before there is memory to make any from.
//!
//! They are static, zero in the file, filled by the entry code with the MMU off
//! (image and identity map) and by [`window`](super::window) with it on (early
//! window). After `Translation::activate` the image's tables are history; the
//! early window's are linked into the final root, and the identity map's serve
//! every processor that starts later.

use core::sync::atomic::AtomicU64;

use crate::contract::{PhysAddr, VirtAddr};
use crate::memory::layout;

/// A page table.
#[repr(C, align(4096))]
pub(super) struct Table(pub(super) [AtomicU64; 512]);

impl Table {
    const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; 512])
    }

    /// Where it is, for a table entry or TTBR.
    pub(super) fn physical(&self) -> PhysAddr {
        super::boot::image_to_physical(VirtAddr(core::ptr::from_ref(self).addr() as u64))
    }
}

/// The root's slot of the early window.
pub(super) const WINDOW_SLOT: usize = (layout::EARLY_WINDOW.0 >> 39) as usize % 512;
/// Tables of pages that the early window has: 2 MiB each.
pub(super) const WINDOW_TABLES: usize = 3;
const _: () = assert!(
    layout::IMAGE.0 >> 39 & 511 == 511 && layout::IMAGE.0 >> 30 & 511 == 510,
    "the entry code knows these slots"
);

/// TTBR1 until the kernel's own root is active.
pub(super) static ROOT: Table = Table::new();
/// The image's slot of the root.
pub(super) static IMAGE_LEVEL1: Table = Table::new();
/// The image's gigabyte.
pub(super) static IMAGE_LEVEL2: Table = Table::new();
/// The image's pages, 8 MiB of them.
pub(super) static IMAGE_LEVEL3: [Table; 4] = [const { Table::new() }; 4];
/// The early window's slot of the root.
pub(super) static WINDOW_LEVEL1: Table = Table::new();
/// The early window's gigabyte.
pub(super) static WINDOW_LEVEL2: Table = Table::new();
/// The early window's pages.
pub(super) static WINDOW_LEVEL3: [Table; WINDOW_TABLES] = [const { Table::new() }; WINDOW_TABLES];
/// TTBR0 of the entry code, levels 0 to 3: one page, the image's first, at its physical address.
pub(super) static IDENTITY: [Table; 4] = [const { Table::new() }; 4];
/// A root that maps nothing: TTBR0 while no process has the lower half, and TTBR1 for the moment between two roots.
pub(super) static EMPTY: Table = Table::new();
