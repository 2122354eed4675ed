//! Device trees: what QEMU's machines must read as, and what trees mean that people write.
//!
//! Expectations for the files in `data/` are from QEMU's documentation and sources
//! (memory maps of `virt` and `raspi4b`) and from `dtc`'s listing of the same file.

#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use boards::{
    Console, ConsoleKind, DiscoveryError, EnableMethod, InterruptController, LoaderBlock,
    PhysRange, PowerControl, PsciConduit, TimerDescription, console_hint, device_tree_length,
    from_device_tree,
};
use support::dts::compile;
use support::promises::check;

fn range(start: u64, end: u64) -> PhysRange {
    PhysRange { start, end }
}

fn read(tree: &[u8], boot_processor: u64) -> LoaderBlock {
    let result = from_device_tree(tree, boot_processor);
    check(&result);
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// Compiles and reads a tree that must be refused, and gives the sentence.
fn refusal(source: &str) -> String {
    let result = from_device_tree(&compile(source), 0);
    check(&result);
    result.expect_err("the tree is wrong").to_string()
}

/// A tree of a machine that is right, with more in its root.
fn source(more: &str) -> String {
    format!(
        r#"/dts-v1/;
        / {{
            compatible = "foo,bar";
            #address-cells = <2>;
            #size-cells = <2>;
            interrupt-parent = <1>;
            {more}
            memory@0 {{ device_type = "memory"; reg = <0 0 0 0x10000000>; }};
            gic {{
                compatible = "arm,gic-400";
                #interrupt-cells = <3>;
                phandle = <1>;
                reg = <0 0x8000000 0 0x1000>, <0 0x8010000 0 0x1000>;
            }};
            timer {{ compatible = "arm,armv8-timer"; interrupts = <1 13 4>, <1 14 4>, <1 11 4>; }};
            cpus {{
                #address-cells = <1>;
                #size-cells = <0>;
                cpu@0 {{ device_type = "cpu"; reg = <0>; }};
            }};
        }};"#
    )
}

fn machine(more: &str) -> LoaderBlock {
    read(&compile(&source(more)), 0)
}

const PL011_OF_VIRT: Console = Console {
    kind: ConsoleKind::Pl011,
    base: 0x900_0000,
    length: 0x1000,
    interrupt: Some(33),
};
const TIMER_OF_VIRT: TimerDescription = TimerDescription::Generic {
    virtual_interrupt: 27,
    physical_interrupt: 30,
    frequency: None,
};

#[test]
fn virt_with_gic_v2() {
    let tree = support::data("virt-gic2.dtb");
    let block = read(&tree, 0x8000_0000);
    assert_eq!(block.machine.as_str(), "linux,dummy-virt");
    assert_eq!(block.memory[..], [range(0x4000_0000, 0x8000_0000)]);
    assert!(block.reserved.is_empty());
    assert_eq!(block.console, Some(PL011_OF_VIRT));
    assert_eq!(
        block.interrupt_controller,
        InterruptController::GicV2 {
            distributor: range(0x800_0000, 0x801_0000),
            cpu_interface: range(0x801_0000, 0x802_0000),
        }
    );
    assert_eq!(block.timer, TIMER_OF_VIRT);
    assert_eq!(
        (block.psci, block.power),
        (Some(PsciConduit::Hvc), PowerControl::Psci)
    );
    assert_eq!(block.processors.len(), 1);
    assert_eq!(block.processors[0].enable_method, EnableMethod::Boot);
    assert_eq!(device_tree_length(&tree[..8]), Ok(7490));
    assert_eq!(console_hint(&tree), Some(PL011_OF_VIRT));
}

#[test]
fn virt_with_gic_v3_at_el2() {
    let block = read(&support::data("virt-gic3-el2.dtb"), 1);
    assert_eq!(block.psci, Some(PsciConduit::Smc));
    let InterruptController::GicV3 {
        distributor,
        redistributors,
    } = block.interrupt_controller
    else {
        panic!("another controller")
    };
    assert_eq!(distributor, range(0x800_0000, 0x801_0000));
    assert_eq!(redistributors[..], [range(0x80A_0000, 0x900_0000)]);
    let methods: Vec<_> = block
        .processors
        .iter()
        .map(|processor| processor.enable_method)
        .collect();
    assert_eq!(methods, [EnableMethod::Psci, EnableMethod::Boot]);
}

#[test]
fn virt_with_8_processors_and_8_gib() {
    let block = read(&support::data("virt-8cpu-8g.dtb"), 0);
    assert_eq!(block.memory[..], [range(0x4000_0000, 0x2_4000_0000)]);
    let ids: Vec<_> = block
        .processors
        .iter()
        .map(|processor| processor.hardware_id)
        .collect();
    assert_eq!(ids, [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(block.processors_left_out, 0);
}

#[test]
fn virt_with_secure_world_command_line_and_ram_disk() {
    // Secure memory at 0xE000000 and the secure port at 0x9040000 are in the tree, disabled.
    let block = read(&support::data("virt-initrd.dtb"), 0);
    assert_eq!(block.memory[..], [range(0x4000_0000, 0x5000_0000)]);
    assert_eq!(block.command_line.as_str(), "console=ttyAMA0 verbose");
    assert_eq!(block.initrd, Some(range(0x4800_0000, 0x482D_C6C0)));
    assert_eq!(block.reserved[..], [range(0x4800_0000, 0x482D_D000)]);
    assert_eq!(block.console, Some(PL011_OF_VIRT));
}

#[test]
fn virt_with_two_memory_nodes_that_touch() {
    let block = read(&support::data("virt-numa.dtb"), 0);
    assert_eq!(block.memory[..], [range(0x4000_0000, 0x8000_0000)]);
}

#[test]
fn virt_with_more_processors_than_there_is_room_for() {
    // The last of the 130 is the one that runs this: cluster 8, core 1.
    let block = read(&support::data("virt-130cpu.dtb"), 0x8000_0801);
    assert_eq!(
        (block.processors.len(), block.processors_left_out),
        (64, 66)
    );
    let boot = block
        .processors
        .iter()
        .find(|processor| processor.enable_method == EnableMethod::Boot)
        .unwrap();
    assert_eq!((boot.hardware_id, boot.firmware_id), (0x801, 129));
    let InterruptController::GicV3 { redistributors, .. } = block.interrupt_controller else {
        panic!("another controller")
    };
    assert_eq!(
        redistributors[..],
        [
            range(0x80A_0000, 0x900_0000),
            range(0x40_0000_0000, 0x40_0400_0000)
        ]
    );
}

#[test]
fn raspberry_pi_4() {
    let tree = compile(&String::from_utf8(support::data("raspi4.dts")).unwrap());
    let block = read(&tree, 0x8000_0000);
    assert_eq!(block.machine.as_str(), "Raspberry Pi 4 Model B");
    assert_eq!(block.memory[..], [range(0, 0x3C00_0000)]);
    assert_eq!(
        block.reserved[..],
        [
            range(0, 0x1000),
            range(0x800_0000, 0x800_2000),
            range(0x3B00_0000, 0x3B00_2000)
        ]
    );
    let pl011 = Console {
        kind: ConsoleKind::Pl011,
        base: 0xFE20_1000,
        length: 0x200,
        interrupt: Some(153),
    };
    assert_eq!(block.console, Some(pl011));
    assert_eq!(console_hint(&tree), Some(pl011));
    assert_eq!(
        block.interrupt_controller,
        InterruptController::GicV2 {
            distributor: range(0xFF84_1000, 0xFF84_2000),
            cpu_interface: range(0xFF84_2000, 0xFF84_4000),
        }
    );
    assert_eq!(block.timer, TIMER_OF_VIRT);
    assert_eq!(block.psci, None);
    assert_eq!(
        block.power,
        PowerControl::Bcm2835Pm(range(0xFE10_0000, 0xFE10_0114))
    );
    assert_eq!(block.initrd, Some(range(0x800_0000, 0x800_1388)));
    let methods: Vec<_> = block
        .processors
        .iter()
        .map(|processor| processor.enable_method)
        .collect();
    let waits_at = |release_address| EnableMethod::SpinTable { release_address };
    assert_eq!(
        methods,
        [
            EnableMethod::Boot,
            waits_at(0xE0),
            waits_at(0xE8),
            waits_at(0xF0)
        ]
    );
}

#[test]
fn bytes_behind_the_tree_do_not_matter() {
    let mut tree = support::data("virt-gic2.dtb");
    tree.extend([0xAA; 5000]);
    assert_eq!(read(&tree, 0).processors.len(), 1);
}

#[test]
fn addresses_go_through_every_bus() {
    let block = machine(
        r#"outer {
            #address-cells = <1>;
            #size-cells = <1>;
            ranges = <0x1000 0x4 0x10000 0x10000>;
            inner {
                #address-cells = <2>;
                #size-cells = <1>;
                ranges = <9 0x0 0x2000 0x800>, <9 0x800 0x3000 0x800>;
                serial@800 { compatible = "arm,pl011"; reg = <9 0x900 0x100>; };
            };
        };"#,
    );
    // 9:900 -> outer 3100 -> root 4_00010000 + 2100.
    let console = block.console.unwrap();
    assert_eq!(
        (console.base, console.length, console.interrupt),
        (0x4_0001_2100, 0x100, None)
    );
}

#[test]
fn a_device_on_a_bus_that_is_off_or_closed_is_not_found() {
    let port = r#"serial { compatible = "arm,pl011"; reg = <0 0 0 0x100>; };"#;
    let cells = "#address-cells = <2>; #size-cells = <2>;";
    let off = format!(r#"bus {{ status = "disabled"; ranges; {cells} {port} }};"#);
    assert_eq!(machine(&off).console, None);
    let closed = refusal(&source(&format!("bus {{ {cells} {port} }};")));
    assert_eq!(
        closed,
        "device tree: node /bus: it has no ranges: nothing on it can be reached"
    );
    let elsewhere = refusal(&source(&format!(
        "bus {{ {cells} ranges = <0 0x1000 0 0 0 0x1000>; {port} }};"
    )));
    assert_eq!(
        elsewhere,
        "device tree: node /bus: its ranges has no window to a device that stands on it"
    );
}

#[test]
fn the_console_follows_the_rule() {
    let tree = |stdout: &str, serial0: &str| {
        machine(&format!(
            r#"chosen {{ {stdout} }};
            aliases {{ serial0 = "{serial0}"; mini = "/mini@3000"; }};
            first@1000 {{ compatible = "arm,pl011"; reg = <0 0x1000 0 0x100>; }};
            second@2000 {{ compatible = "arm,pl011"; reg = <0 0x2000 0 0x100>; }};
            mini@3000 {{ compatible = "brcm,bcm2835-aux-uart"; reg = <0 0x3000 0 0x40>; }};"#
        ))
        .console
        .map(|console| console.base)
    };
    // By path, by path without unit address, by alias with options.
    assert_eq!(tree(r#"stdout-path = "/second@2000";"#, ""), Some(0x2000));
    assert_eq!(
        tree(r#"stdout-path = "/second";"#, "/first@1000"),
        Some(0x2000)
    );
    assert_eq!(
        tree(r#"stdout-path = "serial0:115200n8";"#, "/second@2000"),
        Some(0x2000)
    );
    assert_eq!(
        tree(r#"linux,stdout-path = "/second@2000";"#, "/first@1000"),
        Some(0x2000)
    );
    // A PL011 that serial0 names goes before the mini UART that was chosen.
    assert_eq!(
        tree(r#"stdout-path = "mini";"#, "/second@2000"),
        Some(0x2000)
    );
    assert_eq!(tree(r#"stdout-path = "mini";"#, "/absent"), Some(0x3000));
    assert_eq!(tree("", "/mini@3000"), Some(0x3000));
    // One that is too short is passed over.
    let short = machine(
        r#"chosen { stdout-path = "/first@1000"; };
        first@1000 { compatible = "arm,pl011"; reg = <0 0x1000 0 0x44>; };
        mini@3000 { compatible = "brcm,bcm2835-aux-uart"; reg = <0 0x3000 0 0x3c>; };
        second@2000 { compatible = "arm,pl011"; reg = <0 0x2000 0 0x48>; };"#,
    );
    assert_eq!(short.console.map(|console| console.base), Some(0x2000));
    // Nothing is named: the first PL011.
    assert_eq!(tree("", ""), Some(0x1000));
    assert_eq!(tree(r#"stdout-path = "/second@1";"#, ""), Some(0x1000));
}

#[test]
fn memory_is_rounded_inwards_when_it_is_whole() {
    let block = machine(
        r#"memory@100000000 { device_type = "memory"; reg = <1 0x800 0 0x1000>, <1 0x1800 0 0x1000>, <2 1 0 0x1000>; };
        memory@off { device_type = "memory"; reg = <3 0 0 0x1000>; status = "disabled"; };
        memory@beyond { device_type = "memory"; reg = <0x200000 0 0 0x1000>; };"#,
    );
    // The two that touch have one whole page together; the one at 2_00000001 has none.
    assert_eq!(
        block.memory[..],
        [range(0, 0x1000_0000), range(0x1_0000_1000, 0x1_0000_2000)]
    );
}

#[test]
fn reserving_merges_and_reports_a_full_list() {
    let mut block = machine("");
    for place in (0..64_u64).rev() {
        block
            .reserve(range(place * 0x10_0000 + 5, place * 0x10_0000 + 6))
            .unwrap();
    }
    assert_eq!(block.reserved.len(), 64);
    assert_eq!(block.reserved[1], range(0x10_0000, 0x10_1000));
    let before = block.reserved.clone();
    let error = block.reserve(range(1 << 40, (1 << 40) + 1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the firmware lists more than 64 reserved ranges of memory, and Tarn has room for no more"
    );
    assert_eq!(block.reserved, before);
    // What touches a range needs no room, and may join many.
    block.reserve(range(0x10_1000, 0x10_1001)).unwrap();
    assert_eq!(block.reserved[1], range(0x10_0000, 0x10_2000));
    block.reserve(range(0x1000, u64::MAX)).unwrap();
    assert_eq!(block.reserved[..], [range(0, 1 << 52)]);
    block.reserve(range(7, 7)).unwrap();
}

#[test]
fn processors_that_cannot_start_are_left_out_and_counted() {
    let cpus = |cpus: &str, more: &str| {
        let source = source(more).replace("cpu@0 {", &format!("{cpus} cpu@0 {{"));
        from_device_tree(&compile(&source), 0)
    };
    let psci = r#"psci { compatible = "arm,psci-1.0"; method = "smc"; };"#;
    let with = r#"cpu@1 { reg = <1>; enable-method = "psci"; };"#;
    let block = cpus(with, psci).unwrap();
    assert_eq!((block.processors.len(), block.processors_left_out), (2, 0));
    let block = cpus(with, "").unwrap();
    assert_eq!((block.processors.len(), block.processors_left_out), (1, 1));
    let block = cpus(r#"cpu@1 { reg = <1>; enable-method = "magic"; };"#, psci).unwrap();
    assert_eq!((block.processors.len(), block.processors_left_out), (1, 1));
    let block = cpus(
        r#"cpu@1 { reg = <1>; enable-method = "psci"; status = "fail"; };"#,
        psci,
    )
    .unwrap();
    assert_eq!((block.processors.len(), block.processors_left_out), (1, 0));
    // cpus speaks for all that do not speak for themselves.
    let block = cpus(r#"enable-method = "psci"; cpu@1 { reg = <1>; };"#, psci).unwrap();
    assert_eq!((block.processors.len(), block.processors_left_out), (2, 0));
    // The word that one waits at is reserved with its page.
    let block = cpus(
        r#"cpu@1 { reg = <1>; enable-method = "spin-table"; cpu-release-addr = <0 0x3ff8>; };"#,
        "",
    )
    .unwrap();
    assert_eq!((block.processors.len(), block.processors_left_out), (2, 0));
    assert_eq!(block.reserved[..], [range(0x3000, 0x4000)]);
    let wrong = cpus(
        r#"cpu@1 { reg = <1>; enable-method = "spin-table"; };"#,
        psci,
    )
    .unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "device tree: node /cpus/cpu@1: its cpu-release-addr is not the address of 8 bytes of memory"
    );
    let twice = cpus("cpu@0 { reg = <0>; };", "").unwrap_err();
    assert_eq!(
        twice.to_string(),
        "device tree: node /cpus/cpu@0: another processor has the same reg"
    );
    let absent = from_device_tree(&compile(&source("")), 7).unwrap_err();
    assert_eq!(
        absent,
        DiscoveryError::BootProcessorNotListed { hardware_id: 7 }
    );
}

#[test]
fn the_timer_may_name_its_interrupts_and_its_frequency() {
    let timer = |text: &str| {
        let source = source("").replace("interrupts = <1 13 4>, <1 14 4>, <1 11 4>;", text);
        from_device_tree(&compile(&source), 0).map(|block| block.timer)
    };
    let named = r#"interrupt-names = "phys", "virt"; interrupts = <1 14 4>, <1 11 4>; clock-frequency = <54000000>;"#;
    let generic = TimerDescription::Generic {
        virtual_interrupt: 27,
        physical_interrupt: 30,
        frequency: Some(54_000_000),
    };
    assert_eq!(timer(named), Ok(generic));
    let extended = timer("interrupts-extended = <1 1 13 4>, <1 1 14 4>, <1 1 11 4>;");
    assert_eq!(extended, Ok(TIMER_OF_VIRT));
    let elsewhere = timer("interrupts-extended = <1 1 13 4>, <2 1 14 4>, <1 1 11 4>;").unwrap_err();
    assert_eq!(
        elsewhere.to_string(),
        "device tree: node /timer: it has no virtual timer interrupt at the GIC"
    );
    assert!(timer("interrupts = <1 13 4>;").is_err());
    assert!(timer("interrupts = <1 13 4>, <1 14 4>, <1 16 4>;").is_err());
}
