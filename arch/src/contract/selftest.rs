//! Faults on purpose, and registers held on purpose.
//!
//! The tests of the bug check and of the trap path need code that safe Rust
//! cannot express. It lives on the floor, and only the test kernel reaches it:
//! in the product the linker drops it.

use core::sync::atomic::AtomicU64;

/// A fault to be provoked in kernel mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Load from address 0x10.
    ReadUnmapped,
    /// Store to an unmapped address of the upper half.
    WriteUnmapped,
    /// Store to the kernel's own code.
    WriteText,
    /// Store to a constant.
    WriteReadOnly,
    /// Jump to a writable page.
    ExecuteData,
    /// An undefined instruction.
    IllegalInstruction,
    /// An instruction or operand that the machine refuses in this state (x86 #GP by a non-canonical address).
    GeneralProtection,
    /// Division by zero (x86 alone traps).
    DivideByZero,
    /// A breakpoint instruction.
    Breakpoint,
    /// A misaligned access that the machine refuses.
    Misaligned,
    /// A jump to an odd address (ARM).
    MisalignedPc,
    /// A stack access through a misaligned SP (ARM).
    MisalignedStack,
    /// Recursion until the stack ends.
    StackOverflow,
    /// An exception that cannot be delivered on the present stack (x86 #DF; ARM: a vector with an unusable SP).
    DoubleFault,
    /// A load from a physical address where nothing is (ARM: synchronous external abort).
    BusError,
    /// A SIMD instruction while the unit is off.
    FloatingPointUnavailable,
}

/// This machine has no such fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotOnThisMachine;

/// A register that did not keep its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RegisterChanged {
    /// Its name, e.g. `x7` or `xmm3.high`.
    pub name: &'static str,
    /// What was put there.
    pub expected: u64,
    /// What was found.
    pub found: u64,
}

/// What only tests need of a machine.
pub trait SelfTest {
    /// Provokes a fault; returns only if the machine has none of that class, or resumed after it.
    ///
    /// # Errors
    /// [`NotOnThisMachine`].
    fn provoke(fault: Fault) -> Result<(), NotOnThisMachine>;

    /// Fills every general and SIMD register and the flags with values derived from `seed`, loops until `counter`
    /// reaches `target`, then compares.
    ///
    /// # Errors
    /// The first register that changed.
    fn hold_registers(counter: &AtomicU64, target: u64, seed: u64) -> Result<(), RegisterChanged>;

    /// Overwrites every SIMD register (and their control register's writable flags) with values derived from `seed`.
    fn scramble_simd(seed: u64);

    /// The SIMD registers' count and size in bytes, e.g. (32, 16).
    fn simd_shape() -> (u32, u32);
}
