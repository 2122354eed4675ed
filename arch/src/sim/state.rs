//! The machine's state, and power.
//!
//! The state belongs to the host thread that powered the machine on. Another host
//! thread that calls the floor (a test that never booted, but takes a lock) has a
//! state of its own, of one processor that nothing ever interrupts; so tests do not
//! disturb each other's machine. RAM and the kernel above are there once, which is
//! why the machine is on in one test at a time.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::vec::Vec;

use super::alloc_failure;
use super::strand::{BOOT_STRAND, Strand, StrandId};
use super::turns::{self, Activity, Schedule};
use super::user::{Program, UserState};
use crate::contract::{ExitCode, InterruptLine, Irql, PhysAddr, ProcessorNumber, ProcessorStart};
use crate::memory::SpaceId;
use crate::thread::Context;

/// What waits to interrupt a processor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    Clock,
    Ipi,
    Device(InterruptLine, Irql),
}

impl Source {
    pub(super) fn level(self) -> Irql {
        match self {
            Self::Clock => Irql::Clock,
            Self::Ipi => Irql::Ipi,
            Self::Device(_, level) => level,
        }
    }
}

pub(super) struct Processor {
    pub(super) level: Irql,
    /// Levels of interrupts in service, the innermost last: what a controller's running priority is.
    pub(super) in_service: Vec<Irql>,
    /// The level that the controller masks to.
    pub(super) mask: Irql,
    pub(super) interrupts_enabled: bool,
    pub(super) pending: Vec<Source>,
    pub(super) clock_period: u64,
    pub(super) next_tick: u64,
    pub(super) simd: [u64; 4],
    pub(super) activity: Activity,
    /// The strand that goes on when it is this processor's turn. Kept while another one has its turn.
    pub(super) strand: StrandId,
    /// Whom that strand plays: the processor itself, or inside `on_processor` another one.
    pub(super) plays: ProcessorNumber,
    pub(super) context: Option<&'static Context>,
    /// The user registers that were entered last.
    pub(super) user_state: Option<*const UserState>,
    pub(super) space: Option<(SpaceId, PhysAddr)>,
    /// Translations that were used and not forgotten yet: page-table entries by space and page.
    pub(super) translations: BTreeMap<(SpaceId, u64), u64>,
}

impl Processor {
    fn new(number: ProcessorNumber) -> Self {
        Self {
            level: Irql::Passive,
            in_service: Vec::new(),
            mask: Irql::Passive,
            interrupts_enabled: true,
            pending: Vec::new(),
            clock_period: 0,
            next_tick: 0,
            simd: [0; 4],
            activity: if number == ProcessorNumber::BOOT {
                Activity::Runs
            } else {
                Activity::Off
            },
            strand: BOOT_STRAND,
            plays: number,
            context: None,
            user_state: None,
            space: None,
            translations: BTreeMap::new(),
        }
    }

    /// The pending interrupt that the controller would let through, were interrupts enabled.
    pub(super) fn wanted(&self) -> Option<usize> {
        let in_service = self.in_service.last().copied();
        let running = in_service.unwrap_or(Irql::Passive).max(self.mask);
        self.pending
            .iter()
            .enumerate()
            .filter(|(_, source)| source.level() > running)
            .max_by_key(|(_, source)| source.level())
            .map(|(index, _)| index)
    }
}

pub(super) struct State {
    pub(super) processors: Vec<Processor>,
    /// The processor that the code which runs now plays.
    pub(super) current: ProcessorNumber,
    /// The processor whose turn it is: `current`, but inside `on_processor`.
    pub(super) turn: ProcessorNumber,
    /// The strand that runs.
    pub(super) strand: StrandId,
    pub(super) strands: BTreeMap<StrandId, Strand>,
    /// A strand that ended by switching away; its stack is left when another one goes on.
    pub(super) ended: Option<StrandId>,
    /// The panic that ended a strand, on its way to the one that catches it.
    pub(super) failure: Option<Box<dyn Any + Send>>,
    /// The strands that wait for what they run apart, the innermost last: it catches the panics of the others.
    pub(super) catchers: Vec<StrandId>,
    /// Whether that one was unwinding when it was switched away from.
    pub(super) catcher_unwinds: bool,
    /// The machine was ended with this code, and a strand unwinds because of it.
    pub(super) ending: Option<ExitCode>,
    /// By what rule processors take turns; `None` if one strand plays them all.
    pub(super) schedule: Option<Schedule>,
    pub(super) counter: u64,
    pub(super) scripted: Vec<(u64, InterruptLine)>,
    pub(super) lines: Vec<(InterruptLine, Irql, ProcessorNumber)>,
    pub(super) console: Vec<u8>,
    pub(super) started: Vec<ProcessorStart>,
    pub(super) user_mode: Option<Rc<Program>>,
}

