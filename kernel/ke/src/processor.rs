//! The kernel's view of each processor: its control block, how it is started, its idle loop.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use arch::Machine;
use arch::contract::{Interrupts, Irql, Processor, ProcessorNumber, ProcessorSet, ProcessorStart};
use arch::lock::FloorLock;
use arch::memory::StackTop;
use boards::{LoaderBlock, MAX_PROCESSORS};

use crate::dpc::DpcQueue;
use crate::{clock, dpc, error, info, irql, warning};

/// What the kernel keeps for each processor.
///
/// # NT
/// `KPRCB`. Every field may be read from any processor; counters are statistics and order nothing.
pub struct Prcb {
    pub(crate) dpcs: FloorLock<DpcQueue>,
    /// A DPC is queued or must be looked for. Set after the queue was filled, cleared before it is emptied.
    pub(crate) dpc_pending: AtomicBool,
    /// DPCs are being run on this processor.
    pub(crate) dpc_active: AtomicBool,
    /// Ticks that the running DPC has taken, for the watchdog.
    pub(crate) dpc_ticks: AtomicU64,
    pub(crate) dpcs_run: AtomicU64,
    pub(crate) ticks: AtomicU64,
    pub(crate) interrupts: AtomicU64,
    pub(crate) ipis: AtomicU64,
    /// What other processors want: bits of `ipi`.
    pub(crate) requests: AtomicU32,
    pub(crate) idle: AtomicBool,
    pub(crate) frozen: AtomicBool,
}

impl Prcb {
    const fn new() -> Self {
        Self {
            dpcs: FloorLock::new(DpcQueue::new()),
            dpc_pending: AtomicBool::new(false),
            dpc_active: AtomicBool::new(false),
            dpc_ticks: AtomicU64::new(0),
            dpcs_run: AtomicU64::new(0),
            ticks: AtomicU64::new(0),
            interrupts: AtomicU64::new(0),
            ipis: AtomicU64::new(0),
            requests: AtomicU32::new(0),
            idle: AtomicBool::new(false),
            frozen: AtomicBool::new(false),
        }
    }

    /// Clock interrupts that this processor has taken.
    pub fn ticks(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// DPCs that this processor has run.
    pub fn dpcs_run(&self) -> u64 {
        self.dpcs_run.load(Ordering::Relaxed)
    }

    /// Device interrupts that this processor has taken.
    pub fn interrupts(&self) -> u64 {
        self.interrupts.load(Ordering::Relaxed)
    }

    /// Interrupts from other processors that this one has taken.
    pub fn ipis(&self) -> u64 {
        self.ipis.load(Ordering::Relaxed)
    }

    /// Whether it is waiting in its idle loop.
    pub fn is_idle(&self) -> bool {
        self.idle.load(Ordering::Acquire)
    }
}

static PRCBS: [Prcb; MAX_PROCESSORS] = [const { Prcb::new() }; MAX_PROCESSORS];

/// Which processors run. A bit is set by the processor itself, when it can take interrupts.
static ACTIVE: AtomicU64 = AtomicU64::new(1);

/// The control block of a processor.
pub fn prcb(number: ProcessorNumber) -> &'static Prcb {
    &PRCBS[number.index()]
}

/// The control block of this processor. Stable at [`Irql::Dispatch`] and above.
#[doc(alias = "KeGetCurrentPrcb")]
pub fn current() -> &'static Prcb {
    prcb(Machine::number())
}

/// The processors that run.
#[doc(alias = "KeQueryActiveProcessors")]
pub fn active() -> ProcessorSet {
    // Acquire: whoever sees a processor active also sees what it set up before it said so.
    ProcessorSet(ACTIVE.load(Ordering::Acquire))
}

/// Stacks for a processor that is to be started.
pub struct ProcessorStacks {
    /// What it runs on.
    pub stack_top: StackTop,
    /// What it reports on when the first one is full.
    pub emergency_stack_top: StackTop,
}

