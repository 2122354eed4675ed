//! `reference`: the conformance programs on another implementation of NT, a 64-bit Wine.
//!
//! A program's expectations are ours to get wrong. Here its checks run where the services are somebody else's: the stubs
//! become imports from ntdll.dll (the feature `reference`), the rest of the program stays as it is. Wine is no judge, and
//! so `tests/cases/wine.txt` lists the checks that it answers otherwise, each with the reason why ours stays. What is not
//! listed has to agree, and what is listed must not, or the list is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::board::Image;
use crate::build::cargo::{self, Starter};
use crate::build::programs;
use crate::progress::Step;
use crate::setup;
use crate::workspace::Workspace;

/// Checks that Wine answers otherwise.
const LIST: &str = "tests/cases/wine.txt";
/// Stands in the list for the end of a program, to which it does not come: Wine has no such service, or waits for ever.
const WHOLE: &str = "*";
/// The image whose programs Wine can run.
const IMAGE: &str = "x86_64";
/// Programs that have checks begin with this.
const PREFIX: &str = "conformance_";
/// What a program may take, with the start of Wine itself.
const LONGEST: Duration = Duration::from_secs(120);

/// Which programs.
#[derive(Args, Debug)]
pub(crate) struct ReferenceArgs {
    /// Only programs whose name contains this
    program: Option<String>,
    /// Show what the programs print
    #[arg(long, short)]
    verbose: bool,
}

/// Programs, their checks, and why Wine answers those otherwise.
type Known = BTreeMap<String, BTreeMap<String, String>>;

/// `cargo xtask reference`.
pub(crate) fn command(workspace: &Workspace, arguments: &ReferenceArgs) -> Result<u8> {
    let wine = find_wine()?;
    let path = workspace.root().join(LIST);
    let text = fs::read_to_string(&path).with_context(|| format!("{LIST} cannot be read"))?;
    let known = read_list(&text)?;
    let wanted = arguments.program.as_deref().unwrap_or("");
    let mut names = programs::flat_names(workspace)?;
    let stale = stale(&known, |program| source(workspace, &names, program))?;
    for problem in &stale {
        println!("{problem}");
    }
    names.retain(|name| name.starts_with(PREFIX) && name.contains(wanted));
    if names.is_empty() {
        bail!("no program {PREFIX}... has {wanted:?} in its name");
    }
    let folder = build(workspace)?;
    let mut problems = stale.len();
    for name in &names {
        let (output, ending) = run(workspace, &wine, &folder.join(format!("{name}.exe")))?;
        if arguments.verbose {
            println!("{}", output.trim_end());
        }
        let empty = BTreeMap::new();
        let judged = judge(&output, &ending, known.get(name).unwrap_or(&empty));
        println!(
            "{name}: {} checks agree, {} differ as listed, {} problems",
            judged.agree,
            judged.listed,
            judged.problems.len()
        );
        for problem in &judged.problems {
            println!("  {problem}");
        }
        problems += judged.problems.len();
    }
    Ok(u8::from(problems > 0))
}

/// The Wine that a person named, or the first in PATH.
fn find_wine() -> Result<PathBuf> {
    if let Some(wine) = env::var_os("WINE") {
        let wine = PathBuf::from(wine);
        if !wine.is_file() {
            bail!(
                "WINE is {}, which is no file: name a 64-bit Wine",
                wine.display()
            );
        }
        return Ok(wine);
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let found = ["wine64", "wine"].iter().find_map(|name| {
        env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
    });
    found.context(
        "there is no 64-bit Wine here: install it (Debian: apt-get install wine64 libwine), or name it with WINE=PATH",
    )
}

/// Builds the programs with imports; gives the folder that they are in.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    let tools = setup::ensure(&setup::TO_BUILD)?;
    let image = Image::load(workspace, IMAGE)?;
    let step = Step::start("building test programs for Wine".to_owned());
    let mut command = cargo::user_command(workspace, &tools, &image, Starter::Reference)?;
    command.args([
        "build",
        "--release",
        "--package",
        programs::PACKAGE,
        "--bins",
    ]);
    command.args(["--features", "reference"]);
    let said = step
        .run_checked(&mut command)
        .context("the test programs do not build for Wine")?;
    cargo::show_warnings(&said);
    step.done();
    Ok(cargo::reference_target(workspace)
        .join(&image.user.target)
        .join("release"))
}

