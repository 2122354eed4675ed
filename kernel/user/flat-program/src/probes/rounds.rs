//! A whole register file, loaded, carried through one trap, and stored.
//!
//! Each routine loads all registers that user mode has from one file, executes one instruction that traps, and stores all
//! registers to another file. What may differ then is in [`LOST_IN_CALLS`] for system calls, nothing otherwise.

#[cfg(target_arch = "aarch64")]
#[path = "rounds_aarch64.rs"]
mod machine;
#[cfg(target_arch = "x86_64")]
#[path = "rounds_x86_64.rs"]
mod machine;

pub use machine::{
    CONTROL_BITS, COUNT, FIXED_CONTROL, FIXED_FLAGS, FLAG_BITS, GENERAL, LOST_IN_CALLS, PLACE,
    RegisterFile, STATUS_BITS, carries_all, scramble, skip_breakpoint, step,
};

/// Carries a register file through one trap.
type Round = unsafe extern "C" fn(&RegisterFile, &mut RegisterFile);

/// The traps that a register file can be carried through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// `NtYieldExecution`.
    SystemCall,
    /// `NtTestAlert`: runs the APCs that were queued.
    Apc,
    /// A write of the lowest byte of a register to the address in the register [`PLACE`].
    PageFault,
    /// A breakpoint; its handler goes on behind it ([`skip_breakpoint`]).
    Breakpoint,
    /// A breakpoint whose handler asks for a single step ([`step`]) over the instruction behind it.
    Step,
    /// Counts the register [`COUNT`] down to zero.
    Spin,
}

/// Carries a register file through one trap. Of the general registers as many count as the machine has.
pub fn carry(way: Way, from: &RegisterFile, to: &mut RegisterFile) {
    let round: Round = match way {
        Way::SystemCall => machine::yields,
        Way::Apc => machine::tests_alert,
        Way::PageFault => machine::writes,
        Way::Breakpoint => machine::breaks,
        Way::Step => machine::steps,
        Way::Spin => machine::spins,
    };
    // SAFETY: they follow the C convention, keep what a callee has to keep, and touch no memory but both files, their stack
    // and, for a write, what the caller names: a test's own page.
    unsafe { round(from, to) }
}
