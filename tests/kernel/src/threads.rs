//! Threads, waits and timers where processors really run at once.

use core::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

use arch::Machine;
use arch::contract::{Clock, Processor, ProcessorNumber, ProcessorSet};
use ke::dispatcher::{Due, Event, EventKind, Header, Semaphore, Timer, WaitKind};
use ke::process::system;
use ke::processor::active;
use ke::thread::{Mode, ThreadHandle, ThreadStart};
use ke::wait::{WaitOptions, delay, wait_for_many, wait_for_one};
use ke::{clock, info, schedule, thread};
use nt_abi::NtStatus;
use rtl::Random;

/// 100 ns units in a millisecond.
const MS: u64 = 10_000;

type TestResult = Result<(), &'static str>;

fn make(routine: fn(u64), argument: u64) -> Result<ThreadHandle, &'static str> {
    ThreadHandle::create(system(), ThreadStart::kernel(routine, argument))
        .map_err(|_| "no memory for a thread")
}

fn spawn(routine: fn(u64), argument: u64) -> Result<ThreadHandle, &'static str> {
    let thread = make(routine, argument)?;
    thread.start();
    Ok(thread)
}

fn join(thread: &ThreadHandle) -> TestResult {
    match wait_for_one(thread.thread().header(), &WaitOptions::kernel()) {
        NtStatus::WAIT_0 => Ok(()),
        _ => Err("waiting for a thread gave another status than WAIT_0"),
    }
}

/// What the storm works on: made by the case, used by its threads.
struct Storm {
    semaphores: [Semaphore; 4],
    taken: [AtomicI64; 4],
    wrong: AtomicU32,
    rounds: u64,
}

static STORM: spin::Once<Storm> = spin::Once::new();

