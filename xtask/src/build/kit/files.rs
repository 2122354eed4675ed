//! Files of a folder, and how old they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

/// The files of a folder, by name.
pub(crate) fn files_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot = || format!("the folder {} cannot be read", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    if files.is_empty() {
        bail!("there are no files in {}", folder.display());
    }
    files.sort();
    Ok(files)
}

/// When the newest file of a folder was changed.
pub(crate) fn newest_in(folder: &Path) -> Result<SystemTime> {
    let times = files_in(folder)?;
    let newest = times.iter().filter_map(|file| modified(file)).max();
    newest.with_context(|| format!("the folder {} has no times", folder.display()))
}

/// When a file was changed; `None` if it is not there.
pub(crate) fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|data| data.modified()).ok()
}
