//! Spin locks under contention.

use core::sync::atomic::{AtomicU64, Ordering};

use arch::Machine;
use arch::contract::{Irql, Processor};
use ke::dpc::{self, Dpc};
use ke::processor::active;
use ke::{LockOrder, QueuedSpinLock, SpinLock, info};

/// What the lock guards. Plain numbers: only the lock keeps them right.
struct Counted {
    acquisitions: u64,
    handovers: u64,
    last: u32,
}

const PROCESSORS: usize = 64;

static GUARDED: SpinLock<Counted> = SpinLock::new(Counted {
    acquisitions: 0,
    handovers: 0,
    last: 0,
});
static WANTED: AtomicU64 = AtomicU64::new(0);
static OWN: AtomicU64 = AtomicU64::new(0);
static DONE: AtomicU64 = AtomicU64::new(0);
static WORK: [Dpc; PROCESSORS] = [const { Dpc::new(|_, _| contend()) }; PROCESSORS];

/// Takes the lock until it has gone from one processor to another as often as wanted; counts its own turns outside the lock.
fn contend() {
    let here = Machine::number().0;
    let wanted = WANTED.load(Ordering::Relaxed);
    let mut own = 0;
    loop {
        let mut guarded = GUARDED.acquire();
        if guarded.handovers >= wanted {
            break;
        }
        // Between reading and writing the count the others get their chance: a lock that lets them in loses some.
        let acquisitions = guarded.acquisitions;
        Machine::relax();
        guarded.acquisitions = acquisitions + 1;
        if guarded.last != here {
            guarded.last = here;
            guarded.handovers += 1;
        }
        own += 1;
        drop(guarded);
        Machine::relax();
    }
    OWN.fetch_add(own, Ordering::Relaxed);
    DONE.fetch_add(1, Ordering::Release);
}

/// That many handovers across processors lose no count.
pub(crate) fn spin_lock(handovers: u64) -> Result<(), &'static str> {
    if active().count() < 2 {
        return Err("this test needs two processors");
    }
    dpc::set_time_out(u64::MAX);
    WANTED.store(handovers, Ordering::Relaxed);
    for number in active().without(Machine::number()).iter() {
        WORK[number.index()].set_target(number);
        WORK[number.index()].queue([0; 2]);
    }
    contend();
    while DONE.load(Ordering::Acquire) != u64::from(active().count()) {
        Machine::relax();
    }
    let guarded = GUARDED.acquire();
    let own = OWN.load(Ordering::Relaxed);
    info!(
        "{} acquisitions, {} handovers; counted outside: {own}",
        guarded.acquisitions, guarded.handovers
    );
    if guarded.acquisitions == own && guarded.handovers == handovers {
        Ok(())
    } else {
        Err("the count under the lock is not the sum of what each processor did")
    }
}

/// Turns of each processor under the fair lock.
const TURNS: u64 = 20_000;

static FAIR: QueuedSpinLock<u64> =
    QueuedSpinLock::new(0, LockOrder::new(2, Irql::Dispatch, "the fair lock"));
/// The turns that were taken, for who waits to look at.
static TAKEN: AtomicU64 = AtomicU64::new(0);
static BYPASSED: AtomicU64 = AtomicU64::new(0);
static FAIR_WORK: [Dpc; PROCESSORS] = [const { Dpc::new(|_, _| take_turns()) }; PROCESSORS];

/// Takes the lock again and again; notes how often others came first who had come later.
fn take_turns() {
    let others = u64::from(active().count()) - 1;
    let mut bypassed = 0;
    for _ in 0..TURNS {
        let before = TAKEN.load(Ordering::SeqCst);
        let mut turns = FAIR.acquire();
        // Those who waited already go first, and who had the lock; nobody goes twice.
        if *turns - before > others {
            bypassed += 1;
        }
        *turns += 1;
        TAKEN.store(*turns, Ordering::SeqCst);
        for _ in 0..20 {
            Machine::relax();
        }
        drop(turns);
    }
    BYPASSED.fetch_add(bypassed, Ordering::Relaxed);
    DONE.fetch_add(1, Ordering::Release);
}

/// Who comes first goes first. A processor that the host takes away between its look at the turns and its place in the
/// queue is passed by though nothing is wrong: one turn of a hundred may be.
pub(crate) fn queued_spin_lock() -> Result<(), &'static str> {
    let processors = u64::from(active().count());
    if processors < 2 {
        return Err("this test needs two processors");
    }
    dpc::set_time_out(u64::MAX);
    for number in active().without(Machine::number()).iter() {
        FAIR_WORK[number.index()].set_target(number);
        FAIR_WORK[number.index()].queue([0; 2]);
    }
    take_turns();
    while DONE.load(Ordering::Acquire) != processors {
        Machine::relax();
    }
    let (turns, bypassed) = (*FAIR.acquire(), BYPASSED.load(Ordering::Relaxed));
    info!("{turns} turns, {bypassed} of them out of order");
    if turns != processors * TURNS {
        Err("the lock lost turns")
    } else if bypassed * 100 > turns {
        Err("others go first who came later")
    } else {
        Ok(())
    }
}
