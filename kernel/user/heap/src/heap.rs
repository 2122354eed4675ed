//! A heap as its callers see it: the lock, the fast paths, and what they fall back to.

use core::marker::PhantomData;

use c_interface::Ptr;
use nt_abi::heap::HeapFlags;

use crate::backend::Wanted;
use crate::block::{Block, HAS_VALUE, LEAST, State, USER_FLAGS};
use crate::errors::{Corruption, CorruptionKind, Done, Failure, Fault, damage};
use crate::header::{CALLERS_LOCK, Core, LOCK_OFFSET};
use crate::large::LargeBlock;
use crate::memory;
use crate::segment::{BLOCKS, NOTHING, Segment};
use crate::sizes::{
    BLOCK_HEADER, GRANULE, LINEAR_END, SMALL_END, SMALL_HEADER, bucket_of, stride_of,
};
use crate::span::{Pushed, SmallBlock, Span};
use crate::{Lock, Pages};

/// Flags of an allocation that the fast path knows nothing of.
const UNUSUAL: u32 =
    HeapFlags::SETTABLE_USER_VALUE.0 | HeapFlags::SETTABLE_USER_FLAGS.0 | CALLERS_LOCK;

/// A heap, found by its handle.
pub struct Heap<'p, P, L> {
    pub(crate) core: Core<'p, P>,
    pub(crate) flags: u32,
    pub(crate) lock: PhantomData<L>,
}

impl<P, L> Clone for Heap<'_, P, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, L> Copy for Heap<'_, P, L> {}

/// A block that a program has, its header having been verified.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    /// One of the front end.
    Small(Span, SmallBlock),
    /// One of the back end.
    Block(Segment, Block),
    /// One with a reservation of its own.
    Large(LargeBlock),
}

impl Found {
    pub(crate) fn requested(&self) -> usize {
        match self {
            Self::Small(_, small) => small.capacity - small.unused,
            Self::Block(_, block) => block.requested(),
            Self::Large(large) => large.requested,
        }
    }

    pub(crate) fn flags(&self) -> u8 {
        match self {
            Self::Small(_, small) => small.flags,
            Self::Block(_, block) => block.flags,
            Self::Large(large) => large.flags,
        }
    }

    /// The user value; `None` if there is no room for one.
    pub(crate) fn value(&self) -> Option<usize> {
        match self {
            Self::Small(..) => None,
            Self::Block(_, block) => block.value().map(|at| memory::Place::<usize>::at(at).get()),
            Self::Large(large) => (large.flags & HAS_VALUE != 0).then_some(large.value),
        }
    }
}

/// What a program knows of a block besides its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserInfo {
    /// Its value, if it was allocated with room for one.
    pub value: Option<usize>,
    /// Its three marks.
    pub flags: HeapFlags,
}

impl<'p, P: Pages, L: Lock> Heap<'p, P, L> {
    /// The heap that a program names; `None` if there is none.
    ///
    /// A handle is an address. One that is null or not a page's is none; otherwise the signature there is read, so one
    /// without memory is an access violation, as on Windows.
    #[inline(always)]
    pub fn open(pages: &'p P, handle: usize) -> Option<Self> {
        let core = Core::open(pages, handle)?;
        Some(Self {
            core,
            flags: core.header.flags().get(),
            lock: PhantomData,
        })
    }

    /// The handle.
    pub fn handle(&self) -> usize {
        self.core.header.0
    }

    /// Does something while nobody else uses the heap.
    #[inline(always)]
    pub(crate) fn locked<T>(
        &self,
        flags: u32,
        work: impl FnOnce(Core<'p, P>) -> Done<T>,
    ) -> Done<T> {
        if flags & HeapFlags::NO_SERIALIZE.0 != 0 {
            return work(self.core);
        }
        let lock = self.lock_place(flags)?;
        L::acquire(lock);
        let done = work(self.core);
        L::release(lock);
        done
    }

    #[inline(always)]
    fn lock_place(&self, flags: u32) -> Done<Ptr<u8>> {
        let own = self.core.header.0.wrapping_add(LOCK_OFFSET);
        Ok(Ptr::new(if flags & CALLERS_LOCK == 0 {
            own
        } else {
            self.core.callers_lock()?
        }))
    }

    /// Acquires the lock for a program; whether there is one. It can be acquired again by the same thread.
    ///
    /// # NT
    /// `RtlLockHeap`, which succeeds without a lock, too.
    ///
    /// # Errors
    /// If the heap's header says nonsense of the lock.
    pub fn acquire(&self) -> Result<bool, Failure> {
        self.with_lock(L::acquire)
    }

    /// Releases the lock.
    ///
    /// # NT
    /// `RtlUnlockHeap`.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    pub fn release(&self) -> Result<bool, Failure> {
        self.with_lock(L::release)
    }

