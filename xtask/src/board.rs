//! Boards and kernel images as data: `boards/<board>/board.toml` and
//! `boards/images/<image>/image.toml`, read and checked.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::machine::exit::Protocol;
use crate::workspace::Workspace;

/// A board that the kernel runs on, and how QEMU plays it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Board {
    /// The folder's name; filled in by [`Board::load`].
    #[serde(skip)]
    pub(crate) name: String,
    /// What it is, for people.
    pub(crate) title: String,
    /// The kernel image that serves it.
    pub(crate) image: String,
    /// The QEMU program.
    pub(crate) emulator: String,
    /// How the kernel's exit code comes out of QEMU.
    pub(crate) exit: Protocol,
    /// The beginning of every kernel command line.
    pub(crate) append: String,
    /// The argument of `-M`, with placeholders.
    pub(crate) machine: String,
    /// Further options of `-M`, each under the condition (`name=value`) that asks for it.
    #[serde(default)]
    pub(crate) machine_options: BTreeMap<String, String>,
    /// Options of the CPU model, each under the condition that asks for it.
    #[serde(default)]
    pub(crate) cpu_options: BTreeMap<String, String>,
    /// All other arguments, with placeholders.
    pub(crate) arguments: Vec<String>,
    /// A firmware file that is used if this QEMU has it, since it starts faster than the default.
    pub(crate) firmware: Option<String>,
    /// The device tree that QEMU is given, if it does not make its own.
    pub(crate) device_tree: Option<DeviceTreeSource>,
    /// Where a test may load a damaged tree past QEMU's own loader.
    pub(crate) direct_load: Option<DirectLoad>,
    /// How many processors it can have.
    pub(crate) cpus: Range<u32>,
    /// How much memory it can have.
    pub(crate) memory: Range<String>,
    /// The CPU model; `None` where the board has its own.
    pub(crate) cpu: Option<String>,
    /// CPU models that cannot run the kernel.
    #[serde(default)]
    pub(crate) refused_cpu: Vec<RefusedCpu>,
    /// The interrupt controller's versions, if one can choose; the first is the default.
    #[serde(default)]
    pub(crate) gic: Vec<u8>,
    /// The exception levels of entry, if one can choose; the first is the default.
    #[serde(default)]
    pub(crate) entry: Vec<String>,
    /// Further limits, each for machines that fulfil its condition.
    #[serde(default)]
    pub(crate) limit: Vec<Limit>,
    /// Sets of machines that tests run on, by name.
    #[serde(default)]
    pub(crate) matrix: BTreeMap<String, Vec<crate::machine::spec::Axes>>,
}

/// A device tree that comes from outside.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) enum DeviceTreeSource {
    /// Linux's tree of the Raspberry Pi 4.
    #[serde(rename = "bcm2711-rpi-4-b")]
    RaspberryPi4,
}

/// Physical addresses at which a test's stub, kernel and device tree are put.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DirectLoad {
    /// The few instructions that play the boot loader.
    pub(crate) stub: u64,
    /// The kernel image.
    pub(crate) kernel: u64,
    /// The device tree.
    pub(crate) device_tree: u64,
}

/// A quantity with its default and limits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Range<T> {
    /// Used when nothing is said.
    pub(crate) default: T,
    /// The least.
    pub(crate) min: T,
    /// The most.
    pub(crate) max: T,
    /// The reason for the limits, a clause that follows "because".
    pub(crate) why: String,
    /// The reason for the upper limit, if it is another.
    pub(crate) why_more: Option<String>,
}

/// A tighter limit on processors under a condition.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limit {
    /// The condition: `name=value`.
    pub(crate) when: String,
    /// The most processors then.
    pub(crate) cpus: u32,
    /// The reason, a clause that follows "because".
    pub(crate) why: String,
}

