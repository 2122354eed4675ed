//! Condition variables.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use c_interface::Ptr;
use nt_abi::NtStatus;
use nt_abi::native::{RtlConditionVariable, RtlCriticalSection, RtlSrwLock};
use nt_abi::synchronization::{ConditionVariableFlags, CriticalSectionFlags};

use super::host::{
    Host, Pair, ROUNDS, THREADS, in_threads, in_time, milliseconds, system_time, until,
};
use crate::Parking;
use crate::condition_variable::*;
use crate::{critical_section, srw_lock};

const ALONE: ConditionVariableFlags = ConditionVariableFlags(0);
const SHARED: ConditionVariableFlags = ConditionVariableFlags::LOCKMODE_SHARED;

/// A lock with two conditions.
struct Place {
    host: Host,
    lock: RtlSrwLock,
    changed: [RtlConditionVariable; 2],
}

impl Place {
    fn new(processors: u32) -> Self {
        Self {
            host: Host::new(processors),
            lock: RtlSrwLock::default(),
            changed: Default::default(),
        }
    }

    fn lock(&self) -> Ptr<RtlSrwLock> {
        Ptr::of_shared(&self.lock)
    }

    fn changed(&self, which: usize) -> Ptr<RtlConditionVariable> {
        Ptr::of_shared(&self.changed[which])
    }

    fn acquire(&self) {
        srw_lock::acquire_exclusive(&self.host, self.lock());
    }

    fn release(&self) {
        srw_lock::release_exclusive(&self.host, self.lock()).unwrap();
    }

    fn sleep(&self, which: usize, timeout: Option<i64>) -> NtStatus {
        sleep_srw_lock(&self.host, self.changed(which), self.lock(), timeout, ALONE).unwrap()
    }
}

#[test]
fn a_ball_goes_to_and_fro() {
    let place = Place::new(2);
    let ball = AtomicU64::new(0);
    in_threads(2, |own| {
        let own = own as u64;
        for _ in 0..ROUNDS / 4 {
            place.acquire();
            while ball.load(Ordering::Relaxed) % 2 != own {
                assert_eq!(place.sleep(0, None), NtStatus::SUCCESS);
            }
            ball.fetch_add(1, Ordering::Relaxed);
            place.release();
            wake(&place.host, place.changed(0));
        }
    });
    assert_eq!(ball.load(Ordering::Relaxed), ROUNDS as u64 / 2);
    assert_eq!(place.changed(0).read().ptr, 0, "nobody waits");
}

#[test]
fn what_is_produced_is_consumed() {
    // Four producers, four consumers, room for three. One wake for each item: a lost one would end in a hang.
    let place = Place::new(2);
    let (items, sum) = (AtomicU64::new(0), Pair::default());
    const EACH: usize = ROUNDS / 2;
    in_threads(THREADS, |index| {
        for _ in 0..EACH {
            place.acquire();
            if index % 2 == 0 {
                while items.load(Ordering::Relaxed) == 3 {
                    place.sleep(0, None);
                }
                items.fetch_add(1, Ordering::Relaxed);
                place.release();
                wake(&place.host, place.changed(1));
            } else {
                while items.load(Ordering::Relaxed) == 0 {
                    place.sleep(1, None);
                }
                items.fetch_sub(1, Ordering::Relaxed);
                sum.add();
                // Also under the lock it is allowed.
                wake(&place.host, place.changed(0));
                place.release();
            }
        }
    });
    assert_eq!(items.load(Ordering::Relaxed), 0);
    assert_eq!(sum.look(), (EACH * THREADS / 2) as u64);
}

#[test]
fn all_are_woken() {
    let place = Place::new(2);
    let (generation, waiting) = (AtomicU64::new(0), AtomicU64::new(0));
    const ROUNDS: u64 = 2000;
    thread::scope(|scope| {
        for _ in 1..THREADS {
            scope.spawn(|| {
                for round in 1..=ROUNDS {
                    place.acquire();
                    if waiting.fetch_add(1, Ordering::Relaxed) + 1 == THREADS as u64 - 1 {
                        wake(&place.host, place.changed(1));
                    }
                    while generation.load(Ordering::Relaxed) < round {
                        place.sleep(0, None);
                    }
                    place.release();
                }
            });
        }
        for round in 1..=ROUNDS {
            place.acquire();
            while waiting.load(Ordering::Relaxed) < THREADS as u64 - 1 {
                place.sleep(1, None);
            }
            waiting.store(0, Ordering::Relaxed);
            generation.store(round, Ordering::Relaxed);
            place.release();
            wake_all(&place.host, place.changed(0));
        }
    });
}

#[test]
fn one_wake_is_for_one() {
    let place = Place::new(1);
    let woken = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                place.acquire();
                assert_eq!(place.sleep(0, None), NtStatus::SUCCESS);
                woken.fetch_add(1, Ordering::Relaxed);
                place.release();
            });
        }
        until(|| place.host.waits.load(Ordering::Relaxed) == 4);
        for count in 1..=3 {
            wake(&place.host, place.changed(0));
            until(|| woken.load(Ordering::Relaxed) == count);
            thread::sleep(Duration::from_millis(5));
            assert_eq!(woken.load(Ordering::Relaxed), count);
        }
        wake_all(&place.host, place.changed(0));
    });
    assert_eq!(woken.load(Ordering::Relaxed), 4);
    wake(&place.host, place.changed(0));
    assert_eq!(place.host.alerts.load(Ordering::Relaxed), 4);
}

