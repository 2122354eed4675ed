//! Who runs now: processors that take turns.
//!
//! Which strand runs changes in two ways. A **switch** is the kernel's: the processor
//! goes on with another context. A **pass** is the machine's: another processor goes
//! on, with the strand that it left off. Passes happen at scheduling points alone, which are the floor's calls: so code between
//! two calls of the floor is atomic here, as it is not on a real machine. What is
//! explored is the order of these stretches.
//!
//! At a point of a machine with a [`Schedule`] time moves a little, interrupts that
//! are due become pending, another processor may get its turn by the throw of a
//! seeded die, and the processor whose turn it is takes what interrupts it may take.
//! Who spins or halts passes in any case. A processor that halts gets its turn only
//! when an interrupt waits that its mask lets through; if all halt, time leaps to the
//! next event, and if there is none the test fails.
//!
//! A panic of any strand unwinds to the strand's root and goes on in the test's own.
//! Before it does, as when the machine is powered off, the other processors are let
//! out of what they hold ([`stop_the_others`]): locks are statics of the kernel, and
//! outlive the test.

use std::fmt::Write as _;

use super::state::{Processor, State, with};
use super::strand::{self, Start, StrandId, resume};
use super::{ending, events};
use crate::contract::{Irql, ProcessorNumber};
use crate::thread::Context;

/// What a simulated processor does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Activity {
    /// It was not started.
    Off,
    Runs,
    /// It waits for an interrupt.
    Halted,
    /// It stopped for good.
    Stopped,
}

/// How processors take turns.
pub(super) struct Schedule {
    random: u64,
    /// One point in so many passes.
    one_in: u64,
    /// How far time moves at a point.
    ticks: u64,
    points: u64,
    most_points: u64,
    digest: u64,
    /// Others are being let out of what they hold: every point goes back to the test's strand, and nothing interrupts.
    stopping: bool,
}

/// Points after which a run is taken for one that never ends.
const MOST_POINTS: u64 = 20_000_000;

impl Schedule {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: seed,
            one_in: 4,
            ticks: 10,
            points: 0,
            most_points: MOST_POINTS,
            digest: 0,
            stopping: false,
        }
    }

    /// SplitMix64.
    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// Sets how far the counter moves at each scheduling point of a machine with several processors (at first 10 ticks).
pub fn set_ticks_per_point(ticks: u64) {
    with(|machine| {
        if let Some(schedule) = &mut machine.schedule {
            schedule.ticks = ticks;
        }
    });
}

/// Lets one scheduling point in `one_in` pass to another processor (at first one in 4); 1 passes at every point.
pub fn set_pass_rate(one_in: u64) {
    with(|machine| {
        if let Some(schedule) = &mut machine.schedule {
            schedule.one_in = one_in.max(1);
        }
    });
}

/// Sets after how many scheduling points from now a run is taken for one that never ends (at first 20 million).
pub fn set_point_limit(points: u64) {
    with(|machine| {
        if let Some(schedule) = &mut machine.schedule {
            schedule.most_points = schedule.points + points;
        }
    });
}

/// How many scheduling points there were, and a digest of who ran and when at each: equal for equal runs.
pub fn fingerprint() -> (u64, u64) {
    with(|machine| {
        let schedule = machine.schedule.as_ref();
        schedule.map_or((0, 0), |schedule| (schedule.points, schedule.digest))
    })
}

/// Makes a processor come up on a strand of its own. False if it is up.
pub(super) fn start(machine: &mut State, number: ProcessorNumber) -> bool {
    if machine.processors[number.index()].activity != Activity::Off {
        return false;
    }
    let strand = strand::make(machine, Start::Processor(number));
    let processor = &mut machine.processors[number.index()];
    processor.level = Irql::High;
    processor.interrupts_enabled = false;
    processor.strand = strand;
    processor.activity = Activity::Runs;
    true
}

impl State {
    pub(super) fn is_stopping(&self) -> bool {
        self.schedule
            .as_ref()
            .is_some_and(|schedule| schedule.stopping)
    }

    /// Whether that processor could use a turn.
    fn can_go_on(&self, index: usize) -> bool {
        let processor = &self.processors[index];
        match processor.activity {
            Activity::Runs => true,
            Activity::Halted => self.processors[processor.plays.index()].wanted().is_some(),
            Activity::Off | Activity::Stopped => false,
        }
    }

