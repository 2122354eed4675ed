//! Results of tests: how they are kept between runs, and how they are shown.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// How a test ended.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// As it should.
    Passed,
    /// Not as it should.
    Failed,
}

/// The result of one test.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct TestResult {
    /// The test's full name.
    #[serde(skip)]
    pub(crate) name: String,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// How long it took, in seconds.
    pub(crate) seconds: f64,
    /// Why it failed; empty if it passed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) reason: String,
    /// All that it printed.
    #[serde(skip)]
    pub(crate) log: String,
}

impl TestResult {
    /// One line for the person who waits.
    pub(crate) fn line(&self) -> String {
        match self.outcome {
            Outcome::Passed => format!("passed {} ({:.1} s)", self.name, self.seconds),
            Outcome::Failed => format!(
                "FAILED {} ({:.1} s): {}",
                self.name, self.seconds, self.reason
            ),
        }
    }

    /// The log, set off from what the tool itself prints.
    pub(crate) fn quoted_log(&self) -> String {
        if self.log.trim().is_empty() {
            return "    | (nothing was printed)\n".to_owned();
        }
        self.log
            .lines()
            .map(|line| format!("    | {}\n", line.trim_end_matches('\r')))
            .collect()
    }
}

/// Reads the last results by name; no file means that nothing was ever run.
pub(crate) fn load(path: &Path) -> Result<BTreeMap<String, TestResult>> {
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let text =
        fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is damaged: remove it and run the tests again",
            path.display()
        )
    })
}

/// Adds these results to those that are kept: a filtered run leaves the others as they were.
pub(super) fn store(path: &Path, new: &[TestResult]) -> Result<()> {
    let mut all = load(path).unwrap_or_default();
    all.extend(
        new.iter()
            .map(|result| (result.name.clone(), result.clone())),
    );
    let text =
        serde_json::to_string_pretty(&all).context("the results cannot be written as JSON")?;
    fs::write(path, text + "\n").with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(name: &str, outcome: Outcome) -> TestResult {
        TestResult {
            name: name.into(),
            outcome,
            seconds: 1.5,
            reason: String::new(),
            log: "a\r\nb\n".into(),
        }
    }

    #[test]
    fn a_later_run_adds_and_replaces() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("results.json");
        assert!(load(&path).unwrap().is_empty());
        store(
            &path,
            &[result("a", Outcome::Failed), result("b", Outcome::Passed)],
        )
        .unwrap();
        store(&path, &[result("a", Outcome::Passed)]).unwrap();
        let all = load(&path).unwrap();
        assert_eq!(all.len(), 2);
        assert!(all.values().all(|result| result.outcome == Outcome::Passed));
    }

    #[test]
    fn logs_are_quoted() {
        assert_eq!(
            result("a", Outcome::Passed).quoted_log(),
            "    | a\n    | b\n"
        );
        assert!(
            TestResult {
                log: String::new(),
                ..result("a", Outcome::Passed)
            }
            .quoted_log()
            .contains("nothing")
        );
    }
}
