//! `rows`: what the tests show of Tarn's list of systems, and how they last went.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::board;
use crate::test::results::{Outcome, TestResult};
use crate::test::{self, results};
use crate::workspace::Workspace;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RowFile {
    #[serde(default, rename = "row")]
    rows: Vec<Row>,
}

/// One row that is claimed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// The row's short name.
    id: String,
    /// The system.
    system: String,
    /// What of the row the tests show, one sentence.
    shows: String,
    /// Whether that is the whole row.
    complete: bool,
    /// Patterns over the names of tests: `*` stands for anything.
    tests: Vec<String>,
}

/// `cargo xtask rows`.
pub(crate) fn command(workspace: &Workspace) -> Result<u8> {
    let file: RowFile = board::read(workspace, &workspace.root().join("tests/rows.toml"))?;
    let mut names: Vec<String> = test::plan(workspace)?
        .into_iter()
        .map(|planned| planned.name)
        .collect();
    if file
        .rows
        .iter()
        .flat_map(|row| &row.tests)
        .any(|pattern| pattern.starts_with("host."))
    {
        names.extend(test::host::build(workspace)?.names());
    }
    let last = results::load(&workspace.results_file())?;
    let mut failed = false;
    for row in &file.rows {
        let lines = row.lines(&names, &last)?;
        println!(
            "{} {}{}",
            row.id,
            row.system,
            if row.complete { "" } else { " (in part)" }
        );
        println!("    shows: {}", row.shows);
        for line in lines {
            failed |= line.contains(" failed");
            println!("    {line}");
        }
    }
    Ok(u8::from(failed))
}

impl Row {
    /// A line for each pattern: how its tests last went.
    fn lines(&self, names: &[String], last: &BTreeMap<String, TestResult>) -> Result<Vec<String>> {
        if self.tests.is_empty() {
            bail!(
                "tests/rows.toml: the row {} names no test: add one, or do not claim the row",
                self.id
            );
        }
        self.tests
            .iter()
            .map(|pattern| {
                let matching: Vec<&String> = names.iter().filter(|name| matches(pattern, name)).collect();
                if matching.is_empty() {
                    bail!("tests/rows.toml: the row {} names the test {pattern}, which does not exist: correct it", self.id);
                }
                Ok(format!("{pattern}: {}", tally(&matching, last)))
            })
            .collect::<Result<_>>()
            .context("a row is claimed without a test")
    }
}

fn tally(names: &[&String], last: &BTreeMap<String, TestResult>) -> String {
    let count = |wanted: Option<Outcome>| {
        names
            .iter()
            .filter(|name| last.get(**name).map(|result| result.outcome) == wanted)
            .count()
    };
    let parts = [
        (Some(Outcome::Passed), "passed"),
        (Some(Outcome::Failed), "failed"),
        (None, "not run"),
    ];
    let said: Vec<String> = parts
        .into_iter()
        .map(|(outcome, word)| (count(outcome), word))
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    said.join(", ")
}

/// Whether a name fits a pattern in which `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|tail| {
            (0..=tail.len()).any(|at| tail.is_char_boundary(at) && matches(rest, &tail[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, name, fits) in [
            ("dpc.virt", "dpc.virt", true),
            ("dpc.virt", "dpc.virt.gic3", false),
            ("dpc.*", "dpc.virt.gic3", true),
            ("*.gic3.*", "dpc.virt.gic3.cpus4", true),
            ("dpc*4", "dpc.virt.gic3.cpus8", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    fn row(tests: &[&str]) -> Row {
        Row {
            id: "TRP4".into(),
            system: "DPCs".into(),
            shows: "Some.".into(),
            complete: false,
            tests: tests.iter().map(|test| (*test).to_owned()).collect(),
        }
    }

    #[test]
    fn last_results_are_counted() {
        let result = |outcome| TestResult {
            name: String::new(),
            outcome,
            seconds: 0.0,
            reason: String::new(),
            log: String::new(),
        };
        let names = ["dpc.a", "dpc.b", "dpc.c"].map(str::to_owned);
        let last = BTreeMap::from([
            ("dpc.a".to_owned(), result(Outcome::Passed)),
            ("dpc.b".to_owned(), result(Outcome::Failed)),
        ]);
        assert_eq!(
            row(&["dpc.*"]).lines(&names, &last).unwrap(),
            ["dpc.*: 1 passed, 1 failed, 1 not run"]
        );
    }

    #[test]
    fn a_row_needs_tests_that_exist() {
        let names = ["dpc.a".to_owned()];
        assert!(row(&[]).lines(&names, &BTreeMap::new()).is_err());
        assert!(
            format!(
                "{:#}",
                row(&["apc.*"]).lines(&names, &BTreeMap::new()).unwrap_err()
            )
            .contains("does not exist")
        );
    }
}
