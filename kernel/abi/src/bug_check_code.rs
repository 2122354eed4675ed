//! Bug check codes, with Windows' numbers and meanings of the four parameters
//! ("Bug check code reference" in the driver documentation).

use core::fmt;

/// Why the kernel stopped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(transparent)]
pub struct BugCheckCode(pub u32);

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        impl BugCheckCode {
            $($(#[$doc])* pub const $name: Self = Self($value);)*

            /// Its name in Windows' headers.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

codes! {
    /// A lock was acquired or released at the wrong level: level found, level needed, 0, 0.
    IRQL_NOT_GREATER_OR_EQUAL = 0x0000_0009;
    /// Memory was touched at too high a level: address, level, 0 read / 1 write / 8 execute, instruction.
    IRQL_NOT_LESS_OR_EQUAL = 0x0000_000A;
    /// An exception in kernel mode that nobody handles: status, instruction, two parameters of the exception.
    KMODE_EXCEPTION_NOT_HANDLED = 0x0000_001E;
    /// An unmapped kernel address: address, 0 read / 2 write / 16 execute, instruction, 0.
    PAGE_FAULT_IN_NONPAGED_AREA = 0x0000_0050;
    /// Phase 0 failed: status, 0, 0, 0.
    PHASE0_INITIALIZATION_FAILED = 0x0000_0031;
    /// Phase 1 failed: status, 0, 0, 0.
    PHASE1_INITIALIZATION_FAILED = 0x0000_0032;
    /// A processor reports a fault of the hardware: syndrome, address, 0, 0.
    MACHINE_CHECK_EXCEPTION = 0x0000_009C;
    /// A trap that the kernel never causes: trap number in x86's numbering (8 also for a kernel stack that overflowed, on
    /// every machine), address or error code, stack pointer, instruction.
    UNEXPECTED_KERNEL_MODE_TRAP = 0x0000_007F;
    /// A non-maskable interrupt: 0, 0, 0, 0.
    NMI_HARDWARE_FAILURE = 0x0000_0080;
    /// A store to memory that is read-only: address, page-table entry's protection, instruction, 0.
    ATTEMPTED_WRITE_TO_READONLY_MEMORY = 0x0000_00BE;
    /// An instruction fetch from memory that is not executable: address, 0, instruction, 0.
    ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY = 0x0000_00FC;
    /// Somebody asked for it: four parameters of theirs.
    MANUALLY_INITIATED_CRASH = 0x0000_00E2;
    /// A process that the system cannot do without ended: its number, its exit status, 0, 0.
    CRITICAL_PROCESS_DIED = 0x0000_00EF;
    /// A thread that the system cannot do without ended: 6, its number, its exit status, 0.
    CRITICAL_OBJECT_TERMINATION = 0x0000_00F4;
    /// A DPC ran too long: 0 for a single one, ticks that it ran, ticks allowed, its routine.
    DPC_WATCHDOG_VIOLATION = 0x0000_0133;
    /// The kernel found a structure of its own broken: 0, 0, 0, 0.
    KERNEL_SECURITY_CHECK_FAILURE = 0x0000_0139;
}

impl fmt::Display for BugCheckCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x} {}", self.0, self.name().unwrap_or("(no name)"))
    }
}