    /// Another processor that could use a turn, by the throw of the die.
    fn another(&mut self) -> Option<ProcessorNumber> {
        let turn = self.turn.index();
        let able = |index: &usize| *index != turn && self.can_go_on(*index);
        let count = (0..self.processors.len()).filter(able).count();
        let throw = self.schedule.as_mut()?.random();
        let chosen = usize::try_from(throw.checked_rem(count as u64)?).ok()?;
        let able = |index: &usize| *index != turn && self.can_go_on(*index);
        let index = (0..self.processors.len()).filter(able).nth(chosen)?;
        u32::try_from(index).ok().map(ProcessorNumber)
    }

    /// Remembers what the processor whose turn ends goes on with, and makes it another one's turn.
    fn pass_to(&mut self, next: ProcessorNumber) -> StrandId {
        let (strand, plays) = (self.strand, self.current);
        let before = &mut self.processors[self.turn.index()];
        before.strand = strand;
        before.plays = plays;
        self.turn = next;
        let next = &self.processors[next.index()];
        self.current = next.plays;
        next.strand
    }
}

/// What a point finds.
enum Found {
    Nothing,
    Pass(StrandId),
    TooMany,
}

/// A scheduling point; with `must_pass` another processor gets its turn if one can use it.
pub(super) fn point(must_pass: bool) {
    let found = with(|machine| {
        let Some(schedule) = &mut machine.schedule else {
            return Found::Nothing;
        };
        if schedule.stopping {
            return stopping_point(machine);
        }
        if machine.ending.is_some() {
            return Found::Nothing;
        }
        schedule.points += 1;
        machine.counter += schedule.ticks;
        let seen = machine.counter << 8 ^ u64::from(machine.turn.0) << 4 ^ machine.strand << 40;
        schedule.digest = (schedule.digest.rotate_left(5) ^ seen).wrapping_mul(0x0100_0000_01B3);
        if schedule.points > schedule.most_points && !ending::is_unwinding() {
            schedule.most_points = u64::MAX;
            return Found::TooMany;
        }
        // Who unwinds goes on alone, so that the panic is over soon.
        let passes = schedule.random().is_multiple_of(schedule.one_in);
        let passes = must_pass || passes && !ending::is_unwinding();
        events::make_pending(machine);
        let next = if passes { machine.another() } else { None };
        next.map_or(Found::Nothing, |next| Found::Pass(machine.pass_to(next)))
    });
    match found {
        Found::Nothing if must_pass && with(|machine| machine.running_strand_unwinds(false)) => {
            // It waits for what never comes.
            ending::abandon(true);
        }
        Found::Nothing => {
            if must_pass && !is_scheduled() {
                std::thread::yield_now();
            }
        }
        Found::Pass(strand) => go_on_with(strand),
        Found::TooMany => panic!(
            "the machine never ends: it reached its limit of points; {}",
            describe()
        ),
    }
    events::deliver();
}

fn stopping_point(machine: &mut State) -> Found {
    let catcher = machine.catcher();
    if machine.strand == catcher {
        return Found::Nothing;
    }
    let (strand, plays) = (machine.strand, machine.current);
    let me = &mut machine.processors[machine.turn.index()];
    me.strand = strand;
    me.plays = plays;
    Found::Pass(catcher)
}

fn go_on_with(strand: StrandId) {
    if with(|machine| machine.strand) != strand {
        resume(strand, 0);
    }
}

/// Runs `body` as if it made no call to the floor.
pub(super) fn without_points<T>(body: impl FnOnce() -> T) -> T {
    let schedule = with(|machine| machine.schedule.take());
    let result = body();
    with(|machine| machine.schedule = schedule);
    result
}

/// Whether processors take turns.
pub(super) fn is_scheduled() -> bool {
    with(|machine| machine.schedule.is_some())
}

/// Whether that processor is up and plays itself, now or when it is its turn.
pub(super) fn plays_itself(machine: &State, number: ProcessorNumber) -> bool {
    machine.schedule.is_some()
        && machine.turn != number
        && machine.processors[number.index()].activity != Activity::Off
}

/// Whether events are for that processor.
pub(super) fn is_on(machine: &State, processor: &Processor) -> bool {
    let on = matches!(processor.activity, Activity::Runs | Activity::Halted);
    on || machine.schedule.is_none()
}

