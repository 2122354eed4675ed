//! `run` and `gdb`: one machine for a person, and a program on it.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::board::{Board, Image};
use crate::build::{self, programs};
use crate::machine::exit::{self, Ending};
use crate::machine::qemu::{self, Boot, CommandLine, Tree};
use crate::machine::spec::Wishes;
use crate::program::ram_disk::RamDisk;
use crate::program::run_disk::RunDisk;
use crate::program::trace_lines::TraceLines;
use crate::program::{self, end_line};
use crate::progress;
use crate::setup::{self, Tools};
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
    /// Lines of the kernel's log that are shown; with a program only warnings, unless this is given
    #[arg(long, value_name = "LEVEL")]
    log: Option<LogLevel>,
    /// Show the kernel's log beside the program's output: `--log info`
    #[arg(long, short, conflicts_with = "log")]
    verbose: bool,
    /// Show every system service that a program calls
    #[arg(long, requires = "program")]
    trace: bool,
    /// Put a file or folder into the RAM disk; can be given several times
    #[arg(long = "file", value_name = "PATH")]
    files: Vec<PathBuf>,
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
    /// The program, one of the test programs or the path of an .exe file, and its arguments
    #[arg(last = true, value_name = "PROGRAM", conflicts_with = "tests")]
    program: Vec<String>,
}

/// How much of the kernel's log is shown.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogLevel {
    Error,
    Warning,
    Info,
    Debug,
}

impl LogLevel {
    /// The kernel's word for it.
    fn word(self) -> &'static str {
        match self {
            Self::Error => "log=error",
            Self::Warning => "log=warning",
            Self::Info => "log=info",
            Self::Debug => "log=debug",
        }
    }
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

    /// The kernel's command line after the board's own beginning; `program` is the program's.
    fn kernel_words(&self, program: Option<&str>) -> Result<String> {
        let level = if self.verbose {
            Some(LogLevel::Info)
        } else {
            self.log.or(program.map(|_| LogLevel::Warning))
        };
        let mut words: Vec<&str> = level.map(LogLevel::word).into_iter().collect();
        if self.trace {
            words.push("trace");
        }
        // The kernel takes the last word on a matter: what a person appends goes before all else.
        words.push(&self.append);
        words.retain(|word| !word.is_empty());
        let mut line = words.join(" ");
        if let Some(program) = program {
            if self.append.split_whitespace().any(|word| word == "--") {
                bail!(
                    "--append has the word `--`, behind which the kernel looks for the program: take it out"
                );
            }
            line.push_str(program::SEPARATOR);
            line.push_str(program);
        }
        Ok(line)
    }
}

/// `cargo xtask run`: builds, boots, hands the terminal over, and ends as the kernel or its program ended.
pub(crate) fn command(workspace: &Workspace, arguments: &RunArgs) -> Result<u8> {
    let board = Board::load(workspace, &arguments.board)?;
    let machine = arguments.wishes().on(&board)?;
    let image = Image::load(workspace, &board.image)?;
    // Building takes time: what is wrong with the wish is told before.
    let mut freight = Freight::gather(workspace, &board, &image, arguments)?;
    let append = arguments.kernel_words(freight.program.as_deref())?;
    let tools = setup::ensure(&setup::TO_RUN)?;
    let package = if arguments.tests {
        build::TEST_KERNEL
    } else {
        build::KERNEL
    };
    let built = build::kernel(workspace, &tools, &image, package)?;
    let ram_disk = freight.pack(workspace, &tools, &image)?;
    let boot = Boot {
        kernel: built.file,
        append,
        tree: Tree::Own,
        ram_disk: ram_disk.as_ref().map(|disk| disk.path().to_path_buf()),
    };
    let mut line = qemu::command_line(&board, &machine, &boot, &tools)?;
    if arguments.gdb {
        line.arguments.extend(["-s".into(), "-S".into()]);
    }
    if arguments.dry_run {
        println!("{line}");
        if let Some(disk) = ram_disk {
            disk.keep()?;
        }
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
    let ending = if freight.program.is_some() {
        run_program(&board, &line, &tools, arguments.trace)?
    } else {
        run_kernel(&board, &line, &tools)?
    };
    if !ending.is_told_by_status() {
        eprintln!("{}: {ending}", board.name);
    }
    Ok(ending.exit_code())
}

/// Hands the terminal over to the machine.
fn run_kernel(board: &Board, line: &CommandLine, tools: &Tools) -> Result<Ending> {
    let mut command = line.command(tools, "TERM");
    let status = command
        .status()
        .with_context(|| progress::could_not_start(&command))?;
    Ok(exit::interpret(board.exit, status))
}

/// Hands the terminal over, but reads along: the kernel's last line is for this tool, and the lines of a trace go to
/// standard error.
fn run_program(board: &Board, line: &CommandLine, tools: &Tools, trace: bool) -> Result<Ending> {
    let mut command = line.command(tools, "TERM");
    command.stdout(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| progress::could_not_start(&command))?;
    let output = child.stdout.take().context("QEMU gives no output")?;
    let mut split = Split::new(trace);
    let passed = end_line::pass_through(output, |bytes| split.hand_on(bytes))
        .and_then(|told| split.finish().map(|()| told));
    if passed.is_err() {
        // Nobody reads on: the machine would wait for ever.
        drop(child.kill());
    }
    let status = child.wait().context("cannot wait for QEMU")?;
    let told = match passed {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Ending::Program(0)),
        passed => passed.context("the program's output cannot be passed on")?,
    };
    Ok(exit::interpret(board.exit, status).of_program(told))
}

