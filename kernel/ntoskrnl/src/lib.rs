//! The kernel program: phase 0 and phase 1 in order.
//!
//! | phase | on | what |
//! |---|---|---|
//! | [`phase0`] | the boot stack, one processor, no interrupts | firmware, console, page tables, frames |
//! | [`phase1`] | the same, then all processors | interrupts, clock, the other processors, self-checks |
//!
//! The two kernel programs (`ntoskrnl` and the tests' own) differ in what they do
//! after phase 1, which they say in a [`Program`].
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

mod measures;
mod options;
mod phase0;
mod phase1;

pub use options::Options;
pub use phase1::Running;

use arch::Machine;
use arch::contract::{BootInfo, ExitCode, Power};

/// What makes a kernel program of this crate.
pub struct Program {
    /// The symbol table that the build tool made of the linked kernel; empty when it is linked the first time.
    pub symbols: &'static [u8],
    /// What comes after phase 1; its result is the program's exit code.
    pub then: fn(&Running) -> ExitCode,
}

/// Runs the kernel, from the floor's entry to power-off.
#[doc(alias = "KiSystemStartup")]
pub fn start(boot: &BootInfo, program: &Program) -> ! {
    ke::bug_check::set_symbols(program.symbols);
    let loader = phase0::run(boot);
    let running = phase1::run(boot, loader);
    let code = (program.then)(&running);
    Machine::power_off(code)
}
