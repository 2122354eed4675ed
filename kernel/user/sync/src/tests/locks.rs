//! Slim locks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use c_interface::Ptr;
use nt_abi::NtStatus;
use nt_abi::native::{RtlSrwLock, Size};

use super::host::{Host, Pair, ROUNDS, THREADS, in_threads, until};
use crate::srw_lock::*;

fn value(lock: Ptr<RtlSrwLock>) -> Size {
    lock.read().ptr
}

#[test]
fn the_word_is_windows_own_when_nobody_waits() {
    let host = Host::new(2);
    let mut memory = RtlSrwLock { ptr: 77 };
    let lock = Ptr::of(&mut memory);
    initialize(lock);
    assert_eq!(value(lock), 0);
    acquire_exclusive(&host, lock);
    assert_eq!(value(lock), 1);
    assert!(!try_acquire_exclusive(lock) && !try_acquire_shared(lock));
    assert_eq!(
        release_shared(&host, lock),
        Err(NtStatus::RESOURCE_NOT_OWNED)
    );
    release_exclusive(&host, lock).unwrap();
    acquire_shared(&host, lock);
    assert_eq!(value(lock), 0x11);
    assert!(try_acquire_shared(lock) && !try_acquire_exclusive(lock));
    assert_eq!(value(lock), 0x21);
    assert_eq!(
        release_exclusive(&host, lock),
        Err(NtStatus::RESOURCE_NOT_OWNED)
    );
    release_shared(&host, lock).unwrap();
    release_shared(&host, lock).unwrap();
    assert_eq!(value(lock), 0);
    assert_eq!(
        release_shared(&host, lock),
        Err(NtStatus::RESOURCE_NOT_OWNED)
    );
    assert_eq!(
        release_exclusive(&host, lock),
        Err(NtStatus::RESOURCE_NOT_OWNED)
    );
    assert_eq!(
        convert_to_shared(&host, lock),
        Err(NtStatus::RESOURCE_NOT_OWNED)
    );
    assert!(try_acquire_exclusive(lock));
    convert_to_shared(&host, lock).unwrap();
    assert_eq!(value(lock), 0x11);
    release_shared(&host, lock).unwrap();
    assert_eq!((value(lock), host.calls()), (0, 0));
}

/// Every thread writes sometimes and reads mostly.
fn storm(processors: u32, writes_of_8: usize) {
    let host = Host::new(processors);
    let mut memory = RtlSrwLock::default();
    let lock = Ptr::of(&mut memory);
    let pair = Pair::default();
    let written: u64 = in_threads(THREADS, |index| {
        let mut written = 0;
        for round in 0..ROUNDS {
            if (round * 5 + index) % 8 < writes_of_8 {
                if round % 9 != 0 {
                    acquire_exclusive(&host, lock);
                } else {
                    while !try_acquire_exclusive(lock) {
                        thread::yield_now();
                    }
                }
                pair.add();
                written += 1;
                if round % 13 == 0 {
                    let mine = pair.look();
                    convert_to_shared(&host, lock).unwrap();
                    assert_eq!(pair.look(), mine, "nobody came between");
                    release_shared(&host, lock).unwrap();
                } else {
                    release_exclusive(&host, lock).unwrap();
                }
            } else {
                if round % 9 != 0 || !try_acquire_shared(lock) {
                    acquire_shared(&host, lock);
                }
                pair.look();
                release_shared(&host, lock).unwrap();
            }
        }
        written
    })
    .into_iter()
    .sum();
    assert_eq!((pair.look(), value(lock)), (written, 0));
}

#[test]
fn writers_alone() {
    storm(2, 8);
}

#[test]
fn writers_and_readers() {
    storm(2, 3);
}

#[test]
fn writers_and_readers_without_spinning() {
    storm(1, 3);
}

#[test]
fn few_writers() {
    storm(1, 1);
}

#[test]
fn sharers_are_inside_together() {
    let host = Host::new(1);
    let mut memory = RtlSrwLock::default();
    let lock = Ptr::of(&mut memory);
    acquire_exclusive(&host, lock);
    let inside = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                acquire_shared(&host, lock);
                inside.fetch_add(1, Ordering::Relaxed);
                until(|| inside.load(Ordering::Relaxed) == THREADS as u64);
                release_shared(&host, lock).unwrap();
            });
        }
        until(|| host.waits.load(Ordering::Relaxed) == THREADS as u64);
        release_exclusive(&host, lock).unwrap();
    });
    assert_eq!(value(lock), 0);
}

#[test]
fn sharers_do_not_pass_who_waits_to_have_it_alone() {
    let host = Host::new(1);
    let mut memory = RtlSrwLock::default();
    let lock = Ptr::of(&mut memory);
    acquire_shared(&host, lock);
    let order = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            acquire_exclusive(&host, lock);
            assert_eq!(order.fetch_add(1, Ordering::Relaxed), 0);
            release_exclusive(&host, lock).unwrap();
        });
        until(|| host.waits.load(Ordering::Relaxed) == 1);
        assert!(!try_acquire_shared(lock));
        scope.spawn(|| {
            acquire_shared(&host, lock);
            assert_eq!(order.fetch_add(1, Ordering::Relaxed), 1);
            release_shared(&host, lock).unwrap();
        });
        until(|| host.waits.load(Ordering::Relaxed) == 2);
        release_shared(&host, lock).unwrap();
    });
}

#[test]
fn neither_side_starves() {
    // Readers that always overlap, and a writer that takes the lock again at once, for one reader and one writer that want
    // it fifty times.
    let host = Host::new(1);
    let mut memory = RtlSrwLock::default();
    let lock = Ptr::of(&mut memory);
    let done = AtomicU64::new(0);
    let start = Instant::now();
    let busy = || {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "somebody starves"
        );
        done.load(Ordering::Relaxed) < 2
    };
    let hold = || thread::sleep(Duration::from_micros(300));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while busy() {
                    acquire_shared(&host, lock);
                    hold();
                    release_shared(&host, lock).unwrap();
                }
            });
        }
        scope.spawn(|| {
            while busy() {
                acquire_exclusive(&host, lock);
                hold();
                release_exclusive(&host, lock).unwrap();
            }
        });
        scope.spawn(|| {
            for _ in 0..50 {
                acquire_exclusive(&host, lock);
                release_exclusive(&host, lock).unwrap();
            }
            done.fetch_add(1, Ordering::Relaxed);
        });
        for _ in 0..50 {
            acquire_shared(&host, lock);
            release_shared(&host, lock).unwrap();
        }
        done.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!(value(lock), 0);
}
