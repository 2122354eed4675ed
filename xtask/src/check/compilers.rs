//! rustfmt and clippy over the whole workspace, on every target.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::board::Image;
use crate::build::{self, cargo, programs};
use crate::check::Problems;
use crate::check::packages::Packages;
use crate::progress::Step;
use crate::setup::{Need, Tools};
use crate::workspace::Workspace;

/// The edition of every crate; rustfmt does not read Cargo.toml.
const EDITION: &str = "2024";

/// Checks the format of every crate.
pub(super) fn format(tools: &Tools, packages: &Packages, step: &Step) -> Result<Problems> {
    let mut command = Command::new(tools.path(Need::Rustfmt));
    command.args(["--check", "--edition", EDITION, "--color", "never"]);
    for package in &packages.packages {
        command.args(package.targets.iter().map(|target| &target.src_path));
    }
    let finished = step.run(&mut command)?;
    if finished.status.success() {
        return Ok(Problems::new());
    }
    Ok(vec![format!(
        "the format is not rustfmt's: run `cargo fmt`\n{}",
        finished.output
    )])
}

/// Clippy over everything that is built for the host, tests included.
pub(super) fn host_lints(workspace: &Workspace, tools: &Tools, step: &Step) -> Result<Problems> {
    let mut command = cargo::into_clippy(&cargo::host_command(workspace, tools), tools);
    command.arg("--all-targets");
    lint(command, step)
}

/// How much is linted for an image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scope {
    /// Everything.
    Whole,
    /// What may tell architectures apart: all else is the same code for every image, which `rules::architectures` sees to.
    Architecture,
}

impl Scope {
    /// The packages of a kernel.
    fn of_kernel(self) -> &'static [&'static str] {
        match self {
            Self::Whole => &[build::KERNEL, build::TEST_KERNEL],
            Self::Architecture => &["arch"],
        }
    }

    /// The packages of programs.
    fn of_programs(self) -> Vec<&'static str> {
        match self {
            Self::Whole => {
                let system = programs::SYSTEM.iter().map(|(package, _)| *package);
                system.chain([programs::PACKAGE]).collect()
            }
            Self::Architecture => {
                vec![
                    "c-interface",
                    "stubs",
                    "flat-program",
                    "entries",
                    "fibers",
                    "funclets",
                ]
            }
        }
    }
}

/// Clippy over the kernels of one image.
pub(super) fn kernel_lints(
    workspace: &Workspace,
    tools: &Tools,
    image: &str,
    scope: Scope,
    step: &Step,
) -> Result<Problems> {
    let image = Image::load(workspace, image)?;
    let folder = workspace.kernel_target().join("images").join(&image.name);
    let cannot = || format!("the folder {} cannot be written", folder.display());
    fs::create_dir_all(&folder).with_context(cannot)?;
    // Lints do not look at symbols; a file must be there.
    let symbols = folder.join("lint.symbols");
    if !symbols.exists() {
        fs::write(&symbols, "").with_context(cannot)?;
    }
    let command = cargo::kernel_command(workspace, tools, &image, &symbols)?;
    lint_packages(&command, tools, scope.of_kernel(), step)
}

/// Clippy over the programs that run on one image.
pub(super) fn program_lints(
    workspace: &Workspace,
    tools: &Tools,
    image: &str,
    scope: Scope,
    step: &Step,
) -> Result<Problems> {
    let image = Image::load(workspace, image)?;
    let command = cargo::user_command(workspace, tools, &image, cargo::Starter::Kernel)?;
    lint_packages(&command, tools, &scope.of_programs(), step)
}

/// Clippy over some packages, as the command for Cargo builds them.
fn lint_packages(
    command: &Command,
    tools: &Tools,
    packages: &[&str],
    step: &Step,
) -> Result<Problems> {
    let mut command = cargo::into_clippy(command, tools);
    command.arg("--release");
    for package in packages {
        command.args(["--package", package]);
    }
    lint(command, step)
}

fn lint(mut command: Command, step: &Step) -> Result<Problems> {
    command.args(["--quiet", "--keep-going", "--", "-D", "warnings"]);
    let finished = step.run(&mut command)?;
    if finished.status.success() {
        return Ok(Problems::new());
    }
    Ok(vec![finished.output])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::rules;

    #[test]
    fn what_tells_architectures_apart_is_linted_for_each() {
        let workspace = Workspace::discover().unwrap();
        let packages = Packages::load(&workspace).unwrap();
        let mut found: Vec<&str> = Vec::new();
        for package in &packages.packages {
            let manifest = workspace.relative(&package.manifest_path);
            if rules::may_name_architectures(manifest) {
                found.push(&package.name);
            }
        }
        let scope = Scope::Architecture;
        let mut linted = [scope.of_kernel(), &scope.of_programs()].concat();
        found.sort_unstable();
        linted.sort_unstable();
        assert_eq!(linted, found);
    }
}
