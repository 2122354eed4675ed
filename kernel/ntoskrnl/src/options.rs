//! The kernel's command line.
//!
//! | option | meaning |
//! |---|---|
//! | `exit=semihosting` | the exit code goes to the emulator by ARM semihosting |
//! | `exit=debug-port:0xf4` | the exit code goes to an `isa-debug-exit` device at that port |
//! | `log=error`, `warning`, `info`, `debug` | lines of the kernel log that go to the console |
//! | `test=NAME` | the case that the test kernel runs |
//! | `measure` | the log says what booting cost, for `cargo xtask bench boot` |
//! | `trace` | every system service that a program calls is shown |
//! | `--` | the end of the options: what follows, after one space, is the first program's command line |
//!
//! Words are separated by spaces. What is not understood is reported, and ignored:
//! boot loaders add words of their own. A program's command line is left as it is, with its
//! spaces and quotes.

use arch::contract::ExitChannel;
use ke::log::{self, Level};

/// What the command line says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options<'a> {
    /// How the exit code reaches the host.
    pub exit: ExitChannel,
    /// Which lines of the log are shown.
    pub log: Level,
    /// The case that the test kernel runs.
    pub test: Option<&'a str>,
    /// Whether the log says what booting cost.
    pub measure: bool,
    /// Whether every system service that a program calls is shown.
    pub trace: bool,
    /// The command line of the program to run: its name, and what it is given, as it was written.
    pub program: Option<&'a str>,
    /// The first word of Tarn's own options whose value means nothing.
    pub not_understood: Option<&'a str>,
}

impl<'a> Options<'a> {
    /// Reads a command line.
    pub fn parse(line: &'a str) -> Self {
        let mut options = Self {
            exit: ExitChannel::None,
            log: Level::Info,
            test: None,
            measure: false,
            trace: false,
            program: None,
            not_understood: None,
        };
        let (own, program) = without_program(line);
        options.program = program;
        for word in own.split_ascii_whitespace() {
            let Some((name, value)) = word.split_once('=') else {
                options.measure |= word == "measure";
                options.trace |= word == "trace";
                continue;
            };
            let understood = match name {
                "exit" => exit_channel(value).map(|channel| options.exit = channel),
                "log" => log::level_named(value).map(|level| options.log = level),
                "test" => {
                    options.test = Some(value);
                    Some(())
                }
                _ => Some(()),
            };
            if understood.is_none() {
                options.not_understood.get_or_insert(word);
            }
        }
        options
    }
}

/// Cuts a command line at its first word `--`; nothing but spaces behind it is no program.
fn without_program(line: &str) -> (&str, Option<&str>) {
    let (own, program) = match line.strip_prefix("-- ") {
        Some(program) => ("", program),
        None => match line.split_once(" -- ") {
            Some(parts) => parts,
            None => return (line, None),
        },
    };
    (own, Some(program).filter(|text| !text.trim().is_empty()))
}

fn exit_channel(value: &str) -> Option<ExitChannel> {
    if value == "semihosting" {
        return Some(ExitChannel::Semihosting);
    }
    let port = value.strip_prefix("debug-port:")?;
    let port = port
        .strip_prefix("0x")
        .map_or_else(|| port.parse(), |digits| u16::from_str_radix(digits, 16));
    port.ok().map(ExitChannel::DebugPort)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_knows_and_passes_over_the_rest() {
        let options =
            Options::parse("console=ttyAMA0 quiet  exit=debug-port:0xf4 log=debug test=spin-lock");
        assert_eq!(options.exit, ExitChannel::DebugPort(0xF4));
        assert_eq!(options.log, Level::Debug);
        assert_eq!(options.test, Some("spin-lock"));
        assert_eq!(options.not_understood, None);
        assert!(!options.measure);
        assert!(Options::parse("quiet measure").measure);
        assert_eq!(
            Options::parse("exit=semihosting").exit,
            ExitChannel::Semihosting
        );
        assert_eq!(
            Options::parse("exit=debug-port:244").exit,
            ExitChannel::DebugPort(244)
        );
    }

    #[test]
    fn what_follows_two_dashes_is_the_programs_alone() {
        let line = "exit=semihosting trace -- hello.exe  \"a b\" -- log=debug measure ";
        let options = Options::parse(line);
        assert!(options.trace && !options.measure);
        assert_eq!(options.log, Level::Info);
        assert_eq!(
            options.program,
            Some("hello.exe  \"a b\" -- log=debug measure ")
        );
        assert_eq!(Options::parse("-- x").program, Some("x"));
    }

    #[test]
    fn without_a_program_there_is_none() {
        for line in [
            "",
            "quiet",
            "a --b c",
            "a--",
            "quiet -- ",
            "quiet --",
            "--  ",
        ] {
            assert_eq!(Options::parse(line).program, None, "{line:?}");
        }
        assert!(!Options::parse("a -- trace").trace);
    }

    #[test]
    fn names_a_value_that_means_nothing() {
        let options = Options::parse("log=loud exit=debug-port:0x12345");
        assert_eq!(options.not_understood, Some("log=loud"));
        assert_eq!(
            (options.log, options.exit),
            (Level::Info, ExitChannel::None)
        );
    }
}
