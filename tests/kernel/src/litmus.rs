//! Orders of memory that processors promise each other, on processors that really run at once.
//!
//! Each round of a shape runs once on all processors that it needs, and its outcome is what the loads saw. One that none of
//! them may see fails the test. So does a run that proves nothing: processors that took turns see no forbidden outcome
//! either. The rounds of a batch follow each other without a meeting, so a batch whose rounds ended in different ways is
//! one in which processors overtook each other, which is to say ran at once. Batches are played until enough were such;
//! only a host that never runs two processors at a time makes the test fail for that.
//!
//! An emulator's host with a strong order (x86) hides most wrong orders of the code, and so does the emulator where it puts
//! more fences in than asked for: no weak outcome is asked for, and this shows that what is promised holds here, not that
//! it would everywhere. For push locks that is shown by the models in `tests/models`, which try every order that the language
//! allows; the spin locks' order is that of the crate `spin`.
//!
//! | shape | what may not be seen | because |
//! |---|---|---|
//! | message passing | the flag, and not what was written before it | the flag is released and acquired |
//! | store buffering | neither of two stores by the other's processor | a full fence is between store and load |
//! | load buffering | both loads see the store behind the other one | each store comes after a load that is acquired |
//! | independent reads | two readers see two stores in two orders | all four are in the one order of sequential consistency |
//! | independent reads under a lock | the same | each access is under the lock: spinning, fair, or a push lock that readers share |
//! | under a lock | a pair of words that are not equal | whoever has the lock sees all that was done under it |

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};

use arch::Machine;
use arch::contract::{Irql, Processor, ProcessorNumber, ProcessorSet};
use ke::thread::{ThreadHandle, ThreadStart};
use ke::wait::{WaitOptions, wait_for_one};
use ke::{LockOrder, QueuedSpinLock, SpinLock, info, schedule};

type TestResult = Result<(), &'static str>;

/// Rounds between two meetings, each with words of its own: a meeting may take as long as the host needs to come round.
const CELLS: usize = 1000;
/// Under a lock, where each round is as slow as the host's scheduler when a processor that has the lock is put aside.
const LOCKED_CELLS: usize = 50;
/// Batches of each shape at least; among them at least so many whose rounds ended in different ways; and at most so many.
const BATCHES: u64 = 30;
const MIXED: u64 = 3;
const MOST_BATCHES: u64 = 30_000;

/// The words of a round. Far enough from each other that no two share a line of a cache.
#[repr(align(128))]
struct Word(AtomicU32);

struct Cell {
    x: Word,
    y: Word,
    seen: [AtomicU32; 4],
}

static CELL: [Cell; CELLS] = [const {
    Cell {
        x: Word(AtomicU32::new(0)),
        y: Word(AtomicU32::new(0)),
        seen: [const { AtomicU32::new(0) }; 4],
    }
}; CELLS];

/// What has been seen of a shape.
struct Tally {
    /// Rounds by their outcome, whose bits are what was seen.
    rounds: [AtomicU64; 16],
    batches: AtomicU64,
    /// Batches with more than one outcome.
    mixed: AtomicU64,
    /// Whether another batch is to be played. The first processor decides; the others read it after they have met.
    goes_on: AtomicBool,
}

static TALLIES: [Tally; SHAPES.len()] = [const {
    Tally {
        rounds: [const { AtomicU64::new(0) }; 16],
        batches: AtomicU64::new(0),
        mixed: AtomicU64::new(0),
        goes_on: AtomicBool::new(true),
    }
}; SHAPES.len()];

/// Where the processors of a part of the test meet again and again. The others have nothing to do meanwhile: if they came
/// too they would spin, and take the host's processors away from those that are to run at once.
struct Meeting {
    processors: u64,
    /// Who has come, over all times.
    arrived: AtomicU64,
}

impl Meeting {
    const fn of(processors: u64) -> Self {
        Self {
            processors,
            arrived: AtomicU64::new(0),
        }
    }

    /// Waits until all have come `times` times.
    fn meet(&self, times: &mut u64) {
        *times += 1;
        self.arrived.fetch_add(1, Ordering::SeqCst);
        while self.arrived.load(Ordering::SeqCst) < *times * self.processors {
            Machine::relax();
        }
    }
}

static OF_TWO: Meeting = Meeting::of(2);
static OF_FOUR: Meeting = Meeting::of(4);

/// A part of a shape, for one of four processors.
type Part = fn(processor: u32, cell: &Cell);
/// Whether what was seen is forbidden.
type Judge = fn(seen: [u32; 4]) -> bool;

