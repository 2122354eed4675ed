//! Wait blocks that know when they are gone.
//!
//! The interface is that of `kernel/user/sync/src/words/block.rs`. An address is a place in a list of all blocks of the
//! test; a block that has been given back is never used again, so every touch of it is found.

use ::std::sync::atomic::AtomicBool;
use ::std::sync::{Arc, Mutex};

use loom::sync::atomic::AtomicUsize;

use super::atomic::Ordering;

pub(crate) const QUEUED: usize = 0;
pub(crate) const ASLEEP: usize = 1;
pub(crate) const WOKEN: usize = 2;

#[derive(Clone, Copy)]
pub(crate) enum Field {
    Next,
    Previous,
    Address,
    Purpose,
    Wish,
    Thread,
    State,
}

struct Block {
    words: [AtomicUsize; 7],
    gone: AtomicBool,
}

loom::lazy_static! {
    static ref BLOCKS: Mutex<Vec<Arc<Block>>> = Mutex::new(Vec::new());
}

/// A block; its address leaves four low bits, as the real one's.
pub(crate) struct WaitBlock {
    block: Arc<Block>,
    address: usize,
}

impl WaitBlock {
    pub(crate) fn new(thread: usize) -> Self {
        let block = Arc::new(Block {
            words: ::std::array::from_fn(|_| AtomicUsize::new(0)),
            gone: AtomicBool::new(false),
        });
        block.words[Field::Thread as usize].store(thread, Ordering::Relaxed);
        let mut blocks = BLOCKS.lock().unwrap();
        blocks.push(Arc::clone(&block));
        Self {
            block,
            address: blocks.len() * 16,
        }
    }

    pub(crate) fn reference(&self) -> BlockRef {
        BlockRef(self.address)
    }
}

impl Drop for WaitBlock {
    fn drop(&mut self) {
        // Others use this part of the stack now. `loom` changes turns only where two threads touch the same word, one of
        // them to change it; without these stores it would not try what a late touch meets.
        if !::std::thread::panicking() {
            for word in &self.block.words {
                word.store(usize::MAX, Ordering::Relaxed);
            }
        }
        self.block.gone.store(true, Ordering::SeqCst);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockRef(usize);

impl BlockRef {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) const fn at(address: usize) -> Self {
        Self(address)
    }

    pub(crate) const fn address(self) -> usize {
        self.0
    }

    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Touches a word. `loom` lets others run before an access, not after it, so a block that is there afterwards was there
    /// at the time.
    fn word<T>(self, field: Field, access: impl FnOnce(&AtomicUsize) -> T) -> T {
        let block = Arc::clone(&BLOCKS.lock().unwrap()[self.0 / 16 - 1]);
        let result = access(&block.words[field as usize]);
        assert!(
            !block.gone.load(Ordering::SeqCst),
            "a wait block is touched after its life"
        );
        result
    }

    pub(crate) fn get(self, field: Field) -> usize {
        self.word(field, |word| word.load(Ordering::Relaxed))
    }

    pub(crate) fn set(self, field: Field, value: usize) {
        self.word(field, |word| word.store(value, Ordering::Relaxed));
    }

    pub(crate) fn state(self, order: Ordering) -> usize {
        self.word(Field::State, |word| word.load(order))
    }

    pub(crate) fn fall_asleep(self) -> bool {
        self.word(Field::State, |word| {
            word.compare_exchange(QUEUED, ASLEEP, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        })
    }

    pub(crate) fn wake(self) -> usize {
        self.word(Field::State, |word| word.swap(WOKEN, Ordering::Release))
    }
}
