//! Lines of several processes at once: each is one call, longer than what the kernel writes in a piece, and comes out whole.
//!
//! `whole_lines` starts four of itself, `whole_lines 1` to `whole_lines 4`, which write lines of one letter each.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "sizes and numbers of a test are small"
)]

#[cfg(target_os = "windows")]
mod program {
    use core::fmt::Write as _;

    use nt_abi::w64::UnicodeString;
    use test_programs::check::{Outcome, line};
    use test_programs::processes::{Child, Options, number, start_with};
    use test_programs::services::{NtDisplayString, address_of};
    use test_programs::status;

    test_programs::program!(start);

    const PROGRAM: &str = r"\??\C:\whole_lines.exe";
    const WRITERS: usize = 4;
    const LINES: u32 = 6;
    /// More than a piece of the kernel's.
    const LETTERS: usize = 700;

    fn start() -> u32 {
        let outcome = match number(1) {
            Some(letter) => write_lines(letter as u8),
            None => start_writers(),
        };
        u32::from(outcome.is_err())
    }

    fn write_lines(letter: u8) -> Outcome {
        let mut units = [u16::from(b'A' + letter); LETTERS + 2];
        units[LETTERS] = u16::from(b'\r');
        units[LETTERS + 1] = u16::from(b'\n');
        let bytes = size_of_val(&units) as u16;
        let text = UnicodeString {
            length: bytes,
            maximum_length: bytes,
            reserved: 0,
            buffer: address_of(&mut units),
        };
        for _ in 0..LINES {
            status!(NtDisplayString(&text));
        }
        Ok(())
    }

    /// `whole_lines N`, put together.
    #[derive(Default)]
    struct Words {
        bytes: [u8; 32],
        length: usize,
    }

    impl core::fmt::Write for Words {
        fn write_str(&mut self, text: &str) -> core::fmt::Result {
            let end = self.length + text.len();
            let room = self.bytes.get_mut(self.length..end);
            room.ok_or(core::fmt::Error)?
                .copy_from_slice(text.as_bytes());
            self.length = end;
            Ok(())
        }
    }

    fn start_writers() -> Outcome {
        let mut children = [Child::default(); WRITERS];
        for (child, letter) in children.iter_mut().zip(1..) {
            let mut words = Words::default();
            let _ = write!(words, "whole_lines {letter}");
            let words = core::str::from_utf8(&words.bytes[..words.length]).unwrap_or("");
            *child = start_with(PROGRAM, words, Options::default())?;
        }
        for child in children {
            child.join()?;
        }
        line(format_args!(
            "{WRITERS} processes have written {LINES} lines each"
        ));
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