/// The text of a program with that of its modules, if there is one of this name.
fn source(workspace: &Workspace, names: &[String], program: &str) -> Result<Option<String>> {
    if !names.iter().any(|name| name == program) {
        return Ok(None);
    }
    let folder = workspace.root().join(programs::SOURCES);
    let read = |path: &Path| {
        fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
    };
    let mut text = read(&folder.join(format!("{program}.rs")))?;
    // Most have none.
    if let Ok(modules) = fs::read_dir(folder.join(program)) {
        for module in modules {
            text += &read(&module.context("a folder of modules cannot be read")?.path())?;
        }
    }
    Ok(Some(text))
}

/// What the list names and nobody has: it would never be held against anything.
fn stale(known: &Known, source: impl Fn(&str) -> Result<Option<String>>) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for (program, checks) in known {
        let Some(text) = source(program)? else {
            problems.push(format!(
                "{program}: there is no such program: take it out of {LIST}"
            ));
            continue;
        };
        for check in checks.keys().filter(|check| *check != WHOLE) {
            // A check is named after its function, or by a text of its own.
            let names = [format!("fn {check}("), format!("\"{check}\"")];
            if !names.iter().any(|name| text.contains(name)) {
                problems.push(format!(
                    "{program} {check}: there is no such check: take it out of {LIST}"
                ));
            }
        }
    }
    Ok(problems)
}

/// Runs a program in a Wine of its own; gives what it printed, and how Wine ended.
fn run(workspace: &Workspace, wine: &Path, program: &Path) -> Result<(String, String)> {
    let folder = cargo::reference_target(workspace);
    let output = folder.join("output.txt");
    let errors = folder.join("errors.txt");
    let file = |path| fs::File::create(path).context("a file for the output cannot be made");
    let mut child = Command::new(wine)
        .arg(program)
        .env("WINEPREFIX", folder.join("wine"))
        .env("WINEDEBUG", "-all")
        // Neither is asked for, and looking for them takes long.
        .env("WINEDLLOVERRIDES", "mscoree,mshtml=")
        .stdin(Stdio::null())
        .stdout(file(&output)?)
        .stderr(file(&errors)?)
        .spawn()
        .with_context(|| format!("{} cannot be started", wine.display()))?;
    let start = Instant::now();
    let mut ending = loop {
        if let Some(status) = child.try_wait().context("cannot wait for Wine")? {
            break format!("Wine ended with {status}");
        }
        if start.elapsed() > LONGEST {
            child.kill().context("Wine cannot be stopped")?;
            child.wait().context("cannot wait for Wine")?;
            break format!("Wine was stopped after {} s", LONGEST.as_secs());
        }
        thread::sleep(Duration::from_millis(20));
    };
    let text = |path| -> Result<String> {
        let bytes = fs::read(path).context("the output cannot be read")?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    if let Some(said) = text(&errors)?.trim().lines().last() {
        ending += &format!(", and said last: {said}");
    }
    Ok((text(&output)?, ending))
}

/// What a program's output says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Judged {
    /// Checks that Wine answers as we expect.
    agree: usize,
    /// Checks that it answers otherwise, as the list says.
    listed: usize,
    problems: Vec<String>,
}

