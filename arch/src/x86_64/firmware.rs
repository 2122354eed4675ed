//! What PVH left in memory, before anything is known about that memory.
//!
//! The start-of-day structure (`hvm_start_info`, version 1) and the ACPI tables point
//! at one another by physical address, and a damaged one points anywhere. Until
//! `memory::initialize` the boot tables show the low 4 GiB, and what is read is
//! limited to that, without its last 20 MiB: there a PC has its interrupt
//! controllers, timers and ROM, and reading a device's register can change it.
//! Afterwards only what the physical map shows, which is RAM, is read.

use core::arch::asm;

use boards::PhysicalMemory;

use super::translation::kernel_root;
use crate::Machine;
use crate::contract::{Firmware, PAGE_SIZE, PhysAddr, Translation};
use crate::memory::layout;

/// `hvm_start_info.magic`: "xEn3" with the top bit of the E.
const MAGIC: u32 = 0x336E_C578;
/// Offset of the command line's address.
const COMMAND_LINE: u64 = 24;
/// The longest command line that is searched.
const COMMAND_LINE_LIMIT: u64 = 1024;
/// One past the last address that is read through the boot tables.
const BOOT_LIMIT: u64 = 0xFEC0_0000;

/// Physical memory, for the readers of the firmware's tables.
#[derive(Clone, Copy, Debug)]
pub struct FirmwareMemory(());

/// The memory in which the firmware left its tables.
pub fn firmware_memory() -> FirmwareMemory {
    FirmwareMemory(())
}

impl PhysicalMemory for FirmwareMemory {
    fn read(&self, address: u64, into: &mut [u8]) -> bool {
        let Some(end) = address.checked_add(into.len() as u64) else {
            return false;
        };
        let source = if kernel_root().is_some() {
            if end > layout::PHYSICAL_MAP_LENGTH || !is_mapped(address, end) {
                return false;
            }
            layout::physical_map(PhysAddr(address)).0
        } else {
            if end > BOOT_LIMIT {
                return false;
            }
            address
        };
        // SAFETY: the source is mapped, by the boot tables or as was just asked. An instruction and not a Rust copy,
        // because the source may be address 0 and may be memory that Rust owns: bytes are all that is wanted.
        unsafe {
            asm!("rep movsb", inout("rcx") into.len() => _, inout("rsi") source => _,
                inout("rdi") into.as_mut_ptr() => _, options(nostack, preserves_flags));
        }
        true
    }
}

fn is_mapped(start: u64, end: u64) -> bool {
    let first = start & !(PAGE_SIZE - 1);
    (first..end)
        .step_by(4096)
        .all(|page| Machine::probe_kernel(layout::physical_map(PhysAddr(page))))
}

fn read_u32(address: u64) -> Option<u32> {
    let mut bytes = [0; 4];
    firmware_memory()
        .read(address, &mut bytes)
        .then(|| u32::from_le_bytes(bytes))
}

/// What the register that should point to the start-of-day structure points to.
pub(super) fn find(start_info: u32) -> Firmware {
    let address = u64::from(start_info);
    match read_u32(address) {
        Some(MAGIC) => {
            if let Some(port) = exit_port(address) {
                super::power::remember_exit_port(port);
            }
            Firmware::Pvh {
                start_info: PhysAddr(address),
            }
        }
        Some(found) => Firmware::Nothing {
            found: u64::from(found),
        },
        None => Firmware::Nothing { found: address },
    }
}

/// The port that the command line names with `exit=debug-port:0x…`, if there is a command line and it does.
fn exit_port(start_info: u64) -> Option<u16> {
    const KEY: &[u8] = b"exit=debug-port:0x";
    let low = read_u32(start_info + COMMAND_LINE)?;
    let high = read_u32(start_info + COMMAND_LINE + 4)?;
    let line = u64::from(high) << 32 | u64::from(low);
    let byte = |offset: u64| {
        let mut byte = [0];
        (offset < COMMAND_LINE_LIMIT
            && firmware_memory().read(line.checked_add(offset)?, &mut byte)
            && byte[0] != 0)
            .then_some(byte[0])
    };
    let is_key = |start: u64| {
        (start..)
            .zip(KEY)
            .all(|(offset, &wanted)| byte(offset) == Some(wanted))
    };
    let start = (0..COMMAND_LINE_LIMIT)
        .take_while(|&offset| byte(offset).is_some())
        .find(|&offset| is_key(offset))?;
    let digits =
        (start + KEY.len() as u64..).map_while(|offset| char::from(byte(offset)?).to_digit(16));
    let port = digits.take(5).fold(0_u32, |port, digit| port << 4 | digit);
    u16::try_from(port).ok().filter(|port| *port != 0)
}