    fn with_lock(&self, does: fn(Ptr<u8>)) -> Result<bool, Failure> {
        if self.flags & HeapFlags::NO_SERIALIZE.0 != 0 {
            return Ok(false);
        }
        let lock = self
            .lock_place(self.flags)
            .map_err(|fault| fault.failure(false))?;
        does(lock);
        Ok(true)
    }

    /// Allocates a block.
    ///
    /// # NT
    /// `RtlAllocateHeap`. Flags: `HEAP_NO_SERIALIZE`, `HEAP_ZERO_MEMORY`, `HEAP_GENERATE_EXCEPTIONS`,
    /// `HEAP_SETTABLE_USER_VALUE` and the three user flags; tags are ignored. A block of no bytes is a block.
    ///
    /// # Errors
    /// `STATUS_NO_MEMORY` if there is none, the heap may not grow, or a heap that may not is asked for a block larger than
    /// its limit. Damage that was met on the way.
    #[inline]
    pub fn allocate(&self, flags: HeapFlags, size: usize) -> Result<usize, Failure> {
        let flags = flags.0 | self.flags;
        if size > LINEAR_END - SMALL_HEADER || flags & UNUSUAL != 0 {
            return self.allocate_any(flags, size);
        }
        // At least a granule, whatever the size.
        let alignment = self.core.alignment();
        let total = (size + SMALL_HEADER + alignment - 1) & !(alignment - 1);
        let unused = memory::low(total - SMALL_HEADER - size);
        let serialized = flags & HeapFlags::NO_SERIALIZE.0 == 0;
        let lock = Ptr::new(self.core.header.0.wrapping_add(LOCK_OFFSET));
        if serialized {
            L::acquire(lock);
        }
        let taken = match self.core.pop_linear(total, unused) {
            Some(data) => Ok(data),
            None => self.core.take_any(flags, size),
        };
        if serialized {
            L::release(lock);
        }
        match taken {
            Ok(data) => {
                if flags & HeapFlags::ZERO_MEMORY.0 != 0 {
                    memory::clear(data, size);
                }
                Ok(data)
            }
            Err(fault) => Err(fault.failure(flags & HeapFlags::GENERATE_EXCEPTIONS.0 != 0)),
        }
    }

    #[inline(never)]
    fn allocate_any(&self, flags: u32, size: usize) -> Result<usize, Failure> {
        let taken = self.locked(flags, |core| core.take_any(flags, size));
        match taken {
            Ok(data) => {
                // The pages of a large block are new.
                if flags & HeapFlags::ZERO_MEMORY.0 != 0 && size <= self.core.large_above() {
                    memory::clear(data, size);
                }
                Ok(data)
            }
            Err(fault) => Err(fault.failure(flags & HeapFlags::GENERATE_EXCEPTIONS.0 != 0)),
        }
    }

    /// Frees a block; none is freed successfully.
    ///
    /// # NT
    /// `RtlFreeHeap`.
    ///
    /// # Errors
    /// `STATUS_INVALID_PARAMETER` with what is wrong, if the address is no busy block of this heap or its header is damaged.
    #[inline]
    pub fn free(&self, flags: HeapFlags, data: usize) -> Result<(), Failure> {
        let flags = flags.0 | self.flags;
        if flags & CALLERS_LOCK != 0 {
            return self.free_any(flags, data);
        }
        let serialized = flags & HeapFlags::NO_SERIALIZE.0 == 0;
        let lock = Ptr::new(self.core.header.0.wrapping_add(LOCK_OFFSET));
        if serialized {
            L::acquire(lock);
        }
        let done = match self.core.push(data) {
            Pushed::Done => Ok(()),
            Pushed::Settle(span) => self.core.settle(span),
            Pushed::Unknown => self.core.give_back_any(data),
        };
        if serialized {
            L::release(lock);
        }
        done.map_err(|fault| fault.failure(false))
    }

    #[inline(never)]
    fn free_any(&self, flags: u32, data: usize) -> Result<(), Failure> {
        self.locked(flags, |core| core.give_back_any(data))
            .map_err(|fault| fault.failure(false))
    }

    /// How many bytes were asked for when a block was allocated.
    ///
    /// # NT
    /// `RtlSizeHeap`, which gives all ones where this fails.
    ///
    /// # Errors
    /// As [`free`](Self::free); also for no block.
    pub fn size(&self, flags: HeapFlags, data: usize) -> Result<usize, Failure> {
        self.locked(flags.0 | self.flags, |core| {
            Ok(core.locate(data)?.requested())
        })
        .map_err(|fault| fault.failure(false))
    }

