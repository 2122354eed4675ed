//! Blocks that change their size.
//!
//! A block stays where it is if it can: a small one within its bucket, one of the back end while what is behind it is free, a
//! large one within its reservation. One that has to move to grow gets room behind it, so that a program that appends to
//! a buffer again and again does not copy it each time: a block of the back end is put where a quarter more is free, a large
//! one reserves half more (addresses only, no pages).

use nt_abi::heap::HeapFlags;

use crate::block::HAS_VALUE;
use crate::errors::{Done, Failure, Fault};
use crate::header::Core;
use crate::heap::Heap;
use crate::large::LargeBlock;
use crate::locate::Found;
use crate::memory;
use crate::sizes::{LARGE_HEADER, PAGE, SMALL_END, SMALL_HEADER};
use crate::span::SmallBlock;
use crate::{Lock, Pages};

/// What became of a block.
enum Outcome {
    /// It is where it was; so many of its bytes after the old ones are zero already.
    Same { old: usize, dirty: usize },
    /// There is a new one to copy to.
    Moved { old: usize, to: usize, zeroed: bool },
}

impl<P: Pages, L: Lock> Heap<'_, P, L> {
    /// Changes a block's size. It keeps its bytes, as many as fit, its user value and its user flags; gives where it is.
    ///
    /// # NT
    /// `RtlReAllocateHeap`. Flags: as for an allocation, and `HEAP_REALLOC_IN_PLACE_ONLY`. A block may be made one of no
    /// bytes, which does not free it.
    ///
    /// # Errors
    /// `STATUS_NO_MEMORY` if there is none, or if the block would have to move and must not. The block is as it was then.
    /// `STATUS_INVALID_PARAMETER` (as an exception, `STATUS_ACCESS_VIOLATION`) for no block and for damage.
    pub fn reallocate(&self, flags: HeapFlags, data: usize, size: usize) -> Result<usize, Failure> {
        let flags = flags.0 | self.flags;
        let raise = flags & HeapFlags::GENERATE_EXCEPTIONS.0 != 0;
        let zero = flags & HeapFlags::ZERO_MEMORY.0 != 0;
        let only_here = flags & HeapFlags::REALLOC_IN_PLACE_ONLY.0 != 0;
        let outcome = self
            .locked(flags, |core| core.reallocate(data, size, only_here))
            .map_err(|fault| fault.failure(raise))?;
        match outcome {
            Outcome::Same { old, dirty } => {
                if zero && size > old {
                    memory::clear(data + old, dirty);
                }
                Ok(data)
            }
            Outcome::Moved { old, to, zeroed } => {
                memory::copy(to, data, old.min(size));
                if zero && size > old && !zeroed {
                    memory::clear(to + old, size - old);
                }
                self.locked(flags, |core| core.give_back_any(data))
                    .map_err(|fault| fault.failure(raise))?;
                Ok(to)
            }
        }
    }
}

impl<P: Pages> Core<'_, P> {
    fn reallocate(self, data: usize, size: usize, only_here: bool) -> Done<Outcome> {
        if data == 0 {
            return Err(Fault::Refused);
        }
        let found = self.locate(data)?;
        let old = found.requested();
        let same = |dirty: usize| Outcome::Same {
            old,
            dirty: dirty.min(size.saturating_sub(old)),
        };
        let (here, dirty) = match &found {
            Found::Small(_, small) => (self.resize_small(small, size, only_here), usize::MAX),
            Found::Block(..) => (self.resize_block(&found, size)?, usize::MAX),
            Found::Large(large) => (
                self.resize_large_here(large, size, only_here)?,
                large.committed - LARGE_HEADER - old,
            ),
        };
        if here {
            return Ok(same(dirty));
        }
        if only_here {
            return Err(Fault::NoMemory);
        }
        match self.take_moved(&found, size) {
            Ok(to) => Ok(Outcome::Moved {
                old,
                to,
                zeroed: size > self.large_above(),
            }),
            // Less can stay where it is.
            Err(Fault::NoMemory) if size <= old => match &found {
                Found::Small(_, small) if self.resize_small(small, size, true) => Ok(same(0)),
                Found::Large(large) if self.resize_large_here(large, size, true)? => Ok(same(0)),
                _ => Err(Fault::NoMemory),
            },
            Err(fault) => Err(fault),
        }
    }

    /// A new block for what another one has, with its user value and flags.
    fn take_moved(self, found: &Found, size: usize) -> Done<usize> {
        let (old, flags) = (found.requested(), found.flags());
        if size <= SMALL_END - SMALL_HEADER && flags == 0 {
            return self.take_any(0, size);
        }
        let room = if size <= old || size < PAGE {
            size
        } else if size > self.large_above() && size_of::<usize>() == 8 {
            size.saturating_add(size / 2)
        } else {
            size.saturating_add(size / 4)
        };
        let to = self.take_with(size, room, flags)?;
        if let Some(value) = found.value() {
            let new = self.locate(to)?;
            self.set_value(&new, value)?;
        }
        Ok(to)
    }

    /// A small block stays unless three quarters of it would be lost.
    fn resize_small(self, small: &SmallBlock, size: usize, only_here: bool) -> bool {
        if size > small.capacity {
            return false;
        }
        if !only_here && small.capacity > 128 && size < small.capacity / 4 {
            return false;
        }
        self.set_small_block(&SmallBlock {
            unused: small.capacity - size,
            ..*small
        });
        true
    }

    fn resize_block(self, found: &Found, size: usize) -> Done<bool> {
        let Found::Block(segment, block) = found else {
            return Ok(false);
        };
        if size > self.large_above() {
            return Ok(false);
        }
        let value = found.value();
        let done = match self.resize(segment, block, self.total(size, block.flags), size) {
            // There is no page behind it, but there may be one elsewhere.
            Err(Fault::NoMemory) => false,
            done => done?,
        };
        if done && block.flags & HAS_VALUE != 0 {
            let found = self.locate(block.data())?;
            self.set_value(&found, value.unwrap_or(0))?;
        }
        Ok(done)
    }

    /// A large block stays one until it is half of the least that one should be.
    fn resize_large_here(self, large: &LargeBlock, size: usize, only_here: bool) -> Done<bool> {
        if size > self.header.largest().get() {
            return Err(Fault::NoMemory);
        }
        if !only_here && size <= self.large_above() / 2 {
            return Ok(false);
        }
        match self.resize_large(large, size) {
            Err(Fault::NoMemory) => Ok(false),
            done => done,
        }
    }
}
