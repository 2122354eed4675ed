//! Where unsafe lies, that each use is argued for, and how many there are.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::board;
use crate::check::Problems;
use crate::check::packages::Packages;
use crate::check::ranks::Table;
use crate::check::source::{SourceFile, Sources, UnsafeKind, UnsafeUse};
use crate::workspace::Workspace;

const GOLDEN: &str = "tests/golden/unsafe.toml";
const HEADING: &str = "# How often each crate says `unsafe`. Rewritten by `cargo xtask check --bless`;\n\
                       # what changes here is looked at in review.\n\n";
const ATTRIBUTE: &str = "#![forbid(unsafe_code)]";
/// What the root of a program says instead: the floor's macro, which names its entry, carries an `allow` of its own.
const ENTRY_ATTRIBUTE: &str = "#![deny(unsafe_code)]";
const ENTRIES: [&str; 3] = [
    "arch::kernel_entry!(",
    "test_programs::program!(",
    "test_programs::checks! {",
];

/// Where crates may export functions to C.
const USER_MODE: &str = "kernel/user";
/// How exports of a DLL begin.
const EXPORTS: [&str; 2] = ["exports! {", "c_interface::exports! {"];

/// The uses of unsafe in one crate.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    blocks: usize,
    functions: usize,
    impls: usize,
    traits: usize,
    externs: usize,
    attributes: usize,
}

impl Counts {
    fn add(&mut self, kind: UnsafeKind) {
        match kind {
            UnsafeKind::Block => self.blocks += 1,
            UnsafeKind::Function => self.functions += 1,
            UnsafeKind::Impl => self.impls += 1,
            UnsafeKind::Trait => self.traits += 1,
            UnsafeKind::Extern => self.externs += 1,
            UnsafeKind::Attribute => self.attributes += 1,
        }
    }
}

/// No unsafe above the floor.
pub(super) fn on_the_floor(sources: &Sources, table: &Table) -> Problems {
    let mut problems = Vec::new();
    for file in sources
        .files
        .iter()
        .filter(|file| !table.is_floor(&file.package))
    {
        for unsafe_use in &file.uses {
            problems.push(format!(
                "{}:{}: unsafe outside the floor: let arch or gic give what is needed, safely",
                file.path.display(),
                unsafe_use.line
            ));
        }
    }
    problems
}

/// Every library and program above the floor forbids unsafe, so that the compiler says so first.
pub(super) fn forbidden_above(
    workspace: &Workspace,
    packages: &Packages,
    table: &Table,
) -> Result<Problems> {
    let mut problems = Vec::new();
    for package in packages
        .packages
        .iter()
        .filter(|package| !table.is_floor(&package.name))
    {
        for target in package.targets.iter().filter(|target| target.is_product()) {
            let shown = workspace.relative(&target.src_path);
            let text = fs::read_to_string(&target.src_path)
                .with_context(|| format!("{} cannot be read", shown.display()))?;
            let has_entry = text
                .lines()
                .any(|line| ENTRIES.iter().any(|entry| line.trim().starts_with(entry)))
                || shown.starts_with(USER_MODE) && has_exports(&target.src_path)?;
            let wanted = if has_entry {
                ENTRY_ATTRIBUTE
            } else {
                ATTRIBUTE
            };
            if !text.lines().any(|line| line.trim() == wanted) {
                problems.push(format!(
                    "{}: it does not say {wanted}: add it",
                    shown.display()
                ));
            }
        }
    }
    Ok(problems)
}

