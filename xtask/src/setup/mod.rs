//! What the tool needs on the machine: found, and installed if it can be.
//!
//! Everything that builds, runs or tests asks [`ensure`] for what it needs; when all is
//! there this costs a few program starts.

mod apt;
mod find;
mod pi_tree;
mod sources;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Result, bail};

/// A thing that must be on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// Cargo and rustc with the standard library's source.
    Toolchain,
    /// Clippy of that toolchain.
    Clippy,
    /// rustfmt.
    Rustfmt,
    /// LLVM's linker of ELF files.
    Linker,
    /// LLVM's linker of PE files.
    PeLinker,
    /// LLVM's compiler of C and C++.
    Clang,
    /// QEMU for ARM64.
    QemuArm,
    /// QEMU for x86-64.
    QemuX86,
    /// Linux's device tree of the Raspberry Pi 4.
    PiDeviceTree,
    /// util-linux's `setpriv`.
    Setpriv,
}

/// Everything that `cargo xtask setup` looks after.
pub(crate) const ALL: [Need; 10] = [
    Need::Toolchain,
    Need::Clippy,
    Need::Rustfmt,
    Need::Linker,
    Need::PeLinker,
    Need::Clang,
    Need::QemuArm,
    Need::QemuX86,
    Need::PiDeviceTree,
    Need::Setpriv,
];

/// What building kernels and programs takes.
pub(crate) const TO_BUILD: [Need; 4] = [Need::Toolchain, Need::Linker, Need::PeLinker, Need::Clang];

/// What building and running takes.
pub(crate) const TO_RUN: [Need; 8] = [
    Need::Toolchain,
    Need::Linker,
    Need::PeLinker,
    Need::Clang,
    Need::QemuArm,
    Need::QemuX86,
    Need::PiDeviceTree,
    Need::Setpriv,
];

impl Need {
    fn title(self) -> &'static str {
        match self {
            Self::Toolchain => "Rust with library source",
            Self::Clippy => "clippy",
            Self::Rustfmt => "rustfmt",
            Self::Linker => "ld.lld",
            Self::PeLinker => "lld-link",
            Self::Clang => "clang",
            Self::QemuArm => "qemu-system-aarch64",
            Self::QemuX86 => "qemu-system-x86_64",
            Self::PiDeviceTree => "Raspberry Pi 4 device tree",
            Self::Setpriv => "setpriv",
        }
    }

    fn why(self) -> &'static str {
        match self {
            Self::Toolchain => "builds the kernel, and the core library for it",
            Self::Clippy => "lints the code in `check`",
            Self::Rustfmt => "checks the format in `check`",
            Self::Linker => "links the kernel",
            Self::PeLinker => "links programs for user mode",
            Self::Clang => "compiles programs in C and C++",
            Self::QemuArm => "plays the boards virt and raspi4",
            Self::QemuX86 => "plays the board q35",
            Self::PiDeviceTree => {
                "tells the kernel what a Raspberry Pi 4 has; on hardware the firmware does"
            }
            Self::Setpriv => "takes QEMU down when this tool dies",
        }
    }
}

/// A thing that was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Where.
    pub(crate) path: PathBuf,
    /// What it says it is.
    pub(crate) what: String,
}

/// The outcome of looking for a thing: found, or a clause that says what is wrong.
type Search = Result<Found, String>;

/// Where the needed things are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tools {
    found: BTreeMap<Need, Found>,
}

impl Tools {
    /// The path of a thing that [`ensure`] was asked for.
    pub(crate) fn path(&self, need: Need) -> &Path {
        &self
            .found
            .get(&need)
            .expect("ensure() was asked for everything that is used")
            .path
    }

    /// The Rust compiler beside the toolchain's Cargo.
    pub(crate) fn rustc(&self) -> PathBuf {
        self.path(Need::Toolchain).with_file_name("rustc")
    }

    /// Whether a QEMU brings this firmware file along.
    pub(crate) fn has_firmware(&self, emulator: Need, file: &str) -> bool {
        find::qemu_data_dirs(self.path(emulator))
            .iter()
            .any(|dir| dir.join(file).is_file())
    }
}

/// Finds everything in `needs`, and installs what is missing if that is possible here.
pub(crate) fn ensure(needs: &[Need]) -> Result<Tools> {
    let mut searches = search(needs);
    let missing = missing_of(&searches);
    if !missing.is_empty() {
        install(&missing)?;
        searches.extend(search(&missing));
    }
    let mut tools = Tools::default();
    let mut wrong = Vec::new();
    for (need, outcome) in searches {
        match outcome {
            Ok(found) => drop(tools.found.insert(need, found)),
            Err(problem) => wrong.push(format!("{}: {problem}", need.title())),
        }
    }
    if !wrong.is_empty() {
        bail!(
            "after installing, this is still missing: {}",
            wrong.join("; ")
        );
    }
    Ok(tools)
}

/// `cargo xtask setup`: finds or installs everything and prints a line for each thing.
pub(crate) fn command() -> Result<()> {
    let tools = ensure(&ALL)?;
    for (need, found) in &tools.found {
        println!(
            "{:27} {} ({})",
            need.title(),
            found.what,
            found.path.display()
        );
        println!("{:27} {}", "", need.why());
    }
    println!("All is there. Next: cargo xtask run");
    Ok(())
}

fn search(needs: &[Need]) -> BTreeMap<Need, Search> {
    // Each search starts a program or two: side by side they take the time of the slowest.
    thread::scope(|scope| {
        let running: Vec<_> = needs
            .iter()
            .map(|need| (*need, scope.spawn(|| find::find(*need))))
            .collect();
        running
            .into_iter()
            .map(|(need, thread)| {
                (
                    need,
                    thread
                        .join()
                        .unwrap_or_else(|_| Err("the search for it failed".into())),
                )
            })
            .collect()
    })
}

fn missing_of(searches: &BTreeMap<Need, Search>) -> Vec<Need> {
    searches
        .iter()
        .filter(|(_, outcome)| outcome.is_err())
        .map(|(need, _)| *need)
        .collect()
}

fn install(missing: &[Need]) -> Result<()> {
    let packages: Vec<Need> = missing
        .iter()
        .copied()
        .filter(|need| *need != Need::PiDeviceTree)
        .collect();
    if !packages.is_empty() {
        if let Some(obstacle) = apt::obstacle() {
            let problems: Vec<String> = packages
                .iter()
                .map(|need| {
                    let problem = find::find(*need).err().unwrap_or_default();
                    format!("  {} ({}): {problem}", need.title(), need.why())
                })
                .collect();
            bail!(
                "this is missing, and it is not installed by itself because {obstacle}:\n{}\n{}",
                problems.join("\n"),
                apt::advice(&packages),
            );
        }
        apt::install(&packages)?;
    }
    if missing.contains(&Need::PiDeviceTree) {
        pi_tree::fetch()?;
    }
    Ok(())
}
