//! Phase 1: interrupts, the clock, the other processors; then the machine is checked.

use core::fmt::Write;

use arch::Machine;
use arch::contract::{Clock, ExitCode, Interrupts};
use arrayvec::ArrayString;
use boards::LoaderBlock;
use ke::processor::{self, ProcessorStacks};
use ke::{error, info, self_check};
use mm::KernelStack;
use nt_abi::{BugCheckCode, NtStatus};
use system_services::Trace;

use crate::Handover;
use crate::known_images;
use crate::measures;
use crate::options::Options;
use crate::programs;

/// A self-check: one sentence if it fails.
type Check = fn() -> Result<(), &'static str>;

/// A machine on which all that this kernel has is up.
pub struct Running {
    loader: &'static LoaderBlock,
}

impl Running {
    /// What the firmware said of the machine.
    pub fn loader(&self) -> &'static LoaderBlock {
        self.loader
    }

    /// What the command line says.
    pub fn options(&self) -> Options<'static> {
        Options::parse(&self.loader.command_line)
    }

    /// Brings up what programs need: objects, processes, system services, worker threads. The tests' kernel does without.
    pub fn start_executive(&self) {
        let trace = if self.options().trace {
            Trace::On
        } else {
            Trace::Off
        };
        if let Err(status) = ob::initialize()
            .and_then(|()| mm::section::register())
            .and_then(|()| mm::system_threads::start())
            .and_then(|()| ps::initialize())
            .and_then(|()| system_services::initialize(trace))
            .and_then(|()| ex::worker::start())
            .and_then(|()| known_images::publish(self.loader))
        {
            stop(status);
        }
    }

    /// Runs a program of the boot RAM disk to its end.
    pub fn run_program(&self, command_line: &str) -> ExitCode {
        programs::run(command_line)
    }

    /// Runs the self-checks of every component; says which failed. True if none did.
    pub fn self_checks(&self) -> bool {
        let checks: [(&str, Check); 5] = [
            ("page tables", mm::self_check::tables_are_sound),
            ("pool", ex::pool::self_check),
            (
                "clock on every processor",
                self_check::clock_ticks_everywhere,
            ),
            ("interprocessor calls", self_check::processors_answer),
            (
                "DPCs on every processor",
                self_check::dpcs_reach_their_processors,
            ),
        ];
        let mut sound = true;
        for (name, check) in checks {
            match check() {
                Ok(()) => info!("self-check: {name}: ok"),
                Err(why) => {
                    error!("self-check: {name}: FAILED: {why}");
                    sound = false;
                }
            }
        }
        sound
    }
}

/// Stops the machine, which cannot be brought up.
pub(crate) fn stop(status: NtStatus) -> ! {
    ke::bug_check::stop(
        BugCheckCode::PHASE1_INITIALIZATION_FAILED,
        [u64::from(status.0), 0, 0, 0],
    )
}

/// Brings up interrupts and the clock of the processor that booted, and makes what runs here its idle thread.
pub(crate) fn begin(loader: &LoaderBlock) {
    if let Err(why) = processor::initialize_boot_processor(loader) {
        error!("{why}");
        stop(NtStatus::NOT_SUPPORTED);
    }
}

/// Brings up every other processor.
pub(crate) fn run(handover: &'static Handover) -> Running {
    let loader = &handover.loader;
    describe("interrupt controller", |out| Machine::describe(out));
    describe("timer", |out| Machine::describe_clock(out));
    let started = processor::start_all(loader, handover.boot_processor, || {
        let stack = KernelStack::create().ok()?;
        let emergency = KernelStack::create().ok()?;
        Some(ProcessorStacks {
            stack_top: stack.keep()?,
            emergency_stack_top: emergency.keep()?,
        })
    });
    info!("processors: {started} of {} run", loader.processors.len());
    let idle = processor::wait_until_others_idle(10_000);
    let all_idle = Machine::counter();
    let running = Running { loader };
    if !idle {
        error!("a processor does not reach its idle loop");
    } else if running.options().measure {
        measures::report(handover.counter_at_entry, all_idle);
    }
    running
}

/// Writes a line that a part of the machine says about itself.
fn describe(what: &str, say: impl FnOnce(&mut dyn Write) -> core::fmt::Result) {
    let mut text = ArrayString::<160>::new();
    // What does not fit is cut: the line is for people.
    let _ = say(&mut text);
    info!("{what}: {text}");
}
