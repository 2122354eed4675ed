//! The loader block: all that the kernel needs to know of its machine before
//! it has a heap, in fixed space.
//!
//! It plays the part of NT's `LOADER_PARAMETER_BLOCK`, but it is made by the
//! kernel itself from the firmware's tables, and holds no pointers.

use arrayvec::{ArrayString, ArrayVec};

use crate::discovery_error::DiscoveryError;
use crate::range_list;

/// The most processors that a machine may have; further ones stay off and are reported.
pub const MAX_PROCESSORS: usize = 64;
/// The most separate ranges of usable memory, and of reserved memory, that are kept.
pub const MAX_MEMORY_RANGES: usize = 64;
/// The longest command line, in bytes; what is beyond it is an error, not cut.
pub const MAX_COMMAND_LINE: usize = 1024;
/// One past the last physical address that any machine may have: the Arm architecture (D8.1, 52-bit output addresses)
/// and x86-64 (52 bits of physical address in a page-table entry) agree. Ranges beyond it are cut off.
pub const PHYSICAL_ADDRESS_LIMIT: u64 = 1 << 52;

/// A range of physical addresses, `start..end`, in bytes; never wraps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhysRange {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
}

impl PhysRange {
    /// Makes the range of `length` bytes at `start`, or `None` if it would wrap.
    pub const fn new(start: u64, length: u64) -> Option<Self> {
        match start.checked_add(length) {
            Some(end) => Some(Self { start, end }),
            None => None,
        }
    }

    /// The number of bytes in the range.
    pub const fn length(&self) -> u64 {
        self.end - self.start
    }

    /// Whether the range has no byte.
    pub const fn is_empty(&self) -> bool {
        self.start >= self.end
    }

    /// Whether the two ranges share a byte.
    pub const fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// How a processor that is off is brought up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnableMethod {
    /// It is the processor that booted.
    Boot,
    /// PSCI `CPU_ON` through the conduit in [`LoaderBlock::psci`].
    Psci,
    /// It polls this physical address for the address to jump to.
    SpinTable {
        /// Physical address of the 8-byte release word.
        release_address: u64,
    },
    /// INIT, then start-up interrupts through the local APIC.
    InitSipi,
}

/// One processor, as the firmware lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessorDescription {
    /// The hardware's own name for it: MPIDR affinity bits on ARM64, APIC id on x86-64.
    pub hardware_id: u64,
    /// ACPI processor UID on x86-64, position in the tree on ARM64.
    pub firmware_id: u32,
    /// How it is started.
    pub enable_method: EnableMethod,
}

/// The kind of serial port that the log goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleKind {
    /// ARM PrimeCell PL011, memory-mapped.
    Pl011,
    /// 16550 compatible, at an I/O port.
    Uart16550Port,
    /// The Raspberry Pi's mini UART (16550-like registers of 4 bytes), memory-mapped.
    Bcm2835Aux,
}

/// The serial port that the log goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Console {
    /// What it is.
    pub kind: ConsoleKind,
    /// Physical address of its registers, or its I/O port.
    pub base: u64,
    /// Bytes of registers.
    pub length: u64,
    /// Its interrupt, in the controller's numbering (INTID or GSI), if it is described.
    pub interrupt: Option<u32>,
}

/// The machine's interrupt controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InterruptController {
    /// GICv2, or the GIC-400.
    GicV2 {
        /// Registers of the distributor.
        distributor: PhysRange,
        /// Registers of the CPU interface.
        cpu_interface: PhysRange,
    },
    /// GICv3 or GICv4.
    GicV3 {
        /// Registers of the distributor.
        distributor: PhysRange,
        /// Regions of redistributors, each walked until its last frame.
        redistributors: ArrayVec<PhysRange, 8>,
    },
    /// Local APICs and I/O APICs.
    Apic {
        /// Physical address of the local APIC's page.
        local_apic: u64,
        /// The I/O APICs.
        io_apics: ArrayVec<IoApic, 8>,
        /// ISA interrupts that are wired otherwise than one to one.
        overrides: ArrayVec<InterruptOverride, 16>,
        /// Whether the two old 8259 controllers exist and must be masked.
        has_8259: bool,
    },
}

