//! Phase 0: from what the firmware left to memory under management.

use core::fmt::{self, Write};

use arch::contract::{BootInfo, Clock, Console, EntryLevel, ExitCode, Firmware, Power};
use arch::{Machine, memory};
use boards::{DiscoveryError, LoaderBlock, PhysRange};
use ke::{info, warning};
use nt_abi::BugCheckCode;

use crate::measures;
use crate::options::Options;

/// Brings memory under management and gives what the firmware said of the machine.
///
/// Where the firmware's word is unusable the kernel says so on whatever console there is, and ends with
/// [`ExitCode::CannotBoot`].
pub(crate) fn run(boot: &BootInfo) -> LoaderBlock {
    let loader = match discover(boot) {
        Ok(loader) => loader,
        Err(error) => cannot_boot(boot, format_args!("{error}")),
    };
    if let Some(console) = &loader.console {
        Machine::open_console(console);
    }
    let options = Options::parse(&loader.command_line);
    Machine::set_exit_channel(options.exit);
    Machine::initialize_power(&loader);
    ke::log::show_up_to(options.log);
    ke::register();
    ke::processor::begin_phase0();
    let first_line = Machine::counter();
    info!(
        "Tarn {} on {}, entered at {}",
        env!("CARGO_PKG_VERSION"),
        loader.machine,
        name_of(boot.entry_level)
    );
    measures::note_first_line(first_line);
    if let Some(word) = options.not_understood {
        warning!("the command line's `{word}` means nothing to Tarn and is ignored");
    }
    if let Err(error) = memory::initialize(&loader) {
        cannot_boot(boot, format_args!("{error}"));
    }
    if let Err(status) = mm::initialize() {
        ke::bug_check::stop(
            BugCheckCode::PHASE0_INITIALIZATION_FAILED,
            [u64::from(status.0), 0, 0, 0],
        );
    }
    report_memory(&loader);
    loader
}

fn discover(boot: &BootInfo) -> Result<LoaderBlock, DiscoveryError> {
    match boot.firmware {
        Firmware::DeviceTree { address, bytes } => {
            let mut loader = boards::from_device_tree(bytes, boot.boot_processor)?;
            let length = boards::device_tree_length(bytes)?;
            if let Some(range) = PhysRange::new(address.0, length) {
                loader.reserve(range)?;
            }
            Ok(loader)
        }
        Firmware::Pvh { start_info } => {
            boards::from_pvh(start_info.0, &arch::firmware_memory(), boot.boot_processor)
        }
        Firmware::Nothing { found } => Err(nothing_left(boot.entry_level, found)),
    }
}

/// The error for a firmware that left no tables; `found` is what was where they should have been.
fn nothing_left(level: EntryLevel, found: u64) -> DiscoveryError {
    match level {
        EntryLevel::Protected32 | EntryLevel::Host => DiscoveryError::StartInfo {
            address: found,
            what: "no PVH start-of-day structure is there",
        },
        EntryLevel::El1 | EntryLevel::El2 => {
            // ATAGS begin with the length of ATAG_CORE in words, little endian; `found` was read as the magic is, big endian.
            const ATAG_CORE_LENGTH: u32 = 5;
            const MAGIC: u64 = 0xD00D_FEED;
            if found == MAGIC {
                return DiscoveryError::DamagedTree {
                    offset: 4,
                    what: "its header says that it is shorter than a header or longer than 2 MiB",
                };
            }
            let found = u32::try_from(found).unwrap_or(u32::MAX);
            let is_atags = found.swap_bytes() == ATAG_CORE_LENGTH;
            DiscoveryError::NotADeviceTree {
                found: if is_atags { ATAG_CORE_LENGTH } else { found },
                is_atags,
            }
        }
    }
}

/// Writes to the console before there is a log.
struct EarlyConsole;

impl Write for EarlyConsole {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        Machine::write_bytes(text.as_bytes());
        Ok(())
    }
}

fn cannot_boot(boot: &BootInfo, why: fmt::Arguments<'_>) -> ! {
    if let Firmware::DeviceTree { bytes, .. } = boot.firmware
        && let Some(console) = boards::console_hint(bytes)
    {
        Machine::open_console(&console);
    }
    // Were the console's errors known, there would be nobody to tell.
    let _ = writeln!(EarlyConsole, "Tarn cannot start on this machine: {why}");
    Machine::give_up(ExitCode::CannotBoot)
}

const fn name_of(level: EntryLevel) -> &'static str {
    match level {
        EntryLevel::El1 => "EL1",
        EntryLevel::El2 => "EL2",
        EntryLevel::Protected32 => "32-bit protected mode (PVH)",
        EntryLevel::Host => "a host process",
    }
}

fn report_memory(loader: &LoaderBlock) {
    const MIB: u64 = 1 << 20;
    let summary = memory::summary();
    let frames = mm::frames::counts();
    info!(
        "memory: {} MiB in {} ranges, {} MiB usable; {} page frames free; kernel image {} KiB",
        summary.total / MIB,
        loader.memory.len(),
        summary.usable / MIB,
        frames.free,
        summary.image / 1024,
    );
    for range in &loader.memory {
        ke::debug!("memory: {:#012x}..{:#012x}", range.start, range.end);
    }
    for range in &loader.reserved {
        ke::debug!("reserved: {:#012x}..{:#012x}", range.start, range.end);
    }
    if let Some(initrd) = loader.initrd {
        info!(
            "initial RAM disk: {} bytes at {:#x}",
            initrd.length(),
            initrd.start
        );
    }
}