/// Waits for any and for all of two semaphores, with and without a limit, and notes what it took.
fn storm_worker(seed: u64) {
    let Some(storm) = STORM.get() else { return };
    let mut random = Random::new(seed);
    for _ in 0..storm.rounds {
        let first = random.index(4);
        let second = (first + 1 + random.index(3)) % 4;
        let pair = [
            storm.semaphores[first].header(),
            storm.semaphores[second].header(),
        ];
        let kind = if random.below(2) == 0 {
            WaitKind::Any
        } else {
            WaitKind::All
        };
        let limit = Due::In(random.below(3) * MS);
        let status = wait_for_many(&pair, kind, &WaitOptions::kernel().until(limit));
        let took = match (kind, status) {
            (_, NtStatus::TIMEOUT) => [0, 0],
            (WaitKind::All, NtStatus::WAIT_0) => [1, 1],
            (WaitKind::Any, NtStatus(0)) => [1, 0],
            (WaitKind::Any, NtStatus(1)) => [0, 1],
            _ => {
                storm.wrong.fetch_add(1, Ordering::Relaxed);
                return;
            }
        };
        storm.taken[first].fetch_add(took[0], Ordering::Relaxed);
        storm.taken[second].fetch_add(took[1], Ordering::Relaxed);
        // Now and then one is given back, so that the storm goes on.
        let given = random.index(4);
        if random.below(3) != 0 && storm.semaphores[given].release(1).is_ok() {
            storm.taken[given].fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Threads wait for any and for all on every processor; in the end what was taken and what is left add up.
pub(crate) fn wait_storm() -> TestResult {
    const EACH: i32 = 100;
    const WORKERS: usize = 24;
    let semaphore = || Semaphore::new(EACH, i32::MAX).map_err(|_| "no memory for a semaphore");
    let semaphores = [semaphore()?, semaphore()?, semaphore()?, semaphore()?];
    let storm = STORM.call_once(|| Storm {
        semaphores,
        taken: [const { AtomicI64::new(0) }; 4],
        wrong: AtomicU32::new(0),
        rounds: 1000,
    });
    let mut workers: [Option<ThreadHandle>; WORKERS] = [const { None }; WORKERS];
    for (slot, seed) in workers.iter_mut().zip(1..) {
        *slot = Some(spawn(storm_worker, seed)?);
    }
    for worker in workers.iter().flatten() {
        join(worker)?;
    }
    if storm.wrong.load(Ordering::Relaxed) != 0 {
        return Err("a wait gave a status that it cannot have");
    }
    for (semaphore, taken) in storm.semaphores.iter().zip(&storm.taken) {
        if i64::from(semaphore.count()) + taken.load(Ordering::Relaxed) != i64::from(EACH) {
            return Err("what was taken and what is left do not add up");
        }
    }
    info!(
        "{} waits by {WORKERS} threads on {} processors",
        WORKERS as u64 * storm.rounds,
        active().count()
    );
    Ok(())
}

static CREATED: AtomicU64 = AtomicU64::new(0);

/// Threads come and go; memory and slots are what they were.
pub(crate) fn thread_creation(count: u64) -> TestResult {
    let round = || -> TestResult {
        let worker = spawn(
            |_| {
                CREATED.fetch_add(1, Ordering::Relaxed);
            },
            0,
        )?;
        join(&worker)
    };
    // The first ones pay for tables, arenas and, all at once, for as many stacks as are kept for later.
    fill_cache_of_stacks()?;
    settle();
    let (slots, frames) = (thread::in_use(), mm::frames::counts().free);
    CREATED.store(0, Ordering::Relaxed);
    for _ in 0..count {
        round()?;
    }
    settle();
    let (slots_after, frames_after) = (thread::in_use(), mm::frames::counts().free);
    info!(
        "{count} threads; slots {slots} before, {slots_after} after; frames {frames}, {frames_after}"
    );
    if CREATED.load(Ordering::Relaxed) != count {
        Err("a thread did not run")
    } else if slots_after != slots {
        Err("a slot of a thread is missing, or one too many is back")
    } else if frames_after != frames {
        Err("memory is missing, or too much is back")
    } else {
        Ok(())
    }
}

/// Has more threads at a time than stacks are kept, so that as many are kept afterwards.
fn fill_cache_of_stacks() -> TestResult {
    const AT_ONCE: usize = 64;
    static GO: Header = Event::header_of(EventKind::Notification);
    const EVENT: Event = Event::on(&GO);
    let mut workers = [const { None }; AT_ONCE];
    for slot in &mut workers {
        *slot = Some(spawn(
            |_| {
                wait_for_one(EVENT.header(), &WaitOptions::kernel());
            },
            0,
        )?);
    }
    EVENT.set();
    for worker in workers.iter().flatten() {
        join(worker)?;
    }
    Ok(())
}

/// Lets the last threads leave their stacks, and gives those back.
fn settle() {
    for _ in 0..4 {
        delay(Due::In(20 * MS), Mode::Kernel, false);
        thread::reap();
    }
}

static VISITED: AtomicU64 = AtomicU64::new(0);

/// A thread runs on exactly the processors of its affinity, and threads without one spread over all.
pub(crate) fn affinity() -> TestResult {
    for number in active().iter() {
        VISITED.store(0, Ordering::Relaxed);
        let worker = make(
            |_| {
                for _ in 0..100 {
                    VISITED.fetch_or(1 << Machine::number().0, Ordering::Relaxed);
                    schedule::yield_execution();
                }
            },
            0,
        )?;
        schedule::set_affinity(worker.thread(), ProcessorSet::only(number))
            .map_err(|_| "an active processor was refused")?;
        worker.start();
        join(&worker)?;
        if VISITED.load(Ordering::Relaxed) != ProcessorSet::only(number).0 {
            return Err("a thread ran on a processor that it may not use");
        }
    }
    VISITED.store(0, Ordering::Relaxed);
    let mut workers = [const { None }; 64];
    let count = active().count() as usize;
    for slot in workers.iter_mut().take(count) {
        *slot = Some(spawn(
            |all| {
                VISITED.fetch_or(1 << Machine::number().0, Ordering::Relaxed);
                // Each keeps its processor until all are there, so none can serve two.
                while VISITED.load(Ordering::Relaxed) != all {
                    Machine::relax();
                }
            },
            active().0,
        )?);
    }
    for worker in workers.iter().flatten() {
        join(worker)?;
    }
    info!("{count} threads ran on {count} processors at once");
    Ok(())
}

static LATEST: AtomicU64 = AtomicU64::new(0);
static LATE: AtomicU64 = AtomicU64::new(0);
static EARLY: AtomicU64 = AtomicU64::new(0);

/// Waits for times that a seed chooses, and notes by how much they were missed.
fn sleeper(seed: u64) {
    let mut random = Random::new(seed);
    for _ in 0..100 {
        let units = random.below(200 * MS);
        let due = clock::interrupt_time() + units;
        delay(Due::In(units), Mode::Kernel, false);
        let now = clock::interrupt_time();
        if now < due {
            EARLY.fetch_add(1, Ordering::Relaxed);
        }
        let late = now.saturating_sub(due);
        LATEST.fetch_max(late, Ordering::Relaxed);
        // A tick, and what it takes to run a hundred others that fell due with it.
        if late > 10_000_000 / clock::TICKS_PER_SECOND + MS {
            LATE.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Ten thousand waits by a hundred threads end at their times: none early, at most one of a hundred later than a tick.
pub(crate) fn timers() -> TestResult {
    const THREADS: usize = 100;
    let mut sleepers = [const { None }; THREADS];
    for (slot, seed) in sleepers.iter_mut().zip(1..) {
        *slot = Some(spawn(sleeper, seed)?);
    }
    for sleeper in sleepers.iter().flatten() {
        join(sleeper)?;
    }
    let (early, late) = (EARLY.load(Ordering::Relaxed), LATE.load(Ordering::Relaxed));
    info!(
        "10000 waits: {early} early, {late} more than a tick late, the latest by {} us",
        LATEST.load(Ordering::Relaxed) / 10
    );
    if early != 0 {
        return Err("a wait ended before its time");
    }
    if late > 100 {
        return Err("more than one wait of a hundred ended later than a tick");
    }
    periodic_timer()
}

/// A periodic timer falls due as often as its period fits.
fn periodic_timer() -> TestResult {
    let timer = Timer::new(EventKind::Synchronization).map_err(|_| "no memory for a timer")?;
    let before = clock::interrupt_time();
    timer.set(Due::In(50 * MS), 50 * MS, None);
    for turn in 1..=20 {
        wait_for_one(timer.header(), &WaitOptions::kernel());
        if clock::interrupt_time() < before + turn * 50 * MS {
            return Err("a periodic timer was early");
        }
    }
    Ok(())
}

struct Waiting {
    gate: Event,
    turns: Semaphore,
}

static WAITING: spin::Once<Waiting> = spin::Once::new();
static WAITED: [AtomicU64; 3] = [const { AtomicU64::new(0) }; 3];

fn waiter(_: u64) {
    let Some(waiting) = WAITING.get() else { return };
    for (place, object) in [waiting.gate.header(), waiting.turns.header()]
        .into_iter()
        .enumerate()
    {
        WAITED[place].fetch_add(1, Ordering::SeqCst);
        wait_for_one(object, &WaitOptions::kernel());
    }
    WAITED[2].fetch_add(1, Ordering::SeqCst);
}

/// Waits until so many have come so far; false if they do not within some minutes.
fn have_come(place: usize, count: u64) -> bool {
    for _ in 0..20_000 {
        if WAITED[place].load(Ordering::SeqCst) == count {
            return true;
        }
        delay(Due::In(10 * MS), Mode::Kernel, false);
    }
    false
}

/// Ten thousand threads wait for one event, which lets all of them go on, and then for one semaphore, which lets exactly
/// as many go on as it is released for.
pub(crate) fn waiters(count: u64) -> TestResult {
    let gate = Event::new(EventKind::Notification, false).map_err(|_| "no memory")?;
    let turns = Semaphore::new(0, i32::MAX).map_err(|_| "no memory")?;
    let waiting = WAITING.call_once(|| Waiting { gate, turns });
    let mut threads = alloc::vec::Vec::new();
    for _ in 0..count {
        threads.push(spawn(waiter, 0)?);
    }
    if !have_come(0, count) {
        return Err("not all threads begin");
    }
    waiting.gate.set();
    if !have_come(1, count) {
        return Err("an event that is set does not end every wait for it");
    }
    let half = i32::try_from(count / 2).map_err(|_| "too many threads")?;
    let released = waiting.turns.release(half).is_ok();
    if !released || !have_come(2, count / 2) {
        return Err("not as many go on as a semaphore is released for");
    }
    delay(Due::In(100 * MS), Mode::Kernel, false);
    if !have_come(2, count / 2) || waiting.turns.count() != 0 {
        return Err("more go on than a semaphore is released for");
    }
    for _ in count / 2..count {
        waiting
            .turns
            .release(1)
            .map_err(|_| "a semaphore refuses to be released")?;
    }
    for thread in &threads {
        join(thread)?;
    }
    info!("{count} threads waited for an event, and for a semaphore");
    Ok(())
}

static PING: spin::Once<[Event; 2]> = spin::Once::new();

/// Two threads wake each other; on one processor each round trip is two switches.
pub(crate) fn ping_pong(rounds: u64) -> TestResult {
    let event = || Event::new(EventKind::Synchronization, false).map_err(|_| "no memory");
    let events = [event()?, event()?];
    let [ping, pong] = PING.call_once(|| events);
    let worker = make(
        |rounds| {
            let Some([ping, pong]) = PING.get() else {
                return;
            };
            for _ in 0..rounds {
                wait_for_one(ping.header(), &WaitOptions::kernel());
                pong.set();
            }
        },
        rounds,
    )?;
    let here = ProcessorSet::only(ProcessorNumber::BOOT);
    let own = thread::current();
    for thread in [own, worker.thread()] {
        schedule::set_affinity(thread, here).map_err(|_| "the first processor is not active")?;
    }
    worker.start();
    let (switches, start) = (worker.context_switches(), Machine::counter());
    for _ in 0..rounds {
        ping.set();
        wait_for_one(pong.header(), &WaitOptions::kernel());
    }
    let ticks = Machine::counter() - start;
    info!(
        "{rounds} round trips: {} switches to the other thread, {} ns each under a counter of instructions",
        worker.context_switches() - switches,
        u128::from(ticks) * 1_000_000_000
            / u128::from(Machine::counter_frequency())
            / u128::from(rounds.max(1)),
    );
    join(&worker)
}