    /// A block's user value and flags.
    ///
    /// # NT
    /// `RtlGetUserInfoHeap`.
    ///
    /// # Errors
    /// As [`size`](Self::size).
    pub fn user_info(&self, flags: HeapFlags, data: usize) -> Result<UserInfo, Failure> {
        self.locked(flags.0 | self.flags, |core| {
            let found = core.locate(data)?;
            Ok(UserInfo {
                value: found.value(),
                flags: user_flags_of(found.flags()),
            })
        })
        .map_err(|fault| fault.failure(false))
    }

    /// Changes a block's user value.
    ///
    /// # NT
    /// `RtlSetUserValueHeap`.
    ///
    /// # Errors
    /// As [`size`](Self::size), and if the block has no room for one: it was not allocated with
    /// `HEAP_SETTABLE_USER_VALUE`.
    pub fn set_user_value(
        &self,
        flags: HeapFlags,
        data: usize,
        value: usize,
    ) -> Result<(), Failure> {
        self.locked(flags.0 | self.flags, |core| {
            let found = core.locate(data)?;
            core.set_value(&found, value)
        })
        .map_err(|fault| fault.failure(false))
    }

    /// Changes a block's user flags: takes some away, then gives some.
    ///
    /// # NT
    /// `RtlSetUserFlagsHeap`.
    ///
    /// # Errors
    /// As [`size`](Self::size), and for flags that are none of the three.
    pub fn set_user_flags(
        &self,
        flags: HeapFlags,
        data: usize,
        reset: HeapFlags,
        set: HeapFlags,
    ) -> Result<(), Failure> {
        let all = HeapFlags::SETTABLE_USER_FLAGS.0;
        self.locked(flags.0 | self.flags, |core| {
            if (reset.0 | set.0) & !all != 0 {
                return Err(Fault::Refused);
            }
            let found = core.locate(data)?;
            let old = found.flags();
            let new = (old & !marks_of(reset.0)) | marks_of(set.0);
            match found {
                Found::Small(_, small) => core.set_small_block(&SmallBlock {
                    flags: new,
                    ..small
                }),
                Found::Block(_, block) => core.set_block(&Block {
                    flags: new,
                    ..block
                }),
                Found::Large(large) => core.set_large(&LargeBlock {
                    flags: new,
                    ..large
                })?,
            }
            Ok(())
        })
        .map_err(|fault| fault.failure(false))
    }

    /// Whether the address is one of this heap's blocks and its header is sound; damage otherwise.
    ///
    /// # NT
    /// `RtlValidateHeap` for one block.
    ///
    /// # Errors
    /// What is wrong.
    pub fn validate_block(&self, flags: HeapFlags, data: usize) -> Result<(), Corruption> {
        self.locked(flags.0 | self.flags, |core| core.locate(data).map(|_| ()))
            .map_err(|fault| match fault {
                Fault::Damage(corruption) => corruption,
                _ => Corruption {
                    address: data,
                    kind: CorruptionKind::NotABlock,
                },
            })
    }
}

/// The marks in a block's flags, from those of a call.
pub(crate) fn marks_of(flags: u32) -> u8 {
    ((flags & HeapFlags::SETTABLE_USER_FLAGS.0) >> 8) as u8 & USER_FLAGS
}

/// The other way.
pub(crate) fn user_flags_of(flags: u8) -> HeapFlags {
    HeapFlags(u32::from(flags & USER_FLAGS) << 8)
}

