//! The lists of names that Windows 10's DLLs export, each with what becomes of it here.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// ntdll's list.
pub(super) const NTDLL: &str = "kernel/user/ntdll/exports.txt";
/// The list of kernel32 and kernelbase.
pub(super) const WIN32: &str = "kernel/user/kernel32/exports.txt";

/// What becomes of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is exported.
    Done,
    /// It is not there.
    Planned,
    /// It is exported, and Windows 10 does not have it: the reason.
    Extra(String),
    /// kernel32 has a function of its own.
    Own,
    /// Another DLL has it.
    HandedOn(String),
}

/// One row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The DLLs that export it, a letter each; of ntdll's list nothing.
    pub(super) dlls: String,
    pub(super) name: String,
    pub(super) state: State,
}

/// Reads ntdll's list.
pub(super) fn ntdll(workspace: &Workspace) -> Result<Vec<Row>> {
    read(workspace, NTDLL, ntdll_row)
}

/// Reads the list of kernel32 and kernelbase.
pub(super) fn win32(workspace: &Workspace) -> Result<Vec<Row>> {
    read(workspace, WIN32, win32_row)
}

fn read(workspace: &Workspace, path: &str, row: impl Fn(&str) -> Option<Row>) -> Result<Vec<Row>> {
    let text = fs::read_to_string(workspace.root().join(path))
        .with_context(|| format!("{path} cannot be read"))?;
    let mut rows: Vec<Row> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('#') {
            continue;
        }
        let Some(row) = row(line) else {
            bail!("{path}:{}: `{line}` says nothing: correct it", index + 1);
        };
        if let Some(last) = rows.last()
            && key(&last.name) >= key(&row.name)
        {
            bail!(
                "{path}:{}: {} belongs before {}, and once: move it",
                index + 1,
                row.name,
                last.name
            );
        }
        rows.push(row);
    }
    Ok(rows)
}

/// By what names are sorted: as people look them up.
fn key(name: &str) -> (String, &str) {
    (name.to_ascii_lowercase(), name)
}

fn ntdll_row(line: &str) -> Option<Row> {
    let (name, state) = line.split_once(' ')?;
    let state = match state {
        "done" => State::Done,
        "planned" => State::Planned,
        _ => State::Extra(state.strip_prefix("extra: ")?.to_owned()),
    };
    Some(Row {
        dlls: String::new(),
        name: name.to_owned(),
        state,
    })
}

fn win32_row(line: &str) -> Option<Row> {
    let (dlls, rest) = line.split_once(' ')?;
    let (name, state) = rest.split_once(' ')?;
    let state = match state {
        "done" => State::Done,
        "planned" => State::Planned,
        "own" => State::Own,
        _ => State::HandedOn(state.strip_prefix("= ")?.to_owned()),
    };
    ["k", "b", "kb"].contains(&dlls).then(|| Row {
        dlls: dlls.to_owned(),
        name: name.to_owned(),
        state,
    })
}

/// ntdll's list with the states `done` and `planned` as they are.
pub(super) fn with_states(text: &str, is_there: impl Fn(&str) -> bool) -> String {
    let line = |line: &str| match line.split_once(' ') {
        Some((name, "done" | "planned")) if !line.starts_with('#') => {
            let state = if is_there(name) { "done" } else { "planned" };
            format!("{name} {state}\n")
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_say_what_becomes_of_a_name() {
        let state = |row: Option<Row>| row.map(|row| row.state);
        assert_eq!(state(ntdll_row("NtClose done")), Some(State::Done));
        assert_eq!(
            state(ntdll_row("exp extra: of C")),
            Some(State::Extra("of C".into()))
        );
        assert_eq!(state(ntdll_row("NtClose maybe")), None);
        assert_eq!(
            state(win32_row("kb HeapAlloc = ntdll.RtlAllocateHeap")),
            Some(State::HandedOn("ntdll.RtlAllocateHeap".into()))
        );
        assert_eq!(
            state(win32_row("k BaseThreadInitThunk own")),
            Some(State::Own)
        );
        assert_eq!(state(win32_row("x Nothing done")), None);
    }

    #[test]
    fn states_are_set_and_the_rest_stays() {
        let text = "# a planned comment\nA planned\nB done\nC extra: done\n";
        let expected = "# a planned comment\nA done\nB planned\nC extra: done\n";
        assert_eq!(with_states(text, |name| name == "A"), expected);
    }
}
