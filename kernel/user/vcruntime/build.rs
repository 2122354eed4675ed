//! How vcruntime140.dll is linked: the names that it hands on to ntdll, and further names of its own functions.

use std::env;

/// Functions of the C library that ntdll has.
const NTDLL: [&str; 12] = [
    "__C_specific_handler",
    "memchr",
    "memcmp",
    "memcpy",
    "memmove",
    "memset",
    "strchr",
    "strrchr",
    "strstr",
    "wcschr",
    "wcsrchr",
    "wcsstr",
];

/// Other names of functions: the older versions of the handler differ in what tables they may be given, and which they are
/// given a table says.
const ALIASES: [(&str, &str); 5] = [
    ("__CxxFrameHandler", "__CxxFrameHandler3"),
    ("__CxxFrameHandler2", "__CxxFrameHandler3"),
    ("__intrinsic_setjmp", "__intrinsic_setjmpex"),
    ("_setjmp", "__intrinsic_setjmpex"),
    ("_setjmpex", "__intrinsic_setjmpex"),
];

/// Where it wants to be, so that no process has to relocate it: each DLL of the system has a place of its own.
const BASE: &str = "0x7ff803000000";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("windows") {
        return;
    }
    if env::var("CARGO_CFG_TARGET_POINTER_WIDTH").as_deref() == Ok("64") {
        println!("cargo::rustc-cdylib-link-arg=/base:{BASE}");
    }
    println!("cargo::rustc-cdylib-link-arg=/noentry");
    for name in NTDLL {
        println!("cargo::rustc-cdylib-link-arg=/export:{name}=ntdll.{name}");
    }
    for (name, of) in ALIASES {
        println!("cargo::rustc-cdylib-link-arg=/export:{name}={of}");
    }
}
