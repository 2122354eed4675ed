//! Why a machine could not be described.
//!
//! This is the first thing that a person with a new board sees, and often the
//! only one: it is printed by a kernel that has no heap, no memory map and
//! perhaps a console found by guesswork. So each error is one sentence that says
//! what is wrong and where, and carries its own text in fixed space.

use core::fmt;

use arrayvec::ArrayString;

/// A node's path or a machine's name inside an error; the tail is kept if it is longer.
pub type ErrorText = ArrayString<72>;

/// A device without which the kernel cannot run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// The interrupt controller.
    InterruptController,
    /// The timer.
    Timer,
}

/// What is wrong with the firmware's description of the machine, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiscoveryError {
    /// The bytes are no device tree at all.
    NotADeviceTree {
        /// What stands where the magic should be: big-endian as the magic is, but
        /// little-endian if it is ATAGS, which are.
        found: u32,
        /// Whether it is ATAGS, what ARM firmware passed before device trees.
        is_atags: bool,
    },
    /// The device tree is damaged at this byte offset.
    DamagedTree {
        /// Offset from the start of the tree, in bytes.
        offset: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// A node of the device tree says something that cannot be.
    Node {
        /// The node's path.
        path: ErrorText,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The PVH start-of-day structure, or something that it points to, is unusable.
    StartInfo {
        /// Physical address of the part.
        address: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// There is no ACPI, which is where an x86-64 machine describes itself.
    NoAcpi {
        /// Where it was looked for.
        what: &'static str,
    },
    /// ACPI lists no table of this signature.
    TableAbsent {
        /// The table's signature.
        table: &'static str,
    },
    /// An ACPI table is damaged.
    DamagedTable {
        /// The table's signature.
        table: &'static str,
        /// Physical address of the table.
        address: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The machine has no device of a kind that Tarn can drive.
    NoDriver {
        /// The machine's own name.
        machine: ErrorText,
        /// What is missing.
        device: Device,
    },
    /// The firmware lists no whole page of usable memory.
    NoUsableMemory,
    /// The processor that runs this is not among those that the firmware lists.
    BootProcessorNotListed {
        /// MPIDR affinity bits, or APIC id.
        hardware_id: u64,
    },
    /// The firmware lists more of something than fits into the loader block.
    TooMany {
        /// What there is too much of, in the plural.
        what: &'static str,
        /// How many fit.
        limit: usize,
    },
}

impl fmt::Display for DiscoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotADeviceTree { found, is_atags } => {
                write!(
                    f,
                    "device tree: no magic d00dfeed at its start: found {found:x}"
                )?;
                match (is_atags, *found) {
                    (true, _) => f.write_str(" (ATAGS: the firmware passed no device tree)"),
                    (false, 0 | u32::MAX) => {
                        f.write_str(" (empty memory: the firmware passed no device tree)")
                    }
                    (false, _) => Ok(()),
                }
            }
            Self::DamagedTree { offset, what } => {
                write!(f, "device tree: damaged at offset {offset:#x}: {what}")
            }
            Self::Node { path, what } => write!(f, "device tree: node {path}: {what}"),
            Self::StartInfo { address, what } => {
                write!(f, "PVH start information at {address:#x}: {what}")
            }
            Self::NoAcpi { what } => write!(f, "ACPI: no root pointer (RSDP): {what}"),
            Self::TableAbsent { table } => write!(f, "ACPI: the firmware has no table {table}"),
            Self::DamagedTable {
                table,
                address,
                what,
            } => {
                write!(f, "ACPI: table {table} at {address:#x}: {what}")
            }
            Self::NoDriver { machine, device } => {
                let device = match device {
                    Device::InterruptController => "interrupt controller",
                    Device::Timer => "timer",
                };
                write!(
                    f,
                    "machine '{machine}': no {device} that Tarn has a driver for"
                )
            }
            Self::NoUsableMemory => {
                f.write_str("no usable memory: the firmware lists not one whole page of it")
            }
            Self::BootProcessorNotListed { hardware_id } => {
                write!(
                    f,
                    "processor {hardware_id:#x} is running, but the firmware does not list it"
                )
            }
            Self::TooMany { what, limit } => {
                write!(
                    f,
                    "the firmware lists more than {limit} {what}, and Tarn has room for no more"
                )
            }
        }
    }
}

impl core::error::Error for DiscoveryError {}

/// Appends as much of `from` as fits, in whole characters. Control characters become
/// `?`: what a damaged name holds must not command the terminal that it is printed on.
pub(crate) fn push_fitting<const N: usize>(text: &mut ArrayString<N>, from: &str) {
    for character in from.chars() {
        let shown = if character.is_control() {
            '?'
        } else {
            character
        };
        if text.try_push(shown).is_err() {
            return;
        }
    }
}

/// The text itself or, if it is too long, what of its end fits.
pub(crate) fn tail(from: &str) -> ErrorText {
    let mut text = ErrorText::new();
    let mut start = from.len().saturating_sub(text.capacity());
    while !from.is_char_boundary(start) {
        start = start.saturating_add(1);
    }
    push_fitting(&mut text, from.get(start..).unwrap_or_default());
    text
}
