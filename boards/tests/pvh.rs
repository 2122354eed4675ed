//! PVH and ACPI: what QEMU's q35 must read as, and what tables mean that are built by hand.
//!
//! The dumps in `data/` are what a kernel finds in memory on QEMU's q35, as started by
//! SeaBIOS (4 processors and room for 8), by qboot (2 processors), and by SeaBIOS with
//! 5 GiB and room for 300 processors. Expectations are from QEMU's sources (`pc_q35.c`,
//! `acpi-build.c`) and from a listing of the tables by a reader in another language.

#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use boards::{
    ConsoleKind, DiscoveryError, EnableMethod, InterruptController, InterruptOverride, IoApic,
    LoaderBlock, PhysRange, PowerControl, TimerDescription, from_pvh,
};
use support::firmware::{IO_APIC, Pieces, local_apic, machine, madt, old_fadt, table};
use support::promises::check;

fn range(start: u64, end: u64) -> PhysRange {
    PhysRange { start, end }
}

fn dump(name: &str) -> Pieces {
    Pieces::from_dump(&support::data(name))
}

fn try_read(memory: &Pieces, boot_processor: u64) -> Result<LoaderBlock, DiscoveryError> {
    let result = from_pvh(memory.start_info(), memory, boot_processor);
    check(&result);
    result
}

fn read(memory: &Pieces, boot_processor: u64) -> LoaderBlock {
    try_read(memory, boot_processor).unwrap_or_else(|error| panic!("{error}"))
}

fn sentence(memory: &Pieces) -> String {
    try_read(memory, 0).expect_err("it is refused").to_string()
}

/// A small machine of which a test changes a part.
fn small() -> Pieces {
    machine(&[
        table("APIC", &madt(&[&local_apic(0, 0, 1), &IO_APIC])),
        old_fadt(),
    ])
}

fn check_q35(block: &LoaderBlock) {
    assert_eq!(block.machine.as_str(), "BOCHS BXPC");
    assert_eq!(block.command_line.as_str(), "console=com1 verbose");
    let console = block.console.unwrap();
    assert_eq!(
        (console.kind, console.base, console.interrupt),
        (ConsoleKind::Uart16550Port, 0x3F8, Some(4))
    );
    let InterruptController::Apic {
        local_apic,
        io_apics,
        overrides,
        has_8259,
    } = &block.interrupt_controller
    else {
        panic!("another controller")
    };
    assert_eq!((*local_apic, *has_8259), (0xFEE0_0000, true));
    assert_eq!(
        io_apics[..],
        [IoApic {
            id: 0,
            address: 0xFEC0_0000,
            first_gsi: 0
        }]
    );
    let wired = |isa: u8, gsi, level| InterruptOverride {
        isa,
        gsi,
        active_low: false,
        level,
    };
    assert_eq!(
        overrides[..],
        [
            wired(0, 2, false),
            wired(5, 5, true),
            wired(9, 9, true),
            wired(10, 10, true),
            wired(11, 11, true)
        ]
    );
    assert_eq!(
        block.timer,
        TimerDescription::LocalApic {
            hpet: Some(0xFED0_0000)
        }
    );
    assert_eq!(
        block.power,
        PowerControl::Acpi {
            pm1a_control: 0x604,
            reset_port: 0xCF9,
            reset_value: 0xF
        }
    );
    assert_eq!(block.psci, None);
}

#[test]
fn q35_by_seabios() {
    let block = read(&dump("q35-seabios.mem"), 0);
    check_q35(&block);
    assert_eq!(
        block.memory[..],
        [range(0, 0x9_F000), range(0x10_0000, 0x7FE_0000)]
    );
    assert_eq!(block.initrd, Some(range(0x7FD_6000, 0x7FD_75E0)));
    // The lists are at 5A8, 11C0, 21C0 and 21E0.
    assert_eq!(
        block.reserved[..],
        [range(0, 0x3000), range(0x7FD_6000, 0x7FD_8000)]
    );
    // Sockets 4 to 7 are empty.
    let ids: Vec<_> = block
        .processors
        .iter()
        .map(|cpu| (cpu.hardware_id, cpu.enable_method))
        .collect();
    let waiting = EnableMethod::InitSipi;
    assert_eq!(
        ids,
        [
            (0, EnableMethod::Boot),
            (1, waiting),
            (2, waiting),
            (3, waiting)
        ]
    );
    assert_eq!(block.processors_left_out, 0);
}

#[test]
fn q35_by_qboot() {
    let block = read(&dump("q35-qboot.mem"), 1);
    check_q35(&block);
    assert_eq!(
        block.memory[..],
        [range(0, 0x9_F000), range(0x10_0000, 0x800_0000)]
    );
    assert_eq!(block.processors.len(), 2);
    assert_eq!(block.processors[1].enable_method, EnableMethod::Boot);
    assert_eq!(block.initrd, Some(range(0x7FD_6000, 0x7FD_75E0)));
}

