//! `exports`: which of the names that Windows 10's DLLs export are there, the page `docs/exports.md`, and the check that
//! lists and sources agree.

mod lists;
mod sources;

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, bail};
use nt_abi::services::{SERVICES, State as ServiceState};

use crate::workspace::Workspace;
use lists::{Row, State};

/// The page.
pub(crate) const PAGE: &str = "docs/exports.md";

/// The crates that ntdll.dll is made of and that export something.
const NTDLL: [&str; 3] = ["entries", "ntdll", "user-rtl"];
/// What ntdll's build script has the linker export.
const LINKED: [&str; 4] = ["memcmp", "memcpy", "memmove", "memset"];

const OPENING: &str = "\
# Exports

The names that the 64-bit ntdll.dll, kernel32.dll and kernelbase.dll of Windows 10 export, and which of them are there.
This page is written by `cargo xtask exports` from `kernel/user/ntdll/exports.txt` and `kernel/user/kernel32/exports.txt`;
a test holds the lists to the sources.

The names are facts from public lists: the import libraries of mingw-w64, the specifications of Wine and ReactOS. Of ntdll
the names of x64 and ARM64 are taken together. What is exported is done as far as its documentation in the source says
under *Differs*; what is not exported stops a program when it is loaded, with the name on the console.
";

/// `cargo xtask exports`: writes ntdll's list and the page anew, and prints how much is there.
pub(crate) fn command(workspace: &Workspace) -> Result<()> {
    let problems = problems(workspace)?;
    write(workspace)?;
    for (dll, share) in shares(workspace)? {
        println!("{dll}: {share}");
    }
    let left = self::problems(workspace)?;
    if !left.is_empty() {
        bail!("{}", left.join("\n"));
    }
    let state = if problems.is_empty() {
        "were up to date"
    } else {
        "are written anew"
    };
    println!("{} and {PAGE} {state}", lists::NTDLL);
    Ok(())
}

/// Writes what the sources say into ntdll's list, and the page.
pub(crate) fn write(workspace: &Workspace) -> Result<()> {
    let path = workspace.root().join(lists::NTDLL);
    let text =
        fs::read_to_string(&path).with_context(|| format!("{} cannot be read", lists::NTDLL))?;
    let there = ntdll_exports(workspace)?;
    let new = lists::with_states(&text, |name| there.contains(name));
    fs::write(&path, new).with_context(|| format!("{} cannot be written", lists::NTDLL))?;
    fs::write(workspace.root().join(PAGE), page(workspace)?)
        .with_context(|| format!("{PAGE} cannot be written"))
}

/// Where lists, sources and page disagree, a sentence each.
pub(crate) fn problems(workspace: &Workspace) -> Result<Vec<String>> {
    let mut problems = ntdll_problems(&lists::ntdll(workspace)?, &ntdll_exports(workspace)?);
    problems.extend(win32_problems(
        &lists::win32(workspace)?,
        &sources::of_crates(workspace, &["kernelbase"])?,
        &sources::of_crates(workspace, &["kernel32"])?,
        &lists::ntdll(workspace)?,
    ));
    let written = fs::read_to_string(workspace.root().join(PAGE)).unwrap_or_default();
    if written != page(workspace)? {
        problems.push(format!(
            "{PAGE} is not what the lists make: write it anew with `cargo xtask exports`"
        ));
    }
    Ok(problems)
}

/// The names that ntdll exports, without the second names of services.
fn ntdll_exports(workspace: &Workspace) -> Result<BTreeSet<String>> {
    let mut names = sources::of_crates(workspace, &NTDLL)?;
    names.extend(SERVICES.iter().map(|service| service.name.to_owned()));
    names.extend(LINKED.map(str::to_owned));
    Ok(names)
}