/// Where a machine's output goes: to standard output, but the lines of a trace to standard error.
struct Split {
    /// Absent where no trace was asked for: then all is the program's.
    trace: Option<TraceLines>,
}

impl Split {
    fn new(trace: bool) -> Self {
        Self {
            trace: trace.then(TraceLines::default),
        }
    }

    fn hand_on(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(trace) = &mut self.trace else {
            return put(&mut io::stdout().lock(), bytes);
        };
        let parted = trace.hear(bytes);
        put(&mut io::stderr().lock(), &parted.trace)?;
        put(&mut io::stdout().lock(), &parted.program)
    }

    fn finish(self) -> io::Result<()> {
        let held = self.trace.map(TraceLines::finish).unwrap_or_default();
        put(&mut io::stdout().lock(), &held)
    }
}

fn put(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes)?;
    to.flush()
}

/// What the kernel takes along: files for the RAM disk, and the program that it runs.
#[derive(Default)]
struct Freight {
    /// Absent where nothing was asked for.
    disk: Option<RamDisk>,
    /// The program's command line.
    program: Option<String>,
    /// The program's name, if it is one of ours.
    own: Option<String>,
}

impl Freight {
    /// Looks at the program and the files that a person named.
    fn gather(
        workspace: &Workspace,
        board: &Board,
        image: &Image,
        arguments: &RunArgs,
    ) -> Result<Self> {
        let words = &arguments.program;
        if words.is_empty() && arguments.files.is_empty() {
            return Ok(Self::default());
        }
        let mut disk = RamDisk::default();
        let program = if words.is_empty() {
            None
        } else {
            Some(program::prepare(workspace, board, image, words, &mut disk)?)
        };
        for path in &arguments.files {
            disk.add(path)?;
        }
        let own = match words.first() {
            Some(name) => programs::find(workspace, name)?,
            None => None,
        };
        Ok(Self {
            disk: Some(disk),
            program,
            own,
        })
    }

    /// Packs the files and the test programs into a RAM disk, which goes away with what this gives.
    fn pack(
        &mut self,
        workspace: &Workspace,
        tools: &Tools,
        image: &Image,
    ) -> Result<Option<RunDisk>> {
        let Some(disk) = &mut self.disk else {
            return Ok(None);
        };
        disk.add_programs(
            &programs::build(workspace, tools, image, self.own.as_deref())?,
            self.own.as_deref(),
        )?;
        RunDisk::create(&workspace.kernel_target().join("run"), disk).map(Some)
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        run: RunArgs,
    }

    fn run(words: &[&str]) -> Result<RunArgs, clap::Error> {
        let words = ["run"].iter().chain(words);
        Ok(Line::try_parse_from(words)?.run)
    }

    fn words(arguments: &[&str], program: Option<&str>) -> String {
        run(arguments).unwrap().kernel_words(program).unwrap()
    }

    #[test]
    fn a_programs_own_output_is_all_that_is_seen() {
        assert_eq!(words(&[], None), "");
        assert_eq!(words(&["--append", "a b"], None), "a b");
        assert_eq!(words(&[], Some("p.exe  x ")), "log=warning -- p.exe  x ");
        assert_eq!(
            words(&["-v", "--trace", "--", "p.exe"], Some("p.exe")),
            "log=info trace -- p.exe"
        );
        assert_eq!(
            words(&["--log", "debug", "--append", "x"], Some("p")),
            "log=debug x -- p"
        );
        assert!(run(&["--trace"]).is_err());
        assert!(run(&["--append", "-- q"]).is_err());
        assert!(
            run(&["--append=-- q"])
                .unwrap()
                .kernel_words(Some("p"))
                .is_err()
        );
    }

    #[test]
    fn what_follows_the_dashes_is_the_programs() {
        let arguments = run(&["--board", "q35", "--", "hello", "--gdb", "--", "a b"]).unwrap();
        assert_eq!(arguments.program, ["hello", "--gdb", "--", "a b"]);
        assert!(!arguments.gdb && arguments.board == "q35");
        assert!(run(&["--tests", "--", "hello"]).is_err());
        assert!(run(&["hello"]).is_err());
    }
}
