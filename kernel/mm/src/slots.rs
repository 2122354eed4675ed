//! Places for things that are used again instead of freed.
//!
//! A page frame remembers whose page it has by number, and whoever finds it there looks the owner up at a moment of
//! its own. So address spaces and control areas live in places that stay: memory for them is taken chunk by chunk,
//! by need, and a number always leads to something, if only to a place that is free.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

use ke::SpinLock;
use nt_abi::{NtResult, NtStatus};

/// What is kept in places.
pub(crate) trait Slot: Sync + Sized + 'static {
    /// A place that nobody uses, with its number.
    fn make(number: u32) -> Self;

    /// Its number.
    fn number(&self) -> u32;

    /// Where the list of free places goes on: the next one's number and 1, or 0.
    fn next_free(&self) -> &AtomicU32;
}

/// Where the chunks are.
///
/// A variable of its own, because it is large and all zero until chunks are made: beside the lock, which is not, the
/// zeros would be in the kernel's image.
pub(crate) type Chunks<T, const CHUNKS: usize> = [spin::Once<&'static [T]>; CHUNKS];

/// No chunks yet.
pub(crate) const fn no_chunks<T: 'static, const CHUNKS: usize>() -> Chunks<T, CHUNKS> {
    [const { spin::Once::new() }; CHUNKS]
}

/// Places in chunks of `CHUNK`, at most `CHUNKS` of them.
pub(crate) struct Slots<T: 'static, const CHUNK: usize, const CHUNKS: usize> {
    chunks: &'static Chunks<T, CHUNKS>,
    free: SpinLock<Free>,
}

struct Free {
    /// The first free place's number and 1, or 0.
    first: u32,
    /// Chunks that were made.
    made: usize,
    used: usize,
}

impl<T: Slot, const CHUNK: usize, const CHUNKS: usize> Slots<T, CHUNK, CHUNKS> {
    pub(crate) const fn new(chunks: &'static Chunks<T, CHUNKS>) -> Self {
        Self {
            chunks,
            free: SpinLock::new(Free {
                first: 0,
                made: 0,
                used: 0,
            }),
        }
    }

    /// The place with that number, if its chunk was made.
    #[inline]
    pub(crate) fn get(&self, number: u32) -> Option<&'static T> {
        let number = number as usize;
        self.chunks.get(number / CHUNK)?.get()?.get(number % CHUNK)
    }

    /// Takes a place, as its last user left it.
    pub(crate) fn take(&self) -> NtResult<&'static T> {
        let made = {
            let mut free = self.free.acquire();
            if let Some(slot) = free.first.checked_sub(1).and_then(|first| self.get(first)) {
                free.first = slot.next_free().load(Ordering::Relaxed);
                free.used += 1;
                return Ok(slot);
            }
            free.made
        };
        self.grow(made)?;
        self.take()
    }

    /// Gives a place back that nobody refers to any more.
    pub(crate) fn give_back(&self, slot: &'static T) {
        let mut free = self.free.acquire();
        slot.next_free().store(free.first, Ordering::Relaxed);
        free.first = slot.number() + 1;
        free.used -= 1;
    }

    /// Places in use.
    pub(crate) fn used(&self) -> usize {
        self.free.acquire().used
    }

    /// All places that were ever made, used or not.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static T> {
        self.chunks
            .iter()
            .map_while(spin::Once::get)
            .flat_map(|chunk| chunk.iter())
    }

    /// Makes the chunk with that index, outside of the lock; if another thread was faster, nothing.
    fn grow(&self, index: usize) -> NtResult {
        let place = self
            .chunks
            .get(index)
            .ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
        let first = u32::try_from(index * CHUNK).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        let mut chunk = Vec::new();
        chunk
            .try_reserve_exact(CHUNK)
            .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        for number in (first..).take(CHUNK) {
            chunk.push(T::make(number));
        }
        let mut free = self.free.acquire();
        if free.made != index {
            // Levels fall in order: the lock before the memory.
            drop(free);
            return Ok(());
        }
        let chunk: &'static [T] = chunk.leak();
        place.call_once(|| chunk);
        free.made += 1;
        for slot in chunk.iter().rev() {
            slot.next_free().store(free.first, Ordering::Relaxed);
            free.first = slot.number() + 1;
        }
        Ok(())
    }
}
