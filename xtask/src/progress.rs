//! Progress of long steps: a spinner on a terminal, plain lines anywhere else.
//!
//! A command that is run as a step is quiet while all goes well; if it fails,
//! everything it said is shown.

use std::io::{self, BufRead, BufReader, IsTerminal};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Steps shorter than this get no closing line where there is no terminal.
const WORTH_A_LINE: Duration = Duration::from_secs(3);

/// Where the steps show themselves: several can be under way at a time, each on a line of its own.
static SCREEN: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// One step under way, shown to the person who waits.
pub(crate) struct Step {
    title: String,
    started: Instant,
    bar: Option<ProgressBar>,
}

/// What a command said and how it ended.
pub(crate) struct Finished {
    /// Its exit status.
    pub(crate) status: ExitStatus,
    /// Its standard output and error, in the order they came.
    pub(crate) output: String,
}

impl Step {
    /// Begins a step of unknown length.
    pub(crate) fn start(title: impl Into<String>) -> Self {
        Self::with_bar(
            title.into(),
            ProgressBar::new_spinner(),
            "{spinner} {prefix} [{elapsed}] {wide_msg:.dim}",
        )
    }

    /// Begins a step of `count` parts.
    pub(crate) fn counted(title: impl Into<String>, count: usize) -> Self {
        let bar = ProgressBar::new(u64::try_from(count).unwrap_or(u64::MAX));
        Self::with_bar(
            title.into(),
            bar,
            "{prefix} [{bar:30}] {pos}/{len} [{elapsed}] {wide_msg:.dim}",
        )
    }

    fn with_bar(title: String, bar: ProgressBar, template: &str) -> Self {
        let bar = if io::stderr().is_terminal() {
            let style = ProgressStyle::with_template(template)
                .expect("the templates above are well formed");
            let bar = SCREEN.add(bar);
            bar.set_style(style.progress_chars("=> "));
            bar.set_prefix(title.clone());
            bar.enable_steady_tick(Duration::from_millis(120));
            Some(bar)
        } else {
            eprintln!("{title}");
            None
        };
        Self {
            title,
            started: Instant::now(),
            bar,
        }
    }

    /// Shows what the step is doing now; lost where there is no terminal.
    pub(crate) fn note(&self, message: impl Into<String>) {
        if let Some(bar) = &self.bar {
            bar.set_message(message.into());
        }
    }

    /// One part is done: `line` stays on the screen.
    pub(crate) fn advance(&self, line: &str) {
        match &self.bar {
            Some(bar) => {
                bar.inc(1);
                bar.println(line);
            }
            None => eprintln!("{line}"),
        }
    }

    /// Ends the step.
    pub(crate) fn done(self) {
        match &self.bar {
            Some(bar) => bar.finish_and_clear(),
            None if self.started.elapsed() >= WORTH_A_LINE => {
                eprintln!(
                    "{}: done in {} s",
                    self.title,
                    self.started.elapsed().as_secs()
                );
            }
            None => {}
        }
    }

    /// Runs a command to its end within this step.
    pub(crate) fn run(&self, command: &mut Command) -> Result<Finished> {
        let (reader, writer) = io::pipe().context("cannot make a pipe")?;
        let errors = writer.try_clone().context("cannot make a pipe")?;
        command.stdin(Stdio::null()).stdout(writer).stderr(errors);
        let mut child = command.spawn().with_context(|| could_not_start(command))?;
        // The command holds the pipe's writing end; while it does, reading would never end.
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());

        let mut output = String::new();
        let mut reader = BufReader::new(reader);
        let mut line = Vec::new();
        while reader
            .read_until(b'\n', &mut line)
            .context("cannot read what a command says")?
            > 0
        {
            let text = String::from_utf8_lossy(&line);
            if !text.trim().is_empty() {
                self.note(text.trim_end().to_owned());
            }
            output.push_str(&text);
            line.clear();
        }
        let status = child.wait().context("cannot wait for a command")?;
        Ok(Finished { status, output })
    }

    /// Like [`Step::run`], but a failure of the command is an error that shows what it said.
    pub(crate) fn run_checked(&self, command: &mut Command) -> Result<String> {
        let finished = self.run(command)?;
        if !finished.status.success() {
            bail!(
                "{} failed ({}):\n{}",
                program_name(command),
                finished.status,
                finished.output.trim_end()
            );
        }
        Ok(finished.output)
    }
}

/// The last part of a command's program, for messages.
pub(crate) fn program_name(command: &Command) -> String {
    let path = std::path::Path::new(command.get_program());
    path.file_name()
        .unwrap_or(command.get_program())
        .to_string_lossy()
        .into_owned()
}

/// The sentence for a program that cannot be started.
pub(crate) fn could_not_start(command: &Command) -> String {
    format!(
        "{} could not be started; `cargo xtask setup` shows what is missing",
        program_name(command)
    )
}