struct Shape {
    name: &'static str,
    /// How many processors take part.
    processors: u64,
    cells: usize,
    part: Part,
    is_forbidden: Judge,
}

impl Cell {
    fn see(&self, place: usize, value: u32) {
        self.seen[place].store(value, Ordering::Relaxed);
    }

    /// The words as the first and as the second processor have them: the own one, the other's.
    fn own_and_other(&self, processor: u32) -> Option<(&AtomicU32, &AtomicU32, usize)> {
        match processor {
            0 => Some((&self.x.0, &self.y.0, 0)),
            1 => Some((&self.y.0, &self.x.0, 1)),
            _ => None,
        }
    }
}

fn message_passing(processor: u32, cell: &Cell) {
    match processor {
        0 => {
            cell.x.0.store(1, Ordering::Relaxed);
            cell.y.0.store(1, Ordering::Release);
        }
        1 => {
            cell.see(0, cell.y.0.load(Ordering::Acquire));
            cell.see(1, cell.x.0.load(Ordering::Relaxed));
        }
        _ => {}
    }
}

fn store_buffering(processor: u32, cell: &Cell) {
    if let Some((own, other, place)) = cell.own_and_other(processor) {
        own.store(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        cell.see(place, other.load(Ordering::Relaxed));
    }
}

fn load_buffering(processor: u32, cell: &Cell) {
    if let Some((own, other, place)) = cell.own_and_other(processor) {
        cell.see(place, own.load(Ordering::Acquire));
        other.store(1, Ordering::Relaxed);
    }
}

fn independent_reads(processor: u32, cell: &Cell) {
    let (x, y) = (&cell.x.0, &cell.y.0);
    match processor {
        0 => x.store(1, Ordering::SeqCst),
        1 => y.store(1, Ordering::SeqCst),
        2 => {
            cell.see(0, x.load(Ordering::SeqCst));
            cell.see(1, y.load(Ordering::SeqCst));
        }
        _ => {
            cell.see(2, y.load(Ordering::SeqCst));
            cell.see(3, x.load(Ordering::SeqCst));
        }
    }
}

/// Independent reads, each access under a lock: a processor does its part in two steps, with `alone` or `shared` around each.
fn reads_under(processor: u32, cell: &Cell, alone: impl Fn(&dyn Fn()), shared: impl Fn(&dyn Fn())) {
    let (x, y) = (&cell.x.0, &cell.y.0);
    let look = |place, word: &AtomicU32| shared(&|| cell.see(place, word.load(Ordering::Relaxed)));
    match processor {
        0 => alone(&|| x.store(1, Ordering::Relaxed)),
        1 => alone(&|| y.store(1, Ordering::Relaxed)),
        2 => {
            look(0, x);
            look(1, y);
        }
        _ => {
            look(2, y);
            look(3, x);
        }
    }
}

fn reads_under_spin_lock(processor: u32, cell: &Cell) {
    let held = |access: &dyn Fn()| {
        let _held = SPIN.acquire();
        access();
    };
    reads_under(processor, cell, held, held);
}

fn reads_under_queued_lock(processor: u32, cell: &Cell) {
    let held = |access: &dyn Fn()| {
        let _held = QUEUED.acquire();
        access();
    };
    reads_under(processor, cell, held, held);
}

fn reads_under_push_lock(processor: u32, cell: &Cell) {
    let alone = |access: &dyn Fn()| {
        let _held = PUSH.acquire_exclusive();
        access();
    };
    let shared = |access: &dyn Fn()| {
        let _held = PUSH.acquire_shared();
        access();
    };
    reads_under(processor, cell, alone, shared);
}

/// Each reader saw one store, and they saw different ones first.
const READ_APART: Judge = |seen| seen == [1, 0, 1, 0];

const SHAPES: [Shape; 7] = [
    Shape {
        name: "message passing",
        processors: 2,
        cells: CELLS,
        part: message_passing,
        is_forbidden: |[y, x, ..]| (y, x) == (1, 0),
    },
    Shape {
        name: "store buffering",
        processors: 2,
        cells: CELLS,
        part: store_buffering,
        is_forbidden: |[y, x, ..]| (y, x) == (0, 0),
    },
    Shape {
        name: "load buffering",
        processors: 2,
        cells: CELLS,
        part: load_buffering,
        is_forbidden: |[x, y, ..]| (x, y) == (1, 1),
    },
    Shape {
        name: "independent reads",
        processors: 4,
        cells: CELLS,
        part: independent_reads,
        is_forbidden: READ_APART,
    },
    Shape {
        name: "independent reads under a spin lock",
        processors: 4,
        cells: LOCKED_CELLS,
        part: reads_under_spin_lock,
        is_forbidden: READ_APART,
    },
    Shape {
        name: "independent reads under a queued spin lock",
        processors: 4,
        cells: LOCKED_CELLS,
        part: reads_under_queued_lock,
        is_forbidden: READ_APART,
    },
    Shape {
        name: "independent reads under a push lock",
        processors: 4,
        cells: LOCKED_CELLS,
        part: reads_under_push_lock,
        is_forbidden: READ_APART,
    },
];

static SPIN: SpinLock<()> = SpinLock::new(());
static QUEUED: QueuedSpinLock<()> =
    QueuedSpinLock::new((), LockOrder::new(2, Irql::Dispatch, "the litmus lock"));
static PUSH: ex::PushLock<()> = ex::PushLock::new(());
/// What is done under a lock.
struct Shared {
    /// Equal whenever nobody is between them.
    pair: [AtomicU64; 2],
    /// How often they were not.
    unequal: AtomicU64,
    /// Who was here last, and how often it was another processor than the one before.
    last: AtomicU64,
    handovers: AtomicU64,
    /// Turns of all processors, counted without the lock.
    turns: AtomicU64,
}

static SHARED: [Shared; 3] = [const {
    Shared {
        pair: [const { AtomicU64::new(0) }; 2],
        unequal: AtomicU64::new(0),
        last: AtomicU64::new(0),
        handovers: AtomicU64::new(0),
        turns: AtomicU64::new(0),
    }
}; 3];
/// Turns of each processor at least, and at most if the lock was not handed from one to another as often as it must.
const TURNS: [u64; 3] = [10_000, 1_000, 1_000];
const MOST_TURNS: u64 = 5_000_000;
const HANDOVERS: u64 = 100;

/// Adds one to both words with plain accesses: only the lock keeps them equal.
fn add_under_lock(shared: &Shared, number: u64) {
    let [left, right] = &shared.pair;
    let (a, b) = (left.load(Ordering::Relaxed), right.load(Ordering::Relaxed));
    if a != b {
        shared.unequal.fetch_add(1, Ordering::Relaxed);
    }
    left.store(a + 1, Ordering::Relaxed);
    right.store(b + 1, Ordering::Relaxed);
    if shared.last.swap(number, Ordering::Relaxed) != number {
        shared.handovers.fetch_add(1, Ordering::Relaxed);
    }
}

/// Takes turns under a lock until each processor had its own and the lock went from one to another often enough.
fn take_turns(lock: usize, one: impl Fn(&Shared)) {
    let shared = &SHARED[lock];
    for turn in 0..MOST_TURNS {
        if turn >= TURNS[lock] && shared.handovers.load(Ordering::Relaxed) >= HANDOVERS {
            break;
        }
        one(shared);
        shared.turns.fetch_add(1, Ordering::Relaxed);
    }
}

/// Looks at what a batch has seen, makes the cells new, and decides whether another batch is played.
fn judge_batch(shape: &Shape, tally: &Tally) {
    let mut in_batch = [0u64; 16];
    for cell in &CELL[..shape.cells] {
        let seen = [0, 1, 2, 3].map(|place: usize| cell.seen[place].swap(0, Ordering::Relaxed));
        cell.x.0.store(0, Ordering::Relaxed);
        cell.y.0.store(0, Ordering::Relaxed);
        in_batch[outcome(seen)] += 1;
    }
    for (all, new) in tally.rounds.iter().zip(in_batch) {
        all.fetch_add(new, Ordering::Relaxed);
    }
    let outcomes = in_batch.iter().filter(|rounds| **rounds != 0).count();
    let mixed = u64::from(outcomes > 1)
        + tally
            .mixed
            .fetch_add(u64::from(outcomes > 1), Ordering::Relaxed);
    let batches = 1 + tally.batches.fetch_add(1, Ordering::Relaxed);
    let goes_on = batches < BATCHES || (mixed < MIXED && batches < MOST_BATCHES);
    tally.goes_on.store(goes_on, Ordering::Relaxed);
}

/// What was seen, as a number.
fn outcome(seen: [u32; 4]) -> usize {
    seen.iter()
        .rev()
        .fold(0, |bits, one| bits << 1 | *one as usize)
}

fn seen_in(outcome: usize) -> [u32; 4] {
    [0, 1, 2, 3].map(|place| u32::from(outcome >> place & 1 != 0))
}

/// Plays the shapes for the processors of that meeting, as the processor with that number.
fn play(meeting: &Meeting, argument: u64, times: &mut u64) {
    let number = u32::try_from(argument).unwrap_or(0);
    let played = SHAPES.iter().zip(&TALLIES);
    for (shape, tally) in played.filter(|(shape, _)| shape.processors == meeting.processors) {
        loop {
            meeting.meet(times);
            if !tally.goes_on.load(Ordering::Relaxed) {
                break;
            }
            CELL[..shape.cells]
                .iter()
                .for_each(|cell| (shape.part)(number, cell));
            meeting.meet(times);
            if number == 0 {
                judge_batch(shape, tally);
            }
        }
    }
}

fn one_of_two(argument: u64) {
    play(&OF_TWO, argument, &mut 0);
}

fn one_of_four(argument: u64) {
    let mut times = 0;
    play(&OF_FOUR, argument, &mut times);
    OF_FOUR.meet(&mut times);
    take_turns(0, |shared| {
        let _held = SPIN.acquire();
        add_under_lock(shared, argument);
    });
    OF_FOUR.meet(&mut times);
    take_turns(1, |shared| {
        let _held = QUEUED.acquire();
        add_under_lock(shared, argument);
    });
    OF_FOUR.meet(&mut times);
    take_turns(2, |shared| {
        let _held = PUSH.acquire_exclusive();
        add_under_lock(shared, argument);
    });
}

/// Whether no forbidden outcome of a shape was seen, by processors that ran at once.
fn judge_shape(shape: &Shape, tally: &Tally) -> TestResult {
    let (mut forbidden, mut allowed) = (0, 0);
    for (number, rounds) in tally.rounds.iter().enumerate() {
        let rounds = rounds.load(Ordering::Relaxed);
        if (shape.is_forbidden)(seen_in(number)) {
            forbidden += rounds;
        } else {
            allowed += u32::from(rounds != 0);
        }
    }
    let [batches, mixed] =
        [&tally.batches, &tally.mixed].map(|count| count.load(Ordering::Relaxed));
    info!(
        "{}: {forbidden} forbidden outcomes, {allowed} allowed ones; {mixed} of {batches} batches of {} rounds were mixed",
        shape.name, shape.cells
    );
    if forbidden != 0 {
        return Err("an order was seen that is forbidden");
    }
    if allowed < 2 || mixed < MIXED {
        return Err("the processors did not run at once: nothing is shown");
    }
    Ok(())
}

/// Whether a lock lost nothing, and was wanted by several at once.
fn judge_lock(shared: &Shared) -> TestResult {
    let [turns, handovers, unequal] = [&shared.turns, &shared.handovers, &shared.unequal]
        .map(|count| count.load(Ordering::Relaxed));
    info!("{turns} turns under a lock, which changed hands {handovers} times");
    if unequal != 0
        || shared
            .pair
            .iter()
            .any(|word| word.load(Ordering::Relaxed) != turns)
    {
        return Err("what was done under a lock is lost");
    }
    if handovers < HANDOVERS {
        return Err("the processors did not want the lock at once: nothing is shown");
    }
    Ok(())
}

/// Runs a routine on so many processors at once, as a thread of each.
fn run_on(processors: u32, routine: fn(u64)) -> TestResult {
    let mut threads: [Option<ThreadHandle>; 4] = [const { None }; 4];
    for (slot, number) in threads.iter_mut().zip(0..processors) {
        let start = ThreadStart::kernel(routine, u64::from(number));
        let thread = ThreadHandle::create(ke::process::system(), start)
            .map_err(|_| "no memory for a thread")?;
        schedule::set_affinity(thread.thread(), ProcessorSet::only(ProcessorNumber(number)))
            .map_err(|_| "an active processor was refused")?;
        *slot = Some(thread);
    }
    for thread in threads.iter().flatten() {
        thread.start();
    }
    for thread in threads.iter().flatten() {
        wait_for_one(thread.thread().header(), &WaitOptions::kernel());
    }
    Ok(())
}

/// Runs all shapes on two or four processors, and the locks on four.
pub(crate) fn litmus() -> TestResult {
    if ke::processor::active().count() < 4 {
        return Err("this test needs four processors");
    }
    run_on(2, one_of_two)?;
    run_on(4, one_of_four)?;
    SHAPES
        .iter()
        .zip(&TALLIES)
        .try_for_each(|(shape, tally)| judge_shape(shape, tally))?;
    SHARED.iter().try_for_each(judge_lock)
}
