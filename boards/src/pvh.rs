//! The machine as a PVH boot loader hands it over (x86-64).
//!
//! The start-of-day structure carries what the boot loader made or knows: the map
//! of memory, the command line, the initial RAM disk and where ACPI is. The rest is
//! ACPI's. The lists that it points to lie in ordinary memory, and nothing says
//! how long they live, so their pages are reserved with the RAM disk's.
//!
//! Source: `hvm_start_info` in Xen's public header `arch-x86/hvm/start_info.h`.

use arrayvec::ArrayString;

use crate::acpi;
use crate::discovery_error::DiscoveryError;
use crate::loader_block::{
    Console, ConsoleKind, LoaderBlock, MAX_COMMAND_LINE, PHYSICAL_ADDRESS_LIMIT, PhysRange,
};
use crate::physical_memory::{PhysicalMemory, le_u32, le_u64, read_array};
use crate::range_list::{self, RangeList};

const MAGIC: u32 = 0x336e_c578;
/// Length of the structure since version 1, in bytes.
const LENGTH: usize = 56;
/// Length of an entry of the list of modules, in bytes.
const MODULE: u64 = 32;
/// Length of an entry of the memory map, in bytes.
const MEMORY_ENTRY: u64 = 24;
/// The most entries of the memory map that are read; bounds the work.
const MAX_MEMORY_ENTRIES: u32 = 4096;
/// The kind of an entry that is usable memory; the numbers are the BIOS's (INT 15, E820).
const USABLE: u32 = 1;

/// The first serial port of a PC.
const COM1: u64 = 0x3F8;
const COM1_REGISTERS: u64 = 8;

/// Reads the PVH start-of-day structure at physical address `start_info_address`,
/// and ACPI's tables. `boot_processor` is the local APIC id of the processor that
/// runs this (CPUID leaf 1 or 0xB).
///
/// Reserved are the page at 0, the structure and its lists, the initial RAM disk, and
/// what the memory map lists both as memory and as something else. ACPI's tables lie
/// outside of usable memory.
///
/// # Errors
///
/// Every [`DiscoveryError`] but those of device trees: the structure or a table is
/// damaged, not in readable memory or absent, there is no usable memory or no I/O
/// APIC, or the boot processor is not listed.
pub fn from_pvh(
    start_info_address: u64,
    memory: &dyn PhysicalMemory,
    boot_processor: u64,
) -> Result<LoaderBlock, DiscoveryError> {
    let start_info = StartInfo::read(memory, start_info_address)?;
    let mut reserved = RangeList::new();
    reserve(&mut reserved, PhysRange::new(0, 4096))?;
    reserve(&mut reserved, PhysRange::new(start_info_address, 56))?;
    let usable = start_info.memory_map(&mut reserved)?;
    let command_line = start_info.command_line(&mut reserved)?;
    let initrd = start_info.initrd(&mut reserved)?;
    let acpi = acpi::read(memory, start_info.field(32), boot_processor)?;
    Ok(LoaderBlock {
        machine: acpi.machine,
        command_line,
        memory: usable,
        reserved,
        processors: acpi.processors,
        processors_left_out: acpi.processors_left_out,
        console: Some(Console {
            kind: ConsoleKind::Uart16550Port,
            base: COM1,
            length: COM1_REGISTERS,
            interrupt: Some(acpi.serial_interrupt),
        }),
        interrupt_controller: acpi.interrupt_controller,
        timer: acpi.timer,
        psci: None,
        power: acpi.power,
        initrd,
    })
}

fn reserve(reserved: &mut RangeList, range: Option<PhysRange>) -> Result<(), DiscoveryError> {
    match range {
        Some(range) if !range.is_empty() => range_list::insert(
            reserved,
            range_list::outwards(range),
            "reserved ranges of memory",
        ),
        _ => Ok(()),
    }
}

/// The start-of-day structure, copied out.
struct StartInfo<'m> {
    memory: &'m dyn PhysicalMemory,
    bytes: [u8; LENGTH],
}

impl<'m> StartInfo<'m> {
    fn read(memory: &'m dyn PhysicalMemory, address: u64) -> Result<Self, DiscoveryError> {
        let damaged = |what| DiscoveryError::StartInfo { address, what };
        let bytes =
            read_array(memory, address).ok_or(damaged("it is not in memory that can be read"))?;
        let start_info = Self { memory, bytes };
        if start_info.word(0) != MAGIC {
            return Err(damaged("its magic is not 336ec578"));
        }
        if start_info.word(4) == 0 {
            return Err(damaged("its version is 0, which has no map of memory"));
        }
        Ok(start_info)
    }

