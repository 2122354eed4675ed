//! The begin and the end of a heap.

use core::marker::PhantomData;

use c_interface::Ptr;
use nt_abi::heap::HeapFlags;
use nt_abi::native::{Peb, RtlHeapParameters};

use crate::errors::{Done, Failure, Fault};
use crate::header::{CALLERS_LOCK, Core, HEADER_BYTES, KEPT_FLAGS, LOCK_OFFSET, LOCK_WORDS};
use crate::heap::Heap;
use crate::memory;
use crate::segment::head_of;
use crate::sizes::{GRANULE, PAGE, PAGE_SHIFT, UNIT, down, up};
use crate::{Lock, Pages};

/// How a heap gets memory and gives it back. In bytes; 0 stands for the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// What is reserved when the heap grows; 1 MiB.
    pub segment_reserve: usize,
    /// What is committed at once; two pages.
    pub segment_commit: usize,
    /// The smallest free block whose pages are given back; a page.
    pub free_block_threshold: usize,
    /// Free bytes that are kept committed; 64 KiB.
    pub total_free_threshold: usize,
    /// The largest block; as much as there are addresses.
    pub maximum_allocation: usize,
    /// Above that a block has a reservation of its own; 0x7F000. Larger values mean the same.
    pub virtual_memory_threshold: usize,
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "sizes of the process's own width"
)]
impl Limits {
    /// The defaults of a process.
    pub fn of_process(peb: Ptr<Peb>) -> Self {
        let word = |place: Ptr<nt_abi::native::Size>| place.read() as usize;
        Self {
            segment_reserve: word(c_interface::field!(peb, Peb, heap_segment_reserve)),
            segment_commit: word(c_interface::field!(peb, Peb, heap_segment_commit)),
            free_block_threshold: word(c_interface::field!(
                peb,
                Peb,
                heap_de_commit_free_block_threshold
            )),
            total_free_threshold: word(c_interface::field!(
                peb,
                Peb,
                heap_de_commit_total_free_threshold
            )),
            ..Self::default()
        }
    }

    /// With what a caller's parameters say.
    ///
    /// # Differs
    /// `InitialCommit`, `InitialReserve` and `CommitRoutine` belong together; a heap whose pages a routine of the caller's
    /// commits is not done, see [`Creation`].
    #[must_use]
    pub fn with(self, parameters: &RtlHeapParameters) -> Self {
        let or = |theirs: nt_abi::native::Size, ours: usize| {
            if theirs == 0 { ours } else { theirs as usize }
        };
        Self {
            segment_reserve: or(parameters.segment_reserve, self.segment_reserve),
            segment_commit: or(parameters.segment_commit, self.segment_commit),
            free_block_threshold: or(
                parameters.de_commit_free_block_threshold,
                self.free_block_threshold,
            ),
            total_free_threshold: or(
                parameters.de_commit_total_free_threshold,
                self.total_free_threshold,
            ),
            maximum_allocation: or(parameters.maximum_allocation_size, self.maximum_allocation),
            virtual_memory_threshold: or(
                parameters.virtual_memory_threshold,
                self.virtual_memory_threshold,
            ),
        }
    }
}

/// What a new heap shall be.
///
/// # NT
/// The arguments of `RtlCreateHeap`.
///
/// # Differs
/// A heap with `HEAP_CREATE_SEGMENT_HEAP` is one like others. `RTL_HEAP_PARAMETERS.CommitRoutine` is not done: the caller of
/// this refuses it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Creation {
    /// `HEAP_*`; others than those of heaps are ignored. Without `HEAP_GROWABLE` the heap keeps to its first reservation.
    pub flags: HeapFlags,
    /// The caller's own memory to use first, at a page boundary; 0 for none.
    pub base: usize,
    /// Bytes to reserve, or that the caller has reserved; 0 for the default.
    pub reserve: usize,
    /// Bytes to commit, or that the caller has committed; 0 for the default.
    pub commit: usize,
    /// The caller's own lock, initialized; 0 for none.
    pub lock: usize,
    /// How it gets memory.
    pub limits: Limits,
    /// A number that programs cannot guess: what the seals of the heap are made with.
    pub seed: usize,
}

