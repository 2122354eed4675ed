//! Builds the test programs in Rust that are written as for any Windows, with the [kit](super::kit): each folder of
//! `tests/rust` is a package.
//!
//! | package | has |
//! |---|---|
//! | `std` | programs with the standard library |
//! | `no_std` | programs without it |
//!
//! The standard library takes a minute to build, so these programs are built when one of them is to run.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::build::cargo;
use crate::build::kit::{CARGO, Kit};
use crate::build::programs::Program;
use crate::progress::Step;
use crate::setup::Tools;
use crate::workspace::Workspace;

/// The folder of the packages.
const FOLDER: &str = "tests/rust";
/// The packages, and what of the library each needs.
const PACKAGES: [(&str, &str); 2] = [("std", "std,panic_unwind"), ("no_std", "core")];

/// The names of the programs, without `.exe`.
pub(crate) fn names(workspace: &Workspace) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for (package, _) in PACKAGES {
        names.extend(names_of(workspace, package)?);
    }
    Ok(names)
}

fn names_of(workspace: &Workspace, package: &str) -> Result<Vec<String>> {
    let folder = workspace.root().join(FOLDER).join(package).join("src/bin");
    let cannot = || format!("the folder {} cannot be read", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if let Some(name) = path.file_stem().and_then(|name| name.to_str()) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// Builds every program, as a person would with the kit. Each is in the RAM disk of its own runs alone.
pub(crate) fn build(
    workspace: &Workspace,
    tools: &Tools,
    kit: &Kit,
    step: &Step,
) -> Result<Vec<Program>> {
    let mut programs = Vec::new();
    for (package, library) in PACKAGES {
        let target = workspace.kernel_target().join("rust").join(package);
        let mut command = cargo::host_command(workspace, tools);
        command
            .current_dir(workspace.root().join(FOLDER).join(package))
            .env_remove("RUSTC")
            .env("CARGO_TARGET_DIR", &target)
            // The one way by which a stable toolchain builds the library from source.
            .env("RUSTC_BOOTSTRAP", "1")
            .args(["build", "--release", "--config"])
            .arg(kit.folder().join(CARGO))
            .args(["-Z", &format!("build-std={library}")]);
        let said = step
            .run_checked(&mut command)
            .with_context(|| format!("{FOLDER}/{package} does not build"))?;
        cargo::show_warnings(&said);
        for name in names_of(workspace, package)? {
            let file_name = format!("{name}.exe");
            let path = target.join(kit.target()).join("release").join(&file_name);
            if !path.is_file() {
                bail!("Cargo made no {}", path.display());
            }
            programs.push(Program {
                file_name,
                path,
                only_for: Some(name),
            });
        }
    }
    Ok(programs)
}
