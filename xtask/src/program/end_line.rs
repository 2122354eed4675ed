//! The kernel's last line, by which it hands over a program's exit code.
//!
//! ```text
//! [    1.234567] program ended with 0x0000002a
//! ```
//!
//! The way out of a machine carries eight bits at most, and a code has 32. So the kernel prints the code when all
//! else is printed, and here it is taken out of what is passed on. A program may print such a line too, so only
//! one that nothing follows counts. What a program printed last need not have ended its line: the kernel's may
//! stand behind it.

use std::io::{self, Read};

const TEXT: &[u8] = b"program ended with 0x";
const DIGITS: usize = 8;
/// A line that is longer is not the kernel's; without a limit a program's spaces could be held back for ever.
const LONGEST: usize = 80;

/// Lets a program's output through, but not the kernel's last line.
///
/// The serial port puts a carriage return before each newline; that one is taken out again.
#[derive(Default)]
pub(crate) struct EndLine {
    /// What may yet turn out to be the kernel's last line.
    held: Vec<u8>,
    /// A carriage return whose next byte has not come.
    carriage_return: bool,
}

/// How a text compares with the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Likeness {
    /// It is none, and cannot become one.
    None,
    /// It is the beginning of one.
    Beginning,
    /// It is one, with this code.
    Whole(u32),
}

impl EndLine {
    /// Takes in what was printed, and adds to `out` what is the program's for certain.
    pub(crate) fn hear(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for byte in bytes {
            if *byte == b'\n' {
                self.carriage_return = false;
            } else if std::mem::take(&mut self.carriage_return) {
                self.add(b'\r', out);
            }
            if *byte == b'\r' {
                self.carriage_return = true;
            } else {
                self.add(*byte, out);
            }
        }
    }

    fn add(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.held.push(byte);
        // What cannot become the line with its first byte may do so without it.
        let mut given = 0;
        while given < self.held.len() && likeness(&self.held[given..]) == Likeness::None {
            given += 1;
        }
        out.extend(self.held.drain(..given));
    }

    /// Nothing follows: adds what was held back and is the program's after all, or gives the exit code.
    pub(crate) fn finish(mut self, out: &mut Vec<u8>) -> Option<u32> {
        if let Likeness::Whole(code) = likeness(&self.held)
            && !self.carriage_return
        {
            return Some(code);
        }
        out.append(&mut self.held);
        if self.carriage_return {
            out.push(b'\r');
        }
        None
    }
}

/// Hands everything on as it comes, without delay; gives the exit code.
pub(crate) fn pass_through(
    mut from: impl Read,
    mut hand_on: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Option<u32>> {
    let mut end_line = EndLine::default();
    let mut buffer = [0; 4096];
    loop {
        let mut out = Vec::new();
        match from.read(&mut buffer) {
            Ok(0) => {
                let code = end_line.finish(&mut out);
                hand_on(&out)?;
                return Ok(code);
            }
            Ok(count) => end_line.hear(&buffer[..count], &mut out),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        hand_on(&out)?;
    }
}

/// The exit code at the end of a whole log.
pub(crate) fn code_at_end(log: &str) -> Option<u32> {
    let mut end_line = EndLine::default();
    let mut out = Vec::new();
    end_line.hear(log.as_bytes(), &mut out);
    end_line.finish(&mut out)
}

fn likeness(text: &[u8]) -> Likeness {
    if text.len() > LONGEST {
        return Likeness::None;
    }
    let Some(digits) = without_time(text).and_then(|rest| past(rest, TEXT)) else {
        return Likeness::None;
    };
    let count = digits.len().min(DIGITS);
    if !digits[..count].iter().all(u8::is_ascii_hexdigit) {
        return Likeness::None;
    }
    match &digits[count..] {
        [] => Likeness::Beginning,
        [b'\n'] => {
            let code = std::str::from_utf8(&digits[..count]).ok();
            code.and_then(|code| u32::from_str_radix(code, 16).ok())
                .map_or(Likeness::None, Likeness::Whole)
        }
        _ => Likeness::None,
    }
}

/// What follows a line's time, `[    1.234567] `, if there is one; `None` if something else begins as one does.
pub(super) fn without_time(text: &[u8]) -> Option<&[u8]> {
    let Some(rest) = text.strip_prefix(b"[") else {
        return Some(text);
    };
    let seconds = past_all(rest, |byte| *byte == b' ');
    let fraction = past(past_all(seconds, u8::is_ascii_digit), b".")?;
    past(past_all(fraction, u8::is_ascii_digit), b"] ")
}

/// What follows this text; nothing, if only its beginning has come yet; `None` if something else stands there.
pub(super) fn past<'t>(text: &'t [u8], expected: &[u8]) -> Option<&'t [u8]> {
    if expected.starts_with(text) {
        return Some(&[]);
    }
    text.strip_prefix(expected)
}

