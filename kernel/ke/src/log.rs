//! The kernel log: levelled lines, kept in a ring and sent to the console.
//!
//! A line is put together in the ring's own lock and then written out, so lines
//! of several processors do not mix. It may be written at any level, also inside
//! an interrupt, since its lock keeps interrupts out; a slow serial line then
//! delays them, which is why `Debug` lines go to the ring alone unless asked for.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicU8, Ordering};

use arch::Machine;
use arch::contract::{Clock, Console};
use arch::lock::FloorLock;
use rtl::Ring;

use crate::clock;

/// How much a line matters, most first.
///
/// # NT
/// `DPFLTR_ERROR_LEVEL`, `_WARNING_`, `_INFO_`, `_TRACE_`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Level {
    /// Something failed.
    Error = 0,
    /// Something is not as it should be, and was got around.
    Warning = 1,
    /// What a person wants to know of a normal run.
    Info = 2,
    /// What a person debugging wants to know.
    Debug = 3,
}

/// Bytes of log that are kept.
const KEPT: usize = 32 * 1024;

static RING: FloorLock<Ring<KEPT>> = FloorLock::new(Ring::new());
static SHOWN: AtomicU8 = AtomicU8::new(Level::Info as u8);

/// Sends lines up to `level` to the console; all lines are kept in the ring.
pub fn show_up_to(level: Level) {
    SHOWN.store(level as u8, Ordering::Relaxed);
}

/// The level that a `log=` option names, if it is one.
pub fn level_named(name: &str) -> Option<Level> {
    match name {
        "error" => Some(Level::Error),
        "warning" => Some(Level::Warning),
        "info" => Some(Level::Info),
        "debug" => Some(Level::Debug),
        _ => None,
    }
}

struct Line<'a> {
    ring: &'a mut Ring<KEPT>,
    show: bool,
}

impl Write for Line<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.ring.push(text.as_bytes());
        if self.show {
            Machine::write_bytes(text.as_bytes());
        }
        Ok(())
    }
}

/// The time in front of a line: seconds and microseconds since the machine counts.
struct Stamp {
    microseconds: u64,
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, rest) = (self.microseconds / 1_000_000, self.microseconds % 1_000_000);
        write!(f, "[{seconds:5}.{rest:06}]")
    }
}

/// Writes one line, with the time in front.
#[doc(alias = "DbgPrintEx")]
pub fn write(level: Level, text: fmt::Arguments<'_>) {
    let label = match level {
        Level::Error => "error: ",
        Level::Warning => "warning: ",
        Level::Info | Level::Debug => "",
    };
    write_line(level as u8 <= SHOWN.load(Ordering::Relaxed), label, text);
}

fn write_line(show: bool, label: &str, text: fmt::Arguments<'_>) {
    let now = clock::to_hundred_nanoseconds(Machine::counter(), Machine::counter_frequency());
    let stamp = Stamp {
        microseconds: now / 10,
    };
    let mut ring = RING.acquire();
    let mut line = Line {
        ring: &mut ring,
        show,
    };
    // Line never fails; a Display that does loses only its own text.
    let _ = writeln!(line, "{stamp} {label}{text}");
}

/// Writes one line that is always shown, whatever [`show_up_to`] says: what a person or a tool waits for.
pub fn announce(text: fmt::Arguments<'_>) {
    write_line(true, "", text);
}

/// Bytes of a program's text that are written at once, with interrupts off.
const PIECE: usize = 128;

/// Writes a program's text, which is no line of the log and not kept.
///
/// Lines of the log come between its lines, and get into one only if it has more than 128 bytes: a line
/// of text takes a serial port long, and other processors wait for this one meanwhile. Who calls this for
/// several programs keeps their texts apart.
pub fn write_text(text: impl Iterator<Item = char>) {
    for_each_piece(text, write_piece);
}

