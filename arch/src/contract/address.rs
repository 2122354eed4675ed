//! Addresses and page frames as types, so that a physical address is never used as a virtual one.

use core::fmt;

/// Bytes in a page, on every machine.
pub const PAGE_SIZE: u64 = 4096;

/// The same as the length of arrays.
pub const PAGE_BYTES: usize = 4096;

/// A physical address in bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PhysAddr(pub u64);

/// A virtual address in bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct VirtAddr(pub u64);

/// The number of a page of physical memory: its address divided by [`PAGE_SIZE`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FrameNumber(pub u64);

impl FrameNumber {
    /// The frame that holds `address`.
    pub const fn containing(address: PhysAddr) -> Self {
        Self(address.0 / PAGE_SIZE)
    }

    /// The frame's first byte.
    pub const fn start(self) -> PhysAddr {
        PhysAddr(self.0 * PAGE_SIZE)
    }
}

/// Virtual addresses `start..end`, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VirtRange {
    /// First byte.
    pub start: VirtAddr,
    /// One past the last byte.
    pub end: VirtAddr,
}

impl VirtRange {
    /// The range of `pages` pages at `start`.
    pub const fn of_pages(start: VirtAddr, pages: u64) -> Self {
        Self {
            start,
            end: VirtAddr(start.0 + pages * PAGE_SIZE),
        }
    }

    /// The number of bytes.
    pub const fn length(&self) -> u64 {
        self.end.0 - self.start.0
    }

    /// Whether `address` is in the range.
    pub const fn contains(&self, address: VirtAddr) -> bool {
        self.start.0 <= address.0 && address.0 < self.end.0
    }
}

impl fmt::Debug for PhysAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for PhysAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Debug for VirtAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for VirtAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
