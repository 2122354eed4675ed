//! The timer wheel: what falls due when.
//!
//! 256 buckets of a millisecond each; a timer is in the bucket of its due time,
//! modulo the wheel. To start or cancel one is a few stores. Each clock tick on the
//! first processor looks at the earliest due time there is, and only when that has
//! come queues a DPC, which goes through the buckets between the last look and now
//! and takes out what is due. A timer that is due in a later turn of the wheel is
//! passed over: with *n* timers a turn costs *n* looks, whatever their times.
//!
//! No timer falls due early: what counts is interrupt time, not ticks. It may be
//! late by the time to the next tick, which is what the clock's resolution means.

use core::sync::atomic::{AtomicU64, Ordering};

use super::list::List;
use super::{Database, Field, WaitTimer, lock};
use crate::clock;
use crate::dpc::Dpc;

/// The list of timers of a bucket.
pub(crate) enum Bucket {}

const BUCKETS: usize = 256;
/// Units of 100 ns in a bucket.
const WIDTH: u64 = 10_000;
/// Timers that fall due under one hold of the database.
const PORTION: usize = 32;

struct Slot {
    timers: List<WaitTimer, Bucket>,
    /// No timer of the bucket is due earlier; `u64::MAX` if it has none.
    earliest: Field<u64>,
}

static WHEEL: [Slot; BUCKETS] = [const {
    Slot {
        timers: List::new(),
        earliest: Field::of_word(u64::MAX),
    }
}; BUCKETS];

/// No timer is due earlier. Written under the database; the clock glances at it.
static EARLIEST: AtomicU64 = AtomicU64::new(u64::MAX);
/// The bucket number (not reduced) up to which all that was due is taken out.
static DONE: Field<u64> = Field::zero();

static EXPIRE: Dpc = Dpc::new(|_, _| expire());

/// Forgets what an earlier test left.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn forget() {
    for slot in &WHEEL {
        slot.timers.forget();
        slot.earliest.set_by_owner(u64::MAX);
    }
    EARLIEST.store(u64::MAX, Ordering::Relaxed);
    DONE.set_by_owner(0);
    EXPIRE.remove();
}

fn bucket(number: u64) -> &'static Slot {
    // A remainder of 256 fits.
    &WHEEL[usize::try_from(number % BUCKETS as u64).unwrap_or(0)]
}

pub(super) fn insert(database: &Database, timer: &'static WaitTimer) {
    let due = timer.due.get(database);
    let slot = bucket(due / WIDTH);
    slot.timers.push_back(database, timer);
    if due < slot.earliest.get(database) {
        slot.earliest.set(database, due);
    }
    if due < EARLIEST.load(Ordering::Relaxed) {
        EARLIEST.store(due, Ordering::Relaxed);
    }
    // A time that is past belongs to a bucket that may have been passed already.
    if due / WIDTH < DONE.get(database) {
        DONE.set(database, due / WIDTH);
    }
}

pub(super) fn remove(database: &Database, timer: &'static WaitTimer) {
    // The earliest times stay as they are: too early costs a look in vain.
    bucket(timer.due.get(database) / WIDTH)
        .timers
        .remove(database, timer);
}

/// The interrupt time before which nothing is due.
fn next_due() -> u64 {
    EARLIEST.load(Ordering::Relaxed)
}

/// The clock ticked on the first processor.
pub(crate) fn clock_ticked(now: u64) {
    if next_due() <= now {
        EXPIRE.queue([0; 2]);
    }
}

/// How often the clock found something due.
static LOOKS: AtomicU64 = AtomicU64::new(0);

/// How often the clock found something due: what timers that tolerate a delay save.
pub fn expirations() -> u64 {
    LOOKS.load(Ordering::Relaxed)
}

/// Takes out all that is due, in portions, so that the database is not held for long.
fn expire() {
    LOOKS.fetch_add(1, Ordering::Relaxed);
    loop {
        let database = lock();
        let now = clock::interrupt_time();
        if !expire_portion(&database, now) {
            return;
        }
    }
}

/// Takes out some of what is due; true if there may be more.
fn expire_portion(database: &Database, now: u64) -> bool {
    let last = now / WIDTH;
    // More than one turn of the wheel behind, every bucket is looked at once.
    let first = DONE
        .get(database)
        .max((last + 1).saturating_sub(BUCKETS as u64));
    let mut taken = 0;
    for number in first..=last {
        let slot = bucket(number);
        if slot.earliest.get(database) > now {
            continue;
        }
        let mut next = slot.timers.first(database);
        while let Some(timer) = next {
            next = slot.timers.next(database, timer);
            if timer.due.get(database) > now {
                continue;
            }
            if taken == PORTION {
                DONE.set(database, number);
                return true;
            }
            taken += 1;
            slot.timers.remove(database, timer);
            timer.expired(database, now);
            // What that ended may have taken `next` out: the limit of a wait that the timer satisfied. And it may have started
            // timers, of this bucket too. One that is still here is walked on from; what is passed over is counted below.
            if next.is_some_and(|next| !is_in(database, slot, next)) {
                next = slot.timers.first(database);
            }
        }
        slot.earliest.set(database, earliest_of(database, slot));
    }
    // The bucket of this moment is looked at again: more of it falls due.
    DONE.set(database, last);
    let earliest = WHEEL
        .iter()
        .map(|slot| slot.earliest.get(database))
        .min()
        .unwrap_or(u64::MAX);
    EARLIEST.store(earliest, Ordering::Relaxed);
    earliest <= now
}

fn is_in(database: &Database, slot: &'static Slot, timer: &WaitTimer) -> bool {
    timer.inserted.get(database) && core::ptr::eq(bucket(timer.due.get(database) / WIDTH), slot)
}

/// The system's clock was set: moves all timers that were set for a system time.
pub(crate) fn follow_system_time() {
    let database = lock();
    for slot in &WHEEL {
        let mut next = slot.timers.first(&database);
        while let Some(timer) = next {
            next = slot.timers.next(&database, timer);
            // One that moved may be in this bucket again, or behind `next`; it does not move twice.
            if timer.follow_system_time(&database) {
                next = slot.timers.first(&database);
            }
        }
    }
}

/// The earliest time of a bucket, counted anew.
fn earliest_of(database: &Database, slot: &Slot) -> u64 {
    let mut earliest = u64::MAX;
    let mut next = slot.timers.first(database);
    while let Some(timer) = next {
        earliest = earliest.min(timer.due.get(database));
        next = slot.timers.next(database, timer);
    }
    earliest
}