thread_local! {
    static STATE: RefCell<State> = const {
        RefCell::new(State {
            processors: Vec::new(),
            current: ProcessorNumber::BOOT,
            turn: ProcessorNumber::BOOT,
            strand: BOOT_STRAND,
            strands: BTreeMap::new(),
            ended: None,
            failure: None,
            catchers: Vec::new(),
            catcher_unwinds: false,
            ending: None,
            schedule: None,
            counter: 0,
            scripted: Vec::new(),
            lines: Vec::new(),
            console: Vec::new(),
            started: Vec::new(),
            user_mode: None,
        })
    };
}

/// Looks at the state; nothing of the kernel is called meanwhile, and no strand is switched.
pub(super) fn with<T>(look: impl FnOnce(&mut State) -> T) -> T {
    let _exempt = alloc_failure::exempt();
    STATE.with_borrow_mut(|state| {
        if state.processors.is_empty() {
            state.processors.push(Processor::new(ProcessorNumber::BOOT));
        }
        look(state)
    })
}

impl State {
    /// The processor that the running code plays.
    pub(super) fn me(&mut self) -> &mut Processor {
        let index = self.current.index();
        &mut self.processors[index]
    }

    fn reset(&mut self, processors: u32, schedule: Option<Schedule>) {
        self.processors = (0..processors)
            .map(|number| Processor::new(ProcessorNumber(number)))
            .collect();
        self.current = ProcessorNumber::BOOT;
        self.turn = ProcessorNumber::BOOT;
        self.strand = BOOT_STRAND;
        self.ended = None;
        self.failure = None;
        self.catchers.clear();
        self.ending = None;
        self.schedule = schedule;
        self.counter = 0;
        self.scripted.clear();
        self.lines.clear();
        self.console.clear();
        self.started.clear();
        self.user_mode = None;
        for strand in std::mem::take(&mut self.strands).into_values() {
            strand.give_back();
        }
        self.strands.insert(BOOT_STRAND, Strand::boot());
    }
}

static POWER: Mutex<()> = Mutex::new(());

/// The machine is on, and this test has it.
pub struct Running {
    _power: MutexGuard<'static, ()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        turns::stop_the_others();
        // What is dropped on a strand of its own, as `ended` makes them, leaves that to the next test.
        if with(|machine| machine.strand == BOOT_STRAND) {
            with(|machine| machine.reset(1, None));
        }
    }
}

fn power_on(processors: u32, schedule: Option<Schedule>) -> Running {
    // A test that failed while it had the machine leaves a poisoned lock; the state is made anew, so that does not matter.
    let power = POWER.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(
        with(|machine| machine.strand == BOOT_STRAND),
        "the machine is powered on by the test itself, not inside `ended`"
    );
    super::memory::initialize();
    with(|machine| machine.reset(processors.max(1), schedule));
    Running { _power: power }
}

/// Powers the machine on with that many processors, all at [`Irql::Passive`] with interrupts enabled, and all played by
/// the calling code: see [`on_processor`](super::on_processor). Time moves only by [`advance`](super::advance).
pub fn boot(processors: u32) -> Running {
    power_on(processors, None)
}

/// Powers the machine on with that many processors, of which the first runs the calling code. The others are off until
/// `Machine::start_processor` starts them. Those that run take turns as `seed` says: the same seed gives the same run.
/// Time moves as code runs.
pub fn boot_multiprocessor(processors: u32, seed: u64) -> Running {
    power_on(processors, Some(Schedule::new(seed)))
}

/// What was written to the console since the machine was powered on.
pub fn console_output() -> String {
    with(|machine| String::from_utf8_lossy(&machine.console).into_owned())
}

/// The processors that the kernel asked to start, in order.
pub fn started_processors() -> Vec<ProcessorNumber> {
    with(|machine| machine.started.iter().map(|start| start.number).collect())
}
