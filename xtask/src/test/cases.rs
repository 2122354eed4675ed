//! Test cases as data: `tests/cases/*.toml`. The format is explained in `tests/cases/README.md`.

use std::fs;

use anyhow::{Context, Result, bail};
use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use crate::board;
use crate::build;
use crate::machine::exit::Ending;
use crate::machine::fdt::Edits;
use crate::machine::spec::{Axes, PLACEHOLDERS};
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
    /// The kernel: `ntoskrnl` or `kernel-tests`.
    #[serde(default = "test_kernel")]
    pub(crate) image: String,
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

fn test_kernel() -> String {
    build::TEST_KERNEL.to_owned()
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
    /// A regular expression that must match what is printed after the last match.
    Expect(String),
    /// Text for the kernel's serial port.
    Send(String),
    /// A regular expression that must match nowhere.
    Refuse(String),
}

/// How a machine must end.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub(crate) enum ExpectedEnd {
    /// With the kernel's exit code.
    Code(u8),
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

impl ExpectedEnd {
    /// Whether a machine ended as it must.
    pub(crate) fn is_met_by(&self, ending: &Ending) -> bool {
        match (self, ending) {
            (Self::Code(expected), Ending::Kernel(code)) => expected == code,
            // Where the exit status is the code itself, switching off looks like code 0.
            (Self::Other(OtherEnd::Off), Ending::Off | Ending::Kernel(0)) => true,
            (Self::Other(OtherEnd::Refused), Ending::Emulator(_)) => true,
            _ => false,
        }
    }
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

impl Case {
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
        if ![build::KERNEL, build::TEST_KERNEL].contains(&self.image.as_str()) {
            bail!(
                "there is no kernel {:?}: write {} or {}",
                self.image,
                build::KERNEL,
                build::TEST_KERNEL
            );
        }
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
            (case.image.as_str(), case.seconds, case.matrix.as_str()),
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

    #[test]
    fn ends() {
        assert!(ExpectedEnd::Code(11).is_met_by(&Ending::Kernel(11)));
        assert!(!ExpectedEnd::Code(0).is_met_by(&Ending::Off));
        assert!(!ExpectedEnd::Code(0).is_met_by(&Ending::Killed));
        assert!(ExpectedEnd::Other(OtherEnd::Off).is_met_by(&Ending::Off));
        assert!(ExpectedEnd::Other(OtherEnd::Refused).is_met_by(&Ending::Emulator(1)));
        assert!(!ExpectedEnd::Other(OtherEnd::Refused).is_met_by(&Ending::Kernel(0)));
    }
}
