//! The RAM disk of one run: a file that goes away with the run, or at the latest when the next run begins.
//!
//! Who is stopped in the middle, by Ctrl-C or otherwise, leaves its file behind, and so does `--dry-run`, which prints a
//! command line that names it. A run that goes on holds a lock on its file; a file that nobody has locked is nobody's.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempPath;

use super::ram_disk::RamDisk;

const PREFIX: &str = "ram-disk-";
const SUFFIX: &str = ".cpio";

/// A RAM disk in a file of its own.
pub(crate) struct RunDisk {
    path: TempPath,
    /// Locked as long as the run lasts.
    _in_use: File,
}

impl RunDisk {
    /// Writes a RAM disk into a folder, and takes away what earlier runs left there.
    pub(crate) fn create(folder: &Path, disk: &RamDisk) -> Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
        // Between making a file and locking it nobody else may look.
        let turn = folder.join("lock");
        let cannot = || format!("{} cannot be locked", turn.display());
        let turn_file = File::create(&turn).with_context(cannot)?;
        turn_file.lock().with_context(cannot)?;
        remove_left(folder);
        let path = tempfile::Builder::new()
            .prefix(PREFIX)
            .suffix(SUFFIX)
            .tempfile_in(folder)
            .with_context(|| format!("no file can be made in {}", folder.display()))?
            .into_temp_path();
        disk.write(&path)?;
        let cannot = || format!("{} cannot be locked", path.display());
        let in_use = File::open(&path).with_context(cannot)?;
        in_use.lock_shared().with_context(cannot)?;
        Ok(Self {
            path,
            _in_use: in_use,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the file until the next run begins.
    pub(crate) fn keep(self) -> Result<()> {
        self.path
            .keep()
            .context("the RAM disk's file cannot be kept")?;
        Ok(())
    }
}

/// Takes away the RAM disks that no run uses, and what was being written to become one.
///
/// A file that cannot be removed is left to the next run: it is in nobody's way.
fn remove_left(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_disk = name.starts_with(PREFIX) && name.ends_with(SUFFIX);
        // The prefix of `tempfile`, which `RamDisk::write` uses in the same folder.
        if !is_disk && !name.starts_with(".tmp") {
            continue;
        }
        let path = entry.path();
        if File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_left_goes_when_the_next_begins() {
        let folder = tempfile::tempdir().unwrap();
        let disk = RamDisk::default();
        let create = || RunDisk::create(folder.path(), &disk).unwrap();
        let left = create();
        let left_at = left.path().to_path_buf();
        left.keep().unwrap();
        fs::write(folder.path().join(".tmpabc"), "half").unwrap();
        fs::write(folder.path().join("else"), "not ours").unwrap();
        assert!(left_at.is_file());
        let running = create();
        let another = create();
        assert!(!left_at.exists() && !folder.path().join(".tmpabc").exists());
        assert!(running.path().is_file() && folder.path().join("else").is_file());
        let path = another.path().to_path_buf();
        drop(another);
        assert!(!path.exists());
    }
}
