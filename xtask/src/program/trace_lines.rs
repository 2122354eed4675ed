//! The lines of a trace, told apart from what a program prints.
//!
//! ```text
//! [    1.234567] trace: 4.8 NtClose(handle: 0x4) = STATUS_SUCCESS (0x00000000)
//! ```
//!
//! The kernel writes such a line in one piece, but the program's last line need not have ended: the trace's may stand
//! in the middle of it, and the program's goes on behind it. A program that prints such lines itself when it is traced
//! finds them among the trace's.

use super::end_line::{past, without_time};

const TEXT: &[u8] = b"trace: ";
/// A time that is longer is not the kernel's; without a limit a program's spaces could be held back for ever.
const LONGEST: usize = 40;

/// Parts a program's output from the trace.
#[derive(Default)]
pub(crate) struct TraceLines {
    /// What may yet turn out to be the beginning of a line of the trace.
    held: Vec<u8>,
    /// Whether such a line has begun and not ended.
    inside: bool,
}

/// What was heard, parted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parted {
    pub(crate) program: Vec<u8>,
    pub(crate) trace: Vec<u8>,
}

impl TraceLines {
    /// Takes in what was printed.
    pub(crate) fn hear(&mut self, bytes: &[u8]) -> Parted {
        let mut parted = Parted::default();
        for byte in bytes {
            if self.inside {
                parted.trace.push(*byte);
                self.inside = *byte != b'\n';
            } else {
                self.held.push(*byte);
                self.judge(&mut parted);
            }
        }
        parted
    }

    fn judge(&mut self, parted: &mut Parted) {
        // What cannot become such a line with its first byte may do so without it.
        let mut given = 0;
        while !may_begin(&self.held[given..]) {
            given += 1;
        }
        parted.program.extend(self.held.drain(..given));
        if self.held.ends_with(TEXT) {
            self.inside = true;
            parted.trace.append(&mut self.held);
        }
    }

    /// Nothing follows: what was held back is the program's after all.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.held
    }
}

/// Whether a text is the beginning of a line of the trace, or all that tells it apart.
fn may_begin(text: &[u8]) -> bool {
    text.is_empty()
        || text.len() <= LONGEST
            && text[0] == b'['
            && without_time(text).is_some_and(|rest| past(rest, TEXT).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two texts, however the bytes are cut.
    fn parted(text: &str) -> (String, String) {
        let mut results = Vec::new();
        for size in [1, 2, 3, 7, text.len().max(1)] {
            let mut lines = TraceLines::default();
            let mut all = Parted::default();
            for part in text.as_bytes().chunks(size) {
                let more = lines.hear(part);
                all.program.extend(more.program);
                all.trace.extend(more.trace);
            }
            all.program.extend(lines.finish());
            results.push((
                String::from_utf8(all.program).unwrap(),
                String::from_utf8(all.trace).unwrap(),
            ));
        }
        assert!(results.iter().all(|result| *result == results[0]));
        results.swap_remove(0)
    }

    #[test]
    fn lines_of_the_trace_are_taken_out() {
        let line = "[    1.234567] trace: 4.8 NtClose(handle: 0x4) = STATUS_SUCCESS (0x00000000)\n";
        let (program, trace) = parted(&format!("one\n{line}tw{line}o [ {line}{line}"));
        assert_eq!(program, "one\ntwo [ ");
        assert_eq!(trace, line.repeat(4));
    }

    #[test]
    fn what_is_no_such_line_is_the_programs() {
        for text in [
            "",
            "[",
            "[    1.2",
            "trace: x\n",
            "[    1.0] warning: trace: x\n",
            "[[   1.0]trace: x\n",
        ] {
            assert_eq!(parted(text), (text.to_owned(), String::new()), "{text:?}");
        }
        let spaces = format!("[{}", " ".repeat(1000));
        assert_eq!(parted(&spaces).0, spaces);
    }
}