#[test]
fn q35_with_5_gib_and_300_sockets() {
    let mut memory = dump("q35-300cpu-5g.mem");
    let block = read(&memory, 0);
    check_q35(&block);
    assert_eq!(
        block.memory[..],
        [
            range(0, 0x9_F000),
            range(0x10_0000, 0x7FFD_B000),
            range(0x1_0000_0000, 0x1_C000_0000)
        ]
    );
    assert_eq!((block.processors.len(), block.processors_left_out), (1, 0));
    // The same with every socket filled: ids from 255 on have entries of the wide kind.
    let madt = memory.piece("APIC");
    let mut at = 44;
    while at < madt.len() {
        match madt[at] {
            0 => madt[at + 4] = 1,
            9 => madt[at + 8] = 1,
            _ => {}
        }
        at += usize::from(madt[at + 1]);
    }
    memory.fix_checksums();
    let block = read(&memory, 299);
    assert_eq!(
        (block.processors.len(), block.processors_left_out),
        (64, 236)
    );
    let boot = block.processors.last().unwrap();
    assert_eq!(
        (boot.hardware_id, boot.firmware_id, boot.enable_method),
        (299, 299, EnableMethod::Boot)
    );
}

/// The start-of-day structure.
fn info(memory: &mut Pieces) -> &mut [u8] {
    let at = memory.start_info();
    memory
        .pieces
        .iter_mut()
        .find(|piece| piece.0 == at)
        .map(|piece| &mut piece.1[..])
        .unwrap()
}

#[test]
fn the_root_pointer_is_searched_for_if_it_is_not_passed() {
    for mut memory in [dump("q35-seabios.mem"), dump("q35-qboot.mem"), small()] {
        let passed = read(&memory, 0);
        info(&mut memory)[32..40].fill(0);
        let found = read(&memory, 0);
        assert_eq!(
            (passed.machine, passed.processors),
            (found.machine, found.processors)
        );
    }
    // In the extended BIOS data area, whose segment is at 40E; a decoy comes first.
    let mut memory = small();
    info(&mut memory)[32..40].fill(0);
    let root = memory
        .pieces
        .iter_mut()
        .find(|piece| piece.1.starts_with(b"RSD PTR "))
        .unwrap();
    root.0 = 0x9_FC30;
    memory
        .pieces
        .push((0x9_FC10, b"RSD PTR not the one   ".to_vec()));
    memory.pieces.push((0x40E, vec![0xC0, 0x9F]));
    assert_eq!(read(&memory, 0).machine.as_str(), "TARN TEST");
    memory.pieces.pop();
    assert_eq!(
        sentence(&memory),
        "ACPI: no root pointer (RSDP): the boot loader passed none, and the BIOS area has none"
    );
}

#[test]
fn start_information_that_is_wrong() {
    let changed = |offset: usize, bytes: &[u8]| {
        let mut memory = small();
        info(&mut memory)[offset..offset + bytes.len()].copy_from_slice(bytes);
        sentence(&memory)
    };
    assert_eq!(
        changed(4, &[0]),
        "PVH start information at 0x3000: its version is 0, which has no map of memory"
    );
    assert_eq!(
        changed(43, &[9]),
        "PVH start information at 0x9005000: the map of memory is not in memory that can be read"
    );
    assert_eq!(
        changed(48, &[0, 0, 1, 0]),
        "PVH start information at 0x5000: the map of memory has more than 4096 entries"
    );
    assert_eq!(
        changed(40, &[0xFF; 8]),
        "PVH start information at 0xffffffffffffffff: the map of memory wraps around"
    );
    assert_eq!(
        changed(48, &[0]),
        "no usable memory: the firmware lists not one whole page of it"
    );
    assert_eq!(
        changed(24, &[0, 0, 0x77]),
        "PVH start information at 0x770000: the command line is not in memory that can be read"
    );
    assert_eq!(
        changed(12, &[1]),
        "PVH start information at 0x0: the list of modules is not in memory that can be read"
    );
    let nowhere = from_pvh(0x7777_7777, &small(), 0).unwrap_err();
    assert_eq!(
        nowhere.to_string(),
        "PVH start information at 0x77777777: it is not in memory that can be read"
    );
    let other = from_pvh(
        0x5000,
        &Pieces {
            pieces: vec![(0x5000, vec![1; 99])],
            ..Pieces::default()
        },
        0,
    );
    assert_eq!(
        other.unwrap_err().to_string(),
        "PVH start information at 0x5000: its magic is not 336ec578"
    );
    // No command line is a command line of nothing.
    let mut memory = small();
    info(&mut memory)[24..32].fill(0);
    assert_eq!(read(&memory, 0).command_line.as_str(), "");
}

#[test]
fn what_the_map_lists_as_memory_and_as_something_else_is_reserved() {
    let mut memory = small();
    let map = memory
        .pieces
        .iter_mut()
        .find(|piece| piece.0 == 0x5000)
        .unwrap();
    for (start, length, kind) in [(0x20_0800_u64, 0x10_u64, 4_u32), (0xFEC0_0000, 0x1000, 2)] {
        map.1.extend(start.to_le_bytes());
        map.1.extend(length.to_le_bytes());
        map.1.extend(u64::from(kind).to_le_bytes());
    }
    info(&mut memory)[48] = 5;
    // The one that overlaps no memory takes no room in the list.
    let block = read(&memory, 0);
    assert_eq!(
        block.reserved[..],
        [
            range(0, 0x1000),
            range(0x3000, 0x6000),
            range(0x20_0000, 0x20_1000)
        ]
    );
}
