//! How ntdll.dll is linked: its further names of system services.

use std::env;

use nt_abi::services::SERVICES;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("windows") {
        return;
    }
    println!("cargo::rustc-cdylib-link-arg=/noentry");
    for service in SERVICES {
        // User mode may call a service by either name.
        if let Some(rest) = service.name.strip_prefix("Nt") {
            println!("cargo::rustc-cdylib-link-arg=/export:Zw{rest}=Nt{rest}");
        }
    }
}
