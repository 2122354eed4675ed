//! What tells clang and Cargo of the kit.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Kit;
use crate::setup::{Need, Tools};

/// The name of the configuration for clang.
pub(crate) const CLANG: &str = "clang.cfg";
/// The name of the configuration for Cargo.
pub(crate) const CARGO: &str = "cargo.toml";

/// Writes the configurations where they are not as they should be.
pub(super) fn write(kit: &Kit, tools: &Tools) -> Result<()> {
    for (name, text) in [(CLANG, clang(&kit.target)), (CARGO, cargo(kit, tools)?)] {
        let path = kit.folder.join(name);
        if fs::read_to_string(&path).is_ok_and(|old| old == text) {
            continue;
        }
        fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}

/// Clang puts the folder of the file for `<CFGDIR>`.
fn clang(target: &str) -> String {
    let lines = [
        &format!("--target={target}"),
        // As on Windows, C++ has exceptions.
        "-fexceptions",
        "-fcxx-exceptions",
        // The kit's headers stand for the system's; the compiler has its own.
        "-nostdlibinc",
        "-isystem <CFGDIR>/include",
        "-fuse-ld=lld",
        "-Xlinker /libpath:<CFGDIR>/lib",
        "-Xlinker /defaultlib:kernel32",
        "-Xlinker /defaultlib:vcruntime",
        "-Xlinker /defaultlib:ntdll",
        "-Xlinker /subsystem:console",
        // The same sources give the same bytes: no time in the header.
        "-Xlinker /brepro",
    ];
    lines.join("\n") + "\n"
}

/// The compiler is named too: it is one that has the library's source beside it.
fn cargo(kit: &Kit, tools: &Tools) -> Result<String> {
    let target = &kit.target;
    let rustc = quoted("", &tools.rustc())?;
    let linker = quoted("", tools.path(Need::PeLinker))?;
    let libraries = quoted("-Lnative=", &kit.libraries())?;
    Ok(format!(
        r#"[build]
target = "{target}"
rustc = {rustc}

[target.{target}]
linker = {linker}
rustflags = [
    "-Clinker-flavor=lld-link",
    {libraries},
    "-Clink-arg=/defaultlib:vcruntime",
    "-Clink-arg=/subsystem:console",
    "-Clink-arg=/brepro",
]
"#
    ))
}

/// A path behind some text, as a string of TOML: its escapes are those of Rust.
fn quoted(before: &str, path: &Path) -> Result<String> {
    let text = path.to_str();
    let text = text.with_context(|| format!("the path {} is not UTF-8", path.display()))?;
    Ok(format!("{:?}", format!("{before}{text}")))
}
