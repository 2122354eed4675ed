//! Any bytes as a device tree.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/support/promises.rs"]
mod promises;

fuzz_target!(|tree: &[u8]| {
    let _ = boards::device_tree_length(tree);
    boards::console_hint(tree)
        .iter()
        .for_each(promises::check_console);
    promises::check(&boards::from_device_tree(tree, 0));
});
