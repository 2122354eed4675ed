//! The executive on the simulated machine, whose processors take turns by a seed.

mod locks;
mod others;
mod resources;
mod workers;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use arch::contract::Irql;
use ke::dispatcher::Due;
use ke::thread::{Mode, State, ThreadHandle};
use ke::wait::delay;

/// 100 ns units in a millisecond.
const MS: u64 = 10_000;

fn scheduling_point() {
    drop(ke::irql::raise(Irql::Dispatch));
}

fn pause() {
    delay(Due::In(20 * MS), Mode::Kernel, false);
}

fn until_waiting(thread: &ThreadHandle) {
    while thread.state() != State::Waiting {
        delay(Due::In(MS), Mode::Kernel, false);
    }
}

fn counter() -> Arc<AtomicU32> {
    Arc::new(AtomicU32::new(0))
}

/// Says that nobody else is inside, goes through some scheduling points, and leaves.
fn alone(inside: &AtomicU32) {
    assert_eq!(inside.fetch_add(1, SeqCst), 0, "two are inside");
    (0..3).for_each(|_| scheduling_point());
    assert_eq!(inside.fetch_sub(1, SeqCst), 1, "two were inside");
}
