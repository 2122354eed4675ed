//! What machines start with: each kernel and each RAM disk is built once, while the machines that have theirs run already.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};

use crate::board::Image;
use crate::build::{self, Built, programs};
use crate::program::ram_disk::RamDisk;
use crate::setup::Tools;
use crate::test::Planned;
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
    shelves: Mutex<Shelves>,
    changed: Condvar,
}

#[derive(Default)]
struct Shelves {
    freight: BTreeMap<Kind, Arc<Freight>>,
    /// Nothing more is built.
    closed: bool,
    /// Something did not build, so that no more tests are begun.
    failed: bool,
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
            shelves: Mutex::default(),
            changed: Condvar::new(),
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
        let _closes = Closes(self);
        let filled = self.kinds.iter().try_for_each(|kind| {
            let freight = self.build(workspace, kind)?;
            self.lock().freight.insert(kind.clone(), Arc::new(freight));
            self.changed.notify_all();
            Ok(())
        });
        self.lock().failed = filled.is_err();
        filled
    }

    /// What a test starts with; waits until it is built. `None`: it is not to begin, since something did not build.
    pub(crate) fn freight(&self, planned: &Planned) -> Option<Arc<Freight>> {
        let kind = Kind::of(planned);
        let mut shelves = self.lock();
        loop {
            if shelves.failed {
                return None;
            }
            if let Some(freight) = shelves.freight.get(&kind) {
                return Some(Arc::clone(freight));
            }
            if shelves.closed {
                return None;
            }
            shelves = self
                .changed
                .wait(shelves)
                .expect("no thread panics while it holds the shelves");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shelves> {
        self.shelves
            .lock()
            .expect("no thread panics while it holds the shelves")
    }

    fn build(&self, workspace: &Workspace, kind: &Kind) -> Result<Freight> {
        let image = Image::load(workspace, &kind.image)?;
        let kernel = build::kernel(workspace, &self.tools, &image, &kind.kernel)?;
        let ram_disk = if kind.runs_program {
            Some(self.ram_disk(workspace, &image)?)
        } else {
            None
        };
        Ok(Freight { kernel, ram_disk })
    }

    fn ram_disk(&self, workspace: &Workspace, image: &Image) -> Result<PathBuf> {
        let file = self.scratch.path().join(format!("{}.cpio", image.name));
        let mut disk = RamDisk::default();
        disk.add_programs(&programs::build(workspace, &self.tools, image)?)?;
        disk.write(&file)?;
        Ok(file)
    }
}

/// Whoever waits is told that nothing more comes, however the building ends.
struct Closes<'a>(&'a Depot);

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        // Shelves that somebody panicked over are closed as well.
        let shelves = self.0.shelves.lock();
        shelves.unwrap_or_else(PoisonError::into_inner).closed = true;
        self.0.changed.notify_all();
    }
}

/// A folder for the files of this run, gone afterwards.
fn scratch(workspace: &Workspace) -> Result<tempfile::TempDir> {
    let parent: &Path = &workspace.kernel_target().join("tests");
    fs::create_dir_all(parent)
        .with_context(|| format!("the folder {} cannot be made", parent.display()))?;
    tempfile::TempDir::with_prefix_in("run-", parent).context("a temporary folder cannot be made")
}
