//! The table of those who wait: buckets, each with a lock of its own and a list of wait blocks.
//!
//! # The lock of a bucket
//! One word: bit 0 says that it is held, the rest is the address of the wait block that came last, from which `Next` leads
//! to those that came before.
//!
//! - Anybody takes it by setting bit 0 where it is clear, whoever waits.
//! - Who has to wait puts its block in front by a compare-exchange that succeeds only while the lock is held.
//! - Only the holder takes a block out, the one that came first, and wakes its thread after it has freed the lock.
//!
//! No wake-up is lost: a block is put in only while somebody holds the lock, and a holder who sees blocks as it leaves
//! wakes a thread, which then tries again and, when it has the lock in the end, does the same. If it finds the lock held,
//! that holder's leave cannot have seen the list empty of its new block.
//!
//! Order: taking is an acquire on the word, freeing a release; every change between is a read-modify-write, so that who
//! takes the lock sees what all former holders did. Putting a block in is a release, and the holder reads the word with an
//! acquire before it walks, so it sees what the blocks say.
//!
//! It is held for a few dozen instructions and never while its holder enters the kernel. A thread that is preempted there
//! makes others wait, not spin, so that a thread of higher priority lets it go on.

use super::atomic::{AtomicUsize, Ordering, address_of};
use super::block::{BlockRef, Field, WaitBlock};
use super::parking::{self, Deadline, Parking};

const HELD: usize = 1;

/// The queues of some addresses.
#[repr(align(64))]
pub struct Bucket {
    word: AtomicUsize,
    /// The list's ends, for [`super::queue`].
    pub(super) first: AtomicUsize,
    pub(super) last: AtomicUsize,
}

impl Default for Bucket {
    fn default() -> Self {
        Self::new()
    }
}

impl Bucket {
    /// A bucket in which nobody waits.
    pub const fn new() -> Self {
        Self {
            word: AtomicUsize::new(0),
            first: AtomicUsize::new(0),
            last: AtomicUsize::new(0),
        }
    }

    /// Forgets who waits and who holds the lock: for a process that ends, when its other threads are gone.
    pub fn forget(&self) {
        for word in [&self.word, &self.first, &self.last] {
            word.store(0, Ordering::Relaxed);
        }
    }

    #[inline]
    fn try_lock(&self) -> bool {
        self.word.fetch_or(HELD, Ordering::Acquire) & HELD == 0
    }

    #[inline]
    pub(super) fn lock<P: Parking>(&self, parking: &P) {
        if !self.try_lock() {
            self.wait(parking);
        }
    }

    #[cold]
    fn wait<P: Parking>(&self, parking: &P) {
        let spins = parking::spins(parking, P::SPINS);
        loop {
            for _ in 0..spins {
                if self.word.load(Ordering::Relaxed) & HELD == 0 && self.try_lock() {
                    return;
                }
                parking.relax();
            }
            let block = WaitBlock::new(parking.thread_id());
            let reference = block.reference();
            reference.set(Field::Address, address_of(self));
            if self.put_in(reference) {
                parking::sleep(parking, reference, spins, Deadline::Never);
            }
            if self.try_lock() {
                return;
            }
        }
    }

    /// Puts a block in if the lock is held.
    fn put_in(&self, block: BlockRef) -> bool {
        let mut word = self.word.load(Ordering::Relaxed);
        while word & HELD != 0 {
            block.set(Field::Next, word & !HELD);
            match self.word.compare_exchange_weak(
                word,
                block.address() | HELD,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    #[inline]
    pub(super) fn unlock<P: Parking>(&self, parking: &P) {
        if self
            .word
            .compare_exchange(HELD, 0, Ordering::Release, Ordering::Relaxed)
            .is_err()
        {
            self.unlock_and_wake(parking);
        }
    }

    #[cold]
    fn unlock_and_wake<P: Parking>(&self, parking: &P) {
        loop {
            let word = self.word.load(Ordering::Acquire);
            let mut newer = BlockRef::NONE;
            let mut oldest = BlockRef::at(word & !HELD);
            loop {
                let next = BlockRef::at(oldest.get(Field::Next));
                if next.is_none() {
                    break;
                }
                newer = oldest;
                oldest = next;
            }
            if !newer.is_none() {
                newer.set(Field::Next, 0);
                self.word.fetch_and(!HELD, Ordering::Release);
            } else if self
                .word
                .compare_exchange(word, 0, Ordering::Release, Ordering::Relaxed)
                .is_err()
            {
                // Others came since, so this one is the oldest of several.
                continue;
            }
            parking::wake(parking, oldest);
            return;
        }
    }
}

/// The buckets of a process: a power of two, so that no two locks of a program meet in one by design.
pub struct Buckets<const COUNT: usize>([Bucket; COUNT]);

impl<const COUNT: usize> Default for Buckets<COUNT> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const COUNT: usize> Buckets<COUNT> {
    /// Buckets in which nobody waits.
    pub const fn new() -> Self {
        const { assert!(COUNT.is_power_of_two()) };
        Self([const { Bucket::new() }; COUNT])
    }

    /// The bucket of an address. Neighbours are mostly the words of one object, so bits of all sizes are mixed in.
    #[inline]
    pub fn bucket(&self, address: usize) -> &Bucket {
        let mixed = (address >> 2) ^ (address >> 9) ^ (address >> 17);
        &self.0[mixed & (COUNT - 1)]
    }

    /// Forgets who waits: for a process that ends, when its other threads are gone and with them their stacks, where
    /// the wait blocks are.
    pub fn forget(&self) {
        for bucket in &self.0 {
            bucket.forget();
        }
    }
}