/// One I/O APIC, from the MADT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IoApic {
    /// Its id.
    pub id: u8,
    /// Physical address of its two registers.
    pub address: u64,
    /// The first global system interrupt that it serves.
    pub first_gsi: u32,
}

/// An ISA interrupt that is wired to another global system interrupt, from the MADT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterruptOverride {
    /// ISA interrupt number, 0 to 15.
    pub isa: u8,
    /// The global system interrupt that it reaches.
    pub gsi: u32,
    /// Whether it is active low.
    pub active_low: bool,
    /// Whether it is level triggered.
    pub level: bool,
}

/// What the clock interrupt and the counter come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerDescription {
    /// The ARM generic timer; interrupt numbers are GIC INTIDs.
    Generic {
        /// INTID of the virtual timer, which the kernel uses.
        virtual_interrupt: u32,
        /// INTID of the non-secure physical timer.
        physical_interrupt: u32,
        /// `clock-frequency` where the tree overrides CNTFRQ, in hertz.
        frequency: Option<u32>,
    },
    /// The local APIC timer and TSC, calibrated against the HPET at this physical address or, without one, the PIT.
    LocalApic {
        /// Physical address of the HPET, if there is one.
        hpet: Option<u64>,
    },
}

/// How PSCI is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PsciConduit {
    /// By HVC.
    Hvc,
    /// By SMC.
    Smc,
}

/// How the machine is switched off and reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerControl {
    /// PSCI `SYSTEM_OFF` and `SYSTEM_RESET`.
    Psci,
    /// The Raspberry Pi's power manager and watchdog, at this physical range.
    Bcm2835Pm(PhysRange),
    /// ACPI: PM1a control port for S5 and the reset register, as far as the FADT gives them.
    Acpi {
        /// I/O port of PM1a_CNT, 0 if none.
        pm1a_control: u16,
        /// I/O port of the reset register, 0 if none.
        reset_port: u16,
        /// The value that resets.
        reset_value: u8,
    },
    /// Nothing known: the kernel halts.
    None,
}

/// All that the kernel needs to know of its machine before it has a heap.
#[derive(Clone, Debug)]
pub struct LoaderBlock {
    /// The machine's own name for itself (`model` or `compatible` of the tree, OEM id of ACPI).
    pub machine: ArrayString<96>,
    /// What the boot loader passed, e.g. `/chosen/bootargs`.
    pub command_line: ArrayString<MAX_COMMAND_LINE>,
    /// Usable RAM as the firmware reports it: sorted, disjoint, whole pages. Reserved ranges are **not** cut out.
    pub memory: ArrayVec<PhysRange, MAX_MEMORY_RANGES>,
    /// Ranges that nobody may use: sorted, disjoint, whole pages (rounded outwards). Includes the firmware's own
    /// tables and the initial RAM disk; the floor adds the kernel image.
    pub reserved: ArrayVec<PhysRange, MAX_MEMORY_RANGES>,
    /// Every usable processor; the one that booted is found by its hardware id.
    pub processors: ArrayVec<ProcessorDescription, MAX_PROCESSORS>,
    /// How many usable processors the firmware lists that are not in `processors`: those beyond
    /// [`MAX_PROCESSORS`], and those that start in a way that Tarn does not know.
    pub processors_left_out: u32,
    /// The serial port for the log.
    pub console: Option<Console>,
    /// The interrupt controller.
    pub interrupt_controller: InterruptController,
    /// The timer.
    pub timer: TimerDescription,
    /// PSCI's conduit, where there is PSCI.
    pub psci: Option<PsciConduit>,
    /// How the machine goes off.
    pub power: PowerControl,
    /// The initial RAM disk, in bytes.
    pub initrd: Option<PhysRange>,
}

impl LoaderBlock {
    /// Reserves every page that `range` touches, e.g. the device tree itself or the kernel image.
    ///
    /// # Errors
    ///
    /// [`DiscoveryError::TooMany`] if [`MAX_MEMORY_RANGES`] ranges are reserved already and this one touches none of
    /// them; the block is then unchanged.
    pub fn reserve(&mut self, range: PhysRange) -> Result<(), DiscoveryError> {
        if range.is_empty() {
            return Ok(());
        }
        range_list::insert(
            &mut self.reserved,
            range_list::outwards(range),
            "reserved ranges of memory",
        )
    }
}
