//! Code that no compiler writes, for programs that test the kernel: instructions that trap, and registers that are
//! filled, kept across switches and looked at again.

#[cfg(target_arch = "aarch64")]
#[path = "probes/aarch64.rs"]
mod machine;
#[cfg(target_arch = "x86_64")]
#[path = "probes/x86_64.rs"]
mod machine;

pub use machine::TRAPS;

use nt_abi::NtStatus;

use crate::dispatchers::ThreadRoutine;

/// An instruction that traps.
#[derive(Clone, Copy)]
pub struct Trap {
    /// What it is.
    pub name: &'static str,
    /// A thread's routine that begins with it.
    pub routine: ThreadRoutine,
    /// The exception that it is to be.
    pub code: NtStatus,
    /// The first parameters of its record, as many as there are to be.
    pub parameters: &'static [u64],
}

/// Fills the registers that a system call keeps (general, SIMD, flags) with values made from `seed`, gives the processor
/// away, and compares, `rounds` times; the thread's TEB is looked at too. Gives 0, or the number of the round, counted down,
/// in which something had changed.
pub fn keep_registers(rounds: u64, seed: u64) -> u64 {
    // SAFETY: it follows the C convention, keeps what a callee has to keep, and touches no memory but its own stack.
    unsafe { machine::keep_registers(rounds, seed | 1) }
}
