//! The workspace's own crates, as Cargo describes them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::workspace::Workspace;

/// All crates of the workspace.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Packages {
    /// Them.
    pub(super) packages: Vec<Package>,
}

/// One crate.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Package {
    /// Its name.
    pub(super) name: String,
    /// Its Cargo.toml.
    pub(super) manifest_path: PathBuf,
    /// What it imports.
    pub(super) dependencies: Vec<Dependency>,
    /// Its libraries, programs and tests.
    pub(super) targets: Vec<Target>,
}

/// One import.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Dependency {
    /// The imported crate's name.
    pub(super) name: String,
    /// Its folder, if it is one of ours.
    pub(super) path: Option<PathBuf>,
}

/// One library, program or test.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Target {
    /// What it is, in Cargo's words.
    pub(super) kind: Vec<String>,
    /// Its first file.
    pub(super) src_path: PathBuf,
}

impl Target {
    /// Whether it is part of what is built, not one of its tests.
    pub(super) fn is_product(&self) -> bool {
        self.kind
            .iter()
            .any(|kind| ["lib", "bin", "proc-macro"].contains(&kind.as_str()))
    }
}

impl Packages {
    /// Asks Cargo.
    pub(super) fn load(workspace: &Workspace) -> Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .current_dir(workspace.root())
            .output()
            .context("cargo could not be started")?;
        if !output.status.success() {
            bail!(
                "cargo cannot describe the workspace: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let mut all: Self = serde_json::from_slice(&output.stdout)
            .context("cargo's description is not understood")?;
        all.packages.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// The crate that a file belongs to: the one whose folder is nearest above it.
    pub(super) fn owner(&self, file: &Path) -> Option<&Package> {
        let above = self
            .packages
            .iter()
            .filter(|package| file.starts_with(package.folder()));
        above.max_by_key(|package| package.folder().components().count())
    }
}

impl Package {
    /// The folder of its Cargo.toml.
    pub(super) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }
}
