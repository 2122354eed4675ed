//! Builds what runs in user mode, as PE files: the system's own programs and DLLs, and the test programs,
//! `tests/programs/src/bin/NAME.rs`.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::board::Image;
use crate::build::kit::Kit;
use crate::build::{c_programs, cargo, rust_programs, take_turn};
use crate::progress::Step;
use crate::setup::Tools;
use crate::workspace::Workspace;

/// The crate of the test programs.
pub(crate) const PACKAGE: &str = "test-programs";
/// Where each program is a file.
pub(crate) const SOURCES: &str = "tests/programs/src/bin";

/// The crates of the system's own DLLs and programs, and the names of their files.
pub(crate) const SYSTEM: [(&str, &str); 5] = [
    ("ntdll", "ntdll.dll"),
    ("kernelbase", "kernelbase.dll"),
    ("kernel32", "kernel32.dll"),
    ("vcruntime", "vcruntime140.dll"),
    ("smss", FIRST),
];
/// The first process, which starts all others.
pub(crate) const FIRST: &str = "smss.exe";

/// One of our programs for user mode, or a DLL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// The name of its file, such as `nothing.exe`.
    pub(crate) file_name: String,
    /// The file.
    pub(crate) path: PathBuf,
    /// The program, without `.exe`, in whose runs alone it is on the RAM disk.
    pub(crate) only_for: Option<String>,
}

/// The names of all test programs, without `.exe`.
pub(crate) fn names(workspace: &Workspace) -> Result<Vec<String>> {
    let mut names = flat_names(workspace)?;
    names.extend(c_programs::names(workspace)?);
    names.extend(rust_programs::names(workspace)?);
    names.sort();
    Ok(names)
}

/// The programs that have files of their own in the RAM disk.
pub(crate) fn with_own_files(workspace: &Workspace) -> Result<BTreeSet<String>> {
    let mut names = c_programs::programs_with_own_files(workspace)?;
    names.extend(rust_programs::names(workspace)?);
    Ok(names)
}

/// The names of those that are flat, `tests/programs`.
pub(crate) fn flat_names(workspace: &Workspace) -> Result<Vec<String>> {
    let cannot = || format!("the folder {SOURCES} cannot be read");
    let mut names = Vec::new();
    for entry in fs::read_dir(workspace.root().join(SOURCES)).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if path.extension().is_some_and(|extension| extension == "rs")
            && let Some(name) = path.file_stem().and_then(|name| name.to_str())
        {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// The test program that a person means, by its name with or without `.exe`, in any case.
pub(crate) fn find(workspace: &Workspace, name: &str) -> Result<Option<String>> {
    let lower = name.to_ascii_lowercase();
    let stem = lower.strip_suffix(".exe").unwrap_or(&lower);
    Ok(names(workspace)?
        .into_iter()
        .find(|known| known.to_ascii_lowercase() == stem))
}

/// Builds the system's programs and DLLs and every test program, for what runs on an image.
///
/// Those that take long are built only if `run`, the program that is to run, is one of them.
pub(crate) fn build(
    workspace: &Workspace,
    tools: &Tools,
    image: &Image,
    run: Option<&str>,
) -> Result<Vec<Program>> {
    let step = Step::start(format!("building user mode for {}", image.name));
    let _turn = turn(workspace, image, &step)?;
    let mut programs = build_with_cargo(workspace, tools, image, &step)?;
    let kit = Kit::prepare(workspace, tools, image, &step)?;
    programs.extend(c_programs::build(workspace, &kit, &image.name, &step)?);
    let in_rust = rust_programs::names(workspace)?;
    if run.is_some_and(|run| in_rust.iter().any(|name| name == run)) {
        programs.extend(rust_programs::build(workspace, tools, &kit, &step)?);
    }
    step.done();
    Ok(programs)
}

/// Builds the kit for programs that run on an image, and what it is made of.
pub(crate) fn kit(workspace: &Workspace, tools: &Tools, image: &Image) -> Result<Kit> {
    let step = Step::start(format!("building the kit for {}", image.name));
    let _turn = turn(workspace, image, &step)?;
    build_with_cargo(workspace, tools, image, &step)?;
    let kit = Kit::prepare(workspace, tools, image, &step)?;
    step.done();
    Ok(kit)
}

/// Waits until nobody else builds for the image.
fn turn(workspace: &Workspace, image: &Image, step: &Step) -> Result<File> {
    let folder = workspace.kernel_target().join("images").join(&image.name);
    fs::create_dir_all(&folder)
        .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    take_turn(&folder, step)
}

/// Builds what is in the workspace: the system's programs and DLLs, and the flat programs.
fn build_with_cargo(
    workspace: &Workspace,
    tools: &Tools,
    image: &Image,
    step: &Step,
) -> Result<Vec<Program>> {
    let mut command = cargo::user_command(workspace, tools, image, cargo::Starter::Kernel)?;
    command.args(["build", "--release", "--package", PACKAGE]);
    command.args(
        SYSTEM
            .iter()
            .flat_map(|(package, _)| ["--package", package]),
    );
    // Of a DLL's crate the DLL, of the test programs each.
    command.args(["--lib", "--bins"]);
    let said = step
        .run_checked(&mut command)
        .with_context(|| format!("user mode does not build for {}", image.user.title))?;
    cargo::show_warnings(&said);
    let built = workspace
        .kernel_target()
        .join(&image.user.target)
        .join("release");
    let mut programs = Vec::new();
    for (package, file_name) in SYSTEM {
        let path = built.join(file_name);
        if !path.is_file() {
            bail!(
                "Cargo made no {}: let the crate {package} make it",
                path.display()
            );
        }
        programs.push(Program {
            file_name: file_name.to_owned(),
            path,
            only_for: None,
        });
    }
    for name in flat_names(workspace)? {
        let file_name = format!("{name}.exe");
        let path = built.join(&file_name);
        if !path.is_file() {
            bail!(
                "Cargo made no {}: let {SOURCES}/{name}.rs be a program of the crate {PACKAGE}",
                path.display()
            );
        }
        programs.push(Program {
            file_name,
            path,
            only_for: None,
        });
    }
    Ok(programs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_either_name() {
        let workspace = Workspace::discover().unwrap();
        let found = |name: &str| find(&workspace, name).unwrap();
        assert_eq!(found("nothing").as_deref(), Some("nothing"));
        assert_eq!(found("Nothing.EXE").as_deref(), Some("nothing"));
        assert_eq!(found("nothing.exe.exe"), None);
        assert_eq!(found("./nothing"), None);
    }
}
