//! Phase 1: interrupts, the clock, the other processors; then the machine is checked.

use core::fmt::Write;

use arch::Machine;
use arch::contract::{BootInfo, Clock, Interrupts};
use arrayvec::ArrayString;
use boards::LoaderBlock;
use ke::processor::{self, ProcessorStacks};
use ke::{error, info, self_check};
use mm::KernelStack;
use nt_abi::{BugCheckCode, NtStatus};

use crate::measures;
use crate::options::Options;

/// A self-check: one sentence if it fails.
type Check = fn() -> Result<(), &'static str>;

/// A machine on which all that this kernel has is up.
pub struct Running {
    loader: LoaderBlock,
}

impl Running {
    /// What the firmware said of the machine.
    pub fn loader(&self) -> &LoaderBlock {
        &self.loader
    }

    /// What the command line says.
    pub fn options(&self) -> Options<'_> {
        Options::parse(&self.loader.command_line)
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

/// Brings up interrupts and every processor.
pub(crate) fn run(boot: &BootInfo, loader: LoaderBlock) -> Running {
    if let Err(why) = processor::initialize_boot_processor(&loader) {
        error!("{why}");
        ke::bug_check::stop(
            BugCheckCode::PHASE1_INITIALIZATION_FAILED,
            [u64::from(NtStatus::NOT_SUPPORTED.0), 0, 0, 0],
        );
    }
    describe("interrupt controller", |out| Machine::describe(out));
    describe("timer", |out| Machine::describe_clock(out));
    let started = processor::start_all(&loader, boot.boot_processor, || {
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
        measures::report(boot.counter_at_entry, all_idle);
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
