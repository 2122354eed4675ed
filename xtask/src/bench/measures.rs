//! Measures that a program in the machine takes, beside targets, the last time, and Linux.
//!
//! The program runs each measure a number of times and twice that number, and prints the difference, so that what happens
//! once does not count. It prints
//!
//! ```text
//! bench: null-call TICKS HERTZ ITERATIONS
//! ```
//!
//! or `bench: process: not yet` where something is missing that it needs.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use clap::Args;
use regex::Regex;

use super::{is_worse, nanoseconds, ratio};
use crate::board::{self, Board, Image};
use crate::build::{self, programs};
use crate::machine::exit::{self, Ending};
use crate::machine::qemu::{self, Boot, Tree};
use crate::machine::spec::Wishes;
use crate::program::ram_disk::RamDisk;
use crate::program::{SEPARATOR, end_line};
use crate::progress::Step;
use crate::setup::{self, Tools};
use crate::workspace::Workspace;

/// The boards: a Cortex-A72, and QEMU's largest x86-64.
const BOARDS: [&str; 2] = ["virt", "q35"];

/// How to measure.
#[derive(Args, Debug)]
pub(crate) struct MeasureArgs {
    /// Write the figures as they are into tests/golden
    #[arg(long)]
    bless: bool,
    /// One board only
    #[arg(long)]
    board: Option<String>,
}

/// Measures that one program takes.
pub(super) struct Suite {
    /// The word behind `cargo xtask bench`.
    pub(super) name: &'static str,
    /// The program that measures, with its arguments.
    pub(super) program: &'static str,
    /// Where the figures of the last time are.
    pub(super) golden: &'static str,
    /// What that file begins with.
    pub(super) heading: &'static str,
    pub(super) rows: &'static [Row],
    /// What is below a table: where the figures beside ours come from.
    pub(super) note: &'static str,
}

/// A measure, what it may cost, and what Linux needs for the like.
pub(super) struct Row {
    /// Its name in the program's lines.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// The most instructions, on either machine.
    pub(super) target: u64,
    /// Linux on `virt` and on `q35`; 0 where there is no such figure.
    pub(super) linux: [u64; 2],
    /// What Linux does in that figure.
    pub(super) like: &'static str,
}

/// Tenths of an instruction for each measure of a board.
type Figures = BTreeMap<String, u64>;

/// Measures, shows, and compares or blesses.
pub(super) fn command(workspace: &Workspace, suite: &Suite, arguments: &MeasureArgs) -> Result<u8> {
    if let Some(board) = arguments.board.as_deref()
        && !BOARDS.contains(&board)
    {
        bail!("{board} is not measured: name one of {}", BOARDS.join(", "));
    }
    let tools = setup::ensure(&setup::TO_RUN)?;
    let path = workspace.root().join(suite.golden);
    let mut golden: BTreeMap<String, Figures> = if path.exists() {
        board::read(workspace, &path)?
    } else {
        BTreeMap::new()
    };
    let mut problems = Vec::new();
    let wanted = |name: &&str| {
        arguments
            .board
            .as_deref()
            .is_none_or(|board| board == *name)
    };
    for name in BOARDS.iter().copied().filter(wanted) {
        let now = measure(workspace, &tools, suite, name)?;
        let old = golden.get(name).cloned().unwrap_or_default();
        print!("{}", table(suite, name, &now, &old));
        if arguments.bless {
            golden.insert(name.to_owned(), now);
        } else {
            problems.extend(worse(suite, name, &old, &now));
        }
    }
    println!(
        "{} A target that is missed is told, and no failure.",
        suite.note
    );
    if arguments.bless {
        let text = toml::to_string(&golden).context("the figures cannot be written as TOML")?;
        fs::write(&path, format!("{}{text}", suite.heading))
            .with_context(|| format!("{} cannot be written", suite.golden))?;
    }
    for problem in &problems {
        println!("{problem}");
    }
    Ok(u8::from(!problems.is_empty()))
}

fn measure(workspace: &Workspace, tools: &Tools, suite: &Suite, name: &str) -> Result<Figures> {
    let board = Board::load(workspace, name)?;
    let image = Image::load(workspace, &board.image)?;
    let built = build::kernel(workspace, tools, &image, build::KERNEL)?;
    let mut disk = RamDisk::default();
    disk.add_programs(&programs::build(workspace, tools, &image, None)?, None)?;
    let file = workspace
        .kernel_target()
        .join("images")
        .join(format!("bench-{name}.cpio"));
    disk.write(&file)?;
    let machine = Wishes {
        cpus: Some(1),
        icount: true,
        ..Wishes::default()
    }
    .on(&board)?;
    let boot = Boot {
        kernel: built.file,
        append: format!("log=warning{SEPARATOR}{}", suite.program),
        tree: Tree::Own,
        ram_disk: Some(file),
    };
    let line = qemu::command_line(&board, &machine, &boot, tools)?;
    let step = Step::start(format!("measuring on {name}"));
    let mut command = line.command(tools, "KILL");
    command.stdin(Stdio::null());
    let finished = step.run(&mut command)?;
    step.done();
    let told = end_line::code_at_end(&finished.output);
    let ending = exit::interpret(board.exit, finished.status).of_program(told);
    if ending != Ending::Program(0) {
        bail!(
            "{name} cannot be measured, because {ending}\n{}",
            finished.output.trim_end()
        );
    }
    figures(&finished.output)
}

