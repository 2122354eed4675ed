//! Any pieces of memory as a PVH machine, once as they are and once with checksums
//! made right, since no fuzzer guesses those.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/support/firmware.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod firmware;
#[path = "../../tests/support/promises.rs"]
#[allow(dead_code, reason = "the other target uses the rest")]
mod promises;

fuzz_target!(|dump: &[u8]| {
    let mut memory = firmware::Pieces::from_dump(dump);
    for _ in 0..2 {
        memory.reads.set(0);
        promises::check(&boards::from_pvh(memory.start_info(), &memory, 0));
        assert!(memory.reads.get() < 1_000_000);
        memory.fix_checksums();
    }
});
