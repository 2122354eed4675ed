//! The early window: 6 MiB of the upper half that can show any page before there are tables to extend.
//!
//! It has three tables of pages. The first is for what the floor needs for good
//! (the console's registers, the power manager's) and, in its last page, for a look
//! at one page at a time. The other two show the device tree. An entry goes from
//! absent to present, and the last page's also back; never from one page to another
//! without the break and the invalidation in between.

use core::sync::atomic::Ordering;

use super::Machine;
use super::boot_tables::{Table, WINDOW_LEVEL3};
use crate::contract::{
    MemoryType, PAGE_SIZE, PhysAddr, Protection, Translation, VirtAddr, VirtRange,
};
use crate::lock::FloorLock;
use crate::memory::layout;

/// Pages that one table shows.
const PAGES: usize = 512;
/// The page that shows something for a moment.
const MOMENT: usize = PAGES - 1;
/// Bytes of the part for the device tree.
pub(super) const DEVICE_TREE_LENGTH: u64 = 2 * PAGES as u64 * PAGE_SIZE;

/// The number of pages taken of the first table; the lock is the right to change the window.
static TAKEN: FloorLock<usize> = FloorLock::new(0);

fn address_of(table: usize, page: usize) -> VirtAddr {
    VirtAddr(layout::EARLY_WINDOW.0 + (table * PAGES + page) as u64 * PAGE_SIZE)
}

fn store(table: &Table, page: usize, entry: u64) {
    // Release: whoever sees the entry sees what it leads to. The walker needs `publish_entries` besides.
    table.0[page].store(entry, Ordering::Release);
}

/// Whether some of `start..end` is the kernel's image. Nothing that the firmware calls a device's registers may be.
pub(super) fn meets_image(start: u64, end: u64) -> bool {
    let image = Machine::image();
    let image_end = Machine::image_physical(image.boot_emergency_stack.end).0;
    start < image_end && image.physical_base.0 < end
}

/// Maps device registers for good, unless they lie in the kernel's image. What is mapped already, by an earlier call, is found again.
pub(super) fn map_device(physical: PhysAddr, length: u64) -> Option<VirtAddr> {
    let offset = physical.0 % PAGE_SIZE;
    let pages = usize::try_from((offset.checked_add(length)?).div_ceil(PAGE_SIZE)).ok()?;
    let first = physical.0 - offset;
    first
        .checked_add(pages as u64 * PAGE_SIZE)
        .filter(|end| *end <= 1 << 48 && !meets_image(first, *end))?;
    let leaf = |page: usize| {
        Machine::leaf(
            PhysAddr(first + page as u64 * PAGE_SIZE),
            3,
            Protection::ReadWrite,
            MemoryType::Device,
        )
    };
    let table = &WINDOW_LEVEL3[0];
    let mut taken = TAKEN.acquire();
    let shown = |start: usize| {
        (0..pages).all(|page| table.0[start + page].load(Ordering::Relaxed) == leaf(page))
    };
    if let Some(start) = (0..(*taken + 1).saturating_sub(pages)).find(|start| shown(*start)) {
        return Some(VirtAddr(address_of(0, start).0 + offset));
    }
    let start = *taken;
    if pages > MOMENT - start {
        return None;
    }
    for page in 0..pages {
        store(table, start + page, leaf(page));
    }
    *taken += pages;
    Machine::publish_entries();
    Some(VirtAddr(address_of(0, start).0 + offset))
}

/// Maps pages `shown..wanted` of the device tree at `physical`, read-only; returns where its first byte is.
pub(super) fn map_device_tree(physical: PhysAddr, bytes: u64) -> Option<VirtAddr> {
    let offset = physical.0 % PAGE_SIZE;
    let length = offset.checked_add(bytes)?;
    if length > DEVICE_TREE_LENGTH || physical.0.checked_add(length)? > 1 << 48 {
        return None;
    }
    let _taken = TAKEN.acquire();
    for page in 0..usize::try_from(length.div_ceil(PAGE_SIZE)).ok()? {
        let from = PhysAddr(physical.0 - offset + page as u64 * PAGE_SIZE);
        store(
            &WINDOW_LEVEL3[1 + page / PAGES],
            page % PAGES,
            Machine::leaf(from, 3, Protection::ReadOnly, MemoryType::Normal),
        );
    }
    Machine::publish_entries();
    Some(VirtAddr(address_of(1, 0).0 + offset))
}

/// Shows the page that holds `physical` while `visit` runs, which gets its address there.
pub(super) fn with_page<R>(
    physical: PhysAddr,
    memory_type: MemoryType,
    visit: impl FnOnce(VirtAddr) -> R,
) -> Option<R> {
    if physical.0 >= 1 << 48 {
        return None;
    }
    let offset = physical.0 % PAGE_SIZE;
    let _taken = TAKEN.acquire();
    let at = address_of(0, MOMENT);
    store(
        &WINDOW_LEVEL3[0],
        MOMENT,
        Machine::leaf(
            PhysAddr(physical.0 - offset),
            3,
            Protection::ReadWrite,
            memory_type,
        ),
    );
    Machine::publish_entries();
    let result = visit(VirtAddr(at.0 + offset));
    store(&WINDOW_LEVEL3[0], MOMENT, 0);
    Machine::invalidate(VirtRange::of_pages(at, 1));
    Some(result)
}