/// The program's lines.
fn figures(output: &str) -> Result<Figures> {
    let pattern = Regex::new(r"(?m)^bench: ([a-z0-9-]+) (\d+) (\d+) (\d+)\r*$")
        .context("a wrong expression")?;
    let mut figures = Figures::new();
    for found in pattern.captures_iter(output) {
        let number = |index: usize| {
            found[index]
                .parse::<u128>()
                .with_context(|| format!("{} is too large", &found[0]))
        };
        let (ticks, hertz, iterations) = (number(2)?, number(3)?, number(4)?);
        let all = nanoseconds(ticks * 10, hertz);
        let one = all.and_then(|all| all.checked_div(u64::try_from(iterations).ok()?));
        let one = one.with_context(|| format!("`{}` makes no sense", &found[0]))?;
        if one == 0 {
            bail!(
                "`{}` says that it costs nothing, so it was not measured",
                &found[0]
            );
        }
        figures.insert(found[1].to_owned(), one);
    }
    Ok(figures)
}

fn worse(suite: &Suite, board: &str, golden: &Figures, now: &Figures) -> Vec<String> {
    let mut problems = Vec::new();
    for (what, new) in now {
        match golden.get(what) {
            None => problems.push(format!(
                "{} has no figure for {what} on {board}: add it with `cargo xtask bench {} --bless`",
                suite.golden, suite.name
            )),
            Some(old) if is_worse(*old, *new) => problems.push(format!(
                "{board}: {what} went from {} to {} (+{:.1} %): find out why, or bless it",
                tenths(*old),
                tenths(*new),
                (ratio(*new, *old) - 1.0) * 100.0
            )),
            Some(_) => {}
        }
    }
    for what in golden.keys().filter(|what| !now.contains_key(*what)) {
        problems.push(format!("{board}: {what} is not measured any more"));
    }
    problems
}

fn tenths(figure: u64) -> String {
    format!("{}.{}", figure / 10, figure % 10)
}

fn table(suite: &Suite, board: &str, now: &Figures, golden: &Figures) -> String {
    let mut text = format!(
        "{board:34} {:>10} {:>10} {:>8} {:>9} {:>6}  {}\n",
        "now", "golden", "target", "Linux", "", "which does"
    );
    for row in suite.rows {
        let shown = |figures: &Figures, none: &str| {
            figures
                .get(row.name)
                .map_or_else(|| none.to_owned(), |figure| tenths(*figure))
        };
        let figure = now.get(row.name).copied();
        let linux = BOARDS
            .iter()
            .zip(row.linux)
            .find_map(|(name, linux)| (*name == board && linux > 0).then_some(linux));
        let times = match (figure, linux) {
            (Some(figure), Some(linux)) => format!("{:.1}x", ratio(linux * 10, figure)),
            _ => String::new(),
        };
        let missed = row.target > 0 && figure.is_some_and(|figure| figure > row.target * 10);
        text += &format!(
            "  {:32} {:>10} {:>10} {:>8} {:>9} {times:>6}  {}{}\n",
            row.title,
            shown(now, "not yet"),
            shown(golden, "-"),
            row.target,
            linux.map_or_else(|| "-".to_owned(), |linux| linux.to_string()),
            row.like,
            if missed {
                let over = figure.unwrap_or_default() - row.target * 10;
                format!(" (MISSED by {})", tenths(over))
            } else {
                String::new()
            }
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::kernel::SUITE as KERNEL;

    const OUTPUT: &str = "hello\r\nbench: null-call 125 62500000 16\r\nbench: process: not yet\r\nbench: handle 5000 1000000000 4\r\n";

    #[test]
    fn lines_become_tenths_of_instructions() {
        let figures = figures(OUTPUT).unwrap();
        assert_eq!(figures["null-call"], 1250);
        assert_eq!(figures["handle"], 12_500);
        assert_eq!(figures.len(), 2);
        assert!(super::figures("bench: x 1 0 1\n").is_err());
        assert!(super::figures("bench: x 1 1 0\n").is_err());
        assert!(super::figures("bench: x 0 1000000000 1\n").is_err());
    }

    #[test]
    fn what_is_missing_or_worse_is_told() {
        let now = figures(OUTPUT).unwrap();
        assert_eq!(worse(&KERNEL, "virt", &Figures::new(), &now).len(), 2);
        assert!(worse(&KERNEL, "virt", &now, &now).is_empty());
        let mut old = now.clone();
        old.insert("handle".into(), 12_000);
        old.insert("memory".into(), 1);
        let problems = worse(&KERNEL, "virt", &old, &now).join("\n");
        assert!(
            problems.contains("from 1200.0 to 1250.0 (+4.2 %)"),
            "{problems}"
        );
        assert!(problems.contains("memory is not measured"), "{problems}");
    }

    #[test]
    fn the_table_has_targets_and_linux() {
        let text = table(&KERNEL, "virt", &figures(OUTPUT).unwrap(), &Figures::new());
        assert!(text.contains("4.0x  getppid\n"), "{text}");
        assert!(text.contains("(MISSED by 50.0)"), "{text}");
        assert!(text.contains("not yet"), "{text}");
    }
}
