//! System worker threads: what is queued is done, in its order, whoever blocks.

use core::sync::atomic::{AtomicU32, Ordering};

use arch::contract::Irql;
use ex::worker::{WorkKind, WorkerLimits, Workers};
use ke::dispatcher::{Due, Event, EventKind};
use ke::processor::active;
use ke::thread::Mode;
use ke::wait::{WaitOptions, delay, wait_for_one};
use ke::{info, irql};

/// 100 ns units in a millisecond.
const MS: u64 = 10_000;

type TestResult = Result<(), &'static str>;

const LIMITS: WorkerLimits = WorkerLimits {
    minimum: 1,
    maximum: 40,
    patience: 1_000 * MS,
};

const ITEMS: u64 = 1000;
const BLOCKING: u32 = 10;

static GATE: spin::Once<Event> = spin::Once::new();
static DONE: AtomicU32 = AtomicU32::new(0);

fn blocks(_: u64) {
    if let Some(gate) = GATE.get() {
        wait_for_one(gate.header(), &WaitOptions::kernel());
    }
    DONE.fetch_add(1, Ordering::SeqCst);
}

fn counts(_: u64) {
    DONE.fetch_add(1, Ordering::SeqCst);
}

/// Waits until something is so, a minute at most.
fn until(what: impl Fn() -> bool, why: &'static str) -> TestResult {
    for _ in 0..3_000 {
        if what() {
            return Ok(());
        }
        delay(Due::In(20 * MS), Mode::Kernel, false);
    }
    Err(why)
}

fn queue(workers: &Workers, routine: fn(u64), argument: u64, kind: WorkKind) -> TestResult {
    workers
        .queue_work(routine, argument, kind)
        .map_err(|_| "no memory for a work item")
}

/// Of a thousand items ten block: the rest finishes, the pool grows for it and shrinks afterwards. On one processor each
/// queue keeps its order, and better queues go first.
pub(crate) fn workers() -> TestResult {
    let gate = Event::new(EventKind::Notification, false).map_err(|_| "no memory")?;
    let gate = GATE.call_once(|| gate);
    let workers = Workers::start(LIMITS).map_err(|_| "no memory for workers")?;
    for number in 0..ITEMS {
        let routine = if number % 100 == 0 { blocks } else { counts };
        queue(workers, routine, number, WorkKind::Delayed)?;
    }
    let others = u32::try_from(ITEMS).unwrap_or(0) - BLOCKING;
    let done = || DONE.load(Ordering::SeqCst);
    until(|| done() == others, "what does not block does not finish")?;
    let grown = workers.threads(WorkKind::Delayed);
    if grown <= BLOCKING || workers.threads(WorkKind::Critical) != LIMITS.minimum {
        return Err("the pool did not grow for who blocks, or others did");
    }
    gate.set();
    until(
        || done() == others + BLOCKING,
        "what blocked does not go on",
    )?;
    let shrunk = || workers.threads(WorkKind::Delayed) == LIMITS.minimum;
    until(shrunk, "the pool does not shrink")?;
    info!("{ITEMS} items: {grown} threads, then {}", LIMITS.minimum);
    queue(workers, counts, 0, WorkKind::Delayed)?;
    until(
        || done() == others + BLOCKING + 1,
        "nothing is done after the pool has shrunk",
    )?;
    if active().count() == 1 {
        order(workers)?;
    }
    Ok(())
}

const EACH: u64 = 30;
#[allow(clippy::cast_possible_truncation, reason = "a small constant")]
const NOTES: usize = 3 * EACH as usize;
static NOTED: [AtomicU32; NOTES] = [const { AtomicU32::new(0) }; NOTES];
static NEXT: AtomicU32 = AtomicU32::new(0);

fn note(number: u64) {
    let place = NEXT.fetch_add(1, Ordering::SeqCst);
    if let Some(place) = NOTED.get(place as usize) {
        place.store(u32::try_from(number).unwrap_or(0), Ordering::SeqCst);
    }
}

fn order(workers: &Workers) -> TestResult {
    {
        // Nothing runs until the level falls.
        let _dispatch = irql::raise(Irql::Dispatch);
        let kinds = [
            WorkKind::Delayed,
            WorkKind::Critical,
            WorkKind::Hypercritical,
        ];
        for number in 0..EACH {
            for (kind, hundreds) in kinds.into_iter().zip(1..) {
                queue(workers, note, hundreds * 100 + number, kind)?;
            }
        }
    }
    until(
        || NEXT.load(Ordering::SeqCst) as usize == NOTES,
        "items of three queues do not finish",
    )?;
    let expected = [300, 200, 100]
        .into_iter()
        .flat_map(|hundreds| (0..30).map(move |number| hundreds + number));
    for (noted, expected) in NOTED.iter().zip(expected) {
        if noted.load(Ordering::SeqCst) != expected {
            return Err("items were not done in the order of their queues");
        }
    }
    info!("{NOTES} items of three queues: in order");
    Ok(())
}
