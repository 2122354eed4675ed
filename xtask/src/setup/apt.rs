//! Installs Debian packages without touching the system's own settings of apt.
//!
//! Each run has private package lists and a private archive folder: the lists because QEMU
//! comes from the backports, which the system may not have enabled; the folder because some
//! containers empty the shared one after each installation, under the feet of another.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::progress::Step;
use crate::setup::sources::{self, Source};
use crate::setup::{Need, find};
use crate::workspace;

/// The release whose packages are known to serve.
pub(super) const CODENAME: &str = "bookworm";
const ETC_APT: &str = "/etc/apt";

/// Apt with its own lists, cache and sources, in a folder that goes away afterwards.
pub(super) struct PrivateApt {
    dir: TempDir,
    options: Vec<String>,
}

impl PrivateApt {
    /// Makes a private apt with these sources.
    pub(super) fn new(lines: &str) -> Result<Self> {
        let cache = workspace::cache_dir()?;
        fs::create_dir_all(&cache)
            .with_context(|| format!("the folder {} cannot be made", cache.display()))?;
        let dir = TempDir::with_prefix_in("apt-", &cache)
            .context("a temporary folder in the cache cannot be made")?;
        for sub in ["lists/partial", "archives/partial", "cache", "parts"] {
            fs::create_dir_all(dir.path().join(sub))
                .context("a temporary folder in the cache cannot be made")?;
        }
        fs::write(dir.path().join("sources.list"), lines)
            .context("a file in the cache cannot be written")?;
        let shown = dir.path().display();
        let options = vec![
            format!("Dir::Etc::sourcelist={shown}/sources.list"),
            format!("Dir::Etc::sourceparts={shown}/parts"),
            format!("Dir::State::lists={shown}/lists"),
            format!("Dir::Cache={shown}/cache"),
            format!("Dir::Cache::archives={shown}/archives"),
            // The folder belongs to the person who runs this; apt's own user cannot enter it.
            "APT::Sandbox::User=root".to_owned(),
            "DPkg::Lock::Timeout=900".to_owned(),
            "Acquire::Retries=3".to_owned(),
        ];
        Ok(Self { dir, options })
    }

    /// Adds an option.
    pub(super) fn set(&mut self, option: impl Into<String>) {
        self.options.push(option.into());
    }

    /// The private folder.
    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A command of apt's family with the private options.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LC_ALL", "C")
            .env_remove("LD_LIBRARY_PATH");
        for option in &self.options {
            command.arg("-o").arg(option);
        }
        command
    }

    /// Fetches the lists of packages.
    pub(super) fn update(&self, step: &Step) -> Result<()> {
        // Without this, lists that could not be fetched are a warning, and old ones serve.
        let mut command = self.command("apt-get");
        step.run_checked(command.args(["-o", "APT::Update::Error-Mode=any", "update"]))
            .context("the lists of packages could not be fetched: look at the network and at apt's sources")?;
        Ok(())
    }
}

/// Why packages cannot be installed here, as a clause; `None` if they can.
pub(super) fn obstacle() -> Option<&'static str> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    if !is_bookworm(&release) {
        return Some("this is not Debian 12");
    }
    if find::in_path("apt-get").is_err() {
        return Some("there is no apt-get");
    }
    if !is_root() {
        return Some("only root can install packages");
    }
    None
}

fn is_bookworm(os_release: &str) -> bool {
    let has = |line: &str| {
        os_release
            .lines()
            .any(|candidate| candidate.replace('"', "") == line)
    };
    has("ID=debian") && has("VERSION_ID=12")
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// The packages of Debian 12 that hold a thing, and whether they come from the backports.
fn packages(need: Need) -> (&'static [&'static str], bool) {
    match need {
        Need::Toolchain => (
            &["rustc-web", "cargo-web", "rust-web-src", "libc6-dev"],
            false,
        ),
        Need::Clippy => (&["rust-web-clippy"], false),
        Need::Rustfmt => (&["rustfmt-web"], false),
        Need::Linker | Need::PeLinker => (&["lld-19"], false),
        Need::Clang => (&["clang-19"], false),
        Need::QemuArm => (&["qemu-system-arm", "qemu-system-data"], true),
        Need::QemuX86 => (&["qemu-system-x86", "qemu-system-data"], true),
        Need::PiDeviceTree => (&[], false),
        Need::Setpriv => (&["util-linux"], false),
    }
}

/// The packages for all of these things that come from the backports, or that do not.
fn package_names(needs: &[Need], backports: bool) -> Vec<&'static str> {
    let mut names: Vec<&str> = needs
        .iter()
        .map(|need| packages(*need))
        .filter(|(_, from_backports)| *from_backports == backports)
        .flat_map(|(names, _)| names.iter().copied())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What to do by hand.
