//! The kernel's view of each processor: its control block, how it is started, its idle loop.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use arch::contract::{Interrupts, Irql, Processor, ProcessorNumber, ProcessorSet, ProcessorStart};
use arch::lock::FloorLock;
use arch::memory::StackTop;
use arch::{AtomicRef, Machine};
use boards::{LoaderBlock, MAX_PROCESSORS};

use crate::dispatcher::Database;
use crate::dpc::DpcQueue;
use crate::schedule::ReadyThreads;
use crate::thread::{self, Thread};
use crate::{clock, error, info, irql, software, warning};

bitflags::bitflags! {
    /// What a processor must do before it goes on below Dispatch.
    ///
    /// # NT
    /// Software interrupts of `DISPATCH_LEVEL` and `APC_LEVEL`.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(crate) struct Software: u32 {
        /// Run DPCs. Set after the queue was filled, taken back before it is emptied.
        const DPC = 1;
        /// Switch to the thread that was chosen.
        const DISPATCH = 2;
        /// The running thread's quantum has ended.
        const QUANTUM_END = 4;
        /// The running thread has kernel APCs.
        const APC = 8;
    }
}

/// What a clock tick finds a processor at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Spent {
    Idle,
    Kernel,
    User,
    Dpc,
    Interrupt,
}

/// What a processor spent its time with, in units of 100 ns; each clock tick is charged whole to what it found.
///
/// # NT
/// `SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION`, whose `KernelTime` is the sum of all here but `user`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ProcessorTimes {
    /// In the idle loop.
    pub idle: u64,
    /// With threads in kernel mode.
    pub kernel: u64,
    /// With threads in user mode.
    pub user: u64,
    /// With DPCs.
    pub dpc: u64,
    /// With device interrupts.
    pub interrupt: u64,
}

