//! The kernel program: phase 0 and phase 1 in order.
//!
//! | phase | on | what |
//! |---|---|---|
//! | [`phase0`] | the boot stack, one processor, no interrupts | firmware, console, page tables, frames |
//! | [`phase1`] | the same, then the first thread | interrupts, clock; the other processors, self-checks |
//!
//! The boot stack becomes the first processor's idle thread.
//!
//! The two kernel programs (`ntoskrnl` and the tests' own) differ in what they do
//! after phase 1, which they say in a [`Program`].
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod known_images;
mod measures;
mod options;
mod phase0;
mod phase1;
mod programs;

pub use options::Options;
pub use phase1::Running;

use arch::Machine;
use arch::contract::{BootInfo, ExitCode, Power};
use boards::LoaderBlock;

/// What makes a kernel program of this crate.
pub struct Program {
    /// The symbol table that the build tool made of the linked kernel; empty when it is linked the first time.
    pub symbols: &'static [u8],
    /// What comes after phase 1; its result is the program's exit code.
    pub then: fn(&Running) -> ExitCode,
}

/// What the boot stack leaves to the first thread.
struct Handover {
    boot_processor: u64,
    counter_at_entry: u64,
    loader: LoaderBlock,
    then: fn(&Running) -> ExitCode,
}

static HANDOVER: spin::Once<Handover> = spin::Once::new();

/// Runs the kernel, from the floor's entry to power-off.
#[doc(alias = "KiSystemStartup")]
pub fn start(boot: &BootInfo, program: &Program) -> ! {
    ke::bug_check::set_symbols(program.symbols);
    let handover = HANDOVER.call_once(|| Handover {
        boot_processor: boot.boot_processor,
        counter_at_entry: boot.counter_at_entry,
        loader: phase0::run(boot),
        then: program.then,
    });
    phase1::begin(&handover.loader);
    if let Err(status) = ke::thread::start_system_thread(first_thread, 0) {
        phase1::stop(status);
    }
    ke::processor::idle()
}

/// Phase 1 as a thread; the argument means nothing.
fn first_thread(_argument: u64) {
    let Some(handover) = HANDOVER.get() else {
        return;
    };
    let running = phase1::run(handover);
    let code = (handover.then)(&running);
    Machine::power_off(code)
}
