//! `check`: the house rules as code. Format, lints on every target, ranks, where unsafe
//! lies and how it is argued, and the shape of files.

mod compilers;
mod lints;
mod packages;
mod ranks;
mod rules;
mod source;
mod unsafety;

use std::path::Path;
use std::thread;

use anyhow::Result;
use clap::Args;
use nt_abi::services::SERVICES;

use crate::board::Image;
use crate::exports;
use crate::progress::Step;
use crate::services;
use crate::setup::{self, Need, Tools};
use crate::workspace::Workspace;

use compilers::Scope;
use packages::Packages;
use source::Sources;

/// How to check.
#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// Write the counts of unsafe as they are into tests/golden/unsafe.toml, and docs/services.md and docs/exports.md anew
    #[arg(long)]
    bless: bool,
    /// Leave out rustfmt and clippy: only the rules that take no time
    #[arg(long)]
    quick: bool,
}

/// What the compilers' rules take.
const TO_LINT: [Need; 5] = [
    Need::Toolchain,
    Need::Linker,
    Need::PeLinker,
    Need::Clippy,
    Need::Rustfmt,
];

/// One sentence for each thing that is wrong.
type Problems = Vec<String>;

/// `cargo xtask check`.
pub(crate) fn command(workspace: &Workspace, arguments: &CheckArgs) -> Result<u8> {
    let mut report = Report::default();
    let packages = Packages::load(workspace)?;
    let rules = ranks::Table::load(workspace)?;
    let sources = Sources::load(workspace, &packages)?;

    report.add("ranks", rules.check(&packages));
    report.add("lints have reasons", lints::check(workspace)?);
    report.add("files can be read by a parser", sources.unreadable.clone());
    report.add(
        "modules open with a comment",
        rules::opening_comments(&sources),
    );
    report.add(
        "functions of at most 100 lines",
        rules::function_lengths(&sources),
    );
    report.add(
        "architectures are named on the floor alone",
        rules::architectures(workspace, &packages, &sources)?,
    );
    report.add(
        "unsafe only on the floor",
        unsafety::on_the_floor(&sources, &rules),
    );
    report.add(
        "crates above the floor forbid unsafe",
        unsafety::forbidden_above(workspace, &packages, &rules)?,
    );
    report.add("unsafe is argued for", unsafety::argued(&sources));
    report.add(
        "counts of unsafe",
        unsafety::counts(workspace, &packages, &sources, arguments.bless)?,
    );
    report.add(
        "docs/services.md is the table's",
        service_page(workspace, arguments.bless)?,
    );
    report.add(
        "lists of exports are the sources'",
        export_lists(workspace, arguments.bless)?,
    );
    report.add(
        "every service that is done is called by a conformance program",
        services_have_checks(&sources),
    );
    if !arguments.quick {
        let tools = setup::ensure(&TO_LINT)?;
        with_compilers(workspace, &tools, &packages, &mut report)?;
    }
    Ok(report.finish())
}

fn service_page(workspace: &Workspace, bless: bool) -> Result<Problems> {
    if bless {
        services::write(workspace)?;
    }
    if services::is_up_to_date(workspace) {
        return Ok(Problems::new());
    }
    Ok(vec![format!(
        "{} is not what the table of services makes: write it anew with `cargo xtask services`",
        services::PAGE
    )])
}

fn export_lists(workspace: &Workspace, bless: bool) -> Result<Problems> {
    if bless {
        exports::write(workspace)?;
    }
    exports::problems(workspace)
}

/// What is called done is called by a program that says what it has to answer.
fn services_have_checks(sources: &Sources) -> Problems {
    const PROGRAMS: &str = "tests/programs/src/bin/conformance_";
    let is_program = |path: &Path| path.to_string_lossy().contains(PROGRAMS);
    let files = sources.files.iter().filter(|file| is_program(&file.path));
    let texts: Vec<&str> = files.map(|file| file.text.as_str()).collect();
    let uncalled = services::uncalled(SERVICES, &texts);
    let problem = |name| format!("{name} is done, and no program `conformance_...` calls it");
    uncalled.into_iter().map(problem).collect()
}

fn with_compilers(
    workspace: &Workspace,
    tools: &Tools,
    packages: &Packages,
    report: &mut Report,
) -> Result<()> {
    let step = Step::start("checking the format");
    let problems = compilers::format(tools, packages, &step)?;
    step.done();
    report.add("format", problems);
    // What is for the host and what is for the boards is built into different folders: neither waits for the other.
    let (host, boards) = thread::scope(|scope| {
        let host = scope.spawn(|| lint_host(workspace, tools));
        let boards = lint_boards(workspace, tools);
        (host.join().expect("the lints do not panic"), boards)
    });
    for (rule, problems) in [host?].into_iter().chain(boards?) {
        report.add(&rule, problems);
    }
    Ok(())
}

/// What was linted, and what is wrong with it.
type Linted = (String, Problems);

fn lint_host(workspace: &Workspace, tools: &Tools) -> Result<Linted> {
    let step = Step::start("linting for the host");
    let problems = compilers::host_lints(workspace, tools, &step)?;
    step.done();
    Ok(("clippy on the host".into(), problems))
}

fn lint_boards(workspace: &Workspace, tools: &Tools) -> Result<Vec<Linted>> {
    let mut linted = Vec::new();
    for (index, image) in Image::names(workspace)?.into_iter().enumerate() {
        let scope = match index {
            0 => Scope::Whole,
            _ => Scope::Architecture,
        };
        let step = Step::start(format!("linting for {image}"));
        let problems = compilers::kernel_lints(workspace, tools, &image, scope, &step)?;
        step.done();
        linted.push((format!("clippy on {image}"), problems));
        let step = Step::start(format!("linting programs for {image}"));
        let problems = compilers::program_lints(workspace, tools, &image, scope, &step)?;
        step.done();
        linted.push((format!("clippy on programs for {image}"), problems));
    }
    Ok(linted)
}

/// What was checked, and what is wrong.
#[derive(Default)]
struct Report {
    failed: Vec<(String, Problems)>,
}

impl Report {
    fn add(&mut self, rule: &str, problems: Problems) {
        if problems.is_empty() {
            println!("ok      {rule}");
        } else {
            println!("FAILED  {rule}: {}", problems.len());
            self.failed.push((rule.to_owned(), problems));
        }
    }

    /// Lists everything that is wrong; gives the exit code.
    fn finish(self) -> u8 {
        if self.failed.is_empty() {
            println!("All checks passed.");
            return 0;
        }
        for (rule, problems) in &self.failed {
            println!("\n{rule}:");
            for problem in problems {
                println!("  {}", problem.trim_end().replace('\n', "\n  "));
            }
        }
        let names: Vec<&str> = self.failed.iter().map(|(rule, _)| rule.as_str()).collect();
        println!("\nFailed: {}", names.join(", "));
        1
    }
}
