//! Orders of memory that processors promise each other, on processors that really run at once.
//!
//! Each round of a shape runs once on all processors that it needs; what none of them may see is counted. An emulator's host
//! with a strong order (x86) hides most wrong orders of the code, and so does the emulator where it puts more fences in
//! than asked for: this shows that what is promised holds here, not that it would everywhere. That is shown by the models
//! in `tests/models`, which try every order that the language allows.
//!
//! | shape | what may not be seen | because |
//! |---|---|---|
//! | message passing | the flag, and not what was written before it | the flag is released and acquired |
//! | store buffering | neither of two stores by the other's processor | a full fence is between store and load |
//! | load buffering | both loads see the store behind the other one | each store comes after a load that is acquired |
//! | independent reads | two readers see two stores in two orders | all four are in the one order of sequential consistency |
//! | under a lock | a pair of words that are not equal | whoever has the lock sees all that was done under it |

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use arch::Machine;
use arch::contract::{Irql, Processor, ProcessorNumber, ProcessorSet};
use ke::thread::{ThreadHandle, ThreadStart};
use ke::wait::{WaitOptions, wait_for_one};
use ke::{LockOrder, QueuedSpinLock, SpinLock, info, schedule};

type TestResult = Result<(), &'static str>;

const PROCESSORS: u32 = 4;
/// Rounds between two meetings, each with words of its own: a meeting may take as long as the host needs to come round.
const CELLS: usize = 1000;
const BATCHES: u64 = 50;

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
static FORBIDDEN: AtomicU64 = AtomicU64::new(0);
static INTERESTING: AtomicU64 = AtomicU64::new(0);
/// Who has come to the barrier, over all rounds.
static ARRIVED: AtomicU64 = AtomicU64::new(0);

/// Waits until all four processors have come `times` times.
fn meet(times: &mut u64) {
    *times += 1;
    ARRIVED.fetch_add(1, Ordering::SeqCst);
    while ARRIVED.load(Ordering::SeqCst) < *times * u64::from(PROCESSORS) {
        Machine::relax();
    }
}

/// A part of a shape, for one of four processors.
type Part = fn(processor: u32, cell: &Cell);
/// Whether what was seen is forbidden, and whether it shows that the processors ran at the same time.
type Judge = fn(seen: [u32; 4]) -> (bool, bool);

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

const SHAPES: [(&str, Part, Judge); 4] = [
    ("message passing", message_passing, |[y, x, ..]| {
        (y == 1 && x == 0, y == 1)
    }),
    ("store buffering", store_buffering, |[y, x, ..]| {
        (y == 0 && x == 0, y != x)
    }),
    ("load buffering", load_buffering, |[x, y, ..]| {
        (x == 1 && y == 1, x != y)
    }),
    ("independent reads", independent_reads, |[a, b, c, d]| {
        (a == 1 && b == 0 && c == 1 && d == 0, a != b || c != d)
    }),
];

static SPIN: SpinLock<()> = SpinLock::new(());
static QUEUED: QueuedSpinLock<()> =
    QueuedSpinLock::new((), LockOrder::new(2, Irql::Dispatch, "the litmus lock"));
static PUSH: ex::PushLock<()> = ex::PushLock::new(());
/// For each lock, two words that are equal whenever nobody is between them.
static PAIRS: [[AtomicU64; 2]; 3] = [const { [const { AtomicU64::new(0) }; 2] }; 3];
/// Turns of each processor. The locks' own order is what is looked at, so few do.
const TURNS: [u64; 3] = [20_000, 2_000, 2_000];

/// Adds one to both words with plain accesses: only the lock keeps them equal.
fn add_under_lock([left, right]: &[AtomicU64; 2]) {
    let (a, b) = (left.load(Ordering::Relaxed), right.load(Ordering::Relaxed));
    if a != b {
        FORBIDDEN.fetch_add(1, Ordering::Relaxed);
    }
    left.store(a + 1, Ordering::Relaxed);
    right.store(b + 1, Ordering::Relaxed);
}

/// Looks at what a batch has seen, and makes the cells new.
fn judge_batch(judge: Judge) {
    for cell in &CELL {
        let seen = [0, 1, 2, 3].map(|place: usize| cell.seen[place].swap(0, Ordering::Relaxed));
        cell.x.0.store(0, Ordering::Relaxed);
        cell.y.0.store(0, Ordering::Relaxed);
        let (forbidden, interesting) = judge(seen);
        FORBIDDEN.fetch_add(u64::from(forbidden), Ordering::Relaxed);
        INTERESTING.fetch_add(u64::from(interesting), Ordering::Relaxed);
    }
}

fn processor(number: u64) {
    let number = u32::try_from(number).unwrap_or(0);
    let mut times = 0;
    for (_, part, judge) in SHAPES {
        for _ in 0..BATCHES {
            meet(&mut times);
            CELL.iter().for_each(|cell| part(number, cell));
            meet(&mut times);
            if number == 0 {
                judge_batch(judge);
            }
        }
    }
    meet(&mut times);
    for _ in 0..TURNS[0] {
        let _held = SPIN.acquire();
        add_under_lock(&PAIRS[0]);
    }
    for _ in 0..TURNS[1] {
        let _held = QUEUED.acquire();
        add_under_lock(&PAIRS[1]);
    }
    for _ in 0..TURNS[2] {
        let _held = PUSH.acquire_exclusive();
        add_under_lock(&PAIRS[2]);
    }
}

/// Runs all shapes on four processors.
pub(crate) fn litmus() -> TestResult {
    if ke::processor::active().count() < PROCESSORS {
        return Err("this test needs four processors");
    }
    let mut threads: [Option<ThreadHandle>; 4] = [const { None }; 4];
    for (slot, number) in threads.iter_mut().zip(0..) {
        let start = ThreadStart {
            routine: processor,
            argument: u64::from(number),
        };
        let thread = ThreadHandle::create(ke::process::system(), start)
            .map_err(|_| "no memory for a thread")?;
        schedule::set_affinity(thread.thread(), ProcessorSet::only(ProcessorNumber(number)))
            .map_err(|_| "an active processor was refused")?;
        thread.start();
        *slot = Some(thread);
    }
    for thread in threads.iter().flatten() {
        wait_for_one(thread.thread().header(), &WaitOptions::kernel());
    }
    let (forbidden, interesting) = (
        FORBIDDEN.load(Ordering::Relaxed),
        INTERESTING.load(Ordering::Relaxed),
    );
    info!(
        "{} rounds of {} shapes: {forbidden} forbidden outcomes, {interesting} that tell of more than one at a time",
        BATCHES * CELLS as u64,
        SHAPES.len()
    );
    for ([left, right], turns) in PAIRS.iter().zip(TURNS) {
        let expected = turns * u64::from(PROCESSORS);
        if [left, right].map(|word| word.load(Ordering::Relaxed)) != [expected; 2] {
            return Err("what was done under a lock is lost");
        }
    }
    if forbidden == 0 {
        Ok(())
    } else {
        Err("an order was seen that is forbidden")
    }
}