fn judge(output: &str, ending: &str, known: &BTreeMap<String, String>) -> Judged {
    let mut judged = Judged::default();
    let mut seen = BTreeSet::new();
    // What a check says comes before its own line.
    let mut said: Vec<&str> = Vec::new();
    let mut whole = false;
    for line in output.lines() {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("ok"), Some(check)) => {
                seen.insert(check);
                if known.contains_key(check) {
                    judged
                        .problems
                        .push(format!("{check}: Wine agrees: take it out of {LIST}"));
                } else {
                    judged.agree += 1;
                }
                said.clear();
            }
            (Some("failed"), Some(check)) => {
                seen.insert(check);
                if known.contains_key(check) {
                    judged.listed += 1;
                } else {
                    judged
                        .problems
                        .push(format!("{check}: {}", said.join("; ")));
                }
                said.clear();
            }
            (Some(_), Some("checks,")) => whole = true,
            _ if !line.trim().is_empty() => said.push(line.trim()),
            _ => {}
        }
    }
    if !whole && known.contains_key(WHOLE) {
        judged.listed += 1;
    } else if !whole {
        judged.problems.push(format!(
            "the program did not come to its end ({ending}); the last that it said: {}",
            output.lines().last().unwrap_or("nothing")
        ));
    }
    for check in known
        .keys()
        .filter(|check| whole && !seen.contains(check.as_str()))
    {
        judged.problems.push(format!(
            "{check}: there is no such check: take it out of {LIST}"
        ));
    }
    judged
}

/// Reads the list: a line is a program, a check, and the reason; `#` begins a comment.
fn read_list(text: &str) -> Result<Known> {
    let mut known = Known::new();
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut words = line.splitn(3, char::is_whitespace);
        let (Some(program), Some(check), Some(reason)) = (words.next(), words.next(), words.next())
        else {
            bail!("{LIST}: `{line}` is not a program, a check and a reason: write one");
        };
        known
            .entry(program.to_owned())
            .or_default()
            .insert(check.to_owned(), reason.trim().to_owned());
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "ok     one\r\n       f.rs:3: x: got 1, expected 2\r\nfailed two\r\nfailed three\r\n3 checks, 2 failed\r\n";

    fn known(checks: &[&str]) -> BTreeMap<String, String> {
        checks
            .iter()
            .map(|check| ((*check).to_owned(), "why".to_owned()))
            .collect()
    }

    #[test]
    fn what_differs_has_to_be_listed() {
        let judged = judge(OUTPUT, "", &known(&["three"]));
        assert_eq!((judged.agree, judged.listed), (1, 1));
        assert_eq!(judged.problems, ["two: f.rs:3: x: got 1, expected 2"]);
        assert!(
            judge(OUTPUT, "", &known(&["two", "three"]))
                .problems
                .is_empty()
        );
    }

    #[test]
    fn a_wrong_list_is_a_problem() {
        let problems = judge(OUTPUT, "", &known(&["one", "two", "three", "four"]))
            .problems
            .join("\n");
        assert!(problems.contains("one: Wine agrees"), "{problems}");
        assert!(
            problems.contains("four: there is no such check"),
            "{problems}"
        );
        assert!(judge("ok one\n", "with 5", &known(&[])).problems[0].contains("its end (with 5)"));
        assert!(judge("ok one\n", "", &known(&["*"])).problems.is_empty());
    }

    #[test]
    fn what_nobody_has_is_told() {
        let list = read_list("a one why\na two why\na * why\nb one why\n").unwrap();
        let source =
            |program: &str| Ok((program == "a").then(|| "fn one() -> Outcome {".to_owned()));
        let problems = stale(&list, source).unwrap();
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with("a two: there is no such check"));
        assert!(problems[1].starts_with("b: there is no such program"));
    }

    #[test]
    fn the_list_is_read() {
        let list = read_list("# why\n\nconformance_ex a_check  because of this\n").unwrap();
        assert_eq!(list["conformance_ex"]["a_check"], "because of this");
        assert!(read_list("conformance_ex a_check").is_err());
    }
}
