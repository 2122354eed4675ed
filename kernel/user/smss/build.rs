//! How smss.exe is linked: as a native program, which begins where NT's do.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("windows") {
        println!("cargo::rustc-link-arg-bins=/subsystem:native");
        println!("cargo::rustc-link-arg-bins=/entry:NtProcessStartup");
    }
}
