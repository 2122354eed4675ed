//! Tests that run on the host: built once by Cargo, listed, and run crate by crate.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::build::programs;
use crate::progress::{self, Step};
use crate::test::results::{Outcome, TestResult};
use crate::workspace::Workspace;

/// The tests of one built program.
#[derive(Clone, Debug)]
struct Program {
    crate_name: String,
    folder: PathBuf,
    executable: PathBuf,
    /// The names of its tests, as it knows them.
    tests: Vec<String>,
    /// Whether all of its tests are wanted.
    whole: bool,
}

/// The host's tests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Suite {
    programs: Vec<Program>,
    /// Whether the examples in documentation are run too; Cargo finds them itself.
    examples: bool,
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Builds the tests of all crates but the one whose programs run in machines alone.
pub(crate) fn build(workspace: &Workspace) -> Result<Suite> {
    let step = Step::start("building the host's tests");
    let mut command = cargo();
    command
        .args([
            "test",
            "--no-run",
            "--workspace",
            "--exclude",
            programs::PACKAGE,
            "--message-format",
            "json-render-diagnostics",
        ])
        .current_dir(workspace.root());
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| progress::could_not_start(&command))?;
    let output = child.stdout.take().context("Cargo gives no output")?;
    let mut programs = Vec::new();
    for line in BufReader::new(output).lines() {
        let line = line.context("cannot read what Cargo says")?;
        if let Some(program) = program(&line)? {
            step.note(program.crate_name.clone());
            programs.push(program);
        }
    }
    if !child.wait().context("cannot wait for Cargo")?.success() {
        bail!("the host's tests do not build: what the compiler said is above");
    }
    programs.sort_by(|a, b| a.executable.cmp(&b.executable));
    programs.sort_by(|a, b| a.crate_name.cmp(&b.crate_name));
    step.done();
    Ok(Suite {
        programs,
        examples: true,
    })
}

/// Reads one of Cargo's messages: only those of finished test programs matter.
fn program(message: &str) -> Result<Option<Program>> {
    let message: serde_json::Value =
        serde_json::from_str(message).context("Cargo's message is no JSON")?;
    let is_test = message["profile"]["test"] == true;
    let (Some(executable), Some(manifest)) = (
        message["executable"].as_str(),
        message["manifest_path"].as_str(),
    ) else {
        return Ok(None);
    };
    if !is_test {
        return Ok(None);
    }
    let folder = Path::new(manifest)
        .parent()
        .context("Cargo names no folder")?
        .to_path_buf();
    let executable = PathBuf::from(executable);
    let listed = Command::new(&executable)
        .args(["--list", "--format", "terse"])
        .current_dir(&folder)
        .output();
    let listed =
        listed.with_context(|| format!("{} could not be started", executable.display()))?;
    let text = String::from_utf8_lossy(&listed.stdout);
    let tests = text
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .map(str::to_owned)
        .collect();
    let crate_name = message["target"]["name"]
        .as_str()
        .unwrap_or_default()
        .replace('_', "-");
    Ok(Some(Program {
        crate_name,
        folder,
        executable,
        tests,
        whole: true,
    }))
}

impl Suite {
    /// The tests whose name contains the filter.
    pub(crate) fn select(self, filter: &str) -> Self {
        let mut programs = self.programs;
        for program in &mut programs {
            let before = program.tests.len();
            let crate_name = program.crate_name.clone();
            program
                .tests
                .retain(|test| full_name(&crate_name, test).contains(filter));
            program.whole = program.tests.len() == before;
        }
        programs.retain(|program| !program.tests.is_empty());
        Self {
            programs,
            examples: self.examples && "host.doc".starts_with(filter),
        }
    }

    /// Whether there is nothing to run.
    pub(crate) fn is_empty(&self) -> bool {
        self.programs.is_empty() && !self.examples
    }

    /// The full names of all tests, without examples in documentation.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.programs.iter().flat_map(|program| {
            program
                .tests
                .iter()
                .map(|test| full_name(&program.crate_name, test))
        })
    }

    /// Runs them.
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<Vec<TestResult>> {
        let step = Step::counted(
            "running the host's tests",
            self.programs.len() + usize::from(self.examples),
        );
        let mut all = Vec::new();
        for program in &self.programs {
            let results = program.run(&step)?;
            step.advance(&summary(&program.crate_name, &results));
            all.extend(results);
        }
        if self.examples {
            let results = examples(workspace, &step)?;
            step.advance(&summary("doc", &results));
            all.extend(results);
        }
        step.done();
        Ok(all)
    }
}

fn full_name(crate_name: &str, test: &str) -> String {
    format!("host.{crate_name}.{}", test.replace("::", "."))
}

fn summary(crate_name: &str, results: &[TestResult]) -> String {
    let failed = results
        .iter()
        .filter(|result| result.outcome == Outcome::Failed)
        .count();
    format!(
        "host.{crate_name}: {} passed, {failed} failed",
        results.len() - failed
    )
}

