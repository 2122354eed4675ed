//! The kit for programs in C and C++: clang, our headers, a small C library, and the import libraries of our DLLs.
//!
//! A program is compiled for `*-pc-windows-msvc` as any compiler for Windows does it, and linked with what is here instead
//! of Microsoft's SDK. The library (`kernel/user/crt`) is built from its sources when they are newer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::board::Image;
use crate::build::programs;
use crate::progress::Step;
use crate::setup::{Need, Tools};
use crate::workspace::Workspace;

/// Where the headers are.
const HEADERS: &str = "kernel/user/crt/include";
/// Where the library's sources are.
const SOURCES: &str = "kernel/user/crt/src";
/// The library's file.
const LIBRARY: &str = "crt.lib";
/// What compiles and warns of everything that is compiled with the kit.
const COMPILER_ARGUMENTS: [&str; 5] = [
    "-fms-extensions",
    // The kit's headers stand for the system's; the compiler has its own.
    "-nostdlibinc",
    "-Wall",
    "-Wextra",
    "-Werror",
];

/// What is linked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A program of the console.
    Program,
    /// A DLL.
    Dll,
}

/// The kit for one machine.
#[derive(Debug)]
pub(crate) struct Kit {
    clang: PathBuf,
    linker: PathBuf,
    target: String,
    headers: PathBuf,
    /// The library and the import libraries.
    libraries: Vec<PathBuf>,
}

impl Kit {
    /// Makes the kit for what runs on an image. Our own DLLs must have been built.
    pub(crate) fn prepare(
        workspace: &Workspace,
        tools: &Tools,
        image: &Image,
        step: &Step,
    ) -> Result<Self> {
        let built = workspace
            .kernel_target()
            .join(&image.user.target)
            .join("release");
        let folder = workspace.kernel_target().join("kit").join(&image.name);
        let library = folder.join(LIBRARY);
        let mut kit = Self {
            clang: tools.path(Need::Clang).to_path_buf(),
            linker: tools.path(Need::PeLinker).to_path_buf(),
            target: image.user.target.clone(),
            headers: workspace.root().join(HEADERS),
            libraries: Vec::new(),
        };
        kit.build_library(&workspace.root().join(SOURCES), &folder, &library, step)?;
        kit.libraries.push(library);
        for (_, file_name) in programs::SYSTEM {
            if file_name.ends_with(".dll") {
                kit.libraries.push(built.join(format!("{file_name}.lib")));
            }
        }
        Ok(kit)
    }

    /// When what everything is built with was changed.
    pub(crate) fn newest(&self) -> SystemTime {
        let headers = newest_in(&self.headers).ok();
        let libraries = self
            .libraries
            .iter()
            .filter_map(|library| modified(library));
        libraries
            .chain(headers)
            .max()
            .unwrap_or(SystemTime::UNIX_EPOCH)
    }

    fn build_library(
        &self,
        sources: &Path,
        folder: &Path,
        library: &Path,
        step: &Step,
    ) -> Result<()> {
        let newest = newest_in(sources)?.max(newest_in(&self.headers)?);
        if modified(library).is_some_and(|built| built > newest) {
            return Ok(());
        }
        fs::create_dir_all(folder)
            .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
        let mut objects = Vec::new();
        for source in files_in(sources)? {
            let object = folder
                .join(source.file_name().unwrap_or_default())
                .with_extension("obj");
            self.compile(&source, &object, &[], step)?;
            objects.push(object);
        }
        // Members that are gone must not stay.
        let _ = fs::remove_file(library);
        let mut command = Command::new(&self.linker);
        command.args(["-flavor", "link", "/lib", "/nologo"]);
        command.arg(format!("/out:{}", library.display()));
        step.run_checked(command.args(&objects))
            .context("the kit's library cannot be made")?;
        Ok(())
    }

    /// Compiles one file.
    pub(crate) fn compile(
        &self,
        source: &Path,
        object: &Path,
        flags: &[String],
        step: &Step,
    ) -> Result<()> {
        let mut command = Command::new(&self.clang);
        command.arg(format!("--target={}", self.target));
        command.args(COMPILER_ARGUMENTS).arg("-O2");
        if source
            .extension()
            .is_some_and(|extension| extension == "cpp")
        {
            command.args(["-std=c++17", "-fexceptions", "-fcxx-exceptions"]);
        }
        command.arg("-I").arg(&self.headers).args(flags);
        command.arg("-c").arg(source).arg("-o").arg(object);
        step.run_checked(&mut command)
            .with_context(|| format!("{} does not compile", source.display()))?;
        Ok(())
    }

    /// Links objects with the kit's libraries and others. Beside a DLL lies its import library, `NAME.dll.lib`.
    pub(crate) fn link(
        &self,
        kind: Kind,
        objects: &[PathBuf],
        others: &[PathBuf],
        flags: &[String],
        out: &Path,
        step: &Step,
    ) -> Result<()> {
        let mut command = Command::new(&self.linker);
        // The same sources give the same bytes: no time in the header.
        command.args(["-flavor", "link", "/nologo", "/nodefaultlib", "/brepro"]);
        match kind {
            Kind::Program => command.args(["/subsystem:console", "/entry:mainCRTStartup"]),
            Kind::Dll => command
                .args(["/dll", "/entry:_DllMainCRTStartup"])
                .arg(format!("/implib:{}.lib", out.display())),
        };
        command.arg(format!("/out:{}", out.display()));
        command.args(objects).args(others).args(&self.libraries);
        step.run_checked(command.args(flags))
            .with_context(|| format!("{} cannot be linked", out.display()))?;
        Ok(())
    }
}

impl Kit {
    /// Makes an import library of a DLL that need not be there, from the lines of a module definition's `EXPORTS`.
    pub(crate) fn import_library(
        &self,
        dll: &str,
        exports: &[String],
        out: &Path,
        step: &Step,
    ) -> Result<()> {
        let definition = out.with_extension("def");
        let text = format!("LIBRARY {dll}\nEXPORTS\n{}\n", exports.join("\n"));
        fs::write(&definition, text)
            .with_context(|| format!("{} cannot be written", definition.display()))?;
        let mut command = Command::new(&self.linker);
        command.args(["-flavor", "link", "/lib", "/nologo"]);
        command.arg(format!("/machine:{}", self.machine()));
        command.arg(format!("/def:{}", definition.display()));
        command.arg(format!("/out:{}", out.display()));
        step.run_checked(&mut command)
            .with_context(|| format!("the import library of {dll} cannot be made"))?;
        Ok(())
    }

    /// The machine as the linker names it.
    fn machine(&self) -> &'static str {
        if self.target.starts_with("aarch64") {
            "arm64"
        } else {
            "x64"
        }
    }
}

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
