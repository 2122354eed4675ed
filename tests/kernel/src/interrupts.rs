//! The clock, levels, DPCs, and stopping other processors.

use core::sync::atomic::{AtomicU64, Ordering};

use arch::Machine;
use arch::contract::{Clock, Irql, Processor, ProcessorNumber, ProcessorSet};
use ke::dpc::{self, Dpc};
use ke::processor::{active, prcb};
use ke::{clock, info, ipi, irql, processor};

/// As many as the kernel has at most.
const PROCESSORS: usize = 64;

fn wait(milliseconds: u64) {
    let deadline = clock::deadline(milliseconds);
    while !clock::has_passed(deadline) {
        Machine::relax();
    }
}

/// Over two seconds of the counter each processor's clock ticks 128 times, one more or less at the edges. The test machine
/// counts instructions for time, so no load of the host can make this fail.
pub(crate) fn clock_rate() -> Result<(), &'static str> {
    const SECONDS: u64 = 2;
    let mut before = [0; PROCESSORS];
    for number in active().iter() {
        before[number.index()] = prcb(number).ticks();
    }
    let deadline = clock::deadline(SECONDS * 1000);
    while !clock::has_passed(deadline) {
        // Waiting costs no instructions, so the two seconds pass at once.
        processor::idle_once();
    }
    let mut right = true;
    for number in active().iter() {
        let ticks = prcb(number).ticks() - before[number.index()];
        info!("processor {}: {ticks} ticks in {SECONDS} s", number.0);
        right &= ticks.abs_diff(SECONDS * clock::TICKS_PER_SECOND) <= 1;
    }
    if right {
        Ok(())
    } else {
        Err("a processor's clock is off its rate")
    }
}

static CALLS_ASKED: AtomicU64 = AtomicU64::new(0);
static CALLS_TAKEN: AtomicU64 = AtomicU64::new(0);

/// Asks processor 0 for a call, from processor 1.
static CALL_PROCESSOR_0: Dpc = Dpc::new(|_, _| {
    CALLS_ASKED.fetch_add(1, Ordering::Release);
    ipi::call(
        ProcessorSet::only(ProcessorNumber::BOOT),
        |_| _ = CALLS_TAKEN.fetch_add(1, Ordering::Relaxed),
        0,
    );
});

/// Waits until something happens; false if it does not within 20 seconds, which a loaded host does not need either.
fn happens(what: impl Fn() -> bool) -> bool {
    let deadline = clock::deadline(20_000);
    while !what() {
        if clock::has_passed(deadline) {
            return false;
        }
        Machine::relax();
    }
    true
}

/// At each level, exactly the interrupts above it come; those that were held back come when the level falls.
pub(crate) fn irql_masks() -> Result<(), &'static str> {
    if active().count() < 2 {
        return Err("this test needs two processors");
    }
    CALL_PROCESSOR_0.set_target(ProcessorNumber(1));
    let me = prcb(ProcessorNumber::BOOT);
    for level in Irql::ALL {
        let asked = CALLS_ASKED.load(Ordering::Relaxed);
        let taken = CALLS_TAKEN.load(Ordering::Relaxed);
        if !happens(|| CALL_PROCESSOR_0.queue([0; 2])) {
            return Err("the DPC for processor 1 is still queued from the level before");
        }
        // The DPC may run at once: what comes before the level is raised is asked for again below.
        if !happens(|| CALLS_TAKEN.load(Ordering::Relaxed) == taken + 1)
            || CALLS_ASKED.load(Ordering::Relaxed) != asked + 1
        {
            return Err("an interprocessor call does not come at passive level");
        }
        let raised = irql::raise(level);
        let ticks = me.ticks();
        if !happens(|| CALL_PROCESSOR_0.queue([0; 2]))
            || !happens(|| CALLS_ASKED.load(Ordering::Acquire) == asked + 2)
        {
            return Err("processor 1 does not run its DPC");
        }
        let clock_came = if level < Irql::Clock {
            happens(|| me.ticks() > ticks)
        } else {
            comes_anyway(|| me.ticks() > ticks)
        };
        let call_is_here = || CALLS_TAKEN.load(Ordering::Relaxed) > taken + 1;
        let call_came = if level < Irql::Ipi {
            happens(call_is_here)
        } else {
            comes_anyway(call_is_here)
        };
        info!(
            "level {:2}: clock {clock_came}, call {call_came}",
            level.level()
        );
        if clock_came != (level < Irql::Clock) {
            return Err("the clock interrupt is not masked by level");
        }
        if call_came != (level < Irql::Ipi) {
            return Err("the interprocessor interrupt is not masked by level");
        }
        let ticks = me.ticks();
        drop(raised);
        if !happens(|| me.ticks() > ticks && CALLS_TAKEN.load(Ordering::Relaxed) == taken + 2) {
            return Err("an interrupt that was held back did not come when the level fell");
        }
    }
    clock_waits_for_calls()
}