/// Cuts text into pieces of at most [`PIECE`] bytes: behind the last line that is whole in one, or else between two
/// letters.
fn for_each_piece(text: impl Iterator<Item = char>, mut write: impl FnMut(&[u8])) {
    let mut piece = [0; PIECE];
    let mut length = 0;
    let mut whole_lines = 0;
    for letter in text {
        if length + letter.len_utf8() > PIECE {
            // What a line needs that has begun waits for the rest of it.
            let part = if whole_lines > 0 { whole_lines } else { length };
            write(&piece[..part]);
            piece.copy_within(part..length, 0);
            length -= part;
            whole_lines = 0;
        }
        length += letter.encode_utf8(&mut piece[length..]).len();
        if letter == '\n' {
            whole_lines = length;
        }
    }
    write(&piece[..length]);
}

fn write_piece(piece: &[u8]) {
    // The lock of the lines keeps each of them whole.
    let _lines = RING.acquire();
    Machine::write_bytes(piece);
}

/// Calls `visit` with what the ring keeps, oldest first.
pub fn for_each_kept_byte(visit: &mut dyn FnMut(u8)) {
    RING.acquire().lines().for_each(visit);
}

/// Writes an error to the kernel log.
#[macro_export]
macro_rules! error {
    ($($text:tt)*) => { $crate::log::write($crate::log::Level::Error, format_args!($($text)*)) };
}

/// Writes a warning to the kernel log.
#[macro_export]
macro_rules! warning {
    ($($text:tt)*) => { $crate::log::write($crate::log::Level::Warning, format_args!($($text)*)) };
}

/// Writes a line to the kernel log.
#[macro_export]
macro_rules! info {
    ($($text:tt)*) => { $crate::log::write($crate::log::Level::Info, format_args!($($text)*)) };
}

/// Writes a line to the kernel log's ring, and to the console if debugging lines are shown.
#[macro_export]
macro_rules! debug {
    ($($text:tt)*) => { $crate::log::write($crate::log::Level::Debug, format_args!($($text)*)) };
}

/// Writes a line that is always shown.
#[macro_export]
macro_rules! announce {
    ($($text:tt)*) => { $crate::log::announce(format_args!($($text)*)) };
}

#[cfg(test)]
mod tests {
    use std::borrow::ToOwned as _;
    use std::string::{String, ToString as _};
    use std::vec::Vec;

    use arch::sim;

    use super::*;

    fn kept() -> Vec<u8> {
        let mut kept = Vec::new();
        for_each_kept_byte(&mut |byte| kept.push(byte));
        kept
    }

    #[test]
    fn lines_are_kept_and_shown_by_level() {
        const ERROR: &str = "[    1.500000] error: the 3rd\n";
        const WARNING: &str = "[    1.500000] warning: number 5\n";
        const INFO: &str = "[    1.500000] up\n";
        const DEBUG: &str = "[    1.500000] details\n";
        const ALWAYS: &str = "[    1.500000] ready\n";
        for (level, shown) in [
            (Level::Error, [ERROR, ALWAYS].concat()),
            (Level::Warning, [ERROR, WARNING, ALWAYS].concat()),
            (Level::Info, [ERROR, WARNING, INFO, ALWAYS].concat()),
            (Level::Debug, [ERROR, WARNING, INFO, DEBUG, ALWAYS].concat()),
        ] {
            let _machine = crate::testing::boot(1);
            sim::advance(1_500_000);
            show_up_to(level);
            crate::error!("the {}rd", 3);
            crate::warning!("number {}", 5);
            crate::info!("up");
            crate::debug!("details");
            crate::announce!("ready");
            show_up_to(Level::Info);
            assert_eq!(sim::console_output(), shown, "{level:?}");
            let all = [ERROR, WARNING, INFO, DEBUG, ALWAYS].concat();
            assert!(kept().ends_with(all.as_bytes()), "all are kept: {level:?}");
        }
    }