/// Starts every processor of the loader block but this one, and waits until those that started can take interrupts.
///
/// A processor that does not start is reported in the log and left out. Gives how many run.
#[doc(alias = "KeStartAllProcessors")]
pub fn start_all(
    loader: &LoaderBlock,
    boot_processor: u64,
    mut stacks: impl FnMut() -> Option<ProcessorStacks>,
) -> u32 {
    let mut number = ProcessorNumber(1);
    for description in loader
        .processors
        .iter()
        .filter(|other| other.hardware_id != boot_processor)
    {
        let Some(stacks) = stacks() else {
            warning!(
                "no memory for the stacks of processor {:#x}: it stays off",
                description.hardware_id
            );
            continue;
        };
        let start = ProcessorStart {
            number,
            hardware_id: description.hardware_id,
            enable_method: description.enable_method,
            psci: loader.psci,
            stack_top: stacks.stack_top,
            emergency_stack_top: stacks.emergency_stack_top,
        };
        if let Err(error) = Machine::start_processor(start) {
            warning!(
                "processor {:#x} was not started ({error:?}): it stays off",
                description.hardware_id
            );
            continue;
        }
        if !wait_until_active(number) {
            warning!(
                "processor {:#x} was started and is not heard of",
                description.hardware_id
            );
        }
        // The number is spent in any case: a processor that is merely late comes up with it.
        number = ProcessorNumber(number.0 + 1);
    }
    if loader.processors_left_out > 0 {
        warning!(
            "{} processors beyond the first {MAX_PROCESSORS} stay off",
            loader.processors_left_out
        );
    }
    active().count()
}

fn wait_until_active(number: ProcessorNumber) -> bool {
    /// How long a processor may take to say that it runs, in milliseconds. Emulators on a loaded host are slow.
    const PATIENCE: u64 = 10_000;
    let deadline = clock::deadline(PATIENCE);
    while !active().contains(number) {
        if clock::has_passed(deadline) {
            return false;
        }
        Machine::relax();
    }
    true
}

/// What a started processor does: it sets up what is its own, announces itself and idles.
pub(crate) fn run_started(number: ProcessorNumber) -> ! {
    if let Err(why) = Machine::initialize_processor() {
        // Never announced, it is reported as not heard of, and left out.
        error!("processor {}: {why}", number.0);
        Machine::stop();
    }
    Machine::restore_interrupts(true);
    Machine::set_irql(Irql::Passive);
    clock::start_on_this_processor();
    // Release: pairs with the acquire in `active`.
    ACTIVE.fetch_or(ProcessorSet::only(number).0, Ordering::Release);
    idle()
}

/// Runs what is queued, and waits when nothing is. Each processor's idle thread, for as long as there are no others.
#[doc(alias = "KiIdleLoop")]
pub fn idle() -> ! {
    loop {
        idle_once();
    }
}

/// One turn of the idle loop: returns after the next interrupt, or at once if there was work.
pub fn idle_once() {
    let me = current();
    if me.dpc_pending.load(Ordering::Acquire) {
        dpc::deliver();
        return;
    }
    me.idle.store(true, Ordering::Release);
    Machine::halt_unless(|| me.dpc_pending.load(Ordering::Acquire));
    me.idle.store(false, Ordering::Release);
}

/// Waits until every other processor sits in its idle loop; false if one does not within `milliseconds`.
pub fn wait_until_others_idle(milliseconds: u64) -> bool {
    let deadline = clock::deadline(milliseconds);
    let others = active().without(Machine::number());
    while !others.iter().all(|number| prcb(number).is_idle()) {
        if clock::has_passed(deadline) {
            return false;
        }
        Machine::relax();
    }
    true
}

/// Phase 0 begins on the processor that booted: from [`Irql::High`], where the floor leaves it, to Dispatch. Interrupts
/// stay disabled until [`initialize_boot_processor`].
pub fn begin_phase0() {
    Machine::set_irql(Irql::Dispatch);
}

/// Sets up this, the first, processor to take interrupts; the rest follow in [`start_all`].
///
/// # Errors
/// One sentence: what the interrupt controller or the timer is not.
pub fn initialize_boot_processor(loader: &LoaderBlock) -> Result<(), &'static str> {
    <Machine as Interrupts>::initialize(loader)?;
    Machine::initialize_processor()?;
    clock::initialize(loader)?;
    Machine::restore_interrupts(true);
    irql::lower_to(Irql::Passive);
    clock::start_on_this_processor();
    info!(
        "processor 0 takes interrupts, {} ticks a second",
        clock::TICKS_PER_SECOND
    );
    Ok(())
}

/// Says that the first `count` processors run, for tests on the simulated machine, where none is really started.
#[cfg(test)]
pub(crate) fn pretend_active(count: u32) {
    ACTIVE.store((1 << count) - 1, Ordering::Release);
}
