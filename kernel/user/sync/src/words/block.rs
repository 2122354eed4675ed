//! Wait blocks: what others must know of a thread that waits, on that thread's own stack.
//!
//! A block is lent to others from the moment that its address is in a queue until its state is [`WOKEN`]. Its thread does
//! not return before that, and nobody else touches it afterwards; [`super::queue`] and [`super::bucket`] say why. The
//! models have a module in this place that fails when a block is touched after its life.
//!
//! The fields are atomics because several threads reach them. Those of a queue are ordered by the queue's lock and need no
//! order of their own; only the state has one.

use c_interface::Ptr;

use super::atomic::{AtomicUsize, Ordering};

/// The block is in a queue, and its thread has not asked the kernel to wait yet.
pub(crate) const QUEUED: usize = 0;
/// Its thread waits in the kernel, or is about to.
pub(crate) const ASLEEP: usize = 1;
/// Its thread may go on. Nobody else touches the block any more.
pub(crate) const WOKEN: usize = 2;

/// What a block says.
#[derive(Clone, Copy)]
pub(crate) enum Field {
    /// The next block of the list, or 0.
    Next,
    /// The previous block of the list, or 0.
    Previous,
    /// The address that the thread waits for.
    Address,
    /// What for, as [`super::queue::Purpose`] numbers it; [`NOT_IN_A_LIST` once it has been taken out.
    Purpose,
    /// What the thread wants of the purpose; then, what it got.
    Wish,
    /// Whose block it is: a thread id.
    Thread,
    /// [`QUEUED`], [`ASLEEP`] or [`WOKEN`].
    State,
}

/// A wait block. Its address leaves four low bits for other things.
#[repr(align(16))]
pub(crate) struct WaitBlock {
    words: [AtomicUsize; 7],
}

impl WaitBlock {
    /// A block for a thread.
    pub(crate) fn new(thread: usize) -> Self {
        let block = Self {
            words: [const { AtomicUsize::new(0) }; 7],
        };
        block.words[Field::Thread as usize].store(thread, Ordering::Relaxed);
        block
    }

    /// How others find it.
    pub(crate) fn reference(&self) -> BlockRef {
        BlockRef(Ptr::of_shared(self).address())
    }
}

/// Where a block is; 0 is none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockRef(usize);

impl BlockRef {
    /// No block.
    pub(crate) const NONE: Self = Self(0);

    /// The block at an address that came from [`address`](Self::address).
    pub(crate) const fn at(address: usize) -> Self {
        Self(address)
    }

    pub(crate) const fn address(self) -> usize {
        self.0
    }

    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }

    fn word(self, field: Field) -> &'static AtomicUsize {
        Ptr::<usize>::new(self.0).add(field as usize).atomic()
    }

    /// Reads a field that a lock orders.
    pub(crate) fn get(self, field: Field) -> usize {
        self.word(field).load(Ordering::Relaxed)
    }

    /// Writes a field that a lock orders.
    pub(crate) fn set(self, field: Field, value: usize) {
        self.word(field).store(value, Ordering::Relaxed);
    }

    /// Reads the state.
    pub(crate) fn state(self, order: Ordering) -> usize {
        self.word(Field::State).load(order)
    }

    /// Changes the state from [`QUEUED`] to [`ASLEEP`]; false if it is another.
    pub(crate) fn fall_asleep(self) -> bool {
        self.word(Field::State)
            .compare_exchange(QUEUED, ASLEEP, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    /// Sets the state to [`WOKEN`] and says what it was. What was done before is seen by who acquires it.
    pub(crate) fn wake(self) -> usize {
        self.word(Field::State).swap(WOKEN, Ordering::Release)
    }
}
