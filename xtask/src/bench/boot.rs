//! `bench boot`: what booting costs, in instructions and bytes, beside Linux.
//!
//! Time on a busy host says nothing. QEMU counts instructions instead: one passes each
//! nanosecond of the machine's time, and the same kernel needs the same number each time.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::{Deserialize, Serialize};

use super::{instructions, is_worse, ratio};
use crate::board::{self, Board, Image};
use crate::build;
use crate::machine::exit;
use crate::machine::qemu::{self, Boot, Tree};
use crate::machine::spec::Wishes;
use crate::progress::Step;
use crate::setup::{self, Tools};
use crate::workspace::Workspace;

const GOLDEN: &str = "tests/golden/boot.toml";
const HEADING: &str = "# What booting costs, in instructions and bytes. Rewritten by `cargo xtask bench boot --bless`.\n\n";
/// The most instructions from reset to all processors idle on `virt`.
const VIRT_LIMIT: u64 = 20_000_000;

/// What Linux needs on the same machines: Debian's 6.1, one processor, from reset to the
/// first line of the first user program, under QEMU's instruction count.
const LINUX: [Linux; 2] = [
    Linux {
        board: "virt",
        instructions: 908_700_000,
        bytes: 32_956_352,
    },
    // With the PC's firmware and the kernel's own unpacking.
    Linux {
        board: "q35",
        instructions: 6_105_000_000,
        bytes: 8_247_232,
    },
];

struct Linux {
    board: &'static str,
    instructions: u64,
    bytes: u64,
}

/// How to measure.
#[derive(Args, Debug)]
pub(crate) struct BootArgs {
    /// Write the figures as they are into tests/golden/boot.toml
    #[arg(long)]
    bless: bool,
}

/// What booting one board costs.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
struct Figures {
    first_line: u64,
    all_idle: u64,
    image_bytes: u64,
}

/// `cargo xtask bench boot`.
pub(crate) fn command(workspace: &Workspace, arguments: &BootArgs) -> Result<u8> {
    let tools = setup::ensure(&setup::TO_RUN)?;
    let mut now = BTreeMap::new();
    let mut problems = Vec::new();
    for name in Board::names(workspace)? {
        let figures = measure(workspace, &tools, &name)?;
        if name == "virt" && figures.all_idle > VIRT_LIMIT {
            problems.push(format!(
                "{name} needs {} instructions until all is idle, and may need {VIRT_LIMIT}",
                figures.all_idle
            ));
        }
        now.insert(name, figures);
    }
    let path = workspace.root().join(GOLDEN);
    let golden: BTreeMap<String, Figures> = if path.exists() {
        board::read(workspace, &path)?
    } else {
        BTreeMap::new()
    };
    print!("{}", table(&now, &golden));
    if arguments.bless {
        let text = toml::to_string(&now).context("the figures cannot be written as TOML")?;
        fs::create_dir_all(workspace.root().join("tests/golden"))
            .with_context(|| format!("{GOLDEN} cannot be written"))?;
        fs::write(&path, format!("{HEADING}{text}"))
            .with_context(|| format!("{GOLDEN} cannot be written"))?;
    } else {
        problems.extend(worse(&golden, &now));
    }
    for problem in &problems {
        println!("{problem}");
    }
    Ok(u8::from(!problems.is_empty()))
}

