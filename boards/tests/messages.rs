//! What a person reads when a machine cannot be described.

#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use boards::{Console, ConsoleKind, console_hint, device_tree_length, from_device_tree};
use support::dts::compile;
use support::promises::check;

const MACHINE: &str = r#"/dts-v1/;
/ {
    compatible = "foo,bar";
    #address-cells = <1>;
    #size-cells = <1>;
    interrupt-parent = <1>;
    chosen { stdout-path = "/serial@9000000"; };
    serial@9000000 { compatible = "arm,pl011"; reg = <0x9000000 0x1000>; interrupts = <0 1 4>; };
    memory@0 { device_type = "memory"; reg = <0 0x10000000>; };
    gic { compatible = "arm,gic-400"; #interrupt-cells = <3>; phandle = <1>; reg = <0x8000000 0x1000 0x8010000 0x1000>; };
    timer { compatible = "arm,armv8-timer"; interrupts = <1 13 4>, <1 14 4>, <1 11 4>; };
    cpus { #address-cells = <1>; #size-cells = <0>; cpu@0 { device_type = "cpu"; reg = <0>; }; };
};"#;

const PORT: Console = Console {
    kind: ConsoleKind::Pl011,
    base: 0x900_0000,
    length: 0x1000,
    interrupt: Some(33),
};

fn sentence(tree: &[u8]) -> String {
    let result = from_device_tree(tree, 0);
    check(&result);
    result.map(|_| ()).expect_err("it is refused").to_string()
}

/// The sentence for the machine with `from` replaced in its source.
fn changed(from: &str, to: &str) -> String {
    assert!(MACHINE.contains(from), "{from}");
    sentence(&compile(&MACHINE.replace(from, to)))
}

/// The sentence for the machine's tree with a word of its header replaced.
fn header(offset: usize, value: u32) -> String {
    let mut tree = compile(MACHINE);
    tree[offset..offset + 4].copy_from_slice(&value.to_be_bytes());
    sentence(&tree)
}

#[test]
fn no_tree() {
    let mut atags = [0; 16];
    atags[..8].copy_from_slice(&[5, 0, 0, 0, 1, 0, 0x41, 0x54]);
    assert_eq!(
        sentence(&atags),
        "device tree: no magic d00dfeed at its start: found 5 (ATAGS: the firmware passed no device tree)"
    );
    assert_eq!(
        sentence(&[0; 64]),
        "device tree: no magic d00dfeed at its start: found 0 (empty memory: the firmware passed no device tree)"
    );
    assert_eq!(
        sentence(b"\x7fELFabcd"),
        "device tree: no magic d00dfeed at its start: found 7f454c46"
    );
    assert_eq!(
        sentence(&[]),
        "device tree: damaged at offset 0x0: it has no whole header"
    );
    assert!(device_tree_length(&atags[..8]).is_err());
}

#[test]
fn damaged_header() {
    assert_eq!(
        header(4, 39),
        "device tree: damaged at offset 0x4: its length is less than its header's"
    );
    assert_eq!(
        header(4, 0x0030_0000),
        "device tree: damaged at offset 0x4: its length is above 2 MiB"
    );
    assert_eq!(
        header(4, 4096),
        "device tree: damaged at offset 0x4: it says that it is longer than it is"
    );
    assert_eq!(
        header(8, u32::MAX),
        "device tree: damaged at offset 0x8: its structure block lies outside it"
    );
    assert_eq!(
        header(36, u32::MAX),
        "device tree: damaged at offset 0x8: its structure block lies outside it"
    );
    assert_eq!(
        header(12, u32::MAX),
        "device tree: damaged at offset 0xc: its strings block lies outside it"
    );
    assert_eq!(
        header(16, u32::MAX),
        "device tree: damaged at offset 0x10: its memory reservations lie outside it"
    );
    assert_eq!(
        header(20, 3),
        "device tree: damaged at offset 0x14: it is of a version other than 17"
    );
    assert_eq!(
        header(24, 18),
        "device tree: damaged at offset 0x14: it is of a version other than 17"
    );
}

#[test]
fn damaged_structure() {
    let tree = compile(MACHINE);
    let mut token = tree.clone();
    token[56 + 8 + 3] = 6;
    assert_eq!(
        sentence(&token),
        "device tree: damaged at offset 0x44: a token is none of the five that exist"
    );
    let deep = format!(
        "/dts-v1/; / {{ {} {} }};",
        "a { ".repeat(16),
        "}; ".repeat(16)
    );
    assert!(sentence(&compile(&deep)).ends_with("nodes nest more than 16 deep"));
    let late = changed("chosen {", "a { }; late; chosen {");
    assert!(late.ends_with("a property follows a child node"), "{late}");
}

#[test]
fn nothing_to_run_on() {
    assert_eq!(
        changed("arm,gic-400", "foo,pic"),
        "machine 'foo,bar': no interrupt controller that Tarn has a driver for"
    );
    assert_eq!(
        changed("armv8-timer", "none"),
        "machine 'foo,bar': no timer that Tarn has a driver for"
    );
    assert_eq!(
        changed("reg = <0 0x10000000>;", "reg = <0 0xfff>;"),
        "no usable memory: the firmware lists not one whole page of it"
    );
    assert_eq!(
        changed("reg = <0>;", "reg = <3>;"),
        "processor 0x0 is running, but the firmware does not list it"
    );
}

#[test]
fn nodes_that_say_what_cannot_be() {
    assert_eq!(
        changed("reg = <0 0x10000000>;", "reg = <0>;"),
        "device tree: node /memory@0: its reg is not a whole number of entries"
    );
    assert_eq!(
        changed("#address-cells = <1>;\n", "#address-cells = <5>;\n"),
        "device tree: node /: its #address-cells or #size-cells is not one of 0 to 4"
    );
    assert_eq!(
        changed("0x8010000 0x1000", ""),
        "device tree: node /gic: its reg has too few entries"
    );
    let short = "device tree: node /gic: its reg has an entry that is too short for the registers";
    assert_eq!(changed("<0x8000000 0x1000 ", "<0x8000000 4 "), short);
    assert_eq!(changed("0x8010000 0x1000", "0x8010000 0xfff"), short);
    let v3 = |distributor: &str, redistributors: &str| {
        let tree = MACHINE.replace("gic-400", "gic-v3");
        let tree = tree.replace(
            "<0x8000000 0x1000 0x8010000 0x1000>",
            &format!("<0x8000000 {distributor} 0x80a0000 {redistributors}>"),
        );
        from_device_tree(&compile(&tree), 0).map_err(|error| error.to_string())
    };
    assert!(v3("0x10000", "0x20000").is_ok());
    assert_eq!(v3("0xf000", "0x20000").map(drop), Err(short.to_owned()));
    assert_eq!(v3("0x10000", "0x1f000").map(drop), Err(short.to_owned()));
    assert_eq!(
        changed(
            "cpus {",
            r#"pm { compatible = "brcm,bcm2835-pm"; reg = <0x7000000 0x24>; }; cpus {"#
        ),
        "device tree: node /pm: its reg has an entry that is too short for the registers"
    );
    assert_eq!(
        changed("chosen {", "chosen { linux,initrd-start = <0x100>;"),
        "device tree: node /chosen: its initial RAM disk has no start, no end or ends before it starts"
    );
    let long = format!("chosen {{ bootargs = \"{}\";", "x".repeat(1025));
    assert_eq!(
        changed("chosen {", &long),
        "the firmware lists more than 1024 bytes of command line, and Tarn has room for no more"
    );
    assert_eq!(
        changed(
            "cpus {",
            r#"psci { compatible = "arm,psci-0.2"; method = "call"; }; cpus {"#
        ),
        "device tree: node /psci: its method is neither hvc nor smc"
    );
}

#[test]
fn names_cannot_command_the_terminal() {
    let mut tree = compile(MACHINE);
    let at = tree
        .windows(7)
        .position(|bytes| bytes == b"foo,bar")
        .unwrap();
    tree[at] = 0x1B;
    let at = tree
        .windows(7)
        .position(|bytes| bytes == b"gic-400")
        .unwrap();
    tree[at] = b'x';
    assert_eq!(
        sentence(&tree),
        "machine '?oo,bar': no interrupt controller that Tarn has a driver for"
    );
}

#[test]
fn a_console_is_found_in_what_is_left_of_a_tree() {
    let tree = compile(MACHINE);
    assert_eq!(console_hint(&tree), Some(PORT));
    // Refused for what it says.
    let mute = compile(&MACHINE.replace("arm,gic-400", "foo,pic"));
    assert_eq!(
        console_hint(&mute),
        Some(Console {
            interrupt: None,
            ..PORT
        })
    );
    // Damaged behind the port: in the header, by a wrong token, by a short block.
    let timer = tree
        .windows(6)
        .position(|bytes| bytes == b"timer\0")
        .unwrap();
    for damage in [4, 24, 32, 36, timer - 1] {
        let mut tree = tree.clone();
        tree[damage] = 0x77;
        assert!(from_device_tree(&tree, 0).is_err(), "{damage}");
        assert_eq!(console_hint(&tree), Some(PORT), "{damage}");
    }
    let mut short = tree.clone();
    short[32..40].fill(0);
    assert!(from_device_tree(&short, 0).is_err());
    assert_eq!(console_hint(&short), Some(PORT));
    // Strings in front of the structure, and the end cut off.
    let mut front = tree.clone();
    let strings = u32::from_be_bytes(tree[12..16].try_into().unwrap());
    let structure = tree[56..usize::try_from(strings).unwrap()].to_vec();
    let names = tree[usize::try_from(strings).unwrap()..].to_vec();
    front.truncate(56);
    front.extend(&names);
    front.resize(front.len().next_multiple_of(4), 0);
    let moved = u32::try_from(front.len()).unwrap();
    front.extend(&structure[..structure.len() - 40]);
    front[8..12].copy_from_slice(&moved.to_be_bytes());
    front[12..16].copy_from_slice(&56_u32.to_be_bytes());
    assert!(from_device_tree(&front, 0).is_err());
    assert_eq!(console_hint(&front), Some(PORT));
    // Nothing to be found.
    assert_eq!(console_hint(&tree[..100]), None);
    assert_eq!(console_hint(&[]), None);
    assert_eq!(console_hint(&[0; 64]), None);
}
