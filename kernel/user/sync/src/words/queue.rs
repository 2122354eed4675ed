//! Waiting by address: the queue that every lock of this crate waits in.
//!
//! Guarantee: under the bucket's lock the check and the entry into the queue are one step, and so are the look at the queue
//! and what is done about it. So a waker who changes what the check looks at, and then looks at the queue, finds whoever
//! checked before; and whoever checks after sees the change. That is all that "no lost wake-up" needs, and it does not
//! depend on the order in which a machine performs stores, because the bucket's lock is released by one of the two and
//! acquired by the other.
//!
//! A block leaves the list in one of two ways, both under the lock: its waker takes it out and owes it the state `WOKEN`,
//! or its own thread, whose time has come, finds it still in the list and takes it out. A thread that finds itself taken
//! out waits for its waker's last touch. So no block is touched after its thread has returned.
//!
//! Who came first is first, but for those who were woken, did not get what they came for, and go back to the front.

use super::atomic::Ordering;
use super::block::{BlockRef, Field, WaitBlock};
use super::bucket::Bucket;
use super::parking::{self, Alert, Deadline, Parking};

/// What is waited for. Two things of a program may have the same address one after the other, or by mistake at once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A critical section.
    Section = 1,
    /// A slim lock.
    Lock,
    /// A condition variable.
    Condition,
    /// An address of the program's.
    Address,
    /// Something that is done once.
    Once,
    /// A barrier.
    Barrier,
    /// A list whose first entry is being taken.
    List,
    /// Shares of a resource.
    ResourceShared,
    /// A resource alone.
    ResourceAlone,
    /// Work of a pool.
    Worker,
    /// The end of a pool's callbacks.
    Object,
    /// The time of the next timer.
    Timers,
    /// A waiter's next look.
    Waiter,
}

/// `Field::Purpose` of a block that is in no list.
const NOT_IN_A_LIST: usize = 0;

/// What a thread waits by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) address: usize,
    pub(crate) purpose: Purpose,
}

/// A thread that waits.
#[derive(Clone, Copy)]
pub(crate) struct Waiter {
    block: BlockRef,
    /// What it said that it wants.
    pub(crate) wish: usize,
}

/// Those who wait by a key, while the bucket's lock is held.
pub(crate) struct Queue<'a> {
    bucket: &'a Bucket,
    key: Key,
    /// Those who are to be woken, first and last; linked by `Next`.
    woken: [BlockRef; 2],
}

impl Queue<'_> {
    fn first_of(&self, mut block: BlockRef) -> Option<Waiter> {
        while !block.is_none() {
            if block.get(Field::Address) == self.key.address
                && block.get(Field::Purpose) == self.key.purpose as usize
            {
                let wish = block.get(Field::Wish);
                return Some(Waiter { block, wish });
            }
            block = BlockRef::at(block.get(Field::Next));
        }
        None
    }

    /// The one who came first.
    pub(crate) fn first(&self) -> Option<Waiter> {
        self.first_of(BlockRef::at(self.bucket.first.load(Ordering::Relaxed)))
    }

    /// Whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.first().is_none()
    }

    /// Takes a waiter out; it goes on, with an answer, when the bucket is free again.
    pub(crate) fn wake(&mut self, waiter: Waiter, answer: usize) {
        let block = waiter.block;
        take_out(self.bucket, block);
        block.set(Field::Wish, answer);
        block.set(Field::Next, 0);
        let [first, last] = self.woken;
        if first.is_none() {
            self.woken[0] = block;
        } else {
            last.set(Field::Next, block.address());
        }
        self.woken[1] = block;
    }

    /// Wakes all.
    pub(crate) fn wake_all(&mut self, answer: usize) {
        while let Some(waiter) = self.first() {
            self.wake(waiter, answer);
        }
    }
}

/// Takes a block out of a bucket's list.
fn take_out(bucket: &Bucket, block: BlockRef) {
    let next = BlockRef::at(block.get(Field::Next));
    let previous = BlockRef::at(block.get(Field::Previous));
    if previous.is_none() {
        bucket.first.store(next.address(), Ordering::Relaxed);
    } else {
        previous.set(Field::Next, next.address());
    }
    if next.is_none() {
        bucket.last.store(previous.address(), Ordering::Relaxed);
    } else {
        next.set(Field::Previous, previous.address());
    }
    block.set(Field::Purpose, NOT_IN_A_LIST);
}

/// Where in the list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Behind all others.
    Back,
    /// Before all others: for who was woken before and went away empty.
    Front,
}

