//! Lines of several processes at once: each is one call, longer than what the kernel writes in a piece, and comes out whole.
//!
//! `whole_lines` starts four of itself, `whole_lines 1` to `whole_lines 4`, which write lines of one letter each. They meet
//! before each line, and one event lets all of them begin. A semaphore counts who is between that meeting's end and the
//! end of its line: who finds somebody there competes. Rounds go on until enough lines did; if they never do, the run proves
//! nothing and fails.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "sizes and numbers of a test are small"
)]

#[cfg(target_os = "windows")]
mod program {
    use core::fmt::Write as _;

    use nt_abi::NtStatus;
    use nt_abi::access::AccessMask;
    use nt_abi::primitives::ObjectAttributeFlags;
    use nt_abi::services::arguments::EventType;
    use nt_abi::w64::UnicodeString;
    use test_programs::check::{Failed, Outcome, line};
    use test_programs::names::Named;
    use test_programs::processes::{Child, Options, number, start_with};
    use test_programs::services::*;
    use test_programs::{expect, holds, status};

    test_programs::program!(start);

    const PROGRAM: &str = r"\??\C:\whole_lines.exe";
    const WRITERS: usize = 4;
    /// Rounds at least, lines that must have competed, and rounds at most.
    const ROUNDS: u32 = 12;
    const COMPETED: i32 = 24;
    const MOST_ROUNDS: u32 = 200;
    /// More than a piece of the kernel's.
    const LETTERS: usize = 700;

    fn start() -> u32 {
        let outcome = match number(1) {
            Some(letter) => write_lines(letter as u8),
            None => start_writers(),
        };
        u32::from(outcome.is_err())
    }

    /// What the processes share.
    struct Shared {
        /// Counts those who have come to a meeting.
        ready: u64,
        /// Lets those of an even or an odd round begin.
        begin: [u64; 2],
        /// Set when the next round is none.
        end: u64,
        /// Counts those who write.
        writing: u64,
        /// Counts the lines that began while another one was written.
        competed: u64,
    }

    impl Shared {
        /// Makes them, or finds those that the first process has made.
        fn open() -> Result<Self, Failed> {
            Ok(Self {
                ready: semaphore(r"\BaseNamedObjects\lines_ready")?,
                begin: [
                    event(r"\BaseNamedObjects\lines_even")?,
                    event(r"\BaseNamedObjects\lines_odd")?,
                ],
                end: event(r"\BaseNamedObjects\lines_end")?,
                writing: semaphore(r"\BaseNamedObjects\lines_writing")?,
                competed: semaphore(r"\BaseNamedObjects\lines_competed")?,
            })
        }
    }

    fn made(status: NtStatus, handle: u64) -> Result<u64, Failed> {
        if status != NtStatus::OBJECT_NAME_EXISTS {
            status!(status);
        }
        Ok(handle)
    }

    fn semaphore(name: &str) -> Result<u64, Failed> {
        let mut handle = 0u64;
        let mut name = Named::new(name).flags(ObjectAttributeFlags::OPENIF);
        let all = AccessMask::SEMAPHORE_ALL_ACCESS;
        let status = NtCreateSemaphore(&mut handle, all, name.get(), 0i32, i32::MAX);
        made(status, handle)
    }

    fn event(name: &str) -> Result<u64, Failed> {
        /// `NotificationEvent`.
        const NOTIFICATION: EventType = EventType(0);
        let mut handle = 0u64;
        let mut name = Named::new(name).flags(ObjectAttributeFlags::OPENIF);
        let all = AccessMask::EVENT_ALL_ACCESS;
        let status = NtCreateEvent(&mut handle, all, name.get(), NOTIFICATION, false);
        made(status, handle)
    }

    fn is_set(event: u64) -> bool {
        NtWaitForSingleObject(event, false, &0i64) == NtStatus::SUCCESS
    }

    fn write_lines(letter: u8) -> Outcome {
        let shared = Shared::open()?;
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
        for begin in shared.begin.iter().cycle() {
            status!(NtReleaseSemaphore(shared.ready, 1i32, NULL));
            status!(NtWaitForSingleObject(*begin, false, NULL));
            if is_set(shared.end) {
                break;
            }
            let mut others = 0i32;
            status!(NtReleaseSemaphore(shared.writing, 1i32, &mut others));
            status!(NtDisplayString(&text));
            status!(NtWaitForSingleObject(shared.writing, false, NULL));
            if others > 0 {
                status!(NtReleaseSemaphore(shared.competed, 1i32, NULL));
            }
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
        let shared = Shared::open()?;
        let mut children = [Child::default(); WRITERS];
        for (child, letter) in children.iter_mut().zip(1..) {
            let mut words = Words::default();
            let _ = write!(words, "whole_lines {letter}");
            let words = core::str::from_utf8(&words.bytes[..words.length]).unwrap_or("");
            *child = start_with(PROGRAM, words, Options::default())?;
        }
        let (mut rounds, mut competed) = (0, 0);
        for (begin, before) in [(0, 1), (1, 0)].into_iter().cycle() {
            for _ in 0..WRITERS {
                status!(NtWaitForSingleObject(shared.ready, false, NULL));
            }
            // All of them have come through the event before, and wait for the next one.
            status!(NtResetEvent(shared.begin[before], NULL));
            while is_set(shared.competed) {
                competed += 1;
            }
            let is_enough = rounds >= ROUNDS && competed >= COMPETED;
            if is_enough || rounds == MOST_ROUNDS {
                status!(NtSetEvent(shared.end, NULL));
                status!(NtSetEvent(shared.begin[begin], NULL));
                break;
            }
            rounds += 1;
            status!(NtSetEvent(shared.begin[begin], NULL));
        }
        for child in children {
            expect!(child.exit_status()?, 0);
            child.close()?;
        }
        line(format_args!(
            "{WRITERS} processes have written {rounds} lines each, {competed} while another one wrote"
        ));
        holds!(competed >= COMPETED);
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
