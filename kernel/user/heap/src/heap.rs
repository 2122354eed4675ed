//! A heap as its callers see it: the lock, the fast paths, and what they fall back to.

use core::marker::PhantomData;

use c_interface::Ptr;
use nt_abi::heap::HeapFlags;

use crate::block::Block;
use crate::errors::{Corruption, CorruptionKind, Done, Failure, Fault};
use crate::header::{CALLERS_LOCK, Core, Header, LOCK_OFFSET};
use crate::large::LargeBlock;
use crate::locate::{Found, marks_of, user_flags_of};
use crate::memory;
use crate::sizes::{LINEAR_END, SMALL_HEADER};
use crate::span::{Pushed, SmallBlock, Span};
use crate::{Lock, Pages};

/// Flags of an allocation that the fast path knows nothing of.
const UNUSUAL: u32 = HeapFlags::NO_SERIALIZE.0
    | HeapFlags::ZERO_MEMORY.0
    | HeapFlags::SETTABLE_USER_VALUE.0
    | HeapFlags::SETTABLE_USER_FLAGS.0
    | CALLERS_LOCK;
/// Those of them with which a small block is still one of the front end.
const PLAIN: u32 = UNUSUAL & !(HeapFlags::SETTABLE_USER_VALUE.0 | HeapFlags::SETTABLE_USER_FLAGS.0);

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
    /// A handle is an address. Null is none; otherwise the signature there is read, which depends on the address, so one
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
        self.allocate_then(flags, size, |taken| taken)
    }

    /// As [`allocate`](Self::allocate), for a function whose every instruction counts: it goes on with what came of it. Where
    /// that is simple it goes on at once, otherwise in a function of its own, and nothing has to be kept for both.
    ///
    /// # Errors
    /// None of its own; `then` gets what [`allocate`](Self::allocate) would give.
    #[inline(always)]
    pub fn allocate_then<R>(
        &self,
        flags: HeapFlags,
        size: usize,
        then: impl FnOnce(Result<usize, Failure>) -> R,
    ) -> R {
        let flags = flags.0 | self.flags;
        // In the order in which they come, so that the slow ways find them where they are.
        let (handle, pages) = (self.core.header.0, self.core.pages);
        if size > LINEAR_END - SMALL_HEADER || flags & UNUSUAL != 0 {
            return Self::allocate_any(handle, flags, size, pages, then);
        }
        let lock = self.own_lock();
        if !L::acquire_at_once(lock) {
            return Self::allocate_any(handle, flags, size, pages, then);
        }
        let Some(data) = self.pop(size) else {
            return Self::allocate_slowly(handle, flags, size, pages, then);
        };
        L::release_with(lock, then(Ok(data)))
    }

    /// Takes a block of a linear bucket, if that is simple.
    #[inline(always)]
    fn pop(&self, size: usize) -> Option<usize> {
        // At least a granule, whatever the size.
        let alignment = self.core.alignment();
        let total = (size + SMALL_HEADER + alignment - 1) & !(alignment - 1);
        self.core
            .pop_linear(total, memory::low(total - SMALL_HEADER - size))
    }

    /// What the fast path leaves over. The lock is held.
    #[cold]
    #[inline(never)]
    fn allocate_slowly<R>(
        handle: usize,
        flags: u32,
        size: usize,
        pages: &'p P,
        then: impl FnOnce(Result<usize, Failure>) -> R,
    ) -> R {
        let heap = Self::again(pages, handle, flags);
        let taken = heap.core.take_any(flags, size);
        L::release(heap.own_lock());
        then(heap.allocated(taken, flags, size))
    }

    /// An allocation that is not as most are.
    #[inline(never)]
    fn allocate_any<R>(
        handle: usize,
        flags: u32,
        size: usize,
        pages: &'p P,
        then: impl FnOnce(Result<usize, Failure>) -> R,
    ) -> R {
        let heap = Self::again(pages, handle, flags);
        let linear = size <= LINEAR_END - SMALL_HEADER && flags & (UNUSUAL & !PLAIN) == 0;
        let taken = heap.locked(flags, |core| {
            if linear && let Some(data) = heap.pop(size) {
                return Ok(data);
            }
            core.take_any(flags, size)
        });
        then(heap.allocated(taken, flags, size))
    }

    fn allocated(&self, taken: Done<usize>, flags: u32, size: usize) -> Result<usize, Failure> {
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

    /// This heap, in a function that gets numbers only, so that those that call it need no memory for it.
    fn again(pages: &'p P, handle: usize, flags: u32) -> Self {
        let header = Header(handle);
        Self {
            core: Core {
                header,
                cookie: header.cookie().get(),
                pages,
            },
            flags,
            lock: PhantomData,
        }
    }

    /// Where the heap's own lock is.
    #[inline(always)]
    fn own_lock(&self) -> Ptr<u8> {
        Ptr::new(self.core.header.0.wrapping_add(LOCK_OFFSET))
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
        self.free_then(flags, data, |done| done)
    }

    /// As [`free`](Self::free), in the way of [`allocate_then`](Self::allocate_then).
    #[inline(always)]
    pub fn free_then<R>(
        &self,
        flags: HeapFlags,
        data: usize,
        then: impl FnOnce(Result<(), Failure>) -> R,
    ) -> R {
        let flags = flags.0 | self.flags;
        let (pages, handle) = (self.core.pages, self.core.header.0);
        if flags & (CALLERS_LOCK | HeapFlags::NO_SERIALIZE.0) != 0 {
            return Self::free_any(handle, flags, data, pages, then);
        }
        let lock = self.own_lock();
        if !L::acquire_at_once(lock) {
            return Self::free_any(handle, flags, data, pages, then);
        }
        match self.core.push(data) {
            Pushed::Done => L::release_with(lock, then(Ok(()))),
            Pushed::Settle(span) => Self::settle(handle, span, pages, then),
            Pushed::Unknown => Self::free_slowly(handle, data, pages, then),
        }
    }

    /// What is to be done when a span's first block is freed, or its last one. The lock is held.
    #[inline(never)]
    fn settle<R>(
        handle: usize,
        span: Span,
        pages: &'p P,
        then: impl FnOnce(Result<(), Failure>) -> R,
    ) -> R {
        let heap = Self::again(pages, handle, 0);
        let done = heap.core.settle(span);
        L::release(heap.own_lock());
        then(done.map_err(|fault| fault.failure(false)))
    }

    /// What the fast path leaves over. The lock is held.
    #[inline(never)]
    fn free_slowly<R>(
        handle: usize,
        data: usize,
        pages: &'p P,
        then: impl FnOnce(Result<(), Failure>) -> R,
    ) -> R {
        let heap = Self::again(pages, handle, 0);
        let done = heap.core.give_back_any(data);
        L::release(heap.own_lock());
        then(done.map_err(|fault| fault.failure(false)))
    }

    #[inline(never)]
    fn free_any<R>(
        handle: usize,
        flags: u32,
        data: usize,
        pages: &'p P,
        then: impl FnOnce(Result<(), Failure>) -> R,
    ) -> R {
        let heap = Self::again(pages, handle, flags);
        let done = heap.locked(flags, |core| match core.push(data) {
            Pushed::Done => Ok(()),
            Pushed::Settle(span) => core.settle(span),
            Pushed::Unknown => core.give_back_any(data),
        });
        then(done.map_err(|fault| fault.failure(false)))
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
