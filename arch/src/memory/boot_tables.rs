//! From the loader block to the kernel's own tables.
//!
//! The entry code maps just enough to run: its image and what the firmware left.
//! Here the real tables are made, section by section, so that nothing is both
//! writable and executable: the image; all RAM in the physical map, without the
//! image's code and constants, which would otherwise have a writable alias; and
//! the machine's early window. They are built in a pool inside the image, because
//! no other memory is mapped yet; afterwards the pool's rest serves the tables of
//! device windows.

use core::cell::UnsafeCell;
use core::fmt;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arrayvec::ArrayVec;
use boards::{LoaderBlock, PhysRange};

use super::frame::{self, MAX_USABLE_RANGES};
use super::layout;
use super::table::{self, ENTRIES, MappedLeaf, TableAccess, TableError, Target};
use crate::Machine;
use crate::contract::{
    Entry, ImageLayout, MemoryType, PAGE_SIZE, PhysAddr, Protection, Translation, UserTranslation,
    VirtAddr, VirtRange,
};
use crate::lock::FloorLock;

/// Tables in the image's pool. A range of RAM costs at most two tables of pages and two of blocks at its ends; a firmware
/// map that needs more is refused with [`MemoryError::TooFragmented`].
const POOL_TABLES: usize = 64;

#[repr(C, align(4096))]
struct Pool(UnsafeCell<[[u64; ENTRIES]; POOL_TABLES]>);

// SAFETY: a table of the pool is handed out once, by the counter below, and from then on read and written as atomic words.
unsafe impl Sync for Pool {}

static POOL: Pool = Pool(UnsafeCell::new([[0; ENTRIES]; POOL_TABLES]));
static POOL_NEXT: AtomicUsize = AtomicUsize::new(0);

/// Tables in the pool, reached through the image, so before and after `activate`.
pub(super) struct PoolAccess;

impl PoolAccess {
    fn virtual_base() -> u64 {
        POOL.0.get() as u64
    }
}

impl TableAccess for PoolAccess {
    fn entries(&self, table: PhysAddr) -> &[AtomicU64; ENTRIES] {
        entries_at(table)
    }

    fn allocate(&mut self) -> Option<PhysAddr> {
        let taken = POOL_NEXT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| {
            (next < POOL_TABLES).then_some(next + 1)
        });
        let offset = taken.ok()? as u64 * PAGE_SIZE;
        Some(Machine::image_physical(VirtAddr(
            Self::virtual_base() + offset,
        )))
    }
}

/// The entries of a table that is in the pool or in the physical map.
pub(super) fn entries_at(table: PhysAddr) -> &'static [AtomicU64; ENTRIES] {
    let pool = Machine::image_physical(VirtAddr(PoolAccess::virtual_base()));
    let pointer = match table.0.checked_sub(pool.0) {
        Some(offset) if offset < (POOL_TABLES * 4096) as u64 => {
            (PoolAccess::virtual_base() + offset) as *const [AtomicU64; ENTRIES]
        }
        _ => Machine::physical_pointer(table)
            .cast::<[AtomicU64; ENTRIES]>()
            .cast_const(),
    };
    // SAFETY: `table` came from an entry that this module or the walker wrote (or is the root), so it is a page that serves
    // as a table for good; its words are accessed as atomics only.
    unsafe { &*pointer }
}

/// Why the kernel's tables could not be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemoryError {
    /// The firmware reports no RAM outside of what is reserved.
    NoUsableMemory,
    /// The map of memory has so many pieces that the boot tables do not suffice.
    TooFragmented,
    /// RAM lies beyond what the physical map shows.
    BeyondPhysicalMap,
    /// No range of RAM is long enough for the frame table.
    NoRoomForFrameTable,
    /// The tables were made before.
    AlreadyDone,
    /// Two things that must both be mapped overlap, at this address.
    Overlap(VirtAddr),
}

impl fmt::Display for MemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUsableMemory => write!(
                f,
                "no usable memory: the firmware reports no RAM outside of what is reserved"
            ),
            Self::TooFragmented => write!(
                f,
                "the firmware's memory map has too many pieces for the boot tables"
            ),
            Self::BeyondPhysicalMap => {
                write!(
                    f,
                    "the firmware reports RAM above {:#x}, beyond the physical map",
                    layout::PHYSICAL_MAP_LENGTH
                )
            }
            Self::AlreadyDone => write!(f, "the kernel's tables were made before"),
            Self::NoRoomForFrameTable => write!(
                f,
                "no range of RAM is long enough for the table of page frames"
            ),
            Self::Overlap(address) => write!(f, "the memory map overlaps itself at {address}"),
        }
    }
}

