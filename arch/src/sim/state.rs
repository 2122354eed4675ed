//! The machine's state, and power.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::vec::Vec;

use crate::contract::{ExitCode, InterruptLine, Irql, ProcessorNumber, ProcessorStart};

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
}

impl Processor {
    const fn new() -> Self {
        Self {
            level: Irql::Passive,
            in_service: Vec::new(),
            mask: Irql::Passive,
            interrupts_enabled: true,
            pending: Vec::new(),
            clock_period: 0,
            next_tick: 0,
            simd: [0; 4],
        }
    }
}

pub(super) struct State {
    pub(super) processors: Vec<Processor>,
    pub(super) current: ProcessorNumber,
    pub(super) counter: u64,
    pub(super) scripted: Vec<(u64, ProcessorNumber, InterruptLine)>,
    pub(super) lines: Vec<(InterruptLine, Irql, ProcessorNumber)>,
    pub(super) console: Vec<u8>,
    pub(super) started: Vec<ProcessorStart>,
}

static STATE: Mutex<State> = Mutex::new(State {
    processors: Vec::new(),
    current: ProcessorNumber::BOOT,
    counter: 0,
    scripted: Vec::new(),
    lines: Vec::new(),
    console: Vec::new(),
    started: Vec::new(),
});

/// The state, for a short look; never held while the kernel is called.
pub(super) fn state() -> MutexGuard<'static, State> {
    let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    if state.processors.is_empty() {
        state.processors.push(Processor::new());
    }
    state
}

impl State {
    pub(super) fn me(&mut self) -> &mut Processor {
        let index = self.current.index();
        &mut self.processors[index]
    }
}

static POWER: Mutex<()> = Mutex::new(());

/// The machine is on, and this test has it.
pub struct Running {
    _power: MutexGuard<'static, ()>,
}

/// Powers the machine on with that many processors, all at [`Irql::Passive`] with interrupts enabled.
pub fn boot(processors: u32) -> Running {
    // A test that failed while it had the machine leaves a poisoned lock; the state is made anew, so that does not matter.
    let power = POWER.lock().unwrap_or_else(PoisonError::into_inner);
    super::memory::initialize();
    let mut state = state();
    state.processors = (0..processors.max(1)).map(|_| Processor::new()).collect();
    state.current = ProcessorNumber::BOOT;
    state.counter = 0;
    state.scripted.clear();
    state.lines.clear();
    state.console.clear();
    state.started.clear();
    Running { _power: power }
}

/// What was written to the console since the machine was powered on.
pub fn console_output() -> String {
    String::from_utf8_lossy(&state().console).into_owned()
}

/// The processors that the kernel asked to start, in order.
pub fn started_processors() -> Vec<ProcessorNumber> {
    state().started.iter().map(|start| start.number).collect()
}

/// How the kernel ended the machine: the payload of the panic by which `power_off` leaves a test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended(pub ExitCode);

/// Runs `body`, which ends the machine; gives the exit code.
///
/// # Panics
/// If it did not end the machine.
pub fn ended(body: impl FnOnce()) -> ExitCode {
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body))
        .expect_err("the machine was not ended");
    match payload.downcast::<Ended>() {
        Ok(ended) => ended.0,
        Err(other) => std::panic::resume_unwind(other),
    }
}
