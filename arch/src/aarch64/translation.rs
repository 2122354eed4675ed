//! The format of page-table entries, and how translations are changed and forgotten.
//!
//! Stage 1 of EL1, 4 KiB granule (Arm ARM, D8.3). Kernel entries are global
//! (nG = 0), inner-shareable, accessed (AF = 1), never executable at EL0, and
//! executable at EL1 only if they are read-only.
//!
//! **Absent to present** needs no invalidation, because absent entries are not
//! cached; the store must reach the walkers (DSB ISHST), and this processor's own
//! pipeline must not run ahead with a walk that missed (ISB). Another processor
//! learns of the mapping through memory, so its walk comes after.
//!
//! **Present to absent**: the store, DSB ISHST, TLBI for all in the inner-shareable
//! domain, DSB ISH (which waits until every processor has finished with the old
//! translation), ISB. `VAAE1IS` forgets an address in all address spaces and at
//! all levels, walk caches included.
//!
//! **The root** is exchanged through an empty one, from the identity-mapped page:
//! the old tables map the image in pages, the new ones perhaps in blocks, and the
//! architecture forbids both to be live at once (break-before-make).

use core::arch::asm;
use core::sync::atomic::{AtomicBool, Ordering};

use aarch64_cpu::asm::barrier;
use aarch64_cpu::registers::{ID_AA64MMFR0_EL1, PAR_EL1, Readable, TTBR0_EL1, Writeable};

use super::boot_tables::{EMPTY, IDENTITY, WINDOW_LEVEL1, WINDOW_SLOT};
use super::{Machine, boot, per_processor};
use crate::contract::{
    Entry, ImageLayout, MemoryType, PAGE_BYTES, PAGE_SIZE, PhysAddr, Processor, Protection,
    Translation, UserProtection, UserTranslation, VirtAddr, VirtRange,
};
use crate::memory::{SpaceId, layout};

const VALID: u64 = 1 << 0;
/// At levels 0 to 2 a table, at level 3 a page; 0 is a block at levels 1 and 2.
const TABLE_OR_PAGE: u64 = 1 << 1;
const DEVICE: u64 = 1 << 2;
const ATTRIBUTE_INDEX: u64 = 7 << 2;
const USER: u64 = 1 << 6;
const READ_ONLY: u64 = 1 << 7;
const INNER_SHAREABLE: u64 = 3 << 8;
const ACCESSED: u64 = 1 << 10;
const NEVER_EXECUTE_PRIVILEGED: u64 = 1 << 53;
const NEVER_EXECUTE_USER: u64 = 1 << 54;
/// Output addresses have 48 bits.
const ADDRESS: u64 = 0x0000_FFFF_FFFF_F000;

/// Beyond so many pages the whole TLB is cheaper to refill than to search.
const MOST_PAGES: u64 = 512;

/// Set once the kernel's own root is active, for the processors that start later.
static ACTIVE: AtomicBool = AtomicBool::new(false);

unsafe extern "C" {
    static __text_start: u8;
    static __text_end: u8;
    static __rodata_start: u8;
    static __rodata_end: u8;
    static __data_start: u8;
    static __data_end: u8;
    static __boot_stack_start: u8;
    static __boot_stack_end: u8;
    static __boot_emergency_stack_start: u8;
    static __boot_emergency_stack_end: u8;
    fn tarn_exchange_root(root: u64, back: u64, empty: u64);
}

fn between(start: *const u8, end: *const u8) -> VirtRange {
    VirtRange {
        start: VirtAddr(start.addr() as u64),
        end: VirtAddr(end.addr() as u64),
    }
}

/// Empties the lower half on this processor: the identity map has served.
pub(super) fn drop_lower_half() {
    TTBR0_EL1.set(EMPTY.physical().0);
    barrier::isb(barrier::SY);
    // SAFETY: forgetting translations of this processor is always allowed.
    unsafe {
        asm!(
            "tlbi vmalle1",
            "dsb nsh",
            "isb",
            options(nostack, preserves_flags)
        )
    };
}

