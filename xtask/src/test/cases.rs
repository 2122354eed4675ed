//! Test cases as data: `tests/cases/*.toml`. The format is explained in `tests/cases/README.md`.

use std::fs;

use anyhow::{Context, Result, bail};
use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use crate::board;
use crate::build::{self, programs};
use crate::machine::exit::Ending;
use crate::machine::fdt::Edits;
use crate::machine::spec::{Axes, PLACEHOLDERS};
use crate::program;
use crate::workspace::Workspace;

/// One file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    #[serde(default, rename = "case")]
    cases: Vec<Case>,
}

/// One case: a kernel, the machines that it boots on, and what it must say.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// The first part of the test's name.
    pub(crate) name: String,
    /// What the case shows, one sentence.
    pub(crate) doc: String,
    /// The kernel, `ntoskrnl` or `kernel-tests`; see [`Case::kernel`].
    image: Option<String>,
    /// The test program that the kernel runs, and its arguments as Windows writes them.
    pub(crate) program: Option<String>,
    /// The first process starts the program, as it does for a person: the program uses DLLs.
    #[serde(default)]
    pub(crate) session: bool,
    /// The kernel's command line after the board's own beginning.
    #[serde(default)]
    pub(crate) append: String,
    /// The boards.
    pub(crate) boards: Vec<String>,
    /// The set of machines of each board, by its name in `board.toml`.
    #[serde(default = "standard")]
    pub(crate) matrix: String,
    /// Machines that replace the board's set.
    #[serde(default)]
    pub(crate) machines: Vec<Axes>,
    /// What every machine of this case has, whatever its set says.
    #[serde(default)]
    pub(crate) with: Axes,
    /// The dialogue.
    #[serde(default)]
    pub(crate) dialogue: Vec<Step>,
    /// How the machine must end.
    pub(crate) exit: ExpectedEnd,
    /// The time limit: a safety net, not a measure.
    #[serde(default = "generous")]
    pub(crate) seconds: u64,
    /// What is done to the device tree.
    #[serde(default)]
    pub(crate) tree: TreeDamage,
    /// The number of bytes that are left of the kernel's file.
    pub(crate) truncate_image: Option<usize>,
}

fn standard() -> String {
    "standard".to_owned()
}

fn generous() -> u64 {
    120
}

/// One line of a dialogue.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub(crate) enum Step {
    /// A regular expression that must match within a line of what is printed after the last match.
    Expect(String),
    /// Text for the kernel's serial port.
    Send(String),
    /// A regular expression that must match within no line.
    Refuse(String),
}

/// How a machine must end.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub(crate) enum ExpectedEnd {
    /// With the kernel's exit code, or the program's.
    Code(u32),
    /// Otherwise.
    Other(OtherEnd),
}

/// Ends without an exit code.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OtherEnd {
    /// The machine is switched off or reset.
    Off,
    /// QEMU refuses to start.
    Refused,
}

/// What is done to the device tree.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub(crate) enum TreeDamage {
    /// Nothing.
    #[default]
    Nothing,
    /// A word: `none` takes the tree away, `whole` hands the whole tree over past QEMU's loader.
    Word(TreeWord),
    /// Edits.
    Edits(Edits),
}

/// The words for [`TreeDamage`].
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TreeWord {
    /// There is no tree.
    None,
    /// The tree is as it should be: shows that damage and not the way of loading is at fault.
    Whole,
}

/// Reads all cases.
pub(crate) fn load(workspace: &Workspace) -> Result<Vec<Case>> {
    let folder = workspace.root().join("tests/cases");
    let entries = fs::read_dir(&folder)
        .with_context(|| format!("the folder {} cannot be read", folder.display()))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    });
    files.sort();
    let mut cases: Vec<Case> = Vec::new();
    for file in files {
        let read: CaseFile = board::read(workspace, &file)?;
        for case in read.cases {
            let place = || {
                format!(
                    "{}, case {:?}",
                    workspace.relative(&file).display(),
                    case.name
                )
            };
            case.check().with_context(place)?;
            check_name(workspace, &case).with_context(place)?;
            if cases.iter().any(|known| known.name == case.name) {
                bail!(
                    "{}: the name is taken by another case: choose another",
                    place()
                );
            }
            cases.push(case);
        }
    }
    Ok(cases)
}