fn ntdll_problems(rows: &[Row], there: &BTreeSet<String>) -> Vec<String> {
    let listed: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let mut problems: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let said = row.state != State::Planned;
            let name = &row.name;
            match (said, there.contains(name)) {
                (true, false) => Some(format!(
                    "ntdll does not export {name}, which its list says: run `cargo xtask exports`"
                )),
                (false, true) => Some(format!(
                    "ntdll exports {name}, and its list does not say so: run `cargo xtask exports`"
                )),
                _ => None,
            }
        })
        .collect();
    problems.extend(
        there
            .iter()
            .filter(|name| !listed.contains(name.as_str()))
            .map(|name| format!("ntdll exports {name}, which Windows 10 does not: take it out, or add a row `{name} extra: REASON` to {}", lists::NTDLL)),
    );
    problems
}

fn win32_problems(
    rows: &[Row],
    kernelbase: &BTreeSet<String>,
    kernel32: &BTreeSet<String>,
    ntdll: &[Row],
) -> Vec<String> {
    let list = lists::WIN32;
    let mut problems = Vec::new();
    for Row { dlls, name, state } in rows {
        let is = [
            kernelbase.contains(name),
            dlls.contains('k') && kernel32.contains(name),
        ];
        let should_be = [*state == State::Done, *state == State::Own];
        for (dll, (is, should_be)) in ["kernelbase", "kernel32"]
            .into_iter()
            .zip(is.into_iter().zip(should_be))
        {
            if is != should_be {
                let has = if is { "has" } else { "has no" };
                problems.push(format!(
                    "{dll} {has} function {name}, and {list} says otherwise: correct it"
                ));
            }
        }
        if let State::HandedOn(target) = state
            && let Some(name) = target.strip_prefix("ntdll.")
            && !ntdll
                .iter()
                .any(|row| row.name == name && row.state != State::Planned)
        {
            problems.push(format!(
                "{list} hands on to {target}, which is not there: correct it"
            ));
        }
    }
    let listed: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let all = kernelbase.union(kernel32);
    let unlisted = all.filter(|name| !listed.contains(name.as_str()) && !is_entry(name));
    problems.extend(
        unlisted
            .map(|name| format!("{name} is exported, and not in {list}: take it out, or add it")),
    );
    problems
}

/// Entry points, which the linker names and nobody imports.
fn is_entry(name: &str) -> bool {
    name == "KernelBaseDllInitialize"
}

/// How much of each DLL is there: `3 of 40 names (7 %)`.
fn shares(workspace: &Workspace) -> Result<[(&'static str, String); 3]> {
    let ntdll = lists::ntdll(workspace)?;
    let win32 = lists::win32(workspace)?;
    let of = |letter: char| win32.iter().filter(move |row| row.dlls.contains(letter));
    Ok([
        ("ntdll", share(ntdll.iter())),
        ("kernel32", share(of('k'))),
        ("kernelbase", share(of('b'))),
    ])
}

fn share<'r>(rows: impl Iterator<Item = &'r Row>) -> String {
    let (mut all, mut done) = (0usize, 0usize);
    for row in rows {
        match row.state {
            State::Extra(_) => {}
            State::Planned => all += 1,
            State::Done | State::Own | State::HandedOn(_) => {
                all += 1;
                done += 1;
            }
        }
    }
    format!("{done} of {all} names ({} %)", done * 100 / all.max(1))
}

fn page(workspace: &Workspace) -> Result<String> {
    let ntdll = lists::ntdll(workspace)?;
    let win32 = lists::win32(workspace)?;
    let mut page = OPENING.to_owned();
    page += "\n| DLL | there |\n|---|---|\n";
    for (dll, share) in shares(workspace)? {
        page += &format!("| [{dll}](#{dll}) | {share} |\n");
    }
    page += &ntdll_section(&ntdll);
    page += &win32_section(
        "kernel32",
        "Most of it is handed on to kernelbase, which is what `done` means here.",
        win32.iter().filter(|row| row.dlls.contains('k')),
    );
    page += &win32_section(
        "kernelbase",
        "Programs reach it through kernel32 and by the names of API sets.",
        win32.iter().filter(|row| row.dlls.contains('b')),
    );
    Ok(page)
}