/// A block above that has a reservation of its own: `RTL_HEAP_PARAMETERS.VirtualMemoryThreshold`.
const LARGE_ABOVE: usize = 0x7_F000;
/// The largest block of a heap that does not grow: slightly less than 512 KiB, or 1 MiB on 64 bits (`HeapCreate`).
const LARGEST_FIXED: usize = 0x7_F000 * (size_of::<usize>() / 4);
/// The most that is reserved at first: sizes of blocks are 32 bits of granules.
const MOST_RESERVED: usize = if size_of::<usize>() == 8 {
    1 << 35
} else {
    1 << 30
};

impl Creation {
    /// Bytes to reserve and to commit, by the table in the documentation of `RtlCreateHeap`.
    fn sizes(&self) -> (usize, usize) {
        let page_up = |bytes: usize| up(bytes.min(MOST_RESERVED), PAGE);
        match (self.reserve, self.commit) {
            (0, 0) => (64 * PAGE, PAGE),
            (0, commit) => (up(page_up(commit), 16 * PAGE), page_up(commit)),
            (reserve, 0) => (page_up(reserve), PAGE),
            (reserve, commit) => (page_up(reserve), page_up(commit.min(reserve))),
        }
    }
}

impl<'p, P: Pages, L: Lock> Heap<'p, P, L> {
    /// Makes a heap.
    ///
    /// # NT
    /// `RtlCreateHeap`.
    ///
    /// # Errors
    /// `STATUS_NO_MEMORY`; `STATUS_INVALID_PARAMETER` for memory of the caller's that is too small or not at a page, and for a
    /// lock together with `HEAP_NO_SERIALIZE`.
    pub fn create(pages: &'p P, creation: &Creation) -> Result<Self, Failure> {
        Self::try_create(pages, creation).map_err(|fault| fault.failure(false))
    }

    fn try_create(pages: &'p P, creation: &Creation) -> Done<Self> {
        const { assert!(L::BYTES <= LOCK_WORDS * size_of::<usize>()) };
        let serialized = !creation.flags.contains(HeapFlags::NO_SERIALIZE);
        let borrowed = creation.base != 0;
        if creation.base & (PAGE - 1) != 0 || (creation.lock != 0 && !serialized) {
            return Err(Fault::Refused);
        }
        let (mut reserve, commit) = creation.sizes();
        // The header is ours, not what the caller asked for.
        let own = HEADER_BYTES + (reserve >> PAGE_SHIFT) * 2 + PAGE;
        if borrowed {
            reserve = down(creation.reserve.min(MOST_RESERVED), PAGE);
            if reserve < up(own + PAGE, PAGE) || creation.base.checked_add(reserve).is_none() {
                return Err(Fault::Refused);
            }
        } else {
            reserve = up(reserve + own, UNIT);
        }
        let mut flags = creation.flags.0 & KEPT_FLAGS;
        if creation.lock != 0 {
            flags |= CALLERS_LOCK;
        }
        let access = if flags & HeapFlags::CREATE_ENABLE_EXECUTE.0 != 0 {
            crate::Access::Execute
        } else {
            crate::Access::Data
        };
        let base = if borrowed {
            creation.base
        } else {
            pages
                .reserve(reserve, access)
                .map_err(|_| Fault::NoMemory)?
        };
        let theirs = if borrowed {
            base + up(creation.commit.min(reserve), PAGE)
        } else {
            base
        };
        let build = || -> Done<Self> {
            for (from, to) in head_of(0, base, reserve) {
                let from = from.max(theirs.min(to));
                if from < to {
                    pages
                        .commit(from, to - from, access)
                        .map_err(|_| Fault::NoMemory)?;
                }
            }
            memory::clear(base, HEADER_BYTES);
            let heap = Self {
                core: Core {
                    header: crate::header::Header(base),
                    cookie: cookie_of(creation.seed, base),
                    pages,
                },
                flags,
                lock: PhantomData,
            };
            heap.core.set_limits(creation, borrowed);
            heap.core.header.lock().set(creation.lock);
            heap.core.sign(flags);
            let segment = heap.core.add_segment(0, base, reserve, borrowed);
            heap.core.tile(&segment)?;
            let head = if borrowed { theirs } else { segment.first };
            heap.core.warm(base, head, commit)?;
            if serialized && creation.lock == 0 {
                L::initialize(Ptr::new(base + LOCK_OFFSET)).map_err(|_| Fault::NoMemory)?;
            }
            Ok(heap)
        };
        let built = build();
        if built.is_err() && !borrowed {
            // What cannot be given back stays reserved; nobody knows of it.
            let _ = pages.release(base);
        }
        built
    }