/// Makes sure that the case's program is one of ours.
fn check_name(workspace: &Workspace, case: &Case) -> Result<()> {
    let Some(name) = case.program_name() else {
        return Ok(());
    };
    if programs::find(workspace, name)?.is_none() {
        bail!(
            "there is no test program {name:?}: write one of {}",
            programs::names(workspace)?.join(", ")
        );
    }
    Ok(())
}

impl Case {
    /// The name of the program that the kernel runs.
    pub(crate) fn program_name(&self) -> Option<&str> {
        self.program
            .as_deref()
            .map(|line| line.split(' ').next().unwrap_or_default())
    }

    /// The kernel's command line after the board's own beginning.
    pub(crate) fn kernel_words(&self) -> String {
        let (Some(name), Some(line)) = (self.program_name(), &self.program) else {
            return self.append.clone();
        };
        let stem = name.strip_suffix(".exe").unwrap_or(name);
        let arguments = &line[name.len()..];
        let first = match self.session {
            true => format!("{} ", programs::FIRST),
            false => String::new(),
        };
        format!(
            "{}{}{first}{stem}.exe{arguments}",
            self.append,
            program::SEPARATOR
        )
        .trim_start()
        .to_owned()
    }

    /// The kernel that the case boots: the product if it is to run a program, else the tests' own.
    pub(crate) fn kernel(&self) -> &str {
        let own = if self.program.is_some() {
            build::KERNEL
        } else {
            build::TEST_KERNEL
        };
        self.image.as_deref().unwrap_or(own)
    }

    /// Whether a machine ended as it must.
    pub(crate) fn is_met_by(&self, ending: &Ending) -> bool {
        match (&self.exit, ending) {
            (ExpectedEnd::Code(expected), Ending::Program(code)) => expected == code,
            // A kernel that fails does not end as its program should have ended.
            (ExpectedEnd::Code(expected), Ending::Kernel(code)) => {
                self.program.is_none() && *expected == u32::from(*code)
            }
            // Where the exit status is the code itself, switching off looks like code 0.
            (ExpectedEnd::Other(OtherEnd::Off), Ending::Off | Ending::Kernel(0)) => true,
            (ExpectedEnd::Other(OtherEnd::Refused), Ending::Emulator(_)) => true,
            _ => false,
        }
    }

    fn check(&self) -> Result<()> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || !self.name.chars().all(plain) || self.name.starts_with("host") {
            bail!(
                "a name has small letters, digits and hyphens, and does not begin with host: correct it"
            );
        }
        if !self.doc.ends_with('.') {
            bail!("`doc` is no sentence: say what the case shows, and end with a full stop");
        }
        if ![build::KERNEL, build::TEST_KERNEL].contains(&self.kernel()) {
            bail!(
                "there is no kernel {:?}: write {} or {}",
                self.kernel(),
                build::KERNEL,
                build::TEST_KERNEL
            );
        }
        self.check_program()?;
        if self.boards.is_empty() {
            bail!("it names no board: add `boards`");
        }
        for step in &self.dialogue {
            if let Step::Expect(pattern) | Step::Refuse(pattern) = step {
                // A machine's values come later; for now any character stands for them.
                let filled = PLACEHOLDERS.iter().fold(pattern.clone(), |text, name| {
                    text.replace(&format!("{{{name}}}"), "x")
                });
                expression(&filled)?;
            }
        }
        Ok(())
    }
}

impl Case {
    fn check_program(&self) -> Result<()> {
        if self.program.is_none() {
            if let ExpectedEnd::Code(code) = self.exit
                && u8::try_from(code).is_err()
            {
                bail!(
                    "the kernel's exit codes are less than 256, and {code:#x} is not: correct `exit`"
                );
            }
            return Ok(());
        }
        if self.kernel() != build::KERNEL {
            bail!(
                "{} runs no programs: take `image` or `program` out",
                self.kernel()
            );
        }
        if self.tree != TreeDamage::Nothing {
            bail!(
                "a machine with a damaged device tree gets no RAM disk: take `tree` or `program` out"
            );
        }
        Ok(())
    }
}