fn measure(workspace: &Workspace, tools: &Tools, name: &str) -> Result<Figures> {
    let board = Board::load(workspace, name)?;
    let image = Image::load(workspace, &board.image)?;
    let built = build::kernel(workspace, tools, &image, build::KERNEL)?;
    let machine = Wishes {
        icount: true,
        ..Wishes::default()
    }
    .on(&board)?;
    let boot = Boot {
        kernel: built.file,
        append: String::from("measure"),
        tree: Tree::Own,
        ram_disk: None,
    };
    let line = qemu::command_line(&board, &machine, &boot, tools)?;
    let step = Step::start(format!("booting {name} and counting instructions"));
    let mut command = line.command(tools, "KILL");
    command.stdin(Stdio::null());
    let finished = step.run(&mut command)?;
    step.done();
    let ending = exit::interpret(board.exit, finished.status);
    if !ending.is_success() {
        bail!(
            "{name} cannot be measured, because {ending}\n{}",
            finished.output.trim_end()
        );
    }
    let figure = |what: &str| {
        instructions(&finished.output, what)?.with_context(|| {
            format!(
                "{name} printed no line `bench: {what} TICKS HZ`: the kernel must\n{}",
                finished.output
            )
        })
    };
    Ok(Figures {
        first_line: figure("reset-to-first-line")?,
        all_idle: figure("reset-to-all-idle")?,
        image_bytes: built.bytes,
    })
}

/// The figures that are worse than they were.
fn worse(golden: &BTreeMap<String, Figures>, now: &BTreeMap<String, Figures>) -> Vec<String> {
    let mut problems = Vec::new();
    for (board, new) in now {
        let Some(old) = golden.get(board) else {
            problems.push(format!("{GOLDEN} has no figures for {board}: add them with `cargo xtask bench boot --bless`"));
            continue;
        };
        for (what, old, new) in [
            (
                "instructions to the first line",
                old.first_line,
                new.first_line,
            ),
            ("instructions to all idle", old.all_idle, new.all_idle),
            ("image bytes", old.image_bytes, new.image_bytes),
        ] {
            if is_worse(old, new) {
                let percent = (ratio(new, old) - 1.0) * 100.0;
                problems.push(format!("{board}: {what} went from {old} to {new} (+{percent:.1} %): find out why, or bless it"));
            }
        }
    }
    problems
}

fn table(now: &BTreeMap<String, Figures>, golden: &BTreeMap<String, Figures>) -> String {
    let mut text = format!(
        "{:8} {:>16} {:>16} {:>14} {:>14} {:>12}\n",
        "board", "to first line", "to all idle", "golden", "image bytes", "golden"
    );
    for (board, figures) in now {
        let old = |of: fn(&Figures) -> u64| {
            golden
                .get(board)
                .map_or_else(|| "-".to_owned(), |old| of(old).to_string())
        };
        text += &format!(
            "{board:8} {:>16} {:>16} {:>14} {:>14} {:>12}\n",
            figures.first_line,
            figures.all_idle,
            old(|old| old.all_idle),
            figures.image_bytes,
            old(|old| old.image_bytes)
        );
        if let Some(linux) = LINUX.iter().find(|linux| linux.board == board) {
            text += &format!(
                "{:8} {:>16} {:>16} {:>14} {:>14}\n",
                "  Linux", "", linux.instructions, "", linux.bytes
            );
            text += &format!(
                "{:8} {:>16} {:>15.1}x {:>14} {:>13.1}x\n",
                "  ratio",
                "",
                ratio(linux.instructions, figures.all_idle),
                "",
                ratio(linux.bytes, figures.image_bytes)
            );
        }
    }
    text + "Linux: Debian 6.1 on the same machine with one processor, to its first line of user mode.\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(all_idle: u64) -> BTreeMap<String, Figures> {
        BTreeMap::from([(
            "virt".to_owned(),
            Figures {
                first_line: 100,
                all_idle,
                image_bytes: 1000,
            },
        )])
    }

    #[test]
    fn two_percent_are_forgiven() {
        assert!(worse(&of(1000), &of(1020)).is_empty());
        assert!(worse(&of(1000), &of(900)).is_empty());
        assert!(worse(&of(1000), &of(1021))[0].contains("all idle"));
        assert!(worse(&BTreeMap::new(), &of(1))[0].contains("--bless"));
    }

    #[test]
    fn the_table_sets_linux_beside() {
        let text = table(&of(9_087_000), &of(9_087_000));
        assert!(text.contains("100.0x"), "{text}");
    }
}
