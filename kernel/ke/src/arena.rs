//! Things that are used again instead of freed.
//!
//! Threads, timers and dispatcher objects are linked to each other in lists that
//! any processor may walk. Were they freed, a stale link would be a bug that
//! corrupts memory; as they only go back to their arena, it is one that shows.
//! So everything that the dispatcher links is `&'static`: memory for it is taken
//! chunk by chunk, by need, and stays.

use alloc::vec::Vec;

use arch::AtomicRef;
use nt_abi::{NtResult, NtStatus};

use crate::{LockOrder, SpinLock};

/// What an arena holds.
pub(crate) trait Slot: Sync + Sized + 'static {
    /// A slot that nobody uses, with its number.
    fn make(number: u32) -> Self;

    /// Where the arena keeps its list of free slots.
    fn free_link(&self) -> &AtomicRef<Self>;
}

/// Where an arena's chunks are.
///
/// A variable of its own, because it is large and all zero until chunks are made: beside the lock, which is not, the
/// zeros would be in the kernel's image.
pub(crate) type Chunks<T, const CHUNKS: usize> = [spin::Once<&'static [T]>; CHUNKS];

/// No chunks yet.
pub(crate) const fn no_chunks<T: 'static, const CHUNKS: usize>() -> Chunks<T, CHUNKS> {
    [const { spin::Once::new() }; CHUNKS]
}

/// Slots in chunks of `CHUNK`, at most `CHUNKS` of them.
pub(crate) struct Arena<T: Slot, const CHUNK: usize, const CHUNKS: usize> {
    chunks: &'static Chunks<T, CHUNKS>,
    free: SpinLock<Free<T>>,
}

struct Free<T: 'static> {
    first: Option<&'static T>,
    /// Chunks that were made.
    made: usize,
    /// Slots in use.
    used: usize,
}

impl<T: Slot, const CHUNK: usize, const CHUNKS: usize> Arena<T, CHUNK, CHUNKS> {
    pub(crate) const fn new(chunks: &'static Chunks<T, CHUNKS>) -> Self {
        Self {
            chunks,
            free: SpinLock::ordered(
                Free {
                    first: None,
                    made: 0,
                    used: 0,
                },
                LockOrder::ARENA,
            ),
        }
    }

    /// The slot with that number, if its chunk was made.
    #[inline]
    pub(crate) fn get(&self, number: u32) -> Option<&'static T> {
        let number = number as usize;
        self.chunks.get(number / CHUNK)?.get()?.get(number % CHUNK)
    }

    /// Takes a slot, as its last user left it: the one that was given back last.
    pub(crate) fn take(&self) -> NtResult<&'static T> {
        let mut free = self.free.acquire();
        if free.first.is_none() {
            self.grow(&mut free)?;
        }
        let slot = free.first.ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
        free.first = slot.free_link().replace(None);
        free.used += 1;
        Ok(slot)
    }

    /// Gives a slot back that nobody refers to any more.
    pub(crate) fn give_back(&self, slot: &'static T) {
        let mut free = self.free.acquire();
        slot.free_link().set(free.first);
        free.first = Some(slot);
        free.used -= 1;
    }

    /// Slots in use.
    pub(crate) fn used(&self) -> usize {
        self.free.acquire().used
    }

    fn grow(&self, free: &mut Free<T>) -> NtResult {
        let place = self
            .chunks
            .get(free.made)
            .ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
        let first =
            u32::try_from(free.made * CHUNK).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        let mut chunk = Vec::new();
        chunk
            .try_reserve_exact(CHUNK)
            .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        for number in (first..).take(CHUNK) {
            chunk.push(T::make(number));
        }
        let chunk: &'static [T] = chunk.leak();
        place.call_once(|| chunk);
        free.made += 1;
        for slot in chunk.iter().rev() {
            slot.free_link().set(free.first);
            free.first = Some(slot);
        }
        Ok(())
    }
}
