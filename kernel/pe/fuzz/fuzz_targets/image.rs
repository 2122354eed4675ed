//! Any bytes as a file and as an image in memory.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/support/fuzz.rs"]
mod fuzz;

fuzz_target!(|bytes: &[u8]| {
    fuzz::fuzz(bytes);
});
