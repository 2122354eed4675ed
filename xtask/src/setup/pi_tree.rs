//! Linux's device tree of the Raspberry Pi 4, out of Debian's kernel package into the cache.
//!
//! QEMU's `raspi4b` does not make its own tree; on hardware the firmware hands one over.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::NamedTempFile;

use crate::machine::fdt::DeviceTree;
use crate::progress::Step;
use crate::setup::apt::{self, PrivateApt};
use crate::setup::{Found, Search};
use crate::workspace;

const FILE: &str = "bcm2711-rpi-4-b.dtb";
/// What the root node of the right tree claims to be compatible with.
const COMPATIBLE: &str = "raspberrypi,4-model-b";
/// The package that always depends on the newest kernel of the release.
const NEWEST_KERNEL: &str = "linux-image-arm64";
const SANE_SIZES: std::ops::RangeInclusive<usize> = 8 << 10..=256 << 10;

fn cached_path() -> Result<PathBuf> {
    Ok(workspace::cache_dir()?.join(FILE))
}

/// Looks into the cache; a damaged file counts as missing.
pub(super) fn cached() -> Search {
    let path = cached_path().map_err(|error| error.to_string())?;
    let bytes = fs::read(&path).map_err(|_| format!("{} is not there", path.display()))?;
    check(&bytes).map_err(|error| format!("{} is damaged: {error:#}", path.display()))?;
    Ok(Found {
        path,
        what: format!("{} bytes", bytes.len()),
    })
}

fn check(bytes: &[u8]) -> Result<()> {
    if !SANE_SIZES.contains(&bytes.len()) {
        bail!("{} bytes is no sane size", bytes.len());
    }
    let tree = DeviceTree::parse(bytes)?;
    let compatible = tree.property("/", "compatible").unwrap_or_default();
    if !compatible
        .split(|byte| *byte == 0)
        .any(|name| name == COMPATIBLE.as_bytes())
    {
        bail!("it does not describe a {COMPATIBLE}");
    }
    Ok(())
}

/// Fetches the tree with the machine's apt; needs no rights.
pub(super) fn fetch() -> Result<()> {
    let path = cached_path()?;
    let by_hand = || {
        format!(
            "the Raspberry Pi 4's device tree could not be fetched: put a {FILE} at {}",
            path.display()
        )
    };
    let bytes = from_package().with_context(by_hand)?;
    check(&bytes).with_context(by_hand)?;
    store(&path, &bytes)
}

/// Writes a file so that another run sees it whole or not at all.
fn store(path: &Path, bytes: &[u8]) -> Result<()> {
    let cannot = || format!("{} cannot be written", path.display());
    let dir = path.parent().with_context(cannot)?;
    fs::create_dir_all(dir).with_context(cannot)?;
    let mut file = NamedTempFile::new_in(dir).with_context(cannot)?;
    file.write_all(bytes).with_context(cannot)?;
    file.persist(path).with_context(cannot)?;
    Ok(())
}

fn from_package() -> Result<Vec<u8>> {
    let mut apt = PrivateApt::new(&apt::release_sources()?)?;
    apt.set("APT::Architecture=arm64");
    apt.set("APT::Architectures::=arm64");
    let status = apt.dir().join("status");
    fs::write(&status, "").context("a file in the cache cannot be written")?;
    apt.set(format!("Dir::State::status={}", status.display()));

    let step = Step::start("fetching Debian's lists of ARM64 packages");
    apt.update(&step)?;
    let mut query = apt.command("apt-cache");
    let described = step.run_checked(query.args(["show", "--no-all-versions", NEWEST_KERNEL]))?;
    step.done();
    let package = newest_kernel(&described)
        .with_context(|| format!("Debian's package {NEWEST_KERNEL} names no kernel package"))?;

    let step = Step::start(format!(
        "fetching {package} for the Raspberry Pi 4's device tree"
    ));
    let mut download = apt.command("apt-get");
    step.run_checked(download.args(["download", &package]).current_dir(apt.dir()))?;
    let bytes = unpack(&apt::only_file(apt.dir(), "deb")?)?;
    step.done();
    Ok(bytes)
}

/// The kernel package that the newest `linux-image-arm64` depends on.
fn newest_kernel(described: &str) -> Option<String> {
    let depends = described
        .lines()
        .find_map(|line| line.strip_prefix("Depends:"))?;
    depends
        .split(',')
        .filter_map(|dependency| dependency.split_whitespace().next())
        .find(|name| name.starts_with("linux-image-") && name.ends_with("-arm64"))
        .map(str::to_owned)
}

/// Takes the one file out of the package.
fn unpack(package: &Path) -> Result<Vec<u8>> {
    let mut archive = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(package)
        .stdout(Stdio::piped())
        .spawn()
        .context("dpkg-deb could not be started")?;
    let stream = archive.stdout.take().context("dpkg-deb gives no output")?;
    let pattern = format!("*/broadcom/{FILE}");
    let output = Command::new("tar")
        .args(["--extract", "--to-stdout", "--wildcards", &pattern])
        .stdin(stream)
        .output()
        .context("tar could not be started")?;
    archive.wait().context("cannot wait for dpkg-deb")?;
    if !output.status.success() {
        bail!(
            "{} has no {FILE}: {}",
            package.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fdt::Node;

    fn tree(compatible: &[u8], padding: usize) -> Vec<u8> {
        let properties = vec![
            ("compatible".into(), compatible.to_vec()),
            ("padding".into(), vec![0; padding]),
        ];
        DeviceTree {
            reservations: Vec::new(),
            root: Node {
                properties,
                ..Node::default()
            },
        }
        .to_bytes()
    }

    #[test]
    fn only_the_right_whole_tree_passes() {
        let good = tree(b"raspberrypi,4-model-b\0brcm,bcm2711\0", 10_000);
        assert!(check(&good).is_ok());
        assert!(check(&good[..good.len() - 1]).is_err(), "cut");
        assert!(
            check(&tree(b"raspberrypi,4-model-b\0", 0)).is_err(),
            "too small"
        );
        assert!(
            check(&tree(b"raspberrypi,3-model-b\0", 10_000)).is_err(),
            "another board"
        );
        assert!(check(&vec![0; 20_000]).is_err(), "no tree");
        assert!(check(b"").is_err());
    }

    #[test]
    fn the_newest_kernel_is_read_from_the_dependency() {
        let described = "Package: linux-image-arm64\nVersion: 6.1.192-2\nDepends: linux-image-6.1.0-56-arm64 (= 6.1.192-2)\n";
        assert_eq!(
            newest_kernel(described).as_deref(),
            Some("linux-image-6.1.0-56-arm64")
        );
        assert_eq!(newest_kernel("Package: x\n"), None);
    }

    #[test]
    fn storing_replaces_whole_files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/file");
        store(&path, b"one").unwrap();
        store(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
