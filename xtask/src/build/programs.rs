//! Builds what runs in user mode, as PE files: the system's own programs and DLLs, and the test programs,
//! `tests/programs/src/bin/NAME.rs`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::board::Image;
use crate::build::kit::Kit;
use crate::build::{c_programs, cargo, take_turn};
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
    let mut names = rust_names(workspace)?;
    names.extend(c_programs::names(workspace)?);
    names.sort();
    Ok(names)
}

/// The names of those in Rust.
pub(crate) fn rust_names(workspace: &Workspace) -> Result<Vec<String>> {
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
pub(crate) fn build(workspace: &Workspace, tools: &Tools, image: &Image) -> Result<Vec<Program>> {
    let step = Step::start(format!("building user mode for {}", image.name));
    let folder = workspace.kernel_target().join("images").join(&image.name);
    fs::create_dir_all(&folder)
        .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    let _turn = take_turn(&folder, &step)?;
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
    for name in rust_names(workspace)? {
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
    let kit = Kit::prepare(workspace, tools, image, &step)?;
    programs.extend(c_programs::build(workspace, &kit, &image.name, &step)?);
    step.done();
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