#[test]
fn a_time_does_not_come_early() {
    let place = Place::new(1);
    for relative in [true, false] {
        let start = Instant::now();
        let timeout = if relative {
            milliseconds(30)
        } else {
            Some(system_time() + 300_000)
        };
        place.acquire();
        assert_eq!(place.sleep(0, timeout), NtStatus::TIMEOUT);
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(29), "{took:?}");
        assert!(
            !srw_lock::try_acquire_shared(place.lock()),
            "the caller has the lock again"
        );
        place.release();
        assert_eq!(place.changed(0).read().ptr, 0, "nobody waits");
    }
    place.acquire();
    let start = Instant::now();
    assert_eq!(place.sleep(0, Some(0)), NtStatus::TIMEOUT);
    assert!(start.elapsed() < Duration::from_millis(500));
    place.release();
}

#[test]
fn alerts_for_others_do_not_shorten_or_prolong_a_wait() {
    // Eight alerts in 80 of 100 ms: a wait that each of them began anew would last for 180 ms.
    let wait = || {
        let place = Place::new(1);
        let thread = AtomicU64::new(0);
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                thread.store(place.host.thread_id() as u64, Ordering::Relaxed);
                let start = Instant::now();
                place.acquire();
                let status = place.sleep(0, milliseconds(100));
                place.release();
                (status, start.elapsed())
            });
            until(|| place.host.waits.load(Ordering::Relaxed) == 1);
            for _ in 0..8 {
                let id = usize::try_from(thread.load(Ordering::Relaxed)).unwrap();
                place.host.alert(id);
                thread::sleep(Duration::from_millis(10));
            }
            let (status, took) = waiter.join().unwrap();
            assert_eq!(status, NtStatus::TIMEOUT);
            assert!(took >= Duration::from_millis(100), "{took:?}");
            took
        })
    };
    in_time(wait, Duration::from_millis(160));
}

#[test]
fn time_and_wakes_race_without_loss() {
    // A thread that was woken says so, whatever the time: the count of tokens handed over is exact.
    let place = Place::new(1);
    let (tokens, taken, timeouts) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    const TOKENS: u64 = 20_000;
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    place.acquire();
                    while tokens.load(Ordering::Relaxed) == 0 {
                        if taken.load(Ordering::Relaxed) == TOKENS {
                            place.release();
                            return;
                        }
                        if place.sleep(0, Some(-200)) == NtStatus::TIMEOUT {
                            timeouts.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    tokens.fetch_sub(1, Ordering::Relaxed);
                    taken.fetch_add(1, Ordering::Relaxed);
                    place.release();
                }
            });
        }
        for _ in 0..TOKENS {
            place.acquire();
            tokens.fetch_add(1, Ordering::Relaxed);
            place.release();
            wake(&place.host, place.changed(0));
        }
    });
    assert_eq!(taken.load(Ordering::Relaxed), TOKENS);
    assert_eq!(place.changed(0).read().ptr, 0);
}

#[test]
fn sections_and_shared_locks_serve_as_well() {
    let host = Host::new(2);
    let mut section = RtlCriticalSection::default();
    let section = Ptr::of(&mut section);
    critical_section::initialize(&host, section, 0, CriticalSectionFlags::default(), None).unwrap();
    let mut variable = RtlConditionVariable { ptr: 5 };
    let variable = Ptr::of(&mut variable);
    initialize(variable);
    let enter = || critical_section::enter(&host, section, || None, || ());
    let ball = AtomicU64::new(0);
    assert_eq!(
        sleep_critical_section(&host, variable, section, None, enter),
        Err(NtStatus::RESOURCE_NOT_OWNED)
    );
    in_threads(3, |own| {
        for _ in 0..ROUNDS / 20 {
            enter().unwrap();
            while ball.load(Ordering::Relaxed) % 3 != own as u64 {
                let status = sleep_critical_section(&host, variable, section, None, enter);
                assert_eq!(status, Ok(NtStatus::SUCCESS));
                assert!(critical_section::is_locked_by_caller(&host, section));
            }
            ball.fetch_add(1, Ordering::Relaxed);
            assert_eq!(critical_section::leave(&host, section), NtStatus::SUCCESS);
            wake_all(&host, variable);
        }
    });
    enter().unwrap();
    let status = sleep_critical_section(&host, variable, section, milliseconds(1), enter);
    assert_eq!(status, Ok(NtStatus::TIMEOUT));
    assert_eq!(critical_section::leave(&host, section), NtStatus::SUCCESS);

    let place = Place::new(2);
    let lock = place.lock();
    let sleep =
        |timeout, flags| sleep_srw_lock(&place.host, place.changed(0), lock, timeout, flags);
    assert_eq!(sleep(None, SHARED), Err(NtStatus::RESOURCE_NOT_OWNED));
    assert_eq!(sleep(None, ALONE), Err(NtStatus::RESOURCE_NOT_OWNED));
    let unknown = ConditionVariableFlags(2);
    assert_eq!(sleep(None, unknown), Err(NtStatus::INVALID_PARAMETER_4));
    srw_lock::acquire_shared(&place.host, lock);
    assert_eq!(sleep(None, ALONE), Err(NtStatus::RESOURCE_NOT_OWNED));
    assert_eq!(sleep(milliseconds(1), SHARED), Ok(NtStatus::TIMEOUT));
    assert_eq!(lock.read().ptr, 0x11, "shared as before");
    thread::scope(|scope| {
        scope.spawn(|| {
            until(|| place.host.waits.load(Ordering::Relaxed) == 2);
            place.acquire();
            place.release();
            wake(&place.host, place.changed(0));
        });
        assert_eq!(sleep(None, SHARED), Ok(NtStatus::SUCCESS));
    });
    srw_lock::release_shared(&place.host, lock).unwrap();
}
