//! How kernel32.dll is linked: the names that it hands on to kernelbase and ntdll.
//!
//! `exports.txt` has them: a row `k CreateThread done` becomes a forwarder to kernelbase, and `k HeapAlloc = ntdll.RtlAllocateHeap`
//! one to ntdll. Rows that say `own` are functions of this crate.

use std::path::PathBuf;
use std::{env, fs};

/// The list of names.
const LIST: &str = "exports.txt";

/// What the linker is told of a row.
fn forward(line: &str) -> Option<String> {
    let (dlls, rest) = line.split_once(' ')?;
    if line.starts_with('#') || !dlls.contains('k') {
        return None;
    }
    if let Some((name, target)) = rest.split_once(" = ") {
        return Some(format!("/export:{}={}\n", name.trim(), target.trim()));
    }
    let (name, state) = rest.trim().split_once(' ')?;
    (state.trim() == "done").then(|| format!("/export:{name}=kernelbase.{name}\n"))
}

/// Where it wants to be, so that no process has to relocate it: each DLL of the system has a place of its own.
const BASE: &str = "0x7ff802000000";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={LIST}");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("windows") {
        return;
    }
    if env::var("CARGO_CFG_TARGET_POINTER_WIDTH").as_deref() == Ok("64") {
        println!("cargo::rustc-cdylib-link-arg=/base:{BASE}");
    }
    println!("cargo::rustc-cdylib-link-arg=/noentry");
    let list = fs::read_to_string(LIST).expect("the list of names can be read");
    let forwards: String = list.lines().filter_map(forward).collect();
    let folder =
        env::var_os("OUT_DIR").expect("Cargo names a folder for what a build script makes");
    let file = PathBuf::from(folder).join("forwards.rsp");
    fs::write(&file, forwards).expect("Cargo's folder can be written");
    println!("cargo::rustc-cdylib-link-arg=@{}", file.display());
}
