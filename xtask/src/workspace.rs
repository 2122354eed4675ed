//! Where things lie: the checkout, what is built from it, and the user's cache.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The checkout that this run of the tool works on.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds the checkout: Cargo says where it is, otherwise it is sought upwards from here.
    pub(crate) fn discover() -> Result<Self> {
        let start = match env::var_os("CARGO_MANIFEST_DIR") {
            Some(manifest_dir) => PathBuf::from(manifest_dir),
            None => env::current_dir().context("cannot tell the current folder")?,
        };
        let Some(root) = start
            .ancestors()
            .find(|dir| dir.join("xtask/Cargo.toml").is_file())
        else {
            bail!(
                "{} is not inside a checkout of Tarn: run `cargo xtask` from one",
                start.display()
            );
        };
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => env::current_dir()
                .context("cannot tell the current folder")?
                .join(dir),
            None => root.join("target"),
        };
        Ok(Self {
            root: root.to_path_buf(),
            target,
        })
    }

    /// The top folder of the checkout.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of what is built for the host: Cargo's own, so that nothing that this tool is made of is built again.
    pub(crate) fn host_target(&self) -> &Path {
        &self.target
    }

    /// The folder of everything that is built for the boards. It is one for all
    /// packages, so that `core` is built once for each target.
    pub(crate) fn kernel_target(&self) -> PathBuf {
        self.target.join("kernel")
    }

    /// The results of the last tests, read by `rows`.
    pub(crate) fn results_file(&self) -> PathBuf {
        self.target.join("test-results.json")
    }

    /// A file's path as people write it: relative to the checkout.
    pub(crate) fn relative<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }
}

/// The user's cache folder for what is fetched once: `$XDG_CACHE_HOME/tarn` or `~/.cache/tarn`.
pub(crate) fn cache_dir() -> Result<PathBuf> {
    let base = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|dir| dir.is_absolute())
        .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    base.map(|dir| dir.join("tarn"))
        .context("there is no place for the cache: set HOME or XDG_CACHE_HOME")
}
