//! Faults on purpose, and registers held on purpose.
//!
//! The tests of the bug check and of the trap path need code that safe Rust
//! cannot express. It lives on the floor, and only the test kernel reaches it:
//! in the product the linker drops it.

use core::sync::atomic::AtomicU64;

use super::VirtAddr;

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

/// A few instructions of user mode, that can be anywhere. Where they make system calls without a number given here,
/// it is number 1. After what is described they end in an illegal instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UserCode {
    /// For ever: system call 7 with the ten arguments 0x100 to 0x109, then 8 with the result of 7 as its first.
    SystemCalls,
    /// For ever: system call 5.
    NullSystemCalls,
    /// System call 7 by the instruction that came before the present one (x86 INT 0x2E).
    OldSystemCall,
    /// Loads eight bytes from the address in its first argument; a system call with them.
    Read,
    /// Stores its second argument to the address in its first; a system call.
    Write,
    /// Calls the address in its first argument; a system call.
    Execute,
    /// An undefined instruction, the first one.
    IllegalInstruction,
    /// A breakpoint, the first instruction.
    Breakpoint,
    /// Turns single step on by itself; the exception comes behind the next instruction (x86).
    SingleStep,
    /// Loads a segment register with a selector of nothing (x86).
    BadSelector,
    /// Goes to 32-bit code (x86): system call 9 by INT 0x2E, then a SYSCALL. The code is below 4 GiB.
    ThirtyTwoBit,
    /// A loop of two instructions without end.
    Endless,
    /// Loads the first word of the TEB; a system call with it.
    ReadTeb,
    /// Fills all registers with values derived from its second argument, waits until the word of 64 bits at the address
    /// in its first argument is not zero, and compares; a system call with 0 if all have their values, and then with the first word of the TEB.
    HoldRegisters,
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

    /// Fills every general and SIMD register but those that the routine uses with values derived from `seed`, writes a word
    /// of user memory as [`write_word`](crate::user::write_word) does, which the kernel may have to resolve, then compares.
    /// False if the word could not be written.
    ///
    /// # Errors
    /// The first register that changed.
    fn write_held(to: VirtAddr, word: u64, seed: u64) -> Result<bool, RegisterChanged>;

    /// Overwrites every SIMD register (and their control register's writable flags) with values derived from `seed`.
    fn scramble_simd(seed: u64);

    /// The instructions of that code; `None` where the machine has no such.
    fn user_code(_code: UserCode) -> Option<&'static [u8]> {
        None
    }

    /// Lets the console's port interrupt when it can take a byte, or no more.
    fn let_console_interrupt(_enabled: bool) {}

    /// Whether the console's port interrupts because it can take a byte; if so, it no longer does until the next one.
    fn settle_console_interrupt() -> bool {
        false
    }

    /// Does what is done when the controller signals an interrupt and then has none to give; false if that cannot be brought
    /// about.
    fn take_spurious_interrupt() -> bool {
        false
    }

    /// The SIMD registers' count and size in bytes, e.g. (32, 16).
    fn simd_shape() -> (u32, u32);
}