/// A kernel image: what it is built for, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Image {
    /// The folder's name; filled in by [`Image::load`].
    #[serde(skip)]
    pub(crate) name: String,
    /// The image's folder; filled in by [`Image::load`].
    #[serde(skip)]
    pub(crate) folder: PathBuf,
    /// The Rust target.
    pub(crate) target: String,
    /// What the boot loader wants.
    pub(crate) format: Format,
    /// Flags for rustc, the same for every crate of the image.
    pub(crate) rustflags: Vec<String>,
    /// The largest that the file may be, in bytes.
    pub(crate) max_bytes: u64,
    /// The programs that run on it.
    pub(crate) user: UserMode,
}

/// The programs that run on a kernel image.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserMode {
    /// Their Rust target.
    pub(crate) target: String,
    /// The machine that the header of their PE files names.
    pub(crate) machine: u16,
    /// That machine, for people.
    pub(crate) title: String,
}

/// The kind of file that a boot loader starts.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    /// A flat binary with Linux's ARM64 header at its start.
    LinuxImage,
    /// The ELF file as linked.
    Elf,
}

impl Board {
    /// Reads the board called `name`.
    pub(crate) fn load(workspace: &Workspace, name: &str) -> Result<Self> {
        let known = Self::names(workspace)?;
        if !known.iter().any(|board| board == name) {
            bail!(
                "there is no board {name:?} under boards/: choose one of {}",
                known.join(", ")
            );
        }
        let mut board: Self = read(
            workspace,
            &workspace
                .root()
                .join("boards")
                .join(name)
                .join("board.toml"),
        )?;
        board.name = name.to_owned();
        Ok(board)
    }

    /// The names of all boards, the default one first.
    pub(crate) fn names(workspace: &Workspace) -> Result<Vec<String>> {
        let mut names = folders_with(&workspace.root().join("boards"), "board.toml")?;
        names.sort_by_key(|name| {
            (
                DEFAULT_ORDER
                    .iter()
                    .position(|known| known == name)
                    .unwrap_or(usize::MAX),
                name.clone(),
            )
        });
        Ok(names)
    }
}

/// The order in which boards are shown and measured: the quickest to start first.
const DEFAULT_ORDER: [&str; 3] = ["virt", "raspi4", "q35"];

impl Image {
    /// Reads the image called `name`.
    pub(crate) fn load(workspace: &Workspace, name: &str) -> Result<Self> {
        let folder = workspace.root().join("boards/images").join(name);
        let mut image: Self = read(workspace, &folder.join("image.toml"))?;
        image.name = name.to_owned();
        image.folder = folder;
        Ok(image)
    }

    /// The names of all images.
    pub(crate) fn names(workspace: &Workspace) -> Result<Vec<String>> {
        folders_with(&workspace.root().join("boards/images"), "image.toml")
    }

    /// The image's linker script.
    pub(crate) fn linker_script(&self) -> PathBuf {
        self.folder.join("kernel.ld")
    }
}

/// Reads one file of data, and says which file and which line if it is wrong.
pub(crate) fn read<T: DeserializeOwned>(workspace: &Workspace, path: &Path) -> Result<T> {
    let shown = workspace.relative(path).display();
    let text = fs::read_to_string(path).with_context(|| format!("{shown} cannot be read"))?;
    toml::from_str(&text).with_context(|| format!("{shown} is not right: correct it"))
}

fn folders_with(parent: &Path, file: &str) -> Result<Vec<String>> {
    let entries = fs::read_dir(parent)
        .with_context(|| format!("the folder {} cannot be read", parent.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry
            .with_context(|| format!("the folder {} cannot be read", parent.display()))?
            .path();
        if path.join(file).is_file()
            && let Some(name) = path.file_name().and_then(|name| name.to_str())
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// CPU models that cannot run the kernel: QEMU starts them all the same, and nothing would be printed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefusedCpu {
    /// A regular expression for the whole name.
    pub(crate) pattern: String,
    /// Why, as the end of a sentence.
    pub(crate) why: String,
}
