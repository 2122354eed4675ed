//! Builds the test programs in C and C++, `tests/c`, with the [kit](super::kit).
//!
//! `NAME.c` and `NAME.cpp` are programs; `NAME.dll.c` and `NAME.dll.cpp` are DLLs. A first line
//!
//! ```text
//! /* build: NAME.dll ... /LINKER-FLAG ... -COMPILER-FLAG ... */
//! ```
//!
//! (or the same behind `//`) names DLLs of the folder that the image imports from, and flags.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::build::kit::{self, Kind, Kit};
use crate::build::programs::Program;
use crate::progress::Step;
use crate::workspace::Workspace;

/// Where each program and DLL is a file.
pub(crate) const SOURCES: &str = "tests/c";

/// A program or DLL that is to be built.
#[derive(Debug)]
struct Source {
    path: PathBuf,
    kind: Kind,
    /// The name of what is built.
    file_name: String,
    imports: Vec<String>,
    compiler_flags: Vec<String>,
    linker_flags: Vec<String>,
}

/// The names of the programs, without `.exe`.
pub(crate) fn names(workspace: &Workspace) -> Result<Vec<String>> {
    Ok(sources(workspace)?
        .into_values()
        .filter(|source| source.kind == Kind::Program)
        .filter_map(|source| source.file_name.strip_suffix(".exe").map(str::to_owned))
        .collect())
}

fn sources(workspace: &Workspace) -> Result<BTreeMap<String, Source>> {
    let mut sources = BTreeMap::new();
    for path in kit::files_in(&workspace.root().join(SOURCES))? {
        if let Some(source) = source(&path)?
            && let Some(other) = sources.insert(source.file_name.clone(), source)
        {
            bail!("{}: another file makes it too", other.path.display());
        }
    }
    Ok(sources)
}

/// What a file makes; `None` for a header.
fn source(path: &Path) -> Result<Option<Source>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Some((stem, "c" | "cpp")) = name.rsplit_once('.') else {
        return Ok(None);
    };
    let (kind, file_name) = match stem.ends_with(".dll") {
        true => (Kind::Dll, stem.to_owned()),
        false => (Kind::Program, format!("{stem}.exe")),
    };
    let text =
        fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut source = Source {
        path: path.to_path_buf(),
        kind,
        file_name,
        imports: Vec::new(),
        compiler_flags: Vec::new(),
        linker_flags: Vec::new(),
    };
    for word in build_words(&text) {
        let list = match word.as_bytes().first() {
            Some(b'/') => &mut source.linker_flags,
            Some(b'-') => &mut source.compiler_flags,
            _ => &mut source.imports,
        };
        list.push(word.to_owned());
    }
    Ok(Some(source))
}

/// The words of the first line behind `build:`.
fn build_words(text: &str) -> impl Iterator<Item = &str> {
    let line = text.lines().next().unwrap_or_default();
    let comment = line.strip_prefix("/*").or_else(|| line.strip_prefix("//"));
    let words = comment
        .and_then(|comment| comment.trim().strip_prefix("build:"))
        .unwrap_or_default();
    words.trim_end_matches("*/").split_whitespace()
}

/// Builds every program and DLL that is older than its sources.
pub(crate) fn build(
    workspace: &Workspace,
    kit: &Kit,
    image: &str,
    step: &Step,
) -> Result<Vec<Program>> {
    let folder = workspace.kernel_target().join("c").join(image);
    fs::create_dir_all(&folder)
        .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    // Headers and the kit are everybody's sources.
    let newest = kit::newest_in(&workspace.root().join(SOURCES))?.max(kit.newest());
    let mut waiting: Vec<Source> = sources(workspace)?.into_values().collect();
    let mut built = Vec::new();
    while !waiting.is_empty() {
        let is_built = |name: &String| built.iter().any(|one: &Program| one.file_name == *name);
        let (ready, later): (Vec<Source>, Vec<Source>) = waiting
            .into_iter()
            .partition(|source| source.imports.iter().all(is_built));
        if ready.is_empty() {
            let names: Vec<&str> = later
                .iter()
                .map(|source| source.file_name.as_str())
                .collect();
            bail!(
                "{SOURCES}: {} import what is not there, or each other: mend their first lines",
                names.join(", ")
            );
        }
        for source in ready {
            let path = folder.join(&source.file_name);
            if kit::modified(&path).is_none_or(|made| made <= newest) {
                make(kit, &source, &folder, &path, step)?;
            }
            built.push(Program {
                file_name: source.file_name,
                path,
            });
        }
        waiting = later;
    }
    Ok(built)
}

fn make(kit: &Kit, source: &Source, folder: &Path, path: &Path, step: &Step) -> Result<()> {
    let object = folder.join(format!("{}.obj", source.file_name));
    kit.compile(&source.path, &object, &source.compiler_flags, step)?;
    let imports: Vec<PathBuf> = source
        .imports
        .iter()
        .map(|name| folder.join(format!("{name}.lib")))
        .collect();
    kit.link(
        source.kind,
        &[object],
        &imports,
        &source.linker_flags,
        path,
        step,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_says_how_it_is_built() {
        let words = |text| build_words(text).collect::<Vec<_>>();
        assert_eq!(
            words("/* build: a.dll /delayload:a.dll -O0 */\nint x;"),
            ["a.dll", "/delayload:a.dll", "-O0"]
        );
        assert_eq!(words("// build: b.dll\n"), ["b.dll"]);
        assert!(words("/* Says hello. */\n").is_empty());
        assert!(words("int build;\n").is_empty());
    }

    #[test]
    fn names_say_what_is_built() {
        let dir = tempfile::tempdir().unwrap();
        let of = |name: &str| {
            let path = dir.path().join(name);
            fs::write(&path, "// build: y.dll -O1\n").unwrap();
            source(&path)
                .unwrap()
                .map(|source| (source.kind, source.file_name))
        };
        assert_eq!(of("a.c"), Some((Kind::Program, "a.exe".into())));
        assert_eq!(of("b.dll.cpp"), Some((Kind::Dll, "b.dll".into())));
        assert_eq!(of("c.h"), None);
    }
}
