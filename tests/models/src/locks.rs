//! The tests: what is done under a lock is seen by whoever has it next.
//!
//! The data are words that are read and written without any order, so that only the lock orders them: a value that is too
//! old is one that `loom` gives somewhere if the lock allows it.

use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread::spawn;

use crate::raw_lock::RawLock;
use crate::rundown::RundownProtection;

/// Plays a test for all orders in which threads are interrupted at most three times where they would not wait anyway.
fn model(test: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(test);
}

/// Two words that are equal whenever nobody changes them.
struct Pair([AtomicU64; 2]);

impl Pair {
    fn new() -> Self {
        Self([AtomicU64::new(0), AtomicU64::new(0)])
    }

    fn look(&self) -> u64 {
        let [left, right] = &self.0;
        let seen = left.load(Ordering::Relaxed);
        assert_eq!(seen, right.load(Ordering::Relaxed));
        seen
    }

    fn add(&self) {
        let seen = self.look();
        for word in &self.0 {
            word.store(seen + 1, Ordering::Relaxed);
        }
    }
}

/// Adds under a lock in some threads; then looks whether nothing is lost.
fn add_in_threads<L: Send + Sync + 'static>(
    lock: L,
    threads: u64,
    add: impl Fn(&L, &Pair) + Copy + Send + 'static,
) {
    let shared = Arc::new((lock, Pair::new()));
    let others: Vec<_> = (1..threads)
        .map(|_| {
            let shared = Arc::clone(&shared);
            spawn(move || add(&shared.0, &shared.1))
        })
        .collect();
    add(&shared.0, &shared.1);
    for other in others {
        other.join().unwrap();
    }
    assert_eq!(shared.1.look(), threads);
}

/// A lock of the executive, used once so that its word is there.
fn raw_lock() -> RawLock {
    let lock = RawLock::new();
    assert!(!lock.is_held());
    lock
}

#[test]
fn a_push_lock_held_alone_shows_what_was_done_under_it() {
    model(|| {
        add_in_threads(raw_lock(), 2, |lock, pair| {
            lock.lock_exclusive();
            pair.add();
            lock.unlock_exclusive();
        });
    });
}

#[test]
fn sharers_of_a_push_lock_see_all_or_nothing() {
    model(|| {
        let shared = Arc::new((raw_lock(), Pair::new()));
        let writer = {
            let shared = Arc::clone(&shared);
            spawn(move || {
                shared.0.lock_exclusive();
                shared.1.add();
                shared.0.unlock_exclusive();
            })
        };
        shared.0.lock_shared();
        shared.1.look();
        shared.0.unlock_shared();
        writer.join().unwrap();
        assert_eq!(shared.1.look(), 1);
        assert!(!shared.0.is_held());
    });
}

#[test]
fn who_shares_what_it_held_alone_is_seen_by_sharers() {
    model(|| {
        let shared = Arc::new((raw_lock(), Pair::new()));
        let writer = {
            let shared = Arc::clone(&shared);
            spawn(move || {
                shared.0.lock_exclusive();
                shared.1.add();
                shared.0.share();
                assert_eq!(shared.1.look(), 1);
                shared.0.unlock_shared();
            })
        };
        shared.0.lock_shared();
        shared.1.look();
        shared.0.unlock_shared();
        writer.join().unwrap();
        assert!(!shared.0.is_held());
    });
}

#[test]
fn a_run_down_comes_after_all_that_was_done_inside() {
    model(|| {
        let shared = Arc::new((RundownProtection::new(), Pair::new()));
        assert!(!shared.0.runs_down());
        let user = {
            let shared = Arc::clone(&shared);
            spawn(move || {
                let Some(inside) = shared.0.enter() else {
                    return false;
                };
                shared.1.add();
                drop(inside);
                true
            })
        };
        shared.0.wait();
        let done = shared.1.look();
        assert!(shared.0.enter().is_none());
        // Whoever was inside has done its work before the wait ended; whoever was not did none.
        assert_eq!(user.join().unwrap(), done == 1);
    });
}
