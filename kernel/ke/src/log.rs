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
    let microseconds =
        clock::to_hundred_nanoseconds(Machine::counter(), Machine::counter_frequency()) / 10;
    let mut ring = RING.acquire();
    let mut line = Line {
        ring: &mut ring,
        show,
    };
    // Line never fails; a Display that does loses only its own text.
    let _ = writeln!(
        line,
        "[{:5}.{:06}] {label}{text}",
        microseconds / 1_000_000,
        microseconds % 1_000_000
    );
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
    let mut piece = [0; PIECE];
    let mut length = 0;
    let mut whole_lines = 0;
    for letter in text {
        if length + letter.len_utf8() > PIECE {
            // What a line needs that has begun waits for the rest of it.
            let part = if whole_lines > 0 { whole_lines } else { length };
            write_piece(&piece[..part]);
            piece.copy_within(part..length, 0);
            length -= part;
            whole_lines = 0;
        }
        length += letter.encode_utf8(&mut piece[length..]).len();
        if letter == '\n' {
            whole_lines = length;
        }
    }
    write_piece(&piece[..length]);
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
    use arch::sim;

    use super::*;

    #[test]
    fn lines_are_kept_and_shown_by_level() {
        let _machine = crate::testing::boot(1);
        sim::advance(1_500_000);
        crate::warning!("number {}", 5);
        crate::debug!("only in the ring");
        assert_eq!(sim::console_output(), "[    1.500000] warning: number 5\n");
        let mut kept = std::vec::Vec::new();
        for_each_kept_byte(&mut |byte| kept.push(byte));
        assert!(String::from_utf8_lossy(&kept).ends_with("[    1.500000] only in the ring\n"));
    }

    #[test]
    fn text_of_any_length_is_written_as_it_is() {
        let _machine = crate::testing::boot(1);
        let text = ["\u{e4}b\n".repeat(300), "long".repeat(300), "\nend".into()].concat();
        write_text(text.chars());
        assert_eq!(sim::console_output(), text);
    }

    #[test]
    fn levels_have_names() {
        assert_eq!(level_named("debug"), Some(Level::Debug));
        assert_eq!(level_named("loud"), None);
    }
}