pub(super) fn advice(needs: &[Need]) -> String {
    let names = |backports| package_names(needs, backports);
    let mut lines = vec!["On Debian 12 run `cargo xtask setup` as root, or:".to_owned()];
    if !names(false).is_empty() {
        lines.push(format!(
            "  apt-get install --no-install-recommends {}",
            names(false).join(" ")
        ));
    }
    if !names(true).is_empty() {
        let list = names(true).join(" ");
        lines.push(format!(
            "  apt-get install --no-install-recommends -t {CODENAME}-backports {list}"
        ));
    }
    if needs.contains(&Need::Toolchain)
        || needs.contains(&Need::Clippy)
        || needs.contains(&Need::Rustfmt)
    {
        lines.push("With rustup: rustup component add rust-src clippy rustfmt".to_owned());
    }
    lines.join("\n")
}

/// Installs the packages that hold these things.
pub(super) fn install(needs: &[Need]) -> Result<()> {
    let configured = sources::configured(Path::new(ETC_APT));
    let apt = PrivateApt::new(&with_backports(&configured)?)?;
    let step = Step::start("fetching Debian's lists of packages");
    apt.update(&step)?;
    step.done();
    for backports in [false, true] {
        let names = package_names(needs, backports);
        if names.is_empty() {
            continue;
        }
        let step = Step::start(format!("installing {}", names.join(", ")));
        let mut command = apt.command("apt-get");
        command.args(["--yes", "--no-install-recommends"]);
        if backports {
            command.args(["-t", &format!("{CODENAME}-backports")]);
        }
        step.run_checked(command.arg("install").args(&names))?;
        step.done();
    }
    Ok(())
}

/// The machine's sources of this release, with the backports of the same mirror.
fn with_backports(configured: &[Source]) -> Result<String> {
    let mut sources = with_security(configured)?;
    sources.push(mirror(configured)?.with_suite(&format!("{CODENAME}-backports")));
    Ok(sources.iter().map(Source::line).collect())
}

/// The machine's sources of this release. The security archive is always among them: the
/// release itself has a Rust that is too old.
fn with_security(configured: &[Source]) -> Result<Vec<Source>> {
    let security = format!("{CODENAME}-security");
    let of_release = sources::of_release(configured, CODENAME);
    let mut all: Vec<Source> = of_release.into_iter().cloned().collect();
    if !all.iter().any(|source| source.suite == security) {
        all.extend(sources::security_archive(mirror(configured)?));
    }
    Ok(all)
}

fn mirror(configured: &[Source]) -> Result<&Source> {
    match sources::release_archive(configured, CODENAME) {
        Some(source) => Ok(source),
        None => bail!(
            "apt has no source with the suite {CODENAME}, so there is no mirror to fetch from: add one to {ETC_APT}"
        ),
    }
}

/// Sources for packages of this release from the machine's mirror, whatever its own architecture.
pub(super) fn release_sources() -> Result<String> {
    let configured = sources::configured(Path::new(ETC_APT));
    mirror(&configured)?;
    let without_architecture = |source: &Source| {
        let options: Vec<&str> = source
            .options
            .split_whitespace()
            .filter(|option| !option.starts_with("arch"))
            .collect();
        Source {
            options: options.join(" "),
            ..source.clone()
        }
        .line()
    };
    Ok(with_security(&configured)?
        .iter()
        .map(without_architecture)
        .collect())
}

/// The only file in a folder whose name ends so.
pub(super) fn only_file(dir: &Path, extension: &str) -> Result<PathBuf> {
    let entries = fs::read_dir(dir)
        .with_context(|| format!("the folder {} cannot be read", dir.display()))?;
    entries
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|found| found == extension))
        .with_context(|| format!("apt-get put no .{extension} file into {}", dir.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_debian_12_is_known() {
        assert!(is_bookworm(
            "NAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian\n"
        ));
        assert!(!is_bookworm("ID=debian\nVERSION_ID=\"13\"\n"));
        assert!(!is_bookworm(
            "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"12\"\n"
        ));
        assert!(!is_bookworm(""));
    }

    #[test]
    fn advice_gives_whole_commands() {
        let said = advice(&[Need::Linker, Need::QemuArm, Need::QemuX86]);
        assert!(
            said.contains("apt-get install --no-install-recommends lld-19\n"),
            "{said}"
        );
        assert!(
            said.contains("-t bookworm-backports qemu-system-arm qemu-system-data qemu-system-x86"),
            "{said}"
        );
        assert!(!said.contains("rustup"), "{said}");
    }

    #[test]
    fn without_a_mirror_nothing_is_guessed() {
        assert!(
            with_backports(&[])
                .unwrap_err()
                .to_string()
                .contains("bookworm")
        );
    }
}