/// What the kernel keeps for each processor.
///
/// # NT
/// `KPRCB`. Every field may be read from any processor; counters are statistics and order nothing.
pub struct Prcb {
    pub(crate) dpcs: FloorLock<DpcQueue>,
    /// What it runs, what it runs next, and what it runs when it has nothing to do; guarded by the dispatcher's lock.
    pub(crate) running: AtomicRef<Thread>,
    pub(crate) next: AtomicRef<Thread>,
    pub(crate) idle_thread: AtomicRef<Thread>,
    pub(crate) ready: ReadyThreads,
    /// DPCs are being run on this processor.
    pub(crate) dpc_active: AtomicBool,
    /// Clock time that the running DPC has taken, for the watchdog, in 100 ns.
    pub(crate) dpc_time: AtomicU64,
    /// How often the DPC queue was emptied.
    pub(crate) dpc_queue_emptied: AtomicU64,
    /// Routines of device interrupts that are running.
    pub(crate) in_interrupts: AtomicU32,
    /// Where the clock found this processor, in 100 ns: see [`ProcessorTimes`].
    pub(crate) times: [AtomicU64; 5],
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
            running: AtomicRef::none(),
            next: AtomicRef::none(),
            idle_thread: AtomicRef::none(),
            ready: ReadyThreads::new(),
            dpc_active: AtomicBool::new(false),
            dpc_time: AtomicU64::new(0),
            dpc_queue_emptied: AtomicU64::new(0),
            in_interrupts: AtomicU32::new(0),
            times: [const { AtomicU64::new(0) }; 5],
            dpcs_run: AtomicU64::new(0),
            ticks: AtomicU64::new(0),
            interrupts: AtomicU64::new(0),
            ipis: AtomicU64::new(0),
            requests: AtomicU32::new(0),
            idle: AtomicBool::new(false),
            frozen: AtomicBool::new(false),
        }
    }

    /// What must be done before this processor goes on below Dispatch: bits of [`Software`]. The floor keeps it where the
    /// processor itself finds it with one load.
    #[inline]
    fn software(&self) -> &'static AtomicU32 {
        // The place in the array is the number, which would be the only thing in the image that is not zero.
        let offset = core::ptr::from_ref(self).addr() - PRCBS.as_ptr().addr();
        let number = u32::try_from(offset / size_of::<Self>()).unwrap_or(0);
        Machine::work_word(ProcessorNumber(number))
    }

    /// Asks for software interrupts. Release: what they are to find was written before.
    #[inline]
    pub(crate) fn add_software(&self, wanted: Software) {
        self.software().fetch_or(wanted.bits(), Ordering::Release);
    }

    /// Takes back what was asked for, and gives which of it was. Acquire: pairs with `add_software`.
    #[inline]
    pub(crate) fn take_software(&self, taken: Software) -> Software {
        let before = self.software().fetch_and(!taken.bits(), Ordering::Acquire);
        Software::from_bits_truncate(before) & taken
    }

    /// What is asked for.
    #[inline]
    pub(crate) fn pending_software(&self) -> Software {
        Software::from_bits_truncate(self.software().load(Ordering::Acquire))
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

    /// What it spent its time with.
    pub fn times(&self) -> ProcessorTimes {
        let time = |what: Spent| self.times[what as usize].load(Ordering::Relaxed);
        ProcessorTimes {
            idle: time(Spent::Idle),
            kernel: time(Spent::Kernel),
            user: time(Spent::User),
            dpc: time(Spent::Dpc),
            interrupt: time(Spent::Interrupt),
        }
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
    Machine::set_irql(Irql::Dispatch);
    if let Err(status) = thread::adopt_idle() {
        error!("processor {}: no idle thread: {status}", number.0);
        Machine::stop();
    }
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
    if software::is_pending() {
        software::deliver_if_allowed(Irql::Passive);
        return;
    }
    thread::reap();
    me.idle.store(true, Ordering::Release);
    Machine::halt_unless(|| !me.pending_software().is_empty());
    me.idle.store(false, Ordering::Release);
}

/// Makes a processor look whether a thread was chosen for it, once the database is free.
pub(crate) fn request_dispatch(database: &Database, target: ProcessorNumber) {
    prcb(target).add_software(Software::DISPATCH);
    if target != Machine::number() {
        database.ask_when_released(target);
    }
}

/// Makes a processor look whether the thread that it runs has kernel APCs.
pub(crate) fn request_apc(database: &Database, target: u32) {
    prcb(ProcessorNumber(target)).add_software(Software::APC);
    request_look(database, target);
}

/// Makes this processor look whether the thread that it runs has kernel APCs. At Dispatch.
pub(crate) fn request_apc_here() {
    current().add_software(Software::APC);
}

/// Makes another processor come out of user mode, or of its idle wait, and look what it is to do, once the database is free.
/// This one looks by itself.
///
/// What it is to find there was written before, under the database. If the thread that it is for has left that processor when
/// the interrupt comes, it was switched away from under the database, later; where it goes on it sees what was written before
/// it is back in user mode.
pub(crate) fn request_look(database: &Database, target: u32) {
    let target = ProcessorNumber(target);
    if target != Machine::number() {
        database.ask_when_released(target);
    }
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
    // Memory is to be had only with interrupts enabled.
    thread::adopt_idle().map_err(|_| "there is no memory for the first thread")?;
    irql::lower_to(Irql::Passive);
    clock::start_on_this_processor();
    info!(
        "processor 0 takes interrupts, {} ticks a second",
        clock::TICKS_PER_SECOND
    );
    Ok(())
}

/// Forgets what an earlier test left.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn forget() {
    for prcb in &PRCBS {
        prcb.software().store(0, Ordering::Relaxed);
        prcb.requests.store(0, Ordering::Relaxed);
        prcb.running.set(None);
        prcb.next.set(None);
        prcb.idle_thread.set(None);
        prcb.ready.forget();
        prcb.idle.store(false, Ordering::Relaxed);
        prcb.dpc_active.store(false, Ordering::Relaxed);
    }
}

/// Says that the first `count` processors run, for tests on the simulated machine, where none is really started.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn pretend_active(count: u32) {
    ACTIVE.store((1 << count) - 1, Ordering::Release);
}
