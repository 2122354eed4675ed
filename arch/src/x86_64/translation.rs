//! Page-table entries, and the contract's `Translation`.
//!
//! SDM volume 3, table 5-15 and after: P bit 0, R/W 1, U/S 2, PWT 3, PCD 4, A 5, D 6,
//! PS 7 (a leaf above the last level), G 8, address 51:12, NX 63. A and D are set
//! from the start, so the processor never writes to an entry. Kernel leaves are
//! global: they are the same in every address space. Device memory has PCD and PWT,
//! which select entry 3 of the page attribute table, UC, since reset; nobody changes
//! that table. Entries that point to a table permit everything, user mode included:
//! what is permitted is the leaf's to say.
//!
//! **Spaces.** A process's root holds the kernel's upper half too, so CR3 is all that
//! a change of space changes. There are no numbers for spaces in the TLB (PCID):
//! a write to CR3 forgets every translation that is not global, and user leaves are
//! never global. So a processor has translations of its active space alone, and only
//! those where a space is active need be told of its changes (`shootdown`).

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};

use super::features::{Features, features};
use super::{Machine, per_processor, shootdown};
use crate::contract::{
    Entry, ImageLayout, MemoryType, PAGE_BYTES, PhysAddr, Protection, Translation, UserProtection,
    UserTranslation, VirtAddr, VirtRange,
};
use crate::memory::{SpaceId, layout};

const PRESENT: u64 = 1;
const WRITABLE: u64 = 1 << 1;
const USER: u64 = 1 << 2;
const UNCACHED: u64 = 1 << 3 | 1 << 4;
const ACCESSED: u64 = 1 << 5;
const DIRTY: u64 = 1 << 6;
const LARGE: u64 = 1 << 7;
const GLOBAL: u64 = 1 << 8;
const NO_EXECUTE: u64 = 1 << 63;
const ADDRESS: u64 = 0x000F_FFFF_FFFF_F000;

/// The level of pages.
const LAST_LEVEL: u8 = 3;

/// The kernel's root, once [`Translation::activate`] was called; 0 before.
static KERNEL_ROOT: AtomicU64 = AtomicU64::new(0);

/// The kernel's root, or `None` while the boot tables serve.
pub(super) fn kernel_root() -> Option<PhysAddr> {
    // Acquire: whoever sees the root sees the tables.
    match KERNEL_ROOT.load(Ordering::Acquire) {
        0 => None,
        root => Some(PhysAddr(root)),
    }
}

unsafe extern "C" {
    static image_text_start: u8;
    static image_text_end: u8;
    static image_rodata_start: u8;
    static image_rodata_end: u8;
    static image_data_start: u8;
    static image_data_end: u8;
    static image_boot_stack_start: u8;
    static image_boot_stack_end: u8;
    static image_emergency_stack_start: u8;
    static image_emergency_stack_end: u8;
}

impl UserTranslation for Machine {
    const ROOT_HOLDS_KERNEL: bool = true;

    fn most_spaces() -> u32 {
        1 << 16
    }

    fn user_leaf(address: PhysAddr, protection: UserProtection) -> u64 {
        let write = if protection.writes() { WRITABLE } else { 0 };
        let execute = if protection.executes() { 0 } else { NO_EXECUTE };
        address.0 & ADDRESS | PRESENT | USER | ACCESSED | DIRTY | write | execute
    }

    fn decode_user(entry: u64) -> (PhysAddr, UserProtection) {
        let protection = match (entry & WRITABLE != 0, entry & NO_EXECUTE == 0) {
            (false, false) => UserProtection::Read,
            (true, false) => UserProtection::ReadWrite,
            (false, true) => UserProtection::ReadExecute,
            (true, true) => UserProtection::ReadWriteExecute,
        };
        (PhysAddr(entry & ADDRESS), protection)
    }

    fn active_space() -> Option<SpaceId> {
        per_processor::current().active_space()
    }

    unsafe fn activate_user(space: Option<(SpaceId, PhysAddr)>) {
        // Without a kernel's root there are no spaces, and nothing to change from.
        let Some(kernel) = kernel_root() else { return };
        let (id, root) = space.map_or((0, kernel), |(id, root)| (id.0, root));
        // First the announcement, then CR3: see `shootdown`.
        per_processor::current()
            .space
            .store(u32::from(id), Ordering::Relaxed);
        // SAFETY: the upper half of every root is the kernel's; the caller vouches for the rest.
        unsafe { asm!("mov cr3, {}", in(reg) root.0, options(nostack, preserves_flags)) };
    }

    fn invalidate_user(id: SpaceId, ranges: &[VirtRange]) {
        shootdown::invalidate_user(id, ranges);
    }

    /// Where the space is not active nothing of it is left; where it is, against the rule, that is forgotten too.
    fn invalidate_space(id: SpaceId) {
        shootdown::invalidate_user(id, &[layout::USER]);
    }
}

