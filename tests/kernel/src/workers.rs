//! System worker threads: what is queued is done, in its order, whoever blocks.

use core::sync::atomic::{AtomicU32, Ordering};

use arch::contract::Irql;
use ex::worker::{self, WorkKind, WorkerLimits, Workers};
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

/// Waits until something is so, longer than any pool waits.
fn until(what: impl Fn() -> bool, why: &'static str) -> TestResult {
    for _ in 0..40_000 {
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

/// A pool, as the test uses it.
struct Pool<'a> {
    queue: &'a dyn Fn(fn(u64), u64) -> TestResult,
    threads: &'a dyn Fn(WorkKind) -> u32,
    minimum: u32,
}

/// Of a thousand items ten block: the rest finishes, the pool grows for it and shrinks afterwards.
fn thousand(pool: &Pool<'_>) -> TestResult {
    let gate = Event::new(EventKind::Notification, false).map_err(|_| "no memory")?;
    let gate = GATE.call_once(|| gate);
    let before = (pool.threads)(WorkKind::Critical);
    for number in 0..ITEMS {
        let routine = if number % 100 == 0 { blocks } else { counts };
        (pool.queue)(routine, number)?;
    }
    let others = u32::try_from(ITEMS).unwrap_or(0) - BLOCKING;
    let done = || DONE.load(Ordering::SeqCst);
    until(|| done() == others, "what does not block does not finish")?;
    let grown = (pool.threads)(WorkKind::Delayed);
    if grown <= BLOCKING || (pool.threads)(WorkKind::Critical) != before {
        return Err("the pool did not grow for who blocks, or others did");
    }
    gate.set();
    until(
        || done() == others + BLOCKING,
        "what blocked does not go on",
    )?;
    let shrunk = || (pool.threads)(WorkKind::Delayed) == pool.minimum;
    until(shrunk, "the pool does not shrink")?;
    info!("{ITEMS} items: {grown} threads, then {}", pool.minimum);
    (pool.queue)(counts, 0)?;
    until(
        || done() == others + BLOCKING + 1,
        "nothing is done after the pool has shrunk",
    )
}

/// A pool of the test's own, whose threads do not wait long. On one processor each queue keeps its order, and better queues
/// go first.
pub(crate) fn workers() -> TestResult {
    let workers = Workers::start(LIMITS).map_err(|_| "no memory for workers")?;
    thousand(&Pool {
        queue: &|routine, argument| queue(workers, routine, argument, WorkKind::Delayed),
        threads: &|kind| workers.threads(kind),
        minimum: LIMITS.minimum,
    })?;
    if active().count() == 1 {
        order(workers)?;
    }
    Ok(())
}

/// The system's own pool, whose threads wait ten minutes before they end.
pub(crate) fn system_workers() -> TestResult {
    // As the product does once; the tests' kernel is without.
    worker::start().map_err(|_| "no memory for workers")?;
    thousand(&Pool {
        queue: &|routine, argument| {
            worker::queue_work(routine, argument, WorkKind::Delayed)
                .map_err(|_| "no memory for a work item")
        },
        threads: &worker::threads,
        minimum: WorkerLimits::SYSTEM.minimum,
    })
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