    #[test]
    fn times_are_seconds_and_six_digits() {
        for (microseconds, shown) in [
            (0, "[    0.000000]"),
            (999_999, "[    0.999999]"),
            (1_000_000, "[    1.000000]"),
            (99_999_000_001, "[99999.000001]"),
            (123_456_000_070, "[123456.000070]"),
            (u64::MAX, "[18446744073709.551615]"),
        ] {
            assert_eq!(Stamp { microseconds }.to_string(), shown);
        }
    }

    /// What is older than the ring is long goes line by line, so what is kept is whole lines of whole letters.
    #[test]
    fn what_is_kept_is_the_last_whole_lines() {
        let _machine = crate::testing::boot(1);
        for number in 0..1000 {
            crate::debug!("{number} {}", "\u{e4}\u{20ac}\u{1f600}".repeat(number % 7));
        }
        let lines: Vec<_> = (0..1000)
            .map(|number| {
                let text = "\u{e4}\u{20ac}\u{1f600}".repeat(number % 7);
                std::format!("[    0.000000] {number} {text}\n")
            })
            .collect();
        let mut first = lines.len();
        let mut length = 0;
        // A line that begins where the ring does may have had something in front of it, and is not shown.
        while length + lines[first - 1].len() < KEPT {
            first -= 1;
            length += lines[first].len();
        }
        assert!(first > 0, "more was written than is kept");
        let kept = String::from_utf8(kept()).expect("no letter is cut");
        // Not by `assert_eq!`, which would show both.
        assert!(kept == lines[first..].concat());
    }

    #[test]
    fn a_line_longer_than_the_ring_is_shown_whole_and_not_kept_in_part() {
        let _machine = crate::testing::boot(1);
        let long = "\u{e4}".repeat(KEPT);
        crate::info!("before");
        crate::info!("{long}");
        assert!(kept().is_empty(), "no part of it has a beginning");
        crate::info!("after");
        assert_eq!(kept(), b"[    0.000000] after\n");
        let lines = ["before", &long, "after"].map(|text| std::format!("[    0.000000] {text}\n"));
        assert!(sim::console_output() == lines.concat());
    }

    /// The pieces that a text is written in.
    fn pieces(text: &str) -> Vec<String> {
        let mut pieces = Vec::new();
        for_each_piece(text.chars(), |piece| {
            pieces.push(String::from_utf8(piece.to_vec()).expect("no letter is cut"));
        });
        assert_eq!(pieces.concat(), text);
        pieces
    }

    #[test]
    fn text_is_cut_behind_lines_or_between_letters() {
        let lengths = |text: &str| pieces(text).iter().map(String::len).collect::<Vec<_>>();
        // A line that fits is never cut, and as many as fit go together.
        assert_eq!(lengths(&"123456789\n".repeat(30)), [120, 120, 60]);
        let line = "\u{e4}".repeat(63) + "\n";
        assert_eq!(lengths(&line.repeat(3)), [127, 127, 127]);
        // A line that does not is cut where a letter ends: there are 127 bytes before one that needs two.
        assert_eq!(
            lengths(&("x".to_owned() + &"\u{e4}".repeat(100) + "\n")),
            [127, 75]
        );
        assert_eq!(lengths(&"\u{1f600}".repeat(33)), [128, 4]);
        assert_eq!(
            lengths(&("xyz".to_owned() + &"\u{1f600}".repeat(32))),
            [127, 4]
        );
        // What has begun behind a whole line waits for the rest of it.
        assert_eq!(
            lengths(&("short\n".to_owned() + &"x".repeat(128))),
            [6, 128]
        );
        assert_eq!(lengths(&"x".repeat(PIECE)), [128]);
    }

    #[test]
    fn text_is_written_as_it_is_and_not_kept() {
        let _machine = crate::testing::boot(1);
        let before = kept();
        let text = ["\u{e4}b\n".repeat(300), "long".repeat(300), "\nend".into()].concat();
        write_text(text.chars());
        assert_eq!(sim::console_output(), text);
        assert_eq!(kept(), before);
    }

    #[test]
    fn levels_have_names() {
        assert_eq!(level_named("debug"), Some(Level::Debug));
        assert_eq!(level_named("loud"), None);
    }
}
