//! Rules on the shape of files: opening comments, lengths, where architectures are named.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::check::Problems;
use crate::check::packages::Packages;
use crate::check::source::Sources;
use crate::workspace::Workspace;

/// The most lines that a function may have.
const LONGEST_FUNCTION: usize = 100;
/// The condition by which code asks for an architecture; written so that this file is not found.
const CONDITION: &str = concat!("target", "_arch");
/// The folders in which it may: the kernel's floor, and user mode's.
const ARCHITECTURES: [&str; 7] = [
    "arch",
    "kernel/user/c-interface",
    "kernel/user/stubs",
    "kernel/user/entries",
    "kernel/user/fibers",
    "kernel/user/funclets",
    "kernel/user/flat-program",
];

/// Every file says what it is for before anything else.
pub(super) fn opening_comments(sources: &Sources) -> Problems {
    let opens = |text: &str| {
        text.lines()
            .find(|line| !line.trim().is_empty())
            .is_none_or(|line| line.starts_with("//"))
    };
    let without = sources.files.iter().filter(|file| !opens(&file.text));
    without
        .map(|file| {
            format!(
                "{}: it does not open with a comment: say what the module is for",
                file.path.display()
            )
        })
        .collect()
}

/// No function is longer than a screenful or two.
pub(super) fn function_lengths(sources: &Sources) -> Problems {
    let mut problems = Vec::new();
    for file in &sources.files {
        for function in file
            .functions
            .iter()
            .filter(|function| function.lines > LONGEST_FUNCTION)
        {
            problems.push(format!(
                "{}:{}: {} has {} lines: make it several functions",
                file.path.display(),
                function.line,
                function.name,
                function.lines
            ));
        }
    }
    problems
}

/// Architectures are told apart on the floor only.
pub(super) fn architectures(
    workspace: &Workspace,
    packages: &Packages,
    sources: &Sources,
) -> Result<Problems> {
    let mut texts: Vec<(String, String)> = Vec::new();
    for file in sources
        .files
        .iter()
        .filter(|file| !may_name_architectures(&file.path))
    {
        texts.push((file.path.display().to_string(), file.text.clone()));
    }
    for package in &packages.packages {
        let shown = workspace.relative(&package.manifest_path);
        if !may_name_architectures(shown) {
            let text = fs::read_to_string(&package.manifest_path);
            texts.push((
                shown.display().to_string(),
                text.with_context(|| format!("{} cannot be read", shown.display()))?,
            ));
        }
    }
    let mut problems = Vec::new();
    for (path, text) in texts {
        for (index, _) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| line.contains(CONDITION))
        {
            problems.push(format!(
                "{path}:{}: {CONDITION} outside {}/: move the difference there",
                index + 1,
                ARCHITECTURES.join("/ and ")
            ));
        }
    }
    Ok(problems)
}

pub(super) fn may_name_architectures(path: &Path) -> bool {
    ARCHITECTURES.iter().any(|folder| path.starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::source::{Function, SourceFile};

    fn one(text: &str, lines: usize) -> Sources {
        let file = SourceFile {
            package: "ke".into(),
            path: "kernel/ke/src/x.rs".into(),
            text: text.into(),
            uses: Vec::new(),
            functions: vec![Function {
                name: "f".into(),
                line: 3,
                lines,
            }],
        };
        Sources {
            files: vec![file],
            unreadable: Vec::new(),
        }
    }

    #[test]
    fn comments_come_first() {
        assert!(opening_comments(&one("\n//! Good.\nuse x;", 1)).is_empty());
        assert_eq!(opening_comments(&one("use x;\n//! Late.", 1)).len(), 1);
    }

    #[test]
    fn a_hundred_lines_are_the_most() {
        assert!(function_lengths(&one("", 100)).is_empty());
        assert!(function_lengths(&one("", 101))[0].contains("x.rs:3: f has 101 lines"));
    }

    #[test]
    fn architectures_stay_in_their_folder() {
        let workspace = Workspace::discover().unwrap();
        let none = Packages {
            packages: Vec::new(),
        };
        let text = format!("// x\n#[cfg({CONDITION} = \"aarch64\")]\n");
        assert!(architectures(&workspace, &none, &one(&text, 1)).unwrap()[0].contains("x.rs:2"));
    }
}