/// Whether something that must not happen does, within the time of six ticks.
fn comes_anyway(what: impl Fn() -> bool) -> bool {
    wait(100);
    what()
}

static TICKS_DURING_CALL: AtomicU64 = AtomicU64::new(0);

/// While an interrupt of a high level is in service, one of a lower level waits although no mask was written.
fn clock_waits_for_calls() -> Result<(), &'static str> {
    static LONG_CALL: Dpc = Dpc::new(|_, _| {
        let routine = |_| {
            let before = prcb(ProcessorNumber::BOOT).ticks();
            wait(100);
            TICKS_DURING_CALL.store(
                prcb(ProcessorNumber::BOOT).ticks() - before,
                Ordering::Relaxed,
            );
            CALLS_TAKEN.fetch_add(1, Ordering::Relaxed);
        };
        ipi::call(ProcessorSet::only(ProcessorNumber::BOOT), routine, 0);
    });
    TICKS_DURING_CALL.store(99, Ordering::Relaxed);
    LONG_CALL.set_target(ProcessorNumber(1));
    let calls = CALLS_TAKEN.load(Ordering::Relaxed);
    let ticks = prcb(ProcessorNumber::BOOT).ticks();
    LONG_CALL.queue([0; 2]);
    while CALLS_TAKEN.load(Ordering::Relaxed) == calls
        || prcb(ProcessorNumber::BOOT).ticks() == ticks
    {
        Machine::relax();
    }
    if TICKS_DURING_CALL.load(Ordering::Relaxed) == 0 {
        Ok(())
    } else {
        Err("the clock interrupted an interrupt of a higher level")
    }
}

static RAN: [AtomicU64; PROCESSORS] = [const { AtomicU64::new(0) }; PROCESSORS];
static WRONG: AtomicU64 = AtomicU64::new(0);
static TARGETED: [Dpc; PROCESSORS] = [const {
    Dpc::new(|_, [expected, _]| {
        let here = Machine::number();
        if u64::from(here.0) != expected || irql::current() != Irql::Dispatch {
            WRONG.fetch_add(1, Ordering::Relaxed);
        }
        RAN[here.index()].fetch_add(1, Ordering::Release);
    })
}; PROCESSORS];

/// DPCs run before the processor is back at passive level, at Dispatch, each on its own processor, each once.
pub(crate) fn dpcs() -> Result<(), &'static str> {
    const ROUNDS: u64 = 10_000;
    static HERE: Dpc = Dpc::new(|_, _| _ = RAN[0].fetch_add(1, Ordering::Relaxed));
    for round in 0..ROUNDS {
        let raised = irql::raise(Irql::Dispatch);
        HERE.queue([0; 2]);
        if RAN[0].load(Ordering::Relaxed) != round {
            return Err("a DPC ran although the level was Dispatch");
        }
        drop(raised);
        if RAN[0].load(Ordering::Relaxed) != round + 1 {
            return Err("a DPC did not run before the level was passive");
        }
    }
    RAN[0].store(0, Ordering::Relaxed);
    for number in active().iter() {
        TARGETED[number.index()].set_target(number);
    }
    for round in 1..=ROUNDS / 10 {
        for number in active().iter() {
            while !TARGETED[number.index()].queue([u64::from(number.0), 0]) {
                Machine::relax();
            }
        }
        while !active()
            .iter()
            .all(|number| RAN[number.index()].load(Ordering::Acquire) == round)
        {
            Machine::relax();
        }
    }
    if WRONG.load(Ordering::Relaxed) == 0 {
        Ok(())
    } else {
        Err("a DPC ran on another processor or at another level")
    }
}

/// A DPC that does not end is found by the clock: bug check `DPC_WATCHDOG_VIOLATION`.
pub(crate) fn dpc_watchdog() -> Result<(), &'static str> {
    static ENDLESS: Dpc = Dpc::new(|_, _| {
        loop {
            Machine::relax();
        }
    });
    dpc::set_time_out(5);
    ENDLESS.queue([0; 2]);
    Err("the endless DPC ended")
}

/// A bug check stops the other processors, also one that spins at Dispatch.
pub(crate) fn freeze() -> Result<(), &'static str> {
    static SPINNING: AtomicU64 = AtomicU64::new(0);
    static SPIN: [Dpc; PROCESSORS] = [const {
        Dpc::new(|_, _| {
            SPINNING.fetch_add(1, Ordering::Relaxed);
            loop {
                Machine::relax();
            }
        })
    }; PROCESSORS];
    let others = active().without(Machine::number());
    for number in others.iter() {
        SPIN[number.index()].set_target(number);
        SPIN[number.index()].queue([0; 2]);
    }
    while SPINNING.load(Ordering::Relaxed) != u64::from(others.count()) {
        Machine::relax();
    }
    info!(
        "{} processors spin; counter {}",
        others.count(),
        Machine::counter()
    );
    ke::bug_check::stop(ke::bug_check::MANUAL, [1, 2, 3, 4])
}