    fn word(&self, offset: usize) -> u32 {
        le_u32(&self.bytes, offset).unwrap_or_default()
    }

    fn field(&self, offset: usize) -> u64 {
        le_u64(&self.bytes, offset).unwrap_or_default()
    }

    /// Reads the map of memory: whole pages of usable memory.
    ///
    /// What is listed as something else wins where it overlaps, and is reserved.
    fn memory_map(&self, reserved: &mut RangeList) -> Result<RangeList, DiscoveryError> {
        let (address, count) = (self.field(40), self.word(48));
        let damaged = |what| DiscoveryError::StartInfo { address, what };
        if count > MAX_MEMORY_ENTRIES {
            return Err(damaged("the map of memory has more than 4096 entries"));
        }
        let list = u64::from(count)
            .checked_mul(MEMORY_ENTRY)
            .and_then(|length| PhysRange::new(address, length))
            .ok_or(damaged("the map of memory wraps around"))?;
        reserve(reserved, Some(list))?;
        let entry = |index: u32| -> Result<(PhysRange, u32), DiscoveryError> {
            let bytes: [u8; 24] = u64::from(index)
                .checked_mul(MEMORY_ENTRY)
                .and_then(|offset| address.checked_add(offset))
                .and_then(|address| read_array(self.memory, address))
                .ok_or(damaged(
                    "the map of memory is not in memory that can be read",
                ))?;
            let start = le_u64(&bytes, 0).unwrap_or_default();
            let length = le_u64(&bytes, 8).unwrap_or_default();
            let kind = le_u32(&bytes, 16).unwrap_or_default();
            Ok((
                PhysRange {
                    start,
                    end: start.saturating_add(length),
                },
                kind,
            ))
        };
        let mut usable = RangeList::new();
        for index in 0..count {
            if let (range, USABLE) = entry(index)? {
                range_list::insert(&mut usable, range, "ranges of memory")?;
            }
        }
        for index in 0..count {
            let (range, kind) = entry(index)?;
            if kind != USABLE && usable.iter().any(|memory| memory.overlaps(&range)) {
                reserve(reserved, Some(range))?;
            }
        }
        range_list::round_inwards(&mut usable);
        if usable.is_empty() {
            return Err(DiscoveryError::NoUsableMemory);
        }
        Ok(usable)
    }

    fn command_line(
        &self,
        reserved: &mut RangeList,
    ) -> Result<ArrayString<MAX_COMMAND_LINE>, DiscoveryError> {
        let address = self.field(24);
        let damaged = |what| DiscoveryError::StartInfo { address, what };
        let mut bytes = [0; MAX_COMMAND_LINE];
        let mut length = 0_usize;
        if address == 0 {
            return Ok(ArrayString::new());
        }
        // Byte by byte, since it may end where readable memory does.
        loop {
            let [byte] = u64::try_from(length)
                .ok()
                .and_then(|offset| address.checked_add(offset))
                .and_then(|address| read_array(self.memory, address))
                .ok_or(damaged(
                    "the command line is not in memory that can be read",
                ))?;
            if byte == 0 {
                break;
            }
            *bytes.get_mut(length).ok_or(DiscoveryError::TooMany {
                what: "bytes of command line",
                limit: MAX_COMMAND_LINE,
            })? = byte;
            length = length.saturating_add(1);
        }
        reserve(
            reserved,
            u64::try_from(length)
                .ok()
                .and_then(|length| PhysRange::new(address, length)),
        )?;
        core::str::from_utf8(bytes.get(..length).unwrap_or_default())
            .ok()
            .and_then(|text| ArrayString::from(text).ok())
            .ok_or(damaged("the command line is not UTF-8"))
    }

    /// The first module, which is the initial RAM disk.
    fn initrd(&self, reserved: &mut RangeList) -> Result<Option<PhysRange>, DiscoveryError> {
        let (count, address) = (self.word(12), self.field(16));
        let damaged = |what| DiscoveryError::StartInfo { address, what };
        if count == 0 {
            return Ok(None);
        }
        let entry: [u8; 16] = read_array(self.memory, address).ok_or(damaged(
            "the list of modules is not in memory that can be read",
        ))?;
        let start = le_u64(&entry, 0).unwrap_or_default();
        let module = PhysRange::new(start, le_u64(&entry, 8).unwrap_or_default())
            .filter(|module| module.end <= PHYSICAL_ADDRESS_LIMIT)
            .ok_or(damaged("the first module lies beyond physical addresses"))?;
        if module.is_empty() {
            return Ok(None);
        }
        reserve(reserved, PhysRange::new(address, MODULE))?;
        reserve(reserved, Some(module))?;
        Ok(Some(module))
    }
}