/// The root that a processor starts with.
pub(super) fn present_root() -> Option<PhysAddr> {
    let root: u64;
    // SAFETY: reads the register.
    unsafe { asm!("mrs {}, ttbr1_el1", out(reg) root, options(nomem, nostack, preserves_flags)) };
    ACTIVE
        .load(Ordering::Relaxed)
        .then_some(PhysAddr(root & ADDRESS))
}

/// TTBR0's ASID field.
const ASID_SHIFT: u32 = 48;
/// nG: the entry belongs to an ASID.
const NOT_GLOBAL: u64 = 1 << 11;

impl UserTranslation for Machine {
    const ROOT_HOLDS_KERNEL: bool = false;

    fn most_spaces() -> u32 {
        // ID_AA64MMFR0_EL1.ASIDBits: 2 for 16 bits, 0 for 8; TCR_EL1.AS was set accordingly at boot.
        if ID_AA64MMFR0_EL1.read(ID_AA64MMFR0_EL1::ASIDBits) == 2 {
            1 << 16
        } else {
            1 << 8
        }
    }

    fn user_leaf(address: PhysAddr, protection: UserProtection) -> u64 {
        let write = if protection.writes() { 0 } else { READ_ONLY };
        let execute = if protection.executes() {
            0
        } else {
            NEVER_EXECUTE_USER
        };
        (address.0 & ADDRESS)
            | VALID
            | TABLE_OR_PAGE
            | USER
            | write
            | execute
            | NEVER_EXECUTE_PRIVILEGED
            | INNER_SHAREABLE
            | ACCESSED
            | NOT_GLOBAL
    }

    fn decode_user(entry: u64) -> (PhysAddr, UserProtection) {
        let protection = match (entry & READ_ONLY == 0, entry & NEVER_EXECUTE_USER == 0) {
            (false, false) => UserProtection::Read,
            (true, false) => UserProtection::ReadWrite,
            (false, true) => UserProtection::ReadExecute,
            (true, true) => UserProtection::ReadWriteExecute,
        };
        (PhysAddr(entry & ADDRESS), protection)
    }

    /// Data to the point of unification, then instruction caches: the processor fetches past its data caches.
    fn publish_code(page: PhysAddr) {
        let start = layout::physical_map(page).0;
        let types: u64;
        // SAFETY: reads the register.
        unsafe {
            asm!("mrs {}, ctr_el0", out(reg) types, options(nomem, nostack, preserves_flags))
        };
        // DminLine: words in the smallest data cache line.
        let line = 4 << (types >> 16 & 0xF);
        for address in (start..start + PAGE_SIZE).step_by(line) {
            // SAFETY: cleans a line of RAM that the physical map shows.
            unsafe { asm!("dc cvau, {}", in(reg) address, options(nostack, preserves_flags)) };
        }
        // SAFETY: instruction caches are refilled from memory; the barriers order that behind the lines above.
        unsafe {
            asm!(
                "dsb ish",
                "ic ialluis",
                "dsb ish",
                "isb",
                options(nostack, preserves_flags)
            )
        };
    }

    fn active_space() -> Option<SpaceId> {
        let number = per_processor::current().space.load(Ordering::Relaxed);
        u16::try_from(number)
            .ok()
            .filter(|id| *id != 0)
            .map(SpaceId)
    }

    unsafe fn activate_user(space: Option<(SpaceId, PhysAddr)>) {
        let (id, root) = space.map_or((0, EMPTY.physical()), |(id, root)| (id.0, root));
        per_processor::current()
            .space
            .store(u32::from(id), Ordering::Relaxed);
        // ASID and root change in one write, so no walk mixes the two.
        TTBR0_EL1.set(root.0 | u64::from(id) << ASID_SHIFT);
        barrier::isb(barrier::SY);
    }

