//! The initial RAM disk: a cpio archive ("newc") of files that the kernel finds in memory.
//!
//! The same files give the same bytes: sorted by name, without times, owners or the host's inode numbers.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cpio::newc;

use crate::build::programs::Program;

const FILE: u32 = 0o100_755;
const FOLDER: u32 = 0o040_755;
/// Folders in folders: what lies deeper is more likely a loop of links.
const DEEPEST: usize = 32;

/// What the RAM disk will hold.
#[derive(Debug, Default)]
pub(crate) struct RamDisk {
    /// By the name in small letters, since Windows does not tell them apart.
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    /// The name in the archive, with `/` between folders.
    name: String,
    /// Where it comes from.
    path: PathBuf,
    is_folder: bool,
}

impl RamDisk {
    /// Adds our own programs and DLLs, for runs of one of them (its name without `.exe`) or of none.
    pub(crate) fn add_programs(&mut self, programs: &[Program], run: Option<&str>) -> Result<()> {
        let wanted = |program: &&Program| {
            let only_for = program.only_for.as_deref();
            only_for.is_none() || only_for == run
        };
        for program in programs.iter().filter(wanted) {
            self.insert(program.file_name.clone(), &program.path, false)?;
        }
        Ok(())
    }

    /// Adds a file or a folder with all that is in it, under its own name; gives that name.
    pub(crate) fn add(&mut self, path: &Path) -> Result<String> {
        let whole = fs::canonicalize(path).with_context(|| {
            format!(
                "{} cannot be put into the RAM disk: give a file or folder that is there",
                path.display()
            )
        })?;
        // A link is known by its own name.
        let named = if path.file_name().is_some() {
            path
        } else {
            &whole
        };
        let name = text(named.file_name().unwrap_or_default(), path)?;
        self.add_as(name.clone(), &whole, 0)?;
        Ok(name)
    }

    fn add_as(&mut self, name: String, path: &Path, depth: usize) -> Result<()> {
        let cannot = || format!("{} cannot be read", path.display());
        let data = fs::metadata(path).with_context(cannot)?;
        if data.is_file() {
            return self.insert(name, path, false);
        }
        if !data.is_dir() {
            bail!(
                "{} is neither a file nor a folder: leave it out",
                path.display()
            );
        }
        if depth == DEEPEST {
            bail!(
                "{} lies more than {DEEPEST} folders deep: look for a link that leads back, and leave it out",
                path.display()
            );
        }
        self.insert(name.clone(), path, true)?;
        for entry in fs::read_dir(path).with_context(cannot)? {
            let entry = entry.with_context(cannot)?.path();
            let last = text(entry.file_name().unwrap_or_default(), &entry)?;
            self.add_as(format!("{name}/{last}"), &entry, depth + 1)?;
        }
        Ok(())
    }

    fn insert(&mut self, name: String, path: &Path, is_folder: bool) -> Result<()> {
        let entry = Entry {
            name,
            path: path.to_path_buf(),
            is_folder,
        };
        let key = entry.name.to_lowercase();
        if let Some(old) = self.entries.get(&key) {
            bail!(
                "{} and {} would both be {} in the RAM disk, since Windows does not tell capitals apart: rename one",
                old.path.display(),
                path.display(),
                entry.name
            );
        }
        self.entries.insert(key, entry);
        Ok(())
    }

    /// Writes the archive into a file that appears whole or not at all.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        let cannot = || format!("the RAM disk {} cannot be written", file.display());
        let folder = file.parent().with_context(cannot)?;
        fs::create_dir_all(folder).with_context(cannot)?;
        let mut temporary = tempfile::NamedTempFile::new_in(folder).with_context(cannot)?;
        self.pack(std::io::BufWriter::new(&mut temporary))
            .with_context(cannot)?;
        temporary.persist(file).with_context(cannot)?;
        Ok(())
    }

    fn pack(&self, mut to: impl Write) -> Result<()> {
        for (number, entry) in (1..).zip(self.entries.values()) {
            let contents = if entry.is_folder {
                Vec::new()
            } else {
                fs::read(&entry.path)
                    .with_context(|| format!("{} cannot be read", entry.path.display()))?
            };
            let size = u32::try_from(contents.len()).with_context(|| {
                format!(
                    "{} is larger than 4 GiB, which a cpio archive cannot hold",
                    entry.path.display()
                )
            })?;
            let mode = if entry.is_folder { FOLDER } else { FILE };
            let header = newc::Builder::new(&entry.name).ino(number).mode(mode);
            let mut writer = header.write(&mut to, size);
            writer.write_all(&contents)?;
            writer.finish()?;
        }
        newc::trailer(&mut to)?;
        to.flush()?;
        Ok(())
    }
}

fn text(name: &std::ffi::OsStr, path: &Path) -> Result<String> {
    match name.to_str() {
        Some("") | None => bail!(
            "{} has no name that Windows could know: give it one of Unicode characters",
            path.display()
        ),
        Some(name) => Ok(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The archive's entries as the crate's own reader sees them: name, mode, length.
    fn listed(archive: &[u8]) -> Vec<(String, u32, u32)> {
        let mut rest = archive;
        let mut entries = Vec::new();
        loop {
            let reader = newc::Reader::new(rest).unwrap();
            let entry = reader.entry();
            if entry.is_trailer() {
                return entries;
            }
            assert_eq!((entry.mtime(), entry.uid()), (0, 0));
            entries.push((entry.name().to_owned(), entry.mode(), entry.file_size()));
            rest = reader.finish().unwrap();
        }
    }

    #[test]
    fn folders_are_packed_in_order_and_always_alike() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().join("data");
        fs::create_dir_all(top.join("b/empty")).unwrap();
        fs::write(top.join("b/Z.txt"), "zz").unwrap();
        fs::write(top.join("a.txt"), "a").unwrap();
        let mut disk = RamDisk::default();
        assert_eq!(disk.add(&top).unwrap(), "data");
        let (mut first, mut second) = (Vec::new(), Vec::new());
        disk.pack(&mut first).unwrap();
        disk.pack(&mut second).unwrap();
        assert_eq!(first, second);
        assert_eq!(
            listed(&first),
            [
                ("data".to_owned(), FOLDER, 0),
                ("data/a.txt".to_owned(), FILE, 1),
                ("data/b".to_owned(), FOLDER, 0),
                ("data/b/empty".to_owned(), FOLDER, 0),
                ("data/b/Z.txt".to_owned(), FILE, 2),
            ]
        );
    }

    #[test]
    fn names_that_windows_takes_for_one_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["A.exe", "a.EXE"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        let mut disk = RamDisk::default();
        disk.add(&dir.path().join("A.exe")).unwrap();
        disk.add(&dir.path().join("a.EXE")).unwrap_err();
        disk.add(&dir.path().join("missing")).unwrap_err();
    }

    #[test]
    fn a_loop_of_links_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().join("top");
        fs::create_dir(&top).unwrap();
        std::os::unix::fs::symlink(&top, top.join("again")).unwrap();
        let said = RamDisk::default().add(&top).unwrap_err().to_string();
        assert!(said.contains("deep"), "{said}");
    }
}
