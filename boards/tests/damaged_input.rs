//! Damaged input: no panic, bounded work, and a loader block that keeps its promises.
//!
//! The damage is the same in every run. `BOARDS_DAMAGED_INPUTS=N` runs N inputs per
//! reader instead of 100,000; the generator goes on where a shorter run stops. What
//! is found here or by the targets in `fuzz/` goes to `corpus/READER/NAME.bin` and is
//! run again by `inputs_that_were_hard`.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use std::time::{Duration, Instant};

use boards::{console_hint, device_tree_length, from_device_tree, from_pvh};
use support::damage::{Chance, Order, damage};
use support::dts::compile;
use support::firmware::{IO_APIC, Pieces, local_apic, machine, madt, old_fadt, table, x2apic};
use support::promises::{check, check_console};

fn inputs() -> usize {
    std::env::var("BOARDS_DAMAGED_INPUTS")
        .ok()
        .map_or(100_000, |count| {
            count.parse().expect("BOARDS_DAMAGED_INPUTS is a number")
        })
}

fn read_tree(tree: &[u8]) -> bool {
    let _ = device_tree_length(tree);
    let result = from_device_tree(tree, 0);
    check(&result);
    // The hint is for trees that are refused. It finds what the reader finds.
    match &result {
        Ok(block) => assert_eq!(console_hint(tree).is_some(), block.console.is_some()),
        Err(_) => console_hint(tree).iter().for_each(check_console),
    }
    result.is_ok()
}

fn read_dump(memory: &Pieces) -> bool {
    memory.reads.set(0);
    let result = from_pvh(memory.start_info(), memory, 0);
    check(&result);
    // One read for each byte of the largest tables, entries of lists and the command line.
    assert!(
        memory.reads.get() < 1_000_000,
        "{} reads",
        memory.reads.get()
    );
    result.is_ok()
}

#[test]
fn damaged_device_trees() {
    // Mostly a small tree, where damage hits something that matters.
    let source = |name: &str| compile(&String::from_utf8(support::data(name)).unwrap());
    let (small, raspi4) = (source("small.dts"), source("raspi4.dts"));
    let virt = ["virt-gic2.dtb", "virt-gic3-el2.dtb", "virt-initrd.dtb"].map(support::data);
    let mut chance = Chance::new(1);
    let mut accepted = 0;
    let all = inputs();
    for round in 0..all {
        let mut tree = match round % 64 {
            0 => virt[chance.below(virt.len())].clone(),
            1..8 => raspi4.clone(),
            _ => small.clone(),
        };
        damage(&mut chance, &mut tree, Order::Big);
        accepted += usize::from(read_tree(&tree));
    }
    // Damage that is always found at the door tests nothing behind it.
    assert!(
        accepted > all / 50 && accepted < all,
        "{accepted} of {all} accepted"
    );
}

#[test]
fn damaged_acpi() {
    let names = ["q35-seabios.mem", "q35-qboot.mem"];
    let mut seeds: Vec<_> = names
        .map(|name| Pieces::from_dump(&support::data(name)))
        .into();
    let entries: [&[u8]; 4] = [
        &local_apic(0, 0, 1),
        &x2apic(1, 300, 1),
        &IO_APIC,
        &[2, 10, 0, 9, 9, 0, 0, 0, 13, 0],
    ];
    seeds.push(machine(&[
        table("APIC", &madt(&entries)),
        old_fadt(),
        table("HPET", &[0; 20]),
    ]));
    let mut chance = Chance::new(2);
    let mut accepted = 0;
    let all = inputs();
    for _ in 0..all {
        let mut memory = seeds[chance.below(seeds.len())].clone();
        let piece = chance.below(memory.pieces.len());
        damage(&mut chance, &mut memory.pieces[piece].1, Order::Little);
        // Mostly the sums are made right again, or nothing behind them would be reached.
        if chance.below(8) != 0 {
            memory.fix_checksums();
        }
        accepted += usize::from(read_dump(&memory));
    }
    assert!(
        accepted > all / 50 && accepted < all,
        "{accepted} of {all} accepted"
    );
}

#[test]
fn inputs_that_were_hard() {
    for (name, tree) in support::corpus("device_tree") {
        println!("{name}");
        read_tree(&tree);
    }
    for (name, dump) in support::corpus("pvh") {
        println!("{name}");
        read_dump(&Pieces::from_dump(&dump));
    }
}

/// Trees of the largest size that are made to be slow: the work must stay linear.
#[test]
fn trees_that_are_made_to_be_slow() {
    const SIZE: usize = 2 << 20;
    let cells = "#address-cells = <1>; #size-cells = <1>;";
    let many = |item: &str, bytes: usize| item.repeat(SIZE / 3 / bytes);
    let windows = "<1 1 1>,".repeat(SIZE / 3 / 12);
    let windows = windows.trim_end_matches(',');
    let ports = many(r#"p { compatible = "arm,pl011"; reg = <0x5000 1>; };"#, 64);
    let trees = [
        // Many nodes below a node with many properties, of which each asks for its bus.
        format!(
            "{} {}",
            many("x = <0>;", 16),
            many(r#"n { compatible = "arm,gic"; };"#, 40)
        ),
        format!(
            "reserved-memory {{ {cells} {} ranges; {} }};",
            many("x = <0>;", 16),
            many("r { reg = <0 1>; };", 32)
        ),
        // Many ports behind many windows that lead nowhere.
        format!("{cells} soc {{ {cells} ranges = {windows}; {ports} }};"),
        format!(
            "reserved-memory {{ {cells} ranges = {windows}; {} }};",
            many("r { reg = <0x5000 1>; };", 32)
        ),
        // Many ranges, processors, properties of one node.
        format!(
            r#"{cells} memory {{ device_type = "memory"; reg = {}; }};"#,
            "<4096 4096>,".repeat(SIZE / 9)
        ),
        format!(
            "cpus {{ #size-cells = <0>; {} }};",
            many(r#"cpu { reg = <0 1>; enable-method = "x"; };"#, 64)
        ),
        many("compatible = \"a\\0b\\0c\";", 16),
        "a { ".repeat(14) + &many("n { };", 12) + &"};".repeat(14),
    ];
    for tree in trees {
        let tree = compile(&format!("/dts-v1/; / {{ {tree} }};"));
        assert!(tree.len() <= SIZE, "{}", tree.len());
        let start = Instant::now();
        read_tree(&tree);
        // A hundred times what it takes here: a square of the size would take hours.
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "{:?}",
            start.elapsed()
        );
        println!("{} bytes: {:?}", tree.len(), start.elapsed());
    }
}
