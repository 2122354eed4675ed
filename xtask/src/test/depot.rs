//! What machines start with: each kernel and each RAM disk is built once, while the machines that have theirs run already.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};

use crate::board::Image;
use crate::build::{self, Built, programs};
use crate::program::ram_disk::RamDisk;
use crate::setup::Tools;
use crate::test::Planned;
use crate::test::shelf::Shelf;
use crate::workspace::Workspace;

/// What machines of one kind start with.
pub(crate) struct Freight {
    pub(crate) kernel: Built,
    /// The test programs, where the kernel is to run one.
    pub(crate) ram_disk: Option<PathBuf>,
}

/// Which kind of [`Freight`] a test wants.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Kind {
    image: String,
    kernel: String,
    /// Which RAM disk it has, if it runs a program.
    ram_disk: Option<RamDiskOf>,
}

/// Most programs share one RAM disk; `Some` names one that has files of its own.
type RamDiskOf = Option<String>;

impl Kind {
    fn of(planned: &Planned, with_own_files: &BTreeSet<String>) -> Self {
        let case = &planned.case;
        let own = |name: &str| {
            with_own_files
                .get(name.strip_suffix(".exe").unwrap_or(name))
                .cloned()
        };
        Self {
            image: planned.board.image.clone(),
            kernel: case.kernel().to_owned(),
            ram_disk: case.program_name().map(own),
        }
    }
}

/// What the machines of a run start with, and where their files are.
pub(crate) struct Depot {
    pub(crate) tools: Tools,
    /// Gone with it.
    scratch: tempfile::TempDir,
    /// The kinds that are wanted, in the order in which they are built.
    kinds: Vec<Kind>,
    /// The programs that have files of their own in the RAM disk.
    with_own_files: BTreeSet<String>,
    shelf: Shelf<Kind, Freight>,
}

/// What is built, by its image and, for a kernel, its name.
#[derive(Default)]
struct Yard {
    kernels: BTreeMap<(String, String), Built>,
    ram_disks: BTreeMap<(String, RamDiskOf), PathBuf>,
}

impl Depot {
    /// An empty one for these tests.
    pub(crate) fn new(workspace: &Workspace, tools: Tools, machines: &[Planned]) -> Result<Self> {
        let with_own_files = programs::with_own_files(workspace)?;
        let mut kinds: Vec<Kind> = Vec::new();
        for planned in machines {
            let kind = Kind::of(planned, &with_own_files);
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        Ok(Self {
            tools,
            scratch: scratch(workspace)?,
            kinds,
            with_own_files,
            shelf: Shelf::new(),
        })
    }

    /// A folder for the files of one test.
    pub(crate) fn folder(&self, index: usize) -> PathBuf {
        self.scratch.path().join(index.to_string())
    }

    /// The order in which tests find what they start with soonest: their places in `machines`.
    pub(crate) fn order(&self, machines: &[Planned]) -> Vec<usize> {
        let rank = |index: &usize| {
            let kind = Kind::of(&machines[*index], &self.with_own_files);
            self.kinds.iter().position(|known| *known == kind)
        };
        let mut order: Vec<usize> = (0..machines.len()).collect();
        order.sort_by_key(rank);
        order
    }

    /// Builds all that is wanted.
    pub(crate) fn fill(&self, workspace: &Workspace) -> Result<()> {
        let mut yard = Yard::default();
        self.shelf
            .fill(&self.kinds, |kind| self.build(workspace, kind, &mut yard))
    }

    /// What a test starts with; waits until it is built. `None`: it is not to begin, since something did not build.
    pub(crate) fn freight(&self, planned: &Planned) -> Option<Arc<Freight>> {
        self.shelf
            .wait_for(&Kind::of(planned, &self.with_own_files))
    }

    fn build(&self, workspace: &Workspace, kind: &Kind, yard: &mut Yard) -> Result<Freight> {
        let image = Image::load(workspace, &kind.image)?;
        let name = (kind.image.clone(), kind.kernel.clone());
        let kernel = match yard.kernels.get(&name) {
            Some(built) => built.clone(),
            None => {
                let built = build::kernel(workspace, &self.tools, &image, &kind.kernel)?;
                yard.kernels.insert(name, built.clone());
                built
            }
        };
        let Some(of) = &kind.ram_disk else {
            return Ok(Freight {
                kernel,
                ram_disk: None,
            });
        };
        let key = (kind.image.clone(), of.clone());
        let ram_disk = match yard.ram_disks.get(&key) {
            Some(file) => file.clone(),
            None => {
                let file = self.ram_disk(workspace, &image, of.as_deref())?;
                yard.ram_disks.insert(key, file.clone());
                file
            }
        };
        Ok(Freight {
            kernel,
            ram_disk: Some(ram_disk),
        })
    }

    fn ram_disk(&self, workspace: &Workspace, image: &Image, of: Option<&str>) -> Result<PathBuf> {
        let name = format!("{}-{}.cpio", image.name, of.unwrap_or("all"));
        let file = self.scratch.path().join(name);
        let mut disk = RamDisk::default();
        disk.add_programs(&programs::build(workspace, &self.tools, image, of)?, of)?;
        disk.write(&file)?;
        Ok(file)
    }
}

/// A folder for the files of this run, gone afterwards.
fn scratch(workspace: &Workspace) -> Result<tempfile::TempDir> {
    let parent: &Path = &workspace.kernel_target().join("tests");
    fs::create_dir_all(parent)
        .with_context(|| format!("the folder {} cannot be made", parent.display()))?;
    tempfile::TempDir::with_prefix_in("run-", parent).context("a temporary folder cannot be made")
}