/// Whether a crate exports functions to C: the floor's macro for that carries an `allow` of its own too.
fn has_exports(root: &Path) -> Result<bool> {
    let mut folders = vec![root.parent().unwrap_or(root).to_path_buf()];
    while let Some(folder) = folders.pop() {
        let cannot = || format!("the folder {} cannot be read", folder.display());
        for entry in fs::read_dir(&folder).with_context(cannot)? {
            let path = entry.with_context(cannot)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path)
                    .with_context(|| format!("{} cannot be read", path.display()))?;
                if text.lines().any(|line| EXPORTS.contains(&line.trim())) {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}

/// Every block and every implementation has its argument directly above.
pub(super) fn argued(sources: &Sources) -> Problems {
    let mut problems = Vec::new();
    for file in &sources.files {
        let lines: Vec<&str> = file.text.lines().collect();
        for unsafe_use in file
            .uses
            .iter()
            .filter(|unsafe_use| needs_argument(unsafe_use))
        {
            if !has_argument(&lines, unsafe_use.line) {
                problems.push(format!(
                    "{}:{}: unsafe without a SAFETY comment directly above: say why it is sound",
                    file.path.display(),
                    unsafe_use.line
                ));
            }
        }
    }
    problems
}

fn needs_argument(unsafe_use: &UnsafeUse) -> bool {
    matches!(unsafe_use.kind, UnsafeKind::Block | UnsafeKind::Impl)
}

/// Looks for the comment above the statement that the line is part of.
fn has_argument(lines: &[&str], line: usize) -> bool {
    let above = lines[..line.saturating_sub(1).min(lines.len())]
        .iter()
        .rev();
    for text in above.map(|text| text.trim()) {
        if text.starts_with("//") {
            if text.contains("SAFETY:") {
                return true;
            }
        } else if text.is_empty() || text.ends_with([';', '}']) {
            // Another statement: comments above it are not about this one.
            return false;
        }
    }
    false
}

/// Compares the number of uses in each crate with the golden ones, or writes them anew.
pub(super) fn counts(
    workspace: &Workspace,
    packages: &Packages,
    sources: &Sources,
    bless: bool,
) -> Result<Problems> {
    let now = count(packages, &sources.files);
    let path = workspace.root().join(GOLDEN);
    if bless {
        let text = toml::to_string(&now).context("the counts cannot be written as TOML")?;
        let folder = path.parent().context("the golden file has no folder")?;
        fs::create_dir_all(folder).with_context(|| format!("{GOLDEN} cannot be written"))?;
        fs::write(&path, format!("{HEADING}{text}"))
            .with_context(|| format!("{GOLDEN} cannot be written"))?;
        return Ok(Problems::new());
    }
    if !path.exists() {
        return Ok(vec![format!(
            "there is no {GOLDEN}: make it with `cargo xtask check --bless`"
        )]);
    }
    let golden: BTreeMap<String, Counts> = board::read(workspace, &path)?;
    Ok(differences(&golden, &now))
}

/// Crates without any unsafe are not listed.
fn count(packages: &Packages, files: &[SourceFile]) -> BTreeMap<String, Counts> {
    let mut all = BTreeMap::new();
    for package in &packages.packages {
        let mut counts = Counts::default();
        let own = files.iter().filter(|file| file.package == package.name);
        own.flat_map(|file| &file.uses)
            .for_each(|unsafe_use| counts.add(unsafe_use.kind));
        if counts != Counts::default() {
            all.insert(package.name.clone(), counts);
        }
    }
    all
}

fn differences(golden: &BTreeMap<String, Counts>, now: &BTreeMap<String, Counts>) -> Problems {
    let mut names: Vec<&String> = golden.keys().chain(now.keys()).collect();
    names.sort();
    names.dedup();
    let of = |counts: &BTreeMap<String, Counts>, name: &String| {
        counts.get(name).copied().unwrap_or_default()
    };
    names
        .into_iter()
        .filter(|name| of(golden, name) != of(now, name))
        .map(|name| {
            format!(
                "{name} says unsafe otherwise than {GOLDEN} has it: look at it, then `cargo xtask check --bless`\n  golden {:?}\n  now    {:?}",
                of(golden, name),
                of(now, name)
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_stand_above_their_statement() {
        let text = "\
// SAFETY: it is so.
let a = unsafe { one() };
let b = unsafe { two() };
// SAFETY: it is so,
// and for another reason.
#[expect(x)]
let c =
    unsafe { three() };

unsafe { four() };
fn f() {
    // SAFETY: here too.
    unsafe { five() }
}";
        let lines: Vec<&str> = text.lines().collect();
        let verdicts: Vec<bool> = [2, 3, 8, 10, 13]
            .map(|line| has_argument(&lines, line))
            .to_vec();
        assert_eq!(verdicts, [true, false, true, false, true]);
    }

    #[test]
    fn a_changed_count_is_told() {
        let with = |blocks| {
            BTreeMap::from([(
                "arch".to_owned(),
                Counts {
                    blocks,
                    ..Counts::default()
                },
            )])
        };
        assert!(differences(&with(3), &with(3)).is_empty());
        assert!(differences(&with(3), &with(4))[0].contains("blocks: 4"));
        assert_eq!(differences(&with(3), &BTreeMap::new()).len(), 1);
    }
}