fn ntdll_section(rows: &[Row]) -> String {
    let mut text = String::from(
        "
## ntdll

Names in `Nt` are system services, and each has a second name in `Zw`, which is not listed. A service whose row in
[services.md](services.md) is planned is exported too, and answers `STATUS_NOT_IMPLEMENTED`: here it is `not implemented`.

| name | state |
|---|---|
",
    );
    let is_planned = |name: &str| {
        SERVICES
            .iter()
            .any(|service| service.name == name && service.state == ServiceState::Planned)
    };
    let is_of_windows = |row: &&Row| !matches!(row.state, State::Extra(_));
    for row in rows.iter().filter(is_of_windows) {
        let state = match row.state {
            State::Done if is_planned(&row.name) => "not implemented",
            State::Done => "done",
            _ => "planned",
        };
        text += &format!("| `{}` | {state} |\n", row.name);
    }
    text += "\nWhat is exported although Windows 10 has it not:\n\n| name | why |\n|---|---|\n";
    for row in rows {
        if let State::Extra(reason) = &row.state {
            text += &format!("| `{}` | {reason} |\n", row.name);
        }
    }
    text
}

fn win32_section<'r>(dll: &str, about: &str, rows: impl Iterator<Item = &'r Row>) -> String {
    let mut text = format!("\n## {dll}\n\n{about}\n\n| name | state |\n|---|---|\n");
    for row in rows {
        let state = match &row.state {
            State::Done | State::Own => "done".to_owned(),
            State::HandedOn(target) => format!("`{target}`"),
            State::Planned | State::Extra(_) => "planned".to_owned(),
        };
        text += &format!("| `{}` | {state} |\n", row.name);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_sources_and_page_agree() {
        let workspace = Workspace::discover().unwrap();
        let problems = problems(&workspace).unwrap();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }

    fn row(dlls: &str, name: &str, state: State) -> Row {
        Row {
            dlls: dlls.into(),
            name: name.into(),
            state,
        }
    }

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn each_disagreement_of_ntdll_is_a_sentence() {
        let rows = [
            row("", "A", State::Done),
            row("", "B", State::Planned),
            row("", "C", State::Extra("why".into())),
        ];
        assert!(ntdll_problems(&rows, &names(&["A", "C"])).is_empty());
        let said = ntdll_problems(&rows, &names(&["B", "D"]));
        assert_eq!(said.len(), 4);
        assert!(said[0].starts_with("ntdll does not export A,"));
        assert!(said[1].starts_with("ntdll exports B,"));
        assert!(said[2].starts_with("ntdll does not export C,"));
        assert!(said[3].starts_with("ntdll exports D, which Windows 10 does not"));
    }

    #[test]
    fn each_disagreement_of_win32_is_a_sentence() {
        let ntdll = [row("", "RtlThere", State::Done)];
        let rows = [
            row("kb", "Base", State::Done),
            row("k", "Own", State::Own),
            row("k", "Further", State::HandedOn("ntdll.RtlThere".into())),
            row("b", "Later", State::Planned),
        ];
        let said = |base: &[&str], own: &[&str], ntdll: &[Row]| {
            win32_problems(&rows, &names(base), &names(own), ntdll)
        };
        assert!(said(&["Base"], &["Own"], &ntdll).is_empty());
        assert_eq!(said(&["Base"], &["Own"], &[]).len(), 1);
        assert_eq!(said(&["Later"], &["Own"], &ntdll).len(), 2);
        assert_eq!(said(&["Base", "Odd"], &[], &ntdll).len(), 2);
    }

    #[test]
    fn shares_are_of_what_windows_has() {
        let rows = [
            row("", "A", State::Done),
            row("", "B", State::Planned),
            row("", "C", State::Extra("why".into())),
        ];
        assert_eq!(share(rows.iter()), "1 of 2 names (50 %)");
        assert_eq!(share([].iter()), "0 of 0 names (0 %)");
    }
}
