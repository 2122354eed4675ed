//! The program that a person wants to run: found, looked at, packed for the machine.

pub(crate) mod end_line;
mod pe;
mod quoting;
pub(crate) mod ram_disk;
pub(crate) mod run_disk;
pub(crate) mod trace_lines;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::board::{Board, Image};
use crate::build::programs;
use crate::workspace::Workspace;
use ram_disk::RamDisk;

/// What separates the kernel's own words from the program's command line.
pub(crate) const SEPARATOR: &str = " -- ";

/// Puts a program into the RAM disk; gives its command line.
///
/// `words` are the program, one of ours by name or any by path, and its arguments.
pub(crate) fn prepare(
    workspace: &Workspace,
    board: &Board,
    image: &Image,
    words: &[String],
    disk: &mut RamDisk,
) -> Result<String> {
    let (program, arguments) = words.split_first().context("no program is named")?;
    let file_name = match programs::find(workspace, program)? {
        Some(own) => format!("{own}.exe"),
        None => {
            let path = Path::new(program);
            check(workspace, board, image, path)?;
            disk.add(path)?
        }
    };
    let line = quoting::command_line(&file_name, arguments)?;
    Ok(format!("{} {line}", programs::FIRST))
}

/// Makes sure that a file is a program that can run on the board.
fn check(workspace: &Workspace, board: &Board, image: &Image, path: &Path) -> Result<()> {
    let shown = path.display();
    if !path.is_file() {
        bail!("{}", not_there(path, &programs::names(workspace)?));
    }
    let file = fs::read(path).with_context(|| format!("{shown} cannot be read"))?;
    let machine = pe::machine(&file)
        .map_err(|what| anyhow::anyhow!("{shown} {what}: give the path of a 64-bit .exe file"))?;
    if machine.0 == image.user.machine {
        return Ok(());
    }
    if machine.is_32_bit() {
        bail!(
            "{shown} is a {machine} program, and WoW64, which will run those, is not there yet: give a 64-bit one for {}",
            image.user.title
        );
    }
    let others = boards_for(workspace, machine)?;
    if others.is_empty() {
        bail!(
            "{shown} is a program for {machine}, which no board has: give one for {}",
            image.user.title
        );
    }
    bail!(
        "{shown} is a program for {machine}, and {} is an {} machine: add --board {}",
        board.name,
        image.user.title,
        others.join(" or --board ")
    );
}

/// Says what is not there, and what to name instead: a path is looked for as a file, anything else as one of our programs.
fn not_there(path: &Path, names: &[String]) -> String {
    let shown = path.display();
    if path.as_os_str().is_empty() {
        return "the program's name is empty: name a test program or the path of an .exe file behind `--`".into();
    }
    if path.is_dir() {
        return format!("{shown} is a folder: give the path of an .exe file in it");
    }
    if path.components().count() > 1 {
        return format!(
            "there is no file {shown}: check the path of the .exe file, which counts from the folder that you are in"
        );
    }
    let wanted = path.with_extension("").display().to_string().to_lowercase();
    let alike: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| is_alike(name, &wanted))
        .collect();
    let (which, list) = if alike.is_empty() {
        ("the test programs are", names.join(", "))
    } else {
        ("did you mean", alike.join(", ") + "?")
    };
    format!(
        "there is no program {shown}: name a test program or the path of an .exe file; {which} {list}"
    )
}

/// Whether a person may have meant this name: one has the other in it, or they differ in two letters at most.
fn is_alike(name: &str, wanted: &str) -> bool {
    if wanted.len() >= 3 && (name.contains(wanted) || wanted.contains(name)) {
        return true;
    }
    distance(name.as_bytes(), wanted.as_bytes()) <= 2.min(wanted.len() / 2)
}

/// How many letters are to be put in, taken out or changed to make one name of the other.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (place, from) in (1..).zip(left) {
        let mut diagonal = row[0];
        row[0] = place;
        for (index, to) in right.iter().enumerate() {
            let changed = diagonal + usize::from(from != to);
            diagonal = row[index + 1];
            row[index + 1] = changed.min(diagonal + 1).min(row[index] + 1);
        }
    }
    row[right.len()]
}

/// The boards whose programs are for this machine.
fn boards_for(workspace: &Workspace, machine: pe::PeMachine) -> Result<Vec<String>> {
    let mut boards = Vec::new();
    for name in Board::names(workspace)? {
        let board = Board::load(workspace, &name)?;
        if Image::load(workspace, &board.image)?.user.machine == machine.0 {
            boards.push(name);
        }
    }
    Ok(boards)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(board: &str, words: &[&str]) -> Result<String> {
        let workspace = Workspace::discover().unwrap();
        let board = Board::load(&workspace, board).unwrap();
        let image = Image::load(&workspace, &board.image).unwrap();
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        prepare(&workspace, &board, &image, &words, &mut RamDisk::default())
    }

    #[test]
    fn our_own_programs_go_by_their_names() {
        for name in ["nothing", "Nothing.exe"] {
            let line = prepared("virt", &[name, "a b", "c"]).unwrap();
            assert_eq!(line, "smss.exe nothing.exe \"a b\" c");
        }
    }

    #[test]
    fn a_path_is_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        let with = |machine: u16| {
            let path = dir.path().join("my app.exe");
            fs::write(&path, pe::sample(machine, 2)).unwrap();
            prepared("virt", &[path.to_str().unwrap(), "x"])
        };
        assert_eq!(with(0xaa64).unwrap(), "smss.exe \"my app.exe\" x");
        for (machine, words) in [
            (
                0x8664,
                "for x86-64, and virt is an ARM64 machine: add --board q35",
            ),
            (0x14c, "is a 32-bit x86 program, and WoW64"),
            (0x1c4, "is a 32-bit ARM program, and WoW64"),
            (0x200, "which no board has"),
        ] {
            let said = with(machine).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        let said = |program| prepared("q35", &[program]).unwrap_err().to_string();
        for (program, words) in [
            ("nothin", "there is no program nothin: "),
            ("nothin", "did you mean nothing?"),
            ("helo.exe", "did you mean hello?"),
            ("xyz", "the test programs are bench_kernel, "),
            (
                "./no/such.exe",
                "there is no file ./no/such.exe: check the path",
            ),
            ("..", ".. is a folder: "),
            ("", "the program's name is empty: "),
        ] {
            assert!(said(program).contains(words), "{}", said(program));
        }
        let said = prepared("q35", &["/etc/passwd"]).unwrap_err().to_string();
        assert!(said.contains("is no Windows program"), "{said}");
    }
}
