//! `run` and `gdb`: one machine for a person.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::board::{Board, Image};
use crate::build;
use crate::machine::exit;
use crate::machine::qemu::{self, Boot, Tree};
use crate::machine::spec::Wishes;
use crate::progress;
use crate::setup;
use crate::workspace::Workspace;

/// Which machine, and what it runs.
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// The board: virt, raspi4 or q35
    #[arg(long, default_value = "virt")]
    board: String,
    /// The number of processors
    #[arg(long)]
    cpus: Option<u32>,
    /// The amount of memory, such as 512M or 8G
    #[arg(long)]
    memory: Option<String>,
    /// The version of the ARM interrupt controller
    #[arg(long)]
    gic: Option<u8>,
    /// The exception level of entry: el1 or el2
    #[arg(long)]
    entry: Option<String>,
    /// The CPU model, one of QEMU's names
    #[arg(long)]
    cpu: Option<String>,
    /// Words for the kernel's command line
    #[arg(long, default_value = "")]
    append: String,
    /// Count time in instructions: slower, and the same each time
    #[arg(long)]
    icount: bool,
    /// Use the host's hardware virtualization (q35 only)
    #[arg(long)]
    kvm: bool,
    /// Take the ACPI tables away (q35 only)
    #[arg(long)]
    no_acpi: bool,
    /// Run the tests' kernel instead of the product
    #[arg(long)]
    tests: bool,
    /// Wait for a debugger before the first instruction
    #[arg(long)]
    gdb: bool,
    /// Print QEMU's command line and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl RunArgs {
    fn wishes(&self) -> Wishes {
        Wishes {
            cpus: self.cpus,
            memory: self.memory.clone(),
            gic: self.gic,
            entry: self.entry.clone(),
            cpu: self.cpu.clone(),
            icount: self.icount,
            single_thread: false,
            no_acpi: self.no_acpi,
            kvm: self.kvm,
        }
    }
}

/// `cargo xtask run`: builds, boots, hands the terminal over, and ends as the kernel ended.
pub(crate) fn command(workspace: &Workspace, arguments: &RunArgs) -> Result<u8> {
    let board = Board::load(workspace, &arguments.board)?;
    let machine = arguments.wishes().on(&board)?;
    let tools = setup::ensure(&setup::TO_RUN)?;
    let image = Image::load(workspace, &board.image)?;
    let package = if arguments.tests {
        build::TEST_KERNEL
    } else {
        build::KERNEL
    };
    let built = build::kernel(workspace, &tools, &image, package)?;
    let boot = Boot {
        kernel: built.file,
        append: arguments.append.clone(),
        tree: Tree::Own,
    };
    let mut line = qemu::command_line(&board, &machine, &boot, &tools)?;
    if arguments.gdb {
        line.arguments.extend(["-s".into(), "-S".into()]);
    }
    if arguments.dry_run {
        println!("{line}");
        return Ok(0);
    }
    let controller = machine
        .gic
        .map(|gic| format!(", GICv{gic}"))
        .unwrap_or_default();
    eprintln!(
        "{}: {} processors, {} of memory{controller}, {} bytes of kernel",
        board.title, machine.cpus, machine.memory, built.bytes
    );
    if arguments.gdb {
        eprintln!(
            "QEMU waits. In another terminal: cargo xtask gdb --board {}",
            board.name
        );
    }
    let mut command = line.command(&tools, "TERM");
    let status = command
        .status()
        .with_context(|| progress::could_not_start(&command))?;
    let ending = exit::interpret(board.exit, status);
    if !ending.is_success() {
        eprintln!("{}: {ending}", board.name);
    }
    Ok(ending.exit_code())
}

/// Which kernel to debug.
#[derive(Args, Debug)]
pub(crate) struct GdbArgs {
    /// The board that `run --gdb` was given
    #[arg(long, default_value = "virt")]
    board: String,
    /// Debug the tests' kernel
    #[arg(long)]
    tests: bool,
    /// Further arguments for the debugger
    #[arg(last = true)]
    more: Vec<String>,
}

/// `cargo xtask gdb`: a debugger with the right symbols, attached to `run --gdb`.
pub(crate) fn gdb(workspace: &Workspace, arguments: &GdbArgs) -> Result<u8> {
    let board = Board::load(workspace, &arguments.board)?;
    let tools = setup::ensure(&setup::TO_BUILD)?;
    let image = Image::load(workspace, &board.image)?;
    let package = if arguments.tests {
        build::TEST_KERNEL
    } else {
        build::KERNEL
    };
    let built = build::kernel(workspace, &tools, &image, package)?;
    let debugger = debugger(&board)?;
    let mut command = Command::new(&debugger);
    command
        .arg(&built.elf)
        .args(["-ex", "target remote localhost:1234"])
        .args(&arguments.more);
    let status = command
        .status()
        .with_context(|| progress::could_not_start(&command))?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1))
}

/// A debugger that knows the board's processor: the one for all, or the host's own if it is the same.
fn debugger(board: &Board) -> Result<PathBuf> {
    for name in ["gdb-multiarch", "gdb"] {
        let answer = Command::new(name)
            .args(["-batch", "-ex", "set architecture"])
            .arg("-ex")
            .arg(if board.image == "aarch64" {
                "set architecture aarch64"
            } else {
                "set architecture i386:x86-64"
            })
            .stderr(Stdio::piped())
            .output();
        // A debugger that does not know the architecture says so, and still ends well.
        if let Ok(output) = answer
            && !String::from_utf8_lossy(&output.stderr).contains("Undefined item")
        {
            return Ok(PathBuf::from(name));
        }
    }
    bail!(
        "no debugger here knows {}: install gdb-multiarch (Debian: apt-get install gdb-multiarch)",
        board.title
    )
}
