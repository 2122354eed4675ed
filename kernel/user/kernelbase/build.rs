//! How kernelbase.dll is linked: its entry point, and the names that it hands on to ntdll.
//!
//! `../kernel32/exports.txt` has them: a row `kb HeapAlloc = ntdll.RtlAllocateHeap` becomes a forwarder.

use std::path::PathBuf;
use std::{env, fs};

/// The list of names.
const LIST: &str = "../kernel32/exports.txt";

/// Where it wants to be, so that no process has to relocate it: each DLL of the system has a place of its own.
const BASE: &str = "0x7ff801000000";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={LIST}");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("windows") {
        return;
    }
    if env::var("CARGO_CFG_TARGET_POINTER_WIDTH").as_deref() == Ok("64") {
        println!("cargo::rustc-cdylib-link-arg=/base:{BASE}");
    }
    println!("cargo::rustc-cdylib-link-arg=/entry:KernelBaseDllInitialize");
    let list = fs::read_to_string(LIST).expect("the list of names can be read");
    let forwards: String = list
        .lines()
        .filter_map(|line| {
            let (dlls, rest) = line.split_once(' ')?;
            let (name, target) = rest.split_once(" = ")?;
            dlls.contains('b')
                .then(|| format!("/export:{}={}\n", name.trim(), target.trim()))
        })
        .collect();
    let folder =
        env::var_os("OUT_DIR").expect("Cargo names a folder for what a build script makes");
    let file = PathBuf::from(folder).join("forwards.rsp");
    fs::write(&file, forwards).expect("Cargo's folder can be written");
    println!("cargo::rustc-cdylib-link-arg=@{}", file.display());
}
