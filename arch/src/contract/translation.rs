//! Page tables: the format of an entry, and how the processor is told of changes.
//!
//! Both machines use four levels of 512 eight-byte entries over 48-bit
//! addresses, so one walker (`memory::table`) serves both; what differs is here.

use super::{PAGE_BYTES, PhysAddr, VirtAddr, VirtRange};
use crate::memory::layout;

/// What a kernel mapping permits. There is no writable and executable one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protection {
    /// Read.
    ReadOnly,
    /// Read and write.
    ReadWrite,
    /// Read and execute, in kernel mode.
    Execute,
}

/// What a page permits user mode; reading always.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UserProtection {
    /// Read.
    Read,
    /// Read and write.
    ReadWrite,
    /// Read and execute.
    ReadExecute,
    /// Read, write and execute: what old programs ask for.
    ReadWriteExecute,
}

impl UserProtection {
    /// Whether user mode may write.
    pub const fn writes(self) -> bool {
        matches!(self, Self::ReadWrite | Self::ReadWriteExecute)
    }

    /// Whether user mode may execute.
    pub const fn executes(self) -> bool {
        matches!(self, Self::ReadExecute | Self::ReadWriteExecute)
    }

    /// The same without the right to write.
    #[must_use]
    pub const fn without_write(self) -> Self {
        match self {
            Self::Read | Self::ReadWrite => Self::Read,
            Self::ReadExecute | Self::ReadWriteExecute => Self::ReadExecute,
        }
    }
}

/// How memory behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemoryType {
    /// Cached RAM, coherent among processors.
    Normal,
    /// Device registers: never cached, speculated, merged or reordered with each other.
    Device,
}

/// A page-table entry, read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry {
    /// Nothing.
    Absent,
    /// The table of the next level.
    Table(PhysAddr),
    /// A page or block.
    Leaf {
        /// Its first byte.
        address: PhysAddr,
        /// What it permits.
        protection: Protection,
        /// How it behaves.
        memory_type: MemoryType,
        /// Whether user mode may access it.
        user: bool,
    },
}

/// The sections of the kernel image, page-aligned, from the linker script.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImageLayout {
    /// Physical address of `text.start`; the image is contiguous in physical memory.
    pub physical_base: PhysAddr,
    /// Code; the image's start.
    pub text: VirtRange,
    /// Constants, among them the symbol table.
    pub rodata: VirtRange,
    /// Variables, zeroed ones included.
    pub data: VirtRange,
    /// The boot stack; the page below is not mapped.
    pub boot_stack: VirtRange,
    /// The boot processor's emergency stack; the page below is not mapped. The image's end.
    pub boot_emergency_stack: VirtRange,
}

/// The memory-management unit.
pub trait Translation {
    /// An entry of level 3 (page, 4 KiB), 2 (block, 2 MiB) or 1 (block, 1 GiB), for the kernel, global.
    fn leaf(address: PhysAddr, level: u8, protection: Protection, memory_type: MemoryType) -> u64;

    /// An entry of level 0 to 2 that points to a table.
    fn table(address: PhysAddr) -> u64;

    /// Reads an entry of that level.
    fn decode(entry: u64, level: u8) -> Entry;

    /// Whether level 1 leaves (1 GiB) may be used.
    fn has_gigabyte_blocks() -> bool;

    /// Where the image is.
    fn image() -> ImageLayout;

    /// A root table entry that the machine wants in the kernel's root besides what the walker makes (the console's
    /// early window), as (index, entry).
    fn early_window() -> Option<(usize, u64)>;

    /// Makes `root` the kernel's table on this processor, and drops what the entry code mapped in the lower half.
    /// For the processor that booted; the ones started later begin with the same root.
    ///
    /// # Safety
    /// `root` maps the running image, its stacks and the physical map as `memory::layout` says.
    unsafe fn activate(root: PhysAddr);

    /// Makes entries that were absent and are now written usable on every processor.
    fn publish_entries();

    /// Forgets translations of `range` on every processor, after their entries were cleared or changed; returns when
    /// none of them uses the old ones. Not called with interrupts disabled or above [`Irql::Dispatch`](super::Irql::Dispatch).
    fn invalidate(range: VirtRange);

    /// The physical address of something in the kernel image.
    fn image_physical(address: VirtAddr) -> PhysAddr {
        let image = Self::image();
        PhysAddr(address.0 - image.text.start.0 + image.physical_base.0)
    }

    /// Where RAM at `address` can be reached, after `activate`.
    fn physical_pointer(address: PhysAddr) -> *mut u8 {
        layout::physical_map(address).0 as *mut u8
    }

    /// Fills a page with zeroes.
    ///
    /// # Safety
    /// It is a whole page, aligned, that the caller may write and that nobody has a reference to.
    unsafe fn zero_page(page: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe { page.write_bytes(0, PAGE_BYTES) };
    }

    /// Whether a kernel access to the page would be allowed now, without making it (for reports that walk memory).
    fn probe_kernel(address: VirtAddr) -> bool;
}