/// What a processor that cannot go on finds.
enum Wait {
    Over,
    Pass(StrandId),
    Again,
    ForEver,
    Off,
}

/// Waits, with interrupts disabled, until an interrupt is pending that the mask lets through.
pub(super) fn halt() {
    if is_scheduled() {
        wait(Activity::Halted);
    }
}

/// Stops the processor for good; returns if it was the last one, or the machine plays by one strand.
pub(super) fn stop() {
    if is_scheduled() {
        wait(Activity::Stopped);
    }
}

fn wait(activity: Activity) {
    if with(|machine| machine.running_strand_unwinds(false)) {
        ending::abandon(true);
    }
    let me = with(|machine| {
        let turn = machine.turn;
        machine.processors[turn.index()].activity = activity;
        turn
    });
    loop {
        let found = with(|machine| {
            if machine.is_stopping() && activity == Activity::Stopped {
                return Wait::Off;
            }
            if machine.is_stopping() {
                return Wait::Pass(machine.catcher());
            }
            if activity == Activity::Halted && machine.me().wanted().is_some() {
                return Wait::Over;
            }
            if let Some(next) = machine.another() {
                return Wait::Pass(machine.pass_to(next));
            }
            let halted = |processor: &Processor| processor.activity == Activity::Halted;
            if activity == Activity::Stopped && !machine.processors.iter().any(halted) {
                return Wait::Over;
            }
            if events::leap(machine) {
                Wait::Again
            } else {
                Wait::ForEver
            }
        });
        match found {
            Wait::Over => break,
            Wait::Pass(strand) => go_on_with(strand),
            Wait::Again => {}
            Wait::Off => ending::end_stopped(),
            Wait::ForEver => panic!("the machine sleeps for ever; {}", describe()),
        }
    }
    with(|machine| machine.processors[me.index()].activity = Activity::Runs);
}

/// What each processor is at, for a test that failed.
fn describe() -> String {
    with(|machine| {
        let mut text = format!("time {}, turn of {}", machine.counter, machine.turn.0);
        for (number, processor) in machine.processors.iter().enumerate() {
            let thread = processor.context.map(Context::thread_number);
            let _ = write!(
                text,
                "; processor {number}: {:?} at {:?}, mask {:?}, interrupts {}, in service {:?}, pending {:?}, thread {thread:?}",
                processor.activity,
                processor.level,
                processor.mask,
                if processor.interrupts_enabled {
                    "on"
                } else {
                    "off"
                },
                processor.in_service,
                processor.pending,
            );
        }
        text
    })
}

/// Points that the other processors get, together, to give back what they hold.
const LAST_POINTS: u32 = 50_000;

/// Lets every other processor run until it is below Dispatch with interrupts enabled, so that it holds no lock, or waits;
/// unwinds those that stopped; then none of them goes on again. For the strand that catches panics.
pub(super) fn stop_the_others() {
    let was_unwinding = std::thread::panicking();
    let scheduled = with(|machine| {
        let strand = machine.strand;
        machine.processors[machine.turn.index()].strand = strand;
        let schedule = machine.schedule.as_mut();
        schedule.map(|schedule| schedule.stopping = true).is_some()
    });
    let mut from = 0;
    for _ in 0..if scheduled { LAST_POINTS } else { 0 } {
        let next = with(|machine| {
            let count = machine.processors.len();
            let index = (from..from + count)
                .map(|index| index % count)
                .find(|index| machine.holds_something(*index))?;
            from = index + 1;
            machine.turn = ProcessorNumber(u32::try_from(index).ok()?);
            machine.current = machine.processors[index].plays;
            Some(machine.processors[index].strand)
        });
        match next {
            Some(strand) => resume(strand, 0),
            None => break,
        };
    }
    ending::note_abandoned(was_unwinding);
    with(|machine| {
        machine.schedule = None;
        machine.turn = ProcessorNumber::BOOT;
        machine.current = ProcessorNumber::BOOT;
    });
}

impl State {
    fn holds_something(&self, index: usize) -> bool {
        let processor = &self.processors[index];
        let holds = match processor.activity {
            Activity::Off | Activity::Halted => false,
            Activity::Stopped => true,
            Activity::Runs => {
                !processor.interrupts_enabled
                    || processor.level >= Irql::Dispatch
                    || !processor.in_service.is_empty()
            }
        };
        holds && processor.strand != self.catcher()
    }
}
