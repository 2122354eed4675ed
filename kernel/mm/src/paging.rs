//! The paging file: where modified pages go that have no other place.
//!
//! What it is, a file or a part of a disk, is its driver's matter: this module has the map of places. Without a paging
//! file, as on a machine without a disk, modified pages stay in memory, and no more is promised than there is.
//!
//! # Locks
//! A spin lock, taken inside of the frames' lock.

use ex::pool::{PoolTag, PoolVec};
use ke::SpinLock;
use nt_abi::{NtResult, NtStatus};

use crate::commit;
use crate::pte::PagingSlot;

/// A file of pages.
pub trait PagingFile: Sync {
    /// How many pages it has.
    fn pages(&self) -> u32;

    /// Reads the page at a place.
    ///
    /// # Errors
    /// That of the device.
    fn read(&self, place: u32, into: &mut [u8]) -> NtResult;

    /// Writes the page at a place.
    ///
    /// # Errors
    /// That of the device.
    fn write(&self, place: u32, from: &[u8]) -> NtResult;
}

const TAG: PoolTag = PoolTag(*b"MmPf");

struct Paging {
    file: Option<&'static dyn PagingFile>,
    /// A bit for each place, set while it is used.
    used: PoolVec<u64>,
    pages: u32,
    in_use: u32,
    /// No free place is in a word before this one.
    first_free: usize,
}

static PAGING: SpinLock<Paging> = SpinLock::new(Paging {
    file: None,
    used: PoolVec::new(TAG),
    pages: 0,
    in_use: 0,
    first_free: 0,
});

/// Places in the paging file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PagingCounts {
    /// All.
    pub pages: u32,
    /// Used.
    pub in_use: u32,
}

/// How much of the paging file is used.
pub fn counts() -> PagingCounts {
    let paging = PAGING.acquire();
    PagingCounts {
        pages: paging.pages,
        in_use: paging.in_use,
    }
}

/// Begins to use a paging file.
///
/// # Errors
/// - `INVALID_PARAMETER`: it has no page.
/// - `TOO_MANY_PAGING_FILES`: there is one already.
/// - `INSUFFICIENT_RESOURCES`: no memory for the map of its places.
#[doc(alias = "NtCreatePagingFile")]
pub fn add(file: &'static dyn PagingFile) -> NtResult {
    let pages = file.pages().min(PagingSlot::MOST);
    if pages == 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let mut used = PoolVec::new(TAG);
    used.resize((pages as usize).div_ceil(64), 0)?;
    let mut paging = PAGING.acquire();
    if paging.file.is_some() {
        // Levels fall in order: the lock before the memory.
        drop(paging);
        return Err(NtStatus::TOO_MANY_PAGING_FILES);
    }
    paging.file = Some(file);
    paging.used = used;
    paging.pages = pages;
    drop(paging);
    commit::raise_limit(u64::from(pages));
    Ok(())
}

/// Whether modified pages can be written anywhere.
pub(crate) fn is_there() -> bool {
    PAGING.acquire().file.is_some()
}

/// Takes a free place.
pub(crate) fn allocate() -> Option<PagingSlot> {
    let mut paging = PAGING.acquire();
    let from = paging.first_free;
    let (index, word) = paging
        .used
        .iter_mut()
        .enumerate()
        .skip(from)
        .find(|(_, word)| **word != u64::MAX)?;
    let bit = word.trailing_ones();
    let number = u32::try_from(index * 64).ok()? + bit;
    let slot = PagingSlot::new(number)?;
    *word |= 1 << bit;
    paging.first_free = index;
    if number >= paging.pages {
        // The last word's bits beyond the end: they stay set.
        return None;
    }
    paging.in_use += 1;
    Some(slot)
}

/// Gives a place back.
pub(crate) fn free(slot: PagingSlot) {
    let mut paging = PAGING.acquire();
    let index = slot.number() as usize / 64;
    if let Some(word) = paging.used.get_mut(index) {
        *word &= !(1 << (slot.number() % 64));
        paging.in_use -= 1;
        paging.first_free = paging.first_free.min(index);
    }
}

/// Reads a page.
pub(crate) fn read(slot: PagingSlot, into: &mut [u8]) -> NtResult {
    let file = PAGING.acquire().file.ok_or(NtStatus::DEVICE_NOT_READY)?;
    file.read(slot.number(), into)
}

/// Writes a page.
pub(crate) fn write(slot: PagingSlot, from: &[u8]) -> NtResult {
    let file = PAGING.acquire().file.ok_or(NtStatus::DEVICE_NOT_READY)?;
    file.write(slot.number(), from)
}
