//! ACPI tables that are built by hand: what they mean, and what is refused.
//!
//! Layouts are from ACPI 6.5, 5.2; the dumps of real tables are read in `pvh.rs`.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use boards::{
    DiscoveryError, InterruptController, InterruptOverride, LoaderBlock, PhysRange, PowerControl,
    TimerDescription, from_pvh,
};
use support::firmware::{IO_APIC, Pieces, local_apic, machine, madt, old_fadt, table, x2apic};
use support::promises::check;

fn range(start: u64, end: u64) -> PhysRange {
    PhysRange { start, end }
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

#[test]
fn a_small_machine_of_acpi_2() {
    let block = read(&small(), 0);
    assert_eq!(block.machine.as_str(), "TARN TEST");
    assert_eq!(block.command_line.as_str(), "quiet");
    assert_eq!(
        block.memory[..],
        [range(0, 0x9_F000), range(0x10_0000, 0x7F0_0000)]
    );
    assert_eq!(block.initrd, None);
    assert_eq!(block.timer, TimerDescription::LocalApic { hpet: None });
    assert_eq!(
        block.power,
        PowerControl::Acpi {
            pm1a_control: 0x604,
            reset_port: 0,
            reset_value: 0
        }
    );
}

#[test]
fn entries_of_the_madt() {
    let override_4 = [2, 10, 0, 4, 20, 0, 0, 0, 0xF, 0];
    let address = [5, 12, 0, 0, 0, 0, 0xE0, 0xFD, 1, 0, 0, 0];
    let wide = x2apic(70, 0x1_0000, 1);
    let entries: [&[u8]; 9] = [
        &local_apic(9, 3, 1),
        &local_apic(10, 4, 2),
        &local_apic(11, 255, 1),
        &IO_APIC,
        &override_4,
        &address,
        &wide,
        &x2apic(9, 3, 1),
        &[0x7F, 4, 1, 2],
    ];
    let memory = machine(&[old_fadt(), table("APIC", &madt(&entries))]);
    let block = read(&memory, 3);
    // 4 is only "online capable", 255 means all, 3 is listed twice.
    let ids: Vec<_> = block
        .processors
        .iter()
        .map(|cpu| (cpu.hardware_id, cpu.firmware_id))
        .collect();
    assert_eq!(ids, [(3, 9), (0x1_0000, 70)]);
    assert_eq!(block.console.unwrap().interrupt, Some(20));
    let InterruptController::Apic {
        local_apic,
        overrides,
        io_apics,
        ..
    } = block.interrupt_controller
    else {
        panic!("another controller")
    };
    assert_eq!(local_apic, 0x1_FDE0_0000);
    assert_eq!(io_apics[0].id, 7);
    assert_eq!(
        overrides[..],
        [InterruptOverride {
            isa: 4,
            gsi: 20,
            active_low: true,
            level: true
        }]
    );
}
#[test]
fn entries_of_the_madt_that_are_wrong() {
    let cpu = local_apic(0, 0, 1);
    let wrong =
        |entries: &[&[u8]]| sentence(&machine(&[table("APIC", &madt(entries)), old_fadt()]));
    let at = "ACPI: table APIC at 0x7f00000: ";
    assert_eq!(
        wrong(&[&cpu, &[0, 0]]),
        format!("{at}an entry is shorter than its kind")
    );
    assert_eq!(
        wrong(&[&cpu, &[1, 8, 0, 0, 0, 0, 0, 0]]),
        format!("{at}an entry is shorter than its kind")
    );
    assert_eq!(
        wrong(&[&cpu, &[0x40, 9, 0]]),
        format!("{at}an entry runs past its end")
    );
    assert_eq!(wrong(&[&cpu, &[0]]), format!("{at}it is cut short"));
    let isa_16 = [2, 10, 0, 16, 0, 0, 0, 0, 0, 0];
    assert_eq!(
        wrong(&[&isa_16]),
        format!("{at}an override is for an ISA interrupt above 15")
    );
    let isa_1 = [2, 10, 0, 1, 0, 0, 0, 0, 0, 0];
    assert_eq!(
        wrong(&[&isa_1, &isa_1]),
        format!("{at}two overrides are for the same ISA interrupt")
    );
    assert_eq!(
        wrong(&[&[&IO_APIC[..]; 9].concat()]),
        "the firmware lists more than 8 I/O APICs, and Tarn has room for no more"
    );
    assert_eq!(
        wrong(&[&cpu]),
        "machine 'TARN TEST': no interrupt controller that Tarn has a driver for"
    );
    assert_eq!(
        wrong(&[&IO_APIC]),
        "processor 0x0 is running, but the firmware does not list it"
    );
    assert_eq!(
        sentence(&machine(&[table("APIC", &[0; 4]), old_fadt()])),
        format!("{at}it is cut short")
    );
}

#[test]
fn tables_that_are_damaged_or_absent() {
    let changed = |signature: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut memory = small();
        change(memory.piece(signature));
        sentence(&memory)
    };
    assert_eq!(
        changed("APIC", &|table| table[40] ^= 1),
        "ACPI: table APIC at 0x7f00000: its checksum is wrong"
    );
    assert_eq!(
        changed("FACP", &|table| table.truncate(50)),
        "ACPI: table FACP at 0x7f10000: it is not in memory that can be read"
    );
    assert_eq!(
        changed("APIC", &|table| table[4..8].fill(0xFF)),
        "ACPI: table APIC at 0x7f00000: its length is above 256 KiB"
    );
    assert_eq!(
        changed("APIC", &|table| table[4..8].fill(0)),
        "ACPI: table APIC at 0x7f00000: its length is less than its header's"
    );
    assert_eq!(
        changed("APIC", &|table| table[0] = b'X'),
        "ACPI: the firmware has no table APIC"
    );
    assert_eq!(
        changed("FACP", &|table| table[0] = b'X'),
        "ACPI: the firmware has no table FACP"
    );
    assert_eq!(
        changed("XSDT", &|table| table[0] = b'Y'),
        "ACPI: table XSDT at 0x7f20000: there is another signature"
    );
    assert_eq!(
        changed("RSD PTR ", &|root| root[9] ^= 1),
        "ACPI: table RSDP at 0xe1230: its checksum is wrong"
    );
    assert_eq!(
        changed("RSD PTR ", &|root| root[33] ^= 1),
        "ACPI: table RSDP at 0xe1230: its extended checksum is wrong"
    );
    assert_eq!(
        changed("RSD PTR ", &|root| root.truncate(20)),
        "ACPI: table RSDP at 0xe1230: it is cut short"
    );
    assert_eq!(
        changed("RSD PTR ", &|root| root[0] = 0),
        "ACPI: table RSDP at 0xe1230: there is another signature"
    );
}
