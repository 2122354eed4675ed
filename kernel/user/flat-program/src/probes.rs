//! Code that no compiler writes, for programs that test the kernel: instructions that trap, and registers that are
//! filled, kept across switches and traps, and looked at again; and contexts that no program should get away with.

pub mod contexts;
pub mod rounds;

#[cfg(target_arch = "aarch64")]
#[path = "probes/aarch64.rs"]
mod machine;
#[cfg(target_arch = "x86_64")]
#[path = "probes/x86_64.rs"]
mod machine;

pub use machine::{FAST_FAIL, TRAPS};

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
    /// How far behind the routine's beginning the exception's address is, if that is to be looked at.
    pub offset: Option<u64>,
    /// Not every machine traps: emulators pass over floating-point exceptions, and so do most ARM64 processors.
    pub depends: bool,
}

impl Trap {
    const fn new(name: &'static str, routine: ThreadRoutine, code: NtStatus) -> Self {
        Self {
            name,
            routine,
            code,
            parameters: &[],
            offset: None,
            depends: false,
        }
    }

    const fn with(mut self, parameters: &'static [u64]) -> Self {
        self.parameters = parameters;
        self
    }

    const fn at(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    const fn depends(mut self) -> Self {
        self.depends = true;
        self
    }
}

/// Fills the registers that a system call keeps (general, SIMD, flags) with values made from `seed`, gives the processor
/// away, and compares, `rounds` times; the thread's TEB is looked at too. Gives 0, or the number of the round, counted down,
/// in which something had changed.
pub fn keep_registers(rounds: u64, seed: u64) -> u64 {
    // SAFETY: it follows the C convention, keeps what a callee has to keep, and touches no memory but its own stack.
    unsafe { machine::keep_registers(rounds, seed | 1) }
}
