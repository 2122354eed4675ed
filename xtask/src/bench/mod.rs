//! `bench`: what things cost, in instructions and bytes, beside Linux.
//!
//! Time on a busy host says nothing. QEMU counts instructions instead: one passes each nanosecond of the machine's time,
//! and the same kernel needs the same number each time. Figures of the last time are in `tests/golden`.

mod boot;
mod kernel;
mod measures;
mod user;

use anyhow::{Context, Result};
use clap::Subcommand;
use regex::Regex;

use crate::workspace::Workspace;

/// A figure may be so much worse than the golden one, in percent.
const TOLERANCE: u128 = 2;

/// Which measure.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Instructions from reset to the first line and to all processors idle; image sizes
    Boot(boot::BootArgs),
    /// Instructions of what programs ask the kernel for: calls, switches, faults, threads, processes
    Kernel(measures::MeasureArgs),
    /// Instructions of what ntdll does for programs: locks, heap, exceptions, DLLs, the way to main
    User(measures::MeasureArgs),
}

/// `cargo xtask bench`.
pub(crate) fn command(workspace: &Workspace, bench: &Bench) -> Result<u8> {
    match bench {
        Bench::Boot(arguments) => boot::command(workspace, arguments),
        Bench::Kernel(arguments) => measures::command(workspace, &kernel::SUITE, arguments),
        Bench::User(arguments) => measures::command(workspace, &user::SUITE, arguments),
    }
}

/// Finds a measure in the log: ticks of a clock of so many hertz, one instruction a nanosecond.
fn instructions(log: &str, what: &str) -> Result<Option<u64>> {
    let pattern = Regex::new(&format!(r"bench: {} (\d+) (\d+)", regex::escape(what)))
        .context("a wrong expression")?;
    let Some(found) = pattern.captures(log) else {
        return Ok(None);
    };
    let number = |index: usize| {
        found[index]
            .parse::<u128>()
            .with_context(|| format!("{what} is no number"))
    };
    let (ticks, hertz) = (number(1)?, number(2)?);
    nanoseconds(ticks, hertz)
        .with_context(|| format!("{what} is given in ticks of {hertz} Hz"))
        .map(Some)
}

/// Ticks of a clock of so many hertz as instructions, one a nanosecond.
fn nanoseconds(ticks: u128, hertz: u128) -> Option<u64> {
    let count = (ticks * 1_000_000_000).checked_div(hertz)?;
    u64::try_from(count).ok()
}

/// Whether a figure is worse than it was by more than is forgiven.
fn is_worse(old: u64, new: u64) -> bool {
    u128::from(new) * 100 > u128::from(old) * (100 + TOLERANCE)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the figures are far below 2^52, and a ratio is rounded anyway"
)]
fn ratio(a: u64, b: u64) -> f64 {
    a as f64 / b.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_become_instructions() {
        let log =
            "tarn\r\nbench: reset-to-first-line 125 62500000\r\nbench: reset-to-all-idle 7 0\r\n";
        assert_eq!(
            instructions(log, "reset-to-first-line").unwrap(),
            Some(2000)
        );
        assert_eq!(instructions(log, "reset-to-nowhere").unwrap(), None);
        assert!(instructions(log, "reset-to-all-idle").is_err());
    }
}
