//! What machines start with: each kernel and each RAM disk is built once, while the machines that have theirs run already.

use std::collections::BTreeMap;
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
    runs_program: bool,
}

impl Kind {
    fn of(planned: &Planned) -> Self {
        let case = &planned.case;
        Self {
            image: planned.board.image.clone(),
            kernel: case.kernel().to_owned(),
            runs_program: case.program.is_some(),
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
    shelf: Shelf<Kind, Freight>,
}

/// What is built, by its image and, for a kernel, its name.
#[derive(Default)]
struct Yard {
    kernels: BTreeMap<(String, String), Built>,
    ram_disks: BTreeMap<String, PathBuf>,
}

impl Depot {
    /// An empty one for these tests.
    pub(crate) fn new(workspace: &Workspace, tools: Tools, machines: &[Planned]) -> Result<Self> {
        let mut kinds: Vec<Kind> = Vec::new();
        for kind in machines.iter().map(Kind::of) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        Ok(Self {
            tools,
            scratch: scratch(workspace)?,
            kinds,
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
            let kind = Kind::of(&machines[*index]);
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
        self.shelf.wait_for(&Kind::of(planned))
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
        if !kind.runs_program {
            return Ok(Freight {
                kernel,
                ram_disk: None,
            });
        }
        let ram_disk = match yard.ram_disks.get(&kind.image) {
            Some(file) => file.clone(),
            None => {
                let file = self.ram_disk(workspace, &image)?;
                yard.ram_disks.insert(kind.image.clone(), file.clone());
                file
            }
        };
        Ok(Freight {
            kernel,
            ram_disk: Some(ram_disk),
        })
    }

    fn ram_disk(&self, workspace: &Workspace, image: &Image) -> Result<PathBuf> {
        let file = self.scratch.path().join(format!("{}.cpio", image.name));
        let mut disk = RamDisk::default();
        disk.add_programs(&programs::build(workspace, &self.tools, image)?)?;
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
