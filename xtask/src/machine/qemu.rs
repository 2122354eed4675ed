//! QEMU's command line, made from a board's data and a machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use boards::MAX_COMMAND_LINE;

use crate::board::{Board, DeviceTreeSource};
use crate::machine::spec::Machine;
use crate::setup::{Need, Tools};

/// What a machine starts with.
#[derive(Clone, Debug)]
pub(crate) struct Boot {
    /// The kernel image.
    pub(crate) kernel: PathBuf,
    /// The kernel's command line after the board's own beginning.
    pub(crate) append: String,
    /// The device tree.
    pub(crate) tree: Tree,
    /// The initial RAM disk.
    pub(crate) ram_disk: Option<PathBuf>,
}

/// The device tree that the kernel meets.
#[derive(Clone, Debug)]
pub(crate) enum Tree {
    /// The board's own.
    Own,
    /// None at all.
    Absent,
    /// This file, through QEMU's loader, which refuses a damaged one.
    File(PathBuf),
    /// These files, put in memory as they are with a stub that jumps to the kernel.
    Direct {
        /// The stub's code.
        stub: PathBuf,
        /// The tree; `None` if the stub passes a null pointer.
        tree: Option<PathBuf>,
    },
}

/// The program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandLine {
    /// QEMU's path.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
}

/// Makes QEMU's command line.
pub(crate) fn command_line(
    board: &Board,
    machine: &Machine,
    boot: &Boot,
    tools: &Tools,
) -> Result<CommandLine> {
    let need = emulator_need(board)?;
    let mut arguments = machine_arguments(board, machine)?;
    if let Some(firmware) = &board.firmware
        && tools.has_firmware(need, firmware)
    {
        arguments.extend(["-bios".into(), firmware.clone()]);
    }
    let kernel = path_text(&boot.kernel)?;
    match (&boot.tree, board.direct_load) {
        (Tree::Direct { stub, tree }, Some(at)) => {
            arguments.extend(loaded(&path_text(stub)?, at.stub));
            arguments.extend(loaded(&kernel, at.kernel));
            if let Some(tree) = tree {
                arguments.extend(loaded(&path_text(tree)?, at.device_tree));
            }
            arguments.extend([
                "-device".into(),
                format!("loader,addr={:#x},cpu-num=0", at.stub),
            ]);
        }
        (Tree::Direct { .. }, None) => {
            bail!(
                "boards/{}/board.toml has no [direct_load]: add it, or leave the device tree whole",
                board.name
            )
        }
        (tree, _) => {
            arguments.extend([
                "-kernel".into(),
                kernel,
                "-append".into(),
                full_append(board, &boot.append)?,
            ]);
            let file = match tree {
                Tree::File(path) => Some(path.as_path()),
                Tree::Own => board
                    .device_tree
                    .map(|DeviceTreeSource::RaspberryPi4| tools.path(Need::PiDeviceTree)),
                Tree::Absent | Tree::Direct { .. } => None,
            };
            if let Some(file) = file {
                arguments.extend(["-dtb".into(), path_text(file)?]);
            }
            if let Some(file) = &boot.ram_disk {
                arguments.extend(["-initrd".into(), path_text(file)?]);
            }
        }
    }
    Ok(CommandLine {
        program: tools.path(need).to_path_buf(),
        arguments,
    })
}

/// The kernel's whole command line.
fn full_append(board: &Board, append: &str) -> Result<String> {
    // What follows is taken as it is: spaces at a program's end are its own.
    let line = if append.is_empty() {
        board.append.clone()
    } else {
        format!("{} {append}", board.append)
    };
    if line.len() > MAX_COMMAND_LINE {
        bail!(
            "the kernel's command line has {} bytes, and {} can take {MAX_COMMAND_LINE}: give the program shorter arguments",
            line.len(),
            board.name
        );
    }
    Ok(line)
}

/// The part of the command line that makes the machine itself.
pub(crate) fn machine_arguments(board: &Board, machine: &Machine) -> Result<Vec<String>> {
    let mut options = machine.fill(&board.machine);
    options.push_str(&conditional(machine, &board.machine_options));
    let mut machine = machine.clone();
    if let Some(cpu) = machine.cpu.take() {
        machine.cpu = Some(cpu + &conditional(&machine, &board.cpu_options));
    }
    let mut arguments = vec!["-M".to_owned(), options];
    // Real time and real threads unless something else is asked for: never KVM by itself,
    // since a /dev/kvm can be there without hardware behind it.
    if machine.kvm {
        check_kvm(board)?;
        arguments.extend(["-accel".into(), "kvm".into()]);
    } else if machine.icount {
        arguments.extend([
            "-accel".into(),
            "tcg".into(),
            "-icount".into(),
            "shift=0,sleep=off".into(),
        ]);
    } else {
        let thread = if machine.single_thread {
            "single"
        } else {
            "multi"
        };
        arguments.extend(["-accel".into(), format!("tcg,thread={thread}")]);
    }
    let rest: Vec<String> = board
        .arguments
        .iter()
        .map(|argument| machine.fill(argument))
        .collect();
    if let Some(open) = rest.iter().find(|argument| argument.contains('{')) {
        bail!(
            "boards/{}/board.toml has the unknown placeholder {open:?}: correct it",
            board.name
        );
    }
    arguments.extend(rest);
    Ok(arguments)
}

