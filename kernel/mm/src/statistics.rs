//! What the memory manager did, and has.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::commit::{self, CommitCounts};
use crate::frames::{self, FrameStatistics};
use crate::paging::{self, PagingCounts};

/// What a fault was resolved by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub(crate) enum FaultKind {
    /// A frame of zeroes.
    DemandZero,
    /// The frame that still had the page.
    Transition,
    /// A read from the paging file.
    PageIn,
    /// A copy.
    CopyOnWrite,
    /// A page of a section that was in memory.
    Shared,
    /// A read from a file.
    FileRead,
    /// A write that was to be noticed.
    Write,
}

const KINDS: usize = 7;

static FAULTS: [AtomicU64; KINDS] = [const { AtomicU64::new(0) }; KINDS];
static PAGES_WRITTEN: AtomicU64 = AtomicU64::new(0);
static PAGES_TRIMMED: AtomicU64 = AtomicU64::new(0);

#[inline]
pub(crate) fn count(kind: FaultKind) {
    FAULTS[kind as usize].fetch_add(1, Ordering::Relaxed);
}

pub(crate) fn count_written(pages: u64) {
    PAGES_WRITTEN.fetch_add(pages, Ordering::Relaxed);
}

pub(crate) fn count_trimmed(pages: u64) {
    PAGES_TRIMMED.fetch_add(pages, Ordering::Relaxed);
}

/// What the memory manager did since the start, and has now.
///
/// # NT
/// What `NtQuerySystemInformation` tells in `SystemPerformanceInformation` and `SystemMemoryListInformation`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Statistics {
    /// Frames by state.
    pub frames: FrameStatistics,
    /// What was promised.
    pub commit: CommitCounts,
    /// Places in the paging file.
    pub paging: PagingCounts,
    /// Faults that gave a frame of zeroes (`DemandZeroCount`).
    pub demand_zero: u64,
    /// Faults that found the page in its frame (`TransitionCount`).
    pub transition: u64,
    /// Faults that read from the paging file.
    pub page_in: u64,
    /// Faults that made a copy (`CopyOnWriteCount`).
    pub copy_on_write: u64,
    /// Faults that found a section's page in memory.
    pub shared: u64,
    /// Faults that read from a file.
    pub file_read: u64,
    /// Faults by which a write was noticed.
    pub write: u64,
    /// Pages that were written out.
    pub pages_written: u64,
    /// Pages that were taken out of working sets.
    pub pages_trimmed: u64,
}

/// What the memory manager did, and has.
pub fn query() -> Statistics {
    let faults = |kind: FaultKind| FAULTS[kind as usize].load(Ordering::Relaxed);
    Statistics {
        frames: frames::statistics(),
        commit: commit::counts(),
        paging: paging::counts(),
        demand_zero: faults(FaultKind::DemandZero),
        transition: faults(FaultKind::Transition),
        page_in: faults(FaultKind::PageIn),
        copy_on_write: faults(FaultKind::CopyOnWrite),
        shared: faults(FaultKind::Shared),
        file_read: faults(FaultKind::FileRead),
        write: faults(FaultKind::Write),
        pages_written: PAGES_WRITTEN.load(Ordering::Relaxed),
        pages_trimmed: PAGES_TRIMMED.load(Ordering::Relaxed),
    }
}
