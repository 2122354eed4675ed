//! Runs one test in a fresh machine: boots it, holds the dialogue, looks at the end.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::board::{DeviceTreeSource, DirectLoad};
use crate::machine::exit::{self, Ending};
use crate::machine::fdt::Edits;
use crate::machine::qemu::{self, Boot, Tree};
use crate::program::end_line;
use crate::setup::{Need, Tools};
use crate::test::Planned;
use crate::test::cases::{TreeDamage, TreeWord};
use crate::test::depot::Freight;
use crate::test::dialogue::{Action, Dialogue};
use crate::test::results::{Outcome, TestResult};

/// If nothing was printed for so long, a last line without an end counts as a prompt.
const PROMPT_PAUSE: Duration = Duration::from_millis(300);
/// The most that a test may print: a kernel gone wild must not fill the memory.
const LONGEST_LOG: usize = 4 << 20;

/// Runs a test to its end. Whatever goes wrong is the test's failure.
pub(super) fn run(
    planned: &Planned,
    freight: &Freight,
    tools: &Tools,
    folder: &Path,
) -> TestResult {
    let started = Instant::now();
    let (verdict, log) = match attempt(planned, freight, tools, folder) {
        Ok((verdict, log)) => (verdict, log),
        Err(error) => (
            Err(format!("it could not be run: {error:#}")),
            String::new(),
        ),
    };
    TestResult {
        name: planned.name.clone(),
        outcome: if verdict.is_ok() {
            Outcome::Passed
        } else {
            Outcome::Failed
        },
        seconds: started.elapsed().as_secs_f64(),
        reason: verdict.err().unwrap_or_default(),
        log,
    }
}

type Verdict = std::result::Result<(), String>;

fn attempt(
    planned: &Planned,
    freight: &Freight,
    tools: &Tools,
    folder: &Path,
) -> Result<(Verdict, String)> {
    fs::create_dir_all(folder).context("the test's folder cannot be made")?;
    let boot = prepare(planned, freight, tools, folder)?;
    let mut dialogue = Dialogue::new(&planned.case.dialogue, &planned.machine)?;
    let line = qemu::command_line(&planned.board, &planned.machine, &boot, tools)?;
    let mut machine = Running::start(line.command(tools, "KILL"))?;
    let trouble = machine.converse(&mut dialogue, Duration::from_secs(planned.case.seconds))?;
    let mut ending = machine.end(planned)?;
    if planned.case.program.is_some() {
        ending = ending.of_program(end_line::code_at_end(dialogue.log()));
    }
    let verdict = judge(planned, trouble, &dialogue, &ending);
    Ok((verdict, dialogue.into_log()))
}

fn judge(
    planned: &Planned,
    trouble: Option<String>,
    dialogue: &Dialogue,
    ending: &Ending,
) -> Verdict {
    let mut reasons: Vec<String> = trouble.iter().cloned().collect();
    reasons.extend(dialogue.unmet());
    // A machine that was stopped for another reason ended as it had to.
    if trouble.is_none() && !planned.case.is_met_by(ending) {
        reasons.push(format!(
            "expected the end {:?}, but {ending}",
            planned.case.exit
        ));
    }
    if reasons.is_empty() {
        Ok(())
    } else {
        Err(reasons.join("; "))
    }
}

/// A machine that runs.
struct Running {
    child: Child,
    input: Option<ChildStdin>,
    heard: Receiver<Vec<u8>>,
    /// Bytes that do not yet make a character.
    rest: Vec<u8>,
}