fn put_in(bucket: &Bucket, block: BlockRef, place: Place) {
    let (end, opposite, inward, outward) = match place {
        Place::Back => (&bucket.last, &bucket.first, Field::Previous, Field::Next),
        Place::Front => (&bucket.first, &bucket.last, Field::Next, Field::Previous),
    };
    let neighbour = BlockRef::at(end.load(Ordering::Relaxed));
    block.set(inward, neighbour.address());
    block.set(outward, 0);
    end.store(block.address(), Ordering::Relaxed);
    if neighbour.is_none() {
        opposite.store(block.address(), Ordering::Relaxed);
    } else {
        neighbour.set(outward, block.address());
    }
}

/// Looks at those who wait by a key and does something about them, in one step; then wakes whom `body` woke.
pub(crate) fn with_queue<P: Parking, T>(
    parking: &P,
    key: Key,
    body: impl FnOnce(&mut Queue<'_>) -> T,
) -> T {
    let bucket = parking.bucket(key.address);
    let mut queue = Queue {
        bucket,
        key,
        woken: [BlockRef::NONE; 2],
    };
    bucket.lock(parking);
    let result = body(&mut queue);
    bucket.unlock(parking);
    let [mut block, _] = queue.woken;
    while !block.is_none() {
        // Before the wake: afterwards the block is gone.
        let next = BlockRef::at(block.get(Field::Next));
        parking::wake(parking, block);
        block = next;
    }
    result
}

/// How a wait by address ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// Somebody woke the caller and gave it this answer.
    Woken(usize),
    /// The time had come.
    TimedOut,
    /// The check found that there is nothing to wait for.
    Unneeded,
}

/// A wait by address.
pub(crate) struct Wait {
    pub(crate) key: Key,
    /// What others shall know.
    pub(crate) wish: usize,
    pub(crate) place: Place,
    pub(crate) deadline: Deadline,
    /// How often to look whether somebody has woken the caller before the kernel is asked to wait.
    pub(crate) spins: u32,
}

impl Wait {
    /// A wait that lasts as long as it takes, behind all others.
    pub(crate) const fn new(key: Key, wish: usize) -> Self {
        Self {
            key,
            wish,
            place: Place::Back,
            deadline: Deadline::Never,
            spins: 0,
        }
    }

    /// Waits if `check`, which runs under the bucket's lock, says so.
    ///
    /// `queued` runs when the lock is free again and the caller can be found. `given_up` runs under the lock if the
    /// time has come, when the caller is in the queue no more.
    pub(crate) fn park<P: Parking>(
        &self,
        parking: &P,
        check: impl FnOnce() -> bool,
        queued: impl FnOnce(),
        given_up: impl FnOnce(&Queue<'_>),
    ) -> Outcome {
        let bucket = parking.bucket(self.key.address);
        let own = WaitBlock::new(parking.thread_id());
        let block = own.reference();
        block.set(Field::Address, self.key.address);
        block.set(Field::Purpose, self.key.purpose as usize);
        block.set(Field::Wish, self.wish);
        bucket.lock(parking);
        if !check() {
            bucket.unlock(parking);
            return Outcome::Unneeded;
        }
        put_in(bucket, block, self.place);
        bucket.unlock(parking);
        queued();
        if parking::sleep(parking, block, self.spins, self.deadline) == Alert::TimedOut
            && self.give_up(parking, bucket, block, given_up)
        {
            return Outcome::TimedOut;
        }
        Outcome::Woken(block.get(Field::Wish))
    }

    /// Takes the caller's block out if it is in the list still; otherwise waits for who has taken it.
    #[cold]
    fn give_up<P: Parking>(
        &self,
        parking: &P,
        bucket: &Bucket,
        block: BlockRef,
        given_up: impl FnOnce(&Queue<'_>),
    ) -> bool {
        bucket.lock(parking);
        let listed = block.get(Field::Purpose) != NOT_IN_A_LIST;
        if listed {
            take_out(bucket, block);
            given_up(&Queue {
                bucket,
                key: self.key,
                woken: [BlockRef::NONE; 2],
            });
        }
        bucket.unlock(parking);
        if !listed {
            parking::sleep(parking, block, 0, Deadline::Never);
        }
        listed
    }

    /// Waits if `check` says so, until somebody wakes the caller; gives the answer, or `None` if there was nothing to wait
    /// for.
    pub(crate) fn park_for_good<P: Parking>(
        &self,
        parking: &P,
        check: impl FnOnce() -> bool,
    ) -> Option<usize> {
        match self.park(parking, check, || (), |_| ()) {
            Outcome::Woken(answer) => Some(answer),
            Outcome::TimedOut | Outcome::Unneeded => None,
        }
    }
}
