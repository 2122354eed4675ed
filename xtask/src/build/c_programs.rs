//! Builds the test programs in C and C++, `tests/c`, with the [kit](super::kit).
//!
//! `NAME.c` and `NAME.cpp` are programs; `NAME.dll.c` and `NAME.dll.cpp` are DLLs. A first line
//!
//! ```text
//! /* build: NAME.dll ... /LINKER-FLAG ... -COMPILER-FLAG ... */
//! ```
//!
//! (or the same behind `//`) names DLLs of the folder that the image imports from, and flags. Words with `=` say more:
//!
//! | word | the image |
//! |---|---|
//! | `needs=DLL:NAME,NAME@7` | imports from a DLL that need not be there, or need not have the export; by ordinal with `@` |
//! | `only-for=PROGRAM` | is in the RAM disk of that program's runs alone: others need not carry it |
//! | `copies=N` | is no file itself but N of them, that import from each other: [copies](super::copies) |
//! | `mutants=N` | is a file, and beside it are N damaged ones: [mutants](super::mutants) |

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::build::kit::{self, Kind, Kit};
use crate::build::programs::Program;
use crate::build::{copies, mutants};
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
    /// Imports from DLLs that need not be there: the DLL, and the lines of its definition.
    needs: Vec<(String, Vec<String>)>,
    copies: Option<u32>,
    mutants: Option<u32>,
    only_for: Option<String>,
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
        needs: Vec::new(),
        copies: None,
        mutants: None,
        only_for: None,
    };
    for word in build_words(&text) {
        if let Some((key, value)) = word.split_once('=')
            && !word.starts_with(['/', '-'])
        {
            source.set(key, value).with_context(|| {
                format!("{}: the word {word} of its first line", path.display())
            })?;
            continue;
        }
        let list = match word.as_bytes().first() {
            Some(b'/') => &mut source.linker_flags,
            Some(b'-') => &mut source.compiler_flags,
            _ => &mut source.imports,
        };
        list.push(word.to_owned());
    }
    Ok(Some(source))
}

impl Source {
    /// Takes a word of the first line that has a value.
    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        match key {
            "copies" => self.copies = Some(value.parse()?),
            "mutants" => self.mutants = Some(value.parse()?),
            "only-for" => self.only_for = Some(value.to_owned()),
            "needs" => {
                let (dll, names) = value.split_once(':').context("names no export")?;
                let line = |name: &str| match name.split_once('@') {
                    Some((name, ordinal)) => format!("{name} @{ordinal} NONAME"),
                    None => name.to_owned(),
                };
                let lines = names.split(',').map(line).collect();
                self.needs.push((dll.to_owned(), lines));
            }
            _ => bail!("means nothing"),
        }
        Ok(())
    }
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

/// The programs that have files of their own in the RAM disk.
pub(crate) fn programs_with_own_files(workspace: &Workspace) -> Result<BTreeSet<String>> {
    let only_for = |source: Source| source.only_for;
    Ok(sources(workspace)?
        .into_values()
        .filter_map(only_for)
        .collect())
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
    let (mut built, mut names) = (Vec::new(), BTreeSet::new());
    while !waiting.is_empty() {
        let is_built = |name: &String| names.contains(name);
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
            let many = match (source.copies, source.mutants) {
                (Some(count), _) => copies::make(&path, count)?,
                (None, Some(count)) => mutants::make(&path, count)?,
                (None, None) => Vec::new(),
            };
            built.extend(many.into_iter().map(|path| {
                Program {
                    file_name: path
                        .file_name()
                        .unwrap_or_default()
                        .to_string_lossy()
                        .into(),
                    path,
                    only_for: source.only_for.clone(),
                }
            }));
            names.insert(source.file_name.clone());
            if source.copies.is_none() {
                built.push(Program {
                    file_name: source.file_name,
                    path,
                    only_for: source.only_for,
                });
            }
        }
        waiting = later;
    }
    Ok(built)
}

fn make(kit: &Kit, source: &Source, folder: &Path, path: &Path, step: &Step) -> Result<()> {
    let object = folder.join(format!("{}.obj", source.file_name));
    kit.compile(&source.path, &object, &source.compiler_flags, step)?;
    let mut imports: Vec<PathBuf> = source
        .imports
        .iter()
        .map(|name| folder.join(format!("{name}.lib")))
        .collect();
    for (dll, exports) in &source.needs {
        let library = folder.join(format!("{}.needs.{dll}.lib", source.file_name));
        kit.import_library(dll, exports, &library, step)?;
        imports.push(library);
    }
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
    fn words_with_values_say_more() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.dll.c");
        let first = "/* build: b.dll needs=x.dll:one,two@7 copies=3 only-for=p /export:a=b */\n";
        fs::write(&path, first).unwrap();
        let made = source(&path).unwrap().unwrap();
        let lines = vec!["one".into(), "two @7 NONAME".into()];
        assert_eq!(made.needs, [("x.dll".into(), lines)]);
        assert_eq!((made.copies, made.mutants), (Some(3), None));
        assert_eq!(made.only_for.as_deref(), Some("p"));
        assert_eq!(made.linker_flags, ["/export:a=b"]);
        assert_eq!(made.imports, ["b.dll"]);
        fs::write(&path, "/* build: colour=red */\n").unwrap();
        assert!(source(&path).is_err());
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
