//! A device's line on the machine's own controller: the console's serial port, which interrupts when it can take a byte.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arch::Machine;
use arch::contract::{
    InterruptLine, Interrupts, Irql, Processor, ProcessorNumber, SelfTest, Trigger,
};
use ke::dpc::Dpc;
use ke::interrupt::{InterruptObject, unexpected};
use ke::processor::prcb;
use ke::{clock, info, irql};

type TestResult = Result<(), &'static str>;

const LEVEL: Irql = Irql::Device6;
const ROUNDS: u64 = 100;

static PORT: spin::Once<InterruptObject> = spin::Once::new();
/// How often the routine ran, at which its deferred part ran, and what either saw that must not be.
static SERVED: AtomicU64 = AtomicU64::new(0);
static DEFERRED: AtomicU64 = AtomicU64::new(0);
static WRONG_LEVEL: AtomicBool = AtomicBool::new(false);
static DPC_INSIDE: AtomicBool = AtomicBool::new(false);
static NO_CLOCK: AtomicBool = AtomicBool::new(false);

static LATER: Dpc = Dpc::new(|_, _| {
    if irql::current() != Irql::Dispatch {
        WRONG_LEVEL.store(true, Ordering::SeqCst);
    }
    DEFERRED.fetch_add(1, Ordering::SeqCst);
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

/// The service routine: the clock, which is above the port's level, interrupts it; its DPC, which is below, does not.
fn serve(_: &'static InterruptObject) -> bool {
    if !Machine::settle_console_interrupt() {
        return false;
    }
    // One interrupt is one round: the next is let in by the test.
    Machine::let_console_interrupt(false);
    if irql::current() != LEVEL {
        WRONG_LEVEL.store(true, Ordering::SeqCst);
    }
    let deferred = DEFERRED.load(Ordering::SeqCst);
    LATER.queue([0; 2]);
    let me = prcb(ProcessorNumber::BOOT);
    let ticks = me.ticks();
    // Each tenth time is enough: a tick takes 15 ms.
    if SERVED.load(Ordering::SeqCst).is_multiple_of(10) && !happens(|| me.ticks() > ticks) {
        NO_CLOCK.store(true, Ordering::SeqCst);
    }
    if DEFERRED.load(Ordering::SeqCst) != deferred {
        DPC_INSIDE.store(true, Ordering::SeqCst);
    }
    SERVED.fetch_add(1, Ordering::SeqCst);
    true
}

/// Lets the port interrupt, with a byte behind it that makes it want to.
fn ask() {
    Machine::let_console_interrupt(true);
    info!("the port may interrupt");
}

/// The port interrupts at its level; the clock comes through, the DPC waits until the level falls, and is done before the
/// interrupted code goes on. Raised to its level, the processor hears nothing. An interrupt that is none changes nothing.
pub(crate) fn device_line(line: u32) -> TestResult {
    let port = PORT.call_once(|| {
        InterruptObject::new(
            InterruptLine(line),
            LEVEL,
            Trigger::Level,
            ProcessorNumber::BOOT,
            serve,
        )
    });
    let here = arch::contract::ProcessorSet::only(ProcessorNumber::BOOT);
    ke::schedule::set_affinity(ke::thread::current(), here)
        .map_err(|_| "the first processor is not active")?;
    port.connect().map_err(|_| "the line cannot be connected")?;
    for round in 1..=ROUNDS {
        ask();
        if !happens(|| SERVED.load(Ordering::SeqCst) == round) {
            return Err("the port does not interrupt");
        }
        if DEFERRED.load(Ordering::SeqCst) != round {
            return Err("the thread went on before the DPC");
        }
        if round.is_multiple_of(10) {
            none_at_all()?;
        }
    }
    let raised = irql::raise(LEVEL);
    ask();
    let deadline = clock::deadline(200);
    while !clock::has_passed(deadline) {
        Machine::relax();
    }
    if SERVED.load(Ordering::SeqCst) != ROUNDS {
        return Err("the port interrupts a processor at its level");
    }
    drop(raised);
    if !happens(|| SERVED.load(Ordering::SeqCst) == ROUNDS + 1) {
        return Err("what was held back does not come when the level falls");
    }
    for (wrong, why) in [
        (&WRONG_LEVEL, "a routine or its DPC ran at another level"),
        (&DPC_INSIDE, "a DPC ran inside a service routine"),
        (&NO_CLOCK, "the clock does not interrupt a service routine"),
    ] {
        if wrong.load(Ordering::SeqCst) {
            return Err(why);
        }
    }
    disconnected(port)?;
    info!("{} interrupts of line {line}", port.served());
    Ok(())
}

/// A line that is disconnected does not interrupt, however long its device wants to: the processor takes the clock's
/// interrupts meanwhile, so it would have taken the device's.
fn disconnected(port: &'static InterruptObject) -> TestResult {
    // Whatever still came on the line: the routine's, one of a line that is nobody's, one that the controller forgot.
    let came = || {
        [
            SERVED.load(Ordering::SeqCst),
            port.not_claimed(),
            unexpected(),
            Machine::spurious_count(),
        ]
    };
    port.disconnect();
    let before = came();
    ask();
    let ticks = prcb(ProcessorNumber::BOOT).ticks();
    let clock_came = happens(|| prcb(ProcessorNumber::BOOT).ticks() >= ticks + 2);
    let after = came();
    let wanted = Machine::settle_console_interrupt();
    Machine::let_console_interrupt(false);
    if !clock_came {
        return Err("no interrupt comes after a line was disconnected");
    }
    if !wanted {
        return Err("the port did not want to interrupt, so nothing is shown");
    }
    if before != after || before[2] != 0 {
        return Err("a line that is disconnected interrupts");
    }
    Ok(())
}

/// The controller signals and then has nothing to give (INTID 1023, or the local APIC's vector for it): it is counted, and
/// no level stays raised.
fn none_at_all() -> TestResult {
    let before = Machine::spurious_count();
    if !Machine::take_spurious_interrupt() {
        return Err("the controller gives no spurious interrupt");
    }
    if Machine::spurious_count() == before || irql::current() != Irql::Passive {
        return Err("a spurious interrupt is not counted, or leaves its level");
    }
    let ticks = prcb(ProcessorNumber::BOOT).ticks();
    if !happens(|| prcb(ProcessorNumber::BOOT).ticks() > ticks) {
        return Err("no interrupt comes after a spurious one");
    }
    Ok(())
}
