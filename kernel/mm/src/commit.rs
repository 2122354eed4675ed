//! The commit charge: promises of memory, so that a page fault need not fail.
//!
//! Whoever asks for pages with content of their own is charged when it asks, not when it touches them, and is refused
//! when there would be more promises than frames and places in paging files. What the kernel takes for itself is
//! counted and never refused here; a part of memory is kept back for it, because page tables come with faults.
//!
//! # NT
//! `MmTotalCommittedPages`, `MmTotalCommitLimit`.

use core::sync::atomic::{AtomicU64, Ordering};

use nt_abi::{NtResult, NtStatus};

static CHARGED: AtomicU64 = AtomicU64::new(0);
static PEAK: AtomicU64 = AtomicU64::new(0);
/// Pages that may be promised.
static LIMIT: AtomicU64 = AtomicU64::new(0);
/// Of them, those for the kernel alone.
static KEPT_BACK: AtomicU64 = AtomicU64::new(0);

/// What was promised, in pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CommitCounts {
    /// Now.
    pub charged: u64,
    /// The most that it ever was.
    pub peak: u64,
    /// The most that it may be.
    pub limit: u64,
}

/// What was promised.
pub fn counts() -> CommitCounts {
    CommitCounts {
        charged: CHARGED.load(Ordering::Relaxed),
        peak: PEAK.load(Ordering::Relaxed),
        limit: LIMIT.load(Ordering::Relaxed),
    }
}

/// The kernel keeps one page of this many for itself.
const KEPT_BACK_SHARE: u64 = 64;

pub(crate) fn initialize(frames: u64) {
    LIMIT.store(frames, Ordering::Relaxed);
    KEPT_BACK.store(frames / KEPT_BACK_SHARE, Ordering::Relaxed);
}

/// More can be promised: a paging file of that many pages came.
pub(crate) fn raise_limit(pages: u64) {
    LIMIT.fetch_add(pages, Ordering::Relaxed);
}

/// Promises pages to user mode.
///
/// # Errors
/// `COMMITMENT_LIMIT`.
pub(crate) fn charge(pages: u64) -> NtResult {
    if pages == 0 {
        return Ok(());
    }
    let limit = LIMIT
        .load(Ordering::Relaxed)
        .saturating_sub(KEPT_BACK.load(Ordering::Relaxed));
    let before = CHARGED
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |charged| {
            charged.checked_add(pages).filter(|now| *now <= limit)
        })
        .map_err(|_| NtStatus::COMMITMENT_LIMIT)?;
    PEAK.fetch_max(before + pages, Ordering::Relaxed);
    Ok(())
}

/// Whether so many pages could be promised just now, for those who would have to count long to know exactly how many.
///
/// # Errors
/// `COMMITMENT_LIMIT`.
pub(crate) fn could_charge(pages: u64) -> NtResult {
    let limit = LIMIT
        .load(Ordering::Relaxed)
        .saturating_sub(KEPT_BACK.load(Ordering::Relaxed));
    let after = CHARGED.load(Ordering::Relaxed).saturating_add(pages);
    if after <= limit {
        Ok(())
    } else {
        Err(NtStatus::COMMITMENT_LIMIT)
    }
}

/// Whether the kernel could take so many pages and all promises still be kept.
///
/// # Errors
/// `COMMITMENT_LIMIT`.
pub(crate) fn could_charge_kernel(pages: u64) -> NtResult {
    let after = CHARGED.load(Ordering::Relaxed).saturating_add(pages);
    if after <= LIMIT.load(Ordering::Relaxed) {
        Ok(())
    } else {
        Err(NtStatus::COMMITMENT_LIMIT)
    }
}

/// Takes a promise back.
pub(crate) fn give_back(pages: u64) {
    CHARGED.fetch_sub(pages, Ordering::Relaxed);
}

/// Counts pages that the kernel has.
pub(crate) fn charge_kernel(pages: u64) {
    let before = CHARGED.fetch_add(pages, Ordering::Relaxed);
    PEAK.fetch_max(before + pages, Ordering::Relaxed);
}

/// Counts pages that the kernel has no more.
pub(crate) fn give_back_kernel(pages: u64) {
    CHARGED.fetch_sub(pages, Ordering::Relaxed);
}
