//! Exceptions in one vocabulary for every machine.

use super::VirtAddr;

/// What an access tried to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Load.
    Read,
    /// Store.
    Write,
    /// Instruction fetch.
    Execute,
}

/// Why a translation refused an access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultReason {
    /// No valid translation for the address.
    NotMapped,
    /// There is one, and it does not permit the access.
    Permission,
}

/// What a floating-point unit found that a program does not want to pass over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FloatingPointTrap {
    /// An operand for which the operation has no result.
    InvalidOperation,
    /// x87's register stack is full, or has nothing more.
    StackCheck,
    /// A finite number divided by zero.
    DivideByZero,
    /// An operand that is denormal.
    DenormalOperand,
    /// The result is too large.
    Overflow,
    /// The result is too small.
    Underflow,
    /// The result was rounded.
    Inexact,
    /// The machine does not say which.
    Unknown,
}

/// The class of an exception.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExceptionClass {
    /// A page fault or data/instruction abort from translation.
    PageFault {
        /// What was tried.
        access: Access,
        /// Why it was refused.
        reason: FaultReason,
    },
    /// An undefined instruction.
    IllegalInstruction,
    /// An instruction, or an operand of one, that this mode may not use (x86 #GP, ARM trapped system access).
    PrivilegedInstruction,
    /// x86 #DE.
    IntegerDivide,
    /// x86 #OF.
    IntegerOverflow,
    /// x86 #BR.
    BoundRangeExceeded,
    /// BRK, INT3.
    Breakpoint,
    /// A program asks the debugger for something: INT 2Dh. The program counter is behind the instruction.
    DebugService,
    /// The program found out that its own state is damaged and wants to end at once (`__fastfail`): INT 29h, BRK 0xF003.
    FastFail,
    /// An assertion of the program failed: INT 2Ch, BRK 0xF001.
    AssertionFailure,
    /// Single step, hardware breakpoint or watchpoint.
    DebugTrap,
    /// A data address with the wrong alignment.
    Misaligned,
    /// A PC that is no multiple of four (ARM).
    MisalignedPc,
    /// A stack pointer that is no multiple of sixteen, used for an access (ARM).
    MisalignedStack,
    /// The kernel stack ran into its guard page.
    StackOverflow,
    /// An exception while an exception was being delivered (x86 #DF).
    DoubleFault,
    /// The bus refused the access: synchronous external abort.
    BusError,
    /// SError, machine check.
    MachineCheck,
    /// x87, SSE or ARM floating-point exception.
    FloatingPoint(FloatingPointTrap),
    /// SIMD or floating-point instruction while the unit is off.
    FloatingPointUnavailable,
    /// A non-maskable interrupt.
    NonMaskableInterrupt,
    /// Another one; `syndrome` has the machine's own code.
    Other,
}

/// An exception, as the machine reports it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exception {
    /// What happened.
    pub class: ExceptionClass,
    /// The address of the instruction (for traps such as BRK and INT3: of that instruction too).
    pub pc: VirtAddr,
    /// The address that was accessed, where there is one (FAR_EL1, CR2).
    pub address: Option<VirtAddr>,
    /// ESR_EL1, or vector << 32 | error code.
    pub syndrome: u64,
    /// Whether it came from user mode.
    pub from_user: bool,
}

/// Saved registers, as people and the kernel read them.
pub trait Registers {
    /// The program counter.
    fn pc(&self) -> VirtAddr;

    /// The stack pointer at the interruption.
    fn sp(&self) -> VirtAddr;

    /// The return address of the innermost call where the machine keeps it in a register (ARM's link register).
    fn link(&self) -> Option<VirtAddr> {
        None
    }

    /// Calls `visit` with each register's name and value, in the order that a report shows them.
    fn for_each(&self, visit: &mut dyn FnMut(&'static str, u64));
}
