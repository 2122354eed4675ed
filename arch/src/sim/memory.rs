//! Memory of the simulated machine: a vector, and page tables in a format of its own.
//!
//! The format is as plain as can be (address, then bits), so that a test of the
//! walker reads entries with its own eyes. The tables are real; nothing
//! translates through the kernel's, so what is mapped outside the physical map cannot
//! be touched. User halves are translated: see `user_memory`.

use std::alloc::{Layout, alloc_zeroed};
use std::sync::OnceLock;

use arrayvec::{ArrayString, ArrayVec};
use boards::{
    EnableMethod, InterruptController, LoaderBlock, PhysRange, PowerControl, ProcessorDescription,
    TimerDescription,
};

use super::machine::Machine;
use super::user_memory::{ADDRESS, EXECUTE, PRESENT, USER, WRITE, assert_others_can_answer};
use crate::contract::{
    Entry, ImageLayout, MemoryType, PAGE_BYTES, PAGE_SIZE, PhysAddr, Protection, Translation,
    VirtAddr, VirtRange,
};
use crate::memory::layout;

/// Where simulated RAM starts, in physical addresses.
pub const RAM_BASE: u64 = 0x4000_0000;
/// Bytes of simulated RAM.
pub const RAM_LENGTH: u64 = 64 << 20;

struct Ram(*mut u8);

// SAFETY: the pointer is to memory that lives as long as the process; the frame table decides who uses which page.
unsafe impl Send for Ram {}
// SAFETY: as above.
unsafe impl Sync for Ram {}

fn ram() -> &'static Ram {
    static RAM: OnceLock<Ram> = OnceLock::new();
    RAM.get_or_init(|| {
        let length = usize::try_from(RAM_LENGTH).expect("fits the host");
        let layout = Layout::from_size_align(length, PAGE_BYTES).expect("both are constants");
        // SAFETY: the layout has a size.
        let base = unsafe { alloc_zeroed(layout) };
        assert!(!base.is_null(), "the host has no memory for simulated RAM");
        Ram(base)
    })
}

/// The loader block of the simulated machine.
pub fn loader_block() -> LoaderBlock {
    let mut memory = ArrayVec::new();
    memory.push(PhysRange {
        start: RAM_BASE,
        end: RAM_BASE + RAM_LENGTH,
    });
    let mut reserved = ArrayVec::new();
    reserved.push(PhysRange {
        start: RAM_BASE + (1 << 20),
        end: RAM_BASE + (1 << 20) + 4 * PAGE_SIZE,
    });
    let mut processors = ArrayVec::new();
    processors.push(ProcessorDescription {
        hardware_id: 0,
        firmware_id: 0,
        enable_method: EnableMethod::Boot,
    });
    LoaderBlock {
        machine: ArrayString::from("simulated").unwrap_or_default(),
        command_line: ArrayString::new(),
        memory,
        reserved,
        processors,
        processors_left_out: 0,
        console: None,
        interrupt_controller: InterruptController::GicV2 {
            distributor: PhysRange { start: 0, end: 0 },
            cpu_interface: PhysRange { start: 0, end: 0 },
        },
        timer: TimerDescription::Generic {
            virtual_interrupt: 27,
            physical_interrupt: 30,
            frequency: None,
        },
        psci: None,
        power: PowerControl::None,
        initrd: None,
    }
}

/// Once a process: RAM, tables, frame table.
pub(super) fn initialize() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        crate::memory::initialize(&loader_block())
            .expect("the simulated machine's own memory map is good")
    });
}

const TABLE: u64 = 2;
const DEVICE: u64 = 16;

impl Translation for Machine {
    fn leaf(address: PhysAddr, _level: u8, protection: Protection, memory_type: MemoryType) -> u64 {
        let permits = match protection {
            Protection::ReadOnly => 0,
            Protection::ReadWrite => WRITE,
            Protection::Execute => EXECUTE,
        };
        let device = if memory_type == MemoryType::Device {
            DEVICE
        } else {
            0
        };
        address.0 | PRESENT | permits | device
    }

    fn table(address: PhysAddr) -> u64 {
        address.0 | PRESENT | TABLE
    }

    fn decode(entry: u64, _level: u8) -> Entry {
        let address = PhysAddr(entry & ADDRESS);
        if entry & PRESENT == 0 {
            Entry::Absent
        } else if entry & TABLE != 0 {
            Entry::Table(address)
        } else {
            let protection = match (entry & WRITE != 0, entry & EXECUTE != 0) {
                (true, _) => Protection::ReadWrite,
                (false, true) => Protection::Execute,
                (false, false) => Protection::ReadOnly,
            };
            let memory_type = if entry & DEVICE != 0 {
                MemoryType::Device
            } else {
                MemoryType::Normal
            };
            Entry::Leaf {
                address,
                protection,
                memory_type,
                user: entry & USER != 0,
            }
        }
    }

    fn has_gigabyte_blocks() -> bool {
        true
    }

    fn image() -> ImageLayout {
        let page = |number: u64| VirtAddr(layout::IMAGE.0 + number * PAGE_SIZE);
        ImageLayout {
            physical_base: PhysAddr(RAM_BASE + (4 << 20)),
            text: VirtRange {
                start: page(0),
                end: page(16),
            },
            rodata: VirtRange {
                start: page(16),
                end: page(24),
            },
            data: VirtRange {
                start: page(24),
                end: page(32),
            },
            boot_stack: VirtRange {
                start: page(33),
                end: page(37),
            },
            boot_emergency_stack: VirtRange {
                start: page(38),
                end: page(40),
            },
        }
    }

    fn early_window() -> Option<(usize, u64)> {
        None
    }

    unsafe fn activate(_root: PhysAddr) {}

    fn publish_entries() {}

    fn invalidate(_range: VirtRange) {
        assert_others_can_answer();
        super::turns::point(false);
    }

    fn image_physical(address: VirtAddr) -> PhysAddr {
        let image = Self::image();
        match address.0.checked_sub(image.text.start.0) {
            Some(offset) => PhysAddr(image.physical_base.0 + offset),
            // A static of the host process, such as the pool of boot tables: its host address serves as physical address.
            None => PhysAddr(address.0),
        }
    }

    fn physical_pointer(address: PhysAddr) -> *mut u8 {
        let offset = address
            .0
            .checked_sub(RAM_BASE)
            .filter(|offset| *offset < RAM_LENGTH)
            .expect("a physical address in simulated RAM");
        ram()
            .0
            .wrapping_add(usize::try_from(offset).expect("fits the host"))
    }

    fn probe_kernel(_address: VirtAddr) -> bool {
        false
    }
}
