//! Looks for each needed thing and makes sure that it is new enough and whole.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::setup::{Found, Need, Search, pi_tree};

/// The oldest Rust that builds the workspace.
const OLDEST_RUST: (u32, u32) = (1, 91);
const OLDEST_LLVM: (u32, u32) = (16, 0);
const OLDEST_QEMU: (u32, u32) = (9, 0);
/// LLVM versions that Debian names its programs after.
const LLVM_VERSIONS: std::ops::RangeInclusive<u32> = 16..=40;

/// Looks for one thing.
pub(super) fn find(need: Need) -> Search {
    match need {
        Need::Toolchain => toolchain(),
        Need::Clippy => clippy(),
        Need::Rustfmt => rustfmt(),
        Need::Linker => llvm_program("ld.lld"),
        Need::PeLinker => llvm_program("lld-link"),
        Need::Clang => llvm_program("clang"),
        Need::QemuArm => versioned(&in_path("qemu-system-aarch64")?, OLDEST_QEMU),
        Need::QemuX86 => versioned(&in_path("qemu-system-x86_64")?, OLDEST_QEMU),
        Need::PiDeviceTree => pi_tree::cached(),
        Need::Setpriv => versioned(&in_path("setpriv")?, (2, 33)),
    }
}

/// A toolchain serves if it is new enough and has the library's source. The active one is
/// preferred; Debian's is the other place to look.
fn toolchain() -> Search {
    let mut problems = Vec::new();
    for rustc in ["rustc", "/usr/bin/rustc"] {
        match toolchain_of(rustc) {
            Ok(found) => return Ok(found),
            Err(problem) => problems.push(problem),
        }
    }
    problems.dedup();
    Err(problems.join(", "))
}

fn toolchain_of(rustc: &str) -> Search {
    let sysroot = PathBuf::from(ask(rustc, &["--print", "sysroot"])?);
    let cargo = sysroot.join("bin/cargo");
    let found = versioned(&sysroot.join("bin/rustc"), OLDEST_RUST)?;
    if !cargo.is_file() {
        return Err(format!("there is no {}", cargo.display()));
    }
    if !sysroot
        .join("lib/rustlib/src/rust/library/core/src/lib.rs")
        .is_file()
    {
        return Err("the standard library's source is not installed".into());
    }
    Ok(Found {
        path: cargo,
        what: found.what,
    })
}

fn clippy() -> Search {
    let cargo = toolchain()?.path;
    let driver = cargo.with_file_name("clippy-driver");
    if !cargo.with_file_name("cargo-clippy").is_file() {
        return Err(format!(
            "there is no cargo-clippy beside {}",
            cargo.display()
        ));
    }
    let what = ask(&driver.to_string_lossy(), &["--version"])?;
    Ok(Found {
        path: cargo.with_file_name("cargo-clippy"),
        what,
    })
}

/// The formatter that people's own `cargo fmt` uses, otherwise the toolchain's.
fn rustfmt() -> Search {
    let beside = toolchain().map(|found| found.path.with_file_name("rustfmt"));
    let candidates = [in_path("rustfmt"), beside];
    let mut problem = String::new();
    for path in candidates.into_iter().flatten() {
        match ask(&path.to_string_lossy(), &["--version"]) {
            Ok(what) => return Ok(Found { path, what }),
            Err(said) => problem = said,
        }
    }
    Err(if problem.is_empty() {
        "there is no rustfmt in PATH".into()
    } else {
        problem
    })
}

/// A program of LLVM's, under its own name or with its version.
fn llvm_program(role: &str) -> Search {
    let names = std::iter::once(role.to_owned()).chain(
        LLVM_VERSIONS
            .rev()
            .map(|version| format!("{role}-{version}")),
    );
    let mut problem = format!("there is no {role} in PATH");
    for name in names {
        let Ok(path) = in_path(&name) else { continue };
        match versioned(&path, OLDEST_LLVM) {
            Ok(found) => return Ok(found),
            Err(said) => problem = said,
        }
    }
    Err(problem)
}

/// The folders in which a QEMU looks for firmware.
pub(super) fn qemu_data_dirs(emulator: &Path) -> Vec<PathBuf> {
    let listed = ask_all(&emulator.to_string_lossy(), &["-L", "help"]).unwrap_or_default();
    listed.lines().map(PathBuf::from).collect()
}

/// Finds a program as the shell would.
pub(super) fn in_path(program: &str) -> Result<PathBuf, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .map(|dir| dir.join(program))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| format!("there is no {program} in PATH"))
}

fn versioned(path: &Path, oldest: (u32, u32)) -> Search {
    let what = ask(&path.to_string_lossy(), &["--version"])?;
    match version_in(&what) {
        Some(version) if version >= oldest => Ok(Found {
            path: path.to_path_buf(),
            what,
        }),
        _ => Err(format!(
            "{} is {what:?}, and at least {}.{} is needed",
            path.display(),
            oldest.0,
            oldest.1
        )),
    }
}

/// The first line of what a program says.
fn ask(program: &str, arguments: &[&str]) -> Result<String, String> {
    let all = ask_all(program, arguments)?;
    Ok(all.lines().next().unwrap_or_default().trim().to_owned())
}

fn ask_all(program: &str, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(program);
    // The Cargo that started this tool is of another toolchain, and must not lend its libraries.
    command.args(arguments).env_remove("LD_LIBRARY_PATH");
    let output = command
        .output()
        .map_err(|error| format!("{program} cannot be started ({error})"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "{program} fails: {}",
            said.lines().next().unwrap_or("it says nothing")
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first `number.number` in a text.
fn version_in(text: &str) -> Option<(u32, u32)> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .find_map(|word| {
            let mut parts = word.split('.');
            Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_programs_print_them() {
        assert_eq!(
            version_in("Debian LLD 22.1.8 (compatible with GNU linkers)"),
            Some((22, 1))
        );
        assert_eq!(
            version_in("QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2+deb13u1~bpo12+1)"),
            Some((10, 0))
        );
        assert_eq!(
            version_in("rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)"),
            Some((1, 96))
        );
        assert_eq!(version_in("setpriv from util-linux 2.38.1"), Some((2, 38)));
        assert_eq!(version_in("no number"), None);
    }

    #[test]
    fn what_is_not_there_is_named() {
        assert!(
            in_path("no-such-program-of-tarn")
                .unwrap_err()
                .contains("no-such-program-of-tarn")
        );
        assert!(ask("no-such-program-of-tarn", &[]).is_err());
    }
}
