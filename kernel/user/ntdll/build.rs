//! How ntdll.dll is linked: its further names of system services, and functions that are in every image.

use std::path::PathBuf;
use std::{env, fs};

use nt_abi::services::SERVICES;

/// Functions on memory, which every image has in itself for what the compiler makes of its code.
const OWN: [&str; 4] = ["memcpy", "memmove", "memset", "memcmp"];

/// Where it wants to be, so that no process has to relocate it: each DLL of the system has a place of its own.
const BASE: &str = "0x7ff800000000";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("windows") {
        return;
    }
    if env::var("CARGO_CFG_TARGET_POINTER_WIDTH").as_deref() == Ok("64") {
        println!("cargo::rustc-cdylib-link-arg=/base:{BASE}");
    }
    println!("cargo::rustc-cdylib-link-arg=/noentry");
    for name in OWN {
        println!("cargo::rustc-cdylib-link-arg=/export:{name}");
    }
    // User mode may call a service by either name. They are many, so the linker reads them from a file.
    let names: String = SERVICES
        .iter()
        .filter_map(|service| service.name.strip_prefix("Nt"))
        .map(|rest| format!("/export:Zw{rest}=Nt{rest}\n"))
        .collect();
    let folder =
        env::var_os("OUT_DIR").expect("Cargo names a folder for what a build script makes");
    let file = PathBuf::from(folder).join("exports.rsp");
    fs::write(&file, names).expect("Cargo's folder can be written");
    println!("cargo::rustc-cdylib-link-arg=@{}", file.display());
}
