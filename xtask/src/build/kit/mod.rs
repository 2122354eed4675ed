//! The kit for programs in C, C++ and Rust: our headers, a small C library, the import libraries of our DLLs, and the
//! configurations that tell stock compilers of them.
//!
//! A program is compiled for `*-pc-windows-msvc` as any compiler for Windows does it, and linked with what is here instead
//! of Microsoft's SDK. The kit is a folder, made anew where its sources are newer:
//!
//! | in the folder | what |
//! |---|---|
//! | `clang.cfg` | for `clang --config`: the machine, and where headers and libraries are |
//! | `cargo.toml` | for `cargo --config`: the same for Rust ([`configuration`]) |
//! | `include/` | the headers, `kernel/user/crt/include` |
//! | `lib/libcmt.lib`, `msvcrt.lib` | the C library, `kernel/user/crt/src`, by the names that compilers ask for |
//! | `lib/NAME.lib` | what is imported from `NAME.dll`; also of what is not there, for those who link with it and do not use it: `kernel/user/crt/imports` |

mod configuration;
mod files;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result};

pub(crate) use self::configuration::{CARGO, CLANG};
pub(crate) use self::files::{files_in, modified, newest_in};
use crate::board::Image;
use crate::progress::Step;
use crate::setup::{Need, Tools};
use crate::workspace::Workspace;

/// Where the headers are.
const HEADERS: &str = "kernel/user/crt/include";
/// Where the library's sources are.
const SOURCES: &str = "kernel/user/crt/src";
/// Module definitions of what Windows' DLLs have and ours do not, and of other names for what ours have. What is made of
/// one is the library of its name.
const IMPORTS: &str = "kernel/user/crt/imports";
/// The names of the C library's files: compilers ask for one or the other.
const C_LIBRARIES: [&str; 2] = ["libcmt.lib", "msvcrt.lib"];
/// The DLLs of ours that programs import from, and the names of their import libraries.
const IMPORTED: [(&str, &str); 4] = [
    ("kernel32.dll", "kernel32.lib"),
    ("ntdll.dll", "ntdll.lib"),
    ("kernelbase.dll", "kernelbase.lib"),
    ("vcruntime140.dll", "vcruntime.lib"),
];
/// What our own programs are compiled with beside the configuration: everything is warned of.
const COMPILER_ARGUMENTS: [&str; 4] = ["-O2", "-Wall", "-Wextra", "-Werror"];

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
    folder: PathBuf,
    /// When what everything is built with was changed.
    newest: SystemTime,
}

impl Kit {
    /// Makes the kit for what runs on an image. Our own DLLs must have been built.
    pub(crate) fn prepare(
        workspace: &Workspace,
        tools: &Tools,
        image: &Image,
        step: &Step,
    ) -> Result<Self> {
        let mut kit = Self {
            clang: tools.path(Need::Clang).to_path_buf(),
            linker: tools.path(Need::PeLinker).to_path_buf(),
            target: image.user.target.clone(),
            folder: workspace.kernel_target().join("kit").join(&image.name),
            newest: SystemTime::UNIX_EPOCH,
        };
        for folder in [kit.headers(), kit.libraries(), kit.folder.join("obj")] {
            fs::create_dir_all(&folder)
                .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
        }
        configuration::write(&kit, tools)?;
        for header in files_in(&workspace.root().join(HEADERS))? {
            copy(&header, &kit.headers())?;
        }
        kit.build_library(&workspace.root().join(SOURCES), step)?;
        let built = workspace
            .kernel_target()
            .join(&image.user.target)
            .join("release");
        kit.make_imports(&built, &workspace.root().join(IMPORTS), step)?;
        kit.newest = newest_in(&kit.headers())?
            .max(newest_in(&kit.libraries())?)
            .max(newest_in(&kit.folder)?);
        Ok(kit)
    }

    /// The kit's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The machine that it is for, as compilers name it.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    /// When what everything is built with was changed.
    pub(crate) const fn newest(&self) -> SystemTime {
        self.newest
    }

    fn headers(&self) -> PathBuf {
        self.folder.join("include")
    }

    fn libraries(&self) -> PathBuf {
        self.folder.join("lib")
    }

    fn build_library(&self, sources: &Path, step: &Step) -> Result<()> {
        let newest = newest_in(sources)?
            .max(newest_in(&self.headers())?)
            .max(newest_in(&self.folder)?);
        let libraries = C_LIBRARIES.map(|name| self.libraries().join(name));
        if modified(&libraries[1]).is_some_and(|built| built > newest) {
            return Ok(());
        }
        let mut objects = Vec::new();
        for source in files_in(sources)? {
            let object = self
                .folder
                .join("obj")
                .join(source.file_name().unwrap_or_default())
                .with_extension("obj");
            self.compile(&source, &object, &[], step)?;
            objects.push(object);
        }
        for library in libraries {
            self.archive(&library, |command| command.args(&objects), step)?;
        }
        Ok(())
    }

