//! The guard pages of the boot stacks, while the boot tables serve.
//!
//! The entry code maps the image in pages of 2 MiB, so a stack that overflows before
//! `memory::initialize` would run into the kernel's variables unseen. The part of the
//! image where the stacks are therefore gets pages of 4 KiB here, without the two
//! guards: such an overflow then faults, like any later one.
//!
//! From then on the entry code's tables of 2 MiB pages map nothing but the low 4 GiB
//! onto themselves, where one thing is still executed: the page, below 1 MiB, that
//! processors start from. All but the first 2 MiB is made not executable.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::Machine;
use crate::contract::{PAGE_SIZE, Translation, VirtAddr};

const BLOCK: u64 = 2 << 20;
/// Present and writable; with LARGE a block of 2 MiB.
const MAPPED: u64 = 3;
const LARGE: u64 = 0x80;
const NO_EXECUTE: u64 = 1 << 63;
/// The entry of the image's first GiB in its table of level 1.
const IMAGE_SLOT: usize = 510;

#[repr(C, align(4096))]
struct Table([AtomicU64; 512]);

impl Table {
    const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; 512])
    }

    fn address(&self) -> u64 {
        Machine::image_physical(VirtAddr(self.0.as_ptr() as u64)).0
    }
}

unsafe extern "C" {
    /// The boot tables' level 1 for the image; `entry` fills it in.
    static boot_high: Table;
    /// The low 4 GiB in blocks, the first of them the image's too until then; `entry` fills them in.
    static boot_directories: [Table; 4];
}

/// The image's first GiB.
static BLOCKS: Table = Table::new();
/// The stacks' 2 MiB and the next, should they straddle.
static PAGES: [Table; 2] = [const { Table::new() }; 2];

/// Takes the guard pages out of the boot tables. Once, on the processor that booted.
pub(super) fn install() {
    let image = Machine::image();
    let guards = [image.boot_stack.start, image.boot_emergency_stack.start]
        .map(|stack| Machine::image_physical(stack).0 - PAGE_SIZE);
    let first = guards[0] / BLOCK;
    for (number, entry) in (0..).zip(&BLOCKS.0) {
        entry.store((number * BLOCK) | MAPPED | LARGE, Ordering::Relaxed);
    }
    for (block, pages) in (first..).zip(&PAGES) {
        for (number, entry) in (0..).zip(&pages.0) {
            let page = block * BLOCK + number * PAGE_SIZE;
            entry.store(
                if guards.contains(&page) {
                    0
                } else {
                    page | MAPPED
                },
                Ordering::Relaxed,
            );
        }
        // The image lies in the first GiB.
        if let Some(entry) = usize::try_from(block)
            .ok()
            .and_then(|block| BLOCKS.0.get(block))
        {
            entry.store(pages.address() | MAPPED, Ordering::Relaxed);
        }
    }
    // SAFETY: a table that lives for good, read and written as atomics alone.
    let high = unsafe { &boot_high };
    high.0[IMAGE_SLOT].store(BLOCKS.address() | MAPPED, Ordering::Release);
    // SAFETY: as above.
    let low = unsafe { &boot_directories };
    for entry in low.iter().flat_map(|table| &table.0).skip(1) {
        entry.fetch_or(NO_EXECUTE, Ordering::Relaxed);
    }
    // SAFETY: the same tables again, to drop what was cached of them; they map the image as before, but for the guards.
    unsafe { asm!("mov {0}, cr3", "mov cr3, {0}", out(reg) _, options(nostack, preserves_flags)) };
}