impl Running {
    fn start(mut command: Command) -> Result<Self> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .with_context(|| crate::progress::could_not_start(&command))?;
        let (sender, heard) = mpsc::channel();
        let output = child.stdout.take().context("QEMU gives no output")?;
        let errors = child.stderr.take().context("QEMU gives no errors")?;
        for mut stream in [Box::new(output) as Box<dyn Read + Send>, Box::new(errors)] {
            let sender = sender.clone();
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    if sender.send(buffer[..count].to_vec()).is_err() {
                        return;
                    }
                }
            });
        }
        let input = child.stdin.take();
        Ok(Self {
            child,
            input,
            heard,
            rest: Vec::new(),
        })
    }

    /// Holds the dialogue until the machine ends by itself, or until there is a reason to stop it.
    fn converse(&mut self, dialogue: &mut Dialogue, limit: Duration) -> Result<Option<String>> {
        let deadline = Instant::now() + limit;
        let mut total = 0;
        loop {
            let now = Instant::now();
            if now >= deadline {
                return Ok(Some(format!("it did not end within {} s", limit.as_secs())));
            }
            let quiet = match self.heard.recv_timeout(PROMPT_PAUSE.min(deadline - now)) {
                Ok(bytes) => {
                    total += bytes.len();
                    self.rest.extend(bytes);
                    let text = take_text(&mut self.rest);
                    dialogue.hear(&text);
                    false
                }
                Err(RecvTimeoutError::Timeout) => true,
                Err(RecvTimeoutError::Disconnected) => {
                    dialogue.hear(&String::from_utf8_lossy(&self.rest));
                    return Ok(match dialogue.advance(true) {
                        Action::Refused(why) => Some(why),
                        Action::Wait | Action::Send(_) => None,
                    });
                }
            };
            if total > LONGEST_LOG {
                return Ok(Some(format!("it printed more than {LONGEST_LOG} bytes")));
            }
            if let Some(why) = self.answer(dialogue, quiet)? {
                return Ok(Some(why));
            }
        }
    }

    fn answer(&mut self, dialogue: &mut Dialogue, quiet: bool) -> Result<Option<String>> {
        loop {
            match dialogue.advance(quiet) {
                Action::Wait => return Ok(None),
                Action::Refused(why) => return Ok(Some(why)),
                Action::Send(text) => {
                    let input = self.input.as_mut().context("QEMU takes no input")?;
                    if input
                        .write_all(text.as_bytes())
                        .and_then(|()| input.flush())
                        .is_err()
                    {
                        return Ok(Some(format!(
                            "the machine ended before {text:?} could be sent"
                        )));
                    }
                }
            }
        }
    }

    /// Makes sure that the machine is gone, and tells how it ended.
    fn end(&mut self, planned: &Planned) -> Result<Ending> {
        // It may have closed its output and still be on its way out.
        let deadline = Instant::now() + Duration::from_secs(1);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().context("cannot wait for QEMU")? {
                return Ok(exit::interpret(planned.board.exit, status));
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.child.kill().context("QEMU cannot be stopped")?;
        self.child.wait().context("cannot wait for QEMU")?;
        Ok(Ending::Killed)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error on the way must not leave the machine running; one that ended is no error.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Takes what is whole characters; what is none becomes a replacement character.
fn take_text(bytes: &mut Vec<u8>) -> String {
    let mut text = String::new();
    loop {
        match std::str::from_utf8(bytes) {
            Ok(whole) => {
                text.push_str(whole);
                bytes.clear();
                return text;
            }
            Err(error) => {
                let good = error.valid_up_to();
                text.push_str(&String::from_utf8_lossy(&bytes[..good]));
                let Some(bad) = error.error_len() else {
                    bytes.drain(..good);
                    return text;
                };
                text.push('\u{fffd}');
                bytes.drain(..good + bad);
            }
        }
    }
}

/// Makes the files that the machine starts with.
fn prepare(planned: &Planned, freight: &Freight, tools: &Tools, folder: &Path) -> Result<Boot> {
    let case = &planned.case;
    let built = &freight.kernel;
    let mut boot = Boot {
        kernel: built.file.clone(),
        append: case.kernel_words(),
        tree: Tree::Own,
        ram_disk: freight.ram_disk.clone(),
    };
    if let Some(length) = case.truncate_image {
        let mut bytes = fs::read(&built.file).context("the kernel's file cannot be read")?;
        if length >= bytes.len() {
            bail!(
                "the kernel has only {} bytes: let `truncate_image` be less than {length}",
                bytes.len()
            );
        }
        bytes.truncate(length);
        boot.kernel = folder.join("kernel");
        fs::write(&boot.kernel, bytes).context("the test's kernel cannot be written")?;
    }
    let edits = match &case.tree {
        TreeDamage::Nothing => return Ok(boot),
        TreeDamage::Word(TreeWord::None) => None,
        TreeDamage::Word(TreeWord::Whole) => Some(Edits::default()),
        TreeDamage::Edits(edits) => Some(edits.clone()),
    };
    boot.tree = match (planned.board.direct_load, planned.board.device_tree, edits) {
        (Some(at), _, edits) => direct_tree(planned, &boot, tools, folder, at, edits)?,
        (None, Some(DeviceTreeSource::RaspberryPi4), Some(edits)) => {
            let original = fs::read(tools.path(Need::PiDeviceTree))
                .context("the device tree cannot be read")?;
            let file = folder.join("tree");
            fs::write(&file, edits.apply(&original)?)
                .context("the test's device tree cannot be written")?;
            Tree::File(file)
        }
        (None, Some(_), None) => Tree::Absent,
        (None, None, _) => bail!(
            "{} has no device tree to damage: take `tree` out of the case",
            planned.board.name
        ),
    };
    Ok(boot)
}

fn direct_tree(
    planned: &Planned,
    boot: &Boot,
    tools: &Tools,
    folder: &Path,
    at: DirectLoad,
    edits: Option<Edits>,
) -> Result<Tree> {
    let stub = folder.join("stub");
    let address = edits.is_some().then_some(at.device_tree);
    fs::write(&stub, qemu::boot_stub(address, at.kernel))
        .context("the test's stub cannot be written")?;
    let tree = match edits {
        None => None,
        Some(edits) => {
            let file = folder.join("tree");
            let original = dump_tree(planned, boot, tools, folder)?;
            fs::write(&file, edits.apply(&original)?)
                .context("the test's device tree cannot be written")?;
            Some(file)
        }
    };
    Ok(Tree::Direct { stub, tree })
}

/// The tree that QEMU itself would hand over.
fn dump_tree(planned: &Planned, boot: &Boot, tools: &Tools, folder: &Path) -> Result<Vec<u8>> {
    let file = folder.join("original");
    let own = Boot {
        tree: Tree::Own,
        ..boot.clone()
    };
    let mut line = qemu::command_line(&planned.board, &planned.machine, &own, tools)?;
    let shown = file
        .to_str()
        .context("the test's folder is not valid UTF-8: move the checkout")?;
    line.arguments
        .extend(["-M".into(), format!("dumpdtb={}", shown.replace(',', ",,"))]);
    let output = line
        .command(tools, "KILL")
        .stdin(Stdio::null())
        .output()
        .context("QEMU could not be started")?;
    if !output.status.success() {
        bail!(
            "QEMU does not give its device tree: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    fs::read(&file).context("QEMU gave no device tree")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_split_between_reads() {
        let mut bytes = "é".as_bytes()[..1].to_vec();
        assert_eq!(take_text(&mut bytes), "");
        bytes.extend(&"é".as_bytes()[1..]);
        bytes.extend(b"\xffx");
        assert_eq!(take_text(&mut bytes), "é\u{fffd}x");
        assert!(bytes.is_empty());
    }

    fn shell(script: &str) -> Running {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Running::start(command).unwrap()
    }

    fn dialogue(steps: &str) -> (Dialogue, crate::machine::spec::Machine) {
        #[derive(serde::Deserialize)]
        struct Steps {
            steps: Vec<crate::test::cases::Step>,
        }
        let board =
            crate::board::Board::load(&crate::workspace::Workspace::discover().unwrap(), "virt")
                .unwrap();
        let machine = crate::machine::spec::Wishes::default().on(&board).unwrap();
        let steps: Steps = toml::from_str(&format!("steps = {steps}")).unwrap();
        (Dialogue::new(&steps.steps, &machine).unwrap(), machine)
    }

    #[test]
    fn a_prompt_is_answered() {
        let (mut talk, _) =
            dialogue("[{expect='name[?] $'}, {send=\"Ann\\n\"}, {expect='hello Ann'}]");
        let mut machine = shell("printf 'name? '; read name; echo hello $name");
        assert_eq!(
            machine
                .converse(&mut talk, Duration::from_secs(20))
                .unwrap(),
            None
        );
        assert_eq!(talk.unmet(), None);
    }

    #[test]
    fn a_hang_is_ended() {
        let (mut talk, _) = dialogue("[{expect='never'}]");
        let mut machine = shell("echo start; exec sleep 100");
        let trouble = machine.converse(&mut talk, Duration::from_secs(1)).unwrap();
        assert!(trouble.unwrap().contains("within 1 s"));
        assert!(talk.unmet().unwrap().contains("never"));
        assert!(talk.into_log().contains("start"));
    }

    #[test]
    fn what_is_refused_stops_the_machine() {
        let (mut talk, _) = dialogue("[{refuse='bad'}]");
        let mut machine = shell("echo bad; exec sleep 100");
        let trouble = machine
            .converse(&mut talk, Duration::from_secs(20))
            .unwrap();
        assert!(trouble.unwrap().contains("forbids"));
    }
}