    fn invalidate_user(id: SpaceId, ranges: &[VirtRange]) {
        let pages = |range: &VirtRange| range.length().div_ceil(PAGE_SIZE);
        if ranges.iter().map(pages).sum::<u64>() > MOST_PAGES {
            Self::invalidate_space(id);
            return;
        }
        barrier::dsb(barrier::ISHST);
        for range in ranges {
            for page in 0..pages(range) {
                let address = (range.start.0 + page * PAGE_SIZE) >> 12 & 0x0FFF_FFFF_FFFF;
                let operand = address | u64::from(id.0) << ASID_SHIFT;
                // SAFETY: forgetting translations is always allowed.
                unsafe {
                    asm!("tlbi vae1is, {}", in(reg) operand, options(nostack, preserves_flags))
                };
            }
        }
        barrier::dsb(barrier::ISH);
        barrier::isb(barrier::SY);
    }

    fn invalidate_space(id: SpaceId) {
        barrier::dsb(barrier::ISHST);
        let operand = u64::from(id.0) << ASID_SHIFT;
        // SAFETY: as above.
        unsafe { asm!("tlbi aside1is, {}", in(reg) operand, options(nostack, preserves_flags)) };
        barrier::dsb(barrier::ISH);
        barrier::isb(barrier::SY);
    }
}

impl Translation for Machine {
    fn leaf(address: PhysAddr, level: u8, protection: Protection, memory_type: MemoryType) -> u64 {
        let shape = if level == 3 {
            VALID | TABLE_OR_PAGE
        } else {
            VALID
        };
        let permission = match protection {
            Protection::ReadOnly => READ_ONLY | NEVER_EXECUTE_PRIVILEGED,
            Protection::ReadWrite => NEVER_EXECUTE_PRIVILEGED,
            Protection::Execute => READ_ONLY,
        };
        let (kind, never) = match memory_type {
            MemoryType::Normal => (0, 0),
            // Not even speculatively fetched from, whatever the caller said.
            MemoryType::Device => (DEVICE, NEVER_EXECUTE_PRIVILEGED),
        };
        (address.0 & ADDRESS)
            | shape
            | permission
            | kind
            | never
            | INNER_SHAREABLE
            | ACCESSED
            | NEVER_EXECUTE_USER
    }

    fn table(address: PhysAddr) -> u64 {
        (address.0 & ADDRESS) | VALID | TABLE_OR_PAGE
    }

    #[inline]
    fn decode(entry: u64, level: u8) -> Entry {
        let address = PhysAddr(entry & ADDRESS);
        let is_table_or_page = entry & TABLE_OR_PAGE != 0;
        match (entry & VALID != 0, is_table_or_page, level) {
            (true, true, 0..=2) => Entry::Table(address),
            (true, true, 3) | (true, false, 1 | 2) => Entry::Leaf {
                address,
                protection: match (
                    entry & READ_ONLY != 0,
                    entry & NEVER_EXECUTE_PRIVILEGED != 0,
                ) {
                    (false, _) => Protection::ReadWrite,
                    (true, true) => Protection::ReadOnly,
                    (true, false) => Protection::Execute,
                },
                memory_type: if entry & ATTRIBUTE_INDEX == DEVICE {
                    MemoryType::Device
                } else {
                    MemoryType::Normal
                },
                user: entry & USER != 0,
            },
            // Not valid, or an encoding that the level does not have.
            _ => Entry::Absent,
        }
    }

    fn has_gigabyte_blocks() -> bool {
        true
    }

    fn image() -> ImageLayout {
        ImageLayout {
            physical_base: boot::physical_base(),
            text: between(&raw const __text_start, &raw const __text_end),
            rodata: between(&raw const __rodata_start, &raw const __rodata_end),
            data: between(&raw const __data_start, &raw const __data_end),
            boot_stack: between(&raw const __boot_stack_start, &raw const __boot_stack_end),
            boot_emergency_stack: between(
                &raw const __boot_emergency_stack_start,
                &raw const __boot_emergency_stack_end,
            ),
        }
    }

    fn early_window() -> Option<(usize, u64)> {
        Some((WINDOW_SLOT, Self::table(WINDOW_LEVEL1.physical())))
    }