impl From<TableError> for MemoryError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Occupied(address) => Self::Overlap(address),
            TableError::NoTable => Self::TooFragmented,
        }
    }
}

/// What `initialize` found and made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemorySummary {
    /// Bytes of RAM that the firmware reports.
    pub total: u64,
    /// Bytes that frames can be claimed from, the frame table included.
    pub usable: u64,
    /// Bytes of the kernel image, its stacks included.
    pub image: u64,
    /// Bytes of the frame table.
    pub frame_table: u64,
}

static SUMMARY: spin::Once<MemorySummary> = spin::Once::new();

/// The root of the kernel's tables; the lock is the right to change them.
pub(super) static KERNEL_ROOT: FloorLock<Option<PhysAddr>> = FloorLock::new(None);

/// The root of the kernel's tables, once there is one.
pub(super) fn kernel_root() -> Option<PhysAddr> {
    *KERNEL_ROOT.acquire()
}

/// What [`initialize`] found and made; zeroes before.
pub fn summary() -> MemorySummary {
    SUMMARY.get().copied().unwrap_or(MemorySummary {
        total: 0,
        usable: 0,
        image: 0,
        frame_table: 0,
    })
}

/// Makes the kernel's own tables and the frame table, and switches to them. Once, on the processor that booted.
///
/// # Errors
/// What about the firmware's memory map cannot be used; the entry code's tables are then still in force.
pub fn initialize(loader: &LoaderBlock) -> Result<(), MemoryError> {
    // Held to the end: whoever comes second finds the root, and live mappings are never exchanged under their users.
    let mut kernel_root = KERNEL_ROOT.acquire();
    if kernel_root.is_some() {
        return Err(MemoryError::AlreadyDone);
    }
    let image = Machine::image();
    let usable = usable_ranges(loader, &image)?;
    let needed = frame::table_length(&usable);
    let storage = usable
        .iter()
        .filter(|range| range.length() >= needed)
        .max_by_key(|range| range.length())
        .and_then(|range| PhysRange::new(range.end - needed, needed))
        .ok_or(MemoryError::NoRoomForFrameTable)?;

    let mut pool = PoolAccess;
    let root = pool.allocate().ok_or(MemoryError::TooFragmented)?;
    map_image(&mut pool, root, &image)?;
    map_physical(&mut pool, root, loader, &image)?;
    if Machine::ROOT_HOLDS_KERNEL {
        make_shared_tables(&mut pool, root)?;
    }
    if let Some((slot, entry)) = Machine::early_window() {
        pool.entries(root)[slot].store(entry, Ordering::Release);
    }
    // SAFETY: the root maps the image with its stacks and the physical map, as layout says, by the calls above.
    unsafe { Machine::activate(root) };
    *kernel_root = Some(root);
    // SAFETY: the ranges are RAM outside of everything reserved and of the image, mapped a moment ago, and not in use yet.
    unsafe { frame::initialize(&usable, storage, &loader.memory, image_range(&image)) };
    SUMMARY.call_once(|| MemorySummary {
        total: loader.memory.iter().map(PhysRange::length).sum(),
        usable: usable.iter().map(PhysRange::length).sum(),
        image: image_range(&image).length(),
        frame_table: needed,
    });
    Ok(())
}

/// Makes the tables below the root for every region whose mappings come and go. Each process has a copy of the root's
/// upper half, so that half must not change later; what is below it is shared.
fn make_shared_tables(pool: &mut PoolAccess, root: PhysAddr) -> Result<(), MemoryError> {
    for region in [layout::STACKS, layout::DEVICES, layout::POOL] {
        let mut at = region.start.0;
        while at < region.end.0 {
            let entry = &entries_at(root)[table::index(VirtAddr(at), 0)];
            if Machine::decode(entry.load(Ordering::Relaxed), 0) == Entry::Absent {
                let next = pool.allocate().ok_or(MemoryError::TooFragmented)?;
                entry.store(Machine::table(next), Ordering::Release);
            }
            at += table::span(0);
        }
    }
    Ok(())
}