    /// Makes the import libraries: of our DLLs, with what they do not have yet, and of those that are not there.
    fn make_imports(&self, built: &Path, definitions: &Path, step: &Step) -> Result<()> {
        let mut ours: Vec<(PathBuf, PathBuf)> = Vec::new();
        for (dll, library) in IMPORTED {
            let made = built.join(format!("{dll}.lib"));
            ours.push((made, self.libraries().join(library)));
        }
        for list in files_in(definitions)? {
            let stem = list.file_stem().unwrap_or_default().to_string_lossy();
            let library = self.libraries().join(format!("{stem}.lib"));
            let of_ours = ours.iter().position(|(_, ours)| *ours == library);
            let made = of_ours.map(|index| ours.remove(index).0);
            let newest = made.as_deref().and_then(modified).max(modified(&list));
            if modified(&library) > newest {
                continue;
            }
            let Some(made) = made else {
                self.define(&library, &list, step)?;
                continue;
            };
            let missing = self.folder.join("obj").join(format!("{stem}.missing.lib"));
            self.define(&missing, &list, step)?;
            let both = [made, missing];
            self.archive(&library, |command| command.args(both), step)?;
        }
        for (made, library) in ours {
            if modified(&library) <= modified(&made) {
                fs::copy(&made, &library)
                    .with_context(|| format!("{} cannot be copied", made.display()))?;
            }
        }
        Ok(())
    }

    /// Makes a library of what a function adds to the linker's command line.
    fn archive(
        &self,
        library: &Path,
        add: impl FnOnce(&mut Command) -> &mut Command,
        step: &Step,
    ) -> Result<()> {
        // Members that are gone must not stay.
        let _ = fs::remove_file(library);
        let mut command = Command::new(&self.linker);
        command.args(["-flavor", "link", "/lib", "/nologo"]);
        command.arg(format!("/machine:{}", self.machine()));
        command.arg(format!("/out:{}", library.display()));
        add(&mut command);
        step.run_checked(&mut command)
            .with_context(|| format!("{} cannot be made", library.display()))?;
        Ok(())
    }

    /// Clang with the kit.
    fn clang(&self) -> Command {
        let mut command = Command::new(&self.clang);
        command.arg("--config").arg(self.folder.join(CLANG));
        command
    }

    /// Compiles one file.
    pub(crate) fn compile(
        &self,
        source: &Path,
        object: &Path,
        flags: &[String],
        step: &Step,
    ) -> Result<()> {
        let mut command = self.clang();
        command.args(COMPILER_ARGUMENTS).args(flags);
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
        let mut command = self.clang();
        if kind == Kind::Dll {
            command.args(["-shared", "-Xlinker"]);
            command.arg(format!("/implib:{}.lib", out.display()));
        }
        for flag in flags {
            command.args(["-Xlinker", flag]);
        }
        command.args(objects).args(others).arg("-o").arg(out);
        step.run_checked(&mut command)
            .with_context(|| format!("{} cannot be linked", out.display()))?;
        Ok(())
    }

    /// Makes an import library of a DLL that need not be there, from the lines of a module definition's `EXPORTS`.
    pub(crate) fn import_library(
        &self,
        dll: &str,
        exports: &[String],
        out: &Path,
        step: &Step,
    ) -> Result<()> {
        let name = out.file_name().unwrap_or_default();
        let definition = self.folder.join("obj").join(name).with_extension("def");
        let text = format!("LIBRARY {dll}\nEXPORTS\n{}\n", exports.join("\n"));
        fs::write(&definition, text)
            .with_context(|| format!("{} cannot be written", definition.display()))?;
        self.define(out, &definition, step)
    }

    /// Makes an import library of a module definition.
    fn define(&self, out: &Path, definition: &Path, step: &Step) -> Result<()> {
        let argument = format!("/def:{}", definition.display());
        self.archive(out, |command| command.arg(argument), step)
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

/// Copies a file into a folder, if what is there is older.
fn copy(file: &Path, folder: &Path) -> Result<()> {
    let to = folder.join(file.file_name().unwrap_or_default());
    if modified(&to) <= modified(file) {
        fs::copy(file, &to).with_context(|| format!("{} cannot be copied", file.display()))?;
    }
    Ok(())
}