    unsafe fn activate(root: PhysAddr) {
        let enabled = Self::disable_interrupts();
        TTBR0_EL1.set(IDENTITY[0].physical().0);
        barrier::isb(barrier::SY);
        let exchange =
            boot::image_to_physical(VirtAddr(tarn_exchange_root as *const () as usize as u64)).0;
        // SAFETY: the code is in the identity-mapped page and touches no memory; `root` maps the image and this stack (the
        // caller's promise), so execution goes on at the label as if nothing had happened. DSB: the walkers see the tables.
        unsafe {
            asm!("dsb ishst", "isb", "adr x1, 2f", "br {exchange}", "2:", exchange = in(reg) exchange,
                in("x0") root.0, out("x1") _, in("x2") EMPTY.physical().0, options(nostack));
        }
        drop_lower_half();
        ACTIVE.store(true, Ordering::Relaxed);
        Self::restore_interrupts(enabled);
    }

    fn publish_entries() {
        barrier::dsb(barrier::ISHST);
        barrier::isb(barrier::SY);
    }

    fn invalidate(range: VirtRange) {
        barrier::dsb(barrier::ISHST);
        let pages = range.length().div_ceil(PAGE_SIZE);
        if pages > MOST_PAGES {
            // SAFETY: forgetting translations is always allowed.
            unsafe { asm!("tlbi vmalle1is", options(nostack, preserves_flags)) };
        } else {
            for page in 0..pages {
                let address = (range.start.0 + page * PAGE_SIZE) >> 12 & 0x0FFF_FFFF_FFFF;
                // SAFETY: as above.
                unsafe {
                    asm!("tlbi vaae1is, {}", in(reg) address, options(nostack, preserves_flags))
                };
            }
        }
        barrier::dsb(barrier::ISH);
        barrier::isb(barrier::SY);
    }

    unsafe fn zero_page(page: *mut u8) {
        /// Of `DCZID_EL0`: `dc zva` is allowed, and zeroes 64 bytes.
        const BLOCKS_OF_64: u64 = 4;
        let blocks: u64;
        // SAFETY: a register that says what the processor can do.
        unsafe {
            asm!("mrs {}, dczid_el0", out(reg) blocks, options(nomem, nostack, preserves_flags));
        }
        if blocks & 0x1F == BLOCKS_OF_64 {
            // SAFETY: it zeroes blocks within the page, which is ordinary memory that the caller may write.
            unsafe {
                asm!(
                    "2:",
                    ".rept 16",
                    "dc zva, {at}",
                    "add {at}, {at}, #64",
                    ".endr",
                    "cmp {at}, {end}",
                    "b.ne 2b",
                    at = inout(reg) page => _,
                    end = in(reg) page.wrapping_add(PAGE_BYTES),
                    options(nostack),
                );
            }
            return;
        }
        // Without SIMD registers the compiler's own way takes eight bytes an instruction, and a loop around each.
        // SAFETY: it stores within the page, which the caller may write.
        unsafe {
            asm!(
                "2: stp xzr, xzr, [{at}]",
                "stp xzr, xzr, [{at}, #16]",
                "stp xzr, xzr, [{at}, #32]",
                "stp xzr, xzr, [{at}, #48]",
                "stp xzr, xzr, [{at}, #64]",
                "stp xzr, xzr, [{at}, #80]",
                "stp xzr, xzr, [{at}, #96]",
                "stp xzr, xzr, [{at}, #112]",
                "add {at}, {at}, #128",
                "cmp {at}, {end}",
                "b.ne 2b",
                at = inout(reg) page => _,
                end = in(reg) page.wrapping_add(PAGE_BYTES),
                options(nostack),
            );
        }
    }

    fn probe_kernel(address: VirtAddr) -> bool {
        // AT knows nothing of PAN; and what is there is not the kernel's to read.
        if address < layout::PHYSICAL_MAP {
            return false;
        }
        // An interrupt's entry uses AT as well, and with it PAR_EL1.
        let enabled = Self::disable_interrupts();
        // SAFETY: asks the MMU; nothing is accessed. The ISB makes PAR_EL1 the answer.
        unsafe {
            asm!("at s1e1r, {}", "isb", in(reg) address.0, options(nostack, preserves_flags))
        };
        let allowed = !PAR_EL1.is_set(PAR_EL1::F);
        Self::restore_interrupts(enabled);
        allowed
    }
}
