//! The clocks as the services tell them.

use crate::services::{NtQueryPerformanceCounter, NtQuerySystemTime};

/// The system time, in 100 ns since 1601.
///
/// # Panics
/// If the kernel does not tell.
pub fn system_time() -> i64 {
    let mut time = 0i64;
    let status = NtQuerySystemTime(&mut time);
    assert!(status.is_success(), "{status}");
    time
}

/// The time by the performance counter, in 100 ns. Nobody can set it.
///
/// # Panics
/// If the kernel does not tell.
pub fn counter_time() -> i64 {
    let (mut count, mut frequency) = (0i64, 0i64);
    let status = NtQueryPerformanceCounter(&mut count, &mut frequency);
    assert!(status.is_success() && frequency > 0, "{status}");
    let seconds = count / frequency;
    seconds * 10_000_000 + count % frequency * 10_000_000 / frequency
}