impl Program {
    fn run(&self, step: &Step) -> Result<Vec<TestResult>> {
        let mut command = Command::new(&self.executable);
        command
            .current_dir(&self.folder)
            .env("CARGO_MANIFEST_DIR", &self.folder);
        if !self.whole {
            command.arg("--exact").args(&self.tests);
        }
        let started = Instant::now();
        let finished = step.run(&mut command)?;
        let seconds = started.elapsed().as_secs_f64();
        let mut results = read_results(&finished.output, seconds, |test| {
            full_name(&self.crate_name, test)
        });
        // A program that dies takes the results of its other tests along.
        for test in &self.tests {
            let name = full_name(&self.crate_name, test);
            if !results.iter().any(|result| result.name == name)
                && !is_ignored(&finished.output, test)
            {
                results.push(failure(
                    name,
                    format!("its program ended before it ({})", finished.status),
                    &finished.output,
                ));
            }
        }
        if !finished.status.success()
            && results
                .iter()
                .all(|result| result.outcome == Outcome::Passed)
        {
            let name = format!("host.{}", self.crate_name);
            results.push(failure(
                name,
                format!("its program failed ({})", finished.status),
                &finished.output,
            ));
        }
        Ok(results)
    }
}

fn failure(name: String, reason: String, log: &str) -> TestResult {
    TestResult {
        name,
        outcome: Outcome::Failed,
        seconds: 0.0,
        reason,
        log: log.to_owned(),
    }
}

fn is_ignored(output: &str, test: &str) -> bool {
    output.lines().any(|line| {
        line.strip_prefix("test ")
            .and_then(|rest| rest.strip_prefix(test))
            .is_some_and(|rest| rest.starts_with(" ... ignored"))
    })
}

/// The examples in documentation, through Cargo, which alone knows how they are built.
fn examples(workspace: &Workspace, step: &Step) -> Result<Vec<TestResult>> {
    let mut command = cargo();
    command
        .args(["test", "--doc", "--no-fail-fast"])
        .current_dir(workspace.root());
    let started = Instant::now();
    let finished = step.run(&mut command)?;
    let seconds = started.elapsed().as_secs_f64();
    let mut results = Vec::new();
    for (crate_name, output) in by_crate(&finished.output) {
        results.extend(read_results(&output, seconds, |test| {
            format!("host.doc.{crate_name}.{test}")
        }));
    }
    if !finished.status.success()
        && results
            .iter()
            .all(|result| result.outcome == Outcome::Passed)
    {
        results.push(failure(
            "host.doc".into(),
            format!("`cargo test --doc` failed ({})", finished.status),
            &finished.output,
        ));
    }
    Ok(results)
}

/// Splits the output at Cargo's headings.
fn by_crate(output: &str) -> BTreeMap<String, String> {
    let mut parts: BTreeMap<String, String> = BTreeMap::new();
    let mut current = None;
    for line in output.lines() {
        if let Some(name) = line.trim_start().strip_prefix("Doc-tests ") {
            current = Some(name.trim().to_owned());
        } else if let Some(name) = &current {
            let part = parts.entry(name.clone()).or_default();
            part.push_str(line);
            part.push('\n');
        }
    }
    parts
}

/// Reads what the test harness prints: a line for each test, then a section for each that failed.
fn read_results(output: &str, seconds: f64, name: impl Fn(&str) -> String) -> Vec<TestResult> {
    let lines: Vec<(&str, &str)> = output
        .lines()
        .filter_map(|line| line.strip_prefix("test ")?.rsplit_once(" ... "))
        .filter(|(_, end)| *end == "ok" || *end == "FAILED")
        .collect();
    let each = seconds / f64::from(u32::try_from(lines.len().max(1)).unwrap_or(u32::MAX));
    lines
        .into_iter()
        .map(|(test, end)| {
            let test = test.trim_end_matches(" - should panic");
            let failed = end == "FAILED";
            TestResult {
                name: name(test),
                outcome: if failed {
                    Outcome::Failed
                } else {
                    Outcome::Passed
                },
                seconds: each,
                reason: if failed {
                    "it failed on the host".into()
                } else {
                    String::new()
                },
                log: if failed {
                    section(output, test)
                } else {
                    String::new()
                },
            }
        })
        .collect()
}

/// What a failed test printed.
fn section(output: &str, test: &str) -> String {
    let heading = format!("---- {test} stdout ----");
    let after = output.lines().skip_while(|line| *line != heading).skip(1);
    after
        .take_while(|line| !line.starts_with("---- ") && *line != "failures:")
        .map(|line| format!("{line}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\nrunning 4 tests\ntest a::good ... ok\ntest a::panics - should panic ... ok\ntest bad ... FAILED\n\
        test slow ... ignored\n\nfailures:\n\n---- bad stdout ----\nthread 'bad' panicked\nleft: 1\n\nfailures:\n    bad\n\n\
        test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";

    #[test]
    fn the_harness_is_understood() {
        let results = read_results(OUTPUT, 3.0, |test| full_name("demo", test));
        let names: Vec<&str> = results.iter().map(|result| result.name.as_str()).collect();
        assert_eq!(
            names,
            ["host.demo.a.good", "host.demo.a.panics", "host.demo.bad"]
        );
        assert_eq!(results[2].outcome, Outcome::Failed);
        assert_eq!(results[2].log, "thread 'bad' panicked\nleft: 1\n\n");
        assert!(is_ignored(OUTPUT, "slow") && !is_ignored(OUTPUT, "bad"));
    }

    #[test]
    fn examples_go_to_their_crates() {
        let output = "   Doc-tests arch\n\nrunning 1 test\ntest src/lib.rs - f (line 3) ... ok\n\n   Doc-tests ke\n\nrunning 0 tests\n";
        let parts = by_crate(output);
        assert_eq!(parts.len(), 2);
        assert_eq!(
            read_results(&parts["arch"], 1.0, str::to_owned)[0].name,
            "src/lib.rs - f (line 3)"
        );
    }
}
