//! Threads and processes that come and go: `lifetimes threads 1000000`, `lifetimes processes 100000`; and what goes wrong
//! with them meanwhile: `lifetimes mishaps 1000`.
//!
//! Four workers make one after another and wait for its end. Afterwards everything that was taken for them has to be
//! back: pages, promised memory, blocks of the pools, handles, processes and threads.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

#[cfg(target_os = "windows")]
mod program {
    use core::sync::atomic::{AtomicU64, Ordering};

    use test_programs::check::{Outcome, line};
    use test_programs::counters::Counters;
    use test_programs::mishaps;
    use test_programs::processes::{command_line, start};
    use test_programs::threads::{ThreadRoutine, join, spawn};

    test_programs::program!(begin);

    const WORKERS: u64 = 4;
    /// What a program that is given no number makes.
    const DEFAULT: u64 = 1000;

    fn begin() -> u32 {
        let mut words = command_line()
            .split(|unit| *unit == u16::from(b' '))
            .filter(|word| !word.is_empty())
            .skip(1);
        let kind = words.next().unwrap_or_default();
        let count = words.next().map_or(DEFAULT, number);
        let outcome = if same(kind, "processes") {
            run("processes", makes_processes, count, FIRST)
        } else if same(kind, "mishaps") {
            run("mishaps", meets_mishaps, count, MISHAPS_FIRST)
        } else {
            run("threads", makes_threads, count, FIRST)
        };
        u32::from(outcome.is_err())
    }

    fn same(units: &[u16], text: &str) -> bool {
        units.iter().copied().eq(text.encode_utf16())
    }

    fn number(word: &[u16]) -> u64 {
        word.iter().fold(0, |number: u64, digit| {
            number * 10 + u64::from(digit.wrapping_sub(u16::from(b'0')))
        })
    }

    static FAILED: AtomicU64 = AtomicU64::new(0);

    extern "C" fn nothing(_: u64) -> u32 {
        0
    }

    extern "C" fn makes_threads(count: u64) -> u32 {
        for _ in 0..count {
            if spawn(nothing, 0).and_then(join).is_err() {
                FAILED.fetch_add(1, Ordering::SeqCst);
                break;
            }
        }
        0
    }

    extern "C" fn makes_processes(count: u64) -> u32 {
        for _ in 0..count {
            let child = start(r"\??\C:\nothing.exe");
            if child.and_then(|child| child.join()).is_err() {
                FAILED.fetch_add(1, Ordering::SeqCst);
                break;
            }
        }
        0
    }

    /// Another mishap first for each worker, so that different ones meet.
    extern "C" fn meets_mishaps(count: u64) -> u32 {
        let first = WORKER.fetch_add(2, Ordering::SeqCst) as usize;
        let mishaps = mishaps::ALL.iter().cycle().skip(first % mishaps::ALL.len());
        for mishap in mishaps.take(count as usize) {
            if mishap().is_err() {
                FAILED.fetch_add(1, Ordering::SeqCst);
                break;
            }
        }
        0
    }

    static WORKER: AtomicU64 = AtomicU64::new(0);

    fn round(worker: ThreadRoutine, count: u64) -> Outcome {
        let mut threads = [0u64; WORKERS as usize];
        for thread in &mut threads {
            *thread = spawn(worker, count.div_ceil(WORKERS))?;
        }
        for thread in threads {
            join(thread)?;
        }
        test_programs::expect!(FAILED.load(Ordering::SeqCst), 0);
        Ok(())
    }

    /// The first round, a tenth of the second but not less than this, fills what is kept for the next: pools, stacks, tables.
    const FIRST: u64 = 400;
    /// Of mishaps, each of which is much more than one of the others.
    const MISHAPS_FIRST: u64 = 56;

    fn run(name: &str, worker: ThreadRoutine, count: u64, first: u64) -> Outcome {
        round(worker, first.max(count / 10))?;
        let before = Counters::settled()?;
        round(worker, count)?;
        let after = Counters::settled()?;
        line(format_args!("{count} {name}; before: {before:?}"));
        line(format_args!("{count} {name}; after:  {after:?}"));
        after.expect_back_to(&before)?;
        line(format_args!(
            "{count} {name} came and went, and everything is back"
        ));
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