impl Translation for Machine {
    fn leaf(address: PhysAddr, level: u8, protection: Protection, memory_type: MemoryType) -> u64 {
        let size = if level == LAST_LEVEL { 0 } else { LARGE };
        let access = match protection {
            Protection::ReadOnly => NO_EXECUTE,
            Protection::ReadWrite => NO_EXECUTE | WRITABLE,
            Protection::Execute => 0,
        };
        let caching = match memory_type {
            MemoryType::Normal => 0,
            MemoryType::Device => UNCACHED,
        };
        address.0 & ADDRESS | PRESENT | ACCESSED | DIRTY | GLOBAL | size | access | caching
    }

    fn table(address: PhysAddr) -> u64 {
        address.0 & ADDRESS | PRESENT | WRITABLE | USER | ACCESSED
    }

    fn decode(entry: u64, level: u8) -> Entry {
        if entry & PRESENT == 0 {
            return Entry::Absent;
        }
        // Bit 7 of a page's entry is PAT, of the root's entries reserved.
        let is_leaf = level == LAST_LEVEL || (level != 0 && entry & LARGE != 0);
        if !is_leaf {
            return Entry::Table(PhysAddr(entry & ADDRESS));
        }
        // Bit 12 of a block's entry is PAT.
        let below = (1_u64 << (12 + 9 * u32::from(LAST_LEVEL - level))) - 1;
        let protection = match (entry & WRITABLE != 0, entry & NO_EXECUTE != 0) {
            (true, _) => Protection::ReadWrite,
            (false, true) => Protection::ReadOnly,
            (false, false) => Protection::Execute,
        };
        Entry::Leaf {
            address: PhysAddr(entry & ADDRESS & !below),
            protection,
            memory_type: if entry & UNCACHED == UNCACHED {
                MemoryType::Device
            } else {
                MemoryType::Normal
            },
            user: entry & USER != 0,
        }
    }

    fn has_gigabyte_blocks() -> bool {
        features().contains(Features::GIGABYTE_BLOCKS)
    }

    fn image() -> ImageLayout {
        let range = |start: *const u8, end: *const u8| VirtRange {
            start: VirtAddr(start as u64),
            end: VirtAddr(end as u64),
        };
        let text = range(&raw const image_text_start, &raw const image_text_end);
        ImageLayout {
            physical_base: PhysAddr(text.start.0 - layout::IMAGE.0),
            text,
            rodata: range(&raw const image_rodata_start, &raw const image_rodata_end),
            data: range(&raw const image_data_start, &raw const image_data_end),
            boot_stack: range(
                &raw const image_boot_stack_start,
                &raw const image_boot_stack_end,
            ),
            boot_emergency_stack: range(
                &raw const image_emergency_stack_start,
                &raw const image_emergency_stack_end,
            ),
        }
    }

    fn early_window() -> Option<(usize, u64)> {
        // The console is at I/O ports.
        None
    }

    unsafe fn activate(root: PhysAddr) {
        // SAFETY: the caller vouches that the running code, its stack and data are mapped there as they are here.
        unsafe { asm!("mov cr3, {}", in(reg) root.0, options(nostack, preserves_flags)) };
        // The boot tables have no global entries, but nothing is lost by making sure.
        shootdown::drop_all();
        // Release: pairs with `kernel_root`.
        KERNEL_ROOT.store(root.0, Ordering::Release);
    }

    /// Nothing to do: an x86 processor never keeps "absent" in its TLB, and the tables' own stores are visible to
    /// every walker in program order, as all stores are.
    fn publish_entries() {}

    fn invalidate(range: VirtRange) {
        shootdown::invalidate(range);
    }

    unsafe fn zero_page(page: *mut u8) {
        // SAFETY: it stores within the page, which the caller may write; the direction flag is clear in all of the kernel.
        unsafe {
            asm!(
                "rep stosq",
                inout("rcx") PAGE_BYTES / 8 => _,
                inout("rdi") page => _,
                in("rax") 0,
                options(nostack, preserves_flags),
            );
        }
    }

    fn probe_kernel(address: VirtAddr) -> bool {
        // Canonical, upper half: the kernel has nothing below.
        if address.0 >> 47 != 0x1_FFFF {
            return false;
        }
        let root: u64;
        // SAFETY: reads a control register.
        unsafe { asm!("mov {}, cr3", out(reg) root, options(nomem, nostack, preserves_flags)) };
        let mut table = PhysAddr(root & ADDRESS);
        for level in 0..=LAST_LEVEL {
            let index = address.0 >> (12 + 9 * u32::from(LAST_LEVEL - level)) & 0x1FF;
            match Self::decode(read_entry(table, index), level) {
                Entry::Absent => return false,
                Entry::Table(next) => table = next,
                Entry::Leaf { user, .. } => return !user,
            }
        }
        false
    }
}

/// An entry of a table, through the physical map or, before there is one, the boot tables' identity map.
fn read_entry(table: PhysAddr, index: u64) -> u64 {
    let base = if kernel_root().is_some() {
        layout::physical_map(table).0
    } else {
        table.0
    };
    let entry = (base + 8 * index) as *const AtomicU64;
    // SAFETY: tables are RAM, shown by either map (the image's boot tables lie below 4 GiB), never by Rust references
    // to anything but atomics, and are not freed while the upper half uses them.
    unsafe { &*entry }.load(Ordering::Relaxed)
}
