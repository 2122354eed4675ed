//! What the entry code knows, the console, and the ways out.

use boards::{Console as ConsoleDescription, LoaderBlock};

use super::PhysAddr;

/// What the firmware left for the kernel.
#[derive(Clone, Copy, Debug)]
pub enum Firmware {
    /// A flattened device tree.
    DeviceTree {
        /// Where it is.
        address: PhysAddr,
        /// Its bytes, readable until `memory::initialize`, at least as long as its header says, at most 2 MiB.
        bytes: &'static [u8],
    },
    /// The PVH start-of-day structure, and ACPI in memory.
    Pvh {
        /// Where the structure is.
        start_info: PhysAddr,
    },
    /// Nothing usable; `found` is what the register that should point to it held.
    Nothing {
        /// The value found there (the first word at the address, for a bad device tree).
        found: u64,
    },
}

/// The privilege level at which the firmware entered the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryLevel {
    /// ARM64 EL1.
    El1,
    /// ARM64 EL2; the kernel's stub stays there.
    El2,
    /// x86-64, by PVH in 32-bit protected mode.
    Protected32,
    /// A host process.
    Host,
}

/// What the entry code knows.
#[derive(Clone, Copy, Debug)]
pub struct BootInfo {
    /// What the firmware left.
    pub firmware: Firmware,
    /// MPIDR affinity bits or APIC id of this processor.
    pub boot_processor: u64,
    /// The level of entry.
    pub entry_level: EntryLevel,
    /// The counter at the first instruction, as near as the entry code can read it.
    pub counter_at_entry: u64,
}

/// How an exit code reaches a host that emulates the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExitChannel {
    /// No host listens: the machine is switched off and the code is only in the log.
    None,
    /// ARM semihosting, `SYS_EXIT_EXTENDED`.
    Semihosting,
    /// An `isa-debug-exit` device at this I/O port; the code is written plus 0x10.
    DebugPort(u16),
}

/// How the kernel ended, for the host: the process exit code of `cargo xtask run`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ExitCode {
    /// All well.
    Success = 0,
    /// A self-check or a test failed.
    CheckFailed = 10,
    /// A bug check.
    BugCheck = 11,
    /// What the firmware said cannot be used.
    CannotBoot = 12,
}

/// The log's way out. Polled, usable at any level, from the first instructions to the last.
pub trait Console {
    /// Directs output to a port; valid before and after `memory::initialize`.
    fn open_console(console: &ConsoleDescription);

    /// Writes bytes; `\n` becomes CR LF on a serial line. Before a port is open, bytes go to the last resort (semihosting
    /// where it answers), else nowhere.
    fn write_bytes(bytes: &[u8]);

    /// A byte that arrived, if one did.
    fn read_byte() -> Option<u8>;
}

/// The ways out.
pub trait Power {
    /// Reads from the loader block how the machine goes off; until then only the exit channel works.
    fn initialize_power(loader: &LoaderBlock);

    /// Sets how an exit code reaches the host.
    fn set_exit_channel(channel: ExitChannel);

    /// Ends with that code: by the exit channel, else by switching off, else by stopping.
    fn power_off(code: ExitCode) -> !;

    /// Starts the machine again, or switches it off where it cannot.
    fn reset() -> !;

    /// Ends where no command line was read: tries whatever could reach a host, probing with care, then stops.
    fn give_up(code: ExitCode) -> !;
}