    /// Ends a heap: all of its memory goes back, its handle is none any more.
    ///
    /// # NT
    /// `RtlDestroyHeap`.
    ///
    /// # Errors
    /// Damage of what the heap knows of its own memory. What was released until then stays released.
    pub fn destroy(self) -> Result<(), Failure> {
        self.core
            .destroy()
            .and_then(|borrowed| {
                if self.flags & (HeapFlags::NO_SERIALIZE.0 | CALLERS_LOCK) == 0 {
                    L::destroy(Ptr::new(self.core.header.0 + LOCK_OFFSET));
                }
                self.core.unsign();
                if borrowed {
                    return Ok(());
                }
                self.core
                    .pages
                    .release(self.core.header.0)
                    .map_err(|_| Fault::Refused)
            })
            .map_err(|fault| fault.failure(false))
    }
}

/// The cookie of a heap: its lowest bits are not zero, as `span` wants it.
fn cookie_of(seed: usize, base: usize) -> usize {
    let half = |word: usize, with: usize| {
        let mixed = (word ^ with).wrapping_mul(0x9E37_79B1);
        mixed ^ (mixed >> (usize::BITS / 2))
    };
    half(half(seed, base).rotate_left(usize::BITS / 2), seed) | 5
}

impl<P: Pages> Core<'_, P> {
    fn set_limits(self, creation: &Creation, borrowed: bool) {
        let or = |given: usize, default: usize| if given == 0 { default } else { given };
        let limits = &creation.limits;
        let header = self.header;
        header
            .segment_reserve()
            .set(or(limits.segment_reserve, 0x10_0000));
        header
            .segment_commit()
            .set(or(limits.segment_commit, 2 * PAGE).min(0x10_0000));
        // The caller's own pages are not given back: they may be no such pages.
        header.block_threshold().set(if borrowed {
            usize::MAX
        } else {
            or(limits.free_block_threshold, PAGE)
        });
        header
            .total_threshold()
            .set(or(limits.total_free_threshold, 0x1_0000));
        let above = or(limits.virtual_memory_threshold, LARGE_ABOVE).min(LARGE_ABOVE);
        let growable = creation.flags.contains(HeapFlags::GROWABLE);
        header
            .large_above()
            .set(match (growable, limits.virtual_memory_threshold) {
                (false, 0) => LARGEST_FIXED,
                _ => above,
            });
        header
            .largest()
            .set(or(limits.maximum_allocation, usize::MAX / 2));
        let wide = creation.flags.contains(HeapFlags::CREATE_ALIGN_16);
        header
            .alignment()
            .set(if wide || GRANULE == 16 { 15 } else { 7 });
    }

    /// Commits the first bytes of a new heap: `bytes` from its base on, of which those before `there` are there already.
    fn warm(self, base: usize, there: usize, bytes: usize) -> Done {
        let Some(mut segment) = self.segment(0)? else {
            return Ok(());
        };
        let free = self.linked(&segment, segment.first)?;
        let (from, to) = free.block.inside();
        let mut added = 0;
        if there > from {
            added += self.adopt(&mut segment, from, there.min(to))?;
        }
        let end = base.saturating_add(bytes).min(to);
        if end > from {
            self.commit(&mut segment, from, end, end, &mut added)?;
        }
        self.set_links(&crate::block::FreeBlock {
            pages: free.pages + added,
            ..free
        });
        let idle = self.header.idle();
        idle.set(idle.get() + added);
        Ok(())
    }

    /// Releases all but the first segment; whether that one is the caller's.
    fn destroy(self) -> Done<bool> {
        while let Some(large) = self.next_large(None)? {
            self.give_back_large(&large)?;
        }
        self.release_directory()?;
        for index in 1..self.segment_count() {
            if let Some(segment) = self.segment(index)? {
                self.release_segment(&segment)?;
            }
        }
        Ok(self.segment(0)?.is_some_and(|segment| segment.borrowed))
    }
}
