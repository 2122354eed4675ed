//! The walker over page tables: four levels of 512 entries, for both machines.
//!
//! A table is a page; its entries are read and written as whole words, because
//! the processor's own walker reads them at the same time. An entry goes from
//! absent to present (nothing to forget: a machine does not keep absent entries,
//! `publish_entries` makes the store visible) and from present to absent (the
//! caller then invalidates). It never changes from present to present, which on
//! ARM64 would need break-before-make.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::Machine;
use crate::contract::{Entry, MemoryType, PAGE_SIZE, PhysAddr, Protection, Translation, VirtAddr};

/// Entries in a table.
pub(super) const ENTRIES: usize = 512;

/// Bytes that an entry of that level covers.
pub(super) const fn span(level: u8) -> u64 {
    PAGE_SIZE << (9 * (3 - level as u32))
}

/// The index of the entry for `address` in a table of that level.
#[allow(
    clippy::cast_possible_truncation,
    reason = "a remainder of 512 fits any usize; `try_from` is not const"
)]
pub(super) const fn index(address: VirtAddr, level: u8) -> usize {
    (address.0 / span(level) % ENTRIES as u64) as usize
}

/// How the walker reaches tables, and gets new ones.
pub(super) trait TableAccess {
    /// The entries of the table at that address.
    fn entries(&self, table: PhysAddr) -> &[AtomicU64; ENTRIES];

    /// A new table, with every entry absent.
    fn allocate(&mut self) -> Option<PhysAddr>;
}

/// Why an entry was not made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TableError {
    /// Something is mapped there.
    Occupied(VirtAddr),
    /// No memory for a table.
    NoTable,
}

/// What a range is mapped to.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) physical: PhysAddr,
    pub(super) protection: Protection,
    pub(super) memory_type: MemoryType,
}

/// Maps `length` bytes (whole pages) at `address`, in the largest entries that fit.
///
/// What it mapped before an error stays: the caller is either the boot path, which gives up, or maps page by page.
pub(super) fn map(
    access: &mut impl TableAccess,
    root: PhysAddr,
    address: VirtAddr,
    length: u64,
    target: Target,
) -> Result<(), TableError> {
    let mut done = 0;
    while done < length {
        let at = VirtAddr(address.0 + done);
        let physical = PhysAddr(target.physical.0 + done);
        let level = leaf_level(at, physical, length - done);
        let leaf = Machine::leaf(physical, level, target.protection, target.memory_type);
        let table = descend(access, root, at, level)?;
        let entry = &access.entries(table)[index(at, level)];
        if Machine::decode(entry.load(Ordering::Relaxed), level) != Entry::Absent {
            return Err(TableError::Occupied(at));
        }
        // Release: a table that this entry makes reachable was zeroed before.
        entry.store(leaf, Ordering::Release);
        done += span(level);
    }
    Ok(())
}

fn leaf_level(address: VirtAddr, physical: PhysAddr, left: u64) -> u8 {
    let fits = |level| (address.0 | physical.0).is_multiple_of(span(level)) && left >= span(level);
    if Machine::has_gigabyte_blocks() && fits(1) {
        1
    } else if fits(2) {
        2
    } else {
        3
    }
}

/// The table of `level` that covers `address`, made where it is missing.
fn descend(
    access: &mut impl TableAccess,
    root: PhysAddr,
    address: VirtAddr,
    level: u8,
) -> Result<PhysAddr, TableError> {
    let mut table = root;
    for upper in 0..level {
        let slot = index(address, upper);
        table = match Machine::decode(access.entries(table)[slot].load(Ordering::Relaxed), upper) {
            Entry::Table(next) => next,
            Entry::Leaf { .. } => return Err(TableError::Occupied(address)),
            Entry::Absent => {
                let next = access.allocate().ok_or(TableError::NoTable)?;
                // Release: the new table's zeroes are visible to whoever, processor or code, follows this entry.
                access.entries(table)[slot].store(Machine::table(next), Ordering::Release);
                next
            }
        };
    }
    Ok(table)
}

/// Clears the page entry at `address`; gives the page that was mapped, or `None` if no page of 4 KiB was.
pub(super) fn unmap_page(
    access: &impl TableAccess,
    root: PhysAddr,
    address: VirtAddr,
) -> Option<PhysAddr> {
    let (table, level) = find(access, root, address)?;
    if level != 3 {
        return None;
    }
    let entry = &access.entries(table)[index(address, 3)];
    match Machine::decode(entry.swap(0, Ordering::AcqRel), 3) {
        Entry::Leaf { address, .. } => Some(address),
        _ => None,
    }
}

/// Whether anything is mapped at `address`.
pub(super) fn is_mapped(access: &impl TableAccess, root: PhysAddr, address: VirtAddr) -> bool {
    find(access, root, address).is_some()
}

/// The table that holds the leaf for `address`, and its level.
fn find(access: &impl TableAccess, root: PhysAddr, address: VirtAddr) -> Option<(PhysAddr, u8)> {
    let mut table = root;
    for level in 0..=3 {
        match Machine::decode(
            access.entries(table)[index(address, level)].load(Ordering::Acquire),
            level,
        ) {
            Entry::Absent => return None,
            Entry::Leaf { .. } => return Some((table, level)),
            Entry::Table(next) => table = next,
        }
    }
    None
}

/// A mapped page or block, as [`for_each_leaf`] finds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MappedLeaf {
    /// Its first virtual address.
    pub address: VirtAddr,
    /// Its length in bytes.
    pub length: u64,
    /// Where it points.
    pub physical: PhysAddr,
    /// What it permits.
    pub protection: Protection,
    /// How it behaves.
    pub memory_type: MemoryType,
    /// Whether user mode may access it.
    pub user: bool,
}

/// Visits every leaf of the upper half below `root`, lowest address first.
pub(super) fn for_each_leaf(
    access: &impl TableAccess,
    root: PhysAddr,
    visit: &mut dyn FnMut(MappedLeaf),
) {
    visit_table(access, root, 0, 0xFFFF_0000_0000_0000, visit);
}

fn visit_table(
    access: &impl TableAccess,
    table: PhysAddr,
    level: u8,
    base: u64,
    visit: &mut dyn FnMut(MappedLeaf),
) {
    for (slot, entry) in access.entries(table).iter().enumerate() {
        let address = base + slot as u64 * span(level);
        match Machine::decode(entry.load(Ordering::Acquire), level) {
            Entry::Absent => {}
            Entry::Table(next) => visit_table(access, next, level + 1, address, visit),
            Entry::Leaf {
                address: physical,
                protection,
                memory_type,
                user,
            } => visit(MappedLeaf {
                address: VirtAddr(address),
                length: span(level),
                physical,
                protection,
                memory_type,
                user,
            }),
        }
    }
}
