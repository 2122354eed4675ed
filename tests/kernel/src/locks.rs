//! The spin lock under contention.

use core::sync::atomic::{AtomicU64, Ordering};

use arch::Machine;
use arch::contract::Processor;
use ke::dpc::{self, Dpc};
use ke::processor::active;
use ke::{SpinLock, info};

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