/// The options whose condition holds, each after a comma.
fn conditional(machine: &Machine, options: &BTreeMap<String, String>) -> String {
    let held = options
        .iter()
        .filter(|(condition, _)| machine.fulfils(condition));
    held.map(|(_, option)| format!(",{option}")).collect()
}

/// Which program of [`Need`] plays this board.
pub(crate) fn emulator_need(board: &Board) -> Result<Need> {
    match board.emulator.as_str() {
        "qemu-system-aarch64" => Ok(Need::QemuArm),
        "qemu-system-x86_64" => Ok(Need::QemuX86),
        other => bail!(
            "boards/{}/board.toml names the unknown emulator {other:?}: correct it",
            board.name
        ),
    }
}

fn check_kvm(board: &Board) -> Result<()> {
    let hardware = ["/sys/module/kvm_intel", "/sys/module/kvm_amd"]
        .iter()
        .any(|path| Path::new(path).exists());
    if board.emulator != "qemu-system-x86_64" || !cfg!(unix) || !hardware {
        bail!(
            "--kvm works only for q35 on a PC with hardware virtualization (kvm_intel or kvm_amd), and this is none: leave it out"
        );
    }
    Ok(())
}

fn loaded(file: &str, address: u64) -> [String; 2] {
    // A comma separates QEMU's options; two stand for one.
    [
        "-device".into(),
        format!(
            "loader,file={},addr={address:#x},force-raw=on",
            file.replace(',', ",,")
        ),
    ]
}

fn path_text(path: &Path) -> Result<String> {
    match path.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => bail!(
            "the path {} is not valid UTF-8, which QEMU's options need: move the checkout",
            path.display()
        ),
    }
}

impl CommandLine {
    /// A command that runs QEMU and takes it down when this tool dies, by `signal`.
    pub(crate) fn command(&self, tools: &Tools, signal: &str) -> Command {
        let mut command = Command::new(tools.path(Need::Setpriv));
        command
            .arg("--pdeathsig")
            .arg(signal)
            .arg("--")
            .arg(&self.program)
            .args(&self.arguments);
        command
    }
}

impl std::fmt::Display for CommandLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.program.display())?;
        for argument in &self.arguments {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_=,./:+@".contains(c);
            if !argument.is_empty() && argument.chars().all(plain) {
                write!(f, " {argument}")?;
            } else {
                write!(f, " '{}'", argument.replace('\'', r"'\''"))?;
            }
        }
        Ok(())
    }
}

/// The stub that plays the boot loader for [`Tree::Direct`]: ARM64's boot protocol in six
/// instructions and two addresses.
pub(crate) fn boot_stub(tree: Option<u64>, kernel: u64) -> Vec<u8> {
    const CODE: [u32; 6] = [
        0x5800_00c0, // ldr x0, tree
        0x5800_00e4, // ldr x4, kernel
        0xd280_0001, // mov x1, #0
        0xd280_0002, // mov x2, #0
        0xd280_0003, // mov x3, #0
        0xd61f_0080, // br x4
    ];
    let mut bytes: Vec<u8> = CODE.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.extend(tree.unwrap_or(0).to_le_bytes());
    bytes.extend(kernel.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::spec::Wishes;
    use crate::workspace::Workspace;

    fn arguments(name: &str, wishes: &Wishes) -> String {
        let board = Board::load(&Workspace::discover().unwrap(), name).unwrap();
        machine_arguments(&board, &wishes.on(&board).unwrap())
            .unwrap()
            .join(" ")
    }

    #[test]
    fn virt_as_documented() {
        let line = arguments(
            "virt",
            &Wishes {
                gic: Some(2),
                entry: Some("el2".into()),
                ..Wishes::default()
            },
        );
        assert!(line.starts_with("-M virt,gic-version=2,virtualization=on -accel tcg,thread=multi -cpu cortex-a72 -smp 4 -m 256M"), "{line}");
        assert!(line.contains("-semihosting-config enable=on,target=native"));
    }

    #[test]
    fn counting_takes_the_seeds_away() {
        let line = arguments(
            "virt",
            &Wishes {
                icount: true,
                ..Wishes::default()
            },
        );
        assert!(
            line.contains("dtb-randomness=off") && line.contains("-icount shift=0,sleep=off"),
            "{line}"
        );
        assert!(!line.contains("thread="), "{line}");
    }

    #[test]
    fn q35_without_acpi() {
        let line = arguments(
            "q35",
            &Wishes {
                no_acpi: true,
                cpus: Some(2),
                ..Wishes::default()
            },
        );
        assert!(
            line.contains("-M q35,acpi=off") && line.contains("-smp 2"),
            "{line}"
        );
    }

    #[test]
    fn counting_on_a_pc_goes_without_x2apic() {
        let counted = Wishes {
            icount: true,
            ..Wishes::default()
        };
        assert!(arguments("q35", &counted).contains("-cpu max,-x2apic"));
        assert!(arguments("q35", &Wishes::default()).contains("-cpu max -smp"));
    }

    #[test]
    fn the_stub_ends_in_its_addresses() {
        let stub = boot_stub(Some(0x4400_0000), 0x4020_0000);
        assert_eq!(stub.len(), 40);
        assert_eq!(stub[24..32], 0x4400_0000_u64.to_le_bytes());
        assert_eq!(stub[32..40], 0x4020_0000_u64.to_le_bytes());
    }
}
