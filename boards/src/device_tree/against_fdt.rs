//! The reader against another: the crate `fdt` must see the same nodes and properties.
//!
//! Only undamaged trees are compared, since `fdt` panics on some others.

use fdt::Fdt;

use super::blob::{Blob, Token};

/// A node's depth and name, and its properties.
type Listed = (usize, String, Vec<(String, Vec<u8>)>);

fn as_this_reader_sees(tree: &[u8]) -> Vec<Listed> {
    let mut nodes = Vec::new();
    Blob::open(tree)
        .unwrap()
        .visit(&mut |node| {
            let mut properties = Vec::new();
            let mut cursor = node.level().properties;
            while let Token::Property { name, value } = cursor.next()? {
                properties.push((name.to_owned(), value.to_vec()));
            }
            nodes.push((node.depth(), node.level().name.to_owned(), properties));
            Ok(())
        })
        .unwrap();
    nodes
}

fn as_fdt_sees(tree: &[u8]) -> Vec<Listed> {
    let fdt = Fdt::new_unaligned(tree).unwrap();
    // Its list of all nodes begins below the root.
    let below = fdt
        .all_nodes()
        .map(|(depth, node)| (depth, node.name().to_string(), node));
    let root = fdt.find_node("/").unwrap();
    std::iter::once((0, String::new(), root))
        .chain(below)
        .map(|(depth, name, node)| {
            let properties = node.properties().into_iter();
            let properties =
                properties.map(|property| (property.name.to_owned(), property.value.to_vec()));
            (depth, name, properties.collect())
        })
        .collect()
}

#[test]
fn both_readers_see_the_same() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut trees = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "dtb") {
            trees.push(path);
        }
    }
    assert!(trees.len() >= 6);
    for path in trees {
        let tree = std::fs::read(&path).unwrap();
        let seen = as_this_reader_sees(&tree);
        assert!(seen.len() > 40, "{}", path.display());
        assert_eq!(seen, as_fdt_sees(&tree), "{}", path.display());
    }
}
