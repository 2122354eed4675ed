//! Cargo as the kernel and its programs need it: the toolchain with the library's source, and one set of
//! flags for every crate of a target.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::board::Image;
use crate::setup::{Need, Tools};
use crate::workspace::Workspace;

/// Settings of Cargo that stay when another toolchain's Cargo is started.
const KEPT_PREFIXES: [&str; 6] = [
    "CARGO_HOME",
    "CARGO_NET_",
    "CARGO_HTTP_",
    "CARGO_REGISTR",
    "CARGO_TERM_",
    "CARGO_BUILD_JOBS",
];

/// How everything of user mode is linked; what a crate needs besides, its `build.rs` says. Programs and DLLs are
/// relocatable, since the linker makes them so unless it is told otherwise.
const USER_LINK_ARGUMENTS: [&str; 2] = [
    // No C library.
    "/nodefaultlib",
    // The same sources give the same bytes: no time in the header.
    "/brepro",
];

/// Cargo of the kernel's toolchain for host programs.
pub(crate) fn host_command(workspace: &Workspace, tools: &Tools) -> Command {
    let mut command = Command::new(tools.path(Need::Toolchain));
    forget_other_toolchain(&mut command);
    command.env("RUSTC", tools.rustc());
    command.env("CARGO_TARGET_DIR", workspace.host_target());
    command.current_dir(workspace.root());
    command
}

/// Cargo for one image: the subcommand and its arguments are added by the caller, the
/// target and the library come through the environment.
///
/// The flags must not differ between packages or between building and linting, since each
/// set of flags gets its own `core`.
pub(crate) fn kernel_command(
    workspace: &Workspace,
    tools: &Tools,
    image: &Image,
    symbols: &Path,
) -> Result<Command> {
    let script = image.linker_script();
    let script = script
        .to_str()
        .context("the checkout's path is not valid UTF-8: move it")?;
    let mut flags = vec![
        linker(tools, Need::Linker)?,
        "-Clinker-flavor=ld.lld".into(),
        format!("-Clink-arg=-T{script}"),
    ];
    flags.extend(image.rustflags.iter().cloned());
    let mut command = with_library(workspace, tools, &image.target, &flags);
    command.env("TARN_SYMBOLS", symbols);
    Ok(command)
}

/// Who starts a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Starter {
    /// Our kernel, or a program of its.
    Kernel,
    /// Another implementation of NT.
    Reference,
}

/// Cargo for what runs in user mode on an image, or on another system of the same machine.
pub(crate) fn user_command(
    workspace: &Workspace,
    tools: &Tools,
    image: &Image,
    starter: Starter,
) -> Result<Command> {
    let mut flags = vec![
        linker(tools, Need::PeLinker)?,
        "-Clinker-flavor=lld-link".into(),
    ];
    flags.extend(USER_LINK_ARGUMENTS.map(|argument| format!("-Clink-arg={argument}")));
    let mut command = with_library(workspace, tools, &image.user.target, &flags);
    if starter == Starter::Reference {
        // Other features, other files.
        command.env("CARGO_TARGET_DIR", reference_target(workspace));
    }
    command
        // Without a C library nobody else gives memcpy and its kin.
        .env("CARGO_UNSTABLE_BUILD_STD_FEATURES", "compiler-builtins-mem")
        // Nothing reads a program's debug information, and it would lie beside it in another file.
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
        .env("CARGO_PROFILE_RELEASE_STRIP", "symbols");
    Ok(command)
}

/// Where programs for another system are built.
pub(crate) fn reference_target(workspace: &Workspace) -> PathBuf {
    workspace.kernel_target().join("reference")
}

/// Cargo with the library's source for one target, with these flags for every crate.
fn with_library(workspace: &Workspace, tools: &Tools, target: &str, flags: &[String]) -> Command {
    let mut command = host_command(workspace, tools);
    command
        .env("CARGO_TARGET_DIR", workspace.kernel_target())
        // The one way by which a stable toolchain builds the library from source.
        .env("RUSTC_BOOTSTRAP", "1")
        // Cargo warns of what is in the library itself, which is not ours to change.
        .env("CARGO_FUTURE_INCOMPAT_REPORT_FREQUENCY", "never")
        .env("CARGO_UNSTABLE_BUILD_STD", "core,alloc,compiler_builtins")
        .env("CARGO_BUILD_TARGET", target)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    command
}

/// The flag that names a linker.
fn linker(tools: &Tools, need: Need) -> Result<String> {
    let path = tools.path(need).to_str();
    let path = path.context("the linker's path is not valid UTF-8")?;
    Ok(format!("-Clinker={path}"))
}

/// Turns a command for Cargo into one for its clippy: `cargo clippy` itself would take
/// whichever clippy comes first in PATH, which may be that of another toolchain.
pub(crate) fn into_clippy(command: &Command, tools: &Tools) -> Command {
    let mut clippy = Command::new(tools.path(Need::Clippy));
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => clippy.env(name, value),
            None => clippy.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        clippy.current_dir(folder);
    }
    clippy
        .env("CARGO", tools.path(Need::Toolchain))
        .arg("clippy");
    clippy
}

/// Takes out of a command's environment what the Cargo that started this tool put there.
pub(crate) fn forget_other_toolchain(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let cargo = text.starts_with("CARGO")
            && !KEPT_PREFIXES.iter().any(|prefix| text.starts_with(prefix));
        let rust = text.starts_with("RUST") && text != "RUST_BACKTRACE" && text != "RUSTUP_HOME";
        if cargo || rust || text == "LD_LIBRARY_PATH" || text.starts_with("CLIPPY") {
            command.env_remove(&name);
        }
    }
}

/// Shows what a successful build had to say against the code.
pub(crate) fn show_warnings(said: &str) {
    let is_warning = |line: &&str| line.starts_with("warning");
    if said.lines().any(|line| is_warning(&line)) {
        let noise = [
            "Compiling",
            "Finished",
            "Blocking",
            "Downloading",
            "Downloaded",
            "Locking",
            "Updating",
        ];
        for line in said
            .lines()
            .filter(|line| !noise.iter().any(|word| line.trim_start().starts_with(word)))
        {
            eprintln!("{line}");
        }
    }
}