/// A dialogue's regular expression: `^` and `$` are the ends of lines.
pub(crate) fn expression(pattern: &str) -> Result<Regex> {
    RegexBuilder::new(pattern)
        .multi_line(true)
        .crlf(true)
        .build()
        .with_context(|| format!("{pattern:?} is no regular expression"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(text: &str) -> Result<Case> {
        let file: CaseFile = toml::from_str(text)?;
        let case = file.cases.into_iter().next().context("no case")?;
        case.check()?;
        Ok(case)
    }

    const WHOLE: &str = r#"
        [[case]]
        name = "spinlock"
        doc = "A lock is handed over."
        append = "test=spinlock"
        boards = ["virt", "q35"]
        with = { thread = "single" }
        dialogue = [{ expect = "handovers=\\d+" }, { expect = "{cpus} run" }, { send = "go\n" }, { refuse = "panic" }]
        exit = 0
    "#;

    #[test]
    fn a_whole_case() {
        let case = case(WHOLE).unwrap();
        assert_eq!(
            (case.kernel(), case.seconds, case.matrix.as_str()),
            ("kernel-tests", 120, "standard")
        );
        assert_eq!(case.dialogue[2], Step::Send("go\n".into()));
        assert_eq!(case.exit, ExpectedEnd::Code(0));
    }

    #[test]
    fn trees_in_all_three_ways() {
        let with = |line: &str| case(&format!("{WHOLE}\n{line}")).unwrap().tree;
        assert_eq!(with("tree = 'none'"), TreeDamage::Word(TreeWord::None));
        assert_eq!(with("tree = 'whole'"), TreeDamage::Word(TreeWord::Whole));
        let TreeDamage::Edits(edits) = with("tree = { truncate = 64, header = { magic = 0 } }")
        else {
            panic!()
        };
        assert_eq!((edits.truncate, edits.header["magic"]), (Some(64), 0));
    }

    #[test]
    fn mistakes_are_refused() {
        for (from, to) in [
            ("name = \"spinlock\"", "name = \"Spin lock\""),
            ("handed over.", "handed over"),
            ("boards = [\"virt\", \"q35\"]", "boards = []"),
            ("handovers=", "(("),
            ("exit = 0", "exit = 'soon'"),
            ("append", "apend"),
        ] {
            assert!(case(&WHOLE.replace(from, to)).is_err(), "{to}");
        }
    }

    const PROGRAM: &str = r#"
        [[case]]
        name = "says-hello"
        doc = "A program prints a line and ends with a status."
        program = 'nothing "a b"  c'
        boards = ["virt"]
        dialogue = [{ expect = "^Hello$" }]
        exit = 0xC0000005
    "#;

    #[test]
    fn a_program_and_its_exit_code() {
        let program = case(PROGRAM).unwrap();
        assert_eq!(program.kernel(), "ntoskrnl");
        assert_eq!(program.kernel_words(), "-- nothing.exe \"a b\"  c");
        assert!(program.is_met_by(&Ending::Program(0xC000_0005)));
        assert!(!program.is_met_by(&Ending::Program(5)));
        let appended = case(&format!("{PROGRAM}\nappend = 'log=debug'")).unwrap();
        assert_eq!(
            appended.kernel_words(),
            "log=debug -- nothing.exe \"a b\"  c"
        );
    }

    #[test]
    fn a_kernels_end_is_no_programs() {
        let program = case(&PROGRAM.replace("0xC0000005", "11")).unwrap();
        assert!(program.is_met_by(&Ending::Program(11)));
        assert!(!program.is_met_by(&Ending::Kernel(11)));
        let program = case(&PROGRAM.replace("0xC0000005", "0")).unwrap();
        assert!(!program.is_met_by(&Ending::ProgramUntold));
    }

    #[test]
    fn a_program_wants_the_product_and_a_whole_machine() {
        for line in ["image = 'kernel-tests'", "tree = 'none'"] {
            assert!(case(&format!("{PROGRAM}\n{line}")).is_err(), "{line}");
        }
        assert!(case(&WHOLE.replace("exit = 0", "exit = 256")).is_err());
        let workspace = Workspace::discover().unwrap();
        assert!(check_name(&workspace, &case(PROGRAM).unwrap()).is_ok());
        let unknown = case(&PROGRAM.replace("'nothing ", "'nothin ")).unwrap();
        let said = check_name(&workspace, &unknown).unwrap_err().to_string();
        assert!(said.contains("nothing"), "{said}");
    }

    #[test]
    fn ends() {
        let with = |end: &str| case(&WHOLE.replace("exit = 0", &format!("exit = {end}"))).unwrap();
        assert!(with("11").is_met_by(&Ending::Kernel(11)));
        assert!(!with("0").is_met_by(&Ending::Off));
        assert!(!with("0").is_met_by(&Ending::Killed));
        assert!(with("'off'").is_met_by(&Ending::Off));
        assert!(with("'refused'").is_met_by(&Ending::Emulator(1)));
        assert!(!with("'refused'").is_met_by(&Ending::Kernel(0)));
    }
}