/// The physical pages of the image, its unmapped guard pages included.
fn image_range(image: &ImageLayout) -> PhysRange {
    let length = image.boot_emergency_stack.end.0 - image.text.start.0;
    PhysRange {
        start: image.physical_base.0,
        end: image.physical_base.0 + length,
    }
}

/// RAM without the reserved ranges and the image.
fn usable_ranges(
    loader: &LoaderBlock,
    image: &ImageLayout,
) -> Result<ArrayVec<PhysRange, MAX_USABLE_RANGES>, MemoryError> {
    let mut usable = ArrayVec::<PhysRange, MAX_USABLE_RANGES>::new();
    for range in &loader.memory {
        if range.end > layout::PHYSICAL_MAP_LENGTH {
            return Err(MemoryError::BeyondPhysicalMap);
        }
        let mut start = range.start;
        let mut cuts: ArrayVec<PhysRange, MAX_USABLE_RANGES> = loader
            .reserved
            .iter()
            .copied()
            .filter(|cut| cut.overlaps(range))
            .collect();
        cuts.push(image_range(image));
        cuts.sort_unstable_by_key(|cut| cut.start);
        for cut in cuts.iter().filter(|cut| cut.overlaps(range)) {
            if cut.start > start {
                usable
                    .try_push(PhysRange {
                        start,
                        end: cut.start,
                    })
                    .map_err(|_| MemoryError::TooFragmented)?;
            }
            start = start.max(cut.end);
        }
        if start < range.end {
            usable
                .try_push(PhysRange {
                    start,
                    end: range.end,
                })
                .map_err(|_| MemoryError::TooFragmented)?;
        }
    }
    if usable.is_empty() {
        Err(MemoryError::NoUsableMemory)
    } else {
        Ok(usable)
    }
}

fn map_image(
    pool: &mut PoolAccess,
    root: PhysAddr,
    image: &ImageLayout,
) -> Result<(), MemoryError> {
    let sections = [
        (image.text, Protection::Execute),
        (image.rodata, Protection::ReadOnly),
        (image.data, Protection::ReadWrite),
        (image.boot_stack, Protection::ReadWrite),
        (image.boot_emergency_stack, Protection::ReadWrite),
    ];
    for (range, protection) in sections {
        let physical = Machine::image_physical(range.start);
        let target = Target {
            physical,
            protection,
            memory_type: MemoryType::Normal,
        };
        table::map(pool, root, range.start, range.length(), target)?;
    }
    Ok(())
}

/// Maps RAM into the physical map, except the pages of the image's code and constants.
fn map_physical(
    pool: &mut PoolAccess,
    root: PhysAddr,
    loader: &LoaderBlock,
    image: &ImageLayout,
) -> Result<(), MemoryError> {
    let hidden = PhysRange {
        start: Machine::image_physical(image.text.start).0,
        end: Machine::image_physical(image.rodata.end).0,
    };
    for range in &loader.memory {
        let before = PhysRange {
            start: range.start,
            end: range.end.min(hidden.start),
        };
        let after = PhysRange {
            start: range.start.max(hidden.end),
            end: range.end,
        };
        for part in [before, after] {
            if !part.is_empty() {
                let physical = PhysAddr(part.start);
                let target = Target {
                    physical,
                    protection: Protection::ReadWrite,
                    memory_type: MemoryType::Normal,
                };
                table::map(
                    pool,
                    root,
                    layout::physical_map(physical),
                    part.length(),
                    target,
                )?;
            }
        }
    }
    Ok(())
}

/// Visits every page and block that the kernel's tables map, lowest address first; the tables stay locked meanwhile.
pub fn kernel_leaves(visit: &mut dyn FnMut(MappedLeaf)) {
    let root = KERNEL_ROOT.acquire();
    if let Some(root) = *root {
        table::for_each_leaf(&PoolAccess, root, visit);
    }
}

/// Whether the kernel's tables map anything in `range`.
pub(super) fn any_mapped(root: PhysAddr, range: VirtRange) -> bool {
    (range.start.0..range.end.0)
        .step_by(4096)
        .any(|page| table::is_mapped(&PoolAccess, root, VirtAddr(page)))
}