fn past_all(text: &[u8], is: fn(&u8) -> bool) -> &[u8] {
    let count = text.iter().take_while(|byte| is(byte)).count();
    &text[count..]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is passed on, and the code, however the bytes are cut.
    fn passed(text: &str) -> (String, Option<u32>) {
        let mut results = Vec::new();
        for size in [1, 2, 3, 7, text.len().max(1)] {
            let mut end_line = EndLine::default();
            let mut out = Vec::new();
            for part in text.as_bytes().chunks(size) {
                end_line.hear(part, &mut out);
            }
            let code = end_line.finish(&mut out);
            results.push((String::from_utf8(out).unwrap(), code));
        }
        assert!(
            results.iter().all(|result| *result == results[0]),
            "{text:?}"
        );
        results.swap_remove(0)
    }

    fn told(text: &str, program: &str, code: u32) {
        assert_eq!(passed(text), (program.to_owned(), Some(code)), "{text:?}");
    }

    fn untold(text: &str) {
        assert_eq!(passed(text), (text.replace("\r\n", "\n"), None), "{text:?}");
    }

    #[test]
    fn the_last_line_is_taken_out() {
        told(
            "Hello\r\n[    1.234567] program ended with 0x0000002a\r\n",
            "Hello\n",
            42,
        );
        told(
            "[12345.000001] program ended with 0xC0000005\n",
            "",
            0xC000_0005,
        );
        told("program ended with 0x00000000\r\n", "", 0);
    }

    #[test]
    fn a_line_that_the_program_left_open_is_kept() {
        told(
            "42> [    1.000000] program ended with 0x00000001\n",
            "42> ",
            1,
        );
        told(
            "[[ [    1.000000] program ended with 0x00000001\n",
            "[[ ",
            1,
        );
        told("program program ended with 0x00000001\n", "program ", 1);
    }

    #[test]
    fn only_the_last_one_counts() {
        let line = "program ended with 0x00000007\n";
        told(&format!("{line}{line}"), line, 7);
        untold(&format!("{line}more"));
        untold(&format!("{line}\n"));
        untold(&format!("{line}\r"));
    }

    #[test]
    fn what_is_no_such_line_goes_through() {
        for text in [
            "",
            "[",
            "\r",
            "a\rb\r\n",
            "[    1.0] program ended with 0x1234567\n",
            "[    1.0] program ended with 0x123456789\n",
            "[    1.0] program ended with 0x0000000g\n",
            "program ended with 0x00000000",
            "[    1.0]program ended with 0x00000000 \n",
        ] {
            untold(text);
        }
        untold(&format!("[{}", " ".repeat(1000)));
    }

    #[test]
    fn a_prompt_is_not_held_back() {
        let mut out = Vec::new();
        EndLine::default().hear(b"name? ", &mut out);
        assert_eq!(out, b"name? ");
    }

    #[test]
    fn one_carriage_return_of_each_line_is_the_serial_ports() {
        assert_eq!(passed("a\r\r\nb\r\n").0, "a\r\nb\n");
    }
}
