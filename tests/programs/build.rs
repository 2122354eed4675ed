//! How the programs are linked: as programs that the kernel can enter without a loader.

use std::env;

/// What the linker is told about every program.
const ARGUMENTS: [&str; 4] = [
    // The name that `stubs::program_entry!` gives the entry point.
    "/entry:program_start",
    // Where the kernel enters a program by itself: `stubs::dispatchers`.
    "/export:RtlUserThreadStart",
    "/export:KiUserApcDispatcher",
    "/export:KiUserExceptionDispatcher",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("windows") {
        return;
    }
    // Another implementation of NT starts them as programs of its console; our kernel knows no subsystems.
    let subsystem = match env::var_os("CARGO_FEATURE_REFERENCE") {
        Some(_) => "/subsystem:console",
        None => "/subsystem:native",
    };
    for argument in ARGUMENTS.iter().chain([&subsystem]) {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
}