impl<P: Pages> Core<'_, P> {
    /// Above how many bytes a block has a reservation of its own, in a heap that may grow.
    pub(crate) fn large_above(self) -> usize {
        self.header.large_above().get()
    }

    /// Takes a block for a program.
    #[cold]
    pub(crate) fn take_any(self, flags: u32, size: usize) -> Done<usize> {
        let marks = marks_of(flags);
        let has_value = flags & HeapFlags::SETTABLE_USER_VALUE.0 != 0;
        let plain = marks == 0 && !has_value;
        if size <= SMALL_END - SMALL_HEADER && plain {
            let bucket = bucket_of(self.aligned(size + SMALL_HEADER).max(GRANULE));
            let unused = memory::low(stride_of(bucket) - SMALL_HEADER - size);
            if let Some(data) = self.take_small(bucket, unused)? {
                return Ok(data);
            }
        }
        self.take_with(size, size, marks | if has_value { HAS_VALUE } else { 0 })
    }

    /// Takes a block of the back end or a large one, with room to grow into.
    pub(crate) fn take_with(self, size: usize, room: usize, flags: u8) -> Done<usize> {
        if size > self.header.largest().get() {
            return Err(Fault::NoMemory);
        }
        if size > self.large_above() {
            if !self.has(HeapFlags::GROWABLE) {
                return Err(Fault::NoMemory);
            }
            return Ok(self.take_large(size, room, flags)?.data);
        }
        let total = |bytes: usize| self.total(bytes, flags);
        let wanted = Wanted {
            size: total(size),
            requested: size,
            state: State::Busy,
            flags,
            at_page: false,
        };
        if room > size {
            // What is left behind it is where it grows.
            let roomy = Wanted {
                size: total(room.min(self.large_above())),
                ..wanted
            };
            if let Ok(block) = self.take(&roomy) {
                let segment = self.own_segment(block.at, CorruptionKind::Segment)?;
                self.resize(&segment, &block, wanted.size, size)?;
                self.clear_value(block.data())?;
                return Ok(block.data());
            }
        }
        let block = self.take(&wanted)?;
        if let Some(value) = block.value() {
            memory::Place::<usize>::at(value).set(0);
        }
        Ok(block.data())
    }

    fn clear_value(self, data: usize) -> Done {
        if let Found::Block(_, block) = self.locate(data)?
            && let Some(value) = block.value()
        {
            memory::Place::<usize>::at(value).set(0);
        }
        Ok(())
    }

    /// The size of a block of the back end for so many bytes, which are no more than any limit.
    pub(crate) fn total(self, bytes: usize, flags: u8) -> usize {
        let value = if flags & HAS_VALUE != 0 {
            size_of::<usize>()
        } else {
            0
        };
        self.aligned(bytes + BLOCK_HEADER + value).max(LEAST)
    }

    /// Writes a block's user value.
    pub(crate) fn set_value(self, found: &Found, value: usize) -> Done {
        match found {
            Found::Block(_, block) => match block.value() {
                Some(at) => memory::Place::<usize>::at(at).set(value),
                None => return Err(Fault::Refused),
            },
            Found::Large(large) if large.flags & HAS_VALUE != 0 => {
                self.set_large(&LargeBlock { value, ..*large })?;
            }
            _ => return Err(Fault::Refused),
        }
        Ok(())
    }

    /// Gives back a block that a program names.
    #[cold]
    pub(crate) fn give_back_any(self, data: usize) -> Done {
        if data == 0 {
            return Ok(());
        }
        match self.locate(data)? {
            Found::Small(span, small) => {
                self.remember(crate::sizes::down(data, crate::sizes::PAGE), span.0);
                match self.push(small.data) {
                    Pushed::Done => Ok(()),
                    Pushed::Settle(span) => self.settle(span),
                    Pushed::Unknown => Err(damage(CorruptionKind::HeapHeader, data)),
                }
            }
            Found::Block(segment, block) => self.give_back(&segment, &block),
            Found::Large(large) => self.give_back_large(&large),
        }
    }

    /// The busy block at an address.
    ///
    /// # Errors
    /// Damage: that the address is none, or what is wrong with the block.
    pub(crate) fn locate(self, data: usize) -> Done<Found> {
        let not = || damage(CorruptionKind::NotABlock, data);
        if data & (GRANULE - 1) != 0 {
            return Err(not());
        }
        let Some(segment) = self.segment_of(data)? else {
            return match self.large_block(data)? {
                Some(large) => Ok(Found::Large(large)),
                None => Err(not()),
            };
        };
        if !segment.holds(data) {
            return Err(not());
        }
        match self.page_kind(&segment, data)? {
            NOTHING => Err(not()),
            BLOCKS => {
                let at = data - BLOCK_HEADER;
                if !segment.holds(at) || !self.is_committed(&segment, at, BLOCK_HEADER)? {
                    return Err(not());
                }
                match self.block(&segment, at) {
                    Ok(block) if block.state == State::Busy => Ok(Found::Block(segment, block)),
                    Ok(block) if block.state == State::Free => {
                        Err(damage(CorruptionKind::DoubleFree, data))
                    }
                    Ok(_) => Err(not()),
                    Err(_) => Err(self.why_not(&segment, at)),
                }
            }
            kind => {
                let span = self.span_of(&segment, data, kind)?;
                Ok(Found::Small(span, self.small_block(span, data)?))
            }
        }
    }

    /// Why there is no sound header at an address: there should be none, or it was overwritten. Only the blocks before it
    /// can tell.
    #[cold]
    fn why_not(self, segment: &Segment, at: usize) -> Fault {
        let mut place = segment.first;
        while place < at {
            match self.block(segment, place) {
                Ok(block) => place = block.end(),
                Err(fault) => return fault,
            }
        }
        if place == at {
            damage(CorruptionKind::BlockHeader, at)
        } else {
            damage(CorruptionKind::NotABlock, at + BLOCK_HEADER)
        }
    }
}
