//! The trees that this writer makes are read back by another reader, the crate `fdt`.

use super::*;

fn sample() -> DeviceTree {
    let leaf = |name: &str, properties: &[(&str, &[u8])]| Node {
        name: name.into(),
        properties: properties
            .iter()
            .map(|(name, value)| ((*name).into(), value.to_vec()))
            .collect(),
        children: Vec::new(),
    };
    let root = Node {
        name: String::new(),
        properties: vec![
            ("#address-cells".into(), vec![0, 0, 0, 2]),
            ("#size-cells".into(), vec![0, 0, 0, 2]),
            ("compatible".into(), b"linux,dummy-virt\0".to_vec()),
            ("model".into(), b"m\0".to_vec()),
        ],
        children: vec![
            leaf(
                "memory@40000000",
                &[
                    ("device_type", b"memory\0"),
                    (
                        "reg",
                        &[0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0],
                    ),
                ],
            ),
            Node {
                name: "cpus".into(),
                properties: vec![
                    ("#address-cells".into(), vec![0, 0, 0, 1]),
                    ("#size-cells".into(), vec![0; 4]),
                ],
                children: vec![leaf(
                    "cpu@0",
                    &[("reg", &[0; 4]), ("device_type", b"cpu\0")],
                )],
            },
            leaf("chosen", &[("bootargs", b"exit=semihosting\0")]),
        ],
    };
    DeviceTree {
        reservations: vec![(0x1000, 0x2000)],
        root,
    }
}

fn outside_reader(
    bytes: &[u8],
) -> fdt::Fdt<
    '_,
    (
        fdt::parsing::unaligned::UnalignedParser<'_>,
        fdt::parsing::Panic,
    ),
> {
    fdt::Fdt::new_unaligned(bytes).expect("another reader accepts the tree")
}

fn edits(text: &str) -> Edits {
    toml::from_str(text).unwrap()
}

#[test]
fn there_and_back() {
    let tree = sample();
    assert_eq!(DeviceTree::parse(&tree.to_bytes()).unwrap(), tree);
}

#[test]
fn another_reader_agrees() {
    let bytes = sample().to_bytes();
    let fdt = outside_reader(&bytes);
    assert!(fdt.find_node("/memory@40000000").is_some());
    assert!(fdt.find_node("/cpus/cpu@0").is_some());
}

#[test]
fn nodes_go_and_properties_change() {
    let changed = edits(
        "remove = ['/memory@40000000', '/cpus/cpu@0']\n\
         set = [{node = '/', property = 'compatible', text = 'acme,unknown'},\n\
                {node = '/cpus', property = '#size-cells', cells = [7]},\n\
                {node = '/', property = 'model'}]",
    )
    .apply(&sample().to_bytes())
    .unwrap();
    let fdt = outside_reader(&changed);
    assert!(fdt.find_node("/memory@40000000").is_none());
    assert!(fdt.find_node("/cpus").is_some() && fdt.find_node("/cpus/cpu@0").is_none());
    let tree = DeviceTree::parse(&changed).unwrap();
    assert_eq!(
        tree.property("/", "compatible"),
        Some(b"acme,unknown\0".as_slice())
    );
    assert_eq!(
        tree.property("/cpus", "#size-cells"),
        Some([0, 0, 0, 7].as_slice())
    );
    assert_eq!(tree.property("/", "model"), None);
    assert_eq!(tree.reservations, [(0x1000, 0x2000)]);
}

#[test]
fn bytes_are_broken_last() {
    let whole = sample().to_bytes();
    let broken = edits(
        "header = { totalsize = 0xffff_ffff }\npoke = [{at = 0, bytes = [1, 2]}]\ntruncate = 60",
    )
    .apply(&whole)
    .unwrap();
    assert_eq!(broken.len(), 60);
    assert_eq!(broken[..8], [1, 2, 0xfe, 0xed, 0xff, 0xff, 0xff, 0xff]);
}

#[test]
fn nops_are_skipped() {
    let bytes = sample().to_bytes();
    let at = size(&bytes, 8).unwrap();
    let mut padded = bytes.clone();
    padded.splice(at..at, [0, 0, 0, 4]);
    for field in [4, 12] {
        let moved = word(&padded, field).unwrap() + 4;
        padded[field..field + 4].copy_from_slice(&moved.to_be_bytes());
    }
    assert_eq!(DeviceTree::parse(&padded).unwrap(), sample());
}

#[test]
fn what_is_not_there_is_said() {
    let bytes = sample().to_bytes();
    for (wrong, words) in [
        ("remove = ['/gone']", "/gone"),
        ("header = { colour = 1 }", "colour"),
        (
            "set = [{node = '/none', property = 'a', text = 'b'}]",
            "/none",
        ),
        ("poke = [{at = 99999, bytes = [0]}]", "99999"),
    ] {
        let said = edits(wrong).apply(&bytes).unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn no_bytes_make_the_parser_panic() {
    let whole = sample().to_bytes();
    for length in 0..whole.len() {
        drop(DeviceTree::parse(&whole[..length]));
    }
    for at in 0..whole.len() {
        for value in [0, 1, 3, 0x7f, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            drop(DeviceTree::parse(&bytes));
        }
    }
}
