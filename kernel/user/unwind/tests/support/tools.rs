//! Building images with LLVM's tools, and asking them what is in there.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A machine that images are built for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    X64,
    Arm64,
    Arm,
}

impl Target {
    fn triple(self) -> &'static str {
        match self {
            Self::X64 => "x86_64-pc-windows-msvc",
            Self::Arm64 => "aarch64-pc-windows-msvc",
            Self::Arm => "thumbv7a-pc-windows-msvc",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::X64 => "x64",
            Self::Arm64 => "arm64",
            Self::Arm => "arm",
        }
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sources")
}

/// Runs a tool; gives what it prints. A tool that is missing fails the test: without it nothing would be tested.
fn run(program: &str, package: &str, arguments: &[String]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| {
        panic!("{program} cannot be started ({error}): install Debian's package {package}")
    });
    assert!(
        output.status.success(),
        "{program} {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// An image that was built.
pub(crate) struct Built {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

impl Built {
    /// What `llvm-readobj` says with some arguments.
    pub(crate) fn readobj(&self, arguments: &[&str]) -> String {
        let mut all: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        all.push(self.path.display().to_string());
        run("llvm-readobj-19", "llvm-19", &all)
    }
}

/// Compiles a source with flags.
fn object(target: Target, folder: &Path, source: &Path, flags: &[&str]) -> String {
    let object = folder.join(source.with_extension("obj").file_name().unwrap());
    let mut arguments = vec![
        format!("--target={}", target.triple()),
        "-c".into(),
        source.display().to_string(),
        "-o".into(),
        object.display().to_string(),
    ];
    if source.extension().is_some_and(|extension| extension == "c") {
        arguments.extend(
            [
                "-fms-extensions",
                "-ffreestanding",
                "-fasynchronous-unwind-tables",
            ]
            .into_iter()
            .chain(flags.iter().copied())
            .map(String::from),
        );
    }
    run("clang-19", "clang-19", &arguments);
    object.display().to_string()
}

fn link(folder: &Path, objects: Vec<String>, options: &[&str]) -> Built {
    let path = folder.join("image.dll");
    let mut arguments: Vec<String> = [
        "/dll",
        "/noentry",
        "/nodefaultlib",
        // So that every function stays, and where it was.
        "/opt:noref,noicf",
        "/brepro",
    ]
    .into_iter()
    .chain(options.iter().copied())
    .map(String::from)
    .collect();
    arguments.push(format!("/out:{}", path.display()));
    arguments.extend(objects);
    run("lld-link-19", "lld-19", &arguments);
    let bytes = std::fs::read(&path).unwrap();
    Built { path, bytes }
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Builds a DLL of sources in `tests/sources` with flags for the compiler. `name` is the folder's, and no other test's.
pub(crate) fn build(target: Target, name: &str, files: &[&str], flags: &[&str]) -> Built {
    let folder = folder(&format!("{name}-{}", target.name()));
    let probe = format!("probe_{}.s", target.name());
    let mut objects = vec![
        object(target, &folder, &sources().join("callees.c"), &["-O1"]),
        object(target, &folder, &sources().join(probe), &[]),
    ];
    for file in files {
        objects.push(object(target, &folder, &sources().join(file), flags));
    }
    link(&folder, objects, &["/export:__chkstk"])
}

/// Builds a DLL of a text in assembly language.
pub(crate) fn assemble(target: Target, name: &str, text: &str) -> Built {
    let folder = folder(&format!("{name}-{}", target.name()));
    let source = folder.join("source.s");
    std::fs::write(&source, text).unwrap();
    let object = object(target, &folder, &source, &[]);
    link(&folder, vec![object], &["/export:start"])
}
